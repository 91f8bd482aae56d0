/* A dialogue in small for the tests of records and blocks: the roster fixture
 * with real keys for three delegations, and blocks made item by item, so that
 * a test can break one thing and build the rest well. */
#ifndef PARLEY_BLOCK_FIXTURE_H
#define PARLEY_BLOCK_FIXTURE_H

#include "roster_fixture.h"

#include "format/block.h"
#include "format/tree.h"

#include <inttypes.h>

#define BUILD_TIME INT64_C (1767225600000) /* 2026-01-01 */
#define BUILD_FIRST 20                     /* sequence of a block's first */

struct cast {
    struct identity *hq, *ec3, *frontex; /* EUROPOL/hq, EUROPOL/ec3 */
    struct identity *broker;
    struct roster *roster;
    struct hash dialogue;
};

FIXTURE_UNUSED static struct identity *cast_identity (enum identity_kind kind,
                                                      const char *name) {
    struct hash seed = hash_sha256 (slice_text (name));
    struct error e;
    struct identity *who = identity_from_seed (kind, name, seed.octets, &e);
    assert_non_null (who);
    return who;
}

static void cast_key (json_t *document, const char *path, const uint8_t *key) {
    char base64[BASE64_SIZE (KEY_SIZE)], text[BASE64_SIZE (KEY_SIZE) + 2];
    snprintf (text, sizeof text, "'%s'", base64_encode (base64, key, KEY_SIZE));
    fixture_set (document, path, text);
}

/* The fixture's document with the cast's keys. */
FIXTURE_UNUSED static json_t *cast_document (const struct cast *self) {
    json_t *d = fixture_document();
    cast_key (d, "entities[0].delegations[0].keys[0].sign",
              identity_public (self->hq, KEY_SIGN));
    cast_key (d, "entities[0].delegations[1].keys[0].sign",
              identity_public (self->ec3, KEY_SIGN));
    cast_key (d, "entities[1].delegations[0].keys[0].sign",
              identity_public (self->frontex, KEY_SIGN));
    cast_key (d, "entities[0].delegations[0].keys[0].witness",
              identity_public (self->hq, KEY_WITNESS));
    cast_key (d, "entities[1].delegations[0].keys[0].witness",
              identity_public (self->frontex, KEY_WITNESS));
    cast_key (d, "log.key", identity_public (self->broker, KEY_LOG));
    cast_key (d, "brokers[0].desk_key[0].key",
              identity_public (self->broker, KEY_DESK));
    cast_key (d, "brokers[0].link[0].key",
              identity_public (self->broker, KEY_BROKER_LINK));
    return d;
}

