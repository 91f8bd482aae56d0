/* session - the desk's table of connections (PROTOCOL.md section 8.8).
 *
 * Sessions are found by their routing id, in a hash table with chains, and by
 * their number, which names their place. Beside them stands a seat for each
 * delegation: what its connections have in common. Seats stay: there are as
 * many as the rosters of this run had delegations. */
#include "session.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

#define MINUTE_MS 60000
#define PLACES_MAX 65536 /* 512 delegations of 64 connections are 32,768 */
#define BUCKETS 4096
#define NONE (-1)

struct seat {
    char delegation[DELEGATION_MAX + 1];
    int64_t connections, outstanding;
    size_t reads; /* in hand */
    /* What was published and is not a minute old, as a level that drains with
     * the limit's speed. */
    double messages, octets;
    int64_t drained_ms;
    struct flight *flight; /* owned reference */
    int hellos;            /* in the minute that began at hellos_ms */
    int64_t hellos_ms;
};

struct place {
    struct session session; /* first: a session's address is its place's */
    bool used;
    int next; /* in its bucket; or of the free ones */
    size_t seat;
};

struct session_table {
    struct place **places; /* owned; sessions keep their addresses */
    size_t place_count;
    int free;
    int buckets[BUCKETS];
    size_t count;
    size_t reads; /* of all seats */
    uint64_t made;
    uint64_t seed;
    struct seat *seats; /* owned */
    size_t seat_count, seat_room;
};

struct session_table *session_table_new (void) {
    struct session_table *self = mem_alloc (sizeof *self);
    self->free = NONE;
    for (size_t i = 0; i < BUCKETS; i++)
        self->buckets[i] = NONE;
    /* Routing ids are a peer's choice: the address decides the order here. */
    self->seed = (uint64_t) (uintptr_t) self ^ UINT64_C (0x9e3779b97f4a7c15);
    return self;
}

void session_table_destroy (struct session_table **self_p) {
    if (!self_p || !*self_p)
        return;
    struct session_table *self = *self_p;
    for (size_t i = 0; i < self->place_count; i++) {
        flight_unref (&self->places[i]->session.flight);
        free (self->places[i]);
    }
    for (size_t i = 0; i < self->seat_count; i++)
        flight_unref (&self->seats[i].flight);
    free (self->places);
    free (self->seats);
    free (self);
    *self_p = NULL;
}

/* Flights */

/* `all` may be NULL. */
static struct flight *flight_new (struct flight *all) {
    struct flight *self = mem_alloc (sizeof *self);
    atomic_init (&self->references, 1);
    self->all = all;
    if (all)
        atomic_fetch_add (&all->references, 1);
    return self;
}

void flight_unref (struct flight **self_p) {
    struct flight *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub (&self->references, 1) > 1)
        return;
    flight_unref (&self->all);
    free (self);
}

void flight_start (struct flight *self, long long octets) {
    atomic_fetch_add (&self->references, 1);
    atomic_fetch_add (&self->octets, octets);
    atomic_fetch_add (&self->all->octets, octets);
}

void flight_land (struct flight **self_p, long long octets) {
    atomic_fetch_sub (&(*self_p)->octets, octets);
    atomic_fetch_sub (&(*self_p)->all->octets, octets);
    flight_unref (self_p);
}

bool flight_over (const struct flight *self) {
    return atomic_load (&self->octets) > FLIGHT_MAX
           || atomic_load (&self->all->octets) > FLIGHT_ALL_MAX;
}

/* Seats */

static size_t seat_of (struct session_table *self, const char *delegation) {
    for (size_t i = 0; i < self->seat_count; i++)
        if (strcmp (self->seats[i].delegation, delegation) == 0)
            return i;
    if (self->seat_count == self->seat_room) {
        self->seat_room = self->seat_room ? 2 * self->seat_room : 16;
        self->seats =
            mem_resize (self->seats, self->seat_room * sizeof *self->seats);
    }
    struct seat *seat = &self->seats[self->seat_count];
    *seat = (struct seat){ 0 };
    assert (strlen (delegation) <= DELEGATION_MAX);
    strcpy (seat->delegation, delegation);
    seat->flight = flight_new (NULL);
    return self->seat_count++;
}

