/* wire_marks - checkpoints and what marks say, as the desk's requests and
 * replies (PROTOCOL.md sections 8.11 and 8.12). Pure. */
#include "wire/wire.h"

#include "base/topic.h"

#define MARK_STREAMS_MAX (ROSTER_CHANNELS_MAX + ROSTER_ENTITIES_MAX)
#define STREAM_NAME_MAX 128

/* 8.11 */

static void optional_put (struct buf *out, bool there, int64_t v) {
    if (there)
        mp_put_int (out, v);
    else
        mp_put_nil (out);
}

void wire_settled_write (struct buf *out, int64_t size) {
    mp_put_array (out, 1);
    optional_put (out, size >= 0, size);
}

enum err wire_settled_read (struct slice frame, int64_t *size,
                            struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 1, 1);
    *size = -1;
    if (!mp_try_nil (&in))
        *size = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_checkpoint_write (struct buf *out, enum wire_which which,
                            int64_t version) {
    mp_put_array (out, 2);
    mp_put_int (out, which);
    optional_put (out, version > 0, version);
}

enum err wire_checkpoint_read (struct slice frame, enum wire_which *which,
                               int64_t *version, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 2, 2);
    *which = (enum wire_which) mp_int (&in, WIRE_NEWEST, WIRE_HANDOVER);
    *version = 0;
    if (!mp_try_nil (&in))
        *version = mp_int (&in, 1, NUMBER_MAX);
    if (!in.failed && (*which == WIRE_HANDOVER) != (*version > 0))
        mp_fail (&in, ERR_MALFORMED,
                 "a checkpoint of kind %d %s a roster's version", *which,
                 *version > 0 ? "with" : "without");
    return mp_finish (&in, e);
}

/* 8.12 */

void wire_paths_write (struct buf *out, int64_t mark) {
    mp_put_array (out, 1);
    mp_put_int (out, mark);
}

enum err wire_paths_read (struct slice frame, int64_t *mark, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 1, 1);
    *mark = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_claims_begin (struct buf *out, int64_t mark, size_t count) {
    mp_put_array (out, 2);
    mp_put_int (out, mark);
    mp_put_array (out, count);
}

/* By index, so that no stream is there twice. */
static void check_order (struct mp *in, int64_t index, int64_t *before) {
    if (!in->failed && index <= *before)
        mp_fail (in, ERR_MALFORMED,
                 "a claim of stream %lld behind one of stream %lld",
                 (long long) index, (long long) *before);
    *before = index;
}

enum err wire_claims_read (struct slice frame, int64_t *mark,
                           void (*each) (void *arg, const struct mark_claim *),
                           void *arg, struct error *e) {
    /* Twice: a caller is told of all or of none. */
    for (int pass = 0; pass < 2; pass++) {
        struct mp in;
        mp_start (&in, frame);
        mp_array (&in, 2, 2);
        *mark = mp_int (&in, 0, NUMBER_MAX);
        size_t n = mp_array (&in, 0, MARK_STREAMS_MAX);
        int64_t before = -1;
        for (size_t i = 0; i < n && !in.failed; i++) {
            struct mark_claim claim;
            mark_claim_take (&in, &claim);
            check_order (&in, claim.index, &before);
            if (pass == 1)
                each (arg, &claim);
        }
        enum err rc = mp_finish (&in, e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

void wire_handed_write (struct buf *out, int64_t mark, int64_t sequence) {
    mp_put_array (out, 2);
    mp_put_int (out, mark);
    mp_put_int (out, sequence);
}

enum err wire_handed_read (struct slice frame, int64_t *mark, int64_t *sequence,
                           struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 2, 2);
    *mark = mp_int (&in, 0, NUMBER_MAX);
    *sequence = mp_int (&in, 0, NUMBER_MAX);
    return mp_finish (&in, e);
}

void wire_handed_begin (struct buf *out, int64_t mark, size_t count) {
    wire_claims_begin (out, mark, count);
}

void wire_handed_put (struct buf *out, const struct wire_handed *one) {
    mp_put_array (out, 3);
    mark_claim_write (out, &one->claim);
    mp_put_int (out, one->number);
    mp_put_array (out, one->path_length);
    for (size_t i = 0; i < one->path_length; i++)
        mp_put_bin (out, one->path[i].octets, HASH_SIZE);
}

static void handed_take (struct mp *in, struct wire_handed *out) {
    mp_array (in, 3, 3);
    mark_claim_take (in, &out->claim);
    out->number = mp_int (in, 1, NUMBER_MAX);
    out->path_length = mp_array (in, 0, TREE_PATH_MAX);
    if (!in->failed && out->number > out->claim.stream.count)
        mp_fail (in, ERR_MALFORMED, "number %lld of a stream of %lld",
                 (long long) out->number, (long long) out->claim.stream.count);
    for (size_t i = 0; i < out->path_length; i++)
        mp_bin_exact (in, out->path[i].octets, HASH_SIZE);
}

enum err wire_handed_each (struct slice frame, int64_t *mark,
                           void (*each) (void *arg, const struct wire_handed *),
                           void *arg, struct error *e) {
    for (int pass = 0; pass < 2; pass++) {
        struct mp in;
        mp_start (&in, frame);
        mp_array (&in, 2, 2);
        *mark = mp_int (&in, 0, NUMBER_MAX);
        size_t n = mp_array (&in, 0, ADHOC_ENTITIES_MAX);
        for (size_t i = 0; i < n && !in.failed; i++) {
            struct wire_handed one;
            handed_take (&in, &one);
            if (pass == 1)
                each (arg, &one);
        }
        enum err rc = mp_finish (&in, e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

void wire_cover_write (struct buf *out, struct slice stream, int64_t from,
                       int64_t to) {
    mp_put_array (out, 3);
    mp_put_str_slice (out, stream);
    mp_put_int (out, from);
    mp_put_int (out, to);
}

enum err wire_cover_read (struct slice frame, struct slice *stream,
                          int64_t *from, int64_t *to, struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 3, 3);
    *stream = mp_str (&in, 1, STREAM_NAME_MAX);
    *from = mp_int (&in, 0, NUMBER_MAX - 1);
    *to = mp_int (&in, *from + 1, NUMBER_MAX);
    return mp_finish (&in, e);
}
