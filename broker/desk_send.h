/* desk_send - a job's reply onto the ROUTER (PROTOCOL.md section 8.1). Of the
 * desk's thread. */
#ifndef PARLEY_DESK_SEND_H
#define PARLEY_DESK_SEND_H

#include "session.h"

/* Sends to job->peer; never waits. Large frames are handed over, not copied:
 * the job's reply is empty then; `flight` (or NULL) counts them until libzmq
 * lets go. A peer that reads no replies loses this one, which is logged.
 * false: the peer is gone. */
bool desk_send (void *socket, const uint8_t run[RUN_SIZE],
                struct flight *flight, struct job *job) MUST_CHECK;

#endif
