/* desk - the ROUTER (PROTOCOL.md sections 8.1 and 8.8).
 *
 * A loop that sends what is answered, then reads what is asked: replies free
 * the jobs that requests need. Each message is taken whole into the next job;
 * what can be said at once is said with that job and gives it back. */
#include "desk.h"

#include "base/clock.h"
#include "base/log.h"
#include "cut.h"
#include "desk_frames.h"
#include "desk_hello.h"
#include "desk_pass.h"
#include "identity/rights.h"
#include "listen.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define USER_OCTETS 40
#define READ_MOST 64     /* requests between two looks at the replies */
#define SMALL_MAX 512    /* octets of a frame that only asks */
#define HELLO_MAX 131072 /* its checkpoint has 65,536 at most */
#define LINGER_MS 500    /* for the last replies, when the broker stops */

struct desk {
    struct state *state; /* borrowed, as all of these */
    struct timekeeper *time;
    struct job_pool *pool;
    struct commit *commit;
    struct meter *meter;   /* or NULL */
    struct notary *notary; /* or NULL */

    void *socket; /* owned */
    uint16_t port;
    struct queue *replies; /* owned; has room for all jobs */
    struct session_table *sessions;
    struct pass pass;
    struct job *next; /* taken, for the next request; or NULL */

    pthread_t thread;
    bool started;
    int wake_fd; /* readable: look at `stopping` */
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stopping, reading; /* under the lock */
};

/* A message, and whose it is. */
struct request {
    struct desk_request came;
    struct session *session; /* NULL: not listed */
};

/* Replies */

static bool is_malformed (enum rule rule) {
    return rule == RULE_MALFORMED || rule == RULE_LIMIT;
}

/* Ten malformed requests in a minute are no accident. */
static void count_malformed (struct desk *self, struct session *session,
                             const zmq_msg_t *message) {
    atomic_fetch_add (&state_counts (self->state)->malformed, 1);
    if (!session_malformed (session, clock_mono_ms()))
        return;
    bool cut = cut_connection (message, self->port);
    atomic_fetch_add (&state_counts (self->state)->cut_off, 1);
    log_limited (LOG_WARN, "DESK-CUT", session->delegation,
                 "delegation=%s malformed=%d shut=%d",
                 log_text (session->delegation), session->malformed, cut);
    session_drop (self->sessions, session);
}

/* false: the peer is gone. */
static bool reply_send (struct desk *self, struct session *session,
                        struct job *job) {
    return desk_send (self->socket, state_run (self->state),
                      session ? session->flight : NULL, job);
}

/* Whoever asks for megabytes and does not read them has to read first. */
static void refuse_flight (struct job *job) {
    struct refusal why;
    refusal_set (&why, RULE_BUSY);
    job_fail (job, &why, "read the replies that are on their way first");
}

/* A job that comes back with its answer. Where the session is gone its routing
 * id may be another's: nothing is sent. */
static void reply_pass (struct desk *self, struct job *job) {
    struct session *session =
        session_credit_give (self->sessions, job->session, job->delegation);
    pass_back (&self->pass, job);
    if (session && job->head.type != WIRE_PUBLISH
        && flight_over (session->flight))
        refuse_flight (job);
    if (session && !reply_send (self, session, job)) {
        session_drop (self->sessions, session);
        session = NULL;
    }
    if (session && job->reply_type == WIRE_ERROR && is_malformed (job->why.rule)
        && job->frame_count > 0)
        count_malformed (self, session, &job->frames[0]);
    job_give (self->pool, &job);
}

static void replies_send (struct desk *self) {
    struct job *job;
    while ((job = queue_take (self->replies)))
        reply_pass (self, job);
}

/* What can be said at once */

static void refuse (struct desk *self, struct request *request,
                    const struct refusal *why, const char *text) {
    struct job *job = self->next;
    job_fail (job, why, text);
    bool there = reply_send (self, request->session, job);
    if (!request->session)
        return;
    if (!there)
        session_drop (self->sessions, request->session);
    else if (is_malformed (why->rule))
        count_malformed (self, request->session, &request->came.head);
}

