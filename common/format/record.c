/* record - an entry of the ledger and its payloads (PROTOCOL.md section 7.1).
 * Pure functions; thread-safe. */
#include "format/record.h"

#include "identity/note.h"

#include <assert.h>
#include <inttypes.h>

#define FORMAT 1
#define ELEMENTS 15
#define ELEMENTS_FIXED 9 /* 0 to 8 keep place and type in every format */
#define ORDER_MAX 65536  /* octets of an erasure order */

const char *record_type_name (int64_t type) {
    static const char *const names[] = { "message", "roster", "mark",
                                         "erasure" };
    return type >= 0 && type <= RECORD_ERASURE ? names[type] : "unknown";
}

struct hash record_leaf (struct slice octets) {
    return hash_leaf (octets);
}

/* Writing. */

static void assert_ours (const struct record *r) {
    bool message = r->type == RECORD_MESSAGE;
    assert (r->format == FORMAT && r->type >= 0 && r->type <= RECORD_ERASURE);
    assert (r->sequence >= 0 && r->log_time >= 0 && r->epoch >= 1);
    assert (r->roster >= 0 && r->channel_sequence >= 1);
    assert ((r->roster == r->sequence) == (r->type == RECORD_ROSTER));
    assert (r->channel.size >= 1 && r->payload.size >= 1);
    assert (r->previous >= -1 && r->previous < r->sequence);
    assert (message || (r->previous == -1 && !r->via.present));
    assert (message ? r->batch_index < r->batch_size : r->batch_size == 0);
    assert (r->batch_size <= BATCH_MAX);
    assert (message == (r->signature != NULL));
}

static void put_batch (struct buf *out, const struct record *r) {
    if (r->type == RECORD_MESSAGE) {
        mp_put_int (out, (int64_t) r->batch_size);
        mp_put_int (out, (int64_t) r->batch_index);
        mp_put_bin (out, r->signature, SIGNATURE_SIZE);
        return;
    }
    for (int i = 0; i < 3; i++)
        mp_put_nil (out);
}

void record_write (struct buf *out, const struct record *record) {
    assert_ours (record);
    size_t before = out->size;
    mp_put_array (out, ELEMENTS);
    mp_put_int (out, record->format);
    mp_put_int (out, record->type);
    mp_put_int (out, record->sequence);
    mp_put_int (out, record->log_time);
    mp_put_int (out, record->epoch);
    mp_put_int (out, record->roster);
    mp_put_str_slice (out, record->channel);
    mp_put_int (out, record->channel_sequence);
    if (record->previous < 0)
        mp_put_nil (out);
    else
        mp_put_int (out, record->previous);
    via_put (out, &record->via);
    mp_put_bin (out, record->payload.data, record->payload.size);
    put_batch (out, record);
    mp_put_map (out, 0);
    assert (out->size - before <= RECORD_MAX);
}

/* Reading. */

static void take_fixed (struct mp *in, struct record *r) {
    r->format = mp_int (in, 1, NUMBER_MAX);
    r->type = mp_int (in, 0, NUMBER_MAX);
    r->sequence = mp_int (in, 0, NUMBER_MAX);
    r->log_time = mp_int (in, 0, NUMBER_MAX);
    r->epoch = mp_int (in, 1, NUMBER_MAX);
    r->roster = mp_int (in, 0, NUMBER_MAX);
    r->channel = mp_str (in, 1, CHANNEL_MAX);
    r->channel_sequence = mp_int (in, 1, NUMBER_MAX);
    r->previous = mp_try_nil (in) ? -1 : mp_int (in, 0, NUMBER_MAX);
}

static bool channel_valid (struct slice channel) {
    if (channel_is_adhoc (channel))
        return channel_adhoc_check (channel, NULL) == ERR_NONE;
    return channel_name_valid (channel) || slice_is (channel, CHANNEL_LOG);
}

static void check_fixed (struct mp *in, const struct record *r) {
    if (!channel_valid (r->channel))
        mp_fail (in, ERR_MALFORMED, "'%.*s' is no channel",
                 (int) r->channel.size, (const char *) r->channel.data);
    if (r->previous >= r->sequence)
        mp_fail (in, ERR_MALFORMED,
                 "previous sequence %" PRId64 " on the topic of record %" PRId64
                 " is not below it",
                 r->previous, r->sequence);
    if (r->roster > r->sequence)
        mp_fail (in, ERR_MALFORMED,
                 "the roster in force at record %" PRId64
                 " can't be record %" PRId64,
                 r->sequence, r->roster);
}

