/* audit_checkpoints - which checkpoints of a bundle the log and a quorum of its
 * witnesses signed (PROTOCOL.md section 7.5), and what rests on the broker's
 * word all the same. */
#include "ledger/audit_impl.h"

#include "identity/quorum.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECKPOINTS_MAX 65536 /* some 400 octets each are kept */
#define UNCHECKED_MAX 64

void audit_unchecked (struct audit_report *report, const char *format, ...) {
    if (report->unchecked_count == UNCHECKED_MAX)
        return;
    struct buf text = { 0 };
    char line[512];
    va_list args;
    va_start (args, format);
    vsnprintf (line, sizeof line, format, args);
    va_end (args);
    buf_add_text (&text, line);
    report->unchecked =
        mem_resize (report->unchecked,
                    (report->unchecked_count + 1) * sizeof *report->unchecked);
    report->unchecked[report->unchecked_count++] = buf_take_text (&text);
}

/* What the handover rule asks between this checkpoint and the one before it in
 * the bundle. There may have been others between them, which are not here. */
static enum err judge_quorum (struct audit *self, const struct roster *last,
                              const struct roster *now,
                              const struct checkpoint *cp,
                              const struct note *note, struct error *e) {
    enum err rc = quorum_settles (now, now, cp, note, e);
    if (rc || !last || !quorum_settles (last, now, cp, note, NULL))
        return rc;
    audit_unchecked (self->report,
                     "The checkpoint of size %" PRId64
                     " is not cosigned by a quorum of the witnesses of roster "
                     "version %" PRId64
                     ", and the one that handed over from them to those of "
                     "version %" PRId64 " is not in the bundle.",
                     cp->size, roster_version (last), roster_version (now));
    return ERR_NONE;
}

static void add_point (struct audit *self, const struct checkpoint *cp,
                       const struct note *note, const struct roster *now) {
    /* Doubles at each power of two. */
    if ((self->point_count & (self->point_count - 1)) == 0)
        self->points = mem_resize (self->points, 2 * (self->point_count + 1)
                                                     * sizeof *self->points);
    struct audit_point *point = &self->points[self->point_count++];
    *point = (struct audit_point){ .size = cp->size, .root = cp->root };
    struct audit_settled *settled = &point->settled;
    settled->size = -1;
    if (!now)
        return;
    struct quorum quorum;
    quorum_judge (now, cp, note, &quorum, NULL);
    *settled = (struct audit_settled){ .size = cp->size,
                                       .roster_version = roster_version (now),
                                       .witnesses = quorum.witnesses,
                                       .cosigned = quorum.cosigned,
                                       .needed = quorum.needed,
                                       .time = quorum.time,
                                       .bound = quorum.bound,
                                       .checkpoint = *cp };
}

/* Of one whose end is above what the bundle shows of rosters nothing but its
 * form can be judged. */
static enum err judge (struct audit *self, const struct roster **last,
                       const struct checkpoint *cp, const struct note *note,
                       struct error *e) {
    char origin[ORIGIN_MAX + 1];
    const struct roster *now = NULL;
    if (cp->size - 1 <= self->report->meta.last)
        now = audit_roster_in_force (self, cp->size - 1);
    if (now) {
        checkpoint_origin (now, origin);
        enum err rc =
            checkpoint_check_log (cp, note, origin, roster_log_key (now), e);
        if (!rc)
            rc = judge_quorum (self, *last, now, cp, note, e);
        if (rc)
            return rc;
        *last = now;
    } else
        audit_unchecked (self->report,
                         "Who had to sign the checkpoint of size %" PRId64
                         ": the roster in force at its end is not known here.",
                         cp->size);
    add_point (self, cp, note, now);
    return ERR_NONE;
}

