/* wire - the desk's requests and replies but hello (PROTOCOL.md sections 8.1
 * and 8.3 to 8.6). Pure. */
#include "wire/wire.h"

#include "base/clock.h"
#include "base/topic.h"

#include <stdlib.h>

#define PROTOCOL_NAME "parley"
#define ERROR_TEXT_OCTETS 512
#define STREAM_NAME_MAX 128
#define STREAMS_MAX (ROSTER_CHANNELS_MAX + 2) /* and $log, and the direct one */
#define PROOF_MAX 524288 /* 256 refusals of 1,100 octets and more */

/* 8.1 */

void wire_head_write (struct buf *out, const struct wire_head *head) {
    mp_put_array (out, 5);
    mp_put_str (out, PROTOCOL_NAME);
    mp_put_int (out, WIRE_VERSION);
    mp_put_int (out, head->type);
    mp_put_int (out, head->id);
    if (head->has_run)
        mp_put_bin (out, head->run, RUN_SIZE);
    else
        mp_put_nil (out);
}

enum err wire_head_read (struct slice frame, struct wire_head *out,
                         struct error *e) {
    *out = (struct wire_head){ 0 };
    struct mp in;
    mp_start (&in, frame);
    size_t items = mp_array (&in, 4, SIZE_MAX);
    struct slice name = mp_str (&in, 1, 16);
    if (!in.failed && !slice_is (name, PROTOCOL_NAME))
        mp_fail (&in, ERR_MALFORMED, "not Parley's protocol");
    int64_t version = mp_int (&in, 1, NUMBER_MAX);
    int64_t type = mp_int (&in, 0, 255);
    int64_t id = mp_int (&in, 0, CLOCK_MS_MAX); /* 2^53 - 1 */
    if (!in.failed) {
        out->version = version;
        out->type = (int) type;
        out->id = id;
    }
    /* Four elements begin frame 0 in every version. */
    if (!in.failed && version != WIRE_VERSION)
        return error_set (e, ERR_NEWER, "protocol version %lld, this is %d",
                          (long long) version, WIRE_VERSION);
    if (items != 5)
        mp_fail (&in, ERR_MALFORMED, "frame 0 of %zu elements, it has 5",
                 items);
    out->has_run = !mp_try_nil (&in);
    if (out->has_run)
        mp_bin_exact (&in, out->run, RUN_SIZE);
    return mp_finish (&in, e);
}

int wire_request_frames (int type) {
    switch (type) {
    case WIRE_HELLO:
    case WIRE_FETCH:
    case WIRE_ROSTER:
    case WIRE_REFUSALS:
    case WIRE_LEAVES:
    case WIRE_COSIGN:
    case WIRE_CHECKPOINT:
    case WIRE_PATHS:
    case WIRE_HANDED:
    case WIRE_COVER:
        return 1;
    case WIRE_PUBLISH:
        return 3;
    case WIRE_STREAMS:
    case WIRE_STATUS:
        return 0;
    default: /* erase too: no program has the feature yet */
        return -1;
    }
}

void wire_error_write (struct buf *out, const struct refusal *refusal,
                       const char *text) {
    mp_put_array (out, 3);
    mp_put_str (out, refusal->name);
    size_t size = strlen (text);
    mp_put_str_slice (
        out,
        slice_of (text, size < ERROR_TEXT_OCTETS ? size : ERROR_TEXT_OCTETS));
    struct slice values = refusal_values (refusal);
    buf_add_slice (out, values);
}

enum err wire_error_read (struct slice frame, struct refusal *refusal,
                          struct slice *text, struct error *e) {
    /* The text stands between what refusal_take reads as neighbours. */
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 3, 3);
    struct slice rule = mp_str (&in, 1, RULE_NAME_MAX);
    *text = mp_str (&in, 0, ERROR_TEXT_OCTETS);
    struct slice values = mp_any (&in);
    enum err rc = mp_finish (&in, e);
    if (rc)
        return rc;
    struct buf pair = { 0 };
    mp_put_str_slice (&pair, rule);
    buf_add_slice (&pair, values);
    mp_start (&in, buf_slice (&pair));
    refusal_take (&in, refusal);
    rc = mp_finish (&in, e);
    buf_free (&pair);
    return rc;
}

