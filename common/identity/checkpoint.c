#include "identity/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define SIZE_DIGITS_MAX 16 /* of 2^53-1 */
#define COSIGNATURE_HEAD "cosignature/v1\n"

/* key id || time || signature, as a witness's line has it in base64 */
#define COSIGNATURE_SIZE (NOTE_ID_SIZE + 8 + SIGNATURE_SIZE)

bool checkpoint_equal (const struct checkpoint *a, const struct checkpoint *b) {
    return strcmp (a->origin, b->origin) == 0 && a->size == b->size
           && hash_equal (&a->root, &b->root);
}

void checkpoint_origin (const struct roster *roster, char out[ORIGIN_MAX + 1]) {
    const int n = snprintf (out, ORIGIN_MAX + 1, "%s/%" PRId64,
                            roster_origin (roster), roster_epoch (roster));
    assert (n > 0 && n <= ORIGIN_MAX); /* 200 octets, '/', 16 digits */
}

/* Writing */

void checkpoint_text (const struct checkpoint *self, struct buf *out) {
    char root[BASE64_SIZE (HASH_SIZE)];
    assert (note_name_check (slice_text (self->origin), NULL) == ERR_NONE
            && !strpbrk (self->origin, " \n"));
    assert (self->size >= 0 && self->size <= NUMBER_MAX);
    buf_add_format (out, "%s\n%" PRId64 "\n%s\n", self->origin, self->size,
                    base64_encode (root, self->root.octets, HASH_SIZE));
}

void checkpoint_cosignature_text (const struct checkpoint *self, int64_t time,
                                  struct buf *out) {
    assert (time > 0 && time <= COSIGNATURE_TIME_MAX);
    buf_add_format (out, COSIGNATURE_HEAD "time %" PRId64 "\n", time);
    checkpoint_text (self, out);
}

void checkpoint_sign (const struct checkpoint *self,
                      const struct identity *broker, struct buf *note) {
    uint8_t mark[NOTE_ID_SIZE + SIGNATURE_SIZE];
    const struct slice name = slice_text (self->origin);
    note_key_id (name, NOTE_ED25519, identity_public (broker, KEY_LOG), mark);
    identity_sign_checkpoint (broker, self, mark + NOTE_ID_SIZE);
    checkpoint_text (self, note);
    buf_add_text (note, "\n");
    note_add_line (note, name, mark, sizeof mark);
}

void checkpoint_cosign (const struct checkpoint *self,
                        const struct identity *witness, int64_t time,
                        struct buf *line) {
    uint8_t mark[COSIGNATURE_SIZE];
    const struct slice name = slice_text (identity_name (witness));
    note_key_id (name, NOTE_COSIGNATURE, identity_public (witness, KEY_WITNESS),
                 mark);
    put_u64 (mark + NOTE_ID_SIZE, (uint64_t) time);
    identity_cosign (witness, self, time, mark + NOTE_ID_SIZE + 8);
    note_add_line (line, name, mark, sizeof mark);
}

static void vkey_write (const char *name, uint8_t type,
                        const uint8_t key[KEY_SIZE], struct buf *out) {
    uint8_t id[NOTE_ID_SIZE], octets[1 + KEY_SIZE] = { type };
    char hex[HEX_SIZE (sizeof id)], base64[BASE64_SIZE (sizeof octets)];
    note_key_id (slice_text (name), type, key, id);
    memcpy (octets + 1, key, KEY_SIZE);
    buf_add_format (out, "%s+%s+%s", name, hex_encode (hex, id, sizeof id),
                    base64_encode (base64, octets, sizeof octets));
}

void checkpoint_log_vkey (const char *origin, const uint8_t key[KEY_SIZE],
                          struct buf *out) {
    vkey_write (origin, NOTE_ED25519, key, out);
}

void checkpoint_witness_vkey (const char *name, const uint8_t key[KEY_SIZE],
                              struct buf *out) {
    vkey_write (name, NOTE_COSIGNATURE, key, out);
}

/* Reading */

