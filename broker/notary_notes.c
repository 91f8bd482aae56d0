/* notary_notes - checkpoints that wait for their quorum, and the one that
 * settled last (PROTOCOL.md sections 7.5, 8.7 and 8.11). */
#include "notary_impl.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define AGAIN_MS                                                               \
    1000 /* from the quorum to the note with those that came late */

void notary_entry_free (struct notary_entry *self) {
    buf_free (&self->note);
    roster_unref (&self->roster);
    *self = (struct notary_entry){ 0 };
}

void notary_notes_free (struct notary_notes *self) {
    for (size_t i = 0; i < NOTARY_RECENT; i++)
        notary_entry_free (&self->recent[i]);
    notary_entry_free (&self->settled);
    for (size_t i = 0; i < self->out_count; i++)
        buf_free (&self->out[i].note);
    free (self->out);
}

/* What goes out */

static void put_out (struct notary_notes *self) {
    const struct notary_entry *settled = &self->settled;
    if (self->out_count == self->out_room) {
        self->out_room = self->out_room ? 2 * self->out_room : 4;
        self->out = mem_resize (self->out, self->out_room * sizeof *self->out);
    }
    struct notary_out *one = &self->out[self->out_count++];
    *one = (struct notary_out){ .version = roster_version (settled->roster),
                                .size = settled->checkpoint.size,
                                .handover = settled->handover };
    buf_add_slice (&one->note, buf_slice (&settled->note));
    self->lines_out = settled->lines;
}

static bool all_cosigned (const struct notary_entry *self) {
    return self->cosigned == roster_witnesses (self->roster);
}

static bool has_more (const struct notary_notes *self) {
    return self->again_ms && self->settled.lines > self->lines_out;
}

static void put_again (struct notary_notes *self) {
    put_out (self);
    self->again_ms = 0;
}

void notary_notes_tick (struct notary_notes *self, int64_t now_ms) {
    if (has_more (self)
        && (now_ms >= self->again_ms || all_cosigned (&self->settled)))
        put_again (self);
}

int64_t notary_notes_due (const struct notary_notes *self) {
    return has_more (self) ? self->again_ms : INT64_MAX;
}

/* Settling */

static bool settles (const struct notary_notes *self,
                     const struct notary_entry *entry) {
    struct checkpoint checkpoint;
    struct note note;
    return entry->checkpoint.size > self->settled.checkpoint.size
           && entry->cosigned >= (size_t) roster_quorum (entry->roster)
           && !checkpoint_read (buf_slice (&entry->note), &checkpoint, &note,
                                NULL)
           && !quorum_settles (self->settled.roster, entry->roster, &checkpoint,
                               &note, NULL);
}

static struct notary_entry *lowest_that_settles (struct notary_notes *self) {
    struct notary_entry *found = NULL;
    for (size_t i = 0; i < NOTARY_RECENT; i++) {
        struct notary_entry *entry = &self->recent[i];
        if (entry->checkpoint.size > 0
            && (!found || entry->checkpoint.size < found->checkpoint.size)
            && settles (self, entry))
            found = entry;
    }
    return found;
}

/* false: not now. */
static bool settle (struct notary_notes *self, struct notary_entry *entry,
                    int64_t now_ms) {
    const struct roster *last = self->settled.roster;
    entry->handover =
        !last
        || !hash_equal (roster_digest (last), roster_digest (entry->roster));
    bool keeps = entry->handover && self->keep;
    if (keeps && !self->keep (self->keep_arg, entry))
        return false;
    if (has_more (self))
        put_again (self);
    notary_entry_free (&self->settled);
    self->settled = *entry;
    *entry = (struct notary_entry){ 0 };
    self->settled.settled_ms = clock_wall_ms();
    self->again_ms = now_ms + AGAIN_MS;
    put_out (self);
    self->out[self->out_count - 1].kept = keeps;
    return true;
}

/* A line came, or the log's own. What settles may hand over to a roster by
 * which larger ones settle then, in the order of their sizes. */
static void settle_from (struct notary_notes *self, struct notary_entry *entry,
                         int64_t now_ms) {
    while (entry && settles (self, entry) && settle (self, entry, now_ms))
        entry = lowest_that_settles (self);
}

void notary_notes_signed (struct notary_notes *self,
                          const struct checkpoint *checkpoint,
                          struct roster *roster, struct buf *note,
                          int64_t now_ms) {
    struct notary_entry *entry = &self->recent[self->next];
    self->next = (self->next + 1) % NOTARY_RECENT;
    notary_entry_free (entry);
    entry->checkpoint = *checkpoint;
    entry->roster = roster;
    entry->note = *note;
    entry->lines = 1;
    *note = (struct buf){ 0 };
    self->signed_size = checkpoint->size;
    self->signed_ms = clock_wall_ms();
    settle_from (self, entry, now_ms);
}

/* Cosignatures */

static struct notary_entry *entry_of (struct notary_notes *self, int64_t size) {
    if (size > 0 && self->settled.checkpoint.size == size)
        return &self->settled;
    for (size_t i = 0; size > 0 && i < NOTARY_RECENT; i++)
        if (self->recent[i].checkpoint.size == size)
            return &self->recent[i];
    return NULL;
}

