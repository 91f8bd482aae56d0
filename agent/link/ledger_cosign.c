/* ledger_cosign - which checkpoints this delegation cosigns, if the roster names
 * it, and what it remembers of that (PROTOCOL.md sections 7.5 and 8.11). */
#include "ledger_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>

/* Who */

static bool witness_by (const struct roster *roster, const char *delegation,
                        const uint8_t key[KEY_SIZE]) {
    for (size_t i = 0; roster && i < roster_witnesses (roster); i++) {
        const struct roster_delegation *one = roster_witness_at (roster, i);
        if (strcmp (one->name, delegation) != 0)
            continue;
        for (int set = 0; set < one->key_count; set++)
            if (memcmp (one->keys[set].witness, key, KEY_SIZE) == 0)
                return true;
    }
    return false;
}

/* By this roster, that at a checkpoint's end, or by that of the newest settled
 * one. */
bool cosign_by_us (const struct ledger *self, const struct roster *roster) {
    const struct core *core = self->core;
    const uint8_t *key = identity_public (core->identity, KEY_WITNESS);
    const struct roster *last =
        self->has_settled ? roster_chain_by_version (
            rosters_chain (core->rosters), self->settled.roster_version, NULL)
                          : NULL;
    return witness_by (roster, core->delegation, key)
           || witness_by (last, core->delegation, key);
}

/* A memory that is behind */

enum err ledger_older (struct ledger *self, struct error *e) {
    if (self->older)
        return ERR_NONE;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = checkpoints_set_older (self->core->store, clock_wall_ms(), e);
    if (!rc)
        self->older = checkpoints_older (self->core->store);
    return rc;
}

static enum err older_tell (struct ledger *self, struct error *e) {
    self->older_told = true;
    return core_notice (
        self->core, "WITNESS-OLDER", true,
        "this store is older than what this witness cosigned, or another agent "
        "has its key: it cosigns nothing until the other witnesses are a "
        "quorum "
        "without it, or its operator says so",
        (struct slice){ 0 }, e);
}

enum err cosign_recall (struct ledger *self, const struct checkpoint *cp,
                        const struct note *note, struct error *e) {
    const struct core *core = self->core;
    struct checkpoint before;
    struct error why;
    int64_t time;
    bool newer = false;
    if (checkpoint_cosigned (cp, note, core->delegation,
                             identity_public (core->identity, KEY_WITNESS),
                             &time, &why)
        || time == 0)
        return ERR_NONE;
    if (!checkpoints_memory (core->store, cp->origin, &before, &why)
        && before.size >= cp->size)
        return ERR_NONE;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = checkpoints_recall (core->store, cp, &newer, e);
    if (rc || !newer)
        return rc;
    self->cosigned = cp->size;
    log_warn ("COSIGNED-UNKNOWN", "size=%" PRId64 " time=%" PRId64, cp->size,
              time);
    return ledger_older (self, e);
}

/* Of this quorum, all but f cosigned behind all that we did before, and none of
 * them a ledger that contradicts: so no other can have settled with our line. */
enum err cosign_passed (struct ledger *self, const struct checkpoint *cp,
                        const struct note *note, const struct roster *roster,
                        struct error *e) {
    struct quorum quorum;
    size_t others = 0;
    if (!self->older || roster_quorum (roster) == 0)
        return ERR_NONE;
    quorum_judge (roster, cp, note, &quorum, NULL);
    for (size_t i = 0; i < quorum.witnesses; i++)
        if (strcmp (roster_witness_at (roster, i)->name, self->core->delegation)
                != 0
            && quorum.times[i] * 1000 >= self->older + LEDGER_OLDER_MS)
            others++;
    if (others < quorum.needed)
        return ERR_NONE;
    enum err rc = checkpoints_set_older (self->core->store, 0, e);
    if (rc)
        return rc;
    self->older = 0;
    self->older_told = false;
    return core_notice (self->core, "WITNESS-BACK", false,
                        "a quorum of the other witnesses cosigned the ledger "
                        "since this store was put back: it cosigns again",
                        (struct slice){ 0 }, e);
}

/* May it? */

/* Why not; "" where it may. */
static enum err may_cosign (struct ledger *self, const struct checkpoint *cp,
                            struct error *e) {
    int64_t time = 0, now = clock_wall_ms();
    self->withheld[0] = '\0';
    enum err rc = checkpoints_alarmed (self->core->store, &self->alarmed, e);
    if (rc)
        return rc;
    if (self->alarmed)
        snprintf (self->withheld, sizeof self->withheld,
                  "evidence against the broker is held");
    else if (self->older)
        snprintf (self->withheld, sizeof self->withheld,
                  "this store is older than what was cosigned");
    else if (records_mark_below (self->core->store, cp->size, &time) < 0)
        snprintf (self->withheld, sizeof self->withheld,
                  "no mark stands below %" PRId64, cp->size);
    else if (time - now > LEDGER_CLOCK_MS || now - time > LEDGER_CLOCK_MS)
        snprintf (self->withheld, sizeof self->withheld,
                  "the newest mark is %" PRId64 " s %s this clock",
                  (time > now ? time - now : now - time) / 1000,
                  time > now ? "ahead of" : "behind");
    if (self->withheld[0])
        log_limited (LOG_WARN, "COSIGN-WITHHELD", "", "size=%" PRId64 " why=%s",
                     cp->size, log_text (self->withheld));
    return ERR_NONE;
}

