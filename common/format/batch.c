/* batch - reading and writing (PROTOCOL.md sections 6.3, 6.4, 8.4). Reading
 * is the hot path: nothing is copied, nothing allocated but for what is
 * refused, and hashing dominates. Thread-safe. */
#include "format/batch.h"

#include "base/mp.h"
#include "format/tree.h"

#include <assert.h>
#include <stdlib.h>

#define HEAD_ITEMS 6
#define VIA_ITEMS 3
#define LENGTHS 8 /* u32 header length || u32 body length */
#define CONTRIBUTION_FORMAT 1
#define CONTRIBUTION_ITEMS 4

/* Refusals of the whole batch */

static enum err refuse_limit (struct refusal *why, const char *what,
                              size_t size, size_t limit) {
    refusal_set (why, RULE_LIMIT);
    refusal_text (why, "what", what);
    refusal_int (why, "size", (int64_t) size);
    refusal_int (why, "limit", (int64_t) limit);
    return ERR_LIMIT;
}

static enum err refuse_cut (struct refusal *why, const char *place,
                            size_t index, const char *text) {
    struct error e;
    error_set (&e, ERR_MALFORMED, "message %zu: %s", index, text);
    refusal_malformed (why, place, &e);
    return ERR_MALFORMED;
}

static enum err refuse_mixed (struct refusal *why, size_t index,
                              const char *what) {
    refusal_set (why, RULE_MIXED_BATCH);
    refusal_int (why, "index", (int64_t) index);
    refusal_text (why, "what", what);
    return ERR_MALFORMED;
}

/* The head */

struct head {
    struct slice author, channel;
    size_t size;
    struct key_id key_id;
    const uint8_t *signature;
    struct via via;
};

static struct slice take_delegation (struct mp *in, const char *what) {
    struct slice name = mp_str (in, 0, SIZE_MAX);
    if (!in->failed && !delegation_valid (name))
        mp_fail (in, ERR_MALFORMED, "the %s is no delegation", what);
    return name;
}

static struct slice take_channel (struct mp *in) {
    struct slice channel = mp_str (in, 0, SIZE_MAX);
    struct error e;
    if (in->failed || channel_name_valid (channel))
        return channel;
    if (!channel_is_adhoc (channel))
        mp_fail (in, ERR_MALFORMED, "the channel is no [a-z][a-z0-9-]{0,31}");
    else if (channel_adhoc_check (channel, &e))
        mp_fail (in, ERR_MALFORMED, "%s", e.text);
    return channel;
}

void via_take (struct mp *in, struct via *out) {
    *out = (struct via){ 0 };
    if (mp_try_nil (in))
        return;
    mp_array (in, VIA_ITEMS, VIA_ITEMS);
    out->submitter = take_delegation (in, "submitter");
    mp_bin_exact (in, out->key_id.octets, KEY_ID_SIZE);
    out->signature = mp_bin (in, SIGNATURE_SIZE, SIGNATURE_SIZE).data;
    out->present = !in->failed;
}

void via_put (struct buf *out, const struct via *via) {
    if (!via->present) {
        mp_put_nil (out);
        return;
    }
    mp_put_array (out, VIA_ITEMS);
    mp_put_str_slice (out, via->submitter);
    mp_put_bin (out, via->key_id.octets, KEY_ID_SIZE);
    mp_put_bin (out, via->signature, SIGNATURE_SIZE);
}

/* The grammar; that its size is no more than BATCH_MAX is the callers' to see. */
static enum err read_head (struct slice octets, struct head *out,
                           struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, HEAD_ITEMS, HEAD_ITEMS);
    out->author = take_delegation (&in, "author");
    out->channel = take_channel (&in);
    out->size = (size_t) mp_int (&in, 1, NUMBER_MAX);
    mp_bin_exact (&in, out->key_id.octets, KEY_ID_SIZE);
    out->signature = mp_bin (&in, SIGNATURE_SIZE, SIGNATURE_SIZE).data;
    via_take (&in, &out->via);
    return mp_finish (&in, e);
}

static void put_head (struct buf *out, const struct head *head) {
    mp_put_array (out, HEAD_ITEMS);
    mp_put_str_slice (out, head->author);
    mp_put_str_slice (out, head->channel);
    mp_put_int (out, (int64_t) head->size);
    mp_put_bin (out, head->key_id.octets, KEY_ID_SIZE);
    mp_put_bin (out, head->signature, SIGNATURE_SIZE);
    via_put (out, &head->via);
}

/* Reading */

