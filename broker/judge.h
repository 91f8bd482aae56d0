/* judge - may this message be recorded, here and now? (PROTOCOL.md sections
 * 5.4, 5.5, 6.4, 6.5, 9.3; DESIGN section 7, "Judged at commit")
 *
 * Pure: rosters, counters and a message give a verdict; nothing is changed.
 * Called in order, in one thread. */
#ifndef PARLEY_JUDGE_H
#define PARLEY_JUDGE_H

#include "counters.h"
#include "job.h"

/* The last answer to "still the same readers?", which takes long and is asked
 * for each message of a batch. */
struct judge_memo {
    const struct roster *older, *now; /* NULL: none yet */
    char channel[CHANNEL_MAX + 1];
    bool removed_only, same;
};

struct judge {
    const struct hash *dialogue;
    const struct roster *roster; /* in force at the record's place */
    const struct counters *counters;
    int64_t log_time; /* that the record will have */
    /* A roster of an older version, for the question whether its readers are
     * still the same; NULL: no such version. Borrowed. */
    const struct roster *(*older) (void *arg, int64_t version);
    void *arg;
    struct judge_memo *memo; /* the caller's, for one thread; may be NULL */
};

/* The whole batch, before its messages, unless intake refused it: connection
 * against author and via, keys valid now, signatures (only where intake did not
 * verify under the same key). 0, or the refusal of all in *why. */
enum err judge_batch (const struct judge *self, const struct job *job,
                      struct refusal *why) MUST_CHECK;

enum judgement {
    JUDGE_RECORD, /* record it */
    JUDGE_SEEN,   /* its number is used: *sequence says by which record; the
                     caller compares ids and promises again or refuses with
                     USED-NUMBER */
    JUDGE_REFUSE, /* *why */
};
/* The number first, then all else: what intake found, a roster to come, rights,
 * roster version, topics, lanes. */
enum judgement judge_message (const struct judge *self, const struct job *job,
                              size_t index, int64_t *sequence,
                              struct refusal *why) MUST_CHECK;
/* The same for a message of a batch that is refused as a whole with `all`, or
 * while nothing is taken: what is recorded already is never signed as refused
 * (JUDGE_SEEN; another id is refused with `all`), and a key that we don't know
 * may be one of a roster to come (ROSTER-AHEAD). */
enum judgement judge_refused (const struct judge *self, const struct job *job,
                              size_t index, const struct refusal *all,
                              int64_t *sequence, struct refusal *why)
    MUST_CHECK;

#endif
