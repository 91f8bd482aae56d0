/* fetch - answers what is read from the ledger: fetch, leaves, refusals,
 * roster, streams, status, and what fetch_marks answers (PROTOCOL.md sections
 * 8.3, 8.5, 8.6, 8.11, 8.12), in a thread of its own, so that reading never
 * delays publishing. */
#ifndef PARLEY_FETCH_H
#define PARLEY_FETCH_H

#include "job.h"
#include "notary.h"
#include "refusals.h"
#include "state.h"

struct fetch;
struct fetch *fetch_new (struct state *state, struct refusals *refusals,
                         size_t most, void (*reply) (void *arg, struct job *),
                         void *arg, struct error *e) MUST_CHECK;
/* Whose checkpoints are given out; before the first job. Borrowed. */
void fetch_set_notary (struct fetch *self, struct notary *notary);
void fetch_destroy (struct fetch **self_p);
/* ERR_FULL: answer BUSY. */
enum err fetch_put (struct fetch *self, struct job *job) MUST_CHECK;

/* One job's work: fills the reply. Requests of fetch_marks it does not know. */
void fetch_answer (struct state *state, struct refusals *refusals,
                   struct job *job);

#endif