static enum err take_head (struct slice octets, struct head *out,
                           struct refusal *why) {
    if (octets.size > BATCH_HEAD_MAX)
        return refuse_limit (why, "batch head", octets.size, BATCH_HEAD_MAX);
    struct error e;
    if (read_head (octets, out, &e)) {
        refusal_malformed (why, "batch head", &e);
        return ERR_MALFORMED;
    }
    if (out->size > BATCH_MAX)
        return refuse_limit (why, "messages", out->size, BATCH_MAX);
    return ERR_NONE;
}

/* The octets of one message, from the front of both frames. */
static const char *cut_one (struct slice *headers, struct slice *bodies,
                            struct batch_item *item) {
    if (headers->size < LENGTHS)
        return "no room for its two lengths";
    size_t header = get_u32 (headers->data);
    size_t body = get_u32 (headers->data + 4);
    headers->data += LENGTHS;
    headers->size -= LENGTHS;
    if (header > headers->size)
        return "its header is longer than what is left of the headers";
    if (body > bodies->size)
        return "its body is longer than what is left of the bodies";
    item->message.octets = slice_of (headers->data, header);
    item->body = slice_of (bodies->data, body);
    item->refusal = NULL;
    headers->data += header;
    headers->size -= header;
    if (body > 0)
        bodies->data += body;
    bodies->size -= body;
    return NULL;
}

static enum err cut (struct batch *self, size_t size, struct slice headers,
                     struct slice bodies, struct refusal *why) {
    size_t lengths = size * LENGTHS;
    size_t octets = headers.size < lengths ? 0 : headers.size - lengths;
    if (octets > BATCH_OCTETS_MAX || bodies.size > BATCH_OCTETS_MAX - octets)
        return refuse_limit (why, "batch", octets + bodies.size,
                             BATCH_OCTETS_MAX);
    for (size_t i = 0; i < size; i++) {
        const char *text = cut_one (&headers, &bodies, &self->items[i]);
        if (text)
            return refuse_cut (why, "headers", i, text);
    }
    if (headers.size > 0)
        return refuse_cut (why, "headers", size - 1, "octets follow it");
    if (bodies.size > 0)
        return refuse_cut (why, "bodies", size - 1, "octets follow it");
    return ERR_NONE;
}

static void refuse_item (struct batch_item *item, const struct refusal *why) {
    item->refusal = mem_copy (why, sizeof *why);
}

static const char *mixed (const struct batch *self, const struct message *m) {
    if (!slice_equal (m->author, self->author))
        return "author";
    if (!slice_equal (m->channel, self->channel))
        return "channel";
    return key_id_equal (m->key_id, self->key_id) ? NULL : "key";
}

/* Ids, forms and the tree. A message whose form is not known has no author
 * and channel that could differ from the batch's. */
static enum err read_headers (struct batch *self, struct refusal *why) {
    enum err rc = ERR_NONE;
    const struct message *like = NULL;
    struct tree tree;
    tree.size = 0;
    for (size_t i = 0; i < self->size; i++) {
        struct message *m = &self->items[i].message;
        struct refusal fault;
        bool whole = !message_read_like (m->octets, like, m, &fault);
        if (!whole || message_version_check (m, &fault))
            refuse_item (&self->items[i], &fault);
        tree_add (&tree, &m->id);
        if (!whole)
            continue;
        like = m;
        const char *what = mixed (self, m);
        if (what && !rc)
            rc = refuse_mixed (why, i, what);
    }
    self->root = tree_root (&tree);
    return rc;
}

static enum err check_dialogue (const struct message *m,
                                const struct hash *dialogue,
                                struct refusal *why) {
    if (memcmp (m->dialogue, dialogue->octets, HASH_SIZE) == 0)
        return ERR_NONE;
    refusal_set (why, RULE_WRONG_DIALOGUE);
    refusal_hex (why, "dialogue", m->dialogue, HASH_SIZE);
    return ERR_CHAIN;
}

static void check_items (struct batch *self, const struct hash *dialogue) {
    for (size_t i = 0; i < self->size; i++) {
        struct batch_item *item = &self->items[i];
        struct refusal fault;
        if (item->refusal)
            continue;
        if (check_dialogue (&item->message, dialogue, &fault)
            || message_body_check (&item->message, item->body, &fault))
            refuse_item (item, &fault);
    }
}

