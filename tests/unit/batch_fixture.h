/* Batches of an author, good ones and such as a test turns. */
#ifndef PARLEY_BATCH_FIXTURE_H
#define PARLEY_BATCH_FIXTURE_H

#include "format/batch.h"
#include "format/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "format_vectors.h"

#define CHANNEL "members"

static struct identity *author, *other;
static struct hash dialogue = { { 7 } };
static struct batch *batch; /* too large for a stack */

/* The three frames, and what they were made of. */
struct frames {
    struct buf head, headers, bodies;
};
/* One message for a test to turn: NULL and 0 leave what is good. */
struct spec {
    const char *author, *topic;
    const struct hash *dialogue;
    uint8_t key; /* xor of the key id's first octet */
};

static int begin (void **state) {
    (void) state;
    static const uint8_t seeds[2][KEY_SIZE] = { { 1 }, { 2 } };
    struct error e;
    if (sodium_init() < 0)
        return -1;
    author = identity_from_seed (IDENTITY_DELEGATION, "UNODC/hq", seeds[0], &e);
    other =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/hq", seeds[1], &e);
    batch = malloc (sizeof *batch);
    if (!author || !other || !batch)
        return -1;
    memset (batch, 0xa5, sizeof *batch); /* nothing may rest on zeros */
    batch->size = 0;
    return 0;
}

static int end (void **state) {
    (void) state;
    identity_destroy (&author);
    identity_destroy (&other);
    free (batch);
    return 0;
}

static void frames_free (struct frames *f) {
    buf_free (&f->head);
    buf_free (&f->headers);
    buf_free (&f->bodies);
}

static void make_part (const struct spec *spec, size_t number, size_t content,
                       struct buf *header, struct buf *body) {
    struct message_draft draft = {
        .dialogue = spec->dialogue ? spec->dialogue : &dialogue,
        .author = spec->author ? spec->author : "UNODC/hq",
        .key_id = identity_key_id (author, LABEL_BATCH),
        .roster_version = 1,
        .lane = 5,
        .number = (int64_t) number + 1,
        .topic = slice_text (spec->topic ? spec->topic : CHANNEL "/x"),
        .body_format = BODY_OCTETS,
    };
    draft.key_id.octets[0] ^= spec->key;
    struct error e;
    uint8_t *octets = mem_alloc (content);
    assert_int_equal (
        message_write_body (BODY_OCTETS, slice_of (octets, content), body, &e),
        0);
    assert_int_equal (
        message_write_header (&draft, buf_slice (body), header, &e), 0);
    free (octets);
}

static void put_lengths (struct buf *out, size_t header, size_t body) {
    buf_add_u32 (out, (uint32_t) header);
    buf_add_u32 (out, (uint32_t) body);
}

static void add_part (struct frames *f, struct slice header,
                      struct slice body) {
    put_lengths (&f->headers, header.size, body.size);
    buf_add_slice (&f->headers, header);
    buf_add_slice (&f->bodies, body);
}

static void add_spec (struct frames *f, const struct spec *spec, size_t i) {
    struct buf header = { 0 }, body = { 0 };
    make_part (spec, i, 1, &header, &body);
    add_part (f, buf_slice (&header), buf_slice (&body));
    buf_free (&header);
    buf_free (&body);
}

static void put_head (struct buf *out, int64_t size) {
    struct key_id id = identity_key_id (author, LABEL_BATCH);
    uint8_t signature[SIGNATURE_SIZE] = { 0 };
    mp_put_array (out, 6);
    mp_put_str (out, "UNODC/hq");
    mp_put_str (out, CHANNEL);
    mp_put_int (out, size);
    mp_put_bin (out, id.octets, KEY_ID_SIZE);
    mp_put_bin (out, signature, SIGNATURE_SIZE);
    mp_put_nil (out);
}

/* `count` good messages, one of them as `spec` says. Not signed. */
static struct frames unsigned_frames (size_t count, size_t at,
                                      const struct spec *spec) {
    static const struct spec good;
    struct frames f = { 0 };
    put_head (&f.head, (int64_t) count);
    for (size_t i = 0; i < count; i++)
        add_spec (&f, i == at && spec ? spec : &good, i);
    return f;
}

static enum err write_frames (size_t count, size_t content, struct frames *f,
                              struct error *e) {
    static const struct spec good;
    struct buf *bufs = mem_alloc ((count + 1) * 2 * sizeof *bufs);
    struct batch_part *parts = mem_alloc ((count + 1) * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        make_part (&good, i, content, &bufs[2 * i], &bufs[2 * i + 1]);
        parts[i].header = buf_slice (&bufs[2 * i]);
        parts[i].body = buf_slice (&bufs[2 * i + 1]);
    }
    enum err rc = batch_write (author, &dialogue, slice_text (CHANNEL), parts,
                               count, &f->head, &f->headers, &f->bodies, e);
    for (size_t i = 0; i < 2 * count; i++)
        buf_free (&bufs[i]);
    free (bufs);
    free (parts);
    return rc;
}

static struct frames signed_frames (size_t count) {
    struct frames f = { 0 };
    struct error e;
    assert_int_equal (write_frames (count, 1, &f, &e), 0);
    return f;
}

static enum err read_frames (const struct frames *f, struct refusal *why) {
    return batch_read (buf_slice (&f->head), buf_slice (&f->headers),
                       buf_slice (&f->bodies), &dialogue, batch, why);
}

#endif
