/* message - headers and bodies (PROTOCOL.md sections 6.1 and 6.2). Reading is
 * the hot path: one pass of the cursor, slices, one hash. Thread-safe. */
#include "format/message.h"

#include "base/mp.h"
#include "identity/note.h"

#include <assert.h>
#include <sodium.h>

#define FORMAT 1
#define PREFIX_ITEMS 13
#define HEADER_ITEMS 3
#define REFERENCE 34 /* bin 8 with its two octets before the 32 */

/* A cursor that also knows which limit was passed. */
struct reader {
    struct mp in;
    const char *what; /* NULL: none of ours */
    size_t size, limit;
};

static void over (struct reader *self, const char *what, size_t size,
                  size_t limit) {
    if (self->in.failed)
        return;
    self->what = what;
    self->size = size;
    self->limit = limit;
    mp_fail (&self->in, ERR_LIMIT, "%s of %zu, at most %zu", what, size, limit);
}

/* Refusals; `why` may be NULL in all of these. */

static enum err refuse_limit (struct refusal *why, const char *what,
                              size_t size, size_t limit) {
    if (why) {
        refusal_set (why, RULE_LIMIT);
        refusal_text (why, "what", what);
        refusal_int (why, "size", (int64_t) size);
        refusal_int (why, "limit", (int64_t) limit);
    }
    return ERR_LIMIT;
}

static enum err refuse_number (struct refusal *why, enum rule rule,
                               enum err code, const char *key, int64_t value) {
    if (why) {
        refusal_set (why, rule);
        refusal_int (why, key, value);
    }
    return code;
}

static enum err refuse_topic (struct refusal *why, const struct error *text) {
    if (why) {
        refusal_set (why, RULE_TOPIC);
        refusal_text (why, "why", text->text);
    }
    return text->code;
}

static enum err refuse_reader (const struct reader *self, struct refusal *why) {
    if (self->what)
        return refuse_limit (why, self->what, self->size, self->limit);
    if (self->in.failed == ERR_LIMIT) /* the only one left to the cursor */
        return refuse_limit (why, "nesting", MP_DEPTH_MAX + 1, MP_DEPTH_MAX);
    if (why)
        refusal_malformed (why, "header", &self->in.why);
    return ERR_MALFORMED;
}

/* Reading */

static const uint8_t *take_octets (struct reader *self, size_t size) {
    return mp_bin (&self->in, size, size).data;
}

static struct key_id take_key_id (struct reader *self) {
    struct key_id id;
    mp_bin_exact (&self->in, id.octets, sizeof id.octets);
    return id;
}

/* Most of a batch's headers say the same as the one before, `like`. */
static void take_author (struct reader *self, const struct message *like,
                         struct message *out) {
    out->author = mp_str (&self->in, 0, SIZE_MAX);
    if (like && slice_equal (like->author, out->author))
        return;
    if (!self->in.failed && !delegation_valid (out->author))
        mp_fail (&self->in, ERR_MALFORMED, "the author is no delegation");
}

/* Quadratic, but of 64 at most, and the first octets of ids differ. */
static bool repeats (const uint8_t *references, size_t n) {
    const uint8_t *last = references + n * REFERENCE;
    uint64_t first = get_u64 (last + 2);
    for (const uint8_t *at = references; at < last; at += REFERENCE)
        if (get_u64 (at + 2) == first && memcmp (at, last, REFERENCE) == 0)
            return true;
    return false;
}

static void take_references (struct reader *self, struct message *out) {
    size_t count = mp_array (&self->in, 0, SIZE_MAX);
    const uint8_t *from = self->in.at;
    if (count > REFERENCES_MAX)
        over (self, "references", count, REFERENCES_MAX);
    for (size_t i = 0; i < count && !self->in.failed; i++) {
        (void) take_octets (self, HASH_SIZE);
        if (!self->in.failed && repeats (from, i))
            mp_fail (&self->in, ERR_MALFORMED,
                     "reference %zu is one before it again", i);
    }
    out->references = slice_of (from, count * REFERENCE);
    out->reference_count = count;
}

static void take_extension (struct reader *self, struct message *out) {
    struct slice map = mp_extension (
        &self->in, (size_t) (self->in.end - self->in.at), &out->must_know);
    if (map.size > EXTENSION_MAX)
        over (self, "extension map", map.size, EXTENSION_MAX);
}