enum err batch_read (struct slice head, struct slice headers,
                     struct slice bodies, const struct hash *dialogue,
                     struct batch *out, struct refusal *why) {
    out->size = 0;
    out->head_octets = head;
    struct head h;
    enum err rc = take_head (head, &h, why);
    if (!rc)
        rc = cut (out, h.size, headers, bodies, why);
    if (rc)
        return rc;
    out->author = h.author;
    out->channel = h.channel;
    out->size = h.size;
    out->key_id = h.key_id;
    out->signature = h.signature;
    out->via = h.via;
    rc = read_headers (out, why);
    if (!rc)
        check_items (out, dialogue);
    return rc;
}

void batch_clear (struct batch *self) {
    for (size_t i = 0; i < self->size; i++)
        free (self->items[i].refusal);
    self->size = 0;
}

struct hash batch_id (struct slice head, struct slice headers) {
    static const uint8_t leaf = 0; /* hash_leaf takes one slice only */
    struct slice parts[] = { { &leaf, 1 }, head, headers };
    return hash_sha256_parts (parts, 3);
}

/* Signatures */

struct signed_parts {
    const struct hash *dialogue;
    struct slice submitter; /* empty in what an author signs */
    struct slice author, channel;
    size_t size;
    const struct hash *root;
};

static void put_signed (struct buf *out, const struct signed_parts *p) {
    mp_put_array (out, p->submitter.size ? 6 : 5);
    mp_put_bin (out, p->dialogue->octets, HASH_SIZE);
    if (p->submitter.size)
        mp_put_str_slice (out, p->submitter);
    mp_put_str_slice (out, p->author);
    mp_put_str_slice (out, p->channel);
    mp_put_int (out, (int64_t) p->size);
    mp_put_bin (out, p->root->octets, HASH_SIZE);
}

static bool parts_signed (const uint8_t key[KEY_SIZE], enum label label,
                          const struct signed_parts *parts,
                          const uint8_t *signature) {
    struct buf data = { 0 };
    put_signed (&data, parts);
    bool good = signature_valid (key, label, buf_slice (&data), signature);
    buf_free (&data);
    return good;
}

static void sign_parts (const struct identity *identity, enum label label,
                        const struct signed_parts *parts,
                        uint8_t out[SIGNATURE_SIZE]) {
    struct buf data = { 0 };
    put_signed (&data, parts);
    identity_sign (identity, label, buf_slice (&data), out);
    buf_free (&data);
}

bool batch_signature_valid (const uint8_t key[KEY_SIZE],
                            const struct hash *dialogue, struct slice author,
                            struct slice channel, size_t size,
                            const struct hash *root,
                            const uint8_t signature[SIGNATURE_SIZE]) {
    struct signed_parts parts = {
        dialogue, { 0 }, author, channel, size, root
    };
    return parts_signed (key, LABEL_BATCH, &parts, signature);
}

bool via_signature_valid (const uint8_t key[KEY_SIZE],
                          const struct hash *dialogue, struct slice submitter,
                          struct slice author, struct slice channel,
                          size_t size, const struct hash *root,
                          const uint8_t signature[SIGNATURE_SIZE]) {
    assert (submitter.size > 0);
    struct signed_parts parts = { dialogue, submitter, author,
                                  channel,  size,      root };
    return parts_signed (key, LABEL_VIA, &parts, signature);
}

bool batch_signed (const struct batch *self, const struct hash *dialogue,
                   const uint8_t key[KEY_SIZE]) {
    return batch_signature_valid (key, dialogue, self->author, self->channel,
                                  self->size, &self->root, self->signature);
}

bool batch_via_signed (const struct batch *self, const struct hash *dialogue,
                       const uint8_t key[KEY_SIZE]) {
    return self->via.present
           && via_signature_valid (key, dialogue, self->via.submitter,
                                   self->author, self->channel, self->size,
                                   &self->root, self->via.signature);
}

/* Writing */

/* The message's id, once it is sure that it belongs into the batch. */
static struct hash part_id (const struct head *head,
                            const struct batch_part *part) {
    struct message m;
    enum err rc = message_read_any (part->header, &m, NULL);
    assert (!rc && slice_equal (m.author, head->author)
            && slice_equal (m.channel, head->channel)
            && key_id_equal (m.key_id, head->key_id));
    (void) rc;
    return m.id;
}

static enum err check_parts (const struct batch_part *parts, size_t count,
                             struct error *e) {
    if (count == 0 || count > BATCH_MAX)
        return error_set (e, ERR_LIMIT,
                          "batch of %zu messages, 1 to %d are "
                          "allowed",
                          count, BATCH_MAX);
    size_t octets = 0; /* slices are in memory: no sum of 256 wraps */
    for (size_t i = 0; i < count; i++)
        octets += parts[i].header.size + parts[i].body.size;
    if (octets > BATCH_OCTETS_MAX)
        return error_set (e, ERR_LIMIT, "batch of %zu octets, at most %d",
                          octets, BATCH_OCTETS_MAX);
    return ERR_NONE;
}