static void refuse_rule (struct desk *self, struct request *request,
                         enum rule rule, const char *text) {
    struct refusal why;
    refusal_set (&why, rule);
    refuse (self, request, &why, text);
}

static void refuse_malformed (struct desk *self, struct request *request,
                              const char *place, enum err code,
                              const char *text) {
    struct refusal why;
    struct error e;
    error_set (&e, code, "%s", text);
    refusal_malformed (&why, place, &e);
    refuse (self, request, &why, text);
}

static void refuse_limit (struct desk *self, struct request *request,
                          const char *what, size_t size, size_t limit,
                          const char *text) {
    struct refusal why;
    refusal_set (&why, RULE_LIMIT);
    refusal_text (&why, "what", what);
    refusal_int (&why, "size", (int64_t) size);
    refusal_int (&why, "limit", (int64_t) limit);
    refuse (self, request, &why, text);
}

/* Who asks: the key that libzmq vouches for, under the roster in force. Fills
 * job->delegation and request->session; false: not listed, and said. */
static bool peer_find (struct desk *self, struct request *request,
                       const struct roster *roster) {
    struct job *job = self->next;
    const char *user = zmq_msg_gets (&request->came.head, "User-Id");
    uint8_t key[KEY_SIZE];
    if (!user || strlen (user) != USER_OCTETS || !zmq_z85_decode (key, user))
        return false; /* no peer of our gate's: not even an answer */
    const struct roster_delegation *d =
        rights_link (roster, key, clock_wall_ms());
    if (d) {
        strcpy (job->delegation, d->name);
        request->session = session_get (
            self->sessions, job->peer, job->peer_size, user, d->name,
            roster_limits (roster)->connections, job->arrived_ms);
        job->session = request->session->number;
        return true;
    }
    int set;
    const struct roster_delegation *was = roster_by_link (roster, key, &set);
    struct refusal why;
    refusal_set (&why, RULE_NOT_LISTED);
    refusal_text (&why, "delegation", was ? was->name : "");
    refuse (self, request, &why,
            "this connection's key is not valid under the roster in force");
    return false;
}

/* Frame 0. */
static bool head_check (struct desk *self, struct request *request, enum err rc,
                        const struct error *e) {
    if (rc == ERR_NEWER) {
        struct refusal why;
        int64_t stated = self->next->head.version;
        hello_refuse_version (&why, stated, stated);
        refuse (self, request, &why, e->text);
    } else if (rc) {
        refuse_malformed (self, request, "frame 0", rc, e->text);
    } else if (request->came.frames > WIRE_FRAMES_MAX) {
        refuse_limit (self, request, "frames", request->came.frames,
                      WIRE_FRAMES_MAX, "too many frames");
        return false;
    }
    return !rc;
}

/* Hello, then everything else; but an agent with an old roster needs the newer
 * one, with the desk key, to judge the reply to its hello. */
static bool run_check (struct desk *self, struct request *request) {
    const struct wire_head *head = &self->next->head;
    if (head->type == WIRE_HELLO
        || (head->type == WIRE_ROSTER && !head->has_run))
        return true;
    if (head->has_run && request->session->hello
        && memcmp (head->run, state_run (self->state), RUN_SIZE) == 0)
        return true;
    refuse_rule (self, request, RULE_HELLO_FIRST,
                 "this run of the broker has heard no hello on this"
                 " connection");
    return false;
}

static bool shape_check (struct desk *self, struct request *request) {
    struct job *job = self->next;
    int frames = wire_request_frames (job->head.type);
    struct refusal why;
    if (frames < 0 || (size_t) frames != job->frame_count) {
        refusal_set (&why, RULE_UNKNOWN_REQUEST);
        refusal_int (&why, "type", job->head.type);
        refuse (self, request, &why,
                frames < 0 ? "no request of this type"
                           : "a request of this type has another number of"
                             " frames");
        return false;
    }
    if (frames != 1)
        return true; /* a batch is judged by intake: its faults are signed */
    size_t size = zmq_msg_size (&job->frames[0]);
    size_t limit = job->head.type == WIRE_HELLO ? HELLO_MAX : SMALL_MAX;
    if (size <= limit)
        return true;
    refuse_limit (self, request, "frame 1", size, limit, "frame 1 is too long");
    return false;
}

