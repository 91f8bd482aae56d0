/* complete_hidden - numbers that we may not read: the desk's cover stands for
 * them, and the marks behind the rosters that took and gave the right say how
 * many there may be (PROTOCOL.md section 8.12). */
#include "complete_impl.h"

#include "base/clock.h"
#include "base/topic.h"
#include "store/claims.h"
#include "store/hashes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COVER_LOOK_MS 1000
#define WRONG_RETRY_MS 30000

/* Covers */

static enum err cover_ask (struct complete *self, const char *stream,
                           const struct stream_span *span, struct error *e) {
    struct buf frame = { 0 };
    wire_cover_write (&frame, slice_text (stream), span->first - 1, span->last);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (self->core->calls, WIRE_COVER, frames, 1,
                              &self->cover.call, e);
    buf_free (&frame);
    snprintf (self->cover_stream, sizeof self->cover_stream, "%s", stream);
    self->cover_span = *span;
    return rc;
}

enum err cover_step (struct complete *self, int64_t now, struct error *e) {
    const char *stream;
    int64_t upto;
    bool newer;
    if (self->cover.call || now < self->cover.retry)
        return ERR_NONE;
    self->cover.retry = now + COVER_LOOK_MS;
    for (size_t n = 0;
         (stream = follow_stream (self->follow, n, &upto, &newer)); n++) {
        struct stream_span span;
        enum err rc = streams_wanted (self->core->store, stream, &span, e);
        if (rc != ERR_NOT_FOUND)
            return rc ? rc : cover_ask (self, stream, &span, e);
    }
    return ERR_NONE;
}

enum err cover_reply (struct complete *self, const struct reply *reply,
                      struct error *e) {
    struct store *store = self->core->store;
    struct stream_span span;
    struct hash cover[TREE_COVER_MAX];
    self->cover.call = 0;
    self->cover.retry = 0;
    if (reply->refused) {
        self->cover.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
        return ERR_NONE;
    }
    if (reply->count != 1 || reply->frames[0].size > sizeof cover
        || reply->frames[0].size % HASH_SIZE != 0)
        return error_set (e, ERR_MALFORMED, "a cover that is no hashes");
    if (reply->frames[0].size > 0)
        memcpy (cover, reply->frames[0].data, reply->frames[0].size);
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = streams_wanted (store, self->cover_stream, &span, e);
    if (rc || span.first != self->cover_span.first
        || span.last != self->cover_span.last) /* it has grown meanwhile */
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    rc = streams_cover (store, self->cover_stream, &span, cover,
                        reply->frames[0].size / HASH_SIZE, e);
    self->judged = 0;
    return rc;
}

enum err cover_doubt (struct complete *self, const char *stream,
                      struct error *e) {
    int64_t now = clock_mono_ms();
    bool some;
    if (now < self->uncover)
        return ERR_NONE;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = streams_uncover (self->core->store, stream, &some, e);
    if (rc || !some)
        return rc;
    self->uncover =
        now + (WRONG_RETRY_MS << (self->uncovered < 7 ? self->uncovered : 7));
    self->uncovered++;
    self->cover.retry = 0;
    return ERR_NONE;
}

/* Times in which a roster hid a stream, as counts of its records: numbers above
 * `from`, up to `to`. Where a mark of an older epoch would have to say which, a
 * time is as long as it may have been: a guess. */
struct hidden_times {
    const char *stream;
    size_t count;
    struct {
        int64_t from, to;
        bool guess;
    } * at; /* owned; room for as many as there are rosters */
};

static void times_add (struct hidden_times *self, int64_t from, int64_t to,
                       bool guess) {
    self->at[self->count].from = from;
    self->at[self->count].guess = guess;
    self->at[self->count++].to = to;
}

