/* feed_watch - who subscribes to what. */
#include "feed_watch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/sock.h"
#include "cut.h"

#include <stdlib.h>
#include <zmq.h>

#define GENERATIONS 16 /* of the past, kept */
#define READ_MOST 256  /* messages, then frames go out again */
#define MINUTE_MS 60000
#define USER_OCTETS 40 /* Z85 of a key */
/* At most 1,024 link keys of delegations and 64 proxies at a time: a table that
 * is never full, of those seen in this minute. */
#define USERS 4096
#define USERS_MOST (USERS / 2)

/* What one User-Id subscribed to in the minute that began at `since_ms`. When
 * its connections begin and end, libzmq does not say. */
struct subscriber {
    char user[USER_OCTETS + 1]; /* "": a free place */
    int count;
    int64_t since_ms;
};

struct feed_watch {
    struct state *state; /* borrowed */
    struct gate *gate;   /* borrowed */
    uint16_t port;
    struct roster *roster; /* owned, as all of these */
    struct tags *tags;
    struct tags *old[GENERATIONS]; /* a ring; NULL where none is yet */
    size_t next_old;
    struct subscriber *users; /* open addressing */
    size_t user_count;
};

struct feed_watch *feed_watch_new (struct state *state, struct gate *gate,
                                   uint16_t port) {
    struct feed_watch *self = mem_alloc (sizeof *self);
    self->state = state;
    self->gate = gate;
    self->port = port;
    self->users = mem_alloc (USERS * sizeof *self->users);
    return self;
}

void feed_watch_destroy (struct feed_watch **self_p) {
    if (!self_p || !*self_p)
        return;
    struct feed_watch *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i < GENERATIONS; i++)
        tags_unref (&self->old[i]);
    tags_unref (&self->tags);
    roster_unref (&self->roster);
    free (self->users);
    free (self);
}

void feed_watch_renew (struct feed_watch *self, struct tags *tags,
                       struct roster *roster) {
    tags_unref (&self->old[self->next_old]);
    self->old[self->next_old] = self->tags;
    self->next_old = (self->next_old + 1) % GENERATIONS;
    self->tags = tags;
    roster_unref (&self->roster);
    self->roster = roster;
}

/* Counting */

static void forget_all (struct feed_watch *self) {
    memset (self->users, 0, USERS * sizeof *self->users);
    self->user_count = 0;
}

static struct subscriber *subscriber_of (struct feed_watch *self,
                                         const char *user) {
    if (self->user_count == USERS_MOST) /* keys of many rosters: begin anew */
        forget_all (self);
    size_t at = (size_t) hash_xxh3 (slice_text (user), 0);
    struct subscriber *s = &self->users[at % USERS];
    while (s->count > 0 && strcmp (s->user, user) != 0)
        s = &self->users[++at % USERS];
    if (s->count == 0) {
        memcpy (s->user, user, USER_OCTETS);
        self->user_count++;
    }
    return s;
}

static bool too_many (struct feed_watch *self, const char *user,
                      int64_t now_ms) {
    struct subscriber *s = subscriber_of (self, user);
    if (s->count == 0 || now_ms - s->since_ms >= MINUTE_MS) {
        s->count = 0;
        s->since_ms = now_ms;
    }
    if (s->count <= WATCH_SUBSCRIPTIONS_MAX)
        s->count++;
    return s->count > WATCH_SUBSCRIPTIONS_MAX;
}

/* Judging */

static bool is_old (const struct feed_watch *self, const uint8_t *tag) {
    for (size_t i = 0; i < GENERATIONS; i++)
        if (self->old[i] && tags_of_tag (self->old[i], tag) >= 0)
            return true;
    return false;
}

static bool is_own (const struct feed_watch *self, const uint8_t *key,
                    struct slice prefix) {
    /* A proxy takes whatever its own subscribers want: it has no keys. */
    if (roster_proxy_by_link (self->roster, key))
        return prefix.size <= TAG_SIZE;
    if (prefix.size != TAG_SIZE)
        return false;
    int set, n = tags_of_tag (self->tags, prefix.data);
    if (n < 0)
        return is_old (self, prefix.data);
    const struct roster_delegation *d =
        roster_by_link (self->roster, key, &set);
    return d
           && tags_allowed (self->tags, (size_t) n, slice_text (d->name),
                            clock_wall_ms());
}

bool feed_watch_judge (struct feed_watch *self, const char *user,
                       struct slice prefix, int64_t now_ms) {
    uint8_t key[KEY_SIZE];
    return strlen (user) == USER_OCTETS && zmq_z85_decode (key, user)
           && !too_many (self, user, now_ms) && is_own (self, key, prefix);
}

static void punish (struct feed_watch *self, const char *user,
                    const zmq_msg_t *message) {
    gate_refuse (self->gate, SOCK_ZAP_FEED, user, WATCH_REFUSED_MS);
    bool cut = cut_connection (message, self->port);
    atomic_fetch_add (&state_counts (self->state)->cut_off, 1);
    log_limited (LOG_WARN, "FEED-CUT", user,
                 "key=%s octets=%zu shut=%d why=\"subscribed to what is not its"
                 " own, or too often\"",
                 log_text (user), zmq_msg_size (message), cut);
}

/* The first octet: 1 subscribes, 0 takes back. A message of a peer that left
 * has no User-Id; neither has it an effect any more. */
static void message_judge (struct feed_watch *self, zmq_msg_t *message) {
    struct slice octets =
        slice_of (zmq_msg_data (message), zmq_msg_size (message));
    const char *user = zmq_msg_gets (message, "User-Id");
    if (octets.size == 0 || octets.data[0] != 1 || !user)
        return;
    struct slice prefix = slice_of (octets.data + 1, octets.size - 1);
    if (!feed_watch_judge (self, user, prefix, clock_mono_ms()))
        punish (self, user, message);
}

void feed_watch_read (struct feed_watch *self, void *socket) {
    zmq_msg_t message;
    zmq_msg_init (&message);
    for (int i = 0;
         i < READ_MOST && zmq_msg_recv (&message, socket, ZMQ_DONTWAIT) >= 0;
         i++)
        message_judge (self, &message);
    zmq_msg_close (&message);
}