FIXTURE_UNUSED static struct roster *cast_roster (json_t *document) {
    struct error e = { 0 };
    struct roster *roster = fixture_read (document, "-", "EUROPOL FRONTEX", &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

FIXTURE_UNUSED static void cast_begin (struct cast *self) {
    self->hq = cast_identity (IDENTITY_DELEGATION, "EUROPOL/hq");
    self->ec3 = cast_identity (IDENTITY_DELEGATION, "EUROPOL/ec3");
    self->frontex = cast_identity (IDENTITY_DELEGATION, "FRONTEX/hq");
    self->broker = cast_identity (IDENTITY_BROKER, "lyon");
    self->roster = cast_roster (cast_document (self));
    self->dialogue = *roster_dialogue (self->roster);
}

FIXTURE_UNUSED static void cast_end (struct cast *self) {
    identity_destroy (&self->hq);
    identity_destroy (&self->ec3);
    identity_destroy (&self->frontex);
    identity_destroy (&self->broker);
    roster_unref (&self->roster);
}

/* What a block is built of. */
struct item {
    struct buf record, body;
    enum body_state state;
    int run; /* or -1 */
};
struct item_run {
    enum run_kind kind;
    struct hash hashes[BATCH_MAX * 8];
    size_t count;
};
struct build {
    struct item items[2 * BATCH_MAX];
    size_t count;
    struct item_run runs[8];
    int run_count;
    int64_t roster;         /* sequence */
    int64_t roster_version; /* in headers */
    const char *channel;
};

FIXTURE_UNUSED static struct build *build_new (const char *channel) {
    struct build *self = mem_alloc (sizeof *self);
    self->channel = channel;
    self->roster = 3;
    self->roster_version = 1;
    return self;
}

FIXTURE_UNUSED static void build_free (struct build *self) {
    for (size_t i = 0; i < self->count; i++) {
        buf_free (&self->items[i].record);
        buf_free (&self->items[i].body);
    }
    free (self);
}

/* Sequence, times and so on of the next item. */
static struct record build_place (const struct build *self,
                                  enum record_type type) {
    return (struct record){ .format = 1,
                            .type = type,
                            .sequence = BUILD_FIRST + (int64_t) self->count,
                            .log_time = BUILD_TIME + (int64_t) self->count / 2,
                            .epoch = 1,
                            .roster = self->roster,
                            .channel = slice_text (self->channel),
                            .channel_sequence = 7 + (int64_t) self->count,
                            .previous = -1 };
}

static void build_item (struct build *self, const struct record *r,
                        struct slice body, int run) {
    assert_true (self->count < 2 * BATCH_MAX);
    struct item *item = &self->items[self->count++];
    record_write (&item->record, r);
    buf_add_slice (&item->body, body);
    item->state = body.size ? BODY_PRESENT : BODY_NONE;
    item->run = run;
}

FIXTURE_UNUSED static void build_roster (struct build *self,
                                         const struct roster *roster) {
    struct buf payload = { 0 };
    struct slice note = roster_octets (roster);
    struct roster_payload p = { .version = roster_version (roster),
                                .digest = *roster_digest (roster),
                                .note_length = (int64_t) note.size,
                                .note_hash = hash_blake2b (note) };
    roster_payload_write (&payload, &p);
    self->roster = BUILD_FIRST + (int64_t) self->count;
    struct record r = build_place (self, RECORD_ROSTER);
    r.payload = buf_slice (&payload);
    build_item (self, &r, note, -1);
    buf_free (&payload);
}

FIXTURE_UNUSED static void build_mark (struct build *self,
                                       const struct roster *roster) {
    struct buf payload = { 0 };
    struct mark_payload p = { .roster_version = roster_version (roster),
                              .roster_digest = *roster_digest (roster) };
    mark_payload_write (&payload, &p);
    struct record r = build_place (self, RECORD_MARK);
    r.payload = buf_slice (&payload);
    build_item (self, &r, (struct slice){ 0 }, -1);
    buf_free (&payload);
}

FIXTURE_UNUSED static void build_erasure (struct build *self) {
    struct buf payload = { 0 };
    struct slice order = slice_text ("an order's note");
    struct erasure_payload p = { .digest = hash_sha256 (order),
                                 .order_length = (int64_t) order.size,
                                 .order_hash = hash_blake2b (order) };
    erasure_payload_write (&payload, &p);
    struct record r = build_place (self, RECORD_ERASURE);
    r.payload = buf_slice (&payload);
    build_item (self, &r, order, -1);
    buf_free (&payload);
}

/* Header and body of one message, `fill` octets of content. */
static void build_message (const struct cast *cast, const struct build *self,
                           const struct identity *author, int64_t number,
                           size_t fill, struct buf *header, struct buf *body) {
    char topic[200];
    struct error e = { 0 };
    struct buf content = { 0 };
    snprintf (topic, sizeof topic, "%s/note/%s", self->channel,
              identity_name (author));
    buf_add_format (&content, "words %" PRId64, number);
    while (content.size < fill)
        buf_add_u8 (&content, '.');
    struct message_draft draft = {
        .dialogue = &cast->dialogue,
        .author = identity_name (author),
        .key_id = identity_key_id (author, LABEL_BATCH),
        .roster_version = self->roster_version,
        .lane = 5,
        .number = number,
        .author_time = BUILD_TIME,
        .topic = slice_text (topic),
        .body_format = BODY_TEXT,
    };
    enum err rc =
        message_write_body (BODY_TEXT, buf_slice (&content), body, &e);
    if (!rc)
        rc = message_write_header (&draft, buf_slice (body), header, &e);
    if (rc)
        fail_msg ("%s", e.text);
    buf_free (&content);
}

/* The signed frames of a batch, read back. */
struct signed_batch {
    struct buf head, headers, bodies;
    struct batch batch;
};

static struct signed_batch *sign_batch (const struct cast *cast,
                                        const struct build *self,
                                        const struct identity *author,
                                        const struct identity *submitter,
                                        size_t size, size_t fill) {
    static struct buf header[BATCH_MAX], body[BATCH_MAX];
    struct batch_part parts[BATCH_MAX];
    struct signed_batch *made = mem_alloc (sizeof *made);
    struct error e = { 0 };
    struct refusal why;
    for (size_t i = 0; i < size; i++) {
        build_message (cast, self, author, 1 + (int64_t) i, fill, &header[i],
                       &body[i]);
        parts[i] =
            (struct batch_part){ buf_slice (&header[i]), buf_slice (&body[i]) };
    }
    if (batch_write (author, &cast->dialogue, slice_text (self->channel), parts,
                     size, &made->head, &made->headers, &made->bodies, &e))
        fail_msg ("%s", e.text);
    for (size_t i = 0; i < size; i++) {
        buf_free (&header[i]);
        buf_free (&body[i]);
    }
    for (int round = submitter ? 0 : 1; round < 2; round++) {
        assert_int_equal (batch_read (buf_slice (&made->head),
                                      buf_slice (&made->headers),
                                      buf_slice (&made->bodies),
                                      &cast->dialogue, &made->batch, &why),
                          0);
        if (round == 0) {
            struct buf head = { 0 };
            batch_write_via (&made->batch, submitter, &cast->dialogue, &head);
            batch_clear (&made->batch);
            buf_free (&made->head);
            made->head = head;
        }
    }
    return made;
}

static void signed_batch_free (struct signed_batch *self) {
    batch_clear (&self->batch);
    buf_free (&self->head);
    buf_free (&self->headers);
    buf_free (&self->bodies);
    free (self);
}

static void build_hashes (struct item_run *run, enum run_kind kind,
                          const struct batch *b, const bool *kept) {
    struct hash ids[BATCH_MAX], path[TREE_PATH_MAX];
    for (size_t i = 0; i < b->size; i++)
        ids[i] = b->items[i].message.id;
    run->kind = kind;
    for (size_t i = 0; i < b->size; i++) {
        if (kind == RUN_MISSING && !kept[i])
            run->hashes[run->count++] = ids[i];
        size_t n = kind == RUN_PATHS && kept[i]
                       ? tree_path (ids, b->size, i, path)
                       : 0;
        memcpy (run->hashes + run->count, path, n * sizeof *path);
        run->count += n;
    }
}

/* Add the messages [from, to) of a batch of `size`. */
FIXTURE_UNUSED static void build_batch (struct build *self,
                                        const struct cast *cast,
                                        const struct identity *author,
                                        const struct identity *submitter,
                                        size_t size, size_t from, size_t to,
                                        enum run_kind kind, size_t fill) {
    struct signed_batch *made =
        sign_batch (cast, self, author, submitter, size, fill);
    const struct batch *b = &made->batch;
    bool kept[BATCH_MAX] = { false };
    for (size_t i = from; i < to; i++) {
        struct record r = build_place (self, RECORD_MESSAGE);
        kept[i] = true;
        r.previous = i > from ? r.sequence - 1 : -1;
        r.via = b->via;
        r.payload = b->items[i].message.octets;
        r.batch_size = size;
        r.batch_index = i;
        r.signature = b->signature;
        build_item (self, &r, b->items[i].body, self->run_count);
    }
    build_hashes (&self->runs[self->run_count++], kind, b, kept);
    signed_batch_free (made);
}

/* The block of it; as it is, right or wrong. */
FIXTURE_UNUSED static void build_finish (const struct build *self,
                                         struct buf *out) {
    struct block_writer *writer = block_writer_new();
    int run = -1;
    block_begin (writer, BUILD_FIRST);
    for (size_t i = 0; i < self->count; i++) {
        const struct item *item = &self->items[i];
        if (item->run < 0)
            block_no_run (writer);
        else if (item->run != run)
            block_run (writer, self->runs[item->run].kind,
                       self->runs[item->run].hashes,
                       self->runs[item->run].count);
        run = item->run;
        assert_true (block_add (writer, buf_slice (&item->record),
                                item->state == BODY_NONE
                                    ? (struct slice){ 0 }
                                    : buf_slice (&item->body),
                                item->state));
    }
    block_finish (writer, out);
    block_writer_destroy (&writer);
}

/* Put another msgpack value (hex) in place of element n of a record. */
FIXTURE_UNUSED static void record_put (struct buf *record, size_t n,
                                       const char *hex) {
    struct mp in;
    struct buf out = { 0 };
    mp_start (&in, buf_slice (record));
    size_t elements = mp_array (&in, 1, 15);
    assert_true (n < elements);
    for (size_t i = 0; i < n; i++)
        mp_any (&in);
    buf_add (&out, record->data, (size_t) (in.at - in.start));
    size_t size = strlen (hex) / 2;
    assert_int_equal (hex_decode (buf_extend (&out, size), size, hex), 0);
    if (n + 1 < elements) {
        mp_any (&in);
        buf_add (&out, in.at, (size_t) (in.end - in.at));
    }
    assert_int_equal (in.failed, ERR_NONE);
    buf_free (record);
    *record = out;
}

#endif