static void put_part (const struct batch_part *part, struct buf *headers,
                      struct buf *bodies) {
    buf_add_u32 (headers, (uint32_t) part->header.size);
    buf_add_u32 (headers, (uint32_t) part->body.size);
    buf_add_slice (headers, part->header);
    buf_add_slice (bodies, part->body);
}

enum err batch_write (const struct identity *author,
                      const struct hash *dialogue, struct slice channel,
                      const struct batch_part *parts, size_t count,
                      struct buf *head, struct buf *headers, struct buf *bodies,
                      struct error *e) {
    enum err rc = check_parts (parts, count, e);
    if (rc)
        return rc;
    uint8_t signature[SIGNATURE_SIZE];
    struct head h = { .author = slice_text (identity_name (author)),
                      .channel = channel,
                      .size = count,
                      .key_id = identity_key_id (author, LABEL_BATCH),
                      .signature = signature };
    struct tree tree;
    tree.size = 0;
    for (size_t i = 0; i < count; i++) {
        struct hash id = part_id (&h, &parts[i]);
        tree_add (&tree, &id);
        put_part (&parts[i], headers, bodies);
    }
    struct hash root = tree_root (&tree);
    struct signed_parts what = { dialogue, { 0 }, h.author,
                                 channel,  count, &root };
    sign_parts (author, LABEL_BATCH, &what, signature);
    put_head (head, &h);
    return ERR_NONE;
}

void batch_write_via (const struct batch *self,
                      const struct identity *submitter,
                      const struct hash *dialogue, struct buf *head) {
    uint8_t signature[SIGNATURE_SIZE];
    struct slice name = slice_text (identity_name (submitter));
    struct signed_parts what = { dialogue,      name,       self->author,
                                 self->channel, self->size, &self->root };
    sign_parts (submitter, LABEL_VIA, &what, signature);
    struct head h = {
        .author = self->author,
        .channel = self->channel,
        .size = self->size,
        .key_id = self->key_id,
        .signature = self->signature,
        .via = { true, name, identity_key_id (submitter, LABEL_VIA), signature }
    };
    put_head (head, &h);
}

/* Contributions */

void contribution_write (struct slice head, struct slice headers,
                         struct slice bodies, struct buf *out) {
    mp_put_array (out, CONTRIBUTION_ITEMS);
    mp_put_int (out, CONTRIBUTION_FORMAT);
    mp_put_bin (out, head.data, head.size);
    mp_put_bin (out, headers.data, headers.size);
    mp_put_bin (out, bodies.data, bodies.size);
}

/* The head's own grammar, and that nobody has handed it in before. */
static enum err check_contribution (struct slice octets, struct error *e) {
    struct head head;
    enum err rc = read_head (octets, &head, e);
    if (rc)
        return e ? error_at (e, "batch head") : rc;
    if (head.via.present)
        return error_set (e, ERR_MALFORMED,
                          "a written contribution has no via");
    return ERR_NONE;
}

enum err contribution_read (struct slice octets, struct slice *head,
                            struct slice *headers, struct slice *bodies,
                            struct error *e) {
    if (octets.size > CONTRIBUTION_MAX)
        return error_set (e, ERR_LIMIT,
                          "contribution of %zu octets, at most %d", octets.size,
                          CONTRIBUTION_MAX);
    struct mp in;
    mp_start (&in, octets);
    size_t items = mp_array (&in, 1, SIZE_MAX);
    int64_t format = mp_int (&in, CONTRIBUTION_FORMAT, NUMBER_MAX);
    if (format > CONTRIBUTION_FORMAT && !in.failed)
        return error_set (e, ERR_NEWER,
                          "contribution of format %lld, known is %d",
                          (long long) format, CONTRIBUTION_FORMAT);
    if (items != CONTRIBUTION_ITEMS)
        mp_fail (&in, ERR_MALFORMED, "a contribution is an array of %d",
                 CONTRIBUTION_ITEMS);
    struct slice parts[3];
    for (size_t i = 0; i < 3; i++)
        parts[i] = mp_bin (&in, 0, SIZE_MAX);
    enum err rc = mp_finish (&in, e);
    if (!rc)
        rc = check_contribution (parts[0], e);
    if (rc)
        return rc;
    *head = parts[0];
    *headers = parts[1];
    *bodies = parts[2];
    return ERR_NONE;
}
