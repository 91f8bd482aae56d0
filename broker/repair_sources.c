/* repair_sources - bundles, audited, and read side by side. Memory is a block of
 * each. */
#include "repair_sources.h"

#include "ledger/audit.h"

#include <stdlib.h>

static void cursor_end (struct source *self) {
    bundle_close (&self->bundle);
    self->has_block = self->has_leaf = false;
}

void sources_close (struct sources *self) {
    for (size_t i = 0; i < self->count; i++) {
        struct source *one = &self->all[i];
        cursor_end (one);
        for (size_t n = 0; n < one->note_count; n++)
            buf_free (&one->notes[n]);
        free (one->notes);
        free (one->leaves);
        free (one->promises);
    }
    free (self->all);
    block_writer_destroy (&self->writer);
    *self = (struct sources){ 0 };
}

/* Opening. */

static enum err own_log (const struct checkpoint *cp, const struct note *note,
                         const uint8_t *log_key, struct error *e) {
    if (!checkpoint_check_log (cp, note, cp->origin, log_key, e))
        return ERR_NONE;
    e->code = ERR_KEY;
    return error_at (e,
                     "its newest checkpoint is not by this broker's log key");
}

static enum err note_add (struct source *self, struct slice octets,
                          const uint8_t *log_key, struct error *e) {
    struct checkpoint cp;
    struct note note;
    enum err rc = checkpoint_read (octets, &cp, &note, e);
    if (rc || cp.size > self->settled)
        return rc;
    if (cp.size == self->settled)
        rc = own_log (&cp, &note, log_key, e);
    if (rc)
        return rc;
    self->notes =
        mem_resize (self->notes, (self->note_count + 1) * sizeof *self->notes);
    struct buf *kept = &self->notes[self->note_count++];
    *kept = (struct buf){ 0 };
    buf_add_slice (kept, octets);
    self->noted = cp.size;
    return ERR_NONE;
}

/* What the log alone signed proves as much to its own broker. */
static enum err verified_read (struct source *self,
                               const struct audit_report *report,
                               const uint8_t *log_key, struct error *e) {
    struct checkpoint cp;
    struct note note;
    struct slice octets;
    if (report->logged.size <= self->settled)
        return ERR_NONE;
    enum err rc = bundle_verified (self->bundle, &octets, e);
    if (!rc)
        rc = checkpoint_read (octets, &cp, &note, e);
    if (!rc)
        rc = own_log (&cp, &note, log_key, e);
    self->settled = report->logged.size;
    self->root = report->logged.root;
    return rc;
}

static enum err promises_read (struct source *self, struct error *e) {
    struct promise_proof proof;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_promise (self->bundle, &proof, e))) {
        size_t n = self->promise_count;
        if ((n & (n - 1)) == 0) /* doubles at each power of two */
            self->promises = mem_resize (
                self->promises, (n ? 2 * n : 1) * sizeof *self->promises);
        self->promises[self->promise_count++] = (struct source_promise){
            .sequence = proof.sequence,
            .epoch = proof.promise.epoch,
            .leaf = proof.leaf,
            .exporter = self->meta.exporter,
        };
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err notes_read (struct source *self, const uint8_t *log_key,
                            struct error *e) {
    struct slice note;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_checkpoint (self->bundle, &note, e)))
        rc = note_add (self, note, log_key, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err cursor_begin (struct source *self, struct error *e) {
    cursor_end (self);
    self->bundle = bundle_open (self->path, e);
    if (!self->bundle)
        return e->code;
    self->block = (struct block){ .first_sequence = -1 };
    self->has_block = self->has_leaf = true; /* not read yet */
    self->leaf_at = -1;
    return ERR_NONE;
}

static enum err source_open (struct source *self, const char *path,
                             const struct hash *dialogue,
                             const uint8_t *log_key, struct error *e) {
    struct audit_report report;
    *self = (struct source){ .path = path };
    self->leaves = mem_alloc (BLOCK_RECORDS_MAX * sizeof *self->leaves);
    enum err rc = audit_check (path, dialogue, NULL, NULL, &report, e);
    self->meta = report.meta;
    self->settled = report.settled.size;
    self->root = report.settled.checkpoint.root;
    if (!rc)
        rc = cursor_begin (self, e);
    if (!rc)
        rc = notes_read (self, log_key, e);
    if (!rc)
        rc = verified_read (self, &report, log_key, e);
    if (!rc)
        rc = promises_read (self, e);
    audit_report_free (&report);
    return rc ? error_at (e, "bundle '%s'", path) : ERR_NONE;
}

enum err sources_open (struct sources *self, char *const *paths, size_t count,
                       const struct hash *dialogue,
                       const uint8_t log_key[KEY_SIZE], struct error *e) {
    enum err rc = ERR_NONE;
    *self = (struct sources){ .all = mem_alloc (count * sizeof *self->all) };
    self->writer = block_writer_new();
    for (size_t i = 0; !rc && i < count; i++) {
        self->count++;
        rc = source_open (&self->all[i], paths[i], dialogue, log_key, e);
    }
    return rc;
}

enum err sources_rewind (struct sources *self, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < self->count; i++)
        rc = cursor_begin (&self->all[i], e);
    return rc;
}

