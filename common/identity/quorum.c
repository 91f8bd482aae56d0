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

/* The two times that stand for the whole (section 7.5). */
static void times_judge (struct quorum *self) {
    int64_t sorted[QUORUM_WITNESSES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < self->witnesses; i++)
        if (self->times[i])
            sorted[n++] = self->times[i];
    qsort (sorted, n, sizeof sorted[0], ascending);
    if (self->needed > 0 && n >= self->needed)
        self->time = sorted[self->needed - 1];
    /* the (f+1)-th, counted from 1 */
    if (2 * self->needed > self->witnesses
        && 2 * self->needed - self->witnesses <= n)
        self->bound = sorted[2 * self->needed - self->witnesses - 1];
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
    times_judge (out);
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
