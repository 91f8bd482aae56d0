/* A ledger in small, record by record, for the tests of bundles and audits: a
 * test changes what the broker says of a record (place, time, numbers), or what
 * an author wrote, and has all of it signed and packed after that.
 *
 *   0 roster 1      $log 1
 *   1 mark          $log 2
 *   2 EUROPOL/hq    all 1, topic x
 *   3 EUROPOL/hq    all 2, topic x, a batch of two with
 *   4 EUROPOL/hq    all 3, topic y
 *   5 FRONTEX/hq    @EUROPOL+FRONTEX 1, first in the direct stream
 *   6 roster 2      $log 3
 *   7 mark          $log 4
 *   8 FRONTEX/hq?   all 4, topic x (EUROPOL/ec3)
 *   9 a leaf hash   (of `all` or of another channel)
 *  10 EUROPOL/hq    all 5, topic y
 *
 * Promises of 2, of 3 and 4, and of 9; one refusal. A test may add checkpoints,
 * claims of mark 7 or 1, and have blocks stand as leaves. */
#ifndef PARLEY_STORY_H
#define PARLEY_STORY_H

#include "block_fixture.h"
#include "format/promise.h"
#include "identity/checkpoint.h"
#include "ledger/bundle.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORY_ADHOC "@EUROPOL+FRONTEX"
#define STORY_RECORDS 10

struct story_item {
    struct record r; /* payload, batch and signature are set when it is made */
    const struct identity *author; /* NULL: no message */
    const char *topic;
    int64_t number, lane, roster_version;
    bool joined;          /* in one block with the one before */
    bool batched;         /* and in one batch */
    int64_t direct_first; /* of its block */
    struct buf header, body, octets;
    uint8_t signature[SIGNATURE_SIZE];
};

struct story {
    struct cast cast;
    struct roster *next;
    struct bundle_meta meta;
    struct story_item items[STORY_RECORDS];
    int64_t leaf_sequence;
    struct hash leaf, leaf_id;
    /* Proofs, made before the ledger is written; a test may change them. */
    struct promise_proof proofs[8];
    size_t proof_count;
    struct buf refusal;
    bool no_roster_note; /* leave out the note of version 2 */
    struct buf checkpoints[8];
    size_t checkpoint_count;
    struct bundle_claim claims[8];
    size_t claim_count;
    int64_t said_last; /* of `all` at its marks; 0: as it is */
    unsigned dropped;  /* bit: the block that begins there stands as leaves */
    unsigned missing;  /* bit: not even that */
};

static struct story_item *story_at (struct story *self, int64_t sequence) {
    return &self->items[sequence < 9 ? sequence : sequence - 1];
}

static void story_place (struct story *self, int64_t sequence,
                         enum record_type type, const char *channel,
                         int64_t channel_sequence, int64_t roster) {
    struct story_item *item = story_at (self, sequence);
    item->r = (struct record){ .format = 1,
                               .type = type,
                               .sequence = sequence,
                               .log_time = BUILD_TIME + 1000 * sequence,
                               .epoch = 1,
                               .roster = roster,
                               .channel = slice_text (channel),
                               .channel_sequence = channel_sequence,
                               .previous = -1 };
}

static void story_message (struct story *self, int64_t sequence,
                           const struct identity *author, const char *topic,
                           int64_t number, int64_t previous) {
    struct story_item *item = story_at (self, sequence);
    item->author = author;
    item->topic = topic;
    item->number = number;
    item->lane = 5;
    item->roster_version = 1;
    item->r.previous = previous;
}

