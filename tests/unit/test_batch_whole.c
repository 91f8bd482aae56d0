/* Batches that are whole: who signed, contributions, vectors. */
#include "batch_fixture.h"

/* Good ones */

static void batches_of_each_size (void **state) {
    (void) state;
    static const size_t sizes[] = { 1, 2, 3, 255, 256 };
    const uint8_t *key = identity_public (author, KEY_SIGN);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct frames f = signed_frames (sizes[s]);
        struct refusal why;
        struct hash ids[BATCH_MAX];
        assert_int_equal (read_frames (&f, &why), 0);
        assert_int_equal (batch->size, sizes[s]);
        assert_true (slice_is (batch->author, "UNODC/hq"));
        assert_true (slice_is (batch->channel, CHANNEL));
        assert_ptr_equal (batch->head_octets.data, f.head.data);
        for (size_t i = 0; i < sizes[s]; i++) {
            const struct batch_item *item = &batch->items[i];
            assert_null (item->refusal);
            assert_int_equal (item->message.number, i + 1);
            assert_int_equal (item->body.size, BODY_MIN);
            assert_true (item->body.data >= f.bodies.data); /* no copy */
            ids[i] = item->message.id;
        }
        struct hash root = tree_root_of (ids, sizes[s]);
        assert_true (hash_equal (&root, &batch->root));
        assert_true (batch_signed (batch, &dialogue, key));
        assert_false (batch->via.present);
        batch_clear (batch);
        frames_free (&f);
    }
}

