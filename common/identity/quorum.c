#include "identity/quorum.h"

#include <inttypes.h>
#include <stdlib.h>

/* As sign keys are (section 5.5), by the witness's own time, ms. */
static bool valid_at (const struct roster_delegation *witness, int set,
                      int64_t at) {
    return !witness->revoked && (!witness->expires || at < witness->expires)
           && (set == 0 || at < witness->older_until);
}

enum err quorum_cosigned (const struct roster_delegation *witness,
                          const struct checkpoint *self,
                          const struct note *note, int64_t *time,
                          struct error *e) {
    int64_t at = 0;
    *time = 0;
    for (int i = 0; i < witness->key_count && at == 0; i++) {
        enum err rc = checkpoint_cosigned (self, note, witness->name,
                                           witness->keys[i].witness, &at, e);
        if (rc)
            return rc;
        if (at && !valid_at (witness, i, at * 1000))
            return error_set (e, ERR_SIGNATURE,
                              "'%s' cosigned at %" PRId64
                              ", when that key was not valid",
                              witness->name, at);
    }
    *time = at;
    return ERR_NONE;
}

static int ascending (const void *a, const void *b) {
    int64_t x, y;
    memcpy (&x, a, sizeof x);
    memcpy (&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The two times that stand for the whole (section 7.5), of lines dated from
 * `first` to `last`, s. */
static void times_judge (struct quorum *self, int64_t first, int64_t last) {
    int64_t sorted[QUORUM_WITNESSES_MAX];
    size_t n = 0;
    self->time = self->bound = 0;
    for (size_t i = 0; i < self->witnesses; i++)
        if (self->times[i] && self->times[i] >= first && self->times[i] <= last)
            sorted[n++] = self->times[i];
    qsort (sorted, n, sizeof sorted[0], ascending);
    if (self->needed > 0 && n >= self->needed)
        self->time = sorted[self->needed - 1];
    /* the (f+1)-th, counted from 1 */
    if (2 * self->needed > self->witnesses
        && 2 * self->needed - self->witnesses <= n)
        self->bound = sorted[2 * self->needed - self->witnesses - 1];
}

void quorum_near (struct quorum *self, int64_t mark_ms) {
    /* In whole seconds, rounded in favour of the line. */
    if (mark_ms > 0)
        times_judge (self, (mark_ms - QUORUM_NEAR_MS) / 1000,
                     (mark_ms + QUORUM_NEAR_MS + 999) / 1000);
}

void quorum_judge (const struct roster *roster, const struct checkpoint *self,
                   const struct note *note, struct quorum *out, size_t *bad) {
    size_t wrong = 0;
    memset (out, 0, sizeof *out);
    out->witnesses = roster_witnesses (roster);
    out->needed = (size_t) roster_quorum (roster);
    for (size_t i = 0; i < out->witnesses; i++) {
        if (quorum_cosigned (roster_witness_at (roster, i), self, note,
                             &out->times[i], NULL))
            wrong++;
        out->cosigned += out->times[i] != 0;
    }
    times_judge (out, 0, INT64_MAX);
    if (bad)
        *bad = wrong;
}

static enum err quorum_needed (const struct roster *roster,
                               const struct checkpoint *next,
                               const struct note *note, struct error *e) {
    struct quorum quorum;
    size_t bad;
    quorum_judge (roster, next, note, &quorum, &bad);
    if (quorum_whole (&quorum))
        return ERR_NONE;
    return error_set (e, ERR_RIGHT,
                      "%zu of the %zu cosignatures that roster %" PRId64
                      " needs, of its %zu witnesses (and %zu that are wrong)",
                      quorum.cosigned, quorum.needed, roster_version (roster),
                      quorum.witnesses, bad);
}

enum err quorum_settles (const struct roster *last, const struct roster *now,
                         const struct checkpoint *next, const struct note *note,
                         struct error *e) {
    enum err rc = quorum_needed (now, next, note, e);
    if (rc || !last || roster_epoch (last) != roster_epoch (now)
        || hash_equal (roster_digest (last), roster_digest (now)))
        return rc;
    rc = quorum_needed (last, next, note, e);
    if (rc)
        error_at (e, "handover");
    return rc;
}

/* Lines */

static const struct roster_delegation *witness_of (const struct roster *roster,
                                                   struct slice name) {
    for (size_t i = 0; roster && i < roster_witnesses (roster); i++)
        if (slice_is (name, roster_witness_at (roster, i)->name))
            return roster_witness_at (roster, i);
    return NULL;
}

static bool is_wrong (const struct roster_delegation *witness,
                      const struct checkpoint *self, const struct note *note) {
    int64_t time;
    for (int i = 0; witness && i < witness->key_count; i++)
        if (checkpoint_cosigned (self, note, witness->name,
                                 witness->keys[i].witness, &time, NULL))
            return true;
    return false;
}

bool quorum_line_good (const struct roster *last, const struct roster *now,
                       const struct checkpoint *self, const struct note *note,
                       size_t line) {
    const struct roster *rosters[] = { now, last };
    struct note alone = { .text = note->text, .count = 1 };
    bool counts = false;
    alone.lines[0] = note->lines[line];
    for (int i = 0; i < 2; i++) {
        const struct roster_delegation *w =
            witness_of (rosters[i], note->lines[line].name);
        int64_t time;
        if (is_wrong (w, self, &alone))
            return false;
        counts = counts
                 || (w && !quorum_cosigned (w, self, &alone, &time, NULL)
                     && time > 0);
    }
    return counts;
}

/* A second line of one key is wrong too. The id is in the first 8 characters. */
static bool is_second (const struct note *note, size_t line) {
    for (size_t i = 0; i < line; i++)
        if (slice_equal (note->lines[i].name, note->lines[line].name)
            && memcmp (note->lines[i].base64.data,
                       note->lines[line].base64.data, 5)
                   == 0)
            return true;
    return false;
}

void quorum_clean (const struct roster *last, const struct roster *now,
                   const struct checkpoint *self, const struct note *note,
                   struct buf *out) {
    buf_add_slice (out, note->text);
    buf_add_text (out, "\n");
    for (size_t i = 0; i < note->count; i++) {
        struct slice name = note->lines[i].name, base64 = note->lines[i].base64;
        if (!slice_is (name, self->origin)
            && (is_second (note, i)
                || !quorum_line_good (last, now, self, note, i)))
            continue;
        buf_add_format (out, "\xe2\x80\x94 %.*s %.*s\n", (int) name.size,
                        (const char *) name.data, (int) base64.size,
                        (const char *) base64.data);
    }
}
