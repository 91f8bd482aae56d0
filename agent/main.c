/* parley-agent - a delegation's daemon: keeps the link to the broker, the store,
 * and the API that everything else of the delegation uses.
 *
 * Starts the link, what derives plans, and then the API, waits for signals, and
 * stops them in the opposite order. */
#include "api/http.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/notify.h"
#include "identity/roster_chain.h"
#include "link/link.h"
#include "plans/projector.h"
#include "settings.h"
#include "store/store.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char usage_text[] =
    "usage: parley-agent --config FILE [-n]\n"
    "       parley-agent init --config FILE\n"
    "\n"
    "  --config FILE   run the agent that FILE describes\n"
    "  -n              check the configuration, key and roster, and end\n"
    "  init            make the store, once\n"
    "  --version, --help\n"
    "\n"
    "Signals: TERM and INT stop cleanly; HUP reads the level of the log "
    "and\n"
    "the users again, and tries now to reach the broker.\n"
    "\n"
    "Exit: 0 fine, 64 usage, 65 the store is damaged, 70 internal, 74 the "
    "disk\n"
    "failed or is full, 75 in use by another process, 78 configuration, key,\n"
    "roster or no store. Do not restart by itself after 65 and 78.\n"
    "\n"
    "Example: parley-agent init --config /etc/parley/agent.conf\n"
    "         parley-agent --config /etc/parley/agent.conf\n";

/* What one run holds; made in this order, ended in the opposite one. */
struct run {
    const char *path; /* of the configuration */
    struct settings *settings;
    struct identity *identity;
    struct roster *roster; /* the configured one */
    int lock;              /* on the store's file, or -1 */
    struct link *link;
    /* Over what follows: the link and the projector call back. */
    pthread_mutex_t mutex;
    struct projector *projector;
    struct http *http;
    struct error failure;
    int failed;  /* eventfd */
    int signals; /* signalfd */
};

/* Exit codes by reason. */
static int exit_of (const struct error *e) {
    switch (e->code) {
    case ERR_DAMAGED:
        return EXIT_DAMAGED;
    case ERR_IO:
    case ERR_NO_SPACE:
        return EXIT_DISK;
    case ERR_STATE:
    case ERR_EXISTS:
    case ERR_TIMEOUT:
        return EXIT_BUSY;
    default:
        return EXIT_CONFIG;
    }
}

static int say (const char *id, const struct error *e) {
    log_error (id, "why=%s", log_text (e->text));
    return exit_of (e);
}

/* Configuration, key and roster */

static enum err identity_open (struct run *self, struct error *e) {
    self->identity = identity_load (self->settings->identity, e);
    if (!self->identity) {
        error_at (e, "agent/identity");
        return e->code = e->code == ERR_IO ? ERR_CONFIG : e->code;
    }
    if (identity_kind (self->identity) != IDENTITY_DELEGATION)
        return error_set (
            e, ERR_CONFIG, "'%s' is not the key of a delegation, but of %s",
            self->settings->identity, identity_name (self->identity));
    return ERR_NONE;
}

static enum err roster_check (const struct run *self, struct error *e) {
    char have[HASH_TEXT_MAX], want[HASH_TEXT_MAX];
    const struct hash *dialogue = roster_dialogue (self->roster);
    if (!hash_equal (dialogue, &self->settings->dialogue))
        return error_set (e, ERR_CONFIG,
                          "'%s' is a roster of dialogue %s; agent/dialogue is "
                          "%s",
                          self->settings->roster, hash_text (have, dialogue),
                          hash_text (want, &self->settings->dialogue));
    enum err rc = roster_self_signed (self->roster, NULL, NULL, e);
    if (rc)
        error_at (e, "'%s'", self->settings->roster);
    return rc;
}

