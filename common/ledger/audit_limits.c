/* audit_limits - a bundle that is limited by author, topic or time: whether it
 * proves that all within these limits is here (PROTOCOL.md section 8.10). */
#include "base/clock.h"
#include "identity/rights.h"
#include "ledger/audit_impl.h"

#include <inttypes.h>

static const struct audit_stream *shown (const struct audit_report *report,
                                         const char *name) {
    for (size_t i = 0; i < report->stream_count; i++)
        if (strcmp (report->streams[i].name, name) == 0)
            return &report->streams[i];
    return NULL;
}

/* Of its own direct stream, and of channels that it may read. */
static bool exporter_reads (const struct audit_report *report,
                            const struct roster *roster, const char *stream) {
    struct slice exporter = slice_text (report->meta.exporter);
    if (stream[0] == '@')
        return slice_is (delegation_entity (exporter), stream + 1);
    return rights_ask (roster, exporter, slice_text (stream), RIGHT_READ,
                       report->last_time)
           == VERDICT_YES;
}

/* Streams of which no mark says anything here. */
static void streams_missing (struct audit *self) {
    struct audit_report *report = self->report;
    const struct roster *roster =
        self->roster_count ? self->rosters[self->roster_count - 1].roster
                           : NULL;
    size_t count = roster ? mark_streams (roster) : 0;
    for (size_t i = 0; i < count; i++) {
        char name[MARK_NAME_MAX];
        mark_stream_name (roster, i, name);
        if (!bundle_touches (&report->meta, name) || shown (report, name)
            || !exporter_reads (report, roster, name))
            continue;
        audit_unchecked (report,
                         "That nothing of %s within the limits of this bundle "
                         "is left out: the other records of %s would have to "
                         "be here, if only by their headers, and a mark's word "
                         "on it.",
                         name, name);
    }
}

static void times_missing (struct audit_report *report,
                           const struct audit_stream *s) {
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    const struct bundle_meta *meta = &report->meta;
    if (meta->since && s->from > 0
        && (s->opening < 0 || s->opened >= meta->since)) {
        clock_text (from, meta->since);
        if (s->opening < 0)
            audit_unchecked (report,
                             "That nothing of %s from %s on is left out in "
                             "front of its number %" PRId64 ": no mark here "
                             "stands there.",
                             s->name, from, s->from + 1);
        else
            audit_unchecked (report,
                             "That nothing of %s from %s on is left out: the "
                             "first mark here is of %s.",
                             s->name, from, clock_text (to, s->opened));
    }
    if (meta->until && s->time <= meta->until)
        audit_unchecked (report,
                         "That nothing of %s up to %s is left out: the last "
                         "mark here is of %s.",
                         s->name, clock_text (from, meta->until),
                         clock_text (to, s->time));
}

void audit_limits (struct audit *self) {
    struct audit_report *report = self->report;
    if (self->bodiless > 0)
        audit_unchecked (report,
                         "What %" PRId64 " records say that this bundle is "
                         "there for: they are here without their bodies, the "
                         "first is %" PRId64 ".",
                         self->bodiless, self->first_bodiless);
    if (!bundle_limited (&report->meta))
        return;
    streams_missing (self);
    for (size_t i = 0; i < report->stream_count; i++)
        if (bundle_touches (&report->meta, report->streams[i].name))
            times_missing (report, &report->streams[i]);
}
