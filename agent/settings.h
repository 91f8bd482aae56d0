/* settings - parley-agent's configuration file and exit codes.
 *
 *   agent
 *       identity = "agent.key"     secret file of the delegation
 *       dialogue = "<64 hex>"      the dialogue's id
 *       roster = "roster.note"     a roster of it, any version
 *       store = "store.db"         made once, by parley-agent init
 *       socket = "api.sock"        the API's Unix socket; at most 107 octets
 *       desk = "tcp://HOST:PORT"   dialled instead of the roster's address
 *       feed = "tcp://HOST:PORT"   the same
 *       source = "192.0.2.1"       source address
 *       socket-group = "NAME"      whose accounts may open the socket too
 *       tcp = "127.0.0.1:7421"     the API on loopback too ("[::1]:PORT"), for
 *                                  who brings a token (parley token new, or)
 *       token-file = "api.token"   a line of this file
 *       two-person = no            a draft is released by another than wrote it
 *       acknowledge = none         verified, seen: what is said of messages of
 *                                  others (threads/THREADS.md section 10)
 *       watch-command = "/PATH WORD..."   told of what people watch: api/watcher.h
 *       digest-time = "06:00"      when daily ones are told, UTC
 *       log = info                 debug, info, warn, error
 *       new-store = no             make the store where none is there
 *   users                          who may do what: api/users.h
 *       anna
 *           login = "anna.b"
 *           role = "releaser"
 *           function = "Head of Strategic Analysis"
 *
 * Only identity, dialogue and roster have to be given; relative file names are
 * taken from the file's own folder. */
#ifndef PARLEY_AGENT_SETTINGS_H
#define PARLEY_AGENT_SETTINGS_H

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "threads/acks.h"

#include <stdbool.h>

struct users;

/* As of parley-broker: a unit's RestartPreventExitStatus names the ones that a
 * restart can't mend. */
enum agent_exit {
    EXIT_FINE = 0,
    EXIT_USAGE = 64,
    EXIT_DAMAGED = 65, /* the store is damaged: see the log; do not restart */
    EXIT_INTERNAL = 70,
    EXIT_DISK = 74, /* write or sync failed, disk full: restart when mended */
    EXIT_BUSY = 75, /* store, socket or port in use by another process */
    EXIT_CONFIG =
        78, /* configuration, keys, roster, no store: do not restart */
};

#define SOCKET_PATH_MAX 107 /* octets: sun_path has 108 */

struct settings {
    char *identity, *roster, *store, *socket; /* paths, owned */
    struct hash dialogue;
    char *desk, *feed, *source; /* NULL: not given */
    char *tcp, *token_file;     /* the second with the first only */
    char *socket_group;
    struct users *users; /* of the section `users`; those that are listed */
    enum ack_state acknowledge;
    char *watch_command; /* NULL: none */
    int64_t digest_ms;   /* of a day */
    bool new_store;
    enum log_level log;
};
/* NULL and *e: ERR_CONFIG with the file, the name and the rule. */
struct settings *settings_load (const char *path, struct error *e) MUST_CHECK;
void settings_destroy (struct settings **self_p);

/* "127.0.0.1:PORT" or "[::1]:PORT", 1 to 65535. */
bool settings_loopback (const char *text) MUST_CHECK;

#endif
