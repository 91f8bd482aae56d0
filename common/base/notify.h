/* notify - tells the service manager how the process is: sd_notify(3)'s
 * protocol, one datagram to the Unix socket that $NOTIFY_SOCKET names (a path,
 * or '@' and an abstract name). Thread-safe. */
#ifndef PARLEY_NOTIFY_H
#define PARLEY_NOTIFY_H

#include "base/error.h"

#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"

/* 0 too where there is no such variable: nobody asks. ERR_ARGUMENT: no name of
 * a socket. ERR_IO: it did not go, nothing waits for it; the process is no
 * worse for that, but its manager may end it when it was to be ready. */
enum err notify_send (const char *state, struct error *e) MUST_CHECK;

#endif
