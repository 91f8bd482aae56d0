/* complete - what is asked of the desk about marks, and when. */
#include "complete_impl.h"

#include "base/clock.h"
#include "store/claims.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define JUDGE_MS 1000     /* again, while something lacks */
#define GAP_MS 2000       /* a tick that came later counts as that long */
#define PROVED "complete" /* meta: mark and its time */
#define WRONG "MARK-WRONG"

struct complete *complete_new (struct core *core, struct follow *follow) {
    struct complete *self = mem_alloc (sizeof *self);
    self->core = core;
    self->follow = follow;
    self->claims.mark = -1;
    complete_reload (self);
    return self;
}

void complete_reload (struct complete *self) {
    complete_end (self);
    claims_drop (&self->claims);
    lacks_drop (self);
    self->newest = (struct mark_held){ .sequence = -1 };
    self->mark = self->handed_mark = -1;
    self->time = 0;
    self->unproved[0] = self->unprovable[0] = '\0';
    char *text = store_meta (self->core->store, PROVED);
    if (text
        && sscanf (text, "%" SCNd64 " %" SCNd64, &self->mark, &self->time) != 2)
        self->mark = -1;
    free (text);
}

void complete_destroy (struct complete **self_p) {
    if (!self_p || !*self_p)
        return;
    struct complete *self = *self_p;
    *self_p = NULL;
    claims_drop (&self->claims);
    lacks_drop (self);
    free (self);
}

void complete_begin (struct complete *self) {
    self->ready = true;
    self->ticked = clock_mono_ms();
    self->paths = self->cover = self->handed = (struct asked){ 0 };
}

void complete_end (struct complete *self) {
    self->ready = self->hurries = false;
    self->paths.call = self->cover.call = self->handed.call = 0;
}

/* Marks */

static void mark_take (struct mark_held *out, const struct core *core,
                       const struct record *record) {
    struct mark_payload payload;
    const struct roster_chain *chain = rosters_chain (core->rosters);
    *out = (struct mark_held){ .sequence = record->sequence,
                               .time = record->log_time };
    out->roster = roster_chain_by_record (chain, record->roster);
    out->behind_roster = record->roster == record->sequence - 1;
    if (!out->roster || mark_payload_read (record->payload, &payload, NULL))
        return;
    out->has_root = payload.has_root;
    out->root = payload.root;
}

enum err mark_hold (struct complete *self, int64_t sequence,
                    struct mark_held *out, struct error *e) {
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (self->core->store, sequence, &row, e);
    if (!cursor)
        return e->code;
    bool is_mark = row.readable && row.record.type == RECORD_MARK;
    if (is_mark)
        mark_take (out, self->core, &row.record);
    records_close (&cursor);
    return is_mark ? ERR_NONE
                   : error_set (e, ERR_NOT_FOUND,
                                "record %" PRId64 " is no mark that this "
                                "version reads",
                                sequence);
}

int64_t marks_begin (const struct complete *self) {
    const struct rosters *rosters = self->core->rosters;
    const struct roster_chain *chain = rosters_chain (rosters);
    int64_t epoch = roster_epoch (rosters_newest (rosters)), sequence,
            begin = INT64_MAX;
    for (size_t i = roster_chain_count (chain); i-- > 0;) {
        if (roster_epoch (roster_chain_nth (chain, i, &sequence)) != epoch)
            break;
        begin = sequence;
    }
    return begin;
}

/* Is there a newer mark? The claims of the one before are of no use then. */
static enum err newest_look (struct complete *self, struct error *e) {
    int64_t sequence = records_newest_mark (self->core->store);
    if (sequence <= self->newest.sequence || sequence <= self->mark
        || sequence < marks_begin (self))
        return ERR_NONE;
    enum err rc = mark_hold (self, sequence, &self->newest, e);
    if (rc == ERR_NOT_FOUND) {
        lack_note (self, "", 0, sequence, true,
                   "the newest mark is of a form that this version can't read");
        return ERR_NONE;
    }
    if (!rc && self->claims.mark != sequence)
        claims_drop (&self->claims);
    return rc;
}

/* Asking */

enum err paths_ask (struct complete *self, int64_t mark, struct error *e) {
    struct buf frame = { 0 };
    wire_paths_write (&frame, mark);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (self->core->calls, WIRE_PATHS, frames, 1,
                              &self->paths.call, e);
    buf_free (&frame);
    self->paths_mark = mark;
    return rc;
}

static enum err proved (struct complete *self, struct error *e) {
    char text[48];
    snprintf (text, sizeof text, "%" PRId64 " %" PRId64, self->newest.sequence,
              self->newest.time);
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = claims_store (self, e);
    if (!rc)
        rc = store_set_meta (self->core->store, PROVED, text, e);
    if (!rc)
        rc = store_untell (self->core->store, WRONG " *", e);
    if (rc)
        return rc;
    self->mark = self->newest.sequence;
    self->time = self->newest.time;
    self->core->changed = true;
    claims_drop (&self->claims);
    lacks_drop (self);
    return ERR_NONE;
}

/* What is known of the newest mark, against what is held. */
static enum err judge (struct complete *self, int64_t now, struct error *e) {
    bool fine = false;
    self->judged = now;
    enum err rc = claims_judge (self, &fine, e);
    if (!rc && fine)
        rc = hidden_prove (self, now, &fine, e);
    return !rc && fine ? proved (self, e) : rc;
}

