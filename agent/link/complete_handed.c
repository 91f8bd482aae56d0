/* complete_handed - records that we handed in on channels that we may not read:
 * whoever may, is shown them (PROTOCOL.md section 8.12). */
#include "complete_impl.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

static enum err ask (struct complete *self, struct error *e) {
    struct buf frame = { 0 };
    self->handed_asked = self->mark;
    wire_handed_write (&frame, self->mark, self->handed_row.sequence);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (self->core->calls, WIRE_HANDED, frames, 1,
                              &self->handed.call, e);
    buf_free (&frame);
    return rc;
}

enum err handed_step (struct complete *self, int64_t now, struct error *e) {
    struct core *core = self->core;
    if (self->handed.call || now < self->handed.retry
        || self->handed_mark == self->mark || self->mark < marks_begin (self))
        return ERR_NONE;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = handed_next (core->store,
                          roster_epoch (rosters_newest (core->rosters)),
                          self->mark, &self->handed_row, e);
    if (!rc)
        return ask (self, e);
    if (rc != ERR_NOT_FOUND)
        return rc;
    self->handed_mark = self->mark;
    return ERR_NONE;
}

/* The streams that have to carry it, and those that were proved to. */
struct carriers {
    const struct mark_held *mark;
    const struct handed_row *row;
    char names[ADHOC_ENTITIES_MAX][MARK_NAME_MAX];
    bool proved[ADHOC_ENTITIES_MAX];
    size_t count;
};

/* One that the mark does not have can't be asked for. */
static void carrier_add (struct carriers *self, bool direct,
                         struct slice name) {
    char *out = self->names[self->count];
    snprintf (out, MARK_NAME_MAX, "%s%.*s", direct ? "@" : "", (int) name.size,
              (const char *) name.data);
    if (mark_stream_find (self->mark->roster, slice_text (out)) >= 0)
        self->count++;
}

static void carriers_find (struct carriers *self) {
    struct slice entity,
        channel = topic_channel (slice_text (self->row->topic));
    if (!channel_is_adhoc (channel)) {
        if (channel.size > 0)
            carrier_add (self, false, channel);
        return;
    }
    for (size_t n = 0; (entity = channel_adhoc_entity (channel, n)).size > 0;
         n++)
        carrier_add (self, true, entity);
}

static void carrier_judge (void *arg, const struct wire_handed *one) {
    struct carriers *self = arg;
    struct hash root;
    const struct mark_stream *stream = &one->claim.stream;
    if (one->number < 1
        || mark_claim_check (&one->claim, self->mark->roster, &self->mark->root,
                             NULL)
        || tree_path_root (&self->row->leaf, (uint64_t) one->number - 1,
                           (uint64_t) stream->count, one->path,
                           one->path_length, &root)
        || !hash_equal (&root, &stream->root))
        return;
    for (size_t i = 0; i < self->count; i++)
        if (slice_is (stream->name, self->names[i]))
            self->proved[i] = true;
}

static enum err withheld (struct complete *self, const char *stream,
                          struct slice evidence, struct error *e) {
    char text[400];
    const struct handed_row *row = &self->handed_row;
    snprintf (text, sizeof text,
              "record %" PRId64 " (%s), which was promised to us, is withheld "
              "from its readers: the mark of record %" PRId64 " does not show "
              "it in stream %s",
              row->sequence, row->topic, self->handed_asked, stream);
    return core_notice (self->core, "WITHHELD", true, text, evidence, e);
}

static enum err judge (struct complete *self, const struct mark_held *mark,
                       struct slice frame, struct error *e) {
    struct carriers carriers = { .mark = mark, .row = &self->handed_row };
    int64_t at;
    carriers_find (&carriers);
    enum err rc = wire_handed_each (frame, &at, carrier_judge, &carriers, e);
    for (size_t i = 0; !rc && i < carriers.count; i++)
        if (!carriers.proved[i])
            rc = withheld (self, carriers.names[i], frame, e);
    return rc;
}

static enum err answer (struct complete *self, const struct reply *reply,
                        struct error *e) {
    struct mark_held mark;
    if (reply->refused)
        return withheld (self, "any", (struct slice){ 0 }, e);
    if (reply->count != 1)
        return error_set (e, ERR_MALFORMED, "places in %zu frames",
                          reply->count);
    enum err rc = mark_hold (self, self->handed_asked, &mark, e);
    return rc ? rc : judge (self, &mark, reply->frames[0], e);
}

enum err handed_reply (struct complete *self, const struct reply *reply,
                       struct error *e) {
    self->handed.call = 0;
    if (reply->refused && reply->refusal.rule != RULE_NOT_FOUND) {
        self->handed.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
        return ERR_NONE;
    }
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = answer (self, reply, e);
    return rc ? rc
              : handed_done (self->core->store, self->handed_row.number, e);
}
