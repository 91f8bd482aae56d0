/* audit_words - sentences of an audit. */
#include "audit_words.h"

#include "base/clock.h"

#include <inttypes.h>

static void who_and_what (struct buf *out, const struct bundle_meta *meta) {
    if (meta->author[0])
        buf_add_format (out, " by %s", meta->author);
    if (strcmp (meta->filter, "#") != 0)
        buf_add_format (out, " on %s", meta->filter);
}

void audit_words_limits (struct buf *out, const struct bundle_meta *meta) {
    char time[CLOCK_TEXT_MAX];
    buf_add_text (out, "all");
    who_and_what (out, meta);
    if (meta->since)
        buf_add_format (out, " from %s on", clock_text (time, meta->since));
    if (meta->until)
        buf_add_format (out, " up to %s", clock_text (time, meta->until));
    buf_add_text (out, " that the exporter may read");
}

void audit_words_stream (struct buf *out, const struct bundle_meta *meta,
                         const struct audit_stream *stream) {
    bool part = !bundle_takes_all (meta, stream->name)
                && bundle_touches (meta, stream->name);
    if (stream->count == 0) {
        buf_add_text (out, "nothing was written");
        return;
    }
    if (stream->from == stream->count) {
        buf_add_text (out, stream->opening >= 0
                               ? "nothing was written"
                               : "nothing that the exporter may read");
        return;
    }
    if (part) {
        buf_add_text (out, "every record");
        who_and_what (out, meta);
        buf_add_text (out, ", and the headers of ");
    }
    if (stream->from == 0)
        buf_add_format (out, "all %" PRId64 " records", stream->count);
    else
        buf_add_format (out, "numbers %" PRId64 " to %" PRId64,
                        stream->from + 1, stream->count);
}

void audit_words_opening (struct buf *out, const struct audit_stream *stream) {
    char time[CLOCK_TEXT_MAX];
    if (stream->opening >= 0 && stream->opening < stream->mark)
        buf_add_format (out, "from %s (record %" PRId64 ") ",
                        clock_text (time, stream->opened), stream->opening);
}
