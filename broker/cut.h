/* cut - shut one peer's connection, which libzmq has no call for.
 *
 * A message names the descriptor that it came by (ZMQ_SRCFD). If its peer left
 * meanwhile, the number may be another's: it is shut only where it is a socket
 * on our own port, whose peer then connects again. Thread-safe. */
#ifndef PARLEY_CUT_H
#define PARLEY_CUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

/* The port of a bound endpoint, "tcp://HOST:PORT". 0: none. */
uint16_t cut_port (const char *endpoint);
/* The port that a connection of ours came to. 0: it is none. */
uint16_t cut_local_port (int fd);
/* Call while the message is in hand. false: nothing was shut. */
bool cut_connection (const zmq_msg_t *message, uint16_t port);

#endif
