/* audit_tiles - leaf hashes come from the agent into a file without a name; the
 * levels above, a 255th of that, are kept in memory. */
#include "audit_tiles.h"

#include "base/disk.h"
#include "client.h"
#include "format/block.h"
#include "json.h"
#include "ledger/tiles.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct tiling {
    const struct cli *cli;
    const char *dir;
    struct client *client;
    struct checkpoint checkpoint;
    struct buf note;
    int leaves; /* the file */
    struct tree tree;
    struct buf levels[TREE_LEVELS]; /* hashes; 0 is not used */
    struct buf rest;                /* of a stream: less than what is due */
    struct progress progress;
    int64_t files, bundles;

    /* entries: the bundle in hand */
    uint64_t number;
    size_t count;
    struct buf records[TREE_TILE];
};

/* Leaves */

static void level_add (void *arg, unsigned level, const struct hash *root) {
    struct tiling *self = arg;
    buf_add (&self->levels[level], root, sizeof *root);
}

static enum err leaves_take (void *arg, struct slice octets, struct error *e) {
    struct tiling *self = arg;
    buf_add_slice (&self->rest, octets);
    size_t whole = self->rest.size / HASH_SIZE;
    uint64_t left = (uint64_t) self->checkpoint.size - self->tree.size;
    if (whole > left)
        whole = (size_t) left;
    enum err rc = disk_write_at (self->leaves,
                                 slice_of (self->rest.data, whole * HASH_SIZE),
                                 self->tree.size * HASH_SIZE, e);
    for (size_t i = 0; !rc && i < whole; i++)
        tree_add_levels (
            &self->tree,
            (const struct hash *) (self->rest.data + i * HASH_SIZE), level_add,
            self);
    size_t kept = self->rest.size - whole * HASH_SIZE;
    if (kept > 0)
        memmove (self->rest.data, self->rest.data + whole * HASH_SIZE, kept);
    self->rest.size = kept;
    progress_show (&self->progress, (int64_t) self->tree.size,
                   self->checkpoint.size);
    return rc;
}

static enum err leaves_get (struct tiling *self, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && (int64_t) self->tree.size < self->checkpoint.size) {
        struct buf path = { 0 };
        uint64_t before = self->tree.size;
        client_path (&path, "/api/v1/leaves");
        client_query_int (&path, "from", (int64_t) before);
        buf_clear (&self->rest);
        rc = client_stream (self->client, &path, NULL, leaves_take, self, e);
        buf_free (&path);
        if (!rc && self->tree.size == before)
            rc = error_set (e, ERR_DAMAGED,
                            "the agent holds %" PRIu64 " leaf hashes of the "
                            "%" PRId64 " that its checkpoint covers",
                            before, self->checkpoint.size);
    }
    return rc;
}

static enum err source_read (void *arg, unsigned level, uint64_t first,
                             size_t count, struct hash *out, struct error *e) {
    const struct tiling *self = arg;
    size_t octets = count * HASH_SIZE;
    if (level > 0 && (first + count) * HASH_SIZE > self->levels[level].size)
        return error_set (e, ERR_NOT_FOUND, "no such hash");
    if (level > 0)
        memcpy (out, self->levels[level].data + first * HASH_SIZE, octets);
    else if (pread (self->leaves, out, octets, (off_t) (first * HASH_SIZE))
             != (ssize_t) octets)
        return error_sys (e, errno, "leaf hashes");
    return ERR_NONE;
}

static enum err checkpoint_get (struct tiling *self, struct error *e) {
    struct buf path = { 0 };
    struct note read;
    client_path (&path, "/api/v1/checkpoints/settled");
    enum err rc = client_get_octets (self->client, &path, CHECKPOINT_NOTE_MAX,
                                     &self->note, e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&self->note), &self->checkpoint, &read,
                              e);
    buf_free (&path);
    return rc;
}

/* Entries */

static enum err bundle_end (struct tiling *self, struct error *e) {
    uint64_t left = (uint64_t) self->checkpoint.size - self->number * TREE_TILE;
    size_t width = left < TREE_TILE ? (size_t) left : TREE_TILE;
    struct slice records[TREE_TILE];
    enum err rc = ERR_NONE;
    for (size_t i = 0; i < width; i++)
        records[i] = buf_slice (&self->records[i]);
    if (self->count == width)
        rc = tiles_entries (self->dir, self->number, records, width, e);
    self->bundles += self->count == width && !rc;
    self->count = 0;
    return rc;
}

/* One that is not its leaf is never given out. */
static enum err record_add (struct tiling *self, int64_t sequence,
                            struct slice octets, struct error *e) {
    struct hash leaf, own = record_leaf (octets);
    uint64_t number = (uint64_t) sequence / TREE_TILE;
    enum err rc = ERR_NONE;
    if (sequence >= self->checkpoint.size)
        return ERR_NONE;
    if (number != self->number)
        rc = bundle_end (self, e);
    self->number = number;
    if (!rc)
        rc = source_read (self, 0, (uint64_t) sequence, 1, &leaf, e);
    if (!rc && !hash_equal (&leaf, &own))
        rc = error_set (e, ERR_DIGEST,
                        "record %" PRId64 " is not what its leaf hash says",
                        sequence);
    if (rc)
        return rc;
    struct buf *at = &self->records[sequence % TREE_TILE];
    buf_clear (at);
    buf_add_slice (at, octets);
    self->count++;
    return ERR_NONE;
}

