/* outbox - messages that a person or program gave to this agent and that are
 * not settled yet (DESIGN sections 6 and 9; PROTOCOL.md sections 6.5, 8.9).
 *
 * Durable before the caller hears of it. A message gets its lane and number
 * when it is accepted, and keeps them for life; its header, and so its id, may
 * be made again when the roster changes before it is promised. Every form that
 * was signed is kept until one is promised. */
#ifndef PARLEY_OUTBOX_H
#define PARLEY_OUTBOX_H

#include "format/batch.h"
#include "format/promise.h"
#include "store.h"

/* Of all that is waiting, sent or promised; above: ERR_FULL. */
#define OUTBOX_MESSAGES_MAX 100000
#define OUTBOX_OCTETS_MAX 1073741824 /* of their bodies and contributions */
#define OUTBOX_KEY_MAX 255           /* octets of an Idempotency-Key */

enum outbox_state {
    OUTBOX_WAITING,  /* not sent yet, or refused for now; can be cancelled */
    OUTBOX_SENT,     /* sent at least once, no answer yet */
    OUTBOX_PROMISED, /* its place is known: promised, or its record was seen */
    OUTBOX_DONE,     /* settled: the ledger's tree has its leaf there, and a
                        settled checkpoint covers it */
    OUTBOX_REFUSED,  /* for good; `refusal` says why */
    OUTBOX_CANCELLED,
};
const char *outbox_state_name (enum outbox_state state); /* "waiting" */

struct outbox_message {
    int64_t number; /* of the outbox, from 1: what people see */
    enum outbox_state state;
    uint64_t lane;
    int64_t lane_number;
    int64_t created_ms, sent_ms; /* 0: not yet */
    int64_t attempts;
    int64_t octets; /* of body or contribution, also once it is gone */
    const char *topic;
    enum body_format format;
    struct slice body; /* with its salt; empty once done or cancelled */
    const struct hash *references;
    size_t reference_count;
    struct hash id;      /* of the newest form; zeros before the first */
    struct slice header; /* newest form; empty before the first, once done */
    int64_t sequence;    /* promised place, -1 */
    struct hash leaf;
    bool has_refusal;
    struct refusal
        refusal; /* newest; a T or A one may stand on a waiting one */
    /* a contribution handed in for another author: the file's octets, empty
     * once done. Its lane and number are 0, `id` is its first message's */
    struct slice contribution; /* empty: an own message */
};

/* Accept. `key` is the Idempotency-Key or NULL: the same key with the same
 * topic, format, content and references gives the message that is there, in
 * whatever state (*repeated true); with other ones ERR_EXISTS. ERR_FULL,
 * ERR_LIMIT, ERR_MALFORMED, ERR_ARGUMENT (key). The lane is the one that
 * store_lane names, also where another handle drew it. Its own transaction;
 * durable when 0. */
enum err outbox_add (struct store *store, const char *key, struct slice topic,
                     enum body_format format, struct slice content,
                     const struct hash *references, size_t reference_count,
                     int64_t *number, bool *repeated, struct error *e)
    MUST_CHECK;
/* Was something accepted by that key? Any handle. */
bool outbox_has_key (struct store *store, const char *key);
/* The same in two steps, since the first needs no store: salt, encoding and
 * hashes are made before others have to wait. Key, topic and references are
 * borrowed for the draft's life. ERR_FULL and ERR_EXISTS come from the second,
 * all other errors from the first; outbox_draft_free is fine after either. */
struct outbox_draft {
    const char *key;
    struct slice topic, references;
    enum body_format format;
    struct hash digest, body_digest;
    struct buf body;
};
enum err outbox_draft_make (struct outbox_draft *out, const char *key,
                            struct slice topic, enum body_format format,
                            struct slice content, const struct hash *references,
                            size_t reference_count, struct error *e) MUST_CHECK;
void outbox_draft_free (struct outbox_draft *self);
enum err outbox_add_draft (struct store *store,
                           const struct outbox_draft *draft, int64_t *number,
                           bool *repeated, struct error *e) MUST_CHECK;
