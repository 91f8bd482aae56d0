/* journal_snapshot - files that save the replay of the whole ledger.
 *
 *     0   8  "PLYSNAP" 0x01
 *     8   32 dialogue id
 *     40  8  u64 the place: records before it
 *     48  32 leaf hash of the record before it; zeros where there is none
 *     80  8  u64 octets of the index's counts, which follow
 *         8  u64 octets of the owner's state, which follows
 *         8  XXH3-64 (seed 0) of all before
 *
 * The leaf ties a snapshot to its ledger: after a restored backup another
 * history may have grown to the same length. Private to the program. */
#include "ledger/journal_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define SNAPSHOT_MAX UINT32_MAX /* our own file; bounds what a reader takes */
#define FIXED 104               /* octets of all but the two parts */

static const uint8_t snapshot_magic[8] = "PLYSNAP\1";

enum { AT_DIALOGUE = 8, AT_SEQUENCE = 40, AT_LEAF = 48, AT_COUNTS = 80 };

static char *snapshot_path (const char *dir, int64_t sequence) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%020" PRIu64 ".snap", dir, (uint64_t) sequence);
    return buf_take_text (&path);
}

enum err snapshot_write (const char *index_dir, const struct hash *dialogue,
                         const struct snapshot *snapshot, struct error *e) {
    struct buf octets = { 0 };
    buf_add (&octets, snapshot_magic, sizeof snapshot_magic);
    buf_add (&octets, dialogue->octets, HASH_SIZE);
    buf_add_u64 (&octets, (uint64_t) snapshot->sequence);
    buf_add (&octets, snapshot->last.octets, HASH_SIZE);
    buf_add_u64 (&octets, snapshot->counts.size);
    buf_add_slice (&octets, snapshot->counts);
    buf_add_u64 (&octets, snapshot->state.size);
    buf_add_slice (&octets, snapshot->state);
    buf_add_u64 (&octets, hash_xxh3 (buf_slice (&octets), 0));
    char *path = snapshot_path (index_dir, snapshot->sequence);
    enum err rc =
        octets.size > SNAPSHOT_MAX
            ? error_set (e, ERR_LIMIT, "a snapshot of %zu octets", octets.size)
            : disk_write_file (path, buf_slice (&octets), true, e);
    free (path);
    buf_free (&octets);
    return rc;
}

/* One part with its size in front; false where it does not fit. */
static bool take_part (struct slice *left, struct slice *part) {
    if (left->size < 8)
        return false;
    uint64_t size = get_u64 (left->data);
    if (size > left->size - 8)
        return false;
    *part = slice_of (left->data + 8, size);
    *left = slice_of (part->data + size, left->size - 8 - size);
    return true;
}

/* The first thing that is wrong, or NULL. */
static const char *read_parts (struct snapshot *self,
                               const struct hash *dialogue, int64_t sequence) {
    const uint8_t *p = self->octets.data;
    size_t size = self->octets.size;
    if (size < FIXED || memcmp (p, snapshot_magic, sizeof snapshot_magic) != 0)
        return "no snapshot of this version";
    if (get_u64 (p + size - 8) != hash_xxh3 (slice_of (p, size - 8), 0))
        return "its checksum differs";
    if (memcmp (p + AT_DIALOGUE, dialogue->octets, HASH_SIZE) != 0)
        return "another dialogue's";
    if (get_u64 (p + AT_SEQUENCE) != (uint64_t) sequence)
        return "another place than its name says";
    memcpy (self->last.octets, p + AT_LEAF, HASH_SIZE);
    struct slice left = slice_of (p + AT_COUNTS, size - 8 - AT_COUNTS);
    if (!take_part (&left, &self->counts) || !take_part (&left, &self->state)
        || left.size > 0)
        return "its parts do not fit";
    return NULL;
}

enum err snapshot_read (const char *index_dir, const struct hash *dialogue,
                        int64_t sequence, struct snapshot *out,
                        struct error *e) {
    *out = (struct snapshot){ .sequence = sequence };
    char *path = snapshot_path (index_dir, sequence);
    enum err rc = disk_read_file (path, SNAPSHOT_MAX, &out->octets, e);
    const char *why = rc ? NULL : read_parts (out, dialogue, sequence);
    if (why)
        rc = error_set (e, ERR_DAMAGED, "'%s': %s", path, why);
    if (rc)
        buf_free (&out->octets);
    free (path);
    return rc;
}

enum err snapshot_prune (const char *index_dir, size_t keep, struct error *e) {
    int64_t *found;
    size_t count;
    enum err rc = journal_list (index_dir, ".snap", &found, &count, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i + keep < count; i++) {
        char *path = snapshot_path (index_dir, found[i]);
        rc = disk_remove (path, e);
        free (path);
    }
    free (found);
    return rc;
}