/* What the types of this format say of elements 5 and 6. */
static void check_type (struct mp *in, const struct record *r) {
    bool log = slice_is (r->channel, CHANNEL_LOG);
    bool of_log = r->type == RECORD_ROSTER || r->type == RECORD_MARK;
    if (log != of_log)
        mp_fail (in, ERR_MALFORMED, "type %s on channel %.*s",
                 record_type_name (r->type), (int) r->channel.size,
                 (const char *) r->channel.data);
    bool itself = r->roster == r->sequence;
    if (itself != (r->type == RECORD_ROSTER))
        mp_fail (in, ERR_MALFORMED,
                 "the roster in force at %s %" PRId64
                 " can't be record %" PRId64,
                 record_type_name (r->type), r->sequence, r->roster);
}

/* Elements 8, 9 and 11 to 13 belong to messages, and to all of them but 8 and
 * 9 always. */
static void check_batch (struct mp *in, const struct record *r,
                         bool has_index) {
    bool message = r->type == RECORD_MESSAGE;
    bool has_size = r->batch_size > 0, has_signature = r->signature != NULL;
    if (has_size != message || has_index != message || has_signature != message)
        mp_fail (in, ERR_MALFORMED,
                 "batch size, index and signature have to be %s for type %s",
                 message ? "there" : "nil", record_type_name (r->type));
    else if (!message && (r->previous >= 0 || r->via.present))
        mp_fail (in, ERR_MALFORMED,
                 "previous sequence and via have to be nil for type %s",
                 record_type_name (r->type));
    else if (message && r->batch_index >= r->batch_size)
        mp_fail (in, ERR_MALFORMED, "index %zu in a batch of %zu",
                 r->batch_index, r->batch_size);
}

static void take_rest (struct mp *in, size_t elements, struct record *r) {
    if (elements != ELEMENTS)
        mp_fail (in, ERR_MALFORMED, "a record of %zu elements, format 1 has %d",
                 elements, ELEMENTS);
    via_take (in, &r->via);
    r->payload =
        mp_bin (in, 1, r->type == RECORD_MESSAGE ? HEADER_MAX : RECORD_MAX);
    r->batch_size = mp_try_nil (in) ? 0 : (size_t) mp_int (in, 1, BATCH_MAX);
    bool has_index = !mp_try_nil (in);
    if (has_index)
        r->batch_index = (size_t) mp_int (in, 0, BATCH_MAX - 1);
    if (!mp_try_nil (in))
        r->signature = mp_bin (in, SIGNATURE_SIZE, SIGNATURE_SIZE).data;
    mp_extension (in, EXTENSION_MAX, &r->must_know);
    if (in->failed || r->type > RECORD_ERASURE)
        return; /* a later type's own matter */
    check_type (in, r);
    check_batch (in, r, has_index);
}

static enum err check_known (const struct record *r, struct error *e) {
    if (r->format > FORMAT)
        return error_set (e, ERR_NEWER,
                          "record %" PRId64 " has format %" PRId64
                          ", known is %d",
                          r->sequence, r->format, FORMAT);
    if (r->type > RECORD_ERASURE)
        return error_set (e, ERR_NEWER,
                          "record %" PRId64 " has the unknown type %" PRId64,
                          r->sequence, r->type);
    if (r->must_know)
        return error_set (e, ERR_NEWER,
                          "record %" PRId64 " has extension key %" PRId64
                          ", which has to be understood",
                          r->sequence, r->must_know);
    return ERR_NONE;
}

enum err record_read (struct slice octets, struct record *out,
                      struct error *e) {
    *out = (struct record){ .octets = octets, .previous = -1 };
    if (octets.size > RECORD_MAX)
        return error_set (e, ERR_LIMIT, "a record of %zu octets, limit %d",
                          octets.size, RECORD_MAX);
    struct mp in;
    mp_start (&in, octets);
    size_t elements = mp_array (&in, ELEMENTS_FIXED, RECORD_MAX);
    take_fixed (&in, out);
    if (in.failed == ERR_NONE)
        check_fixed (&in, out);
    if (in.failed == ERR_NONE && out->format > FORMAT)
        in.at = in.end; /* whatever a later format has there is its matter */
    else
        take_rest (&in, elements, out);
    enum err rc = mp_finish (&in, e);
    return rc ? rc : check_known (out, e);
}

/* Payloads. */

static void put_hash (struct buf *out, const struct hash *h) {
    mp_put_bin (out, h->octets, HASH_SIZE);
}

static void take_hash (struct mp *in, struct hash *out) {
    mp_bin_exact (in, out->octets, HASH_SIZE);
}

