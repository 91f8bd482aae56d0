/* intake - reads and verifies publishes, in one or more threads: decode, ids,
 * body digests, batch root, one signature (DESIGN section 13). Judges nothing
 * that depends on order. */
#ifndef PARLEY_INTAKE_H
#define PARLEY_INTAKE_H

#include "job.h"
#include "state.h"

struct intake;
/* `put` gets each job, in any order, from the intake threads, or from that of
 * intake_serve. */
struct intake *intake_new (struct state *state, int threads, size_t most,
                           void (*put) (void *arg, struct job *job), void *arg,
                           struct error *e) MUST_CHECK;
/* Finishes what waits, then ends the threads. */
void intake_destroy (struct intake **self_p);
/* ERR_FULL: push back. */
enum err intake_put (struct intake *self, struct job *job) MUST_CHECK;
/* The same on the caller's own time; not while intake is destroyed. */
void intake_serve (struct intake *self, struct job *job);

/* One job's work, for the threads and for tests. */
void intake_read (struct state *state, struct job *job);

#endif