static enum err block_add_records (struct tiling *self, struct slice octets,
                                   struct error *e) {
    struct block block;
    struct block_walk walk;
    enum err rc = block_read (octets, &block, e);
    if (rc)
        return rc;
    block_walk (&block, &walk);
    while (!rc && block_next (&walk))
        rc = record_add (self, block.first_sequence + (int64_t) walk.index,
                         walk.record, e);
    return rc;
}

/* u32 length, block, u64. */
static enum err blocks_take (void *arg, struct slice octets, struct error *e) {
    struct tiling *self = arg;
    enum err rc = ERR_NONE;
    size_t at = 0;
    buf_add_slice (&self->rest, octets);
    while (!rc && self->rest.size - at >= 4) {
        size_t size = get_u32 (self->rest.data + at);
        if (size > BLOCK_OCTETS_MAX_SINGLE)
            return error_set (e, ERR_DAMAGED, "a block of %zu octets", size);
        if (self->rest.size - at < 4 + size + 8)
            break;
        rc = block_add_records (self, slice_of (self->rest.data + at + 4, size),
                                e);
        at += 4 + size + 8;
    }
    size_t kept = self->rest.size - at;
    if (kept > 0 && at > 0)
        memmove (self->rest.data, self->rest.data + at, kept);
    self->rest.size = kept;
    return rc;
}

static enum err entries_get (struct tiling *self, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/bundle/blocks");
    client_query_int (&path, "last", self->checkpoint.size - 1);
    buf_clear (&self->rest);
    enum err rc =
        client_stream (self->client, &path, NULL, blocks_take, self, e);
    if (!rc)
        rc = bundle_end (self, e);
    buf_free (&path);
    return rc;
}

/* All of it */

static bool entries_allowed (const struct tiling *self, bool yes) {
    char answer[8] = "";
    if (yes)
        return true;
    fprintf (
        stderr,
        "The entries show who wrote when on which topic, and the hashes of "
        "what was\n"
        "written, to whoever can read %s. Write them? (yes/no) ",
        self->dir);
    return fgets (answer, sizeof answer, stdin)
           && strncmp (answer, "yes", 3) == 0;
}

static enum err export_all (struct tiling *self, bool entries,
                            struct error *e) {
    enum err rc = checkpoint_get (self, e);
    if (!rc)
        rc = disk_make_dir (self->dir, e);
    if (!rc) {
        self->leaves = open (self->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (self->leaves < 0)
            rc = error_sys (e, errno, "temporary file in '%s'", self->dir);
    }
    if (!rc)
        rc = leaves_get (self, e);
    struct tree_source source = { self, source_read };
    if (!rc && entries)
        rc = entries_get (self, e);
    if (!rc)
        rc = tiles_export (self->dir, &source, &self->checkpoint,
                           buf_slice (&self->note), &self->files, e);
    progress_end (&self->progress);
    return rc;
}

static void say_done (const struct tiling *self) {
    if (self->cli->json)
        cli_print_json (json_pack ("{s:s,s:I,s:I,s:I}", "folder", self->dir,
                                   "size", (json_int_t) self->checkpoint.size,
                                   "tiles", (json_int_t) self->files,
                                   "entry_bundles",
                                   (json_int_t) self->bundles));
    else
        printf ("The tree over %" PRId64 " records in %s: %" PRId64
                " new tiles, %" PRId64 " entry bundles.\n",
                self->checkpoint.size, self->dir, self->files, self->bundles);
}

int audit_tiles (const struct cli *cli, const char *dir, bool entries,
                 bool yes) {
    struct tiling *self = mem_alloc (sizeof *self);
    struct error e;
    self->cli = cli;
    self->dir = dir;
    self->leaves = -1;
    enum err rc = ERR_NONE;
    if (entries && !entries_allowed (self, yes))
        rc = error_set (&e, ERR_RIGHT, "not written");
    self->client = rc ? NULL : client_new (cli, &e);
    if (!rc && !self->client)
        rc = e.code;
    progress_start (&self->progress, "leaf hashes");
    if (!rc)
        rc = export_all (self, entries, &e);
    if (!rc)
        say_done (self);
    client_destroy (&self->client);
    if (self->leaves >= 0)
        close (self->leaves);
    for (size_t i = 0; i < TREE_LEVELS; i++)
        buf_free (&self->levels[i]);
    for (size_t i = 0; i < TREE_TILE; i++)
        buf_free (&self->records[i]);
    buf_free (&self->rest);
    buf_free (&self->note);
    free (self);
    return rc ? cli_fail (&e) : CLI_FINE;
}
