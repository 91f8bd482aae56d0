#include "identity/note.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#define LINE_HEAD "\xe2\x80\x94 " /* em dash, space */
#define KIND_HEAD "parley/"
#define FORMAT_DIGITS_MAX 9 /* of a kind's format; enough for any we'd make */

/* id4 || signature, as a line has it in base64 */
struct mark {
    uint8_t id4[NOTE_ID_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};
static_assert (sizeof (struct mark) == NOTE_ID_SIZE + SIGNATURE_SIZE, "packed");

static const char *const kinds[] = {
    [NOTE_CARD] = "card",
    [NOTE_ROSTER] = "roster",
    [NOTE_COMMUNIQUE] = "communique",
    [NOTE_ERASURE] = "erasure",
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* Form */

/* Those of Unicode above ASCII: a name that holds one looks like two. */
static const char *const spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80",
    "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84",
    "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
    "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

static bool is_utf8 (struct slice s) {
    json_t *copy = json_stringn ((const char *) s.data, s.size);
    const bool valid = copy != NULL;
    json_decref (copy);
    return valid;
}

static enum err characters_check (struct slice s, struct error *e) {
    for (size_t i = 0; i < s.size; i++)
        if (s.data[i] < 0x20 && s.data[i] != '\n')
            return error_set (e, ERR_MALFORMED,
                              "note: control character 0x%02x at octet %zu",
                              s.data[i], i);
    if (s.size > 0 && !is_utf8 (s))
        return error_set (e, ERR_MALFORMED, "note: not UTF-8");
    return ERR_NONE;
}

/* Up to the newline, which is dropped. The last line must have one. */
static struct slice line_take (struct slice *rest) {
    const uint8_t *end = memchr (rest->data, '\n', rest->size);
    assert (end);
    struct slice line = slice_of (rest->data, (size_t) (end - rest->data));
    *rest = slice_of (end + 1, rest->size - line.size - 1);
    return line;
}

static bool take_head (struct slice *s, const char *head) {
    const size_t size = strlen (head);
    if (s->size < size || memcmp (s->data, head, size) != 0)
        return false;
    *s = slice_of (s->data + size, s->size - size);
    return true;
}

enum err note_name_check (struct slice name, struct error *e) {
    if (name.size > NOTE_NAME_MAX)
        return error_set (e, ERR_LIMIT, "key name of %zu octets, at most %d",
                          name.size, NOTE_NAME_MAX);
    bool fine = name.size > 0 && !memchr (name.data, '+', name.size);
    for (size_t i = 0; fine && i < sizeof spaces / sizeof spaces[0]; i++)
        fine = !memmem (name.data, name.size, spaces[i], strlen (spaces[i]));
    if (!fine)
        return error_set (e, ERR_MALFORMED,
                          "key name is empty, or has a space or '+'");
    return ERR_NONE;
}

/* Any signature: id4 and at least one octet. */
static enum err base64_check (struct slice text, struct error *e) {
    size_t size = 0;
    const size_t room = text.size / 4 * 3; /* bounded by the note's own size */
    uint8_t *octets = mem_alloc (room + 1);
    enum err rc = base64_decode_any (octets, room, &size, text);
    free (octets);
    if (rc || size <= NOTE_ID_SIZE)
        return error_set (e, ERR_MALFORMED,
                          "not base64 of a key id and a signature");
    return ERR_NONE;
}

static enum err line_read (struct slice line, struct note *out,
                           struct error *e) {
    const size_t i = out->count;
    if (i == NOTE_SIGNATURES_MAX)
        return error_set (e, ERR_LIMIT, "above the limit of %d",
                          NOTE_SIGNATURES_MAX);
    if (!take_head (&line, LINE_HEAD))
        return error_set (e, ERR_MALFORMED, "no em dash and space in front");
    const uint8_t *end = line.size ? memchr (line.data, ' ', line.size) : NULL;
    if (!end)
        return error_set (e, ERR_MALFORMED, "no space behind the key name");
    const size_t size = (size_t) (end - line.data);
    out->lines[i].name = slice_of (line.data, size);
    out->lines[i].base64 = slice_of (end + 1, line.size - size - 1);
    enum err rc = note_name_check (out->lines[i].name, e);
    if (!rc)
        rc = base64_check (out->lines[i].base64, e);
    if (!rc)
        out->count++;
    return rc;
}

/* The last empty line, since a text may have some: where the signatures'
 * lines begin, 0 for none. */
static size_t signatures_place (struct slice octets) {
    for (size_t i = octets.size; i >= 2; i--)
        if (octets.data[i - 1] == '\n' && octets.data[i - 2] == '\n')
            return i;
    return 0;
}

enum err note_read (struct slice octets, struct note *out, struct error *e) {
    if (octets.size > NOTE_MAX)
        return error_set (e, ERR_LIMIT, "note: %zu octets, at most %d",
                          octets.size, NOTE_MAX);
    enum err rc = characters_check (octets, e);
    if (rc)
        return rc;
    const size_t place = signatures_place (octets);
    if (place == 0 || place == octets.size)
        return error_set (e, ERR_MALFORMED,
                          "note: nobody has signed it: no text, empty line and "
                          "signatures");
    if (octets.data[octets.size - 1] != '\n')
        return error_set (e, ERR_MALFORMED,
                          "note: does not end with a newline");
    struct note note = { .octets = octets,
                         .text = slice_of (octets.data, place - 1) };
    struct slice rest = slice_of (octets.data + place, octets.size - place);
    while (!rc && rest.size > 0)
        rc = line_read (line_take (&rest), &note, e);
    if (rc) {
        error_at (e, "note: signature %zu", note.count + 1);
        return rc;
    }
    *out = note;
    return ERR_NONE;
}

/* The first two lines */

/* "1" is 1; 0 for what is no number of a format. */
static long format_number (struct slice text) {
    long n = 0;
    if (text.size > FORMAT_DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (c < '0' || c > '9' || (i == 0 && c == '0'))
            return 0;
        n = n * 10 + (c - '0');
    }
    return n;
}

static enum err kind_read (struct slice line, enum note_kind *kind,
                           struct error *e) {
    for (size_t i = 0; i < KINDS; i++) {
        struct slice rest = line;
        if (!take_head (&rest, KIND_HEAD) || !take_head (&rest, kinds[i])
            || !take_head (&rest, "/"))
            continue;
        const long format = format_number (rest);
        if (format == 0)
            break;
        if (format > 1)
            return error_set (e, ERR_NEWER,
                              "note: format %ld of a %s, 1 is known", format,
                              kinds[i]);
        *kind = (enum note_kind) i;
        return ERR_NONE;
    }
    return error_set (e, ERR_MALFORMED,
                      "note: the first line is no kind and format of ours");
}

static enum err dialogue_read (struct slice line, struct hash *out,
                               struct error *e) {
    char text[HASH_TEXT_MAX] = { 0 };
    if (line.size == sizeof text - 1)
        memcpy (text, line.data, line.size);
    if (hash_parse (text, out))
        return error_set (e, ERR_MALFORMED,
                          "note: the second line is no dialogue id and no '-'");
    return ERR_NONE;
}

enum err note_head (struct slice text, enum note_kind *kind,
                    struct hash *dialogue, bool *has_dialogue,
                    struct slice *rest, struct error *e) {
    enum note_kind found = NOTE_CARD;
    struct hash id = { 0 };
    if (text.size == 0 || text.data[text.size - 1] != '\n')
        return error_set (e, ERR_MALFORMED,
                          "note: the text does not end with a newline");
    enum err rc = kind_read (line_take (&text), &found, e);
    if (rc)
        return rc;
    if (text.size == 0)
        return error_set (e, ERR_MALFORMED, "note: no second line");
    struct slice line = line_take (&text);
    const bool none = slice_is (line, "-");
    if (!none && dialogue_read (line, &id, e))
        return ERR_MALFORMED;
    if (found != NOTE_ROSTER && none != (found == NOTE_CARD))
        return error_set (e, ERR_MALFORMED, "note: a %s %s a dialogue id",
                          kinds[found], none ? "needs" : "has not");
    *kind = found;
    *dialogue = id;
    *has_dialogue = !none;
    *rest = text;
    return ERR_NONE;
}

struct hash note_digest (struct slice text) {
    return hash_sha256 (text);
}

/* Signatures */

void note_key_id (struct slice name, uint8_t type, const uint8_t key[KEY_SIZE],
                  uint8_t out[NOTE_ID_SIZE]) {
    const struct slice parts[] = {
        name,
        slice_text ("\n"),
        slice_of (&type, 1),
        slice_of (key, KEY_SIZE),
    };
    struct hash h = hash_sha256_parts (parts, 4);
    memcpy (out, h.octets, NOTE_ID_SIZE);
}

void note_add_line (struct buf *out, struct slice name, const void *mark,
                    size_t size) {
    buf_add_text (out, LINE_HEAD);
    buf_add_slice (out, name);
    buf_add_text (out, " ");
    char *base64 = mem_alloc (BASE64_SIZE (size));
    buf_add_text (out, base64_encode (base64, mark, size));
    free (base64);
    buf_add_text (out, "\n");
}

/* False for a signature of another size; the id is set nonetheless. */
static bool mark_read (struct slice base64, struct mark *out) {
    uint8_t octets[sizeof *out];
    size_t size;
    bool whole = base64_decode (octets, sizeof octets, base64) == ERR_NONE;
    if (!whole) { /* note_read saw 5 octets, thus 8 characters */
        enum err rc =
            base64_decode_any (octets, 6, &size, slice_of (base64.data, 8));
        assert (rc == ERR_NONE && size > NOTE_ID_SIZE);
    }
    memcpy (out, octets, whole ? sizeof *out : NOTE_ID_SIZE);
    return whole;
}

/* Which key signed `line`: its index, or `count` for an unknown one. Two keys
 * can have one name and id, so one that fails is not the last word. */
static enum err line_verify (const struct note *self, size_t line,
                             const struct note_key *keys, size_t count,
                             size_t *signer, struct error *e) {
    struct mark mark;
    uint8_t id4[NOTE_ID_SIZE];
    bool known = false;
    struct slice name = self->lines[line].name;
    const bool whole = mark_read (self->lines[line].base64, &mark);
    for (size_t i = 0; i < count; i++) {
        if (!slice_is (name, keys[i].name))
            continue;
        note_key_id (name, NOTE_ED25519, keys[i].key, id4);
        if (memcmp (id4, mark.id4, NOTE_ID_SIZE) != 0)
            continue;
        known = true;
        *signer = i;
        if (whole
            && signature_valid_text (keys[i].key, self->text, mark.signature))
            return ERR_NONE;
    }
    *signer = count;
    if (known)
        return error_set (e, ERR_SIGNATURE,
                          "note: signature %zu, of '%.*s', does not verify",
                          line + 1, (int) name.size, (const char *) name.data);
    return ERR_NONE;
}

enum err note_verify (const struct note *self, const struct note_key *keys,
                      size_t count, bool *good, struct error *e) {
    for (size_t i = 0; i < count; i++)
        good[i] = false;
    for (size_t line = 0; line < self->count; line++) {
        size_t signer;
        enum err rc = line_verify (self, line, keys, count, &signer, e);
        if (rc)
            return rc;
        if (signer == count)
            continue;
        if (good[signer])
            return error_set (e, ERR_SIGNATURE, "note: '%s' signed twice",
                              keys[signer].name);
        good[signer] = true;
    }
    return ERR_NONE;
}

/* Sections 5.1 and 5.2. A card is another matter: only one's own. */
static bool kind_may_sign (enum identity_kind who, enum note_kind what) {
    if (who == IDENTITY_DELEGATION)
        return what != NOTE_ROSTER;
    return who == IDENTITY_ROOT && what != NOTE_COMMUNIQUE;
}

static bool card_is_own (const struct identity *self, struct slice text) {
    struct buf own = { 0 };
    card_text (self, &own);
    const bool same = slice_equal (buf_slice (&own), text);
    buf_free (&own);
    return same;
}

static enum err may_sign (const struct identity *self, struct slice text,
                          struct error *e) {
    enum note_kind kind;
    struct hash dialogue;
    bool has_dialogue;
    struct slice rest;
    struct error why;
    const char *name = identity_name (self);
    if (text.size > NOTE_MAX)
        return error_set (e, ERR_LIMIT, "note: text of %zu octets, at most %d",
                          text.size, NOTE_MAX);
    enum err rc = characters_check (text, e);
    if (rc)
        return rc;
    if (note_head (text, &kind, &dialogue, &has_dialogue, &rest, &why))
        return error_set (e, ERR_RIGHT, "'%s' must not sign this: %s", name,
                          why.text);
    if (!kind_may_sign (identity_kind (self), kind))
        return error_set (e, ERR_RIGHT, "'%s' must not sign a %s", name,
                          kinds[kind]);
    if (kind == NOTE_CARD && !card_is_own (self, text))
        return error_set (e, ERR_RIGHT,
                          "'%s' must not sign a card that is not its own",
                          name);
    return ERR_NONE;
}

enum err note_sign (const struct identity *self, struct slice text,
                    struct buf *line, struct error *e) {
    enum err rc = may_sign (self, text, e);
    if (rc)
        return rc;
    const char *name = identity_name (self);
    struct mark mark;
    note_key_id (slice_text (name), NOTE_ED25519,
                 identity_public (self, identity_kind (self) == IDENTITY_ROOT
                                            ? KEY_ROOT
                                            : KEY_NOTE),
                 mark.id4);
    identity_sign_text (self, text, mark.signature);
    note_add_line (line, slice_text (name), &mark, sizeof mark);
    return ERR_NONE;
}

void note_begin (struct buf *out, struct slice text) {
    buf_add_slice (out, text);
    buf_add_text (out, "\n");
}
