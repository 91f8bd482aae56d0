/* desk - the ROUTER: requests in, replies out (PROTOCOL.md section 8).
 *
 * One thread owns the socket. It answers hello itself and hands all else on;
 * it never waits: replies go out with ZMQ_DONTWAIT, and while no job is free it
 * does not read, so that TCP pushes back. */
#ifndef PARLEY_DESK_H
#define PARLEY_DESK_H

#include "commit.h"
#include "fetch.h"
#include "intake.h"
#include "meter.h"
#include "session.h"
#include "timekeeper.h"

struct desk;
struct notary;

struct desk_parts {
    struct state *state;
    struct timekeeper *time;
    struct job_pool *pool;
    void *context;
    const char *endpoint;
};
/* Binds; *bound (256) is the real endpoint. The thread starts at desk_start,
 * when the modules that need desk_reply have been made. */
struct desk *desk_new (const struct desk_parts *parts, char *bound,
                       struct error *e) MUST_CHECK;
/* Told of each message that is read; before desk_start. Borrowed. */
void desk_set_meter (struct desk *self, struct meter *meter);
/* It judges the checkpoints of hellos; before desk_start. Borrowed. */
void desk_set_notary (struct desk *self, struct notary *notary);
enum err desk_start (struct desk *self, struct intake *intake,
                     struct commit *commit, struct fetch *fetch,
                     struct error *e) MUST_CHECK;
/* No more requests are read; what was taken is still answered. */
void desk_stop_reading (struct desk *self);
void desk_destroy (struct desk **self_p);
/* A job with its reply, from any thread; `arg` is the desk. Owned after. */
void desk_reply (void *arg, struct job *job);

#endif
