/* thread_impl - how a thread is put together: what threads*.c use of thread*.c,
 * and nobody else. */
#ifndef PARLEY_THREAD_IMPL_H
#define PARLEY_THREAD_IMPL_H

#include "threads.h"

#include "identity/roster.h"

/* What is kept of a record. */
struct utterance {
    struct thread_entry is;  /* first: handed out as that */
    bool judged;             /* what its body says is known */
    bool checked;            /* and its signature */
    struct json_t *document; /* until it is judged: the body; or NULL */
    char *why;               /* and why there is none */
    struct say *say; /* also where other records refuse it, and `is` has none */
    char *unsigned_; /* its signature is none, and why */
    struct taxonomy *taxonomy; /* that a proposal was read by */
    char *topic;               /* where it names no place; else NULL */
};
static inline struct utterance *utterance_of (const struct thread_entry *is) {
    return (struct utterance *) (uintptr_t) is;
}
struct utterance *utterance_new (const struct threads_record *record,
                                 const char *why) MUST_CHECK;
void utterance_free (struct utterance **self_p);
/* Is it listed as one that breaks a rule, or is newer? */
bool utterance_quarantined (const struct thread_entry *is);

/* Read its body, once. */
void utterance_judge (struct utterance *self, const struct thread_place *place,
                      const struct threads_options *options);
/* Another record shows that it breaks a rule. `absent`: nobody's fault. */
void utterance_refuse (struct utterance *self, bool absent, const char *format,
                       ...) PRINTF_LIKE (3, 4);
/* What was found by other records is found anew. */
void utterance_restore (struct utterance *self);

/* Sorted by sequence. */
struct utterances {
    struct thread_entry **at;
    size_t count, room;
};
/* false: that one is there. */
bool utterances_add (struct utterances *self, struct utterance *utterance)
    MUST_CHECK;
/* How many are below. */
size_t utterances_below (const struct utterances *self, int64_t sequence);
/* Frees those of the channel, or at and above `from`; returns how many. */
size_t utterances_drop (struct utterances *self, const char *channel,
                        int64_t from);
void utterances_clear (struct utterances *self);

/* A thread with what it is made of, and what threads*.c note of it. */
struct thread_work {
    struct thread is; /* first */
    char *topic;
    struct utterances utterances;
    /* Derived; `is` shows them. */
    struct thread_version *versions;
    struct thread_party *parties; /* of all versions, one behind the other */
    struct thread_stance *stances;
    struct thread_close *closes;
    size_t *by_id;     /* versions by their ids */
    struct hash *held; /* ids of all entries, sorted; NULL: nobody asked yet */
    bool blind;        /* some roster is not known yet */
    bool dirty;
    int64_t came; /* sequence of the record that came last */
    size_t bad;   /* quarantined ones */
    /* threads_find.c: under what it is found now. */
    int64_t first, edition;
    uint64_t found_by; /* what that was made of */
    struct shelf **shelves;
    size_t shelf_count, shelf_room;
    /* threads_digest.c */
    uint64_t digest_of;
    bool has_digest;
    struct hash digest;
};
struct thread_work *thread_work_new (const struct thread_place *place,
                                     const char *topic) MUST_CHECK;
void thread_work_free (struct thread_work **self_p);
static inline struct thread_work *thread_work_of (const struct thread *is) {
    return (struct thread_work *) (uintptr_t) is;
}
/* Derive anew from the entries below `limit`. */
void thread_work_derive (struct thread_work *self, int64_t limit,
                         const struct threads_options *options);
/* Has another taxonomy come into force at the place of one of its proposals?
 * Those are judged again. */
bool thread_work_outdated (struct thread_work *self,
                           const struct threads_options *options);

/* thread.c */

/* Entries that are good and do that. */
size_t thread_count_of (const struct thread *self, enum thread_does does);
/* Takes stances from any body, not from who is invited. */
bool thread_is_open (const struct thread *self,
                     const struct thread_version *version);

/* Records are taken up one by one, by sequence: what is below is known then. */
struct deriving {
    struct thread_work *work;
    const struct threads_options *options;
    bool lacking; /* some record below has no body, or one that can't be read */
    /* The note of that version; SIZE_MAX: of none. */
    size_t text_of;
    struct buf text;
    /* Undertakings of all versions, sorted; NULL: nobody asked yet. */
    struct owed {
        const char *id, *who;
        size_t version;
    } * owed;
    size_t owed_count;
};
struct thread_version *deriving_version (const struct deriving *self,
                                         const struct hash *id, size_t *index);

/* thread_stances.c */

/* Room for the stances, and the parties of all versions. */
void parties_make (struct deriving *self);
struct thread_party *party_find (const struct thread_version *version,
                                 const char *entity);
/* The next stance, in its place. */
void stance_take (struct deriving *self, struct utterance *utterance);
/* Behind the last: delegations that disagree. */
void stances_compare (struct thread_work *self);
bool stance_counts (const struct thread *self,
                    const struct thread_version *version,
                    const struct thread_party *party);
void tally_make (const struct thread *self,
                 const struct thread_version *version, struct tally *out);

/* thread_closes.c */

/* Room for them. */
void closes_make (struct thread_work *self);
void close_take (struct deriving *self, struct utterance *utterance);

/* thread_state.c */
/* It has an outcome by time alone. */
bool version_past_end (const struct thread *self,
                       const struct thread_version *version, int64_t ms);

/* threads_find.c */

/* Threads by a word: an id, a series, a meeting, a plan. */
struct shelves;
struct shelves *shelves_new (void) MUST_CHECK;
void shelves_destroy (struct shelves **self_p);
/* Put it where it belongs now. Cheap where that is where it is. */
void shelves_put (struct shelves *self, struct thread_work *work);
void shelves_take (struct shelves *self, struct thread_work *work);

struct threads {
    struct threads_options options;
    int64_t limit;              /* records at and above it are not looked at */
    struct thread_work **works; /* by topic */
    size_t work_count, work_room;
    struct thread_work **dirty;
    size_t dirty_count, dirty_room;
    bool rejudge;            /* all that was judged by something else */
    struct utterances loose; /* whose topic names no place */
    bool loose_dirty;
    struct shelves *shelves;
    int64_t generation;
    struct threads_change *ring;
    size_t ring_count; /* ever put there */
    int64_t forgotten; /* the newest generation that the ring lost some of */
    int64_t highest;   /* sequence that was ever added */
    /* threads_digest.c: all entries; the first `sorted` of them by sequence. */
    const struct thread_entry **all;
    size_t all_count, all_room, sorted;
    int64_t records_mark; /* `records` is of those below; -1: of none */
    struct threads_digests records;
};
/* What is dirty, without counting it; false: nothing was. */
bool threads_derive (struct threads *self);
void threads_dirty (struct threads *self, struct thread_work *work);

#endif
