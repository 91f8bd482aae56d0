/* ledger_notes - checkpoints: which are heard of, which of them our own tree
 * bears out, and which of those have settled (PROTOCOL.md sections 7.5, 8.7 and
 * 8.11). */
#include "ledger_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>

#define AGAIN_MS 5000  /* the desk was asked, and did not help */
#define REMIND_MS 1500 /* longer than the pause between two checkpoints */
#define REMIND_AGAIN_MS 10000

/* Hearing */

static void waiting_drop (struct waiting *self) {
    self->present = false;
    buf_free (&self->note);
}

void notes_end (struct ledger *self) {
    for (size_t i = 0; i < NOTE_SOURCES; i++) {
        waiting_drop (&self->notes[i]);
        self->calls[i] = 0;
        self->ask[i] = 0;
    }
    self->handover = self->handovers_at = self->highest = 0;
}

struct roster *notes_roster (const struct ledger *self,
                             const struct checkpoint *cp) {
    if (cp->size < 1)
        return NULL;
    return roster_chain_at (rosters_chain (self->core->rosters), cp->size - 1);
}

/* By the log key of the roster in force at its end? ERR_SIGNATURE. */
static enum err signed_check (const struct ledger *self,
                              const struct checkpoint *cp,
                              const struct note *note, struct error *e) {
    char origin[ORIGIN_MAX + 1];
    struct roster *roster = notes_roster (self, cp);
    if (!roster)
        return error_set (e, ERR_SIGNATURE,
                          "a checkpoint of %" PRId64 " records", cp->size);
    checkpoint_origin (roster, origin);
    return checkpoint_check_log (cp, note, origin, roster_log_key (roster), e);
}

static enum err bad_note (struct ledger *self, struct slice note,
                          const struct error *why, struct error *e) {
    return core_notice (self->core, "BAD-CHECKPOINT", true, why->text, note, e);
}

/* Before all is there to judge it: one that no log signed must not take the
 * place of one that waits. */
static enum err early_check (const struct ledger *self,
                             const struct checkpoint *cp,
                             const struct note *note, struct error *e) {
    char origin[ORIGIN_MAX + 1];
    const struct roster *newest = rosters_newest (self->core->rosters);
    if (signed_check (self, cp, note, e) == ERR_NONE)
        return ERR_NONE;
    checkpoint_origin (newest, origin);
    return checkpoint_check_log (cp, note, origin, roster_log_key (newest), e);
}

/* The feed never signs less than before. */
static enum err shrunk (struct ledger *self, const struct checkpoint *cp,
                        const struct note *note, struct error *e) {
    if (cp->size < self->highest)
        return evidence_shrunk (self, cp, note->octets, e);
    self->highest = cp->size;
    return ERR_NONE;
}

/* One more waits: the largest, and of these the one with the most lines. */
static void keep (struct waiting *self, const struct checkpoint *cp,
                  const struct note *note) {
    if (self->present
        && (cp->size < self->cp.size
            || (cp->size == self->cp.size
                && note->octets.size < self->note.size)))
        return;
    self->present = true;
    self->cp = *cp;
    buf_clear (&self->note);
    buf_add_slice (&self->note, note->octets);
}

static enum err take (struct ledger *self, enum note_source source,
                      bool by_feed, struct slice octets, struct error *e) {
    struct checkpoint cp;
    struct note note;
    struct error why = { 0 };
    if (checkpoint_read (octets, &cp, &note, &why))
        return bad_note (self, octets, &why, e);
    if (self->parted)
        return ERR_NONE;
    if (early_check (self, &cp, &note, &why)) {
        if (source == NOTE_HANDOVER)
            self->handover = 0;
        return bad_note (self, octets, &why, e);
    }
    if (cosign_recall (self, &cp, &note, e))
        return e->code;
    if (source == NOTE_SIGNED && by_feed && shrunk (self, &cp, &note, e))
        return e->code;
    keep (&self->notes[source], &cp, &note);
    if (cp.size > self->signed_size)
        self->signed_size = cp.size;
    if (cp.size > self->heard && cp.size <= self->core->size)
        self->heard = cp.size;
    return notes_judge (self, e);
}