static struct roster *story_next (const struct story *self) {
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    json_t *document =
        fixture_next (self->cast.roster, cast_document (&self->cast));
    fixture_set (document, "name", "'A new name'");
    struct roster *next =
        fixture_read (document, hash_text (dialogue, &self->cast.dialogue),
                      "EUROPOL FRONTEX", &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

static void story_records (struct story *self) {
    const struct identity *hq = self->cast.hq;
    story_place (self, 0, RECORD_ROSTER, CHANNEL_LOG, 1, 0);
    story_place (self, 1, RECORD_MARK, CHANNEL_LOG, 2, 0);
    story_place (self, 2, RECORD_MESSAGE, "all", 1, 0);
    story_place (self, 3, RECORD_MESSAGE, "all", 2, 0);
    story_place (self, 4, RECORD_MESSAGE, "all", 3, 0);
    story_place (self, 5, RECORD_MESSAGE, STORY_ADHOC, 1, 0);
    story_place (self, 6, RECORD_ROSTER, CHANNEL_LOG, 3, 6);
    story_place (self, 7, RECORD_MARK, CHANNEL_LOG, 4, 6);
    story_place (self, 8, RECORD_MESSAGE, "all", 4, 6);
    story_place (self, 10, RECORD_MESSAGE, "all", 5, 6);
    story_message (self, 2, hq, "all/note/x", 1, -1);
    story_message (self, 3, hq, "all/note/x", 2, 2);
    story_message (self, 4, hq, "all/note/y", 3, -1);
    story_message (self, 5, self->cast.frontex, STORY_ADHOC "/note/z", 1, -1);
    story_message (self, 8, self->cast.ec3, "all/note/x", 1, 3);
    story_message (self, 10, hq, "all/note/y", 4, 4);
    story_at (self, 1)->joined = story_at (self, 7)->joined = true;
    story_at (self, 4)->joined = story_at (self, 4)->batched = true;
    story_at (self, 5)->direct_first = 1;
}

/* Headers, bodies and payloads; then signatures, over one message or two. */
static void story_write (struct story *self, struct story_item *item) {
    struct error e = { 0 };
    struct slice content = slice_text ("words");
    if (!item->author)
        return;
    struct message_draft draft = {
        .dialogue = &self->cast.dialogue,
        .author = identity_name (item->author),
        .key_id = identity_key_id (item->author, LABEL_BATCH),
        .roster_version = item->roster_version,
        .lane = (uint64_t) item->lane,
        .number = item->number,
        .author_time = BUILD_TIME,
        .topic = slice_text (item->topic),
        .body_format = BODY_TEXT,
    };
    if (message_write_body (BODY_TEXT, content, &item->body, &e)
        || message_write_header (&draft, buf_slice (&item->body), &item->header,
                                 &e))
        fail_msg ("%s", e.text);
}

static void story_sign (struct story *self, struct story_item *item,
                        size_t count) {
    struct batch_part parts[2];
    struct buf head = { 0 }, headers = { 0 }, bodies = { 0 };
    struct error e = { 0 };
    struct refusal why;
    struct batch *batch = mem_alloc (sizeof *batch);
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct batch_part){ buf_slice (&item[i].header),
                                        buf_slice (&item[i].body) };
    if (batch_write (item->author, &self->cast.dialogue,
                     topic_channel (slice_text (item->topic)), parts, count,
                     &head, &headers, &bodies, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (batch_read (buf_slice (&head), buf_slice (&headers),
                                  buf_slice (&bodies), &self->cast.dialogue,
                                  batch, &why),
                      0);
    for (size_t i = 0; i < count; i++) {
        memcpy (item[i].signature, batch->signature, SIGNATURE_SIZE);
        item[i].r.signature = item[i].signature;
        item[i].r.batch_size = count;
        item[i].r.batch_index = i;
        item[i].r.payload = buf_slice (&item[i].header);
    }
    batch_clear (batch);
    free (batch);
    buf_free (&head);
    buf_free (&headers);
    buf_free (&bodies);
}

static struct hash story_leaf (struct story *self, int64_t sequence) {
    return sequence == 9
               ? self->leaf
               : record_leaf (buf_slice (&story_at (self, sequence)->octets));
}

static const struct roster *story_roster (const struct story *self,
                                          int64_t sequence) {
    return sequence < 6 ? self->cast.roster : self->next;
}

static bool story_carries (struct story *self, int64_t sequence,
                           struct slice stream) {
    struct slice channel = story_at (self, sequence)->r.channel;
    if (stream.data[0] != '@' || !channel_is_adhoc (channel))
        return slice_equal (channel, stream);
    return channel_adhoc_names (channel,
                                slice_of (stream.data + 1, stream.size - 1));
}

/* What the mark at that place says of its n-th stream. */
static struct mark_stream story_stream (struct story *self, int64_t mark,
                                        size_t n, char name[MARK_NAME_MAX]) {
    struct tree tree = { 0 };
    mark_stream_name (story_roster (self, mark), n, name);
    struct mark_stream out = { .name = slice_text (name), .last = -1 };
    out.salt = mark_salt (identity_veil (self->cast.broker), out.name, mark);
    for (int64_t i = 0; i < mark; i++) {
        if (i == 9 || !story_carries (self, i, out.name))
            continue;
        struct hash leaf = story_leaf (self, i);
        tree_add (&tree, &leaf);
        out.last = i;
    }
    out.count = (int64_t) tree.size;
    out.root = tree_root (&tree);
    if (self->said_last && slice_is (out.name, "all"))
        out.last = self->said_last;
    return out;
}

static size_t story_streams (struct story *self, int64_t mark,
                             struct hash out[64]) {
    size_t count = mark_streams (story_roster (self, mark));
    for (size_t i = 0; i < count; i++) {
        char name[MARK_NAME_MAX];
        struct mark_stream stream = story_stream (self, mark, i, name);
        out[i] = mark_leaf (&stream);
    }
    return count;
}

static void story_payload (struct story *self, struct story_item *item) {
    const struct roster *roster = story_roster (self, item->r.sequence);
    struct slice note = roster_octets (roster);
    struct roster_payload p = { .version = roster_version (roster),
                                .digest = *roster_digest (roster),
                                .note_length = (int64_t) note.size,
                                .note_hash = hash_blake2b (note) };
    struct mark_payload m = { .roster_version = p.version,
                              .roster_digest = p.digest,
                              .has_root = true };
    if (item->r.type == RECORD_ROSTER) {
        roster_payload_write (&item->header, &p);
        buf_add_slice (&item->body, note);
    } else {
        struct hash leaves[64];
        size_t count = story_streams (self, item->r.sequence, leaves);
        m.root = tree_root_of (leaves, count);
        mark_payload_write (&item->header, &m);
    }
    item->r.payload = buf_slice (&item->header);
}

/* Octets, after a test has said what the records are. */
static void story_make_some (struct story *self, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        story_write (self, &self->items[i]);
    for (size_t i = first; i < end; i++) {
        struct story_item *item = &self->items[i];
        if (!item->author)
            story_payload (self, item);
        else if (!item->batched)
            story_sign (self, item,
                        i + 1 < STORY_RECORDS && item[1].batched ? 2 : 1);
        record_write (&item->octets, &item->r);
    }
}

static void story_make (struct story *self) {
    story_make_some (self, 0, STORY_RECORDS);
}

/* Cosigned by EUROPOL/hq (1), FRONTEX/hq (2). */
FIXTURE_UNUSED static void story_checkpoint (struct story *self, int64_t size,
                                             unsigned witnesses) {
    struct buf *note = &self->checkpoints[self->checkpoint_count++];
    struct checkpoint cp = { .size = size };
    struct tree tree = { 0 };
    checkpoint_origin (story_roster (self, size - 1), cp.origin);
    for (int64_t i = 0; i < size && i < 11; i++) {
        struct hash leaf = story_leaf (self, i);
        tree_add (&tree, &leaf);
    }
    cp.root = tree_root (&tree);
    checkpoint_sign (&cp, self->cast.broker, note);
    if (witnesses & 1)
        checkpoint_cosign (&cp, self->cast.hq, BUILD_TIME / 1000 + 20, note);
    if (witnesses & 2)
        checkpoint_cosign (&cp, self->cast.frontex, BUILD_TIME / 1000 + 30,
                           note);
}

/* The claim of a stream, whose first `from` records stand as a cover. The name
 * is borrowed. */
FIXTURE_UNUSED static struct bundle_claim *story_claim (struct story *self,
                                                        int64_t mark,
                                                        const char *name,
                                                        int64_t from) {
    struct bundle_claim *out = &self->claims[self->claim_count++];
    char own[MARK_NAME_MAX];
    struct hash leaves[64], path[TREE_PATH_MAX], records[16];
    size_t count = story_streams (self, mark, leaves), n = 0;
    int index = mark_stream_find (story_roster (self, mark), slice_text (name));
    *out = (struct bundle_claim){ .mark = mark, .from = from };
    struct mark_claim *claim = &out->claim;
    claim->stream = story_stream (self, mark, (size_t) index, own);
    claim->stream.name = slice_text (name);
    claim->index = index;
    claim->path_length = tree_path (leaves, count, (size_t) index, path);
    memcpy (claim->path, path, claim->path_length * HASH_SIZE);
    for (int64_t i = 0; i < mark; i++)
        if (story_carries (self, i, claim->stream.name))
            records[n++] = story_leaf (self, i);
    for (int64_t at = 0; at < from;) {
        int64_t width = 1;
        while (at % (2 * width) == 0 && at + 2 * width <= from)
            width *= 2;
        out->cover[out->cover_length++] =
            tree_root_of (records + at, (size_t) width);
        at += width;
    }
    return out;
}

static struct promise_accepted story_accepted (struct story *self,
                                               int64_t sequence, int index) {
    struct promise_accepted a = { .index = index, .sequence = sequence };
    if (sequence == 9) {
        a.id = self->leaf_id;
        a.leaf = self->leaf;
    } else {
        struct story_item *item = story_at (self, sequence);
        a.id = hash_leaf (buf_slice (&item->header));
        a.leaf = record_leaf (buf_slice (&item->octets));
    }
    return a;
}

static void story_promise (struct story *self, int64_t sequence, int count) {
    struct promise_accepted accepted[2];
    struct promise p = { .epoch = 1, .log_time = BUILD_TIME + 1000 * sequence };
    for (int i = 0; i < count; i++)
        accepted[i] = story_accepted (self, sequence + i, i);
    promise_sign (&p, self->cast.broker, &self->cast.dialogue, accepted,
                  (size_t) count, NULL, 0);
    for (int i = 0; i < count; i++)
        promise_proof_make (&self->proofs[self->proof_count++], &p, accepted,
                            (size_t) count, (size_t) i);
}

static void story_promises (struct story *self) {
    struct promise p = { .epoch = 1, .log_time = BUILD_TIME + 4500 };
    struct promise_refused refused = { .index = 0, .id = self->leaf };
    story_promise (self, 2, 1);
    story_promise (self, 3, 2);
    story_promise (self, 9, 1);
    refusal_set (&refused.refusal, RULE_TOPIC);
    refusal_text (&refused.refusal, "why", "no");
    promise_sign (&p, self->cast.broker, &self->cast.dialogue, NULL, 0,
                  &refused, 1);
    refusal_proof_write (&self->refusal, &p, &refused, 1);
}

FIXTURE_UNUSED static struct story *story_new (void) {
    struct story *self = mem_alloc (sizeof *self);
    cast_begin (&self->cast);
    self->next = story_next (self);
    self->meta = (struct bundle_meta){ .dialogue = self->cast.dialogue,
                                       .exporter = "EUROPOL/hq",
                                       .made = BUILD_TIME,
                                       .last = 10,
                                       .filter = "#" };
    self->leaf_sequence = 9;
    self->leaf = hash_sha256 (slice_text ("leaf 9"));
    self->leaf_id = hash_sha256 (slice_text ("id 9"));
    story_records (self);
    return self;
}

FIXTURE_UNUSED static void story_free (struct story *self) {
    for (size_t i = 0; i < STORY_RECORDS; i++) {
        buf_free (&self->items[i].header);
        buf_free (&self->items[i].body);
        buf_free (&self->items[i].octets);
    }
    for (size_t i = 0; i < self->checkpoint_count; i++)
        buf_free (&self->checkpoints[i]);
    buf_free (&self->refusal);
    roster_unref (&self->next);
    cast_end (&self->cast);
    free (self);
}

/* The block that begins with items[i]; the number of its records. */
static size_t story_block (struct story *self, size_t i, struct buf *out) {
    struct block_writer *writer = block_writer_new();
    size_t count = 0;
    block_begin (writer, self->items[i].r.sequence);
    do {
        struct story_item *item = &self->items[i + count];
        if (item->author && !item->batched)
            block_run (writer, RUN_WHOLE, NULL, 0);
        assert_true (block_add (writer, buf_slice (&item->octets),
                                buf_slice (&item->body),
                                item->body.size ? BODY_PRESENT : BODY_NONE));
        count++;
    } while (i + count < STORY_RECORDS && self->items[i + count].joined);
    block_finish (writer, out);
    block_writer_destroy (&writer);
    return count;
}

static enum err story_pack_leaf (struct story *self, struct bundle_writer *out,
                                 struct error *e) {
    if (self->missing & 1u << 9)
        return ERR_NONE;
    return bundle_add_leaf (out, self->leaf_sequence, &self->leaf, e);
}

/* Everything into a folder, which is made. */
FIXTURE_UNUSED static void story_pack (struct story *self, const char *dir) {
    struct error e = { 0 };
    struct buf block = { 0 };
    struct bundle_writer *out = bundle_create (dir, &self->meta, &e);
    if (!out)
        fail_msg ("%s", e.text);
    enum err rc =
        bundle_add_roster (out, 1, roster_octets (self->cast.roster), &e);
    if (!self->no_roster_note)
        rc = rc | bundle_add_roster (out, 2, roster_octets (self->next), &e);
    for (size_t i = 0, count; i < STORY_RECORDS; i += count) {
        unsigned bit = 1u << self->items[i].r.sequence;
        buf_clear (&block);
        count = story_block (self, i, &block);
        if (i == 9)
            rc = rc | story_pack_leaf (self, out, &e);
        for (size_t k = 0; k < count && self->dropped & bit; k++) {
            struct hash leaf =
                record_leaf (buf_slice (&self->items[i + k].octets));
            rc = rc
                 | bundle_add_leaf (out, self->items[i + k].r.sequence, &leaf,
                                    &e);
        }
        if (!((self->dropped | self->missing) & bit))
            rc = rc
                 | bundle_add_block (out, self->items[i].direct_first,
                                     buf_slice (&block), &e);
    }
    for (size_t i = 0; i < self->checkpoint_count; i++)
        rc = rc
             | bundle_add_checkpoint (out, buf_slice (&self->checkpoints[i]),
                                      &e);
    for (size_t i = 0; i < self->claim_count; i++)
        rc = rc | bundle_add_claim (out, &self->claims[i], &e);
    for (size_t i = 0; i < self->proof_count; i++)
        rc = rc | bundle_add_promise (out, &self->proofs[i], &e);
    rc = rc | bundle_add_refusal (out, buf_slice (&self->refusal), &e);
    rc = rc | bundle_finish (out, &e);
    bundle_writer_destroy (&out);
    buf_free (&block);
    if (rc)
        fail_msg ("%s", e.text);
}

/* A folder of the test's own. */
static int story_remove_one (const char *path, const struct stat *st, int type,
                             struct FTW *at) {
    (void) st, (void) type, (void) at;
    return remove (path);
}

FIXTURE_UNUSED static void story_remove (const char *dir) {
    nftw (dir, story_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

FIXTURE_UNUSED static char *story_folder (void) {
    struct buf path = { 0 };
    const char *room = getenv ("TMPDIR");
    buf_add_format (&path, "%s/parley-test-XXXXXX", room ? room : "/tmp");
    char *text = buf_take_text (&path);
    assert_non_null (mkdtemp (text));
    return text;
}

#endif