/* Places */

static int *bucket_of (struct session_table *self, struct slice peer) {
    return &self->buckets[hash_xxh3 (peer, self->seed) % BUCKETS];
}

static struct session *find_peer (struct session_table *self,
                                  struct slice peer) {
    int at = *bucket_of (self, peer);
    while (at != NONE) {
        struct session *s = &self->places[at]->session;
        if (slice_equal (slice_of (s->peer, s->peer_size), peer))
            return s;
        at = self->places[at]->next;
    }
    return NULL;
}

static size_t place_number (const struct session *session) {
    return (size_t) (session->number % PLACES_MAX);
}

struct session *session_find (struct session_table *self, uint64_t number) {
    size_t at = (size_t) (number % PLACES_MAX);
    if (at >= self->place_count || !self->places[at]->used
        || self->places[at]->session.number != number)
        return NULL;
    return &self->places[at]->session;
}

void session_drop (struct session_table *self, struct session *session) {
    int at = (int) place_number (session);
    struct place *place = self->places[at];
    assert (&place->session == session && place->used);
    int *link = bucket_of (self, slice_of (session->peer, session->peer_size));
    while (*link != at)
        link = &self->places[*link]->next;
    *link = place->next;
    place->used = false;
    flight_unref (&session->flight);
    place->next = self->free;
    self->free = at;
    self->seats[place->seat].connections--;
    self->count--;
}

#define ANY_SEAT SIZE_MAX

static void drop_quietest (struct session_table *self, size_t seat) {
    struct session *quietest = NULL;
    for (size_t i = 0; i < self->place_count; i++) {
        struct place *p = self->places[i];
        if (p->used && (p->seat == seat || seat == ANY_SEAT)
            && (!quietest || p->session.last_ms < quietest->last_ms))
            quietest = &p->session;
    }
    assert (quietest);
    session_drop (self, quietest);
}

static int place_new (struct session_table *self) {
    int at = self->free;
    if (at != NONE) {
        self->free = self->places[at]->next;
        return at;
    }
    assert (self->place_count < PLACES_MAX);
    at = (int) self->place_count++;
    if ((at & (at - 1)) == 0)
        self->places = mem_resize (self->places, (at ? 2 * (size_t) at : 1)
                                                     * sizeof *self->places);
    self->places[at] = mem_alloc (sizeof *self->places[at]);
    return at;
}

static struct session *session_make (struct session_table *self,
                                     struct slice peer, const char *user,
                                     const char *delegation, size_t seat) {
    int at = place_new (self);
    struct place *place = self->places[at];
    struct session *s = &place->session;
    *s = (struct session){ .peer_size = peer.size };
    s->number = ++self->made * PLACES_MAX + (uint64_t) at;
    memcpy (s->peer, peer.data, peer.size);
    memcpy (s->user, user, sizeof s->user - 1);
    strcpy (s->delegation, delegation);
    s->flight = flight_new (self->seats[seat].flight);
    int *bucket = bucket_of (self, peer);
    place->used = true;
    place->seat = seat;
    place->next = *bucket;
    *bucket = at;
    self->seats[seat].connections++;
    self->count++;
    return s;
}

struct session *session_get (struct session_table *self, const void *peer,
                             size_t peer_size, const char *user,
                             const char *delegation, int64_t limit,
                             int64_t now_ms) {
    struct slice name = slice_of (peer, peer_size);
    assert (peer_size > 0 && peer_size <= PEER_MAX && limit > 0
            && strlen (user) == sizeof ((struct session *) 0)->user - 1);
    struct session *s = find_peer (self, name);
    if (s
        && (strcmp (s->user, user) != 0
            || strcmp (s->delegation, delegation) != 0)) {
        session_drop (self, s);
        s = NULL;
    }
    if (!s) {
        if (self->count == PLACES_MAX) /* those of earlier rosters too */
            drop_quietest (self, ANY_SEAT);
        size_t seat = seat_of (self, delegation);
        while (self->seats[seat].connections >= limit
               && self->seats[seat].connections > 0)
            drop_quietest (self, seat);
        s = session_make (self, name, user, delegation, seat);
    }
    s->last_ms = now_ms;
    return s;
}

