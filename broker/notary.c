/* notary - the thread that signs what it read back (PROTOCOL.md section 7.5).
 *
 * Two locks: `lock`, which commit takes, is never held for long; `notes_lock`
 * is held while cosignatures are verified, and while a handover is written to
 * the disk. Neither is taken under the other. `files_lock`, for the files that
 * are kept, is taken last. */
#include "notary_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Between two checkpoints while records come; tests that do not look at the pace
 * are not to wait for it (PARLEY_TEST_CHECKPOINT_MS). */
#define SIGN_MS 1000
#define LATE_MS 3000 /* so long nothing was signed: up to where it has read */
#define FOLLOW_MS 50 /* and between two readings, so that none is long */
#define FOLLOW_MOST 256 /* blocks between two looks at what else there is */
#define UNREAD_MS 1000  /* until another try where reading failed */
#define KEEP_MS 5000    /* between two writes of `settled` */
#define QUIET_MS 1000   /* nothing recorded for so long: time for the past */
#define SCRUB_MS 3600000
#define NEVER (INT64_MAX / 2)

struct notary {
    struct state *state; /* borrowed, both */
    struct feed *feed;   /* or NULL */
    char *dir;           /* of the files; owned */

    /* The thread's own. */
    pthread_t thread;
    bool started;
    struct notary_reader *reader;
    struct notary_scrub scrub;
    struct tree tree;    /* of what was read back */
    int64_t target;      /* records that are there to be read back */
    int64_t begun;       /* were there at the start: may be signed so far */
    int64_t marked;      /* the end behind the newest mark */
    int64_t signed_size; /* -1: none is */
    int64_t sign_ms;     /* SIGN_MS, or a test's */
    int64_t signed_ms, unread_ms, kept_ms; /* monotonic; when it happened */
    bool failed;                           /* damage in what is to be signed */
    bool key_said;                         /* that the log key is not ours */
    struct buf keep; /* what `settled` has to hold; empty: it does */
    int64_t keep_size;

    atomic_llong scrub_pause;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t wake;
    int64_t end, mark_end, grown_ms;
    bool calm;  /* the next growth is urgent */
    bool hurry; /* do not wait */
    bool stop;

    pthread_mutex_t notes_lock;
    struct notary_notes notes; /* under it */

    pthread_mutex_t files_lock;
    int64_t kept_size; /* of the note in `settled`, in this run */
};

/* Reading back */

static void close_damaged (struct notary *self, int64_t sequence,
                           const struct error *e) {
    struct refusal why;
    self->failed = true;
    refusal_set (&why, RULE_LEDGER_BEHIND);
    refusal_int (&why, "sequence", sequence);
    refusal_int (&why, "size", journal_size (state_journal (self->state)));
    if (state_closed (self->state, NULL) != RULE_LEDGER_BEHIND)
        state_close (self->state, &why);
    log_error ("LEDGER-DAMAGED",
               "record=%lld why=%s advice=\"no checkpoint covers it yet: "
               "nothing is taken or signed any more, and what can be read is "
               "served; keep the state folder as it is; parley-broker fsck "
               "names the place\"",
               (long long) sequence, log_text (e->text));
}

/* Up to what commit said. */
static void follow (struct notary *self) {
    struct notary_reader *reader = self->reader;
    for (int n = 0; !self->failed && n < FOLLOW_MOST
                    && (int64_t) self->tree.size < self->target;
         n++) {
        struct error e;
        enum err rc = notary_read (reader, (int64_t) self->tree.size, &e);
        if (rc == ERR_DAMAGED)
            close_damaged (self, reader->place, &e);
        if (rc) {
            self->unread_ms = clock_mono_ms();
            log_limited (LOG_ERROR, "NOTARY-UNREAD", "", "why=%s",
                         log_text (e.text));
            return;
        }
        for (size_t i = 0; i < reader->count; i++)
            tree_add (&self->tree, &reader->leaves[i]);
    }
}

