/* desk_frames - messages off and onto the ROUTER (PROTOCOL.md section 8.1). Of
 * the desk's thread; nothing here waits. */
#ifndef PARLEY_DESK_FRAMES_H
#define PARLEY_DESK_FRAMES_H

#include "session.h"

/* What came, beside the frames that went into the job. */
struct desk_request {
    zmq_msg_t head; /* frame 0; names the peer's key and descriptor */
    size_t frames;  /* behind it; what is over WIRE_FRAMES_MAX is gone */
};
/* Take one message whole: its frames, peer and time are the job's. false:
 * nothing there; otherwise desk_request_close. */
bool desk_take (void *socket, struct desk_request *out, struct job *job)
    MUST_CHECK;
void desk_request_close (struct desk_request *self);

/* Sends the job's reply to job->peer. Large frames and blocks are handed over,
 * not copied: the job's reply is empty then; `flight` (or NULL) counts them until libzmq
 * lets go. A peer that reads no replies loses this one, which is logged.
 * false: the peer is gone. */
bool desk_send (void *socket, const uint8_t run[RUN_SIZE],
                struct flight *flight, struct job *job) MUST_CHECK;

#endif
