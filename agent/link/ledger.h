/* ledger - the auditor in each agent: holds the hash of every record, recomputes
 * the root, judges checkpoints, cosigns where the roster names it, and knows
 * what is settled (PROTOCOL.md sections 7.5, 8.7 and 8.11).
 *
 * Of the link's thread; nothing here waits. Whatever contradicts what the broker
 * signed, or gave out before, is an alarm with its evidence (evidence.h); from
 * then on nothing is cosigned. */
#ifndef PARLEY_AGENT_LEDGER_H
#define PARLEY_AGENT_LEDGER_H

#include "audit_status.h"
#include "core.h"
#include "format/block.h"
#include "format/promise.h"
#include "identity/quorum.h"

#define LEDGER_CLOCK_MS 120000 /* a mark's time against ours, to cosign */
/* Two clocks that are both that far from a mark's, and the time for a line: what
 * another witness dates so much later, it cosigned later. */
#define LEDGER_OLDER_MS (2 * LEDGER_CLOCK_MS + 10000)
#define LEDGER_FRESH_S 150 /* older: not current, "stale" */

struct ledger;
struct ledger *ledger_new (struct core *core, struct error *e) MUST_CHECK;
void ledger_destroy (struct ledger **self_p);

/* The link is ready; it is down. */
void ledger_begin (struct ledger *self);
void ledger_end (struct ledger *self);
/* An epoch has cut the store: all that was in question was of the old one.
 * Between two connections. */
void ledger_restart (struct ledger *self);
/* Leaf hashes, a checkpoint, or cosignatures by the feed. The store's errors. */
enum err ledger_hear (struct ledger *self, enum feed_kind kind,
                      struct slice content, struct error *e) MUST_CHECK;
/* The same out of a bundle that was audited, with or without a link: a
 * checkpoint is judged before it returns. */
enum err ledger_import (struct ledger *self, enum feed_kind kind,
                        struct slice content, struct error *e) MUST_CHECK;
/* Replies of types leaves, checkpoint and cosign that are its own; *mine says
 * so. */
enum err ledger_reply (struct ledger *self, const struct reply *reply,
                       bool *mine, struct error *e) MUST_CHECK;
/* Asks for what lacks; cosigns what is due. */
enum err ledger_tick (struct ledger *self, int64_t now, struct error *e)
    MUST_CHECK;
/* There is work that needs no reply: the next turn comes at once. */
bool ledger_busy (const struct ledger *self);
/* Records of a block that is being stored (in its transaction): each must be
 * its leaf, where the leaf is held already. ERR_CHAIN: one is not; *e names it.
 */
enum err ledger_block (struct ledger *self, const struct block *block,
                       struct error *e) MUST_CHECK;

/* This store was put back from a copy: what it remembers of its cosignatures is
 * older than what it cosigned. The store's errors. */
enum err ledger_older (struct ledger *self, struct error *e) MUST_CHECK;

/* An operator has looked at the evidence and says so: cosign again. The evidence
 * stays. The store's errors. */
enum err ledger_resume (struct ledger *self, struct error *e) MUST_CHECK;

/* Log time goes back from one record to another: proved when a checkpoint holds
 * both. */
void ledger_times (struct ledger *self, int64_t first, int64_t second);
/* A block that did not verify: if one of its records is in the tree that the log
 * signed, or will be, and no broker may take such a one, nothing is cosigned
 * from then on, and it is proved, where it can be. Any other block changes
 * nothing: who has the stream's key may have made it. */
enum err ledger_bad_block (struct ledger *self, struct slice octets,
                           struct error *e) MUST_CHECK;

/* A promise was kept in the store: what it says of places below the newest
 * checkpoint that was verified has to be what stands there. */
enum err ledger_promised (struct ledger *self, const struct promise *promise,
                          const struct promise_accepted *accepted, size_t count,
                          struct error *e) MUST_CHECK;

/* How things stand. */
void ledger_status (const struct ledger *self, struct ledger_status *out);

#endif