void roster_payload_write (struct buf *out, const struct roster_payload *p) {
    mp_put_array (out, 4);
    mp_put_int (out, p->version);
    put_hash (out, &p->digest);
    mp_put_int (out, p->note_length);
    put_hash (out, &p->note_hash);
}

enum err roster_payload_read (struct slice octets, struct roster_payload *out,
                              struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, 4, 4);
    out->version = mp_int (&in, 1, NUMBER_MAX);
    take_hash (&in, &out->digest);
    out->note_length = mp_int (&in, 1, NOTE_MAX);
    take_hash (&in, &out->note_hash);
    return mp_finish (&in, e);
}

void mark_payload_write (struct buf *out, const struct mark_payload *p) {
    mp_put_array (out, 3);
    mp_put_int (out, p->roster_version);
    put_hash (out, &p->roster_digest);
    if (p->has_root)
        put_hash (out, &p->root);
    else
        mp_put_nil (out);
}

enum err mark_payload_read (struct slice octets, struct mark_payload *out,
                            struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, 3, 3);
    out->roster_version = mp_int (&in, 1, NUMBER_MAX);
    take_hash (&in, &out->roster_digest);
    out->root = (struct hash){ { 0 } };
    out->has_root = !mp_try_nil (&in);
    if (out->has_root)
        take_hash (&in, &out->root);
    return mp_finish (&in, e);
}

void erasure_payload_write (struct buf *out, const struct erasure_payload *p) {
    mp_put_array (out, 3);
    put_hash (out, &p->digest);
    mp_put_int (out, p->order_length);
    put_hash (out, &p->order_hash);
}

enum err erasure_payload_read (struct slice octets, struct erasure_payload *out,
                               struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, 3, 3);
    take_hash (&in, &out->digest);
    out->order_length = mp_int (&in, 1, ORDER_MAX);
    take_hash (&in, &out->order_hash);
    return mp_finish (&in, e);
}

/* Bodies. */

enum err record_message (const struct record *self, struct message *out,
                         struct error *e) {
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    enum err rc = message_read_any (self->payload, out, &why);
    return rc ? error_set (e, rc, "%s", refusal_print (&why, text)) : ERR_NONE;
}

/* What a payload says of the body: its length and BLAKE2b-256. */
struct stated {
    int64_t length;
    struct hash digest;
};

static enum err stated_by_message (const struct record *r, struct stated *out,
                                   struct error *e) {
    struct message m;
    enum err rc = record_message (r, &m, e);
    if (rc)
        return rc;
    out->length = m.body_length;
    memcpy (out->digest.octets, m.body_digest, HASH_SIZE);
    return ERR_NONE;
}

static enum err stated_by (const struct record *r, struct stated *out,
                           struct error *e) {
    struct roster_payload roster;
    struct mark_payload mark;
    struct erasure_payload erasure;
    enum err rc;
    switch (r->type) {
    case RECORD_MESSAGE:
        return stated_by_message (r, out, e);
    case RECORD_ROSTER:
        rc = roster_payload_read (r->payload, &roster, e);
        *out = (struct stated){ roster.note_length, roster.note_hash };
        return rc;
    case RECORD_MARK:
        *out = (struct stated){ 0 };
        return mark_payload_read (r->payload, &mark, e);
    case RECORD_ERASURE:
        rc = erasure_payload_read (r->payload, &erasure, e);
        *out = (struct stated){ erasure.order_length, erasure.order_hash };
        return rc;
    default:
        return error_set (e, ERR_NEWER, "unknown type %" PRId64, r->type);
    }
}

enum err record_body_length (const struct record *self, int64_t *length,
                             struct error *e) {
    struct stated stated;
    enum err rc = stated_by (self, &stated, e);
    if (rc == ERR_NONE)
        *length = stated.length;
    return rc;
}

enum err record_body_check (const struct record *self, struct slice body,
                            struct error *e) {
    struct stated stated;
    enum err rc = stated_by (self, &stated, e);
    if (rc)
        return rc;
    if ((int64_t) body.size != stated.length)
        return error_set (e, ERR_DIGEST,
                          "a body of %zu octets, %" PRId64 " are stated",
                          body.size, stated.length);
    if (body.size == 0)
        return ERR_NONE; /* a mark's: it has no digest */
    struct hash found = hash_blake2b (body);
    if (!hash_equal (&found, &stated.digest)) {
        char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
        return error_set (e, ERR_DIGEST, "body digest %s, stated is %s",
                          hash_text (a, &found), hash_text (b, &stated.digest));
    }
    return ERR_NONE;
}
