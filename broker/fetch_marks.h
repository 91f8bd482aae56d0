/* fetch_marks - what the ledger proves of itself: checkpoints, claims of marks,
 * covers of streams (requests 10 to 14; PROTOCOL.md sections 8.11 and 8.12). Of
 * fetch's thread. */
#ifndef PARLEY_FETCH_MARKS_H
#define PARLEY_FETCH_MARKS_H

#include "job.h"
#include "notary.h"
#include "state.h"

struct fetch_marks;

/* Borrows the state. */
struct fetch_marks *fetch_marks_new (struct state *state) MUST_CHECK;
/* Borrowed. Without one no checkpoint is to be had. */
void fetch_marks_set_notary (struct fetch_marks *self, struct notary *notary);
void fetch_marks_destroy (struct fetch_marks **self_p);
/* One job's work: fills the reply. false: it is none of these requests, and
 * nothing was done. */
bool fetch_marks_answer (struct fetch_marks *self, struct job *job) MUST_CHECK;

#endif
