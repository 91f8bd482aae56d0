/* parley-broker - the relay's daemon; the operator's other commands: offline.h.
 *
 * Starts its threads in the order in which they need each other, waits for
 * signals, and stops them in the opposite order, so that all that was taken is
 * answered. */
#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/notify.h"
#include "cut.h"
#include "desk.h"
#include "feed.h"
#include "founding.h"
#include "gate.h"
#include "notary.h"
#include "offline.h"
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define INTAKE_QUEUE 1024 /* the pool of jobs is the bound that counts */

static const char usage_text[] =
    "usage: parley-broker --config FILE [-n]\n"
    "       parley-broker init --config FILE\n"
    "       parley-broker epoch --config FILE\n"
    "       parley-broker fsck DIR [--config FILE]\n"
    "       parley-broker repair --config FILE [--dry-run] BUNDLE...\n"
    "\n"
    "  --config FILE   run the broker that FILE describes\n"
    "  -n              check the configuration, keys and roster, and end\n"
    "  init            found a ledger, once, from the first roster\n"
    "  epoch           open the next epoch at the ledger's end, by the roster\n"
    "                  file: its base has to be the ledger's size and root\n"
    "  fsck DIR        check a ledger's folder without changing it; with the\n"
    "                  key that FILE names also what marks say of streams\n"
    "  repair BUNDLE...  put back what a ledger has lost, its end or damaged\n"
    "                  blocks, from the folders that parley audit export "
    "makes\n"
    "                  at agents of several bodies; --dry-run: only tell\n"
    "  --version, --help\n"
    "\n"
    "Signals: TERM and INT stop cleanly; HUP reads the configuration and the\n"
    "roster file again, and records a roster that is the next one.\n"
    "\n"
    "Exit: 0 fine, 64 usage, 65 the ledger is damaged, 70 internal, 74 the\n"
    "disk failed or is full, 75 in use by another process, 78 configuration,\n"
    "keys or roster. Do not restart by itself after 65 and 78.\n"
    "\n"
    "Example: parley-broker init --config /etc/parley/broker.conf\n"
    "         parley-broker --config /etc/parley/broker.conf\n";

/* What one run holds; made in this order, ended in the opposite one. */
struct run {
    const char *path; /* of the configuration */
    struct settings *settings;
    struct ledger ledger; /* lock, identity, journal, counters */
    struct state *state;
    void *context;
    struct gate *gate;
    struct timekeeper *time;
    struct refusals *refusals;
    struct job_pool *pool;
    struct feed *feed;
    struct notary *notary;
    struct desk *desk;
    struct meter *meter;
    struct commit *commit;
    struct fetch *fetch;
    struct intake *intake;
    char desk_bound[256], feed_bound[256];
    int signals; /* signalfd */
};

static void put_commit (void *arg, struct job *job) {
    commit_put (*(struct commit **) arg, job);
}

static enum err threads_start (struct run *self, struct error *e) {
    const struct settings *s = self->settings;
    self->gate = gate_new (self->state, self->context, e);
    if (!self->gate)
        return e->code;
    self->feed = feed_new (self->state, self->gate, self->context, s->feed,
                           self->feed_bound, e);
    if (!self->feed)
        return e->code;
    self->notary = notary_new (self->state, self->feed, s->state, e);
    if (!self->notary)
        return e->code;
    notary_set_scrub (self->notary, s->scrub_ms);
    struct desk_parts parts = { .state = self->state,
                                .time = self->time,
                                .pool = self->pool,
                                .context = self->context,
                                .endpoint = s->desk };
    self->desk = desk_new (&parts, self->desk_bound, e);
    if (!self->desk)
        return e->code;
    self->meter =
        meter_new (cut_port (self->desk_bound), cut_port (self->feed_bound), e);
    if (!self->meter)
        return e->code;
    desk_set_meter (self->desk, self->meter);
    desk_set_notary (self->desk, self->notary);
    struct commit_options options = { .mark_ms = s->mark_ms,
                                      .keep_free = (uint64_t) s->keep_free,
                                      .dir = s->state,
                                      .trust_first = s->commit_before_hello,
                                      .notary = self->notary,
                                      .reply = desk_reply,
                                      .reply_arg = self->desk };
    self->commit = commit_new (self->state, &self->ledger.counters, self->time,
                               self->refusals, self->feed, &options, e);
    if (!self->commit)
        return e->code;
    self->fetch = fetch_new (self->state, self->refusals, (size_t) s->jobs,
                             desk_reply, self->desk, e);
    if (!self->fetch)
        return e->code;
    fetch_set_notary (self->fetch, self->notary);
    self->intake = intake_new (self->state, s->intake_threads, INTAKE_QUEUE,
                               put_commit, &self->commit, e);
    if (!self->intake)
        return e->code;
    return desk_start (self->desk, self->intake, self->commit, self->fetch, e);
}

