/* hidden - numbers that the desk says this delegation may not read.
 *
 * They are passed over for good, so it has to be the roster at their places that
 * hides them. Where the present one did (it took the right away, and the next
 * gave it back), they are ours to read again. Which roster the desk judged by
 * does not stand in its reply: it was the newest one that we knew when we asked,
 * if `$log`, asked for once more after the reply, brings no other. */
#include "follow_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/topic.h"
#include "identity/rights.h"
#include "store/records.h"
#include "store/streams.h"

#define WAIT_RETRY_MS 1000

static int64_t newest_version (const struct core *core) {
    return roster_version (rosters_newest (core->rosters));
}

/* Of a direct stream nobody can tell: what its channels are is hidden too. */
static bool reads_now (const struct core *core, const struct stream *stream) {
    return stream->name[0] == '@'
           || rights_ask (
                  rosters_newest (core->rosters), slice_text (core->delegation),
                  slice_text (stream->name), RIGHT_READ, clock_wall_ms())
                  == VERDICT_YES;
}

void hidden_asked (struct follow *self, struct stream *stream) {
    stream->asked_order = ++self->order;
    stream->asked_version = newest_version (self->core);
}

void hidden_note (struct follow *self, struct stream *stream, int64_t last) {
    struct stream *log = stream_by_name (self, slice_text (CHANNEL_LOG));
    stream->hidden_last = last;
    stream->hidden_version = stream->asked_version;
    stream->hidden_order = self->order;
    if (log)
        log->check = true;
}

/* Nothing is known of them: asked for again. */
static void forget (struct stream *stream) {
    stream->hidden_last = 0;
    stream->check = true;
}

static enum err pass (struct follow *self, struct stream *stream,
                      struct error *e) {
    struct core *core = self->core;
    if (stream->hidden_last <= stream->upto) {
        forget (stream);
        return ERR_NONE;
    }
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = records_set_upto (core->store, stream->name, stream->hidden_last,
                               e);
    if (!rc)
        rc = streams_hide (core->store, stream->name, stream->upto + 1,
                           stream->hidden_last, e);
    if (rc)
        return rc;
    stream->upto = stream->hidden_last;
    forget (stream);
    core->changed = true;
    return fill_pending (self, stream, e);
}

enum err hidden_try (struct follow *self, const struct stream *log,
                     struct error *e) {
    enum err rc = ERR_NONE;
    if (log->check || log->call || log->upto < log->last)
        return ERR_NONE;
    for (struct stream *s = self->streams; !rc && s; s = s->next) {
        if (s->hidden_last == 0 || log->asked_order <= s->hidden_order)
            continue;
        if (s->hidden_version != newest_version (self->core)) {
            forget (s);
        } else if (!reads_now (self->core, s)) {
            forget (s);
            stream_stop (s, WAIT_RETRY_MS, "not ours to read at present");
        } else {
            rc = pass (self, s, e);
        }
    }
    return rc;
}