static enum err roster_open (struct run *self, struct error *e) {
    struct buf note = { 0 };
    enum err rc = disk_read_file (self->settings->roster, NOTE_MAX, &note, e);
    if (rc) {
        buf_free (&note);
        error_at (e, "agent/roster");
        return e->code = ERR_CONFIG;
    }
    self->roster = roster_read (buf_slice (&note), e);
    buf_free (&note);
    if (!self->roster) {
        error_at (e, "'%s'", self->settings->roster);
        return e->code;
    }
    return roster_check (self, e);
}

/* It may be in a newer roster than the file's: the broker's gate decides. */
static void listed_check (const struct run *self) {
    const char *name = identity_name (self->identity);
    const struct roster_delegation *entry =
        roster_delegation (self->roster, slice_text (name));
    struct keyset own;
    identity_keyset (self->identity, &own);
    if (!entry || entry->key_count == 0)
        log_warn ("NOT-LISTED", "delegation=%s roster=%lld", log_text (name),
                  (long long) roster_version (self->roster));
    else if (sodium_memcmp (entry->keys[0].link, own.link, KEY_SIZE) != 0)
        log_warn (
            "OTHER-KEYS",
            "delegation=%s roster=%lld why=\"the roster's newest keys are "
            "not those of the key file\"",
            log_text (name), (long long) roster_version (self->roster));
}

static enum err basis_open (struct run *self, struct error *e) {
    enum err rc = identity_open (self, e);
    return rc ? rc : roster_open (self, e);
}

/* Store */

static enum err store_make (const struct run *self, struct error *e) {
    const struct settings *s = self->settings;
    enum err rc = store_create (s->store, &s->dialogue,
                                identity_name (self->identity), e);
    if (rc)
        return error_at (e, "agent/store");
    log_info ("STORE-MADE", "file=%s", log_text (s->store));
    return ERR_NONE;
}

static enum err store_ensure (const struct run *self, struct error *e) {
    const char *path = self->settings->store;
    if (access (path, F_OK) == 0)
        return ERR_NONE;
    if (self->settings->new_store)
        return store_make (self, e);
    return error_set (e, ERR_CONFIG,
                      "there is no store '%s'. If this agent never ran, make "
                      "it: parley-agent init --config FILE. If it did, the "
                      "disk may be missing, or bring back a copy: a new store "
                      "has lost what was not sent yet",
                      path);
}

/* One agent a store. The descriptor stays open until SQLite has closed the
 * file: closing another one would drop SQLite's own locks. */