/* A written contribution of another author, verified by the caller. It is one
 * message of the outbox (its first message's id, given, names it) and each
 * message in it is promised, refused or seen for itself: it is PROMISED when
 * all are promised or seen, DONE when all are settled, REFUSED when all are
 * answered and one was refused for good. The same one again is *repeated, also
 * without a key, unless it was refused or cancelled. */
enum err outbox_add_contribution (struct store *store, const char *key,
                                  struct slice octets, const char *topic,
                                  const struct hash *id, int64_t *number,
                                  bool *repeated, struct error *e) MUST_CHECK;
/* ERR_STATE: it was sent already, or is done; says which. Its number in the
 * lane is not given again. One that was sent before and waits because of a
 * refusal keeps its forms: if its record comes all the same, it has its place
 * like any other. */
enum err outbox_cancel (struct store *store, int64_t number, struct error *e)
    MUST_CHECK;

/* Reading: in order of number. Everything borrowed until the callback returns,
 * which may use the store. `each` may stop with ERR_STATE (which is not passed
 * on). state -1: all. limit 0: none. ERR_NOT_FOUND: outbox_get only. */
enum err outbox_list (
    struct store *store, int state, int64_t after, int64_t limit,
    enum err (*each) (void *arg, const struct outbox_message *, struct error *),
    void *arg, struct error *e) MUST_CHECK;
enum err outbox_get (struct store *store, int64_t number,
                     enum err (*each) (void *arg, const struct outbox_message *,
                                       struct error *),
                     void *arg, struct error *e) MUST_CHECK;
void outbox_counts (struct store *store, int64_t counts[6]); /* by state */

/* The sender's steps. Own transactions unless said. */
/* A form was signed and is about to be sent: kept durably before the first
 * octet leaves. Many at once; also when the same form is sent again. Nothing of
 * it may be sent on ERR_STATE (one is neither waiting nor sent: it may have
 * been cancelled meanwhile; nothing was noted). */
struct outbox_form {
    int64_t number;
    struct hash id;      /* of a contribution: its first */
    struct slice header; /* of a contribution: empty */
};
enum err outbox_sending (struct store *store, const struct outbox_form *forms,
                         size_t count, struct error *e) MUST_CHECK;
/* The broker's answer to some of them, one transaction: a promise, and all that
 * it accepted (count is promise->accepted_count). A promise of any form that is
 * kept counts, also of one that was refused before. ERR_NOT_FOUND: an id that
 * no form has; nothing is kept. ERR_CHAIN: all is kept, and one of them was
 * promised at another place in that epoch, or was seen there, or another form
 * of it was: evidence. */
enum err outbox_promised (struct store *store, const struct promise *promise,
                          const struct promise_accepted *accepted, size_t count,
                          struct error *e) MUST_CHECK;
/* final: REFUSED, kept with its proof in `refusals`; otherwise the rule is
 * noted and the message waits again. What is promised or done stays so (the
 * proof of a final refusal is kept), and a final refusal of an older form than
 * the newest changes nothing. ERR_NOT_FOUND as above. */
enum err outbox_refused (struct store *store, const struct hash *id,
                         const struct refusal *refusal, bool final,
                         struct slice proof, struct error *e) MUST_CHECK;
/* USED-NUMBER named one of our own forms: that is our promise's place.
 * ERR_NOT_FOUND, ERR_CHAIN as above. */
enum err outbox_found (struct store *store, const struct hash *id,
                       int64_t sequence, const struct hash *leaf,
                       struct error *e) MUST_CHECK;
/* A record arrived by a verified block: if it is of one of ours, that becomes
 * PROMISED, whatever was answered. 0 too where it is nobody's. In the caller's
 * transaction. *contradiction: it was promised at another place or leaf, or
 * another form of it was: evidence. */
enum err outbox_seen (struct store *store, const struct hash *id,
                      int64_t sequence, const struct hash *leaf,
                      bool *contradiction, struct error *e) MUST_CHECK;
/* The same for a message that this delegation signed (the caller has seen to
 * it): where no form has its id it is known by its body, whose salt makes the
 * digest a proof. So a restored store finds what it sent after the backup was
 * taken, in whatever state it has it; also what was cancelled here. */