/* Signing */

static bool may_sign (const struct notary *self) {
    return !self->failed && state_hello_was_heard (self->state)
           && state_closed (self->state, NULL) != RULE_LEDGER_BEHIND;
}

/* Records may come as fast as they are read back, for hours. What an earlier
 * run may have signed is signed again in no smaller size. */
static bool is_late (const struct notary *self, int64_t now) {
    return (int64_t) self->tree.size >= self->begun
           && now - self->signed_ms >= LATE_MS;
}

static bool sign_due (const struct notary *self, int64_t now) {
    int64_t size = (int64_t) self->tree.size;
    return size > self->signed_size
           && (size >= self->target || is_late (self, now)) && may_sign (self)
           && (self->marked > self->signed_size
               || now - self->signed_ms >= self->sign_ms);
}

/* An agent would take another key's for a forgery. */
static bool key_is_ours (struct notary *self, const struct roster *roster) {
    bool ours = memcmp (roster_log_key (roster),
                        identity_public (state_identity (self->state), KEY_LOG),
                        KEY_SIZE)
                == 0;
    if (!ours && !self->key_said)
        log_error ("LOG-KEY",
                   "roster=%lld why=\"its log key is not this broker's: no "
                   "checkpoint is signed\"",
                   (long long) roster_version (roster));
    self->key_said = !ours;
    return ours;
}

/* It is among the recent ones before anybody hears of it. */
static void checkpoint_put (struct notary *self, struct roster *roster) {
    struct checkpoint checkpoint = { .size = (int64_t) self->tree.size,
                                     .root = tree_root (&self->tree) };
    struct buf note = { 0 }, copy = { 0 };
    checkpoint_origin (roster, checkpoint.origin);
    checkpoint_sign (&checkpoint, state_identity (self->state), &note);
    buf_add_slice (&copy, buf_slice (&note));
    pthread_mutex_lock (&self->notes_lock);
    notary_notes_signed (&self->notes, &checkpoint, roster, &note,
                         self->signed_ms);
    pthread_mutex_unlock (&self->notes_lock);
    if (self->feed)
        feed_put_note (self->feed, FEED_CHECKPOINT, buf_slice (&copy));
    buf_free (&copy);
}

static void sign (struct notary *self, int64_t now) {
    struct roster *roster =
        state_roster_at (self->state, (int64_t) self->tree.size - 1);
    self->signed_size = (int64_t) self->tree.size;
    self->signed_ms = now;
    if (key_is_ours (self, roster))
        checkpoint_put (self, roster);
    else
        roster_unref (&roster);
}

/* What settled */

static void file_failed (const struct error *e) {
    log_limited (LOG_ERROR, "CHECKPOINT-UNKEPT", "", "why=%s",
                 log_text (e->text));
}

/* Under the lock of the notes: nobody is told before. */
static bool keep_now (void *arg, const struct notary_entry *entry) {
    struct notary *self = arg;
    struct error e;
    struct slice note = buf_slice (&entry->note);
    pthread_mutex_lock (&self->files_lock);
    bool kept = !notary_files_handover (
                    self->dir, roster_version (entry->roster), note, &e)
                && !notary_files_settled (self->dir, note, &e);
    if (kept)
        self->kept_size = entry->checkpoint.size;
    pthread_mutex_unlock (&self->files_lock);
    if (!kept)
        file_failed (&e);
    return kept;
}

/* These files are a help to the next start, no more: the witnesses would cosign
 * anew. A failure is said, and the next one is written all the same. */
static void keep_write (struct notary *self, int64_t now) {
    struct error e = { 0 };
    self->kept_ms = now;
    pthread_mutex_lock (&self->files_lock);
    if (self->keep_size >= self->kept_size /* no handover came meanwhile */
        && !notary_files_settled (self->dir, buf_slice (&self->keep), &e))
        self->kept_size = self->keep_size;
    pthread_mutex_unlock (&self->files_lock);
    if (e.code)
        file_failed (&e);
    buf_clear (&self->keep);
}