static enum err read_one (struct audit *self, struct slice octets,
                          const struct roster **last, struct error *e) {
    struct checkpoint cp;
    struct note note;
    enum err rc = checkpoint_read (octets, &cp, &note, e);
    if (rc)
        return rc;
    int64_t before =
        self->point_count ? self->points[self->point_count - 1].size : 0;
    if (cp.size <= before)
        return error_set (e, ERR_CHAIN, "size %" PRId64 " behind %" PRId64,
                          cp.size, before);
    if (self->point_count == CHECKPOINTS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d", CHECKPOINTS_MAX);
    if (judge (self, last, &cp, &note, e))
        return error_at (e, "size %" PRId64, cp.size);
    return ERR_NONE;
}

/* Only the log's line is there: nothing else of it is judged. */
static enum err judge_verified (struct audit *self, struct slice octets,
                                struct error *e) {
    struct checkpoint cp;
    struct note note;
    char origin[ORIGIN_MAX + 1];
    enum err rc = checkpoint_read (octets, &cp, &note, e);
    if (rc)
        return rc;
    int64_t before =
        self->point_count ? self->points[self->point_count - 1].size : 0;
    const struct roster *now = cp.size - 1 <= self->report->meta.last
                                   ? audit_roster_in_force (self, cp.size - 1)
                                   : NULL;
    if (cp.size <= before || note.count != 1)
        return error_set (e, ERR_CHAIN,
                          "size %" PRId64 " with %zu lines, where one of the "
                          "log alone above %" PRId64 " has to stand",
                          cp.size, note.count, before);
    if (!now)
        return error_set (e, ERR_CHAIN,
                          "size %" PRId64 ": the roster in force at its end is "
                          "not known here",
                          cp.size);
    checkpoint_origin (now, origin);
    rc = checkpoint_check_log (&cp, &note, origin, roster_log_key (now), e);
    if (rc)
        return rc;
    add_point (self, &cp, &note, NULL);
    self->points[self->point_count - 1].logged = true;
    return ERR_NONE;
}

static enum err read_verified (struct audit *self, struct bundle *bundle,
                               struct error *e) {
    struct slice note;
    enum err rc = bundle_verified (bundle, &note, e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    return judge_verified (self, note, e) ? error_at (e, "verified") : ERR_NONE;
}

enum err audit_checkpoints (struct audit *self, struct error *e) {
    const struct roster *last = NULL;
    struct slice note;
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_checkpoint (bundle, &note, e)))
        if (read_one (self, note, &last, e))
            rc = error_at (e, "checkpoints, number %zu", self->point_count + 1);
    self->report->checkpoints = (int64_t) self->point_count;
    if (rc == ERR_NOT_FOUND)
        rc = read_verified (self, bundle, e);
    bundle_close (&bundle);
    return rc;
}

/* The report. */

void audit_report_free (struct audit_report *self) {
    for (size_t i = 0; i < self->unchecked_count; i++)
        free (self->unchecked[i]);
    free (self->unchecked);
    free (self->streams);
    *self = (struct audit_report){ 0 };
}

/* Which of them hold: in their order. */
static const char *caveat (const struct audit_report *r, size_t which) {
    bool settled = r->settled.size > 0;
    switch (which) {
    case 0:
        return settled ? NULL
                       : "The place and the log time of each record are the "
                         "broker's word: no checkpoint here signs them. A "
                         "promise proves the place of the record that it "
                         "names.";
    case 1:
        return settled && r->settled.size <= r->meta.last
                   ? "No quorum of witnesses has seen the place of the records "
                     "behind the settled ones: it is the broker's word yet."
                   : NULL;
    case 2:
        return settled && r->settled.needed == 0
                   ? "The roster has no witnesses: that nobody else is shown "
                     "another ledger is the broker's word."
                   : NULL;
    case 3:
        return r->stream_count == 0
                   ? "That no record is left out is the broker's word too, but "
                     "for those that a promise names."
                   : "That no record is left out is shown for the streams that "
                     "are named as complete, up to the time named; for all "
                     "others, and behind it, it is the word of broker and "
                     "exporter.";
    case 4:
        return r->leaves + r->holes > 0
                   ? "Of a record that is here as a leaf hash or not at all, "
                     "this bundle shows neither author nor content."
                   : NULL;
    default:
        return NULL;
    }
}

/* Behind a settled size what is not here may be nobody's yet. */
bool audit_whole (const struct audit_report *report) {
    return report->unchecked_count == 0 && report->newer == 0
           && (report->holes == 0 || report->settled.size >= 0);
}

const char *audit_caveat (const struct audit_report *report, size_t n) {
    for (size_t which = 0; which <= 4; which++) {
        const char *text = caveat (report, which);
        if (text && n-- == 0)
            return text;
    }
    return n < report->unchecked_count ? report->unchecked[n] : NULL;
}