enum err outbox_seen_own (struct store *store, const struct message *message,
                          int64_t sequence, const struct hash *leaf,
                          bool *contradiction, struct error *e) MUST_CHECK;
/* Is this message, which this delegation signed, one of this outbox, by its id
 * or its body? Where not, somebody else has signed it with our key. */
enum err outbox_knows (struct store *store, const struct message *message,
                       bool *known, struct error *e) MUST_CHECK;
/* Messages that are PROMISED with all their places below `size`: `judge` says of
 * each place whether the record that stands there is known to be this one;
 * where all do, the message is DONE (its body and forms go). At most `limit`
 * messages are looked at, behind *after, which is the sequence of the last one
 * then; fewer: *after is -1. In the caller's transaction; `judge` may use the
 * store, and its errors end it. */
struct outbox_place {
    struct slice topic; /* of an own message, else empty; for the call */
    struct hash id, leaf;
    int64_t sequence;
};
enum err outbox_settle (struct store *store, int64_t size, int64_t *after,
                        int limit,
                        enum err (*judge) (void *arg,
                                           const struct outbox_place *place,
                                           bool *stands, struct error *e),
                        void *arg, struct error *e) MUST_CHECK;
/* Promises of an epoch of records [from, to), by sequence. `each` may use the
 * store. */
enum err outbox_promises (struct store *store, int64_t epoch, int64_t from,
                          int64_t to,
                          enum err (*each) (void *arg,
                                            const struct outbox_place *place,
                                            struct error *e),
                          void *arg, struct error *e) MUST_CHECK;
/* All own messages that are waiting or sent in other lanes move to this one (a
 * restored store, OLD-NUMBER): new numbers behind those used, forms dropped,
 * WAITING. Before, the caller draws the lane (store_new_lane), and makes sure
 * that the broker holds none of them under the old numbers, since each would
 * be recorded twice: it has fetched its own records up to the size that hello
 * said, has given them to outbox_seen_own, and nothing sent is still unanswered
 * on a connection. */
enum err outbox_move_lane (struct store *store, uint64_t lane, struct error *e)
    MUST_CHECK;
/* Both steps in one transaction: no crash leaves what waits in an old lane. */
enum err outbox_new_lane (struct store *store, uint64_t *lane, struct error *e)
    MUST_CHECK;
/* The highest promise held, for hello. false: none. */
bool outbox_highest_promise (struct store *store, int64_t epoch,
                             struct promise_proof *out);
/* The newest promise of that message, to show. false: none. */
bool outbox_promise (struct store *store, const struct hash *id,
                     struct promise_proof *out);
/* The promise of that leaf at that place. false: none. */
bool outbox_promise_at (struct store *store, int64_t epoch, int64_t sequence,
                        const struct hash *leaf, struct promise_proof *out);
/* Has this store ever had that lane? */
bool outbox_lane_known (struct store *store, uint64_t lane);
/* Highest number signed in each lane of this store, for hello: the present lane
 * first (0 where nothing was signed yet), then the newest. */
size_t outbox_lanes (struct store *store, uint64_t *lanes, int64_t *highest,
                     size_t room);
/* Proofs for export: promises, then refusals' (each once, however many of its
 * entries were ours). What a callback returns ends it. */
enum err outbox_proofs (struct store *store,
                        enum err (*promise) (void *arg,
                                             const struct promise_proof *,
                                             struct error *),
                        enum err (*refusal) (void *arg, struct slice proof,
                                             struct error *),
                        void *arg, struct error *e) MUST_CHECK;
/* Was it refused for good, as not recorded, at a log time above that of its
 * record? (OLD-NUMBER does not say so.) */
enum err outbox_denied (struct store *store, const struct hash *id,
                        int64_t log_time, bool *denied, struct error *e)
    MUST_CHECK;
/* What was refused for good, newest last; number and `after` count refusals,
 * limit 0: none. */
enum err outbox_refusals (struct store *store, int64_t after, int64_t limit,
                          void (*each) (void *arg, int64_t number, int64_t ms,
                                        const struct hash *id,
                                        const char *topic,
                                        const struct refusal *refusal),
                          void *arg, struct error *e) MUST_CHECK;

#endif