enum err notes_hear (struct ledger *self, enum feed_kind kind,
                     struct slice note, struct error *e) {
    return take (self, kind == FEED_CHECKPOINT ? NOTE_SIGNED : NOTE_COSIGNED,
                 true, note, e);
}

/* Asking */

enum err notes_reply (struct ledger *self, const struct reply *reply,
                      bool *mine, struct error *e) {
    static const struct slice none;
    size_t source = 0;
    while (source < NOTE_SOURCES && self->calls[source] != reply->id)
        source++;
    *mine = source < NOTE_SOURCES;
    if (!*mine)
        return ERR_NONE;
    self->calls[source] = 0;
    if (!reply->refused && reply->count != 1)
        return error_set (e, ERR_MALFORMED, "a checkpoint in %zu frames",
                          reply->count);
    struct slice note = reply->refused ? none : reply->frames[0];
    if (source != NOTE_HANDOVER
        && (!reply->refused || reply->refusal.rule == RULE_NOT_FOUND))
        self->heard_own[source] = true;
    if (source == NOTE_HANDOVER && note.size == 0) {
        /* None settled with that roster at its end: the next one. */
        if (reply->refusal.rule == RULE_NOT_FOUND)
            self->handover++;
        else
            self->handover = 0;
        return ERR_NONE;
    }
    return note.size > 0
               ? take (self, (enum note_source) source, false, note, e)
               : ERR_NONE;
}

static enum err ask (struct ledger *self, enum note_source source,
                     int64_t version, struct error *e) {
    static const enum wire_which which[] = { WIRE_NEWEST, WIRE_SETTLED,
                                             WIRE_HANDOVER };
    struct buf frame = { 0 };
    wire_checkpoint_write (&frame, which[source], version);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (self->core->calls, WIRE_CHECKPOINT, frames, 1,
                              &self->calls[source], e);
    buf_free (&frame);
    return rc;
}

/* Other witnesses, or another quorum of them, or another epoch? */
static bool same_witnesses (const struct roster *a, const struct roster *b) {
    bool same = roster_quorum (a) == roster_quorum (b)
                && roster_epoch (a) == roster_epoch (b)
                && roster_witnesses (a) == roster_witnesses (b);
    for (size_t i = 0; same && i < roster_witnesses (a); i++) {
        const struct roster_delegation *x = roster_witness_at (a, i);
        const struct roster_delegation *y = roster_witness_at (b, i);
        same =
            strcmp (x->name, y->name) == 0
            && memcmp (x->keys[0].witness, y->keys[0].witness, KEY_SIZE) == 0;
    }
    return same;
}

/* Of the rosters behind that of the newest settled one, the next that changed
 * the witnesses, at or above `from`; 0: none. */
static int64_t next_handover (const struct ledger *self, int64_t from) {
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    const struct roster *before =
        roster_chain_by_version (chain, self->settled.roster_version, NULL);
    const struct roster *last = roster_chain_last (chain, NULL);
    int64_t end = last ? roster_version (last) : 0;
    for (int64_t v = self->settled.roster_version + 1; before && v <= end;
         v++) {
        const struct roster *roster = roster_chain_by_version (chain, v, NULL);
        if (roster && v >= from && !same_witnesses (before, roster))
            return v;
    }
    return 0;
}

static enum err handover_tick (struct ledger *self, int64_t now,
                               struct error *e) {
    if (self->handover == 0 || self->calls[NOTE_HANDOVER]
        || self->notes[NOTE_HANDOVER].present)
        return ERR_NONE;
    self->handover = next_handover (self, self->handover);
    if (self->handover == 0) { /* all that there are: the newest once more */
        self->ask[NOTE_COSIGNED] = now;
        return ERR_NONE;
    }
    return ask (self, NOTE_HANDOVER, self->handover, e);
}

