/* ledger - beginning and end, timers, what settles in the outbox, and
 * how things stand (PROTOCOL.md sections 7.5, 8.9 and 8.11). */
#include "ledger_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "epochs.h"
#include "identity/rights.h"
#include "store/outbox.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SETTLE_MS 100      /* promises that came behind their checkpoint */
#define ALARMED_MS 500     /* others raise alarms too */
#define SETTLE_AT_ONCE 512 /* messages a turn */

/* Making */

static enum err verified_load (struct ledger *self, struct error *e) {
    struct error why;
    enum err rc =
        checkpoints_verified (self->core->store, &self->verified, NULL, &why);
    self->has_verified = !rc;
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (rc)
        *e = why;
    return rc;
}

int64_t ledger_mark_time (const struct ledger *self,
                          const struct checkpoint *cp) {
    int64_t time = 0;
    return records_mark_below (self->core->store, cp->size, &time) < 0 ? 0
                                                                       : time;
}

static enum err settled_load (struct ledger *self, struct error *e) {
    struct error why;
    struct buf octets = { 0 };
    struct note note;
    struct checkpoint cp;
    enum err rc =
        checkpoints_newest (self->core->store, &self->settled, &octets, &why);
    self->has_settled = !rc;
    self->mark_time =
        rc ? 0 : ledger_mark_time (self, &self->settled.checkpoint);
    const struct roster *roster =
        rc ? NULL : notes_roster (self, &self->settled.checkpoint);
    if (roster && !checkpoint_read (buf_slice (&octets), &cp, &note, &why)) {
        quorum_judge (roster, &cp, &note, &self->quorum, NULL);
        quorum_near (&self->quorum, self->mark_time);
    }
    buf_free (&octets);
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (rc)
        *e = why;
    return rc;
}

/* As it is in the store: what was not committed is gone. */
static enum err reload (struct ledger *self, struct error *e) {
    struct tree tree;
    enum err rc = hashes_tree (self->core->store, HASHES_LEDGER, &tree, e);
    if (!rc)
        rc = verified_load (self, e);
    if (!rc)
        rc = settled_load (self, e);
    if (!rc)
        rc = checkpoints_alarmed (self->core->store, &self->alarmed, e);
    if (rc)
        return rc;
    char origin[ORIGIN_MAX + 1];
    checkpoint_origin (rosters_newest (self->core->rosters), origin);
    rc = checkpoints_cosigned (self->core->store, origin, &self->cosigned, e);
    if (rc)
        return rc;
    self->older = checkpoints_older (self->core->store);
    self->signed_size = self->has_verified ? self->verified.size : 0;
    self->unsigned_told = false;
    rc = times_load (self, e);
    if (rc)
        return rc;
    leaves_begin (self, (int64_t) tree.size);
    self->compared = self->has_verified ? self->verified.size : 0;
    self->settle_at = 0;
    self->settle_after = -1;
    return ERR_NONE;
}

struct ledger *ledger_new (struct core *core, struct error *e) {
    struct ledger *self = mem_alloc (sizeof *self);
    self->core = core;
    self->cosigned = -1;
    if (reload (self, e))
        ledger_destroy (&self);
    return self;
}

void ledger_destroy (struct ledger **self_p) {
    if (!self_p || !*self_p)
        return;
    struct ledger *self = *self_p;
    *self_p = NULL;
    leaves_end (self);
    notes_end (self);
    inquiry_end (self);
    suspects_end (self);
    free (self);
}

void ledger_begin (struct ledger *self) {
    self->ready = true;
    self->parted = false;
    self->catching = true;
    self->again = true;
    self->heard_own[NOTE_SIGNED] = self->heard_own[NOTE_COSIGNED] = false;
    self->sent = -1;
    self->ask[NOTE_SIGNED] = self->ask[NOTE_COSIGNED] = 1; /* at once */
}

void ledger_end (struct ledger *self) {
    struct error e;
    self->ready = false;
    leaves_end (self);
    notes_end (self);
    inquiry_end (self);
    self->cosign_call = 0;
    if (reload (self, &e)) /* the next one who writes will say it */
        log_error ("LEDGER-STORE", "why=%s", log_text (e.text));
}

