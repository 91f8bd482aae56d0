/* session - the desk's table of connections (PROTOCOL.md section 8.8).
 *
 * A connection is a routing id together with the User-Id that libzmq vouches
 * for; whoever shows the one with another's key is a new connection. Bounded:
 * by the roster's `connections` for each delegation, the quietest goes first.
 * One owner, not thread-safe. */
#ifndef PARLEY_SESSION_H
#define PARLEY_SESSION_H

#include "identity/roster.h"
#include "job.h"

#include <stdatomic.h>

/* Octets of frames that libzmq still holds for a connection, and for all of its
 * delegation's: a session may be dropped while its connection stays, and come
 * back as a new one. Counted, since frames outlive sessions; thread-safe. */
#define FLIGHT_MAX 16777216 /* of a connection; then no more is read for it */
#define FLIGHT_ALL_MAX 67108864 /* of a delegation */
struct flight {
    atomic_int references;
    atomic_llong octets;
    struct flight *all; /* the delegation's, a reference; NULL: this is one */
};
void flight_unref (struct flight **self_p);
/* Octets that go out: a reference, which flight_land gives back. */
void flight_start (struct flight *self, long long octets);
void flight_land (struct flight **self_p, long long octets);
bool flight_over (const struct flight *self);

struct session {
    uint64_t number; /* never used again */
    uint8_t peer[PEER_MAX];
    size_t peer_size;
    char user[41]; /* Z85 of the link key */
    char delegation[DELEGATION_MAX + 1];
    bool hello; /* said, in this run */
    int outstanding;
    int64_t last_ms; /* monotonic, of the last request */
    int malformed;   /* in the minute that began at malformed_ms */
    int64_t malformed_ms;
    struct flight *flight; /* owned reference */
};

struct session_table;
struct session_table *session_table_new (void) MUST_CHECK;
void session_table_destroy (struct session_table **self_p);

/* The session of this peer, made where there is none. `limit` as in the
 * roster. */
struct session *session_get (struct session_table *self, const void *peer,
                             size_t peer_size, const char *user,
                             const char *delegation, int64_t limit,
                             int64_t now_ms);
/* By number; NULL where it is gone. */
struct session *session_find (struct session_table *self, uint64_t number);
void session_drop (struct session_table *self, struct session *session);
/* One more unanswered request, counted over all connections of the delegation;
 * false: `limit` are already. */
bool session_credit_take (struct session_table *self, struct session *session,
                          int64_t limit) MUST_CHECK;
/* It was answered. The session, or NULL where it is gone: the routing id may be
 * another's by now, and the reply goes nowhere. */
struct session *session_credit_give (struct session_table *self,
                                     uint64_t number, const char *delegation);
/* One more request that only reads is in hand, counted over all connections of
 * the delegation, and over all. false: `most` are already, or `all`. */
bool session_read_take (struct session_table *self,
                        const struct session *session, size_t most, size_t all)
    MUST_CHECK;
/* It was answered, or went nowhere. */
void session_read_give (struct session_table *self, const char *delegation);
/* One more malformed request. true: too many in a minute, cut it off. */
#define SESSION_MALFORMED_MAX 10
bool session_malformed (struct session *session, int64_t now_ms);
/* One more hello of the delegation, each of which costs two signatures. false:
 * too many in a minute. */
#define SESSION_HELLOS_MAX 600
bool session_hello (struct session_table *self, const struct session *session,
                    int64_t now_ms) MUST_CHECK;
size_t session_count (const struct session_table *self);

/* What a delegation may publish in the minute: messages and octets, over all
 * its connections; a bucket that drains with the limit's speed. true: within
 * the limits, and counted. Otherwise *what, *limit and *wait_ms say which. A
 * batch above the limit by itself passes when the bucket is empty. */
bool session_rate (struct session_table *self, const char *delegation,
                   const struct roster_limits *limits, int64_t messages,
                   int64_t octets, int64_t now_ms, const char **what,
                   int64_t *limit, int64_t *wait_ms);

#endif