/* One line, of whoever hands it in, for a checkpoint that we signed. */
static enum err line_check (const struct notary_entry *entry,
                            const struct checkpoint *checkpoint,
                            const struct note *note, const char *delegation,
                            struct error *e) {
    if (note->count != 1 || !slice_is (note->lines[0].name, delegation))
        return error_set (e, ERR_MALFORMED,
                          "not one line, of '%s' that hands it in, but %zu",
                          delegation, note->count);
    if (!entry)
        return error_set (e, ERR_NOT_FOUND,
                          "no checkpoint of size %" PRId64 " is kept",
                          checkpoint->size);
    if (!checkpoint_equal (checkpoint, &entry->checkpoint))
        return error_set (e, ERR_DIGEST,
                          "the checkpoint of size %" PRId64
                          " that was signed has another root or origin",
                          checkpoint->size);
    return ERR_NONE;
}

static const struct roster_delegation *witness_of (const struct roster *roster,
                                                   const char *name) {
    for (size_t i = 0; roster && i < roster_witnesses (roster); i++)
        if (strcmp (roster_witness_at (roster, i)->name, name) == 0)
            return roster_witness_at (roster, i);
    return NULL;
}

/* By the roster at the checkpoint's end (*own), or the one that settled last:
 * only then is the line anybody's. */
static enum err line_judge (const struct notary_notes *self,
                            const struct notary_entry *entry,
                            const struct note *note, const char *delegation,
                            bool *own, struct error *e) {
    const struct roster *rosters[] = { entry->roster, self->settled.roster };
    struct error why = { 0 };
    bool witness = false;
    for (int i = 0; i < 2; i++) {
        const struct roster_delegation *w = witness_of (rosters[i], delegation);
        int64_t time = 0;
        witness = witness || w;
        if (!w || quorum_cosigned (w, &entry->checkpoint, note, &time, &why)
            || time == 0)
            continue;
        *own = i == 0;
        if (quorum_line_good (rosters[1], rosters[0], &entry->checkpoint, note,
                              0))
            return ERR_NONE;
        return error_set (e, ERR_SIGNATURE,
                          "wrong by another of its keys, of the same id");
    }
    if (!witness)
        return error_set (e, ERR_RIGHT, "'%s' is no witness of roster %" PRId64,
                          delegation, roster_version (entry->roster));
    return error_set (e, ERR_SIGNATURE, "%s",
                      why.code ? why.text : "by none of its witness keys");
}

/* The key id, which the first 8 characters hold. */
static uint32_t key_of (struct slice base64) {
    uint8_t octets[6] = { 0 };
    size_t size;
    return base64_decode_any (octets, sizeof octets, &size,
                              slice_of (base64.data, 8))
               ? 0
               : get_u32 (octets);
}

/* The lines of that name: by that key (*known), or by its other one. */
static size_t lines_of (const struct note *note, struct slice name,
                        struct slice base64, bool *known) {
    size_t count = 0;
    *known = false;
    for (size_t i = 0; i < note->count; i++) {
        if (!slice_equal (note->lines[i].name, name))
            continue;
        count++;
        if (key_of (note->lines[i].base64) == key_of (base64))
            *known = true;
    }
    return count;
}

/* A witness counts once, by whichever of its keys. */
static void recount (struct notary_entry *self) {
    struct checkpoint checkpoint;
    struct note note;
    struct quorum quorum;
    size_t bad;
    if (checkpoint_read (buf_slice (&self->note), &checkpoint, &note, NULL))
        return;
    quorum_judge (self->roster, &checkpoint, &note, &quorum, &bad);
    self->cosigned = quorum.cosigned;
}

static enum err line_add (struct notary_entry *entry, const struct note *line,
                          bool own, struct error *e) {
    struct checkpoint checkpoint;
    struct note note;
    bool known;
    enum err rc =
        checkpoint_read (buf_slice (&entry->note), &checkpoint, &note, e);
    if (rc)
        return rc;
    size_t before =
        lines_of (&note, line->lines[0].name, line->lines[0].base64, &known);
    if (known)
        return ERR_NONE;
    if (note.count == NOTE_SIGNATURES_MAX)
        return error_set (e, ERR_LIMIT, "the note has %d lines already",
                          NOTE_SIGNATURES_MAX);
    size_t head = line->text.size + 1; /* and the empty line */
    buf_add (&entry->note, line->octets.data + head, line->octets.size - head);
    entry->lines++;
    entry->cosigned += own;
    if (before > 0)
        recount (entry);
    return ERR_NONE;
}

enum err notary_notes_cosign (struct notary_notes *self, const char *delegation,
                              struct slice octets, int64_t now_ms,
                              struct error *e) {
    struct checkpoint checkpoint;
    struct note note;
    bool own = false;
    enum err rc = checkpoint_read (octets, &checkpoint, &note, e);
    if (rc)
        return rc;
    struct notary_entry *entry = entry_of (self, checkpoint.size);
    rc = line_check (entry, &checkpoint, &note, delegation, e);
    if (!rc)
        rc = line_judge (self, entry, &note, delegation, &own, e);
    if (!rc)
        rc = line_add (entry, &note, own, e);
    if (rc)
        return rc;
    settle_from (self, entry, now_ms);
    notary_notes_tick (self, now_ms);
    return ERR_NONE;
}

const struct notary_entry *notary_notes_newest (
    const struct notary_notes *self) {
    const struct notary_entry *newest =
        self->settled.checkpoint.size > 0 ? &self->settled : NULL;
    for (size_t i = 0; i < NOTARY_RECENT; i++)
        if (self->recent[i].checkpoint.size > 0
            && (!newest
                || self->recent[i].checkpoint.size > newest->checkpoint.size))
            newest = &self->recent[i];
    return newest;
}