static void hello (struct desk *self, struct request *request) {
    struct hello_parts parts = { self->state, self->time, self->commit,
                                 self->notary };
    struct refusal why;
    struct error e;
    struct job *job = self->next;
    if (!session_hello (self->sessions, request->session, job->arrived_ms))
        refuse_rule (self, request, RULE_BUSY, "too many hellos in a minute");
    else if (hello_answer (&parts, job, request->session, &why, &e))
        refuse (self, request, &why, e.text);
    else if (!reply_send (self, request->session, job))
        session_drop (self->sessions, request->session);
}

/* What goes on to other threads */

static bool ledger_check (struct desk *self, struct request *request) {
    struct refusal why;
    if (self->next->head.type != WIRE_PUBLISH
        || state_closed (self->state, &why) != RULE_LEDGER_BEHIND)
        return true;
    refuse (self, request, &why,
            "the broker's ledger lacks what it has promised; its operator has"
            " been told");
    return false;
}

static void ask (struct desk *self, struct request *request,
                 const struct roster *roster) {
    struct session *session = request->session;
    int64_t limit = roster_limits (roster)->requests_outstanding;
    if (!ledger_check (self, request))
        return;
    if (!session_credit_take (self->sessions, session, limit)) {
        struct refusal why;
        refusal_set (&why, RULE_CREDIT);
        refusal_int (&why, "limit", limit);
        refuse (self, request, &why, "too many requests are unanswered");
        return;
    }
    if (!pass_on (&self->pass, session, roster, self->next)) {
        self->next = NULL;
        return;
    }
    (void) session_credit_give (self->sessions, session->number,
                                session->delegation);
    refuse_rule (self, request, RULE_BUSY, "the broker has no room for it now");
}

static void request_serve (struct desk *self, struct request *request) {
    struct error e = { 0 };
    meter_seen (self->meter, &request->came.head);
    struct slice head = slice_of (zmq_msg_data (&request->came.head),
                                  zmq_msg_size (&request->came.head));
    enum err rc = wire_head_read (head, &self->next->head, &e);
    struct roster *roster = state_roster (self->state, NULL);
    if (peer_find (self, request, roster) && head_check (self, request, rc, &e)
        && run_check (self, request) && shape_check (self, request)) {
        if (self->next->head.type == WIRE_HELLO)
            hello (self, request);
        else
            ask (self, request, roster);
    }
    roster_unref (&roster);
    job_give (self->pool, &self->next); /* unless it went on */
    desk_request_close (&request->came);
}

static bool job_ready (struct desk *self) {
    if (!self->next)
        self->next = job_take (self->pool);
    return self->next != NULL;
}

/* true: there may be more. */
static bool requests_read (struct desk *self) {
    struct request request = { 0 };
    for (int i = 0; i < READ_MOST; i++) {
        if (!job_ready (self)
            || !desk_take (self->socket, &request.came, self->next))
            return false;
        request.session = NULL;
        request_serve (self, &request);
    }
    return true;
}

/* The thread */

static bool reading_now (struct desk *self) {
    pthread_mutex_lock (&self->lock);
    if (self->stopping && self->reading) {
        self->reading = false;
        pthread_cond_broadcast (&self->stopped);
    }
    bool reading = self->reading;
    pthread_mutex_unlock (&self->lock);
    return reading;
}

