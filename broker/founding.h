/* founding - a ledger's folder as a whole: found it, open it.
 *
 * The state folder holds `ledger.json` (dialogue, format, broker's id), `lock`,
 * `journal/`, `index/`, `checkpoints/` and `refusals`. */
#ifndef PARLEY_FOUNDING_H
#define PARLEY_FOUNDING_H

#include "counters.h"
#include "settings.h"
#include "state.h"

/* A roster's file, read and its own threshold checked. NULL and *e. */
struct roster *roster_file_read (const char *path, struct error *e) MUST_CHECK;

/* Does the roster list this broker, with its desk and link keys, at `at` (ms)?
 * ERR_KEY. */
enum err broker_check (const struct identity *identity,
                       const struct roster *roster, int64_t at,
                       struct error *e) MUST_CHECK;

/* A broker's secret file. NULL and *e: as identity_load; ERR_CONFIG: it is no
 * broker's. */
struct identity *broker_load (const char *path, struct error *e) MUST_CHECK;

/* Configuration, keys and roster fit together (for -n); opens no ledger. */
enum err ledger_settings_check (const struct settings *settings,
                                struct error *e) MUST_CHECK;

/* Make the folder and its ledger from the first roster: record 0 and its mark.
 * Writes ledger.json last. ERR_EXISTS: founded already.
 * Goes on where an earlier one was cut off. */
enum err ledger_found (const struct settings *settings,
                       char dialogue[HASH_TEXT_MAX], struct error *e)
    MUST_CHECK;

struct ledger {
    int lock; /* descriptor, or -1 */
    struct identity *identity;
    struct journal *journal;
    struct counters *counters; /* as replayed; commit takes them */
};
/* Lock, identity, journal with recovery (said in the log), counters. Closed
 * with ledger_close, also after a failure. ERR_NOT_FOUND tells to run init. */
enum err ledger_open (struct ledger *self, const struct settings *settings,
                      struct error *e) MUST_CHECK;
void ledger_close (struct ledger *self);
/* broker_check of the roster in force, now. */
enum err ledger_identity_check (const struct ledger *self, struct state *state,
                                struct error *e) MUST_CHECK;

/* The dialogue of a ledger's folder, by its ledger.json. ERR_NOT_FOUND tells to
 * run init; ERR_DAMAGED, ERR_NEWER. */
enum err ledger_dialogue (const char *dir, struct hash *dialogue,
                          struct error *e) MUST_CHECK;

#endif