/* What was taken is answered: intake empties into commit, commit and fetch
 * into the desk, which sends. */
static void threads_stop (struct run *self) {
    if (self->desk)
        desk_stop_reading (self->desk);
    intake_destroy (&self->intake);
    commit_destroy (&self->commit);
    fetch_destroy (&self->fetch);
    desk_destroy (&self->desk);
    meter_destroy (&self->meter);
    notary_destroy (&self->notary);
    feed_destroy (&self->feed);
    gate_destroy (&self->gate);
}

static void run_close (struct run *self) {
    threads_stop (self);
    job_pool_destroy (&self->pool);
    refusals_close (&self->refusals);
    timekeeper_destroy (&self->time);
    state_destroy (&self->state);
    if (self->context)
        zmq_ctx_term (self->context);
    ledger_close (&self->ledger);
    settings_destroy (&self->settings);
}

/* Everything short of threads; with `check` nothing is opened for writing. */
static enum err run_open (struct run *self, struct error *e) {
    enum err rc = ledger_open (&self->ledger, self->settings, e);
    if (rc)
        return rc;
    struct roster_chain *chain = counters_take_chain (self->ledger.counters);
    self->state =
        state_new (self->ledger.identity, self->ledger.journal, &chain);
    state_set_log_time (self->state, self->ledger.counters->log_time);
    rc = ledger_identity_check (&self->ledger, self->state, e);
    if (rc)
        return rc;
    self->time = timekeeper_new (self->ledger.counters->log_time);
    self->refusals = refusals_open (self->settings->state, e);
    if (!self->refusals)
        return e->code;
    self->pool = job_pool_new ((size_t) self->settings->jobs);
    self->context = zmq_ctx_new();
    if (!self->pool || !self->context)
        return error_sys (e, errno, "make the desk's pool and sockets");
    zmq_ctx_set (self->context, ZMQ_IO_THREADS, 1);
    zmq_ctx_set (self->context, ZMQ_MAX_SOCKETS, 1023);
    return threads_start (self, e);
}

/* Two lines for whoever started us with port 0. */
static enum err ready_write (const struct run *self, struct error *e) {
    if (!self->settings->ready_file)
        return ERR_NONE;
    struct buf text = { 0 };
    buf_add_format (&text, "%s\n%s\n", self->desk_bound, self->feed_bound);
    enum err rc = disk_write_file (self->settings->ready_file,
                                   buf_slice (&text), true, e);
    buf_free (&text);
    return rc;
}

/* Said before what would follow from it: keys that are not listed. */
static enum err dialogue_check (const struct run *self,
                                const struct roster *next, struct error *e) {
    char have[HASH_TEXT_MAX], want[HASH_TEXT_MAX];
    struct roster *now = state_roster (self->state, NULL);
    const struct hash *own = roster_dialogue (now);
    enum err rc = ERR_NONE;
    if (!hash_equal (roster_dialogue (next), own))
        rc = error_set (
            e, ERR_CHAIN, "a roster of dialogue %s; this ledger is of %s",
            hash_text (have, roster_dialogue (next)), hash_text (want, own));
    roster_unref (&now);
    return rc;
}

/* The roster file, if it holds another roster than the one in force. */
static void roster_reload (struct run *self) {
    struct error e;
    struct roster *next = roster_file_read (self->settings->roster, &e);
    if (!next) {
        log_error ("ROSTER-REFUSED", "file=%s why=%s kept=old",
                   log_text (self->settings->roster), log_text (e.text));
        return;
    }
    enum err rc = dialogue_check (self, next, &e);
    if (!rc)
        rc = commit_roster (self->commit, next, &e);
    if (rc == ERR_EXISTS)
        log_info ("ROSTER-SAME", "version=%lld",
                  (long long) roster_version (next));
    else if (rc)
        log_error ("ROSTER-REFUSED", "version=%lld why=%s kept=old",
                   (long long) roster_version (next), log_text (e.text));
    else
        log_info ("ROSTER-RECORDED", "version=%lld",
                  (long long) roster_version (next));
    roster_unref (&next);
}

static void reload (struct run *self) {
    struct error e;
    struct settings *fresh = settings_load (self->path, &e);
    if (!fresh) {
        log_error ("CONFIG-REFUSED", "why=%s kept=old", log_text (e.text));
        return;
    }
    /* Addresses, folders and keys stay until the next start. */
    log_set_level (fresh->log);
    commit_set_keep_free (self->commit, (uint64_t) fresh->keep_free);
    notary_set_scrub (self->notary, fresh->scrub_ms);
    free (self->settings->roster);
    self->settings->roster = fresh->roster;
    fresh->roster = NULL;
    settings_destroy (&fresh);
    timekeeper_trust (self->time, clock_wall_ms(), clock_mono_ms());
    roster_reload (self);
}