/* The newest mark's claims: asked for, judged again while something lacks. */
static enum err marks_step (struct complete *self, int64_t now,
                            struct error *e) {
    const struct mark_held *newest = &self->newest;
    enum err rc = newest_look (self, e);
    if (rc || newest->sequence <= self->mark)
        return rc;
    if (!newest->has_root) {
        lack_note (self, "", 0, newest->sequence, false,
                   "the broker's marks have no root: they prove nothing");
        return ERR_NONE;
    }
    if (self->claims.mark == newest->sequence)
        return now - self->judged < JUDGE_MS ? ERR_NONE : judge (self, now, e);
    if (self->paths.call || now < self->paths.retry)
        return ERR_NONE;
    return paths_ask (self, newest->sequence, e);
}

enum err complete_tick (struct complete *self, int64_t now, struct error *e) {
    int64_t upto, since = now - self->ticked;
    bool newer;
    if (!self->ready || since < COMPLETE_TICK_MS
        || !follow_stream (self->follow, 0, &upto, &newer))
        return ERR_NONE;
    self->ticked = now;
    self->hurries = false;
    self->wait_ms = since < GAP_MS ? since : GAP_MS;
    enum err rc = cover_step (self, now, e);
    if (!rc)
        rc = marks_step (self, now, e);
    if (!rc)
        rc = lacks_tell (self, e);
    if (!rc)
        rc = handed_step (self, now, e);
    return rc == ERR_FULL ? ERR_NONE : rc; /* later, then */
}

/* Replies */

static enum err paths_refused (struct complete *self,
                               const struct reply *reply) {
    char text[REFUSAL_TEXT_MAX], what[128];
    self->paths.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
    snprintf (what, sizeof what, "claims of mark %" PRId64 " are refused: %s",
              self->paths_mark, refusal_print (&reply->refusal, text));
    if (self->paths_mark == self->newest.sequence)
        lack_note (self, "", 0, 0, false, what);
    else
        hidden_withheld (self, what);
    return ERR_NONE;
}

static enum err paths_reply (struct complete *self, const struct reply *reply,
                             struct error *e) {
    struct claims_held claims = { .mark = -1 };
    self->paths.call = 0;
    if (reply->refused)
        return paths_refused (self, reply);
    if (reply->count != 1)
        return error_set (e, ERR_MALFORMED, "claims in %zu frames",
                          reply->count);
    enum err rc = claims_read (reply->frames[0], &claims, e);
    if (!rc && claims.mark != self->paths_mark)
        rc = error_set (e, ERR_MALFORMED,
                        "claims of mark %" PRId64 " instead of %" PRId64,
                        claims.mark, self->paths_mark);
    if (!rc && claims.mark != self->newest.sequence) {
        rc = hidden_claims (self, &claims, e);
    } else if (!rc) {
        lack_drop (self, "");
        claims_drop (&self->claims);
        self->claims = claims;
        return judge (self, clock_mono_ms(), e);
    }
    claims_drop (&claims);
    return rc;
}

enum err complete_reply (struct complete *self, const struct reply *reply,
                         bool *mine, struct error *e) {
    *mine = true;
    enum err rc = ERR_NONE;
    if (reply->id == self->paths.call)
        rc = paths_reply (self, reply, e);
    else if (reply->id == self->cover.call)
        rc = cover_reply (self, reply, e);
    else if (reply->id == self->handed.call)
        rc = handed_reply (self, reply, e);
    else
        *mine = false;
    self->hurries = self->hurries || *mine;
    return rc == ERR_FULL ? ERR_NONE : rc;
}

bool complete_hurries (const struct complete *self) {
    return self->hurries;
}

/* Status */

enum err complete_alarm (struct complete *self, const char *kind,
                         const struct mark_claim *claim, struct error *e,
                         const char *format, ...) {
    char text[ERROR_TEXT_MAX];
    struct buf evidence = { 0 };
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    if (claim)
        mark_claim_write (&evidence, claim);
    enum err rc =
        core_notice (self->core, kind, true, text, buf_slice (&evidence), e);
    buf_free (&evidence);
    return rc;
}

enum err complete_wrong (struct complete *self, const char *stream,
                         const struct mark_held *mark,
                         const struct mark_claim *claim, const char *why,
                         struct error *e) {
    char key[sizeof WRONG + MARK_NAME_MAX];
    bool before = false;
    snprintf (key, sizeof key, WRONG " %s", stream);
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc =
            store_told (self->core->store, key,
                        mark == &self->newest ? 0 : mark->sequence, &before, e);
    if (rc || before)
        return rc;
    return complete_alarm (self, WRONG, claim, e,
                           "stream %s: the mark of record %" PRId64
                           " says that %" PRId64 " records are below it: %s",
                           stream, mark->sequence, claim->stream.count, why);
}

void complete_status (const struct complete *self,
                      struct complete_status *out) {
    *out = (struct complete_status){ .mark = self->mark, .time = self->time };
    const char *what = "";
    if (self->lacks)
        what = self->lacks->what;
    else if (self->unproved[0])
        what = self->unproved;
    else if (self->unprovable[0])
        what = self->unprovable;
    else if (self->mark < 0)
        what = "no mark is proved yet";
    snprintf (out->lacks, sizeof out->lacks, "%s", what);
}