/* 8.3 */

void wire_streams_write (struct buf *out, int64_t generation,
                         const struct wire_stream *streams, size_t count) {
    mp_put_array (out, 2);
    mp_put_int (out, generation);
    mp_put_array (out, count);
    for (size_t i = 0; i < count; i++) {
        mp_put_array (out, 5);
        mp_put_str_slice (out, streams[i].name);
        mp_put_bin (out, streams[i].key.tag, TAG_SIZE);
        mp_put_bin (out, streams[i].key.key, FEED_KEY_SIZE);
        mp_put_int (out, streams[i].last);
        mp_put_int (out, streams[i].readable_from);
    }
}

enum err wire_streams_read (struct slice frame, int64_t *generation,
                            struct wire_stream **streams, size_t *count,
                            struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 2, 2);
    *generation = mp_int (&in, 1, NUMBER_MAX);
    size_t n = mp_array (&in, 0, STREAMS_MAX);
    struct wire_stream *list = mem_alloc ((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        mp_array (&in, 5, 5);
        list[i].name = mp_str (&in, 1, STREAM_NAME_MAX);
        mp_bin_exact (&in, list[i].key.tag, TAG_SIZE);
        mp_bin_exact (&in, list[i].key.key, FEED_KEY_SIZE);
        list[i].last = mp_int (&in, 0, NUMBER_MAX);
        list[i].readable_from = mp_int (&in, 1, NUMBER_MAX);
        for (size_t j = 0; j < i && !in.failed; j++)
            if (slice_equal (list[i].name, list[j].name))
                mp_fail (&in, ERR_MALFORMED, "a stream is listed twice");
    }
    enum err rc = mp_finish (&in, e);
    if (rc) {
        free (list);
        return rc;
    }
    *streams = list;
    *count = n;
    return ERR_NONE;
}

/* 8.5 */

static void optional_put (struct buf *out, int64_t v) {
    if (v < 0)
        mp_put_nil (out);
    else
        mp_put_int (out, v);
}

void wire_fetch_write (struct buf *out, const struct wire_fetch *fetch) {
    mp_put_array (out, 4);
    mp_put_str_slice (out, fetch->stream);
    mp_put_int (out, fetch->first);
    optional_put (out, fetch->last);
    mp_put_int (out, fetch->octets);
}

enum err wire_fetch_read (struct slice frame, struct wire_fetch *out,
                          struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 4, 4);
    out->stream = mp_str (&in, 1, STREAM_NAME_MAX);
    out->first = mp_int (&in, 1, NUMBER_MAX);
    out->last = -1;
    if (!mp_try_nil (&in))
        out->last = mp_int (&in, out->first, NUMBER_MAX);
    out->octets = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_items_write (struct buf *out, struct slice stream, int64_t last,
                       const struct wire_item *items, size_t count) {
    mp_put_array (out, 3);
    mp_put_str_slice (out, stream);
    mp_put_int (out, last);
    mp_put_array (out, count);
    for (size_t i = 0; i < count; i++) {
        mp_put_array (out, 3);
        mp_put_int (out, items[i].readable ? 0 : 1);
        mp_put_int (out, items[i].first);
        mp_put_int (out, items[i].last);
    }
}

