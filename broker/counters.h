/* counters - all that the next record's fields depend on: the state that
 * commit keeps, snapshots, and gets back by replay (DESIGN section 7).
 * One owner; commit's thread after the start. */
#ifndef PARLEY_COUNTERS_H
#define PARLEY_COUNTERS_H

#include "identity/roster_chain.h"
#include "lanes.h"
#include "ledger/journal.h"

#define COUNTERS_TOPICS_MAX                                                    \
    65536 /* a channel; all that an entity opened on ad-hoc ones */

struct counters {
    int64_t next_sequence;
    int64_t log_time; /* of the last record; 0 before the first */
    int64_t epoch;
    int64_t roster_sequence; /* of the roster in force; -1 before the first */
    struct lanes *lanes;     /* owned */
    struct roster_chain *chain;     /* owned until counters_take_chain */
    struct counters_tables *tables; /* private: channels, topics */
};

struct counters *counters_new (void) MUST_CHECK;
void counters_destroy (struct counters **self_p);
/* The chain as replay found it, for state_new; the counters keep none. */
struct roster_chain *counters_take_chain (struct counters *self);

/* The number that the next record of this channel has. */
int64_t counters_channel_next (const struct counters *self,
                               struct slice channel);
/* Last sequence on a topic, -1: none. *full: the channel has its 65,536 topics
 * and this is not one of them. */
int64_t counters_topic_last (const struct counters *self, struct slice topic,
                             bool *full);
/* Has the author's entity opened so many topics on ad-hoc channels, all together,
 * that one more is not for it? Entities can name each other in more channels
 * than anybody could hold the topics of. */
bool counters_opener_full (const struct counters *self, struct slice author);
/* Count a record as recorded (record->sequence must be next_sequence). */
void counters_take (struct counters *self, const struct record *record,
                    const struct message *message /* or NULL */);

/* What journal_open wants; `arg` is a struct counters. A replayed roster's note
 * is read from the block's body and must follow the chain; a snapshot holds the
 * notes of all rosters. */
struct journal_replay counters_replay (struct counters *self);
void counters_snapshot (const struct counters *self,
                        const struct roster_chain *chain, struct buf *out);

#endif
