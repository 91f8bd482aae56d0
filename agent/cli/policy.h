/* policy - rosters that an agent holds, for commands that work offline with
 * them. */
#ifndef PARLEY_CLI_POLICY_H
#define PARLEY_CLI_POLICY_H

#include "base/buf.h"
#include "cli.h"

#include <stdint.h>

/* The note of the roster in force at record `at`; -1: the newest one. By the
 * agent's API; errors are client.h's. *note is replaced. */
enum err policy_roster_note (const struct cli *cli, int64_t at,
                             struct buf *note, struct error *e) MUST_CHECK;

#endif
