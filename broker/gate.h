/* gate - who may connect: our own ZAP handler (ZeroMQ RFC 27; PROTOCOL.md
 * section 3), fed by the roster in force, failing closed.
 *
 * Must be started before any server socket is bound. Thread-safe. */
#ifndef PARLEY_GATE_H
#define PARLEY_GATE_H

#include "state.h"

struct gate;
/* Binds inproc://zeromq.zap.01 in `context` and starts its thread. */
struct gate *gate_new (struct state *state, void *context, struct error *e)
    MUST_CHECK;
void gate_destroy (struct gate **self_p);

/* Refuse this User-Id (Z85 of a link key) in `domain` for `ms`. */
void gate_refuse (struct gate *self, const char *domain, const char *user,
                  int64_t ms);
/* Counts for the operator. */
int64_t gate_refused (const struct gate *self);

#endif