/* Going on. */

static int64_t block_end (const struct source *self) {
    return self->block.first_sequence + (int64_t) self->block.count;
}

static enum err block_next_one (struct source *self, struct error *e) {
    int64_t direct;
    struct slice octets;
    struct block_walk w;
    enum err rc = bundle_next_block (self->bundle, &direct, &octets, e);
    if (!rc)
        rc = block_read (octets, &self->block, e);
    if (rc)
        return rc;
    block_walk (&self->block, &w);
    while (block_next (&w))
        self->leaves[w.index] = record_leaf (w.record);
    return ERR_NONE;
}

static enum err go_on (struct source *self, int64_t sequence, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && self->has_block && block_end (self) <= sequence) {
        rc = block_next_one (self, e);
        self->has_block = !rc;
    }
    if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE;
    while (!rc && self->has_leaf && self->leaf_at < sequence) {
        rc = bundle_next_leaf (self->bundle, &self->leaf_at, &self->leaf, e);
        self->has_leaf = !rc;
    }
    if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE;
    return rc ? error_at (e, "bundle '%s'", self->path) : ERR_NONE;
}

enum err source_leaf (struct source *self, int64_t sequence, struct hash *out,
                      bool *known, struct error *e) {
    enum err rc = go_on (self, sequence, e);
    *known = false;
    if (rc)
        return rc;
    if (self->has_block && self->block.first_sequence <= sequence) {
        *out = self->leaves[sequence - self->block.first_sequence];
        *known = true;
    } else if (self->has_leaf && self->leaf_at == sequence) {
        *out = self->leaf;
        *known = true;
    }
    return ERR_NONE;
}

/* How many records from there on it has with their bodies. */
static size_t run_of (const struct source *self, int64_t sequence,
                      int64_t end) {
    struct block_walk w;
    size_t count = 0;
    if (!self->has_block || self->block.first_sequence > sequence)
        return 0;
    block_walk (&self->block, &w);
    while (block_next (&w)) {
        int64_t at = self->block.first_sequence + (int64_t) w.index;
        if (at < sequence)
            continue;
        if (at >= end || w.state == BODY_ABSENT)
            break;
        count++;
    }
    return count;
}

enum err sources_block (struct sources *self, int64_t sequence, int64_t end,
                        struct buf *out, size_t *which, struct error *e) {
    size_t most = 0;
    for (size_t i = 0; i < self->count; i++) {
        enum err rc = go_on (&self->all[i], sequence, e);
        if (rc)
            return rc;
        size_t count = run_of (&self->all[i], sequence, end);
        if (count > most) {
            most = count;
            *which = i;
        }
    }
    if (most == 0)
        return error_set (e, ERR_NOT_FOUND, "nobody has record %lld",
                          (long long) sequence);
    const struct block *block = &self->all[*which].block;
    if (block->first_sequence == sequence && block->count == most) {
        buf_add_slice (out, block->octets);
        return ERR_NONE;
    }
    return block_cut (block, (size_t) (sequence - block->first_sequence), most,
                      self->writer, out, e);
}

enum err sources_whole (struct sources *self, int64_t sequence, size_t room,
                        struct slice *out, size_t *which, struct error *e) {
    size_t most = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct source *one = &self->all[i];
        enum err rc = go_on (one, sequence, e);
        if (rc)
            return rc;
        if (one->has_block && one->block.first_sequence == sequence
            && one->block.octets.size <= room && block_end (one) <= one->settled
            && run_of (one, sequence, INT64_MAX) == one->block.count
            && one->block.count > most) {
            most = one->block.count;
            *out = one->block.octets;
            *which = i;
        }
    }
    return most ? ERR_NONE
                : error_set (e, ERR_NOT_FOUND, "nobody has record %lld",
                             (long long) sequence);
}
