/* link - the thread that talks to the broker: making it, its turns, its end. */
#include "link_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "epochs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define REST_MAX_NS 5000000
#define BUSY_MS 50 /* after a program has handed something in */

/* A turn: what came, what is due, one commit, then wait. */

static enum err words_take (struct link *self, struct error *e) {
    if (atomic_exchange (&self->retry_now, false))
        session_retry (self);
    return atomic_exchange (&self->resume, false)
               ? ledger_resume (self->core.ledger, e)
               : ERR_NONE;
}

static enum err turn (struct link *self, struct error *e) {
    struct error late;
    enum err rc = words_take (self, e);
    if (!rc)
        rc = import_turn (self, e);
    if (!rc)
        rc = session_replies (self, e);
    if (!rc)
        rc = follow_hear (self->follow, e);
    if (!rc)
        rc = session_step (self, clock_mono_ms(), e);
    if (core_store_failed (rc))
        return rc;
    /* What came before a fault of the peer's is good, and so is its evidence. */
    enum err failed = core_commit (&self->core, &late);
    if (failed)
        *e = late;
    return failed ? failed : rc;
}

/* Programs that hand in messages write the same store, in turns. While they do,
 * two thirds of the time are theirs: batches are larger then, and fewer commits
 * do the same. */
static void rest (struct link *self) {
    int64_t ns = 2 * self->core.commit_ns;
    if (ns > REST_MAX_NS)
        ns = REST_MAX_NS;
    self->core.commit_ns = 0;
    struct timespec pause = { .tv_nsec = ns };
    if (ns > 0 && clock_mono_ms() - self->woken < BUSY_MS)
        nanosleep (&pause, NULL);
}

static void wait_turn (struct link *self) {
    zmq_pollitem_t items[4] = { { NULL, self->wake, ZMQ_POLLIN, 0 } };
    int count = 1;
    if (self->core.calls) {
        items[count++] = (zmq_pollitem_t){ calls_socket (self->core.calls), 0,
                                           ZMQ_POLLIN, 0 };
        items[count++] = (zmq_pollitem_t){ calls_watch (self->core.calls), 0,
                                           ZMQ_POLLIN, 0 };
    }
    if (follow_socket (self->follow))
        items[count++] =
            (zmq_pollitem_t){ follow_socket (self->follow), 0, ZMQ_POLLIN, 0 };
    zmq_poll (items, count, session_wait (self, clock_mono_ms()));
    uint64_t times;
    if (!items[0].revents)
        return;
    if (read (self->wake, &times, sizeof times) < 0)
        log_debug ("LINK-WAKE", "errno=%d", errno);
    self->woken = clock_mono_ms();
}

static void *run (void *arg) {
    struct link *self = arg;
    while (!atomic_load (&self->stop)) {
        struct error e = { 0 };
        enum err rc = turn (self, &e);
        if (core_store_failed (rc)) {
            session_close (self);
            self->failed (self->arg, &e);
            break;
        }
        if (rc)
            session_down (self, &e);
        status_publish (self);
        if (self->core.changed) {
            self->core.changed = false;
            self->changed (self->arg);
        }
        rest (self);
        wait_turn (self);
    }
    session_close (self);
    return NULL;
}

/* Making */

static enum err roster_restore (void *arg, int64_t version, int64_t sequence,
                                struct slice note, struct error *e) {
    struct link *self = arg;
    (void) version;
    enum err rc = rosters_learn (self->core.rosters, note, sequence, e);
    if (rc)
        error_at (e, "rosters of the store");
    /* Not the disk's fault: the configured roster and the store disagree. */
    return rc;
}

/* Everything that is held in memory of the ledger is of the store again. Where
 * more than rosters goes on, a new connection has to come first. */