static void handover_write (struct notary *self, const struct notary_out *one) {
    struct error e = { 0 };
    pthread_mutex_lock (&self->files_lock);
    enum err rc = notary_files_handover (self->dir, one->version,
                                         buf_slice (&one->note), &e);
    pthread_mutex_unlock (&self->files_lock);
    if (rc)
        file_failed (&e);
}

static void out_take (struct notary *self, const struct notary_out *one) {
    struct checkpoint checkpoint;
    struct note note;
    if (self->feed
        && !checkpoint_read (buf_slice (&one->note), &checkpoint, &note, NULL)
        && note.count > 1) /* its own alone is out already */
        feed_put_note (self->feed, FEED_COSIGNATURES, buf_slice (&one->note));
    buf_clear (&self->keep);
    if (one->kept)
        return;
    if (one->handover)
        handover_write (self, one);
    buf_add_slice (&self->keep, buf_slice (&one->note));
    self->keep_size = one->size;
}

static void send_out (struct notary *self, int64_t now) {
    pthread_mutex_lock (&self->notes_lock);
    notary_notes_tick (&self->notes, now);
    struct notary_out *out = self->notes.out;
    size_t count = self->notes.out_count;
    bool handover = false;
    self->notes.out = NULL;
    self->notes.out_count = self->notes.out_room = 0;
    pthread_mutex_unlock (&self->notes_lock);
    for (size_t i = 0; i < count; i++) {
        out_take (self, &out[i]);
        handover = handover || out[i].handover;
        buf_free (&out[i].note);
    }
    free (out);
    /* After a handover the old witnesses may not be there to do it again. */
    if (self->keep.size > 0 && (handover || now - self->kept_ms >= KEEP_MS))
        keep_write (self, now);
}

/* The thread */

static int64_t least (int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t scrub_due (struct notary *self, int64_t grown_ms) {
    if (atomic_load (&self->scrub_pause) == 0 || self->tree.size == 0)
        return NEVER;
    int64_t quiet = grown_ms + QUIET_MS;
    return self->scrub.due_ms > quiet ? self->scrub.due_ms : quiet;
}

/* All that was read back is signed, and that is a second ago. */
static bool is_calm (const struct notary *self, int64_t now) {
    return !may_sign (self)
           || (now - self->signed_ms >= self->sign_ms
               && (int64_t) self->tree.size <= self->signed_size);
}

static int64_t next_due (struct notary *self, int64_t now, int64_t grown_ms,
                         bool calm) {
    int64_t due = scrub_due (self, grown_ms);
    pthread_mutex_lock (&self->notes_lock);
    due = least (due, notary_notes_due (&self->notes));
    pthread_mutex_unlock (&self->notes_lock);
    if (!calm)
        due = least (due, now + FOLLOW_MS);
    if (self->keep.size > 0)
        due = least (due, self->kept_ms + KEEP_MS);
    if (!self->failed && (int64_t) self->tree.size < self->target)
        due = least (due, self->unread_ms + UNREAD_MS);
    return due;
}

static struct timespec time_of (int64_t ms) {
    return (struct timespec){ .tv_sec = (time_t) (ms / 1000),
                              .tv_nsec = (long) (ms % 1000 * 1000000) };
}

/* false: stop. */
static bool wait_for_work (struct notary *self, int64_t *grown_ms) {
    int64_t now = clock_mono_ms();
    bool calm = is_calm (self, now);
    struct timespec until = time_of (next_due (self, now, *grown_ms, calm));
    int rc = 0;
    pthread_mutex_lock (&self->lock);
    if (calm && self->end > self->target)
        self->hurry = true; /* since the last look */
    self->calm = calm;
    while (!self->hurry && !self->stop && rc == 0)
        rc = pthread_cond_timedwait (&self->wake, &self->lock, &until);
    self->hurry = self->calm = false;
    self->target = self->end;
    self->marked = self->mark_end;
    *grown_ms = self->grown_ms;
    bool more = !self->stop;
    pthread_mutex_unlock (&self->lock);
    return more;
}

/* Commit has ended: what it recorded last is signed too. */
static void end_run (struct notary *self) {
    int64_t before = -1, now = clock_mono_ms();
    while (before < (int64_t) self->tree.size) {
        before = (int64_t) self->tree.size;
        follow (self);
    }
    self->marked = self->target;
    if (sign_due (self, now))
        sign (self, now);
    send_out (self, now);
    if (self->keep.size > 0)
        keep_write (self, now);
}

static void *run (void *arg) {
    struct notary *self = arg;
    int64_t grown_ms = clock_mono_ms();
    while (wait_for_work (self, &grown_ms)) {
        follow (self);
        int64_t now = clock_mono_ms();
        if (sign_due (self, now))
            sign (self, now);
        send_out (self, now);
        if (now >= scrub_due (self, grown_ms))
            notary_scrub_step (&self->scrub, self->reader,
                               (int64_t) self->tree.size, now,
                               atomic_load (&self->scrub_pause));
    }
    end_run (self);
    return NULL;
}

static void hurry (struct notary *self) {
    pthread_mutex_lock (&self->lock);
    self->hurry = true;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->lock);
}

