/* import_job - two readings of a bundle: the audit's, and the one that hands it
 * on. Leaf hashes are those of the records that are there and of the others, in
 * order; only what a settled checkpoint of the audit covers is taken, since
 * nobody signs leaf hashes. */
#include "api/import_job.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS_OCTETS 1048576 /* of one part */
#define LEAVES_COUNT 8192

struct import_job {
    struct link *link;
    struct hash dialogue;
    atomic_bool stop;
    pthread_mutex_t lock; /* over what follows */
    pthread_t thread;
    bool joinable;
    struct import_status status;
};

/* Parts */

static enum err part (struct import_job *self, enum link_part which,
                      int64_t number, struct slice octets,
                      struct link_imported *out, struct error *e) {
    struct link_import in = { which, number, octets };
    if (atomic_load (&self->stop))
        return error_set (e, ERR_STATE, "the agent stops");
    enum err rc = link_import (self->link, &in, out, e);
    pthread_mutex_lock (&self->lock);
    self->status.records += out->records;
    self->status.held += out->held;
    self->status.others += out->others;
    self->status.gaps += out->gaps;
    pthread_mutex_unlock (&self->lock);
    return rc;
}

static void done_to (struct import_job *self, int64_t done) {
    pthread_mutex_lock (&self->lock);
    self->status.done = done;
    pthread_mutex_unlock (&self->lock);
}

/* The note of a version, or of the last one (-1); empty where the bundle has
 * none. */
