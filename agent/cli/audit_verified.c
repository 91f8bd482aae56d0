/* audit_verified - a checkpoint without a quorum yet: where the broker's ledger is
 * lost, what proves its last second. */
#include "audit_verified.h"

#include "base/disk.h"
#include "identity/checkpoint.h"

#include <stdlib.h>

#define NOTES_MAX 67108864 /* octets of the settled ones: 100,000 and more */

static char *path_of (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

/* The size of the last of them; 0: there is none. */
static enum err settled_size (const char *dir, int64_t *size, struct error *e) {
    struct buf octets = { 0 };
    char *path = path_of (dir, "checkpoints");
    enum err rc = disk_read_file (path, NOTES_MAX, &octets, e);
    *size = 0;
    for (size_t at = 0; !rc && octets.size - at >= 4;) {
        struct checkpoint cp;
        struct note note;
        size_t length = get_u32 (octets.data + at);
        if (length > octets.size - at - 4)
            break;
        rc = checkpoint_read (slice_of (octets.data + at + 4, length), &cp,
                              &note, e);
        if (!rc)
            *size = cp.size;
        at += 4 + length;
    }
    free (path);
    buf_free (&octets);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static void line_cut (const struct checkpoint *cp, const struct note *note,
                      struct buf *out) {
    buf_add_slice (out, note->text);
    for (size_t i = 0; i < note->count; i++)
        if (slice_is (note->lines[i].name, cp->origin)) {
            buf_add_format (out, "\n\xe2\x80\x94 %s ", cp->origin);
            buf_add_slice (out, note->lines[i].base64);
            buf_add_text (out, "\n");
            return;
        }
}

enum err audit_verified (struct client *client, const char *dir, int64_t last,
                         struct error *e) {
    struct buf path = { 0 }, octets = { 0 }, out = { 0 };
    struct checkpoint cp;
    struct note note;
    int64_t settled;
    char *file = path_of (dir, "verified");
    client_path (&path, "/api/v1/checkpoints/verified");
    enum err rc = settled_size (dir, &settled, e);
    if (!rc)
        rc = client_get_octets (client, &path, CHECKPOINT_NOTE_MAX, &octets, e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&octets), &cp, &note, e);
    if (!rc && cp.size > settled && cp.size - 1 <= last) {
        line_cut (&cp, &note, &out);
        rc = disk_write_file (file, buf_slice (&out), false, e);
    }
    buf_free (&path);
    buf_free (&octets);
    buf_free (&out);
    free (file);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