static enum err claim_count (struct slice octets, int64_t *count,
                             struct error *e) {
    struct mp in;
    struct mark_claim claim;
    mp_start (&in, octets);
    mark_claim_take (&in, &claim);
    *count = claim.stream.count;
    return mp_finish (&in, e) ? error_set (e, ERR_DAMAGED, "a claim is none")
                              : ERR_NONE;
}

/* How many records the stream had at that mark, as proved. ERR_NOT_FOUND: not
 * known. */
static enum err count_at (struct complete *self, const char *stream,
                          int64_t mark, int64_t *count, struct error *e) {
    if (mark == self->newest.sequence && mark == self->claims.mark) {
        const struct mark_claim *claim = claims_find (&self->claims, stream);
        *count = claim ? claim->stream.count : 0;
        return claim ? ERR_NONE : ERR_NOT_FOUND;
    }
    struct buf octets = { 0 };
    enum err rc = claims_get (self->core->store, stream, mark, &octets, e);
    if (!rc)
        rc = claim_count (buf_slice (&octets), count, e);
    buf_free (&octets);
    return rc;
}

/* The first mark of this epoch that says something of the stream: no more than
 * its count was there before. -1: none does. */
static int64_t epoch_mark (const struct complete *self, const char *stream) {
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    int64_t sequence, begin = marks_begin (self);
    for (size_t i = 0; i < roster_chain_count (chain); i++) {
        const struct roster *roster = roster_chain_nth (chain, i, &sequence);
        if (sequence >= begin
            && mark_stream_find (roster, slice_text (stream)) >= 0)
            return sequence + 1;
    }
    return -1;
}

/* The count at the mark behind a roster that took or gave the right. *guess: the
 * mark is of an older epoch, whose claims nobody makes any more, and what it said
 * is not known here. ERR_NOT_FOUND: the count at mark *lacks is not known yet. */
static enum err end_find (struct complete *self, const char *stream, bool reads,
                          int64_t *lacks, int64_t *count, bool *guess,
                          struct error *e) {
    enum err rc = count_at (self, stream, *lacks, count, e);
    if (rc != ERR_NOT_FOUND || *lacks >= marks_begin (self))
        return rc;
    *guess = true;
    *count = reads ? INT64_MAX : 0;
    int64_t mark = epoch_mark (self, stream);
    if (!reads || mark < 0)
        return ERR_NONE;
    *lacks = mark;
    return count_at (self, stream, mark, count, e);
}

/* ERR_NOT_FOUND: as end_find. */
static enum err times_find (struct complete *self, struct hidden_times *out,
                            int64_t *lacks, struct error *e) {
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    bool before = true, guess = false;
    int64_t from = 0, sequence, count;
    for (size_t i = 0; i < roster_chain_count (chain); i++) {
        const struct roster *roster = roster_chain_nth (chain, i, &sequence);
        bool reads = mark_reads (self, roster, out->stream);
        if (reads == before)
            continue;
        before = reads;
        count = 0;
        *lacks = sequence + 1;
        /* One that the roster does not have gets no records either. */
        enum err rc =
            i == 0 || mark_stream_find (roster, slice_text (out->stream)) < 0
                ? ERR_NONE
                : end_find (self, out->stream, reads, lacks, &count, &guess, e);
        if (rc)
            return rc;
        if (reads) {
            times_add (out, from, count, guess);
            guess = false;
        } else {
            from = count;
        }
    }
    if (!before)
        times_add (out, from, INT64_MAX, guess);
    return ERR_NONE;
}

/* Numbers that were hidden when no roster did. */
static enum err span_tell (struct complete *self, const char *stream,
                           int64_t first, int64_t last, struct error *e) {
    char what[128], name[MARK_NAME_MAX + 1];
    snprintf (name, sizeof name, "%c%s", LACK_HIDDEN, stream);
    snprintf (what, sizeof what,
              "%s: numbers %" PRId64 " to %" PRId64
              " are withheld: no roster hides number %" PRId64,
              stream, first, last, first);
    struct lack *lack = lack_note (self, name, 0, 0, false, what);
    if (lack->told)
        return ERR_NONE;
    lack->told = true;
    return complete_alarm (self, "WITHHELD", NULL, e, "%s", what);
}