enum err wire_items_read (struct slice frame, struct slice *stream,
                          int64_t *last, struct wire_item **items,
                          size_t *count, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 3, 3);
    *stream = mp_str (&in, 1, STREAM_NAME_MAX);
    *last = mp_int (&in, 0, NUMBER_MAX);
    size_t n = mp_array (&in, 0, FETCH_ITEMS_MAX);
    struct wire_item *list = mem_alloc ((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        mp_array (&in, 3, 3);
        list[i].readable = mp_int (&in, 0, 1) == 0;
        /* Consecutive: each begins where the one before it ended. */
        int64_t low = i > 0 ? list[i - 1].last + 1 : 1;
        int64_t high = i > 0 ? low : NUMBER_MAX;
        list[i].first = mp_int (&in, low, high);
        list[i].last = mp_int (&in, list[i].first, NUMBER_MAX);
        if (!in.failed && list[i].last > *last)
            mp_fail (&in, ERR_MALFORMED,
                     "an item goes to %lld, the stream to %lld",
                     (long long) list[i].last, (long long) *last);
    }
    enum err rc = mp_finish (&in, e);
    if (rc) {
        free (list);
        return rc;
    }
    *items = list;
    *count = n;
    return ERR_NONE;
}

/* 8.6 */

void wire_roster_write (struct buf *out, int64_t version) {
    mp_put_array (out, 1);
    optional_put (out, version > 0 ? version : -1);
}

enum err wire_roster_read (struct slice frame, int64_t *version,
                           struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 1, 1);
    *version = 0;
    if (!mp_try_nil (&in))
        *version = mp_int (&in, 1, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_roster_found_write (struct buf *out, int64_t version,
                              int64_t sequence) {
    mp_put_array (out, 2);
    mp_put_int (out, version);
    mp_put_int (out, sequence);
}

enum err wire_roster_found_read (struct slice frame, int64_t *version,
                                 int64_t *sequence, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 2, 2);
    *version = mp_int (&in, 1, NUMBER_MAX);
    *sequence = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_range_write (struct buf *out, int64_t from, int64_t count) {
    mp_put_array (out, 2);
    mp_put_int (out, from);
    mp_put_int (out, count);
}

enum err wire_range_read (struct slice frame, int64_t most, int64_t *from,
                          int64_t *count, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 2, 2);
    *from = mp_int (&in, 0, NUMBER_MAX);
    *count = mp_int (&in, 1, most);
    return mp_finish (&in, e);
}

void wire_refusals_begin (struct buf *out, size_t count) {
    mp_put_array (out, count);
}

void wire_refusal_put (struct buf *out, const struct wire_refusal *refusal) {
    mp_put_array (out, 7);
    mp_put_int (out, refusal->number);
    mp_put_int (out, refusal->log_time);
    mp_put_str_slice (out, refusal->author);
    mp_put_bin (out, refusal->id.octets, HASH_SIZE);
    refusal_put (out, &refusal->refusal);
    buf_add_slice (out, refusal->proof);
}

enum err wire_refusals_read (struct slice frame,
                             void (*each) (void *arg,
                                           const struct wire_refusal *),
                             void *arg, struct error *e) {
    /* Twice: a caller is told of all or of none. */
    for (int pass = 0; pass < 2; pass++) {
        struct mp in;
        mp_start (&in, frame);
        size_t n = mp_array (&in, 0, REFUSALS_MAX);
        for (size_t i = 0; i < n && !in.failed; i++) {
            struct wire_refusal one;
            mp_array (&in, 7, 7);
            one.number = mp_int (&in, 1, NUMBER_MAX);
            one.log_time = mp_int (&in, 0, CLOCK_MS_MAX);
            one.author = mp_str (&in, 0, DELEGATION_MAX);
            mp_bin_exact (&in, one.id.octets, HASH_SIZE);
            refusal_take (&in, &one.refusal);
            one.proof = mp_any (&in);
            if (!in.failed && one.proof.size > PROOF_MAX)
                mp_fail (&in, ERR_LIMIT, "a proof of %zu octets, over %d",
                         one.proof.size, PROOF_MAX);
            if (pass == 1)
                each (arg, &one);
        }
        enum err rc = mp_finish (&in, e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

void wire_leaves_from_write (struct buf *out, int64_t from) {
    mp_put_array (out, 1);
    mp_put_int (out, from);
}

enum err wire_leaves_from_read (struct slice frame, int64_t *from,
                                struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 1, 1);
    *from = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}