/* Start and end */

static void close_behind (struct notary *self, const char *dir) {
    struct refusal why;
    int64_t size = journal_size (state_journal (self->state));
    int64_t settled = self->notes.settled.checkpoint.size;
    refusal_set (&why, RULE_LEDGER_BEHIND);
    refusal_int (&why, "sequence", settled - 1);
    refusal_int (&why, "size", size);
    state_close (self->state, &why);
    log_error ("LEDGER-BEHIND",
               "sequence=%lld size=%lld file=%s/settled advice=\"the ledger is "
               "shorter than a checkpoint that was settled: was an old copy of "
               "the journal restored? Stop the broker, and bring back the "
               "newest copy of its state folder\"",
               (long long) settled - 1, (long long) size, log_text (dir));
}

/* The tree as far as what is kept bears it out; all above is read back. */
static enum err tree_begin (struct notary *self, struct error *e) {
    struct index_source source;
    const struct journal *journal = state_journal (self->state);
    struct tree_source hashes = journal_source (&source, journal, NULL);
    const struct checkpoint *settled = &self->notes.settled.checkpoint;
    self->target = journal_size (journal);
    bool known = settled->size > 0 && settled->size <= self->target;
    enum err rc = tree_grow (&self->tree,
                             (uint64_t) (known ? settled->size : self->target),
                             &hashes, e);
    if (rc) {
        error_at (e, "the ledger's stored hashes (remove the folder 'index' "
                     "beside the journal: it is made anew)");
        return rc == ERR_NOT_FOUND ? (e->code = ERR_DAMAGED) : rc;
    }
    struct hash root = tree_root (&self->tree);
    if (known && !hash_equal (&root, &settled->root))
        return error_set (e, ERR_DAMAGED,
                          "%s/settled: the ledger has another root at its "
                          "size, %" PRId64 " (parley-broker fsck finds which "
                          "is damaged, ledger, file or index)",
                          self->dir, settled->size);
    if (settled->size > self->target)
        close_behind (self, self->dir);
    return ERR_NONE;
}