/* What follows the format in the prefix. */
static void take_prefix (struct reader *self, const struct message *like,
                         struct message *out) {
    struct mp *in = &self->in;
    out->dialogue = take_octets (self, HASH_SIZE);
    take_author (self, like, out);
    out->key_id = take_key_id (self);
    out->roster_version = mp_int (in, 1, NUMBER_MAX);
    struct slice lane = mp_bin (in, 8, 8);
    out->lane = lane.size == 8 ? get_u64 (lane.data) : 0;
    out->number = mp_int (in, 1, NUMBER_MAX);
    out->author_time = mp_int (in, 0, NUMBER_MAX);
    out->topic = mp_str (in, 0, SIZE_MAX);
    take_references (self, out);
    out->body_format = (enum body_format) mp_int (in, BODY_MAP, BODY_NOTE);
    out->sealing = mp_try_nil (in) ? NULL : take_octets (self, HASH_SIZE);
    take_extension (self, out);
}

static void take_body (struct reader *self, struct message *out) {
    out->body_length = mp_int (&self->in, BODY_MIN, NUMBER_MAX);
    if (out->body_length > BODY_MAX)
        over (self, "body", (size_t) out->body_length, BODY_MAX);
    out->body_digest = take_octets (self, HASH_SIZE);
}

static enum err check_topic (const struct message *like, struct message *out,
                             struct refusal *why) {
    if (like && slice_equal (like->topic, out->topic)) {
        out->channel = slice_of (out->topic.data, like->channel.size);
        return ERR_NONE;
    }
    struct error e;
    if (topic_check (out->topic, &e))
        return refuse_topic (why, &e);
    out->channel = topic_channel (out->topic);
    return ERR_NONE;
}

static enum err read_form (struct slice header, const struct message *like,
                           struct message *out, struct refusal *why) {
    struct reader self;
    self.what = NULL;
    struct mp *in = &self.in;
    mp_start (in, header);
    if (header.size > HEADER_MAX)
        over (&self, "header", header.size, HEADER_MAX);
    size_t items = mp_array (in, 1, SIZE_MAX);
    size_t prefix_items = mp_array (in, 1, SIZE_MAX);
    int64_t format = mp_int (in, FORMAT, NUMBER_MAX);
    /* Before the counts: those are the newer format's own. */
    if (format > FORMAT && !in->failed) {
        refuse_number (why, RULE_NEWER_FORMAT, ERR_NEWER, "format", format);
        if (why)
            refusal_int (why, "known", FORMAT);
        return ERR_NEWER;
    }
    if (items != HEADER_ITEMS || prefix_items != PREFIX_ITEMS)
        mp_fail (in, ERR_MALFORMED,
                 "arrays of %zu and %zu, those of a header have %d and %d",
                 items, prefix_items, HEADER_ITEMS, PREFIX_ITEMS);
    take_prefix (&self, like, out);
    take_body (&self, out);
    if (mp_finish (in, NULL))
        return refuse_reader (&self, why);
    return check_topic (like, out, why);
}

enum err message_read_form (struct slice header, const struct message *like,
                            struct message *out, struct refusal *why) {
    out->octets = header;
    out->id = (struct hash){ { 0 } };
    enum err rc = read_form (header, like, out, why);
    if (rc)
        /* Nobody takes half a header for one. */
        *out = (struct message){ .octets = header };
    return rc;
}

enum err message_read_like (struct slice header, const struct message *like,
                            struct message *out, struct refusal *why) {
    enum err rc = message_read_form (header, like, out, why);
    out->id = hash_leaf (header);
    return rc;
}

enum err message_read_any (struct slice header, struct message *out,
                           struct refusal *why) {
    return message_read_like (header, NULL, out, why);
}

enum err message_version_check (const struct message *self,
                                struct refusal *why) {
    if (self->must_know)
        return refuse_number (why, RULE_EXTENSION, ERR_NEWER, "key",
                              self->must_know);
    if (self->sealing && why)
        refusal_set (why, RULE_SEALING);
    return self->sealing ? ERR_NEWER : ERR_NONE;
}

enum err message_read (struct slice header, struct message *out,
                       struct refusal *why) {
    enum err rc = message_read_any (header, out, why);
    return rc ? rc : message_version_check (out, why);
}

void message_reference (const struct message *self, size_t n,
                        struct hash *out) {
    assert (n < self->reference_count);
    const uint8_t *at = self->references.data + n * REFERENCE;
    memcpy (out->octets, at + REFERENCE - HASH_SIZE, HASH_SIZE);
}

/* Bodies */

static enum err refuse_length (const struct message *self, struct slice body,
                               struct refusal *why) {
    if (why) {
        refusal_set (why, RULE_BODY_LENGTH);
        refusal_int (why, "stated", self->body_length);
        refusal_int (why, "found", (int64_t) body.size);
    }
    return ERR_DIGEST;
}