static void batches_that_are_not_written (void **state) {
    (void) state;
    static const struct {
        size_t count, content;
    } rows[] = { { 0, 1 }, { 257, 1 }, { 5, 220000 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames f = { 0 };
        struct error e;
        assert_int_equal (write_frames (rows[i].count, rows[i].content, &f, &e),
                          ERR_LIMIT);
        assert_int_equal (f.head.size + f.headers.size + f.bodies.size, 0);
    }
}

static void others_did_not_sign (void **state) {
    (void) state;
    struct frames f = signed_frames (2);
    struct refusal why;
    const struct hash strange = { { 9 } };
    assert_int_equal (read_frames (&f, &why), 0);
    const uint8_t *key = identity_public (author, KEY_SIGN);
    assert_true (batch_signed (batch, &dialogue, key));
    assert_false (batch_signed (batch, &strange, key));
    assert_false (
        batch_signed (batch, &dialogue, identity_public (other, KEY_SIGN)));
    assert_false (
        batch_signed (batch, &dialogue, identity_public (author, KEY_NOTE)));
    assert_false (batch_via_signed (batch, &dialogue, key));
    batch->size = 1; /* each part is signed */
    assert_false (batch_signed (batch, &dialogue, key));
    batch->size = 2;
    batch->channel = slice_text ("analysts");
    assert_false (batch_signed (batch, &dialogue, key));
    batch_clear (batch);
    frames_free (&f);
}

static void handed_in_by_another (void **state) {
    (void) state;
    struct frames f = signed_frames (2);
    struct buf head = { 0 };
    struct refusal why;
    assert_int_equal (read_frames (&f, &why), 0);
    batch_write_via (batch, other, &dialogue, &head);
    batch_clear (batch);
    assert_true (head.size <= BATCH_HEAD_MAX);
    assert_int_equal (batch_read (buf_slice (&head), buf_slice (&f.headers),
                                  buf_slice (&f.bodies), &dialogue, batch,
                                  &why),
                      0);
    const uint8_t *hers = identity_public (author, KEY_SIGN);
    const uint8_t *his = identity_public (other, KEY_SIGN);
    assert_true (batch->via.present);
    assert_true (slice_is (batch->via.submitter, "EUROPOL/hq"));
    assert_true (
        key_id_equal (batch->via.key_id, identity_key_id (other, LABEL_VIA)));
    assert_true (batch_signed (batch, &dialogue, hers));
    assert_true (batch_via_signed (batch, &dialogue, his));
    assert_false (batch_via_signed (batch, &dialogue, hers));
    batch->via.submitter = slice_text ("EUROPOL/hr");
    assert_false (batch_via_signed (batch, &dialogue, his));
    batch_clear (batch);
    buf_free (&head);
    frames_free (&f);
}

static void the_longest_head_fits (void **state) {
    (void) state;
    char name[DELEGATION_MAX + 1] = "ABCDEFGHIJKLMNOP/a23456789012345678901234"
                                    "56789012";
    char channel[CHANNEL_MAX + 1] = "@";
    for (int i = 0; i < 7; i++)
        snprintf (channel + strlen (channel), sizeof channel - strlen (channel),
                  "%s%cBCDEFGHIJKLMNOP", i ? "+" : "", 'A' + i);
    uint8_t signature[SIGNATURE_SIZE] = { 0 };
    struct via via = { true, slice_text (name), { { 0 } }, signature };
    struct buf out = { 0 };
    mp_put_array (&out, 6);
    mp_put_str (&out, name);
    mp_put_str (&out, channel);
    mp_put_int (&out, 256);
    mp_put_bin (&out, via.key_id.octets, KEY_ID_SIZE);
    mp_put_bin (&out, signature, SIGNATURE_SIZE);
    via_put (&out, &via);
    assert_true (out.size < BATCH_HEAD_MAX);
    buf_free (&out);
}

/* Contributions */

static enum err read_contribution (struct slice octets, struct error *e) {
    struct slice head, headers, bodies;
    return contribution_read (octets, &head, &headers, &bodies, e);
}

static void contributions_there_and_back (void **state) {
    (void) state;
    struct frames f = signed_frames (3);
    struct buf out = { 0 };
    struct slice head, headers, bodies;
    struct error e;
    contribution_write (buf_slice (&f.head), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (
        contribution_read (buf_slice (&out), &head, &headers, &bodies, &e), 0);
    assert_true (slice_equal (head, buf_slice (&f.head)));
    assert_true (slice_equal (headers, buf_slice (&f.headers)));
    assert_true (slice_equal (bodies, buf_slice (&f.bodies)));
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *exact = mem_alloc (size);
        memcpy (exact, out.data, size);
        assert_int_equal (read_contribution (slice_of (exact, size), &e),
                          ERR_MALFORMED);
        free (exact);
    }
    out.data[1] = 2;
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_NEWER);
    out.data[1] = 0;
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    out.data[1] = 1;
    out.data[0] = 0x95;
    buf_add_u8 (&out, 0xc0);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    out.data[0] = 0x94;
    assert_int_equal (read_contribution (buf_slice (&out), NULL),
                      ERR_MALFORMED);
    buf_free (&out);
    frames_free (&f);
}

static void contributions_that_nobody_may_write (void **state) {
    (void) state;
    struct frames f = signed_frames (1);
    struct buf head = { 0 }, out = { 0 };
    struct refusal why;
    struct error e;
    assert_int_equal (read_frames (&f, &why), 0);
    batch_write_via (batch, other, &dialogue, &head);
    batch_clear (batch);
    contribution_write (buf_slice (&head), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "via"));
    buf_clear (&out);
    contribution_write (slice_text ("x"), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "batch head"));
    uint8_t *zeros = mem_alloc (CONTRIBUTION_MAX + 1);
    assert_int_equal (
        read_contribution (slice_of (zeros, CONTRIBUTION_MAX + 1), &e),
        ERR_LIMIT);
    free (zeros);
    buf_free (&head);
    buf_free (&out);
    frames_free (&f);
}

/* Vectors */

static const char *text_of (const json_t *object, const char *name) {
    return json_string_value (json_object_get (object, name));
}

static void key_of (const json_t *in, const char *name, uint8_t *out) {
    assert_int_equal (hex_decode (out, KEY_SIZE, text_of (in, name)), 0);
}