void ledger_restart (struct ledger *self) {
    ledger_end (self);
    suspects_end (self);
    self->convicted_count = 0;
    self->parted = false;
    self->sent = -1;
}

enum err ledger_base (struct ledger *self, struct error *e) {
    struct core *core = self->core;
    const struct roster *newest = rosters_newest (core->rosters);
    int64_t base, epoch = roster_epoch (newest);
    struct hash root;
    struct error why;
    bool reached;
    if (self->parted || self->based == epoch
        || !roster_epoch_base (newest, &base, &root) || self->size < base)
        return ERR_NONE;
    enum err rc = leaves_flush (self, e);
    if (rc)
        return rc;
    rc = epochs_base (core, newest, &reached, &why);
    if (!rc)
        self->based = reached ? epoch : 0;
    if (rc && rc != ERR_CHAIN) {
        *e = why;
        return rc;
    }
    self->parted = rc != ERR_NONE;
    return rc ? epochs_refuse (core, newest, why.text, e) : ERR_NONE;
}

/* The outbox */

/* May we read it, and is it not here yet? */
static bool awaited (const struct ledger *self,
                     const struct outbox_place *place) {
    const struct core *core = self->core;
    const struct roster *roster =
        roster_chain_at (rosters_chain (core->rosters), place->sequence);
    const uint8_t *end = memchr (place->topic.data, '/', place->topic.size);
    if (!roster || !end || records_held (core->store, place->sequence))
        return false;
    struct slice channel =
        slice_of (place->topic.data, (size_t) (end - place->topic.data));
    /* Where the right was taken since, the stream may have gone before it. */
    struct slice own = slice_text (core->delegation);
    int64_t now = clock_wall_ms();
    return rights_ask (roster, own, channel, RIGHT_READ, now) == VERDICT_YES
           && rights_ask (rosters_newest (core->rosters), own, channel,
                          RIGHT_READ, now)
                  == VERDICT_YES;
}

static enum err stands (void *arg, const struct outbox_place *place, bool *yes,
                        struct error *e) {
    struct ledger *self = arg;
    struct core *core = self->core;
    struct hash leaf;
    struct buf note = { 0 };
    struct checkpoint_row row;
    *yes = false;
    enum err rc = hashes_leaf (core->store, HASHES_LEDGER,
                               (uint64_t) place->sequence, &leaf, e);
    if (rc)
        return rc;
    *yes = hash_equal (&leaf, &place->leaf);
    if (*yes) {
        *yes = place->topic.size == 0 || !awaited (self, place);
        return ERR_NONE;
    }
    rc = checkpoints_covering (core->store, place->sequence, &row, &note, e);
    if (!rc)
        rc = evidence_promise (self, &row.checkpoint, buf_slice (&note),
                               place->sequence, &place->leaf, e);
    buf_free (&note);
    return rc;
}

static enum err outbox_tick (struct ledger *self, int64_t now,
                             struct error *e) {
    struct core *core = self->core;
    int64_t counts[6];
    if (!self->has_settled || now < self->settle_at)
        return ERR_NONE;
    outbox_counts (core->store, counts);
    self->settle_at = now + SETTLE_MS;
    if (counts[OUTBOX_PROMISED] == 0)
        return ERR_NONE;
    int64_t before = counts[OUTBOX_DONE];
    int64_t size = self->settled.checkpoint.size;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = outbox_settle (core->store, size < self->size ? size : self->size,
                            &self->settle_after, SETTLE_AT_ONCE, stands, self,
                            e);
    if (rc)
        return rc;
    if (self->settle_after >= 0)
        self->settle_at = now; /* there are more */
    outbox_counts (core->store, counts);
    core->changed = core->changed || counts[OUTBOX_DONE] != before;
    return ERR_NONE;
}

/* Turns */

enum err ledger_hear (struct ledger *self, enum feed_kind kind,
                      struct slice content, struct error *e) {
    if (kind == FEED_LEAVES)
        return leaves_hear (self, content, e);
    if (kind == FEED_CHECKPOINT || kind == FEED_COSIGNATURES)
        return notes_hear (self, kind, content, e);
    return ERR_NONE;
}