static enum err refuse_digest (const struct message *self,
                               const struct hash *found, struct refusal *why) {
    if (why) {
        refusal_set (why, RULE_BODY_DIGEST);
        refusal_hex (why, "stated", self->body_digest, HASH_SIZE);
        refusal_hex (why, "found", found->octets, HASH_SIZE);
    }
    return ERR_DIGEST;
}

enum err message_body_check (const struct message *self, struct slice body,
                             struct refusal *why) {
    if (body.size != (uint64_t) self->body_length)
        return refuse_length (self, body, why);
    struct hash found = hash_blake2b (body);
    if (memcmp (found.octets, self->body_digest, HASH_SIZE) != 0)
        return refuse_digest (self, &found, why);
    return ERR_NONE;
}

static enum err check_map (struct slice content, struct error *e) {
    struct mp in;
    mp_start (&in, content);
    if (mp_peek (&in) != MP_MAP)
        return error_set (e, ERR_MALFORMED, "content of format %d is no map",
                          BODY_MAP);
    return mp_check (content, e);
}

static enum err check_content (enum body_format format, struct slice content,
                               struct error *e) {
    if (format == BODY_MAP)
        return check_map (content, e);
    if (format == BODY_TEXT && !mp_is_text (content))
        return error_set (e, ERR_MALFORMED, "content of format %d is not UTF-8",
                          BODY_TEXT);
    if (format == BODY_NOTE) {
        struct note note;
        return note_read (content, &note, e);
    }
    return ERR_NONE;
}

static enum err check_size (size_t size, struct error *e) {
    if (size == 0)
        return error_set (e, ERR_MALFORMED, "a body without content");
    if (size > CONTENT_MAX)
        return error_set (e, ERR_LIMIT, "content of %zu octets, at most %d",
                          size, CONTENT_MAX);
    return ERR_NONE;
}

enum err message_content (const struct message *self, struct slice body,
                          struct slice *content, struct error *e) {
    size_t size = body.size < BODY_SALT ? 0 : body.size - BODY_SALT;
    enum err rc = check_size (size, e);
    if (rc)
        return rc;
    struct slice rest = slice_of (body.data + BODY_SALT, size);
    rc = check_content (self->body_format, rest, e);
    if (!rc)
        *content = rest;
    return rc;
}

/* Writing */

enum err message_write_body (enum body_format format, struct slice content,
                             struct buf *body, struct error *e) {
    enum err rc = check_size (content.size, e);
    if (!rc)
        rc = check_content (format, content, e);
    if (rc)
        return rc;
    randombytes_buf (buf_extend (body, BODY_SALT), BODY_SALT);
    buf_add_slice (body, content);
    return ERR_NONE;
}

static void put_prefix (struct buf *out, const struct message_draft *draft) {
    uint8_t lane[8];
    put_u64 (lane, draft->lane);
    mp_put_array (out, PREFIX_ITEMS);
    mp_put_int (out, FORMAT);
    mp_put_bin (out, draft->dialogue->octets, HASH_SIZE);
    mp_put_str (out, draft->author);
    mp_put_bin (out, draft->key_id.octets, KEY_ID_SIZE);
    mp_put_int (out, draft->roster_version);
    mp_put_bin (out, lane, sizeof lane);
    mp_put_int (out, draft->number);
    mp_put_int (out, draft->author_time);
    mp_put_str_slice (out, draft->topic);
    mp_put_array (out, draft->reference_count);
    for (size_t i = 0; i < draft->reference_count; i++)
        mp_put_bin (out, draft->references[i].octets, HASH_SIZE);
    mp_put_int (out, draft->body_format);
    mp_put_nil (out);
    mp_put_map (out, 0);
}

enum err message_write_header (const struct message_draft *draft,
                               struct slice body, struct buf *header,
                               struct error *e) {
    size_t before = header->size;
    struct hash digest = hash_blake2b (body);
    mp_put_array (header, HEADER_ITEMS);
    put_prefix (header, draft);
    mp_put_int (header, (int64_t) body.size);
    mp_put_bin (header, digest.octets, HASH_SIZE);

    /* What we would refuse of others we do not write: one judge for both. */
    struct message message;
    struct refusal why;
    enum err rc =
        message_read (slice_of (header->data + before, header->size - before),
                      &message, &why);
    if (!rc)
        return ERR_NONE;
    char text[REFUSAL_TEXT_MAX];
    header->size = before;
    return error_set (e, rc, "%s", refusal_print (&why, text));
}