static bool line_take (struct slice *rest, struct slice *line) {
    const uint8_t *end =
        rest->size ? memchr (rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    *line = slice_of (rest->data, (size_t) (end - rest->data));
    *rest = slice_of (end + 1, rest->size - line->size - 1);
    return true;
}

static enum err size_read (struct slice line, int64_t *out, struct error *e) {
    int64_t n = 0;
    bool fine = line.size > 0 && (line.data[0] != '0' || slice_is (line, "0"));
    for (size_t i = 0; fine && i < line.size; i++)
        fine = line.data[i] >= '0' && line.data[i] <= '9';
    if (!fine)
        return error_set (e, ERR_MALFORMED,
                          "checkpoint: the size, '%.*s', is no decimal number",
                          (int) (line.size < 40 ? line.size : 40),
                          (const char *) line.data);
    for (size_t i = 0; i < line.size && i < SIZE_DIGITS_MAX; i++)
        n = n * 10 + (line.data[i] - '0');
    if (line.size > SIZE_DIGITS_MAX || n > NUMBER_MAX)
        return error_set (e, ERR_LIMIT,
                          "checkpoint: a size above 2^53-1, of %zu digits",
                          line.size);
    *out = n;
    return ERR_NONE;
}

/* A log's name in its signature line is its origin (section 7.5), so that one
 * that cannot stand there is nobody's. */
static enum err origin_check (struct slice origin, struct error *e) {
    if (origin.size > ORIGIN_MAX)
        return error_set (e, ERR_LIMIT,
                          "checkpoint: origin of %zu octets, at most %d",
                          origin.size, ORIGIN_MAX);
    if (note_name_check (origin, NULL)
        || memchr (origin.data, ' ', origin.size))
        return error_set (e, ERR_MALFORMED,
                          "checkpoint: the origin is no key name");
    return ERR_NONE;
}

static enum err text_read (struct slice text, struct checkpoint *out,
                           struct error *e) {
    struct slice origin, size, root;
    if (!line_take (&text, &origin) || !line_take (&text, &size)
        || !line_take (&text, &root) || text.size > 0)
        return error_set (e, ERR_MALFORMED,
                          "checkpoint: not the three lines origin, size, root");
    enum err rc = origin_check (origin, e);
    if (!rc)
        rc = size_read (size, &out->size, e);
    if (rc)
        return rc;
    if (base64_decode (out->root.octets, HASH_SIZE, root))
        return error_set (e, ERR_MALFORMED,
                          "checkpoint: the root is not base64 of %d octets",
                          HASH_SIZE);
    memcpy (out->origin, origin.data, origin.size);
    return ERR_NONE;
}

enum err checkpoint_read (struct slice octets, struct checkpoint *out,
                          struct note *note, struct error *e) {
    struct checkpoint made = { 0 };
    struct note form;
    if (octets.size > CHECKPOINT_NOTE_MAX)
        return error_set (e, ERR_LIMIT,
                          "checkpoint: %zu octets with its signatures, at "
                          "most %d",
                          octets.size, CHECKPOINT_NOTE_MAX);
    enum err rc = note_read (octets, &form, e);
    if (!rc)
        rc = text_read (form.text, &made, e);
    if (rc)
        return rc;
    *out = made;
    *note = form;
    return ERR_NONE;
}

/* Judging */

/* Signatures are judged over the note's text; what the caller goes by is
 * `self`. One that was not read from the note proves nothing. */
static bool is_of (const struct checkpoint *self, const struct note *note) {
    struct checkpoint other = { 0 };
    return text_read (note->text, &other, NULL) == ERR_NONE
           && checkpoint_equal (self, &other);
}

enum err checkpoint_check_log (const struct checkpoint *self,
                               const struct note *note, const char *origin,
                               const uint8_t log_key[KEY_SIZE],
                               struct error *e) {
    const struct note_key key = { origin, log_key };
    bool good = false;
    if (!is_of (self, note))
        return error_set (e, ERR_SIGNATURE, "a note of another checkpoint");
    if (strcmp (self->origin, origin) != 0)
        return error_set (e, ERR_SIGNATURE,
                          "checkpoint of '%s', not of the log '%s'",
                          self->origin, origin);
    enum err rc = note_verify (note, &key, 1, &good, e);
    if (rc)
        return rc;
    return good ? ERR_NONE
                : error_set (e, ERR_SIGNATURE,
                             "checkpoint %s %" PRId64
                             " is not signed by that log's key",
                             origin, self->size);
}

/* One line under the witness's name: *time is set where it is its signature, 0
 * where it is another key's. */
static enum err line_judge (const struct note *note, size_t line,
                            const uint8_t id[NOTE_ID_SIZE],
                            const uint8_t key[KEY_SIZE], int64_t *time,
                            struct error *e) {
    const struct slice name = note->lines[line].name;
    uint8_t mark[COSIGNATURE_SIZE];
    struct slice base64 = note->lines[line].base64;
    const bool whole = base64_decode (mark, sizeof mark, base64) == ERR_NONE;
    size_t size;
    *time = 0;
    /* note_read saw 5 octets, thus 8 characters */
    if (!whole && base64_decode_any (mark, 6, &size, slice_of (base64.data, 8)))
        return ERR_NONE;
    if (memcmp (mark, id, NOTE_ID_SIZE) != 0)
        return ERR_NONE;
    const uint64_t at = whole ? get_u64 (mark + NOTE_ID_SIZE) : 0;
    if (at == 0 || at > COSIGNATURE_TIME_MAX)
        return error_set (e, ERR_SIGNATURE, "cosignature %zu, of '%.*s', is %s",
                          line + 1, (int) name.size, (const char *) name.data,
                          whole ? "of no time" : "of another length");
    struct buf text = { 0 };
    buf_add_format (&text, COSIGNATURE_HEAD "time %" PRIu64 "\n", at);
    buf_add_slice (&text, note->text);
    const bool valid =
        signature_valid_text (key, buf_slice (&text), mark + NOTE_ID_SIZE + 8);
    buf_free (&text);
    if (!valid)
        return error_set (e, ERR_SIGNATURE,
                          "cosignature %zu, of '%.*s', does not verify",
                          line + 1, (int) name.size, (const char *) name.data);
    *time = (int64_t) at;
    return ERR_NONE;
}

enum err checkpoint_cosigned (const struct checkpoint *self,
                              const struct note *note, const char *name,
                              const uint8_t witness_key[KEY_SIZE],
                              int64_t *time, struct error *e) {
    uint8_t id[NOTE_ID_SIZE];
    int64_t found = 0, at;
    *time = 0;
    if (!is_of (self, note))
        return error_set (e, ERR_SIGNATURE, "a note of another checkpoint");
    note_key_id (slice_text (name), NOTE_COSIGNATURE, witness_key, id);
    for (size_t i = 0; i < note->count; i++) {
        if (!slice_is (note->lines[i].name, name))
            continue;
        enum err rc = line_judge (note, i, id, witness_key, &at, e);
        if (rc)
            return rc;
        if (at && found)
            return error_set (e, ERR_SIGNATURE, "'%s' cosigned twice", name);
        found = at ? at : found;
    }
    *time = found;
    return ERR_NONE;
}
