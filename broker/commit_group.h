/* commit_group - one commit group: judged, recorded, appended, promised
 * (DESIGN section 13). Of commit's thread.
 *
 * Records count as recorded from the moment they are judged: what comes behind
 * them in the group is judged by them. So a group whose write fails must end
 * the process. */
#ifndef PARLEY_COMMIT_GROUP_H
#define PARLEY_COMMIT_GROUP_H

#include "counters.h"
#include "feed.h"
#include "job.h"
#include "state.h"

#include <pthread.h>

#define GROUP_JOBS 64

struct group;

/* All borrowed. `chain` are the rosters in force until now; group_roster adds.
 * `lanes_lock` is held while lanes change. */
struct group *group_new (struct state *state, struct counters *counters,
                         struct roster_chain *chain,
                         pthread_mutex_t *lanes_lock) MUST_CHECK;
void group_destroy (struct group **self_p);

/* An empty one, for the roster in force. `log_time` is that of its records, and
 * of its promises. */
void group_begin (struct group *self, int64_t log_time);
/* The octets that a job may add to a group. */
size_t group_octets_of (struct job *job);

/* Judge a publish and record what may be: fills the job's accepted and refused.
 * `closed` (NULL: open) refuses all but what is recorded already. An error: our
 * own journal can't be read, end the process. */
enum err group_publish (struct group *self, struct job *job,
                        const struct refusal *closed, struct error *e)
    MUST_CHECK;
/* A mark, before any message of the group: what it says of the streams is what
 * the journal holds. An error: as of group_publish, nothing changed. */
enum err group_mark (struct group *self, struct error *e) MUST_CHECK;
/* The next roster and its mark, in a group without messages. ERR_CHAIN,
 * ERR_SIGNATURE, and the journal's: nothing changed. */
enum err group_roster (struct group *self, struct roster *roster,
                       struct error *e) MUST_CHECK;

size_t group_records (const struct group *self);
/* Everything in one write; nothing where there is no record. Then promise and
 * reply of each of its publishes, which nobody may see yet: signing them takes
 * no time of its own while the disk writes. Then the sync: durable, and all may
 * be sent. An error: end the process. */
enum err group_write (struct group *self, struct error *e) MUST_CHECK;
void group_answer (struct group *self, struct job *job);
enum err group_commit (struct group *self, struct error *e) MUST_CHECK;
/* Its blocks go to the feed (NULL: nowhere), and its leaf hashes behind them,
 * which ends the group. */
void group_feed (struct group *self, struct feed *feed);

#endif