/* The feed brings a checkpoint once, maybe in front of our subscription, and
 * where nothing is recorded behind it, the next comes with the next mark only. */
static void remind (struct ledger *self, int64_t now) {
    int64_t settled = self->has_settled ? self->settled.checkpoint.size : 0;
    if (self->reminded != self->size) {
        self->reminded = self->size;
        self->remind_at = now + REMIND_MS;
    }
    if (self->parted || self->size <= settled || now < self->remind_at)
        return;
    self->remind_at = now + REMIND_AGAIN_MS;
    for (size_t i = 0; i < NOTE_HANDOVER; i++)
        if (self->ask[i] == 0)
            self->ask[i] = now;
}

enum err notes_tick (struct ledger *self, int64_t now, struct error *e) {
    enum err rc = ERR_NONE;
    remind (self, now);
    for (size_t i = 0; !rc && i < NOTE_HANDOVER; i++) {
        if (self->ask[i] == 0 || now < self->ask[i] || self->calls[i])
            continue;
        rc = ask (self, (enum note_source) i, 0, e);
        if (!rc)
            self->ask[i] = 0;
    }
    if (!rc)
        rc = handover_tick (self, now, e);
    return rc == ERR_FULL ? ERR_NONE : rc; /* later, then */
}

/* Settling */

/* ms at which it was settled, by what this agent knows. */
static int64_t settled_time (const struct ledger *self,
                             const struct checkpoint *cp,
                             const struct quorum *quorum) {
    int64_t time = quorum->time * 1000, now = clock_wall_ms();
    if (time == 0) /* none is needed, or their times say nothing */
        time = ledger_mark_time (self, cp);
    /* One witness that is ahead could keep it fresh for years. */
    return time < now ? time : now;
}

static enum err settle (struct ledger *self, const struct checkpoint *cp,
                        struct slice octets, const struct quorum *quorum,
                        const struct roster *now, struct error *e) {
    struct core *core = self->core;
    int64_t version = roster_version (now);
    bool handover =
        !self->has_settled || version != self->settled.roster_version;
    bool same =
        self->has_settled && checkpoint_equal (cp, &self->settled.checkpoint);
    int64_t time = same ? self->settled.time : settled_time (self, cp, quorum);
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = checkpoints_settle (core->store, cp, time, version, handover,
                                 octets, e);
    if (rc)
        return rc;
    if (!same)
        self->settle_at = 0;
    self->has_settled = true;
    self->settled = (struct checkpoint_row){ *cp, time, version };
    self->quorum = *quorum;
    self->mark_time = ledger_mark_time (self, cp);
    core->changed = true;
    return ERR_NONE;
}

/* What it is kept with is good for a policy too, whatever else stood there. */
static enum err settle_clean (struct ledger *self, const struct checkpoint *cp,
                              const struct note *note,
                              const struct roster *last,
                              const struct roster *now, struct error *e) {
    struct buf clean = { 0 };
    struct slice octets = note->octets;
    struct checkpoint same;
    struct quorum quorum;
    struct note form;
    quorum_clean (last, now, cp, note, &clean);
    if (!checkpoint_read (buf_slice (&clean), &same, &form, NULL)
        && !quorum_settles (last, now, cp, &form, NULL)) {
        octets = buf_slice (&clean);
        note = &form;
    }
    quorum_judge (now, cp, note, &quorum, NULL);
    quorum_near (&quorum, ledger_mark_time (self, cp));
    enum err rc = settle (self, cp, octets, &quorum, now, e);
    if (!rc)
        rc = cosign_passed (self, cp, note, now, e);
    buf_free (&clean);
    return rc;
}

/* A verified one: does it settle? Where its roster has other witnesses than the
 * last settled one's, those between have to hand over first. */