static enum err note_find (const char *dir, int64_t version, struct buf *out,
                           struct error *e) {
    struct bundle *bundle = bundle_open (dir, e);
    struct slice note;
    enum err rc = bundle ? ERR_NONE : e->code;
    buf_clear (out);
    for (int64_t n = 1; !rc && (n <= version || version < 0); n++) {
        rc = bundle_next_roster (bundle, &note, e);
        struct roster *roster = rc ? NULL : roster_read (note, e);
        if (roster && version < 0)
            buf_clear (out);
        if (roster && (version < 0 || roster_version (roster) == version))
            buf_add_slice (out, note);
        else if (!rc && !roster)
            rc = e->code;
        roster_unref (&roster);
    }
    bundle_close (&bundle);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err rosters_take (struct import_job *self, const char *dir,
                              struct error *e) {
    struct link_imported out;
    struct buf note = { 0 };
    enum err rc = part (self, LINK_ROSTER, 0, (struct slice){ 0 }, &out, e);
    while (!rc && out.wanted != 0) {
        int64_t version = out.wanted;
        rc = note_find (dir, version, &note, e);
        if (!rc)
            rc = part (self, LINK_ROSTER, version, buf_slice (&note), &out, e);
        if (!rc && out.wanted == version) /* not what the link can use */
            break;
    }
    buf_free (&note);
    return rc;
}

static void entry_add (struct buf *out, struct slice block, int64_t direct) {
    buf_add_u32 (out, (uint32_t) block.size);
    buf_add_slice (out, block);
    buf_add_u64 (out, (uint64_t) direct);
}

/* Where records from `from` on have what they say: [*first, *end); false: no
 * more. */
static bool bodies_find (const struct block *block, size_t from, size_t *first,
                         size_t *end) {
    struct block_walk w;
    bool found = false;
    block_walk (block, &w);
    while (block_next (&w)) {
        bool there = w.index >= from && w.state != BODY_ABSENT;
        if (found && !there)
            break;
        if (there && !found)
            *first = w.index;
        if (there)
            *end = w.index + 1;
        found = found || there;
    }
    return found;
}

/* A record without its body is taken by its leaf hash alone: a reader could
 * not fetch it any more. */
static enum err parts_add (struct buf *out, const struct block *block,
                           int64_t direct, struct block_writer *writer,
                           struct error *e) {
    size_t first, end = 0;
    struct buf part = { 0 };
    enum err rc = ERR_NONE;
    while (!rc && bodies_find (block, end, &first, &end)) {
        if (end - first == block->count) {
            entry_add (out, block->octets, direct);
            break;
        }
        buf_clear (&part);
        rc = block_cut (block, first, end - first, writer, &part, e);
        if (!rc)
            entry_add (out, buf_slice (&part),
                       direct ? direct + (int64_t) first : 0);
    }
    buf_free (&part);
    return rc;
}

static enum err blocks_take (struct import_job *self, struct bundle *bundle,
                             struct error *e) {
    struct block_writer *writer = block_writer_new();
    struct buf entries = { 0 };
    struct link_imported out;
    struct slice block;
    int64_t direct, at = 0;
    enum err rc;
    while (!(rc = bundle_next_block (bundle, &direct, &block, e))) {
        struct block b;
        rc = block_read (block, &b, e);
        if (!rc)
            rc = parts_add (&entries, &b, direct, writer, e);
        if (rc)
            break;
        at = b.first_sequence + (int64_t) b.count;
        if (entries.size < BLOCKS_OCTETS)
            continue;
        rc = part (self, LINK_BLOCKS, 0, buf_slice (&entries), &out, e);
        buf_clear (&entries);
        done_to (self, at);
        if (rc)
            break;
    }
    if (rc == ERR_NOT_FOUND)
        rc = part (self, LINK_BLOCKS, 0, buf_slice (&entries), &out, e);
    done_to (self, at);
    buf_free (&entries);
    block_writer_destroy (&writer);
    return rc;
}

/* Leaves, from both files */

struct merge {
    struct bundle *blocks, *leaves; /* each read on its own */
    struct block block;
    struct block_walk walk;
    bool has_block, has_leaf;
    int64_t block_at, leaf_at; /* sequences of what is in hand */
    struct hash leaf;
};

static enum err block_step (struct merge *self, struct error *e) {
    struct slice octets;
    int64_t direct;
    if (self->has_block && block_next (&self->walk)) {
        self->block_at =
            self->block.first_sequence + (int64_t) self->walk.index;
        return ERR_NONE;
    }
    enum err rc = bundle_next_block (self->blocks, &direct, &octets, e);
    if (!rc)
        rc = block_read (octets, &self->block, e);
    self->has_block = !rc;
    if (rc)
        return rc;
    block_walk (&self->block, &self->walk);
    return block_step (self, e);
}

static enum err leaf_step (struct merge *self, struct error *e) {
    enum err rc =
        bundle_next_leaf (self->leaves, &self->leaf_at, &self->leaf, e);
    self->has_leaf = !rc;
    return rc;
}

/* The leaf of this sequence, which is the next. ERR_NOT_FOUND: a hole. */
static enum err merge_next (struct merge *self, int64_t sequence,
                            struct hash *out, struct error *e) {
    enum err rc = ERR_NONE;
    if (self->has_block && self->block_at == sequence) {
        *out = record_leaf (self->walk.record);
        rc = block_step (self, e);
    } else if (self->has_leaf && self->leaf_at == sequence) {
        *out = self->leaf;
        rc = leaf_step (self, e);
    } else {
        return error_set (e, ERR_NOT_FOUND, "no leaf hash of record %lld",
                          (long long) sequence);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err merge_open (struct merge *self, const char *dir,
                            struct error *e) {
    self->blocks = bundle_open (dir, e);
    self->leaves = self->blocks ? bundle_open (dir, e) : NULL;
    enum err rc = self->leaves ? block_step (self, e) : e->code;
    if (!rc || rc == ERR_NOT_FOUND)
        rc = leaf_step (self, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err leaves_take (struct import_job *self, const char *dir,
                             int64_t size, struct error *e) {
    struct merge merge = { 0 };
    struct link_imported out;
    struct buf leaves = { 0 };
    int64_t first = 0;
    enum err rc = merge_open (&merge, dir, e);
    for (int64_t at = 0; !rc && at < size; at++) {
        struct hash leaf;
        rc = merge_next (&merge, at, &leaf, e);
        if (!rc)
            buf_add (&leaves, &leaf, sizeof leaf);
        if (rc || (leaves.size < LEAVES_COUNT * HASH_SIZE && at + 1 < size))
            continue;
        rc = part (self, LINK_LEAVES, first, buf_slice (&leaves), &out, e);
        buf_clear (&leaves);
        first = at + 1;
    }
    bundle_close (&merge.blocks);
    bundle_close (&merge.leaves);
    buf_free (&leaves);
    return rc;
}

static enum err checkpoints_take (struct import_job *self,
                                  struct bundle *bundle, int64_t size,
                                  struct error *e) {
    struct link_imported out;
    struct slice octets;
    enum err rc;
    while (!(rc = bundle_next_checkpoint (bundle, &octets, e))) {
        struct checkpoint cp;
        struct note note;
        rc = checkpoint_read (octets, &cp, &note, e);
        if (!rc && cp.size <= size)
            rc = part (self, LINK_CHECKPOINT, 0, octets, &out, e);
        if (rc)
            return rc;
        pthread_mutex_lock (&self->lock);
        if (cp.size <= size)
            self->status.settled = cp.size;
        pthread_mutex_unlock (&self->lock);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* All of it */

static enum err take (struct import_job *self, const char *dir, int64_t settled,
                      struct error *e) {
    struct bundle *bundle = bundle_open (dir, e);
    enum err rc = bundle ? rosters_take (self, dir, e) : e->code;
    if (!rc)
        rc = blocks_take (self, bundle, e);
    if (!rc && settled > 0)
        rc = leaves_take (self, dir, settled, e);
    if (!rc && settled > 0)
        rc = checkpoints_take (self, bundle, settled, e);
    bundle_close (&bundle);
    return rc;
}

static void on_audit (void *arg, int64_t records) {
    done_to (arg, records);
}

static void *run (void *arg) {
    struct import_job *self = arg;
    struct audit_report report;
    struct error e;
    const char *dir = self->status.folder; /* not changed while it runs */
    enum err rc =
        audit_check (dir, &self->dialogue, on_audit, self, &report, &e);
    pthread_mutex_lock (&self->lock);
    self->status.state = IMPORT_TAKING;
    self->status.total = rc ? 0 : report.meta.last + 1;
    self->status.done = 0;
    pthread_mutex_unlock (&self->lock);
    if (!rc)
        rc = take (self, dir, report.settled.size, &e);
    audit_report_free (&report);
    pthread_mutex_lock (&self->lock);
    self->status.state = rc ? IMPORT_FAILED : IMPORT_DONE;
    if (rc)
        snprintf (self->status.why, sizeof self->status.why, "%s", e.text);
    pthread_mutex_unlock (&self->lock);
    if (rc)
        log_warn ("IMPORT-FAILED", "folder=%s why=%s", log_text (dir),
                  log_text (e.text));
    else
        log_info ("IMPORTED", "folder=%s records=%lld", log_text (dir),
                  (long long) self->status.records);
    return NULL;
}

struct import_job *import_job_new (struct link *link,
                                   const struct hash *dialogue) {
    struct import_job *self = mem_alloc (sizeof *self);
    self->link = link;
    self->dialogue = *dialogue;
    pthread_mutex_init (&self->lock, NULL);
    return self;
}

void import_job_destroy (struct import_job **self_p) {
    if (!self_p || !*self_p)
        return;
    struct import_job *self = *self_p;
    *self_p = NULL;
    atomic_store (&self->stop, true);
    if (self->joinable)
        pthread_join (self->thread, NULL);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

static bool runs (const struct import_status *status) {
    return status->state == IMPORT_CHECKING || status->state == IMPORT_TAKING;
}

enum err import_job_start (struct import_job *self, const char *folder,
                           struct error *e) {
    enum err rc = ERR_NONE;
    pthread_mutex_lock (&self->lock);
    if (runs (&self->status))
        rc = error_set (e, ERR_EXISTS, "an import of %s runs",
                        self->status.folder);
    else if (strlen (folder) >= sizeof self->status.folder)
        rc = error_set (e, ERR_LIMIT, "a path of %zu octets", strlen (folder));
    if (!rc) {
        if (self->joinable)
            pthread_join (self->thread, NULL);
        self->status =
            (struct import_status){ .state = IMPORT_CHECKING, .settled = -1 };
        snprintf (self->status.folder, sizeof self->status.folder, "%s",
                  folder);
        int failed = pthread_create (&self->thread, NULL, run, self);
        self->joinable = !failed;
        if (failed) {
            self->status.state = IMPORT_NONE;
            rc = error_sys (e, failed, "start the import");
        }
    }
    pthread_mutex_unlock (&self->lock);
    return rc;
}

void import_job_status (struct import_job *self, struct import_status *out) {
    pthread_mutex_lock (&self->lock);
    *out = self->status;
    pthread_mutex_unlock (&self->lock);
}