static enum err epoch_enter (void *arg, struct roster *next, struct error *e) {
    struct link *self = arg;
    if (self->phase == LINK_READY)
        return error_set (e, ERR_STATE,
                          "epoch %lld begins: a new connection comes first",
                          (long long) roster_epoch (next));
    enum err rc = epochs_enter (&self->core, next, e);
    if (!rc)
        rc = core_commit (&self->core, e);
    if (rc)
        return rc;
    ledger_restart (self->core.ledger);
    follow_reload (self->follow);
    complete_reload (self->complete);
    return ERR_NONE;
}

static enum err parts_make (struct link *self,
                            const struct link_options *options,
                            struct error *e) {
    struct core *core = &self->core;
    core->identity = options->identity;
    core->delegation = identity_name (options->identity);
    core->dialogue = options->dialogue;
    core->context = zmq_ctx_new();
    core->store =
        store_open (options->store, &core->dialogue, core->delegation, e);
    if (!core->store)
        return e->code;
    struct roster *first;
    enum err rc = epochs_start (core, options->roster, &first, e);
    if (rc)
        return rc;
    core->rosters = rosters_new (&core->dialogue, first, e);
    roster_unref (&first);
    if (!core->rosters)
        return e->code;
    rc = store_rosters (core->store, roster_restore, self, e);
    if (rc)
        return rc;
    rosters_guard (core->rosters, epoch_enter, self);
    core->ledger = ledger_new (core, e);
    if (!core->ledger)
        return e->code;
    self->follow = follow_new (core);
    self->sender = sender_new (core);
    self->bulk = bulk_new (core);
    self->complete = complete_new (core, self->follow);
    self->scrub = scrub_new (core);
    self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->wake < 0)
        return error_sys (e, errno, "eventfd");
    return ERR_NONE;
}

static char *copy (const char *text) {
    return text ? mem_copy_text (text) : NULL;
}

struct link *link_new (const struct link_options *options, struct error *e) {
    struct link *self = mem_alloc (sizeof *self);
    self->desk = copy (options->desk);
    self->feed = copy (options->feed);
    self->source = copy (options->source);
    self->changed = options->changed;
    self->failed = options->failed;
    self->arg = options->arg;
    self->wake = -1;
    pthread_mutex_init (&self->mutex, NULL);
    pthread_cond_init (&self->import_done, NULL);
    enum err rc = parts_make (self, options, e);
    if (!rc) {
        status_publish (self); /* link_roster has one from the first moment */
        int failed = pthread_create (&self->thread, NULL, run, self);
        if (failed)
            rc = error_sys (e, failed, "start the link's thread");
        self->started = !failed;
    }
    if (rc)
        link_destroy (&self);
    return self;
}

void link_wake (struct link *self) {
    uint64_t one = 1;
    if (write (self->wake, &one, sizeof one) < 0) /* full: it is awake */
        log_debug ("LINK-WAKE", "errno=%d", errno);
}

void link_retry (struct link *self) {
    atomic_store (&self->retry_now, true);
    link_wake (self);
}

void link_resume (struct link *self) {
    atomic_store (&self->resume, true);
    link_wake (self);
}

void link_destroy (struct link **self_p) {
    if (!self_p || !*self_p)
        return;
    struct link *self = *self_p;
    *self_p = NULL;
    if (self->started) {
        pthread_mutex_lock (&self->mutex);
        atomic_store (&self->stop, true);
        pthread_cond_broadcast (&self->import_done);
        pthread_mutex_unlock (&self->mutex);
        link_wake (self);
        pthread_join (self->thread, NULL);
    }
    complete_destroy (&self->complete);
    scrub_destroy (&self->scrub);
    ledger_destroy (&self->core.ledger);
    follow_destroy (&self->follow);
    sender_destroy (&self->sender);
    bulk_destroy (&self->bulk);
    rosters_destroy (&self->core.rosters);
    store_close (&self->core.store);
    if (self->core.context)
        zmq_ctx_term (self->core.context);
    roster_unref (&self->roster);
    pthread_cond_destroy (&self->import_done);
    pthread_mutex_destroy (&self->mutex);
    if (self->wake >= 0)
        close (self->wake);
    free (self->desk);
    free (self->feed);
    free (self->source);
    free (self);
}