static enum err begin (struct notary *self, struct error *e) {
    enum err rc =
        notary_files_load (self->dir, self->state, &self->notes.settled, e);
    if (!rc)
        rc = tree_begin (self, e);
    if (rc)
        return rc;
    int64_t settled = self->notes.settled.checkpoint.size;
    self->signed_size = self->notes.signed_size = settled > 0 ? settled : -1;
    self->end = self->begun = self->target;
    self->notes.lines_out = self->notes.settled.lines;
    self->notes.keep = keep_now;
    self->notes.keep_arg = self;
    int failed = pthread_create (&self->thread, NULL, run, self);
    self->started = failed == 0;
    return failed ? error_sys (e, failed, "the notary's thread") : ERR_NONE;
}

static int64_t sign_pace (void) {
    const char *text = getenv ("PARLEY_TEST_CHECKPOINT_MS");
    char *end;
    if (!text)
        return SIGN_MS;
    long long ms = strtoll (text, &end, 10);
    if (end == text || *end || ms < 0 || ms > SIGN_MS) {
        fprintf (stderr, "parley: PARLEY_TEST_CHECKPOINT_MS=%s?\n", text);
        abort();
    }
    return ms;
}

struct notary *notary_new (struct state *state, struct feed *feed,
                           const char *dir, struct error *e) {
    struct error own;
    struct notary *self = mem_alloc (sizeof *self);
    struct buf path = { 0 };
    buf_add_format (&path, "%s/checkpoints", dir);
    self->dir = buf_take_text (&path);
    self->state = state;
    self->feed = feed;
    self->reader = mem_alloc (sizeof *self->reader);
    self->reader->journal = state_journal (state);
    self->sign_ms = sign_pace();
    self->signed_ms = self->unread_ms = self->kept_ms = -NEVER;
    self->grown_ms = clock_mono_ms();
    atomic_store (&self->scrub_pause, SCRUB_MS);
    pthread_mutex_init (&self->lock, NULL);
    pthread_mutex_init (&self->notes_lock, NULL);
    pthread_mutex_init (&self->files_lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init (&attr);
    pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
    pthread_cond_init (&self->wake, &attr);
    pthread_condattr_destroy (&attr);
    if (begin (self, e ? e : &own))
        notary_destroy (&self);
    return self;
}

void notary_destroy (struct notary **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct notary *self = *self_p;
    *self_p = NULL;
    if (self->started) {
        pthread_mutex_lock (&self->lock);
        self->stop = true;
        pthread_cond_signal (&self->wake);
        pthread_mutex_unlock (&self->lock);
        pthread_join (self->thread, NULL);
    }
    pthread_cond_destroy (&self->wake);
    pthread_mutex_destroy (&self->lock);
    pthread_mutex_destroy (&self->notes_lock);
    pthread_mutex_destroy (&self->files_lock);
    notary_notes_free (&self->notes);
    notary_reader_free (self->reader);
    free (self->reader);
    buf_free (&self->keep);
    free (self->dir);
    free (self);
    errno = saved;
}

void notary_set_scrub (struct notary *self, int64_t pause_ms) {
    atomic_store (&self->scrub_pause, pause_ms);
    hurry (self);
}

/* From others */

void notary_begin (struct notary *self) {
    hurry (self);
}

void notary_grown (struct notary *self, bool mark) {
    int64_t size = journal_size (state_journal (self->state));
    pthread_mutex_lock (&self->lock);
    self->end = size;
    self->grown_ms = clock_mono_ms();
    if (mark)
        self->mark_end = size;
    if (mark || self->calm) {
        self->hurry = true;
        pthread_cond_signal (&self->wake);
    }
    pthread_mutex_unlock (&self->lock);
}

enum err notary_cosign (struct notary *self, const char *delegation,
                        struct slice note, int64_t *settled, struct error *e) {
    pthread_mutex_lock (&self->notes_lock);
    enum err rc = notary_notes_cosign (&self->notes, delegation, note,
                                       clock_mono_ms(), e);
    int64_t size = self->notes.settled.checkpoint.size;
    bool news = self->notes.out_count > 0
                || notary_notes_due (&self->notes) != INT64_MAX;
    pthread_mutex_unlock (&self->notes_lock);
    *settled = size > 0 ? size : -1;
    if (news)
        hurry (self);
    return rc;
}

static const struct notary_entry *entry_for (const struct notary_notes *notes,
                                             enum wire_which which,
                                             int64_t version, int64_t size) {
    const struct notary_entry *settled = &notes->settled;
    const struct notary_entry *newest = notary_notes_newest (notes);
    if (which == WIRE_NEWEST) /* of an earlier run only where it is the end */
        return newest && (!newest->kept || newest->checkpoint.size == size)
                   ? newest
                   : NULL;
    if (settled->checkpoint.size == 0
        || (which == WIRE_HANDOVER
            && (!settled->handover
                || roster_version (settled->roster) != version)))
        return NULL;
    return settled;
}

enum err notary_note (struct notary *self, enum wire_which which,
                      int64_t version, struct buf *out, struct error *e) {
    pthread_mutex_lock (&self->notes_lock);
    const struct notary_entry *entry =
        entry_for (&self->notes, which, version,
                   journal_size (state_journal (self->state)));
    if (entry)
        buf_add_slice (out, buf_slice (&entry->note));
    pthread_mutex_unlock (&self->notes_lock);
    if (entry)
        return ERR_NONE;
    if (which != WIRE_HANDOVER)
        return error_set (e, ERR_NOT_FOUND, "no checkpoint is there yet");
    struct buf file = { 0 };
    enum err rc = notary_files_read (self->dir, version, &file, e);
    if (rc == ERR_NOT_FOUND)
        rc = error_set (e, ERR_NOT_FOUND,
                        "no settled checkpoint ended with roster %" PRId64,
                        version);
    if (!rc)
        buf_add_slice (out, buf_slice (&file));
    buf_free (&file);
    return rc;
}

static enum err shown_judge (struct notary *self,
                             const struct checkpoint *shown, struct error *e) {
    const struct journal *journal = state_journal (self->state);
    int64_t size = journal_size (journal);
    if (shown->size > size)
        return error_set (e, ERR_CHAIN,
                          "a checkpoint of size %" PRId64
                          " was signed; the ledger has %" PRId64,
                          shown->size, size);
    struct index_source source;
    struct tree_source hashes = journal_source (&source, journal, NULL);
    struct hash root;
    enum err rc = tree_source_root (&hashes, (uint64_t) shown->size, &root, e);
    if (!rc && !hash_equal (&root, &shown->root))
        rc = error_set (e, ERR_CHAIN,
                        "a checkpoint of size %" PRId64
                        " was signed with another root than the ledger's",
                        shown->size);
    return rc;
}

enum err notary_shown (struct notary *self, struct slice octets,
                       struct error *e) {
    struct checkpoint shown;
    struct note note;
    char origin[ORIGIN_MAX + 1];
    enum err rc = checkpoint_read (octets, &shown, &note, e);
    if (rc)
        return rc;
    struct roster *roster = state_roster (self->state, NULL);
    checkpoint_origin (roster, origin);
    rc = checkpoint_check_log (&shown, &note, origin, roster_log_key (roster),
                               e);
    roster_unref (&roster);
    return rc ? rc : shown_judge (self, &shown, e);
}

int64_t notary_signed_time (struct notary *self) {
    pthread_mutex_lock (&self->notes_lock);
    int64_t ms = self->notes.signed_ms;
    pthread_mutex_unlock (&self->notes_lock);
    return ms;
}

void notary_sizes (struct notary *self, int64_t *signed_size,
                   int64_t *settled_size, int64_t *settled_time) {
    pthread_mutex_lock (&self->notes_lock);
    int64_t settled = self->notes.settled.checkpoint.size;
    *signed_size = self->notes.signed_size;
    *settled_size = settled > 0 ? settled : -1;
    *settled_time = self->notes.settled.settled_ms;
    pthread_mutex_unlock (&self->notes_lock);
}
