/* repair - judges all before anything is written. In main's thread. */
#include "repair_impl.h"

#include "base/disk.h"
#include "founding.h"

#include <inttypes.h>
#include <stdlib.h>

/* Against the bundles. */

static enum err two_pasts (struct repair *self, const struct source *source,
                           int64_t sequence, struct error *e) {
    self->contradicted = true;
    return error_set (
        e, ERR_CHAIN,
        "record %" PRId64 " %s is not the one that bundle '%s' has at that "
        "place: two pasts, which no repair joins; found the next epoch on the "
        "one that the bodies choose",
        sequence, self->mend ? "of another bundle" : "of this ledger",
        source->path);
}

static bool same_body (const struct source *a, const struct source *b) {
    return slice_equal (delegation_entity (slice_text (a->meta.exporter)),
                        delegation_entity (slice_text (b->meta.exporter)));
}

/* *voices: how many bodies know it. */
static enum err compare (struct repair *self, int64_t sequence,
                         const struct hash *leaf, uint8_t *voices,
                         struct error *e) {
    bool *known = mem_alloc ((self->sources.count + 1) * sizeof *known);
    enum err rc = ERR_NONE;
    *voices = 0;
    for (size_t i = 0; !rc && i < self->sources.count; i++) {
        struct source *source = &self->sources.all[i];
        struct hash theirs;
        bool heard = false;
        rc = source_leaf (source, sequence, &theirs, &known[i], e);
        if (!rc && known[i] && !hash_equal (&theirs, leaf))
            rc = two_pasts (self, source, sequence, e);
        for (size_t k = 0; k < i; k++)
            heard = heard
                    || (known[k] && same_body (&self->sources.all[k], source));
        *voices = (uint8_t) (*voices + (known[i] && !heard && *voices < 255));
    }
    free (known);
    return rc;
}

/* Of each checkpoint that ends here. */
static enum err roots_check (struct repair *self, struct error *e) {
    if (self->no_tree)
        return ERR_NONE;
    struct hash root = tree_root (&self->tree);
    for (size_t i = 0; i < self->sources.count; i++) {
        const struct source *source = &self->sources.all[i];
        if (source->settled == (int64_t) self->tree.size
            && !hash_equal (&source->root, &root))
            return error_set (e, ERR_DIGEST,
                              "the first %" PRId64 " records have another root "
                              "than the checkpoint in bundle '%s'",
                              source->settled, source->path);
    }
    return ERR_NONE;
}

static enum err leaf_add (struct repair *self, const struct hash *leaf,
                          struct error *e) {
    if (self->no_tree)
        return ERR_NONE;
    tree_add (&self->tree, leaf);
    return roots_check (self, e);
}

/* Rosters in the block are in the chain by then. */
static enum err block_judge (struct repair *self, const struct block *block,
                             const struct block_facts *facts, bool verify,
                             struct error *e) {
    struct journal_replay replay = counters_replay (self->counters);
    enum err rc = replay.block (replay.arg, block, facts, e);
    struct roster *roster =
        rc ? NULL
           : roster_chain_by_record (self->counters->chain, facts->roster);
    if (!rc && !roster)
        rc = error_set (e, ERR_CHAIN,
                        "record %" PRId64 " names record %" PRId64
                        " as its roster, which is none",
                        block->first_sequence, facts->roster);
    if (!rc && verify)
        rc = block_verify (block, &self->dialogue, roster, e);
    return rc;
}

enum err repair_block (struct repair *self, const struct block *block,
                       const struct block_facts *facts, bool verify,
                       struct error *e) {
    enum err rc = ERR_NONE;
    struct block_walk w;
    block_walk (block, &w);
    while (!rc && block_next (&w)) {
        struct hash leaf = record_leaf (w.record);
        int64_t at = block->first_sequence + (int64_t) w.index;
        uint8_t voices;
        rc = compare (self, at, &leaf, &voices, e);
        if (!rc)
            rc = repair_promised (self, at, facts->epoch, &leaf, e);
        if (!rc)
            rc = leaf_add (self, &leaf, e);
        if (self->voices)
            self->voices[w.index] = voices;
    }
    if (!rc && !self->holes)
        rc = block_judge (self, block, facts, verify, e);
    return rc;
}

/* Holes. */

static void lack_add (struct repair *self, int64_t first, int64_t end,
                      const char *place) {
    struct repair_report *report = self->report;
    struct repair_range *last =
        report->lack_count ? &report->lacks[report->lack_count - 1] : NULL;
    self->holes = true;
    report->lack_records += end - first;
    if (last && last->end == first && !place[0] && !last->place[0]) {
        last->end = end;
        return;
    }
    if (report->lack_count == REPAIR_RANGES_MAX)
        return;
    last = &report->lacks[report->lack_count++];
    *last = (struct repair_range){ .first = first, .end = end };
    snprintf (last->place, sizeof last->place, "%s", place);
}

