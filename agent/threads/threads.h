/* threads - all threads, by topic. A function of the set of records that were
 * added, and of the rights that the caller judged before. In memory; a replay
 * makes it again. One writer; readers share it as plans/projector.h says. */
#ifndef PARLEY_THREADS_H
#define PARLEY_THREADS_H

#include "thread.h"

struct threads;
struct roster;

struct threads_options {
    const struct hash *dialogue;
    const char *delegation; /* ours; borrowed */
    /* The roster in force at a place; borrowed; NULL: not known. */
    const struct roster *(*roster) (void *arg, int64_t sequence);
    /* The taxonomy in force at a place; borrowed. */
    const struct taxonomy *(*taxonomy) (void *arg, int64_t sequence);
    /* A record's body again, from the store: the caller's; NULL: damaged. */
    struct json_t *(*load) (void *arg, const struct origin *origin);
    void *arg;
    int64_t generation; /* of the first */
};
struct threads *threads_new (const struct threads_options *options) MUST_CHECK;
void threads_destroy (struct threads **self_p);

/* A record of one of section 1's topics, verified. `document`: its body, or NULL
 * with why; it is read at once. The same sequence again is passed over. */
struct threads_record {
    struct origin origin;
    struct slice topic, via; /* via: a delegation, or empty */
    int64_t author_time;
    struct json_t *document;
    const char *why;
    bool absent; /* it is nobody's fault that there is none */
};
void threads_add (struct threads *self, const struct threads_record *record);
/* After some were added, as many as there are: derives what they touched. */
void threads_settle (struct threads *self);
/* A taxonomy or a roster is known at some place that was not, or another one:
 * what was judged without it is judged anew when it is settled. */
void threads_rejudge (struct threads *self);
void threads_forget (struct threads *self, const char *channel);
void threads_cut (struct threads *self,
                  int64_t from); /* an epoch begins there */

int64_t threads_generation (const struct threads *self);
#define THREADS_CHANGES_MAX 1024
struct threads_change {
    int64_t generation, sequence;
    char topic[TOPIC_MAX + 1];
};
/* Those above `generation`, oldest first; false: some are no longer known. */
bool threads_changes (const struct threads *self, int64_t generation,
                      void (*each) (void *arg, const struct threads_change *),
                      void *arg);

/* All, by topic; also those of which nothing is good. */
size_t threads_count (const struct threads *self);
const struct thread *threads_at (const struct threads *self, size_t n);
const struct thread *threads_by_topic (const struct threads *self,
                                       struct slice topic); /* NULL */
/* By ID: the n-th of that id (several channels, kinds), by the sequence of their
 * first record; NULL. */
const struct thread *threads_find (const struct threads *self, const char *id,
                                   size_t n);
/* Editions of a series on a channel, by edition, then sequence. Returns how many
 * there are; fills up to `room`. */
size_t threads_series (const struct threads *self, const char *channel,
                       const char *series, const struct thread **out,
                       size_t room);
/* Communiques that are minutes of that meeting, by sequence. */
size_t threads_minutes (const struct threads *self,
                        const struct thread *meeting, const struct thread **out,
                        size_t room);
/* Threads about a plan (by itself, or a part of it), by topic. */
size_t threads_about (const struct threads *self, const char *plan_id,
                      const struct thread **out, size_t room);

/* Quarantined, and "needs a newer version": all, by sequence. */
size_t threads_quarantine (const struct threads *self,
                           void (*each) (void *arg, const struct thread_entry *,
                                         const char *topic),
                           void *arg);

/* The state below `mark` with the mark's time as now: SHA-256 over each thread's
 * (threads_digest.c says what). `records`: leaves of what it rests on. */
struct threads_digests {
    struct hash records, threads;
    size_t record_count;
};
void threads_digest (struct threads *self, int64_t mark, int64_t mark_ms,
                     struct threads_digests *out);
/* Threads with a record at or above the mark: where there is none, a digest
 * changes nothing that readers see. */
size_t threads_beyond (const struct threads *self, int64_t mark);
/* What a digest at that mark takes long for, ahead; readers see nothing of it. */
void threads_digest_prepare (struct threads *self, int64_t mark,
                             int64_t mark_ms);

#endif
