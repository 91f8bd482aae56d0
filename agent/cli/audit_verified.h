/* audit_verified - the newest checkpoint that the agent recomputed itself, for an
 * export (PROTOCOL.md section 8.10). */
#ifndef PARLEY_CLI_AUDIT_VERIFIED_H
#define PARLEY_CLI_AUDIT_VERIFIED_H

#include "client.h"

/* Write `dir`/verified, with the log's line alone, where it is above the newest
 * one in `dir`/checkpoints, and not above record `last`. */
enum err audit_verified (struct client *client, const char *dir, int64_t last,
                         struct error *e) MUST_CHECK;

#endif