/* A leaf that is not known, or only by somebody's word, gives no root. */
static enum err leaf_borrow (struct repair *self, int64_t sequence,
                             struct error *e) {
    struct hash leaf;
    bool known = false;
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && !known && i < self->sources.count; i++)
        if (self->sources.all[i].settled > sequence)
            rc =
                source_leaf (&self->sources.all[i], sequence, &leaf, &known, e);
    self->no_tree = self->no_tree || !known;
    return rc || !known ? rc : leaf_add (self, &leaf, e);
}

enum err repair_hole (struct repair *self, int64_t first, int64_t end,
                      const char *place, struct error *e) {
    enum err rc = ERR_NONE;
    self->report->open_end = end < 0;
    lack_add (self, first, end < 0 ? first + 1 : end, place);
    for (int64_t at = first; !rc && at < end; at++)
        rc = leaf_borrow (self, at, e);
    return rc;
}

/* The ledger as it is. */

static enum err on_block (void *arg, const struct block *block,
                          const struct block_facts *facts, bool lost,
                          struct error *e) {
    struct repair *self = arg;
    if (lost) {
        self->report->mended += (int64_t) block->count;
        self->report->sources[self->lost].mended += (int64_t) block->count;
    }
    return repair_block (self, block, facts, lost, e);
}

static enum err on_lost (void *arg, int64_t sequence, size_t room,
                         struct slice *out, struct error *e) {
    struct repair *self = arg;
    return sources_whole (&self->sources, sequence, room, out, &self->lost, e);
}

static enum err on_hole (void *arg, int64_t first, int64_t end,
                         const char *place, struct error *e) {
    return repair_hole (arg, first, end, place, e);
}

static enum err own_read (struct repair *self, struct error *e) {
    struct mend_visitor visitor = { self, on_block, on_lost, on_hole };
    enum err rc = segments_check (self->settings->state, &self->dialogue, e);
    if (rc == ERR_DAMAGED || rc == ERR_NOT_FOUND)
        return repair_rebuild_read (self, e);
    if (rc)
        return rc;
    self->mend =
        mend_read (self->settings->state, &self->dialogue, &visitor, e);
    if (!self->mend)
        return e->code;
    self->report->size = mend_size (self->mend);
    return ERR_NONE;
}

/* What is behind it. */

static int64_t target_of (const struct repair *self) {
    int64_t target = -1;
    for (size_t i = 0; i < self->sources.count; i++)
        if (self->sources.all[i].settled > target)
            target = self->sources.all[i].settled;
    return target > self->report->size ? target : -1;
}

void repair_leaves_keep (struct repair *self, const struct block *block) {
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w)) {
        struct hash leaf = record_leaf (w.record);
        buf_add (&self->leaves, leaf.octets, HASH_SIZE);
    }
}

/* What one bundle has from there on; *at: behind it. */
static enum err end_step (struct repair *self, int64_t *at, struct buf *octets,
                          struct error *e) {
    struct block block;
    struct block_facts facts;
    size_t which;
    buf_clear (octets);
    enum err rc = sources_block (&self->sources, *at, self->report->target,
                                 octets, &which, e);
    if (rc == ERR_NOT_FOUND) {
        (*at)++;
        return repair_hole (self, *at - 1, *at, "", e);
    }
    if (!rc)
        rc = block_read (buf_slice (octets), &block, e);
    if (!rc)
        rc = block_check (&block, &facts, e);
    if (!rc)
        rc = repair_block (self, &block, &facts, true, e);
    if (rc)
        return rc;
    repair_leaves_keep (self, &block);
    *at = block.first_sequence + (int64_t) block.count;
    self->report->added += (int64_t) block.count;
    self->report->sources[which].added += (int64_t) block.count;
    return ERR_NONE;
}

static enum err end_read (struct repair *self, struct error *e) {
    struct repair_report *report = self->report;
    struct buf octets = { 0 };
    enum err rc = ERR_NONE;
    report->target = target_of (self);
    if (report->open_end)
        report->target = -1;
    report->covered = report->target;
    for (int64_t at = report->size; !rc && at < report->target;)
        rc = end_step (self, &at, &octets, e);
    buf_free (&octets);
    if (!rc && report->target > 0 && !self->holes
        && (int64_t) self->tree.size != report->target)
        rc = error_set (e, ERR_DIGEST, "no root of %" PRId64 " records",
                        report->target);
    return rc ? rc : repair_tail (self, e);
}