/* What was cosigned before is in the tree, or nothing is cosigned: after a store
 * was put back, the memory can come from a note's line alone. */
static enum err goes_on (struct ledger *self, const struct checkpoint *cp,
                         struct error *e) {
    struct checkpoint before;
    struct hash root;
    struct error why;
    enum err rc =
        checkpoints_memory (self->core->store, cp->origin, &before, &why);
    if (rc == ERR_NOT_FOUND || (!rc && before.size > cp->size))
        return ERR_NONE; /* the second is refused by the store */
    if (rc) {
        *e = why;
        return rc;
    }
    rc = hashes_root (self->core->store, HASHES_LEDGER, (uint64_t) before.size,
                      &root, e);
    if (rc || hash_equal (&root, &before.root))
        return rc;
    snprintf (self->withheld, sizeof self->withheld,
              "this witness cosigned another root of size %" PRId64,
              before.size);
    return core_notice (self->core, "COSIGNED-OTHER", true, self->withheld,
                        (struct slice){ 0 }, e);
}

static enum err send (struct ledger *self, const struct checkpoint *cp,
                      struct error *e) {
    struct buf note = { 0 };
    checkpoint_text (cp, &note);
    buf_add_text (&note, "\n");
    checkpoint_cosign (cp, self->core->identity, clock_wall_ms() / 1000, &note);
    struct slice frames[] = { buf_slice (&note) };
    enum err rc = calls_send (self->core->calls, WIRE_COSIGN, frames, 1,
                              &self->cosign_call, e);
    buf_free (&note);
    if (!rc)
        self->sent = cp->size;
    return rc == ERR_FULL ? ERR_NONE : rc; /* another one comes */
}

enum err ledger_cosign (struct ledger *self, const struct checkpoint *cp,
                        struct error *e) {
    struct core *core = self->core;
    struct error why = { 0 };
    if (!self->ready || !cosign_by_us (self, notes_roster (self, cp)))
        return ERR_NONE;
    if (!self->heard_own[NOTE_SIGNED] || !self->heard_own[NOTE_COSIGNED]) {
        self->again = true;
        return ERR_NONE;
    }
    enum err rc = may_cosign (self, cp, e);
    if (!rc && self->older && !self->older_told)
        rc = older_tell (self, e);
    if (!rc && !self->withheld[0])
        rc = goes_on (self, cp, e);
    if (rc || self->withheld[0])
        return rc;
    /* What it rests on is durable first, then the memory of having signed. */
    rc = core_commit (core, e);
    if (rc)
        return rc;
    int64_t begun = clock_mono_ns();
    rc = checkpoints_cosign (core->store, cp, &why);
    core->commit_ns += clock_mono_ns() - begun;
    if (rc == ERR_CHAIN) {
        snprintf (self->withheld, sizeof self->withheld, "%.90s", why.text);
        return core_notice (core, "COSIGNED-OTHER", true, why.text,
                            (struct slice){ 0 }, e);
    }
    if (rc) {
        *e = why;
        return rc;
    }
    self->cosigned = cp->size;
    return send (self, cp, e);
}

/* Is our line all that the newest one may lack? */
static bool line_lacks (const struct ledger *self) {
    const struct core *core = self->core;
    if (!self->has_settled
        || !checkpoint_equal (&self->settled.checkpoint, &self->verified))
        return true;
    const struct roster *roster = notes_roster (self, &self->verified);
    for (size_t i = 0; roster && i < roster_witnesses (roster); i++)
        if (strcmp (roster_witness_at (roster, i)->name, core->delegation) == 0)
            return self->quorum.times[i] == 0;
    return false;
}

static bool asks (const struct ledger *self, enum note_source source) {
    return self->ask[source] || self->calls[source]
           || self->notes[source].present;
}

/* A request may have got lost with the connection before this one, and where
 * nothing is recorded no other checkpoint comes for a minute: the newest is
 * cosigned once more, when it is known what there is. */
enum err cosign_again (struct ledger *self, struct error *e) {
    int64_t size = -1;
    if (!self->again || !self->ready || self->parted || self->inquiry.active
        || asks (self, NOTE_SIGNED) || asks (self, NOTE_COSIGNED))
        return ERR_NONE;
    self->again = false;
    if (!self->has_verified || self->sent == self->verified.size
        || !line_lacks (self))
        return ERR_NONE;
    enum err rc = checkpoints_cosigned (self->core->store,
                                        self->verified.origin, &size, e);
    if (rc || size > self->verified.size)
        return rc;
    return ledger_cosign (self, &self->verified, e);
}

void cosign_reply (struct ledger *self, const struct reply *reply) {
    char text[REFUSAL_TEXT_MAX];
    int64_t size;
    struct error e;
    self->cosign_call = 0;
    if (reply->refused) {
        if (reply->refusal.rule != RULE_NOT_FOUND)
            log_limited (LOG_WARN, "COSIGN", reply->refusal.name, "why=%s",
                         log_text (refusal_print (&reply->refusal, text)));
        return;
    }
    /* A frame of the feed says the same; it may be lost. */
    if (reply->count == 1 && !wire_settled_read (reply->frames[0], &size, &e)
        && self->has_settled && size > self->settled.checkpoint.size
        && self->ask[NOTE_COSIGNED] == 0)
        self->ask[NOTE_COSIGNED] = self->now + 1000;
}
