#include "format/evidence.h"

#include "identity/place.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#define FORMAT "parley/evidence/1"
#define FORMAT_HEAD "parley/evidence/"
#define RECORD_BASE64_MAX 12000 /* 8,192 octets take 10,924 */
#define PROMISE_BASE64_MAX 2048 /* the longest has some 700 octets */
#define KIND_NAME_MAX 32
#define ROSTERS_MAX 100000 /* what an agent follows, section 2.6 */

static const char *const kinds[] = {
    [EVIDENCE_LEAVES] = "two-leaves", [EVIDENCE_PROMISE] = "broken-promise",
    [EVIDENCE_TIMES] = "time-back",   [EVIDENCE_RECORD] = "bad-record",
    [EVIDENCE_ROOTS] = "two-roots",
};
#define KINDS (sizeof kinds / sizeof kinds[0])

const char *evidence_kind_name (enum evidence_kind kind) {
    assert ((size_t) kind < KINDS);
    return kinds[kind];
}

/* Writing */

static json_t *text_json (struct slice text) {
    json_t *out = json_stringn ((const char *) text.data, text.size);
    assert (out);
    return out;
}

static json_t *hash_json (const struct hash *hash) {
    char text[HASH_TEXT_MAX];
    return json_string (hash_text (text, hash));
}

static json_t *octets_json (struct slice octets) {
    if (octets.size == 0)
        return json_null();
    char *base64 = mem_alloc (BASE64_SIZE (octets.size));
    json_t *out =
        json_string (base64_encode (base64, octets.data, octets.size));
    free (base64);
    return out;
}

static json_t *leaf_json (const struct evidence_leaf *self) {
    json_t *path = json_array();
    for (size_t i = 0; i < self->path_length; i++)
        json_array_append_new (path, hash_json (&self->path[i]));
    return json_pack ("{so sI so so so}", "checkpoint",
                      text_json (self->checkpoint), "index",
                      (json_int_t) self->index, "leaf", hash_json (&self->leaf),
                      "record", octets_json (self->record), "path", path);
}

static json_t *promise_json (const struct evidence *self) {
    struct buf octets = { 0 };
    if (!self->has_promise)
        return json_null();
    promise_proof_write (&octets, &self->promise);
    json_t *out = octets_json (buf_slice (&octets));
    buf_free (&octets);
    return out;
}

void evidence_write (const struct evidence *self, struct buf *json) {
    json_t *rosters = json_array(), *leaves = json_array();
    for (size_t i = 0; i < self->roster_count; i++)
        json_array_append_new (rosters, text_json (self->rosters[i]));
    for (size_t i = 0; i < self->leaf_count; i++)
        json_array_append_new (leaves, leaf_json (&self->leaves[i]));
    json_t *document =
        json_pack ("{ss ss so sI ss so so so}", "format", FORMAT, "kind",
                   evidence_kind_name (self->kind), "dialogue",
                   hash_json (&self->dialogue), "made", (json_int_t) self->made,
                   "maker", self->maker, "rosters", rosters, "leaves", leaves,
                   "promise", promise_json (self));
    assert (document);
    char *text = json_dumps (document, JSON_INDENT (2));
    assert (text);
    buf_add_text (json, text);
    buf_add_text (json, "\n");
    free (text);
    json_decref (document);
}

/* Reading */

struct evidence_file {
    json_t *document;
    struct slice *rosters;
    struct buf records[2];
    struct evidence evidence;
};

/* A text as it stands there; place_text would refuse a note's newlines. */
static struct slice text_take (const struct place *at, size_t max) {
    const size_t size = json_string_length (at->value);
    if (place_failed (at))
        return (struct slice){ 0 };
    if (!json_is_string (at->value) || size == 0 || size > max) {
        place_fail (at, size > max ? ERR_LIMIT : ERR_MALFORMED,
                    "a text of 1 to %zu octets", max);
        return (struct slice){ 0 };
    }
    return slice_of (json_string_value (at->value), size);
}

/* Base64 or null, which gives no octets. */
static void octets_take (const struct place *object, const char *name,
                         size_t max, struct buf *out) {
    struct place at = place_need (object, name);
    size_t size = 0;
    if (place_failed (&at) || json_is_null (at.value))
        return;
    struct slice base64 = text_take (&at, max);
    if (place_failed (&at))
        return;
    uint8_t *octets = buf_extend (out, base64.size / 4 * 3 + 1);
    if (base64_decode_any (octets, out->size, &size, base64) || size == 0)
        place_fail (&at, ERR_MALFORMED, "base64, or null");
    out->size = size;
}

static void format_take (const struct place *document) {
    struct place at = place_need (document, "format");
    struct slice format = text_take (&at, KIND_NAME_MAX);
    if (place_failed (&at) || slice_is (format, FORMAT))
        return;
    const size_t head = strlen (FORMAT_HEAD);
    place_fail (&at,
                format.size > head
                        && memcmp (format.data, FORMAT_HEAD, head) == 0
                    ? ERR_NEWER
                    : ERR_MALFORMED,
                "it has to be '" FORMAT "'");
}

