/* What the files of `link` share: link.c (thread and turns), session.c (from
 * down to ready and back), link_status.c (what others may ask). */
#ifndef PARLEY_LINK_IMPL_H
#define PARLEY_LINK_IMPL_H

#include "bulk.h"
#include "complete.h"
#include "follow.h"
#include "hello.h"
#include "ledger.h"
#include "link.h"
#include "scrub.h"
#include "sender.h"

#include <pthread.h>
#include <stdatomic.h>

#define LINK_REPLY_MS 10000 /* a connection, or a reply, that does not come */
#define LINK_TURN_MS 500    /* timers are looked at so often */

struct link {
    /* Given, and never changed. Texts are owned. */
    char *desk, *feed, *source; /* NULL: the roster's; none */
    void (*changed) (void *arg);
    void (*failed) (void *arg, const struct error *e);
    void *arg;

    pthread_t thread;
    bool started;
    int wake;      /* eventfd */
    int64_t woken; /* monotonic: last, by it */
    atomic_bool stop;
    atomic_bool retry_now, resume; /* an operator's words */

    /* The link's thread alone. */
    struct core core;
    struct follow *follow;
    struct sender *sender;
    struct bulk *bulk;
    struct complete *complete;
    struct scrub *scrub;
    enum link_phase phase;
    char endpoint[256]; /* of the desk, dialled now or last */
    char feed_endpoint[256];
    struct sock_keys keys; /* with the server's that is tried */
    struct hello hello;
    int64_t roster_call;    /* request 5 in flight, or 0 */
    int64_t roster_asked;   /* monotonic, in ready */
    int64_t begun;          /* monotonic: of the phase */
    int64_t retry;          /* monotonic, while down */
    unsigned tries, target; /* back-offs in a row; which broker and key */
    bool greeted;           /* since start */
    bool has_offset;
    int64_t offset;

    /* Under the mutex, for all. */
    pthread_mutex_t mutex;
    struct link_status status;
    struct roster *roster;
    int64_t roster_sequence;
    const struct link_import *import; /* that waits, or NULL; its caller's */
    struct link_imported *imported;
    pthread_cond_t import_done;
};

/* One step of what the phase has to do now; the replies that are there; back to
 * down, for this reason. Errors: the store's, or why to go down. */
enum err session_step (struct link *self, int64_t now, struct error *e)
    MUST_CHECK;
enum err session_replies (struct link *self, struct error *e) MUST_CHECK;
void session_down (struct link *self, const struct error *why);
void session_close (struct link *self); /* sockets; for the end */
/* Whatever waits for a back-off waits no more. */
void session_retry (struct link *self);
/* Monotonic ms until something is due; at most LINK_TURN_MS while up. */
int64_t session_wait (const struct link *self, int64_t now);

/* A part of an import that waits: taken in and committed. Errors: the store's. */
enum err import_turn (struct link *self, struct error *e) MUST_CHECK;

/* Show others how things stand. */
void status_publish (struct link *self);

#endif
