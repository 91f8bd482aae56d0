/* fetch_status - what the broker says of itself (request 7; PROTOCOL.md section
 * 8.6). Of fetch's thread. */
#ifndef PARLEY_FETCH_STATUS_H
#define PARLEY_FETCH_STATUS_H

#include "job.h"
#include "notary.h"
#include "state.h"

/* Fills the job's reply. `notary` may be NULL. */
void fetch_status (struct state *state, struct notary *notary, struct job *job);

#endif
