/* meter - cuts off who sends a message that does not end.
 *
 * libzmq keeps the parts of a message until the last one has come, bounds each
 * part and not their number, and counts whole messages in its queues. So a
 * thread of our own looks at each connection: what TCP has received since a
 * message of it was read. Thread-safe. */
#ifndef PARLEY_METER_H
#define PARLEY_METER_H

#include "base/error.h"

#include <stdint.h>
#include <zmq.h>

/* Octets of a connection, and of all: 64 requests of a batch each may wait at
 * the desk, and that is the most that an agent in order can have there. */
#define METER_MAX 100663296
#define METER_ALL_MAX 536870912

struct meter;
/* Of connections to these two ports of ours. Starts its thread. */
struct meter *meter_new (uint16_t desk, uint16_t feed, struct error *e)
    MUST_CHECK;
void meter_destroy (struct meter **self_p);
/* This message was read whole. */
void meter_seen (struct meter *self, const zmq_msg_t *message);
int64_t meter_cuts (const struct meter *self);

#endif