/* From where on the span is in none of the times, which are in order; behind its
 * end: all of it is. Two times may touch: nothing was recorded under the roster
 * between them. */
static int64_t hidden_upto (const struct hidden_times *times,
                            const struct stream_span *span, bool guesses) {
    int64_t number = span->first;
    for (size_t i = 0; i < times->count; i++) {
        if (times->at[i].guess && !guesses)
            continue;
        int64_t to =
            times->at[i].to < span->last ? times->at[i].to : span->last;
        if (number > times->at[i].from && number <= to)
            number = to + 1;
    }
    return number;
}

/* It counts as hidden; said to whoever asks, since nothing proves it. */
static void guess_note (struct complete *self, const char *stream,
                        int64_t first, int64_t last) {
    if (self->unprovable[0] == '\0')
        snprintf (self->unprovable, sizeof self->unprovable,
                  "%s: whether a roster hid numbers %" PRId64 " to %" PRId64
                  " can't be proved any more, in another epoch",
                  stream, first, last);
}

/* The first run of such numbers; spans that touch are one, since it is chance
 * where a reply or a mark cut them. */
struct guessed {
    int64_t first, last; /* 0: none */
};

static void guess_add (struct guessed *self, int64_t first, int64_t last) {
    if (self->last == 0)
        self->first = first;
    if (self->last == 0 || first == self->last + 1)
        self->last = last;
}

