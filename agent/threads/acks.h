/* acks - which delegations said that they verified, or saw, a message (THREADS.md
 * section 10): delivery states that their bodies' policy lets them give.
 *
 * A function of the set of records that were added. One writer. */
#ifndef PARLEY_ACKS_H
#define PARLEY_ACKS_H

#include "plans/subject.h"

enum ack_state { ACK_NONE, ACK_VERIFIED, ACK_SEEN };
const char *ack_state_name (enum ack_state state); /* "verified", "seen" */
bool ack_state_read (struct slice word, enum ack_state *out);

#define ACKS_MAX 256 /* in one message */

/* Is its second level "ack"? */
bool ack_topic (struct slice topic);
struct ack_place {
    char channel[CHANNEL_MAX + 1], entity[ENTITY_MAX + 1];
};
/* false: faults at pointer "". `author_entity` NULL: not asked. */
bool ack_place_read (struct slice topic, const char *author_entity,
                     struct ack_place *out, struct faults *faults) MUST_CHECK;

struct ack {
    struct hash message;
    enum ack_state state;
};
struct ack_list { /* zeroed is empty; freed by ack_list_free */
    size_t count;
    struct ack *at;
};
/* One body. false: *faults says why, or *newer. */
bool acks_read (const struct json_t *document, struct ack_list *out,
                struct faults *faults, bool *newer) MUST_CHECK;
void ack_list_free (struct ack_list *self);
/* The body that says so: the caller's. */
struct json_t *acks_write (const struct ack *at, size_t count) MUST_CHECK;

struct acks;
struct acks *acks_new (void) MUST_CHECK;
void acks_destroy (struct acks **self_p);
/* What a delegation said on a channel; the same record again is passed over. */
void acks_add (struct acks *self, const struct origin *origin,
               const struct ack_list *list);
void acks_forget (struct acks *self, const char *channel);
void acks_cut (struct acks *self, int64_t from);
/* After some were added, before anybody asks. */
void acks_settle (struct acks *self);
/* Of a message on a channel, by delegation's name: state, and the record that
 * first said it. Names live until the next acks_destroy. Returns how many were
 * put into `out`. */
struct ack_by {
    const char *delegation;
    enum ack_state state;
    int64_t sequence;
};
size_t acks_of (const struct acks *self, const struct hash *message,
                const char *channel, struct ack_by *out, size_t room);
/* What that delegation said of it. */
enum ack_state acks_by (const struct acks *self, const struct hash *message,
                        const char *channel, const char *delegation);
size_t acks_count (const struct acks *self); /* messages that have some */

#endif
