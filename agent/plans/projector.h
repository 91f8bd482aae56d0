/* projector - keeps the model of plans, and beside it the threads, at what the
 * store holds: a thread that reads new records, judges our rights to them, and
 * derives.
 *
 * Starts with a replay of all records about plans (store/records.h keeps an
 * index of them), so that nothing derived is ever on the disk but the text index
 * of search.h. A roster that takes or gives the right to read a channel makes it
 * forget or read that channel. Answers withdrawals (CONTENTS.md section 3) by
 * the outbox when they are settled. */
#ifndef PARLEY_PROJECTOR_H
#define PARLEY_PROJECTOR_H

#include "model.h"
#include "threads/acks.h"
#include "threads/threads.h"

struct projector;
struct link;

struct projector_options {
    const char *store; /* path; borrowed, as all here */
    const char *delegation;
    const struct hash *dialogue;
    struct link *link; /* NULL: none, as in tests: rosters by the store */
    /* What this body's policy lets its agent say of others' messages (THREADS.md
     * section 10). ACK_NONE: nothing. Of ACK_SEEN too: that they are verified
     * first. */
    enum ack_state acknowledge;
    /* After each change, from its thread; must not block. */
    void (*changed) (void *arg);
    void *arg;
};
struct projector *projector_new (const struct projector_options *options,
                                 struct error *e) MUST_CHECK;
void projector_destroy (struct projector **self_p); /* ends the thread */
/* New records, roster, read marks (store/read_marks.h); any thread. */
void projector_wake (struct projector *self);

/* The model, to read, until released: short, since its writer waits, and with it
 * all that want to read. Any thread. Until the first replay is done, waits for it
 * up to `wait_ms`: NULL. */
const struct model *projector_read (struct projector *self, int64_t wait_ms);
void projector_release (struct projector *self);
/* The same for who takes long: nobody else waits for it but the writer, which goes
 * first, and others of these: one at a time. */
const struct model *projector_read_long (struct projector *self,
                                         int64_t wait_ms);
void projector_release_long (struct projector *self);

/* Now: the log time of the newest mark held (0: none), and its sequence. Drafts'
 * and people's own clocks are not asked. */
int64_t projector_now (struct projector *self, int64_t *mark);
/* Likewise of the newest mark held behind which the ledger is settled: what
 * threads' deadlines go by. Streams may lack records below it (status: mark). */
int64_t projector_settled (struct projector *self, int64_t *mark);
/* The threads and acknowledgements beside the model that was given out, until it
 * is released. */
const struct threads *projector_threads (struct projector *self);
const struct acks *projector_acks (struct projector *self);

/* For status: digests at the newest mark up to which all streams are held, made
 * when asked, kept until the next; the thread makes them while others read, so
 * that who asks waits a moment. Where plans change all the time they are of the
 * mark before for a while (`mark` says so). false: none yet. */
struct projector_status {
    int64_t mark, mark_ms;
    int64_t position; /* records of the store that were looked at */
    size_t plans, withdrawn, quarantined, newer;
    size_t threads, threads_quarantined, threads_newer;
    size_t threads_open; /* at the settled mark, as projector_settled */
    int64_t settled, settled_ms;
    int64_t taxonomy_version;
    int64_t replay_ms; /* that the first replay took */
    struct model_digests digests;
    struct threads_digests threads_digests;
};
bool projector_status (struct projector *self, struct projector_status *out);

/* Full text over what we may read now, by a handle of the caller's: plans that
 * are there, annexes, reports, messages that are text (search.h). Hits from
 * `offset` on, at most `limit`, best first; *more: there are others behind. What
 * came or changed a moment ago may not be found yet. Errors: search_find's;
 * ERR_STATE: nothing is derived yet. */
struct search_query;
struct search_hit;
struct store;
enum err projector_search (struct projector *self, struct store *store,
                           const struct search_query *query, size_t offset,
                           size_t limit,
                           void (*each) (void *arg, const struct search_hit *),
                           void *arg, bool *more, struct error *e) MUST_CHECK;

#endif