/* At the start the file is only looked at: nothing is recorded before a hello,
 * and a roster never but on the operator's word. */
static void roster_compare (struct run *self) {
    struct error e;
    struct roster *now = state_roster (self->state, NULL);
    struct roster *file = roster_file_read (self->settings->roster, &e);
    if (!file)
        log_warn ("ROSTER-FILE", "file=%s why=%s",
                  log_text (self->settings->roster), log_text (e.text));
    else if (!hash_equal (roster_digest (file), roster_digest (now)))
        log_warn ("ROSTER-FILE",
                  "file=%s version=%lld in_force=%lld advice=\"the file holds"
                  " another roster than the ledger; SIGHUP records the next"
                  " one\"",
                  log_text (self->settings->roster),
                  (long long) roster_version (file),
                  (long long) roster_version (now));
    roster_unref (&file);
    roster_unref (&now);
}

/* Until TERM or INT. */
static void signals_serve (struct run *self) {
    for (;;) {
        struct signalfd_siginfo info;
        ssize_t n = read (self->signals, &info, sizeof info);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof info)
            return;
        if (info.ssi_signo == SIGHUP) {
            log_info ("RELOAD", "file=%s", log_text (self->path));
            reload (self);
            continue;
        }
        log_info ("STOPPING", "signal=%u", info.ssi_signo);
        return;
    }
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

/* Each connection is a descriptor, and the ledger needs some beside them. */
static void descriptors_raise (void) {
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void) setrlimit (RLIMIT_NOFILE, &limit); /* as it was, then */
}

static void manager_tell (const char *state) {
    struct error e;
    if (notify_send (state, &e))
        log_warn ("NOTIFY-FAILED", "why=%s", log_text (e.text));
}

static int serve (const char *path, struct settings **settings_p) {
    struct run self = { .path = path, .settings = *settings_p };
    *settings_p = NULL;
    struct error e;
    self.signals = signals_block();
    descriptors_raise();
    enum err rc = run_open (&self, &e);
    if (!rc)
        rc = ready_write (&self, &e);
    int code = EXIT_FINE;
    if (rc) {
        code = broker_say ("START-FAILED", &e);
    } else {
        log_info ("READY", "desk=%s feed=%s records=%lld version=%s",
                  self.desk_bound, self.feed_bound,
                  (long long) journal_size (self.ledger.journal),
                  PARLEY_VERSION);
        roster_compare (&self);
        if (state_hello_awaited (self.state, &e))
            log_info ("HELLOS-AWAITED", "why=%s", log_text (e.text));
        manager_tell (NOTIFY_READY);
        signals_serve (&self);
        manager_tell (NOTIFY_STOPPING);
    }
    run_close (&self);
    if (!rc)
        log_info ("STOPPED", "exit=%d", code);
    return code;
}

static int command_run (const char *path, bool check_only) {
    struct error e;
    struct settings *settings = settings_load (path, &e);
    if (!settings)
        return broker_say ("CONFIG-REFUSED", &e);
    log_set_level (settings->log);
    int code = EXIT_FINE;
    if (check_only) {
        if (ledger_settings_check (settings, &e))
            code = broker_say ("CONFIG-REFUSED", &e);
        else
            printf ("configuration OK\n");
    } else {
        code = serve (path, &settings);
    }
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
        { "dry-run", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    const char *config = NULL;
    bool check = false, dry = false;
    int c;
    while ((c = getopt_long (argc, argv, "nh", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            config = optarg;
            break;
        case 'n':
            check = true;
            break;
        case 'd':
            dry = true;
            break;
        case 'h':
            return usage (stdout, EXIT_FINE);
        case 'V':
            printf ("parley-broker %s\n", PARLEY_VERSION);
            return EXIT_FINE;
        default:
            return usage (stderr, EXIT_USAGE);
        }
    }
    int words = argc - optind;
    if (words >= 2 && config && strcmp (argv[optind], "repair") == 0)
        return command_repair (config, dry, argv + optind + 1,
                               (size_t) words - 1);
    if (dry)
        return usage (stderr, EXIT_USAGE);
    if (words == 0 && config)
        return command_run (config, check);
    if (words == 1 && config && strcmp (argv[optind], "init") == 0)
        return command_init (config);
    if (words == 1 && config && strcmp (argv[optind], "epoch") == 0)
        return command_epoch (config);
    if (words == 2 && strcmp (argv[optind], "fsck") == 0)
        return command_fsck (argv[optind + 1], config);
    return usage (stderr, EXIT_USAGE);
}
