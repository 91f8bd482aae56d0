/* notary_files - the settled checkpoints that are kept, as notes in files of
 * their own. Each is replaced whole. */
#include "notary_impl.h"

#include "base/disk.h"

#include <inttypes.h>
#include <stdlib.h>

static char *path_of (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

static char *path_handover (const char *dir, int64_t version) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/roster-%" PRId64, dir, version);
    return buf_take_text (&path);
}

/* Takes the path. */
static enum err write_to (char *path, const char *dir, struct slice note,
                          struct error *e) {
    enum err rc = disk_make_dir (dir, e);
    if (!rc)
        rc = disk_write_file (path, note, true, e);
    free (path);
    return rc;
}

enum err notary_files_settled (const char *dir, struct slice note,
                               struct error *e) {
    return write_to (path_of (dir, "settled"), dir, note, e);
}

enum err notary_files_handover (const char *dir, int64_t version,
                                struct slice note, struct error *e) {
    return write_to (path_handover (dir, version), dir, note, e);
}

enum err notary_files_read (const char *dir, int64_t version, struct buf *out,
                            struct error *e) {
    char *path = path_handover (dir, version);
    enum err rc = disk_read_file (path, CHECKPOINT_NOTE_MAX, out, e);
    free (path);
    return rc;
}

enum err notary_files_newest (const char *dir, struct buf *out,
                              struct error *e) {
    char *path = path_of (dir, "settled");
    enum err rc = disk_read_file (path, CHECKPOINT_NOTE_MAX, out, e);
    free (path);
    return rc;
}

/* Signed by the log of the roster at its end, and, where the ledger is so long,
 * by a quorum of its witnesses. The root is not asked here. */
static enum err entry_judge (struct state *state, struct notary_entry *out,
                             struct error *e) {
    struct note note;
    struct quorum quorum;
    size_t bad;
    char origin[ORIGIN_MAX + 1];
    enum err rc =
        checkpoint_read (buf_slice (&out->note), &out->checkpoint, &note, e);
    if (!rc && out->checkpoint.size == 0)
        rc = error_set (e, ERR_MALFORMED, "a checkpoint of nothing");
    if (rc)
        return rc;
    out->roster = state_roster_at (state, out->checkpoint.size - 1);
    checkpoint_origin (out->roster, origin);
    rc = checkpoint_check_log (&out->checkpoint, &note, origin,
                               roster_log_key (out->roster), e);
    if (rc)
        return rc;
    out->lines = note.count;
    if (out->checkpoint.size > journal_size (state_journal (state)))
        return ERR_NONE; /* under a roster that we may not have any more */
    quorum_judge (out->roster, &out->checkpoint, &note, &quorum, &bad);
    if (!quorum_whole (&quorum))
        return error_set (e, ERR_SIGNATURE,
                          "%zu witnesses cosigned it, %zu would settle it",
                          quorum.cosigned, quorum.needed);
    out->cosigned = quorum.cosigned;
    out->settled_ms = 1000 * quorum.time;
    return ERR_NONE;
}

enum err notary_files_load (const char *dir, struct state *state,
                            struct notary_entry *out, struct error *e) {
    *out = (struct notary_entry){ 0 };
    char *path = path_of (dir, "settled");
    enum err rc = disk_read_file (path, CHECKPOINT_NOTE_MAX, &out->note, e);
    if (rc == ERR_NOT_FOUND) {
        rc = ERR_NONE;
    } else if (!rc && entry_judge (state, out, e)) {
        error_at (e, "%s", path);
        e->code = rc = ERR_DAMAGED;
    }
    out->kept = true;
    if (rc)
        notary_entry_free (out);
    free (path);
    return rc;
}