static enum err store_lock (struct run *self, struct error *e) {
    self->lock = disk_open (self->settings->store, DISK_WRITE, e);
    if (self->lock < 0)
        return e->code;
    if (flock (self->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_NONE;
    if (errno != EWOULDBLOCK)
        return error_sys (e, errno, "lock '%s'", self->settings->store);
    return error_set (e, ERR_STATE, "'%s' is in use by another agent",
                      self->settings->store);
}

/* What the link and the projector call, from their threads */

static void link_changed (void *arg) {
    struct run *self = arg;
    pthread_mutex_lock (&self->mutex);
    if (self->projector)
        projector_wake (self->projector);
    if (self->http)
        http_changed (self->http);
    pthread_mutex_unlock (&self->mutex);
}

static void plans_changed (void *arg) {
    struct run *self = arg;
    pthread_mutex_lock (&self->mutex);
    if (self->http)
        http_changed (self->http);
    pthread_mutex_unlock (&self->mutex);
}

static void link_failed (void *arg, const struct error *e) {
    struct run *self = arg;
    uint64_t one = 1;
    pthread_mutex_lock (&self->mutex);
    self->failure = *e;
    pthread_mutex_unlock (&self->mutex);
    if (write (self->failed, &one, sizeof one) < 0)
        log_error ("STORE-FAILED", "why=%s", log_text (e->text));
}

static enum err link_start (struct run *self, struct error *e) {
    const struct settings *s = self->settings;
    struct link_options options = {
        .identity = self->identity,
        .dialogue = s->dialogue,
        .store = s->store,
        .desk = s->desk,
        .feed = s->feed,
        .source = s->source,
        .roster = self->roster,
        .changed = link_changed,
        .failed = link_failed,
        .arg = self,
    };
    self->link = link_new (&options, e);
    return self->link ? ERR_NONE : e->code;
}

static enum err projector_start (struct run *self, struct error *e) {
    const struct settings *s = self->settings;
    struct projector_options options = {
        .store = s->store,
        .delegation = identity_name (self->identity),
        .dialogue = &s->dialogue,
        .link = self->link,
        .acknowledge = s->acknowledge,
        .changed = plans_changed,
        .arg = self,
    };
    struct projector *projector = projector_new (&options, e);
    if (!projector)
        return e->code;
    pthread_mutex_lock (&self->mutex);
    self->projector = projector;
    pthread_mutex_unlock (&self->mutex);
    return ERR_NONE;
}

static enum err http_start (struct run *self, struct error *e) {
    const struct settings *s = self->settings;
    struct http_options options = {
        .socket = s->socket,
        .tcp = s->tcp,
        .token_file = s->token_file,
        .socket_group = s->socket_group,
        .users = &self->settings->users,
        .store = s->store,
        .delegation = identity_name (self->identity),
        .dialogue = &s->dialogue,
        .link = self->link,
        .identity = self->identity,
        .projector = self->projector,
        .watch_command = s->watch_command,
        .digest_ms = s->digest_ms,
    };
    struct http *http = http_new (&options, e);
    if (!http)
        return e->code;
    pthread_mutex_lock (&self->mutex);
    self->http = http;
    pthread_mutex_unlock (&self->mutex);
    return ERR_NONE;
}

/* A run */

static enum err run_open (struct run *self, struct error *e) {
    enum err rc = basis_open (self, e);
    if (rc)
        return rc;
    listed_check (self);
    rc = store_ensure (self, e);
    if (!rc)
        rc = store_lock (self, e);
    if (!rc)
        rc = link_start (self, e);
    if (!rc)
        rc = projector_start (self, e);
    return rc ? rc : http_start (self, e);
}

static void run_close (struct run *self) {
    pthread_mutex_lock (&self->mutex);
    struct http *http = self->http;
    struct projector *projector = self->projector;
    self->http = NULL; /* they are called no more */
    self->projector = NULL;
    pthread_mutex_unlock (&self->mutex);
    http_destroy (&http);
    projector_destroy (&projector);
    link_destroy (&self->link);
    disk_close (&self->lock);
    roster_unref (&self->roster);
    identity_destroy (&self->identity);
    settings_destroy (&self->settings);
    close (self->failed);
    close (self->signals);
    pthread_mutex_destroy (&self->mutex);
}

static int signals_block (void) {
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGHUP);
    sigprocmask (SIG_BLOCK, &set, NULL);
    signal (SIGPIPE, SIG_IGN);
    return signalfd (-1, &set, SFD_CLOEXEC);
}

static void reload (struct run *self) {
    struct error e;
    const char *path = self->path;
    struct settings *fresh = settings_load (path, &e);
    if (!fresh) {
        log_error ("CONFIG-REFUSED", "why=%s kept=old", log_text (e.text));
        return;
    }
    log_set_level (fresh->log);
    http_set_users (self->http, &fresh->users);
    log_info ("RELOAD", "file=%s", log_text (path));
    settings_destroy (&fresh);
}

/* Until TERM or INT; false: the store has failed. */
static bool signals_serve (struct run *self) {
    struct pollfd waits[] = { { self->signals, POLLIN, 0 },
                              { self->failed, POLLIN, 0 } };
    for (;;) {
        if (poll (waits, 2, -1) < 0 && errno != EINTR)
            return true;
        if (waits[1].revents)
            return false;
        struct signalfd_siginfo info;
        if (!waits[0].revents
            || read (self->signals, &info, sizeof info) != sizeof info)
            continue;
        if (info.ssi_signo == SIGHUP) {
            reload (self);
            link_retry (self->link);
            continue;
        }
        log_info ("STOPPING", "signal=%u", info.ssi_signo);
        return true;
    }
}

static int store_gone (struct run *self) {
    pthread_mutex_lock (&self->mutex);
    struct error e = self->failure;
    pthread_mutex_unlock (&self->mutex);
    log_error ("STORE-FAILED",
               "why=%s advice=\"nothing that was reported as accepted is lost; "
               "mend the disk and start again\"",
               log_text (e.text));
    return exit_of (&e);
}

static void manager_tell (const char *state) {
    struct error e;
    if (notify_send (state, &e))
        log_warn ("NOTIFY-FAILED", "why=%s", log_text (e.text));
}

static int serve (const char *path, struct settings **settings_p) {
    struct run self = { .path = path, .settings = *settings_p, .lock = -1 };
    *settings_p = NULL;
    pthread_mutex_init (&self.mutex, NULL);
    self.signals = signals_block();
    self.failed = eventfd (0, EFD_CLOEXEC);
    struct error e;
    int code = EXIT_FINE;
    if (run_open (&self, &e)) {
        code = say ("START-FAILED", &e);
    } else {
        log_info ("READY", "delegation=%s socket=%s version=%s",
                  identity_name (self.identity),
                  log_text (self.settings->socket), PARLEY_VERSION);
        manager_tell (NOTIFY_READY);
        if (!signals_serve (&self))
            code = store_gone (&self);
        manager_tell (NOTIFY_STOPPING);
    }
    run_close (&self);
    if (code == EXIT_FINE)
        log_info ("STOPPED", "exit=%d", code);
    return code;
}

/* Commands */

static int command_run (struct settings **settings_p, const char *path,
                        bool check_only) {
    if (!check_only)
        return serve (path, settings_p);
    struct run self = { .settings = *settings_p };
    struct error e;
    int code = EXIT_FINE;
    if (basis_open (&self, &e))
        code = say ("CONFIG-REFUSED", &e);
    else
        printf ("configuration OK\n");
    roster_unref (&self.roster);
    identity_destroy (&self.identity);
    return code;
}

static int command_init (struct settings *settings) {
    struct run self = { .settings = settings };
    struct error e;
    enum err rc = basis_open (&self, &e);
    if (!rc)
        rc = store_make (&self, &e);
    int code = rc ? say ("INIT-FAILED", &e) : EXIT_FINE;
    roster_unref (&self.roster);
    identity_destroy (&self.identity);
    return code;
}

static int command (const char *path, bool check_only, bool init) {
    struct error e;
    struct settings *settings = settings_load (path, &e);
    if (!settings)
        return say ("CONFIG-REFUSED", &e);
    log_set_level (settings->log);
    int code = init ? command_init (settings)
                    : command_run (&settings, path, check_only);
    settings_destroy (&settings);
    return code;
}

static int usage (FILE *out, int code) {
    fputs (usage_text, out);
    return code;
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    const char *config = NULL;
    bool check = false;
    int c;
    while ((c = getopt_long (argc, argv, "nh", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            config = optarg;
            break;
        case 'n':
            check = true;
            break;
        case 'h':
            return usage (stdout, EXIT_FINE);
        case 'V':
            printf ("parley-agent %s\n", PARLEY_VERSION);
            return EXIT_FINE;
        default:
            return usage (stderr, EXIT_USAGE);
        }
    }
    if (sodium_init() < 0)
        return EXIT_INTERNAL;
    bool init = optind < argc && strcmp (argv[optind], "init") == 0;
    if (!config || argc - optind != (init ? 1 : 0) || (init && check))
        return usage (stderr, EXIT_USAGE);
    return command (config, check, init);
}
