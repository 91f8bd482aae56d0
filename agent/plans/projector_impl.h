/* projector_impl - what the files projector*.c share, and nobody else. */
#ifndef PARLEY_PROJECTOR_IMPL_H
#define PARLEY_PROJECTOR_IMPL_H

#include "projector.h"

#include "identity/roster_chain.h"
#include "store/epoch.h"
#include "store/records.h"
#include "threads/acks.h"
#include "threads/threads.h"

#include <pthread.h>
#include <time.h>

/* Our right to what was recorded on a channel under a roster: asked again when
 * the present roster or the time is another one. */
struct judged {
    char channel[CHANNEL_MAX + 1];
    int64_t version; /* of the roster in force there; -1: not known */
    bool readable;
    bool taken; /* it was, and what it let us read is forgotten */
};

struct projector {
    struct projector_options options;
    pthread_t thread;
    /* Over what follows; never held while something waits. */
    pthread_mutex_t mutex;
    pthread_cond_t woken_cond, ready_cond;
    bool woken, stop, ready;
    bool long_reader, writer_waits; /* see projector_read_long */
    pthread_cond_t turn_cond;
    /* Digests at a mark; -1: none. `digest_turns` counts looks at what was
     * wanted. */
    bool digest_wanted;
    int64_t digest_mark, digest_mark_ms, digest_turns;
    int64_t digest_made_ms, digest_asked_ms; /* monotonic */
    struct model_digests digests;
    struct threads_digests threads_digests;
    pthread_cond_t digest_cond;
    int64_t now_ms, now_mark;    /* of the newest mark held */
    int64_t mark, mark_ms;       /* up to which all is held and derived; -1 */
    int64_t settled, settled_ms; /* the newest mark that is settled; -1 */
    int64_t position, replay_ms;
    /* Over what is derived, the rosters and `loader`: readers may read what is
     * derived, who writes has all three. */
    pthread_rwlock_t lock;
    struct derived *derived; /* with the next three */
    struct model *model;
    struct threads *threads;
    struct acks *acks;
    struct roster_chain *chain;
    struct store *loader; /* bodies of older revisions */
    /* The thread's own. */
    struct store *store, *writer; /* writer: NULL until something is said */
    struct store_basis basis;
    struct roster *present; /* the roster in force now */
    struct judged *judged;
    size_t judged_count;
    int64_t judged_ms; /* monotonic */
    int64_t answered_generation, answered_settled;
    int64_t closed_mark;   /* threads were looked at then; -1 */
    struct acking *acking; /* NULL: nothing is acknowledged */
    /* projector_alarms.c: the mark at which it looked, -1; and what it told. */
    int64_t alarms_mark, *alarmed;
    size_t alarmed_count;
    /* projector_search.c: position that the text index got to (-1: not asked
     * yet), that it noted, and what it rests on. */
    int64_t searched, searched_kept, searched_basis;
    bool texts_stale; /* messages' bodies may be others: with `lock` */
    int64_t searched_generation;
    bool searched_checked; /* it fits together, since the start */
    bool search_damaged;   /* a search found it so: with `mutex` */
    int64_t search_mended; /* how often it was written anew: with `mutex` */
};

/* On the monotonic clock. */
struct timespec projector_time_in (int64_t ms);

/* The lock, for writing: the thread alone. */
void projector_write (struct projector *self);
void projector_written (struct projector *self);

/* projector_status.c, on the thread */

/* Has somebody asked lately for digests that are not those of this mark? */
bool projector_digest_due (struct projector *self, int64_t mark);
/* Make them, if they are due; the model is at the mark, or beyond it. */
void projector_digest (struct projector *self, int64_t mark, int64_t mark_ms);
/* Those that were made are void: of a record below their mark, or of all. */
void projector_digest_void (struct projector *self, int64_t sequence);

/* projector_records.c, on the thread */

/* The roster chain and the present roster as the store and link have them; true:
 * what was derived is void. With the lock held for writing. */
bool projector_rosters (struct projector *self);
/* Have our rights to what was read changed? Channels of a right that was taken
 * are forgotten at once; what may still be read of them a replay brings back.
 * With the lock held for writing. */
bool projector_rights_changed (struct projector *self);
bool projector_may_read (struct projector *self, const struct record_row *row);
/* Now, under the present roster, which is there. */
bool projector_may_write (const struct projector *self, const char *channel);
/* The body of a row as JSON: the caller's; or NULL and *why (a literal or
 * borrowed from *e), *absent. */
struct json_t *projector_body (const struct record_row *row, const char **why,
                               bool *absent, struct error *e);
void projector_origin (const struct record_row *row, struct origin *out);
struct json_t *projector_load (void *arg, const struct origin *origin);
struct json_t *projector_load_by (struct store *store,
                                  const struct origin *origin);
/* self->writer is there, or why not. */
enum err projector_writer (struct projector *self, struct error *e) MUST_CHECK;
const struct roster *projector_roster_at (void *arg, int64_t sequence);

/* projector_portion.c */

/* What is derived of the same records. */
struct derived {
    struct projector *projector;
    struct model *model;
    struct threads *threads;
    struct acks *acks;
    int64_t taxonomy_turns;
};
/* A fresh one: what changed before is not told by it, its generations go on where
 * the projector's present one ended. */
struct derived *derived_new (struct projector *projector) MUST_CHECK;
void derived_destroy (struct derived **self_p);
void derived_settle (struct derived *self);
/* How many subjects and threads have a record at or above the mark. */
size_t derived_beyond (const struct derived *self, int64_t mark);

struct portion;
struct portion *portion_new (void) MUST_CHECK;
void portion_destroy (struct portion **self_p);
void portion_take (struct portion *self, const struct record_row *row);
bool portion_full (const struct portion *self);
size_t portion_count (const struct portion *self);
int64_t portion_sequence (const struct portion *self, size_t n);
void portion_add (const struct portion *self, size_t n,
                  struct derived *derived);
void portion_clear (struct portion *self);

/* projector_close.c: close what is past its end and ours to close. */
void projector_close_due (struct projector *self);

/* projector_alarms.c: tell of closes that are false; true: of some. */
bool projector_alarms (struct projector *self);

/* projector_acks.c: what is acknowledged of others' messages, and written. */
struct acking *acking_new (void) MUST_CHECK;
void acking_destroy (struct acking **self_p);
/* A record that was read, and may be; all of them come again after a replay. */
void acking_take (struct projector *self, const struct record_row *row);
void acking_forget (struct projector *self);
/* Says what is due. Returns in how many ms it wants to look again. */
int64_t acking_turn (struct projector *self);

/* projector_answer.c: say of settled withdrawals that they are hidden here. */
void projector_answer (struct projector *self);
/* Size up to which the ledger is settled; -1. */
int64_t projector_settled_size (struct projector *self);

/* projector_search.c: a portion of what is new goes into the text index; true:
 * there is more. */
bool projector_search_update (struct projector *self);

#endif
