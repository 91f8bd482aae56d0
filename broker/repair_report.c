/* repair_report - what a repair found and did, and what is to be done next. */
#include "repair.h"

#include <stdlib.h>

void repair_report_begin (struct repair_report *self) {
    *self = (struct repair_report){
        .covered = -1, .target = -1, .stopped = -1, .held = -1
    };
}

void repair_report_free (struct repair_report *self) {
    free (self->sources);
    repair_report_begin (self);
}

static void range_print (FILE *out, int64_t first, int64_t end) {
    if (end - first == 1)
        fprintf (out, "record %lld", (long long) first);
    else
        fprintf (out, "records %lld to %lld", (long long) first,
                 (long long) end - 1);
}

static void sources_print (const struct repair_report *self, FILE *out) {
    for (size_t i = 0; i < self->source_count; i++) {
        const struct repair_source *s = &self->sources[i];
        fprintf (out, "  %s (%s)", s->path, s->exporter);
        if (s->settled >= 0)
            fprintf (out, ", a checkpoint of %lld records",
                     (long long) s->settled);
        if (s->added)
            fprintf (out, ", %lld records", (long long) s->added);
        if (s->mended)
            fprintf (out, ", %lld in damaged blocks", (long long) s->mended);
        fprintf (out, "\n");
    }
}

static void mended_print (const struct repair_report *self, bool dry,
                          FILE *out) {
    if (self->rebuilt[0])
        fprintf (out, "segments    %s written anew: %s\n",
                 self->lack_records > 0 ? "would have to be"
                 : dry                  ? "would be"
                                        : "were",
                 self->rebuilt);
    if (self->mended == 0 && self->aside_count == 0)
        return;
    fprintf (out, "damage      blocks of %lld records %s put back\n",
             (long long) self->mended, dry ? "would be" : "were");
    for (size_t i = 0; i < self->aside_count; i++)
        fprintf (out, "            as it was: %s\n", self->asides[i]);
}

static void tail_print (const struct repair_report *self, bool dry, FILE *out) {
    int64_t from = self->covered > self->size ? self->covered : self->size;
    if (self->target > from)
        fprintf (
            out,
            "promised    records %lld to %lld, which no checkpoint covers, "
            "%s appended: %lld as they were promised, %lld between them by "
            "the leaf hash that two bodies hold\n",
            (long long) from, (long long) self->target - 1,
            dry ? "would be" : "were", (long long) self->promised,
            (long long) self->agreed);
    if (self->stopped >= 0)
        fprintf (out, "            not beyond record %lld: %s\n",
                 (long long) self->stopped, self->why);
    for (int64_t i = 0; i < self->lost_count && i < REPAIR_LOST_MAX; i++)
        fprintf (out, "lost        record %lld, promised to %s: %s\n",
                 (long long) self->lost[i].sequence, self->lost[i].exporter,
                 self->lost[i].held
                     ? "it is here, and what lies in front of it is not"
                     : "nobody brought it, so it has to be sent again");
    if (self->lost_count > REPAIR_LOST_MAX)
        fprintf (out, "lost        %lld more promised records\n",
                 (long long) self->lost_count - REPAIR_LOST_MAX);
}

static void end_print (const struct repair_report *self, bool dry, FILE *out) {
    if (self->covered < 0)
        fprintf (out, "end         no bundle has a checkpoint above it%s\n",
                 self->target < 0 ? ": nothing is appended" : "");
    else if (self->lack_records > 0)
        fprintf (
            out,
            "end         a checkpoint of %lld records is known; nothing is "
            "appended while records lack\n",
            (long long) self->covered);
    else
        fprintf (out,
                 "end         %lld records %s appended, to the %lld of the "
                 "newest checkpoint\n",
                 (long long) (self->covered - self->size),
                 dry ? "would be" : "were", (long long) self->covered);
    tail_print (self, dry, out);
    int64_t size = self->target > self->size ? self->target : self->size;
    if (self->held >= size && self->lost_count == 0)
        fprintf (out,
                 "not taken   records %lld to %lld: no checkpoint covers them, "
                 "and no promise needs them, so that nothing but their bodies' "
                 "word tells their places\n",
                 (long long) size, (long long) self->held);
}

static void lacks_print (const struct repair_report *self, FILE *out) {
    int64_t shown = 0;
    for (size_t i = 0; i < self->lack_count; i++) {
        const struct repair_range *lack = &self->lacks[i];
        bool open = self->open_end && i + 1 == self->lack_count;
        shown += lack->end - lack->first;
        fprintf (out, "lacking     ");
        range_print (out, lack->first, lack->end);
        fprintf (out, "%s%s%s\n", open ? " and maybe those behind" : "",
                 lack->place[0] ? ", damaged: " : "", lack->place);
    }
    if (shown < self->lack_records)
        fprintf (out, "lacking     %lld more records\n",
                 (long long) (self->lack_records - shown));
}

static void absent_print (const struct repair_report *self, FILE *out) {
    for (size_t i = 0; i < self->absent_count; i++)
        fprintf (out, "%s%s", i ? ", " : "", self->absent[i]);
}

static void next_print (const struct repair_report *self, bool dry, FILE *out) {
    if (self->lack_records > 0 || self->lost_count > 0) {
        fprintf (out, "next        ask for bundles (parley audit export DIR)");
        if (self->absent_count)
            fprintf (out, " of the bodies that have brought none: ");
        absent_print (self, out);
        fprintf (out, "; whose records lack is not known. Where nobody has "
                      "them any more, found the next epoch\n");
    } else if (dry) {
        fprintf (out, "next        the same without --dry-run\n");
    } else if (self->written_blocks || self->written_end) {
        fprintf (out, "next        parley-broker fsck, then start the broker; "
                      "its agents go on\n");
    } else {
        fprintf (out, "next        nothing is to be repaired by these\n");
    }
}

void repair_report_print (const struct repair_report *self, bool dry,
                          FILE *out) {
    fprintf (out, "ledger      %lld records\nbundles     %zu\n",
             (long long) self->size, self->source_count);
    sources_print (self, out);
    mended_print (self, dry, out);
    end_print (self, dry, out);
    lacks_print (self, out);
    next_print (self, dry, out);
}
