/* feed_watch - who subscribes to what, and what happens to those who subscribe
 * to what is not theirs (PROTOCOL.md section 8.7). Of the feed's thread. */
#ifndef PARLEY_FEED_WATCH_H
#define PARLEY_FEED_WATCH_H

#include "gate.h"

#define WATCH_SUBSCRIPTIONS_MAX 1024 /* of one User-Id in a minute */
#define WATCH_REFUSED_MS 60000

struct feed_watch;
/* Borrows state and gate. `port` is the feed's own. */
struct feed_watch *feed_watch_new (struct state *state, struct gate *gate,
                                   uint16_t port) MUST_CHECK;
void feed_watch_destroy (struct feed_watch **self_p);

/* A generation and the roster it was made of; takes both references. The 16
 * before it are remembered: a subscriber may not have heard of the new one. */
void feed_watch_renew (struct feed_watch *self, struct tags *tags,
                       struct roster *roster);

/* Is a subscription of this User-Id to this prefix in order at `now_ms`
 * (monotonic)? Counts it. */
bool feed_watch_judge (struct feed_watch *self, const char *user,
                       struct slice prefix, int64_t now_ms);

/* Read what waits at the XPUB, some hundreds at most; punish. */
void feed_watch_read (struct feed_watch *self, void *socket);

#endif