static void kind_take (const struct place *document, struct evidence *out) {
    struct place at = place_need (document, "kind");
    struct slice kind = text_take (&at, KIND_NAME_MAX);
    for (size_t i = 0; i < KINDS; i++)
        if (slice_is (kind, kinds[i])) {
            out->kind = (enum evidence_kind) i;
            return;
        }
    place_fail (&at, ERR_NEWER, "a kind that we do not know");
}

static bool is_delegation (struct slice name) {
    return identity_name_valid (IDENTITY_DELEGATION, name);
}

static void maker_take (const struct place *document, struct evidence *out) {
    const char *maker = place_grammar (document, "maker", IDENTITY_NAME_MAX,
                                       is_delegation, "a delegation");
    if (!place_failed (document))
        memcpy (out->maker, maker, strlen (maker) + 1);
}

static void rosters_take (const struct place *document,
                          struct evidence_file *self) {
    struct place at = place_need (document, "rosters");
    const size_t count = place_array (&at, 1, ROSTERS_MAX);
    self->rosters = mem_alloc ((count + 1) * sizeof *self->rosters);
    for (size_t i = 0; i < count; i++) {
        struct place item = place_item (&at, i);
        self->rosters[i] = text_take (&item, NOTE_MAX);
    }
    self->evidence.rosters = self->rosters;
    self->evidence.roster_count = count;
}

static void leaf_take (const struct place *at, struct buf *record,
                       struct evidence_leaf *out) {
    static const char *const names[] = { "checkpoint", "index", "leaf",
                                         "record",     "path",  NULL };
    place_object (at, names);
    struct place note = place_need (at, "checkpoint");
    out->checkpoint = text_take (&note, CHECKPOINT_NOTE_MAX);
    out->index = (uint64_t) place_int (at, "index", 0, NUMBER_MAX);
    place_hash (at, "leaf", &out->leaf);
    octets_take (at, "record", RECORD_BASE64_MAX, record);
    out->record = buf_slice (record);
    struct place path = place_need (at, "path");
    out->path_length = place_array (&path, 0, TREE_PATH_MAX);
    for (size_t i = 0; i < out->path_length; i++) {
        struct place item = place_item (&path, i);
        place_hash (&item, NULL, &out->path[i]);
    }
}

static void leaves_take (const struct place *document,
                         struct evidence_file *self) {
    struct evidence *out = &self->evidence;
    struct place at = place_need (document, "leaves");
    out->leaf_count = place_array (&at, 1, 2);
    for (size_t i = 0; i < out->leaf_count; i++) {
        struct place item = place_item (&at, i);
        leaf_take (&item, &self->records[i], &out->leaves[i]);
    }
}

static void promise_take (const struct place *document, struct evidence *out) {
    struct buf octets = { 0 };
    struct error why;
    octets_take (document, "promise", PROMISE_BASE64_MAX, &octets);
    out->has_promise = octets.size > 0;
    if (out->has_promise) {
        struct mp in;
        mp_start (&in, buf_slice (&octets));
        promise_proof_take (&in, &out->promise);
        if (mp_finish (&in, &why)) {
            struct place at = place_need (document, "promise");
            place_fail (&at, why.code, "a promise: %s", why.text);
        }
    }
    buf_free (&octets);
}

static void document_take (struct evidence_file *self,
                           struct reading *reading) {
    static const char *const names[] = { "format", "kind",    "dialogue",
                                         "made",   "maker",   "rosters",
                                         "leaves", "promise", NULL };
    struct evidence *out = &self->evidence;
    struct place document = place_start (reading, self->document);
    format_take (&document); /* before all else */
    kind_take (&document, out);
    place_object (&document, names);
    place_hash (&document, "dialogue", &out->dialogue);
    out->made = place_int (&document, "made", 0, NUMBER_MAX);
    maker_take (&document, out);
    rosters_take (&document, self);
    leaves_take (&document, self);
    promise_take (&document, out);
}

struct evidence_file *evidence_read (struct slice json, struct error *e) {
    struct reading reading = { 0 };
    json_t *document = place_parse (json, EVIDENCE_MAX, e);
    if (!document)
        return NULL;
    struct evidence_file *self = mem_alloc (sizeof *self);
    self->document = document;
    document_take (self, &reading);
    if (reading.why.code) {
        error_set (e, reading.why.code, "evidence: %s", reading.why.text);
        evidence_free (&self);
    }
    return self;
}

void evidence_free (struct evidence_file **self_p) {
    if (!self_p || !*self_p)
        return;
    struct evidence_file *self = *self_p;
    json_decref (self->document);
    free (self->rosters);
    buf_free (&self->records[0]);
    buf_free (&self->records[1]);
    free (self);
    *self_p = NULL;
}

const struct evidence *evidence_of (const struct evidence_file *self) {
    return &self->evidence;
}