/* Until there is a reply, or a request and a job for it. false: no libzmq. */
static bool wait_for_work (struct desk *self, bool reading) {
    zmq_pollitem_t items[3] = {
        { .fd = queue_fd (self->replies), .events = ZMQ_POLLIN },
    };
    int count = 1;
    if (reading) {
        items[count++] =
            (zmq_pollitem_t){ .fd = self->wake_fd, .events = ZMQ_POLLIN };
        items[count++] = self->next
                             ? (zmq_pollitem_t){ .socket = self->socket,
                                                 .events = ZMQ_POLLIN }
                             : (zmq_pollitem_t){ .fd = job_pool_fd (self->pool),
                                                 .events = ZMQ_POLLIN };
    }
    return zmq_poll (items, count, -1) >= 0 || errno == EINTR;
}

static void *desk_run (void *arg) {
    struct desk *self = arg;
    for (bool ended = false; !ended;) {
        /* Asked first: a closed queue gets nothing more, and is drained. */
        ended = queue_closed (self->replies);
        replies_send (self);
        bool reading = reading_now (self);
        if (reading && requests_read (self))
            continue;
        if (!ended && !wait_for_work (self, reading)) {
            log_error ("DESK-FAILED", "why=%s", zmq_strerror (errno));
            abort(); /* the loop's own sockets: our mistake */
        }
    }
    return NULL;
}

/* Making and ending */

struct desk *desk_new (const struct desk_parts *parts, char *bound,
                       struct error *e) {
    void *socket = listen_socket (state_identity (parts->state), parts->context,
                                  SOCK_DESK, parts->endpoint, bound, e);
    if (!socket)
        return NULL;
    struct desk *self = mem_alloc (sizeof *self);
    self->state = parts->state;
    self->time = parts->time;
    self->pool = parts->pool;
    self->socket = socket;
    self->port = cut_port (bound);
    self->sessions = session_table_new();
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->stopped, NULL);
    self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    size_t jobs = job_pool_free (parts->pool);
    pass_begin (&self->pass, jobs);
    self->replies = queue_new (jobs + 1);
    if (self->wake_fd >= 0 && self->replies)
        return self;
    error_sys (e, errno, "make the desk");
    desk_destroy (&self);
    return NULL;
}

void desk_set_notary (struct desk *self, struct notary *notary) {
    self->notary = notary;
}

void desk_set_meter (struct desk *self, struct meter *meter) {
    self->meter = meter;
}

enum err desk_start (struct desk *self, struct intake *intake,
                     struct commit *commit, struct fetch *fetch,
                     struct error *e) {
    assert (!self->started);
    self->commit = commit;
    self->pass.sessions = self->sessions;
    self->pass.intake = intake;
    self->pass.fetch = fetch;
    self->reading = true;
    int rc = pthread_create (&self->thread, NULL, desk_run, self);
    if (rc != 0)
        return error_sys (e, rc, "start the desk");
    self->started = true;
    return ERR_NONE;
}

void desk_stop_reading (struct desk *self) {
    if (!self->started)
        return;
    uint64_t one = 1;
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    ssize_t n = write (self->wake_fd, &one, sizeof one);
    (void) n; /* full: it is readable already */
    /* When this returns, intake and fetch may go. */
    while (self->reading)
        pthread_cond_wait (&self->stopped, &self->lock);
    pthread_mutex_unlock (&self->lock);
}

void desk_destroy (struct desk **self_p) {
    if (!self_p || !*self_p)
        return;
    struct desk *self = *self_p;
    *self_p = NULL;
    if (self->started) {
        desk_stop_reading (self);
        queue_close (self->replies);
        pthread_join (self->thread, NULL);
    }
    job_give (self->pool, &self->next);
    int linger = LINGER_MS;
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger, sizeof linger);
    sock_close (&self->socket);
    session_table_destroy (&self->sessions);
    queue_destroy (&self->replies);
    if (self->wake_fd >= 0)
        close (self->wake_fd);
    pthread_cond_destroy (&self->stopped);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

void desk_reply (void *arg, struct job *job) {
    struct desk *self = arg;
    enum err rc = queue_put_wait (self->replies, job);
    assert (!rc); /* the desk outlives those that answer */
    (void) rc;
}
