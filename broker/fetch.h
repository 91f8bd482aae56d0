/* fetch - answers what is read from the ledger: fetch, leaves, refusals,
 * roster, streams, status (PROTOCOL.md sections 8.3, 8.5, 8.6), in a thread of
 * its own, so that reading never delays publishing. */
#ifndef PARLEY_FETCH_H
#define PARLEY_FETCH_H

#include "job.h"
#include "refusals.h"
#include "state.h"

struct fetch;
struct fetch *fetch_new (struct state *state, struct refusals *refusals,
                         size_t most, void (*reply) (void *arg, struct job *),
                         void *arg, struct error *e) MUST_CHECK;
void fetch_destroy (struct fetch **self_p);
/* ERR_FULL: answer BUSY. */
enum err fetch_put (struct fetch *self, struct job *job) MUST_CHECK;

/* One job's work: fills the reply. */
void fetch_answer (struct state *state, struct refusals *refusals,
                   struct job *job);

#endif