size_t session_count (const struct session_table *self) {
    return self->count;
}

/* What is asked and not answered */

bool session_credit_take (struct session_table *self, struct session *session,
                          int64_t limit) {
    struct seat *seat =
        &self->seats[self->places[place_number (session)]->seat];
    if (seat->outstanding >= limit)
        return false;
    seat->outstanding++;
    session->outstanding++;
    return true;
}

struct session *session_credit_give (struct session_table *self,
                                     uint64_t number, const char *delegation) {
    size_t n = seat_of (self, delegation); /* first: it may move them */
    struct seat *seat = &self->seats[n];
    assert (seat->outstanding > 0);
    seat->outstanding--;
    struct session *session = session_find (self, number);
    if (session)
        session->outstanding--;
    return session;
}

bool session_read_take (struct session_table *self,
                        const struct session *session, size_t most,
                        size_t all) {
    struct seat *seat =
        &self->seats[self->places[place_number (session)]->seat];
    if (seat->reads >= most || self->reads >= all)
        return false;
    seat->reads++;
    self->reads++;
    return true;
}

void session_read_give (struct session_table *self, const char *delegation) {
    struct seat *seat = &self->seats[seat_of (self, delegation)];
    assert (seat->reads > 0 && self->reads > 0);
    seat->reads--;
    self->reads--;
}

bool session_malformed (struct session *session, int64_t now_ms) {
    if (session->malformed == 0
        || now_ms - session->malformed_ms >= MINUTE_MS) {
        session->malformed = 0;
        session->malformed_ms = now_ms;
    }
    return ++session->malformed >= SESSION_MALFORMED_MAX;
}

bool session_hello (struct session_table *self, const struct session *session,
                    int64_t now_ms) {
    struct seat *seat =
        &self->seats[self->places[place_number (session)]->seat];
    if (seat->hellos == 0 || now_ms - seat->hellos_ms >= MINUTE_MS) {
        seat->hellos = 0;
        seat->hellos_ms = now_ms;
    }
    if (seat->hellos == SESSION_HELLOS_MAX)
        return false;
    seat->hellos++;
    return true;
}

/* Rates */

static void drain (double *level, int64_t limit, int64_t ms) {
    *level -= (double) limit * (double) ms / MINUTE_MS;
    if (*level < 0)
        *level = 0;
}

/* How long until `more` fits. What is above the limit by itself fits where
 * nothing else is left of the minute: it would never go out otherwise. */
static int64_t wait_for (double level, double more, int64_t limit) {
    double room = (double) limit;
    if (level <= 0 || level + more <= room)
        return 0;
    double over = more > room ? level : level + more - room;
    return (int64_t) (over * MINUTE_MS / room) + 1;
}

bool session_rate (struct session_table *self, const char *delegation,
                   const struct roster_limits *limits, int64_t messages,
                   int64_t octets, int64_t now_ms, const char **what,
                   int64_t *limit, int64_t *wait_ms) {
    size_t n = seat_of (self, delegation); /* first: it may move them */
    struct seat *seat = &self->seats[n];
    int64_t passed = now_ms - seat->drained_ms;
    drain (&seat->messages, limits->messages_a_minute, passed);
    drain (&seat->octets, limits->octets_a_minute, passed);
    seat->drained_ms = now_ms;
    int64_t wait =
        wait_for (seat->messages, (double) messages, limits->messages_a_minute);
    int64_t other =
        wait_for (seat->octets, (double) octets, limits->octets_a_minute);
    if (wait > 0 || other > 0) {
        bool first = wait >= other;
        *what = first ? "messages_a_minute" : "octets_a_minute";
        *limit = first ? limits->messages_a_minute : limits->octets_a_minute;
        *wait_ms = first ? wait : other;
        return false;
    }
    seat->messages += (double) messages;
    seat->octets += (double) octets;
    return true;
}
