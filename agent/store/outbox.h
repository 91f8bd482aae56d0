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

#define OUTBOX_MESSAGES_MAX 100000   /* waiting; above: ERR_FULL */
#define OUTBOX_OCTETS_MAX 1073741824 /* of bodies waiting */

enum outbox_state {
    OUTBOX_WAITING,  /* not sent yet; can be cancelled */
    OUTBOX_SENT,     /* sent at least once, no answer yet */
    OUTBOX_PROMISED, /* the broker promised it; not seen on the feed yet */
    OUTBOX_DONE,     /* promised, and its record was received and verified */
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
    const char *topic;
    enum body_format format;
    struct slice body; /* with its salt */
    const struct hash *references;
    size_t reference_count;
    struct hash id;      /* of the newest form; zeros before the first */
    struct slice header; /* newest form; empty before the first */
    int64_t sequence;    /* promised place, -1 */
    struct hash leaf;
    bool has_refusal;
    struct refusal
        refusal; /* newest; a T or A one may stand on a waiting one */
    /* a contribution handed in for another author: the file's octets */
    struct slice contribution; /* empty: an own message */
};

/* Accept. `key` is the Idempotency-Key or NULL: the same key with the same
 * content gives the message that is there (*repeated true); with other content
 * ERR_EXISTS. ERR_FULL. Its own transaction; durable when 0. */
enum err outbox_add (struct store *store, const char *key, struct slice topic,
                     enum body_format format, struct slice content,
                     const struct hash *references, size_t reference_count,
                     int64_t *number, bool *repeated, struct error *e)
    MUST_CHECK;
/* A written contribution of another author, verified by the caller. Each of
 * its batch stands as one message of the outbox (its first id names it). */
enum err outbox_add_contribution (struct store *store, const char *key,
                                  struct slice octets, const char *topic,
                                  const struct hash *id, int64_t *number,
                                  bool *repeated, struct error *e) MUST_CHECK;
/* ERR_STATE: it was sent already, or is done; says which. */
enum err outbox_cancel (struct store *store, int64_t number, struct error *e)
    MUST_CHECK;

/* Reading: in order of number. Everything borrowed until the callback returns.
 * `each` may stop with ERR_STATE (which is not passed on). state -1: all. */
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
 * octet leaves. Many at once. */
struct outbox_form {
    int64_t number;
    struct hash id;
    struct slice header;
};
enum err outbox_sending (struct store *store, const struct outbox_form *forms,
                         size_t count, struct error *e) MUST_CHECK;
/* The broker's answer to some of them, one transaction. A promise of any form
 * that is kept counts. ERR_NOT_FOUND: an id that no form has. */
enum err outbox_promised (struct store *store, const struct promise *promise,
                          const struct promise_accepted *accepted, size_t count,
                          struct error *e) MUST_CHECK;
/* final: REFUSED, kept with its proof in `refusals`; otherwise the rule is
 * noted and the message waits again. */
enum err outbox_refused (struct store *store, const struct hash *id,
                         const struct refusal *refusal, bool final,
                         struct slice proof, struct error *e) MUST_CHECK;
/* USED-NUMBER named one of our own forms: that is our promise's place. */
enum err outbox_found (struct store *store, const struct hash *id,
                       int64_t sequence, const struct hash *leaf,
                       struct error *e) MUST_CHECK;
/* Its record arrived by a verified block: PROMISED or SENT becomes DONE (bodies
 * and forms go). In the caller's transaction. *contradiction: it was promised
 * at another place or leaf: evidence. */
enum err outbox_seen (struct store *store, const struct hash *id,
                      int64_t sequence, const struct hash *leaf,
                      bool *contradiction, struct error *e) MUST_CHECK;
/* All that is not promised moves to a new lane (a restored store, OLD-NUMBER):
 * new numbers, forms dropped. */
enum err outbox_move_lane (struct store *store, uint64_t lane, struct error *e)
    MUST_CHECK;
/* The highest promise held, for hello. false: none. */
bool outbox_highest_promise (struct store *store, int64_t epoch,
                             struct promise_proof *out);
/* Highest number signed in each lane of this store, for hello. */
size_t outbox_lanes (struct store *store, uint64_t *lanes, int64_t *highest,
                     size_t room);
/* Proofs for export: promises, then refusals. */
enum err outbox_proofs (struct store *store,
                        enum err (*promise) (void *arg,
                                             const struct promise_proof *,
                                             struct error *),
                        enum err (*refusal) (void *arg, struct slice proof,
                                             struct error *),
                        void *arg, struct error *e) MUST_CHECK;
/* Refused messages, newest last, as they are shown. */
enum err outbox_refusals (struct store *store, int64_t after, int64_t limit,
                          void (*each) (void *arg, int64_t number, int64_t ms,
                                        const struct hash *id,
                                        const char *topic,
                                        const struct refusal *refusal),
                          void *arg, struct error *e) MUST_CHECK;

#endif