static enum err try_settle (struct ledger *self, enum note_source source,
                            const struct checkpoint *cp,
                            const struct note *note, struct error *e) {
    struct error why;
    const struct roster *now = notes_roster (self, cp), *last = NULL;
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    if (self->has_settled) {
        last =
            roster_chain_by_version (chain, self->settled.roster_version, NULL);
        bool other_origin =
            strcmp (cp->origin, self->settled.checkpoint.origin);
        if (!other_origin && cp->size < self->settled.checkpoint.size)
            return ERR_NONE;
        if (last && roster_epoch (now) < roster_epoch (last))
            return ERR_NONE;
    }
    if (!quorum_settles (last, now, cp, note, &why)) {
        if (source == NOTE_HANDOVER)
            self->handover++;
        return settle_clean (self, cp, note, last, now, e);
    }
    int64_t at = self->now;
    if (source == NOTE_HANDOVER) {
        log_limited (LOG_WARN, "HANDOVER", "", "why=%s", log_text (why.text));
        self->handover = 0;
    } else if (last && !same_witnesses (last, now) && self->handover == 0
               && at >= self->handovers_at
               && (source == NOTE_COSIGNED || roster_quorum (now) == 0)) {
        self->handover = self->settled.roster_version + 1;
        self->handovers_at = at + AGAIN_MS;
    }
    return ERR_NONE;
}

/* Verifying */

static enum err verified (struct ledger *self, const struct checkpoint *cp,
                          struct slice note, struct error *e) {
    struct core *core = self->core;
    if (self->has_verified && cp->size <= self->verified.size
        && strcmp (cp->origin, self->verified.origin) == 0)
        return ERR_NONE;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = checkpoints_verify (core->store, cp, note, e);
    if (rc)
        return rc;
    self->has_verified = true;
    self->verified = *cp;
    core->changed = true;
    rc = evidence_times (self, note, e);
    if (!rc)
        rc = evidence_suspects (self, note, e);
    return rc ? rc : ledger_cosign (self, cp, e);
}

/* One that has its leaves. It is dropped when it was judged; while its records
 * are compared it waits. */
static enum err judge (struct ledger *self, enum note_source source,
                       struct error *e) {
    struct waiting *one = &self->notes[source];
    struct checkpoint cp, same;
    struct note note;
    struct hash root;
    struct error why = { 0 };
    bool done = true;
    struct buf octets = { 0 };
    cp = one->cp;
    enum err rc = checkpoint_read (buf_slice (&one->note), &same, &note, e);
    if (!rc && signed_check (self, &cp, &note, &why)) {
        if (source == NOTE_HANDOVER)
            self->handover = 0;
        rc = bad_note (self, note.octets, &why, e);
        waiting_drop (one);
        return rc;
    }
    if (!rc)
        rc = leaves_flush (self, e);
    if (!rc)
        rc = hashes_root (self->core->store, HASHES_LEDGER, (uint64_t) cp.size,
                          &root, e);
    if (!rc && !hash_equal (&root, &cp.root)) {
        rc = inquiry_begin (self, &cp, note.octets, e);
        waiting_drop (one);
        return rc;
    }
    if (!rc)
        rc = evidence_compare (self, &cp, note.octets, &done, e);
    if (rc || !done)
        return rc;
    /* Cosigning commits, and what is told may be heard again. */
    octets = one->note;
    *one = (struct waiting){ 0 };
    rc = verified (self, &cp, buf_slice (&octets), e);
    if (!rc)
        rc = try_settle (self, source, &cp, &note, e);
    buf_free (&octets);
    return rc;
}

enum err notes_judge (struct ledger *self, struct error *e) {
    enum err rc = ledger_base (self, e);
    for (size_t i = 0; !rc && i < NOTE_SOURCES; i++)
        if (self->notes[i].present && self->notes[i].cp.size <= self->size
            && self->core->log_whole && !self->parted && !self->inquiry.active)
            rc = judge (self, (enum note_source) i, e);
    return rc;
}
