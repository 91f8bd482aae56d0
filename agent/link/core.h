/* core - what the parts of the link share: the store with its one open
 * transaction, the rosters, the desk, what was last said of the ledger.
 *
 * Everything here belongs to the link's thread. */
#ifndef PARLEY_LINK_CORE_H
#define PARLEY_LINK_CORE_H

#include "calls.h"
#include "rosters.h"
#include "store/store.h"

struct ledger;
struct core {
    /* Borrowed for the link's life. */
    const struct identity *identity;
    const char *delegation;
    struct hash dialogue;
    void *context;
    struct store *store;
    struct rosters *rosters;
    struct ledger *ledger; /* NULL: nothing audits (tests) */

    struct calls *calls;   /* NULL while down */
    uint8_t run[RUN_SIZE]; /* the broker's, after hello */
    bool transaction;
    int64_t commit_ns; /* that the turn's commits took so far */
    bool changed;      /* something that somebody may wait for */

    /* Own records below are not this store's to know: it was made, or put back,
     * when the ledger had that size. */
    int64_t own_from, own_restored;

    /* What the broker said last, by hello or head. */
    int64_t size, log_time;
    char closed[RULE_NAME_MAX + 1];
    bool log_whole;               /* `$log` is held to its last number */
    bool roster_wanted;           /* one that is newer than ours is in force */
    char problem[ERROR_TEXT_MAX]; /* last thing that went wrong */
};

/* What one turn writes is one group of the store (store.h): begun with the
 * first part, committed at its end, and before anything leaves that has to be
 * durable first. */
enum err core_begin (struct core *self, struct error *e) MUST_CHECK;
enum err core_commit (struct core *self, struct error *e) MUST_CHECK;
void core_abort (struct core *self);

/* Our store, not the peer: the daemon has to end. */
bool core_store_failed (enum err code);

/* Say it in the log, in the store's notices and in status. The store's errors
 * alone. */
enum err core_notice (struct core *self, const char *kind, bool alarm,
                      const char *text, struct slice evidence, struct error *e)
    MUST_CHECK;

#endif