enum err ledger_import (struct ledger *self, enum feed_kind kind,
                        struct slice content, struct error *e) {
    self->importing = true;
    enum err rc = ledger_hear (self, kind, content, e);
    self->importing = false;
    /* Some thousand records are compared at a time. */
    while (!rc && kind == FEED_COSIGNATURES
           && self->notes[NOTE_COSIGNED].present
           && self->notes[NOTE_COSIGNED].cp.size <= self->size && !self->parted
           && !self->inquiry.active)
        rc = notes_judge (self, e);
    return rc ? rc : leaves_flush (self, e);
}

enum err ledger_reply (struct ledger *self, const struct reply *reply,
                       bool *mine, struct error *e) {
    enum err rc = ERR_NONE;
    *mine = false;
    switch (reply->type) {
    case WIRE_LEAVES:
        rc = leaves_reply (self, reply, mine, e);
        if (!rc && !*mine)
            rc = inquiry_reply (self, reply, mine, e);
        return rc;
    case WIRE_CHECKPOINT:
        return notes_reply (self, reply, mine, e);
    case WIRE_COSIGN:
        *mine = reply->id == self->cosign_call;
        if (*mine)
            cosign_reply (self, reply);
        return ERR_NONE;
    default:
        return ERR_NONE;
    }
}

enum err ledger_tick (struct ledger *self, int64_t now, struct error *e) {
    self->now = now;
    enum err rc = leaves_tick (self, now, e);
    if (!rc)
        rc = inquiry_tick (self, e);
    if (!rc)
        rc = notes_judge (self, e);
    if (!rc)
        rc = notes_tick (self, now, e);
    if (!rc)
        rc = cosign_again (self, e);
    if (!rc)
        rc = outbox_tick (self, now, e);
    if (!rc && now - self->alarmed_at > ALARMED_MS) {
        self->alarmed_at = now;
        rc = checkpoints_alarmed (self->core->store, &self->alarmed, e);
    }
    return rc;
}

bool ledger_busy (const struct ledger *self) {
    const struct waiting *newest = &self->notes[NOTE_SIGNED];
    bool compares = newest->present && newest->cp.size <= self->size
                    && self->core->log_whole && !self->parted
                    && !self->inquiry.active;
    return self->settle_after >= 0 || compares;
}

enum err ledger_resume (struct ledger *self, struct error *e) {
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = checkpoints_resume (self->core->store, e);
    if (!rc)
        rc = checkpoints_set_older (self->core->store, 0, e);
    if (!rc)
        rc = checkpoints_alarmed (self->core->store, &self->alarmed, e);
    if (!rc)
        self->older = 0;
    self->older_told = false;
    self->again = self->core->changed = true;
    return rc;
}

/* Status */

static void current_set (const struct ledger *self, struct ledger_status *out) {
    int64_t age = (clock_wall_ms() - out->settled_time) / 1000;
    bool near = self->quorum.needed == 0 || self->quorum.time > 0;
    if (self->parted)
        snprintf (out->why, sizeof out->why,
                  "the broker shows another ledger than before");
    else if (out->alarmed)
        snprintf (out->why, sizeof out->why,
                  "evidence against the broker is held");
    else if (!self->has_settled)
        snprintf (out->why, sizeof out->why, "no checkpoint has settled yet");
    else if (!near)
        snprintf (out->why, sizeof out->why,
                  "no quorum is dated within %d s of the newest mark here: "
                  "`$log` is withheld, or clocks are wrong",
                  QUORUM_NEAR_MS / 1000);
    else if (age > LEDGER_FRESH_S)
        snprintf (out->why, sizeof out->why,
                  "the newest settled checkpoint is %" PRId64 " s old", age);
    out->current = out->why[0] == '\0';
}

void ledger_status (const struct ledger *self, struct ledger_status *out) {
    *out = (struct ledger_status){
        .size = self->size,
        .verified = self->has_verified ? self->verified.size : -1,
        .settled = -1,
        .cosigned = self->quorum.cosigned,
        .needed = self->quorum.needed,
        .witnesses = self->quorum.witnesses,
        .witness = cosign_by_us (self, rosters_newest (self->core->rosters)),
        .cosigned_size = self->cosigned,
        .alarmed = self->alarmed,
        .older = self->older != 0,
    };
    if (self->has_settled) {
        out->settled = self->settled.checkpoint.size;
        out->settled_time = self->settled.time;
    }
    current_set (self, out);
}
