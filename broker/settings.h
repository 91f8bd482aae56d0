/* settings - parley-broker's configuration file and exit codes.
 *
 *   broker
 *       state = "state"            the ledger's folder (parley-broker init)
 *       identity = "broker.key"    secret file
 *       roster = "roster.note"     the newest roster; read again at SIGHUP
 *       desk = "tcp://127.0.0.1:7411"
 *       feed = "tcp://127.0.0.1:7412"
 *       keep-free = 268435456      octets; below, NO-SPACE
 *       log = info                 debug, info, warn, error
 *       intake-threads = 1
 *       segment = 67108864         octets
 *       jobs = 128                 requests in hand at most
 *       mark-seconds = 60
 *       commit-before-hello = no   operator's override
 *       scrub-seconds = 3600       pause between two readings of the whole
 *                                  ledger; 0: it is not read again
 *       ready-file = "..."         written when both sockets are bound: two
 *                                  lines, desk and feed endpoints; optional */
#ifndef PARLEY_BROKER_SETTINGS_H
#define PARLEY_BROKER_SETTINGS_H

#include "base/error.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/* sysexits where they fit; a unit's RestartPreventExitStatus names the ones
 * that a restart can't mend. */
enum broker_exit {
    EXIT_FINE = 0,
    EXIT_USAGE = 64,
    EXIT_DAMAGED = 65, /* ledger damaged: see the log; do not restart */
    EXIT_CONFIG = 78,  /* configuration, keys or roster: do not restart */
    EXIT_BUSY = 75,    /* locked by another process, address in use */
    EXIT_DISK = 74,    /* write or sync failed, disk full: restart when mended */
    EXIT_INTERNAL = 70,
};

struct settings {
    char *state, *identity, *roster, *desk, *feed, *ready_file; /* owned */
    int64_t keep_free, segment, mark_ms, scrub_ms;
    int intake_threads, jobs;
    bool commit_before_hello;
    enum log_level log;
};
/* NULL and *e: ERR_CONFIG with the file, the name and the rule. */
struct settings *settings_load (const char *path, struct error *e) MUST_CHECK;
void settings_destroy (struct settings **self_p);

#endif