/* The report. */

static bool brought (const struct repair *self, const char *entity) {
    size_t size = strlen (entity);
    for (size_t i = 0; i < self->sources.count; i++) {
        const char *exporter = self->sources.all[i].meta.exporter;
        if (strncmp (exporter, entity, size) == 0 && exporter[size] == '/')
            return true;
    }
    return false;
}

static void absent_list (struct repair *self) {
    struct repair_report *report = self->report;
    const struct roster *roster =
        roster_chain_last (self->counters->chain, NULL);
    for (size_t i = 0; roster && i < roster_entities (roster); i++) {
        const char *id = roster_entity_at (roster, i)->id;
        if (brought (self, id) || report->absent_count == 16)
            continue;
        snprintf (report->absent[report->absent_count++],
                  sizeof report->absent[0], "%s", id);
    }
}

static void report_begin (struct repair *self) {
    struct repair_report *report = self->report;
    report->source_count = self->sources.count;
    report->sources = mem_alloc (self->sources.count * sizeof *report->sources);
    for (size_t i = 0; i < self->sources.count; i++) {
        const struct source *from = &self->sources.all[i];
        struct repair_source *to = &report->sources[i];
        to->path = from->path;
        to->settled = from->settled;
        snprintf (to->exporter, sizeof to->exporter, "%s", from->meta.exporter);
        if (from->meta.last > report->held)
            report->held = from->meta.last;
    }
}

static void asides_list (struct repair *self) {
    struct repair_report *report = self->report;
    int64_t last = -1;
    for (size_t i = 0; i < mend_patches (self->mend); i++) {
        const struct mend_patch *patch = mend_patch_at (self->mend, i);
        if (patch->segment == last || report->aside_count == 8)
            continue;
        last = patch->segment;
        snprintf (report->asides[report->aside_count++],
                  sizeof report->asides[0], "%s", patch->aside);
    }
}

/* All of it. */

/* What was proven is written, also where something else lacks. */
static enum err write_all (struct repair *self, struct error *e) {
    struct repair_report *report = self->report;
    enum err rc = ERR_NONE;
    if (self->rebuild && !self->holes) {
        rc = repair_rebuild_write (self, e);
        report->written_blocks = !rc;
    } else if (self->mend && mend_patches (self->mend) > 0) {
        rc = mend_write (self->mend, e);
        report->written_blocks = !rc;
        asides_list (self);
    }
    if (!rc && !self->holes && report->target > 0) {
        rc = repair_append (self, e);
        if (!rc)
            rc = repair_checkpoints (self, e);
        report->written_end = !rc;
    }
    return rc;
}

static enum err repair_all (struct repair *self, char *const *bundles,
                            size_t count, bool dry, struct error *e) {
    struct repair_report *report = self->report;
    self->broker = broker_load (self->settings->identity, e);
    if (!self->broker)
        return e->code;
    enum err rc = sources_open (&self->sources, bundles, count, &self->dialogue,
                                identity_public (self->broker, KEY_LOG), e);
    if (rc)
        return rc;
    report_begin (self);
    rc = repair_promises (self, e);
    if (!rc)
        rc = own_read (self, e);
    if (!rc)
        rc = end_read (self, e);
    absent_list (self);
    if (!rc && !dry)
        rc = write_all (self, e);
    if (!rc && report->lost_count > 0)
        rc = error_set (e, ERR_NOT_FOUND,
                        "%" PRId64 " records that were promised are lost",
                        report->lost_count);
    if (!rc && report->lack_records > 0)
        rc = error_set (e, ERR_NOT_FOUND,
                        "%" PRId64 " records are in none of the bundles",
                        report->lack_records);
    return rc;
}

enum err ledger_repair (const struct settings *settings, char *const *bundles,
                        size_t count, bool dry, struct repair_report *report,
                        struct error *e) {
    repair_report_begin (report);
    struct repair self = { .settings = settings, .report = report };
    enum err rc = ledger_dialogue (settings->state, &self.dialogue, e);
    if (rc)
        return rc;
    int lock = disk_lock (settings->state, e);
    if (lock < 0)
        return e->code;
    self.counters = counters_new();
    rc = repair_all (&self, bundles, count, dry, e);
    mend_destroy (&self.mend);
    sources_close (&self.sources);
    counters_destroy (&self.counters);
    identity_destroy (&self.broker);
    buf_free (&self.leaves);
    free (self.promises);
    disk_close (&lock);
    return rc;
}