static enum err spans_judge (struct complete *self,
                             const struct hidden_times *times, bool *fine,
                             struct error *e) {
    struct stream_span span = { 0 };
    struct guessed guessed = { 0 };
    enum err rc;
    while (!(rc = streams_hidden (self->core->store, times->stream, span.first,
                                  &span, e))) {
        int64_t first = hidden_upto (times, &span, false);
        if (first > span.last)
            continue;
        if (hidden_upto (times, &span, true) > span.last) {
            guess_add (&guessed, first, span.last);
            continue;
        }
        *fine = false;
        first = hidden_upto (times, &span, true);
        rc = span_tell (self, times->stream, first, span.last, e);
        if (rc)
            return rc;
    }
    if (guessed.last > 0)
        guess_note (self, times->stream, guessed.first, guessed.last);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The name under which it lacks that. */
static const char *times_lack (char name[MARK_NAME_MAX + 1],
                               const char *stream) {
    snprintf (name, MARK_NAME_MAX + 1, "%c%s", LACK_TIMES, stream);
    return name;
}

void hidden_withheld (struct complete *self, const char *what) {
    char name[MARK_NAME_MAX + 1];
    self->paths.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
    lack_note (self, times_lack (name, self->unproved_stream), 0, 0, false,
               what);
}

static enum err stream_prove (struct complete *self, const char *stream,
                              int64_t now, bool *fine, struct error *e) {
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    struct hidden_times times = { .stream = stream };
    struct stream_span span;
    char name[MARK_NAME_MAX + 1];
    int64_t lacks = 0;
    enum err rc = streams_hidden (self->core->store, stream, 0, &span, e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    times.at = mem_alloc ((roster_chain_count (chain) + 1) * sizeof *times.at);
    rc = times_find (self, &times, &lacks, e);
    if (!rc)
        rc = spans_judge (self, &times, fine, e);
    free (times.at);
    if (rc != ERR_NOT_FOUND) {
        lack_drop (self, times_lack (name, stream));
        return rc;
    }
    *fine = false;
    snprintf (self->unproved, sizeof self->unproved,
              "%s: whether a roster hides what is hidden is not proved yet",
              stream);
    if (self->paths.call || now < self->paths.retry)
        return ERR_NONE;
    snprintf (self->unproved_stream, sizeof self->unproved_stream, "%s",
              stream);
    return paths_ask (self, lacks, e);
}

enum err hidden_prove (struct complete *self, int64_t now, bool *fine,
                       struct error *e) {
    const char *stream;
    int64_t upto;
    bool newer;
    enum err rc = ERR_NONE;
    self->unproved[0] = self->unprovable[0] = '\0';
    for (size_t n = 0;
         !rc && (stream = follow_stream (self->follow, n, &upto, &newer)); n++)
        rc = stream_prove (self, stream, now, fine, e);
    return rc;
}

/* Claims of a mark behind a roster */

/* One node of a cover stands for numbers on both sides of the mark. That alone
 * is nothing wrong: the roster before it may have hidden them, and one after it.
 * Cut there, they are proved as two, and judged by the times. Where the mark is
 * of no use for the stream, nothing has to be known. */
static enum err hidden_cut (struct complete *self, const char *stream,
                            int64_t count, struct error *e) {
    if (strcmp (stream, self->unproved_stream) != 0)
        return ERR_NONE;
    enum err rc = streams_cut (self->core->store, stream, count, e);
    if (!rc)
        self->cover.retry = 0;
    return rc == ERR_NOT_FOUND ? error_set (e, ERR_DAMAGED,
                                            "stream %s: numbers around %" PRId64
                                            " are in a cover, and not hidden",
                                            stream, count)
                               : rc;
}

static enum err claim_keep (struct complete *self, const struct mark_held *mark,
                            const struct mark_claim *claim, const char *stream,
                            struct error *e) {
    struct hash root;
    struct error why;
    if (mark_claim_check (claim, mark->roster, &mark->root, &why)) {
        self->paths.retry = clock_mono_ms() + WRONG_RETRY_MS;
        return complete_alarm (self, "BAD-CLAIM", claim, e,
                               "mark of record %" PRId64 ", stream %s: %s",
                               mark->sequence, stream, why.text);
    }
    enum err rc = hashes_root (self->core->store, stream,
                               (uint64_t) claim->stream.count, &root, e);
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (rc == ERR_STATE)
        return hidden_cut (self, stream, claim->stream.count, e);
    if (rc)
        return rc;
    if (hash_equal (&root, &claim->stream.root))
        return claims_keep (self->core->store, mark->sequence, mark->time, true,
                            claim, e);
    self->paths.retry = clock_mono_ms() + WRONG_RETRY_MS;
    return complete_wrong (self, stream, mark, claim,
                           "they are not those that were given out", e);
}

/* The one that was asked for is not given. */
static void claim_lacks (struct complete *self, const struct mark_held *mark) {
    char what[128];
    self->paths.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
    if (!mark_owes (self, mark->roster, self->unproved_stream))
        return;
    snprintf (what, sizeof what,
              "%s: how many records it had at the mark of record %" PRId64
              " is withheld",
              self->unproved_stream, mark->sequence);
    hidden_withheld (self, what);
}

enum err hidden_claims (struct complete *self, const struct claims_held *claims,
                        struct error *e) {
    struct mark_held mark;
    const char *stream;
    int64_t upto;
    bool newer;
    enum err rc = mark_hold (self, claims->mark, &mark, e);
    if (!rc && !mark.behind_roster) /* of the newest one, until just now */
        return ERR_NONE;
    if (rc || !mark.has_root) {
        self->paths.retry = clock_mono_ms() + WRONG_RETRY_MS;
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    }
    rc = core_begin (self->core, e);
    for (size_t n = 0;
         !rc && (stream = follow_stream (self->follow, n, &upto, &newer));
         n++) {
        const struct mark_claim *claim = claims_find (claims, stream);
        if (claim)
            rc = claim_keep (self, &mark, claim, stream, e);
    }
    if (!rc && !claims_find (claims, self->unproved_stream))
        claim_lacks (self, &mark);
    self->judged = 0;
    return rc;
}
