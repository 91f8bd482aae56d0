/* repair_rebuild - a journal that can't be mended at its places is written anew,
 * beside, from its own blocks and from bundles. In main's thread. */
#include "repair_impl.h"

#include "base/clock.h"
#include "base/disk.h"

#include <inttypes.h>
#include <stdlib.h>

/* Read twice: to be judged, and to be written. */
struct rebuild {
    struct repair *repair;
    struct append *append; /* NULL: it is judged */
    struct buf octets;
};

static int64_t proven (const struct repair *self) {
    int64_t size = 0;
    for (size_t i = 0; i < self->sources.count; i++)
        if (self->sources.all[i].settled > size)
            size = self->sources.all[i].settled;
    return size;
}

static enum err on_block (void *arg, const struct block *block,
                          const struct block_facts *facts, struct error *e) {
    struct rebuild *self = arg;
    if (self->append)
        return append_block (self->append, block->octets, e);
    return repair_block (self->repair, block, facts, true, e);
}

/* What a checkpoint does not cover is nobody's to put there. */
static enum err filling_get (struct rebuild *self, int64_t at, int64_t end,
                             struct block *block, size_t *which,
                             struct error *e) {
    struct repair *repair = self->repair;
    int64_t most = proven (repair);
    buf_clear (&self->octets);
    if (at >= most)
        return error_set (e, ERR_NOT_FOUND, "no checkpoint covers it");
    enum err rc = sources_block (&repair->sources, at, end < most ? end : most,
                                 &self->octets, which, e);
    return rc ? rc : block_read (buf_slice (&self->octets), block, e);
}

static enum err filling_take (struct rebuild *self, const struct block *block,
                              size_t which, struct error *e) {
    struct repair_report *report = self->repair->report;
    struct block_facts facts;
    enum err rc = block_check (block, &facts, e);
    if (!rc)
        rc = on_block (self, block, &facts, e);
    if (!rc && !self->append) {
        report->mended += (int64_t) block->count;
        report->sources[which].mended += (int64_t) block->count;
    }
    return rc;
}

static enum err on_hole (void *arg, int64_t first, int64_t end,
                         struct error *e) {
    struct rebuild *self = arg;
    enum err rc = ERR_NONE;
    for (int64_t at = first; !rc && at < end;) {
        struct block block;
        size_t which;
        rc = filling_get (self, at, end, &block, &which, e);
        if (rc == ERR_NOT_FOUND && !self->append) {
            rc = repair_hole (self->repair, at, at + 1, "", e);
            at++;
        } else if (!rc) {
            rc = filling_take (self, &block, which, e);
            at += (int64_t) block.count;
        }
    }
    return rc;
}

static enum err walk (struct rebuild *self, int64_t *next, struct error *e) {
    struct segments_visitor visitor = { self, on_block, on_hole };
    enum err rc =
        segments_walk (self->repair->settings->state, &visitor, next, e);
    buf_free (&self->octets);
    return rc;
}

enum err repair_rebuild_read (struct repair *self, struct error *e) {
    struct rebuild rebuild = { .repair = self };
    struct repair_report *report = self->report;
    self->rebuild = true;
    snprintf (report->rebuilt, sizeof report->rebuilt, "%s", e->text);
    return walk (&rebuild, &report->size, e);
}

/* Writing. */

static char *path_of (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

static enum err journal_fill (struct repair *self, const char *beside,
                              struct error *e) {
    struct rebuild rebuild = { .repair = self };
    int64_t next = 0;
    enum err rc = journal_create (beside, &self->dialogue, e);
    if (!rc)
        rc = sources_rewind (&self->sources, e);
    if (!rc) {
        rebuild.append = append_open (self, beside, e);
        rc = rebuild.append ? walk (&rebuild, &next, e) : e->code;
    }
    if (!rc)
        rc = append_flush (rebuild.append, e);
    if (!rc && next != self->report->size)
        rc = error_set (e, ERR_STATE,
                        "the ledger has %" PRId64 " records, it had %" PRId64,
                        next, self->report->size);
    append_close (&rebuild.append);
    return rc;
}

/* An index may be missing, so it goes first: it is of the old one. */
static enum err change_places (const char *state, const char *beside,
                               struct error *e) {
    char *journal = path_of (state, "journal"),
         *index = path_of (state, "index"), *made = path_of (beside, "journal"),
         *made_index = path_of (beside, "index"),
         *old_index = path_of (beside, "index-of-it");
    enum err rc = disk_rename (index, old_index, e);
    if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE;
    if (!rc)
        rc = disk_exchange (made, journal, e);
    if (!rc)
        rc = disk_rename (made_index, index, e);
    free (journal);
    free (index);
    free (made);
    free (made_index);
    free (old_index);
    return rc;
}

enum err repair_rebuild_write (struct repair *self, struct error *e) {
    const char *state = self->settings->state;
    struct repair_report *report = self->report;
    struct buf name = { 0 };
    buf_add_format (&name, "%s/damaged-%" PRId64, state, clock_wall_ms());
    char *beside = buf_take_text (&name);
    enum err rc = disk_make_dir (beside, e);
    if (!rc)
        rc = journal_fill (self, beside, e);
    if (!rc)
        rc = change_places (state, beside, e);
    snprintf (report->asides[report->aside_count++], sizeof report->asides[0],
              "%s", beside);
    free (beside);
    return rc;
}