static void check_signatures (const json_t *in, const struct hash *where) {
    uint8_t key[KEY_SIZE];
    key_of (in, "key", key);
    assert_true (batch_signed (batch, where, key));
    assert_int_equal (batch->via.present,
                      json_object_get (in, "submitter") != NULL);
    if (!batch->via.present)
        return;
    key_of (in, "submitter_key", key);
    assert_true (slice_is (batch->via.submitter, text_of (in, "submitter")));
    assert_true (batch_via_signed (batch, where, key));
}

static void check_contribution (const json_t *out, struct slice head,
                                struct slice headers, struct slice bodies) {
    const json_t *hex = json_object_get (out, "contribution");
    if (!hex)
        return;
    struct buf written = { 0 };
    contribution_write (head, headers, bodies, &written);
    assert_octets (buf_slice (&written), hex);
    assert_int_equal (read_contribution (buf_slice (&written), NULL), 0);
    buf_free (&written);
}

static void check_batch (const json_t *in, const json_t *out) {
    struct slice head = vector_octets (out, "head");
    struct slice headers = vector_octets (out, "headers");
    struct slice bodies = vector_octets (out, "bodies");
    struct hash where;
    struct refusal why;
    assert_int_equal (hash_parse (text_of (in, "dialogue"), &where), 0);
    assert_int_equal (batch_read (head, headers, bodies, &where, batch, &why),
                      0);
    assert_true (slice_is (batch->author, text_of (in, "author")));
    assert_true (slice_is (batch->channel, text_of (in, "channel")));
    const json_t *ids = json_object_get (out, "ids");
    assert_int_equal (batch->size, json_array_size (ids));
    for (size_t i = 0; i < batch->size; i++) {
        assert_null (batch->items[i].refusal);
        assert_octets (slice_of (batch->items[i].message.id.octets, HASH_SIZE),
                       json_array_get (ids, i));
    }
    assert_octets (slice_of (batch->root.octets, HASH_SIZE),
                   json_object_get (out, "root"));
    check_signatures (in, &where);
    check_contribution (out, head, headers, bodies);
    batch_clear (batch);
    vector_drop (head);
    vector_drop (headers);
    vector_drop (bodies);
}

/* The head alone, or frames under a head of ours: refused as a whole. */
static void check_refused (const json_t *vector, struct slice head,
                           struct slice headers, struct slice bodies) {
    struct refusal why;
    if (batch_read (head, headers, bodies, &dialogue, batch, &why) == 0
        || batch->size > 0 || strcmp (why.name, text_of (vector, "rule")) != 0)
        fail_msg ("%s", text_of (vector, "name"));
    batch_clear (batch);
}

static void check_frames (const json_t *vector) {
    const json_t *in = json_object_get (vector, "in");
    struct buf head = { 0 };
    put_head (&head, json_integer_value (json_object_get (in, "size")));
    struct slice headers = vector_octets (in, "headers");
    struct slice bodies = vector_octets (in, "bodies");
    check_refused (vector, buf_slice (&head), headers, bodies);
    vector_drop (headers);
    vector_drop (bodies);
    buf_free (&head);
}

static void check_head (const json_t *vector) {
    struct frames f = unsigned_frames (1, 0, NULL);
    struct slice head = vector_octets (vector, "hex");
    check_refused (vector, head, buf_slice (&f.headers), buf_slice (&f.bodies));
    vector_drop (head);
    frames_free (&f);
}

static void vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("messages");
    if (!all)
        skip();
    for (size_t i = 0; i < json_array_size (all); i++) {
        const json_t *v = json_array_get (all, i);
        if (vector_is (v, "batch"))
            check_batch (json_object_get (v, "in"), json_object_get (v, "out"));
        else if (vector_is (v, "head"))
            check_head (v);
        else if (vector_is (v, "frames"))
            check_frames (v);
    }
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (batches_of_each_size),
        cmocka_unit_test (batches_that_are_not_written),
        cmocka_unit_test (others_did_not_sign),
        cmocka_unit_test (handed_in_by_another),
        cmocka_unit_test (the_longest_head_fits),
        cmocka_unit_test (contributions_there_and_back),
        cmocka_unit_test (contributions_that_nobody_may_write),
        cmocka_unit_test (vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
