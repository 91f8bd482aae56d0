/* promise: replies, proofs of places and of refusals. */
#include "block_fixture.h"
#include "vectors.h"

#include "format/promise.h"

#define TIME INT64_C (1767225600000)

static struct cast cast;
static struct hash ids[BATCH_MAX];

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    for (size_t i = 0; i < BATCH_MAX; i++)
        ids[i] = hash_sha256 (slice_of (&i, sizeof i));
    return 0;
}

static int end (void **state) {
    (void) state;
    cast_end (&cast);
    return 0;
}

/* What a broker says to `count` messages: every third is refused. */
struct said {
    struct promise promise;
    struct promise_accepted accepted[BATCH_MAX];
    struct promise_refused refused[BATCH_MAX];
    size_t accepted_count, refused_count;
};

static void sign (struct said *s) {
    s->promise.epoch = 1;
    s->promise.log_time = TIME;
    promise_sign (&s->promise, cast.broker, &cast.dialogue, s->accepted,
                  s->accepted_count, s->refused, s->refused_count);
}

static struct said *say (size_t count) {
    struct said *s = mem_alloc (sizeof *s);
    for (size_t i = 0; i < count; i++) {
        if (i % 3 == 2) {
            struct promise_refused *r = &s->refused[s->refused_count++];
            r->index = (int) i;
            r->id = ids[i];
            refusal_set (&r->refusal, RULE_TOPIC);
            refusal_text (&r->refusal, "why", "because");
            continue;
        }
        struct promise_accepted *a = &s->accepted[s->accepted_count++];
        *a = (struct promise_accepted){ (int) i, ids[i], 100 + (int64_t) i,
                                        hash_leaf (slice_of (&ids[i], 32)) };
    }
    sign (s);
    return s;
}

static struct said *refuse_all (void) {
    struct said *s = mem_alloc (sizeof *s);
    s->refused_count = 1;
    s->refused[0].index = -1;
    s->refused[0].id = ids[255];
    refusal_set (&s->refused[0].refusal, RULE_MALFORMED);
    sign (s);
    return s;
}

static void reply_of (const struct said *s, struct buf *out) {
    promise_reply_write (out, &s->promise, s->accepted, s->accepted_count,
                         s->refused, s->refused_count);
}

/* What is read, freed by the caller. */
struct heard {
    struct promise promise;
    struct promise_accepted *accepted;
    struct promise_refused *refused;
    size_t accepted_count, refused_count;
};

static enum err hear (struct slice frame, size_t count, struct heard *h,
                      struct error *e) {
    enum err rc = promise_reply_read (frame, ids, count, &h->promise,
                                      &h->accepted, &h->accepted_count,
                                      &h->refused, &h->refused_count, e);
    if (rc) {
        assert_null (h->accepted);
        assert_null (h->refused);
    }
    return rc;
}

static void heard_free (struct heard *h) {
    free (h->accepted);
    free (h->refused);
}

static bool signed_well (const struct promise *p) {
    return promise_signed (p, &cast.dialogue,
                           identity_public (cast.broker, KEY_DESK));
}

static void same (const struct said *s, const struct heard *h) {
    assert_int_equal (h->accepted_count, s->accepted_count);
    assert_int_equal (h->refused_count, s->refused_count);
    assert_memory_equal (&h->promise, &s->promise, sizeof h->promise);
    for (size_t i = 0; i < h->accepted_count; i++) {
        assert_int_equal (h->accepted[i].index, s->accepted[i].index);
        assert_int_equal (h->accepted[i].sequence, s->accepted[i].sequence);
        assert_true (hash_equal (&h->accepted[i].id, &s->accepted[i].id));
        assert_true (hash_equal (&h->accepted[i].leaf, &s->accepted[i].leaf));
    }
    for (size_t i = 0; i < h->refused_count; i++) {
        assert_int_equal (h->refused[i].index, s->refused[i].index);
        assert_true (hash_equal (&h->refused[i].id, &s->refused[i].id));
        assert_int_equal (h->refused[i].refusal.rule,
                          s->refused[i].refusal.rule);
        assert_true (slice_equal (refusal_values (&h->refused[i].refusal),
                                  refusal_values (&s->refused[i].refusal)));
    }
}

static void test_reads_what_it_wrote (void **state) {
    (void) state;
    static const size_t counts[] = { 1, 2, 3, 4, 7, 255, 256, 0 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct said *s = counts[i] ? say (counts[i]) : refuse_all();
        struct heard h;
        struct error e = { 0 };
        struct buf frame = { 0 };
        memset (&h, 0, sizeof h);
        reply_of (s, &frame);
        if (hear (buf_slice (&frame), counts[i] ? counts[i] : 9, &h, &e))
            fail_msg ("%zu: %s", counts[i], e.text);
        same (s, &h);
        assert_true (signed_well (&h.promise));
        heard_free (&h);
        buf_free (&frame);
        free (s);
    }
}

/* Each octet of a reply is read strictly or signed. */
static void test_any_octet (void **state) {
    (void) state;
    struct said *s = say (4);
    struct buf frame = { 0 };
    struct heard h;
    reply_of (s, &frame);
    for (size_t i = 0; i < frame.size; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            frame.data[i] ^= (uint8_t) bit;
            if (hear (buf_slice (&frame), 4, &h, NULL) == ERR_NONE) {
                if (signed_well (&h.promise))
                    fail_msg ("octet %zu", i);
                heard_free (&h);
            }
            frame.data[i] ^= (uint8_t) bit;
        }
        assert_int_equal (hear (slice_of (frame.data, i), 4, &h, NULL),
                          ERR_MALFORMED);
    }
    buf_add_u8 (&frame, 0xc0);
    assert_int_equal (hear (buf_slice (&frame), 4, &h, NULL), ERR_MALFORMED);
    buf_free (&frame);
    free (s);
}

/* Of four, 0, 1 and 3 are accepted, 2 is refused. */
static void swap (struct said *s) {
    s->accepted[0].index = 1;
    s->accepted[1].index = 0;
}
static void twice (struct said *s) {
    s->accepted[1].index = 0;
}
static void beyond (struct said *s) {
    s->accepted[2].index = 4;
}
static void both (struct said *s) {
    s->refused[0].index = 3;
    s->refused[0].id = ids[3];
}
static void other_id (struct said *s) {
    s->refused[0].id = ids[3];
}
static void one_less (struct said *s) {
    s->accepted_count--;
}
static void none (struct said *s) {
    s->accepted_count = s->refused_count = 0;
}
static void all_and_some (struct said *s) {
    s->refused[0].index = -1;
}
static void all_and_one (struct said *s) {
    s->accepted_count = 0;
    s->refused_count = 2;
    s->refused[0].index = 2;
    s->refused[1] = s->refused[0];
    s->refused[1].index = -1;
}
static void epoch (struct said *s) {
    s->promise.epoch = 0;
}
static void time_below (struct said *s) {
    s->promise.log_time = -1;
}
static void time_above (struct said *s) {
    s->promise.log_time = NUMBER_MAX + 1;
}
static void sequence (struct said *s) {
    s->accepted[1].sequence = -1;
}

static void test_replies_refused (void **state) {
    (void) state;
    static void (*const changes[]) (struct said *) = {
        swap,       twice,      beyond,       both,        other_id,
        one_less,   none,       all_and_some, all_and_one, epoch,
        time_below, time_above, sequence,
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct said *s = say (4);
        struct buf frame = { 0 };
        struct heard h;
        struct error e = { 0 };
        changes[i](s);
        reply_of (s, &frame);
        enum err rc = hear (buf_slice (&frame), 4, &h, &e);
        if (rc != ERR_MALFORMED || e.code != rc)
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        buf_free (&frame);
        free (s);
    }
}

/* An array of 257, and of 2^32-1 that are not there. */
static void test_reply_limits (void **state) {
    (void) state;
    static const char head[] = "9601cf0000016b73e64a58c4080102030405060708";
    for (int i = 0; i < 2; i++) {
        struct buf frame = { 0 };
        struct heard h;
        size_t size = strlen (head) / 2;
        assert_int_equal (hex_decode (buf_extend (&frame, size), size, head),
                          0);
        buf_add_u8 (&frame, i == 0 ? 0xdc : 0xdd);
        if (i == 0)
            buf_add_u16 (&frame, 257);
        else
            buf_add_u32 (&frame, UINT32_MAX);
        buf_add_zeros (&frame, 400);
        assert_int_equal (hear (buf_slice (&frame), 4, &h, NULL), ERR_LIMIT);
        buf_free (&frame);
    }
}

static void test_signature (void **state) {
    (void) state;
    struct said *s = say (4);
    const uint8_t *key = identity_public (cast.broker, KEY_DESK);
    struct hash other = hash_sha256 (slice_text ("another dialogue"));
    assert_true (promise_signed (&s->promise, &cast.dialogue, key));
    assert_false (promise_signed (&s->promise, &other, key));
    assert_false (promise_signed (&s->promise, &cast.dialogue,
                                  identity_public (cast.broker, KEY_LOG)));
    s->promise.accepted_count--;
    assert_false (promise_signed (&s->promise, &cast.dialogue, key));
    free (s);
}

static void test_desk_key (void **state) {
    (void) state;
    json_t *d = cast_document (&cast);
    json_t *keys = json_object_get (
        json_array_get (json_object_get (d, "brokers"), 0), "desk_key");
    char *own = json_dumps (json_array_get (keys, 0), 0);
    fixture_set (d, "brokers[0].desk_key[0]", "{'key':'$newer'}");
    fixture_set (d, "brokers[0].desk_key[1]", own);
    fixture_set (d, "brokers[0].desk_key[1].until", "'2026-01-01'");
    struct roster *roster = cast_roster (d);
    struct key_id id = identity_key_id (cast.broker, LABEL_PROMISE);
    const uint8_t *key = promise_desk_key (cast.roster, id, TIME);
    assert_memory_equal (key, identity_public (cast.broker, KEY_DESK), 32);
    assert_null (promise_desk_key (roster, id, TIME));
    assert_non_null (promise_desk_key (roster, id, TIME - 1));
    assert_non_null (promise_desk_key (roster, id, -1));
    uint8_t newer[KEY_SIZE];
    fixture_key ("$newer", newer);
    assert_non_null (promise_desk_key (
        roster, key_id_of (KEY_TYPE_ED25519, newer), TIME + 1));
    id.octets[0] ^= 1;
    assert_null (promise_desk_key (roster, id, -1));
    roster_unref (&roster);
    free (own);
}

/* Proofs of a place. */

static enum err proof_again (struct slice octets, struct promise_proof *out) {
    struct mp in;
    mp_start (&in, octets);
    promise_proof_take (&in, out);
    return mp_finish (&in, NULL);
}

static void test_proofs (void **state) {
    (void) state;
    static const size_t counts[] = { 1, 2, 5, 256 };
    const uint8_t *key = identity_public (cast.broker, KEY_DESK);
    for (size_t n = 0; n < 4; n++) {
        struct said *s = say (counts[n]);
        for (size_t i = 0; i < s->accepted_count; i++) {
            struct promise_proof proof, again;
            struct buf out = { 0 };
            struct error e = { 0 };
            promise_proof_make (&proof, &s->promise, s->accepted,
                                s->accepted_count, i);
            promise_proof_write (&out, &proof);
            assert_int_equal (proof_again (buf_slice (&out), &again), 0);
            assert_memory_equal (&again, &proof, sizeof proof);
            if (promise_proof_check (&again, &cast.dialogue, key, &e))
                fail_msg ("%zu of %zu: %s", i, counts[n], e.text);
            again.sequence++;
            assert_int_equal (
                promise_proof_check (&again, &cast.dialogue, key, &e),
                ERR_DIGEST);
            buf_free (&out);
        }
        free (s);
    }
}

static void test_proof_refused (void **state) {
    (void) state;
    const uint8_t *key = identity_public (cast.broker, KEY_DESK);
    struct said *s = say (7);
    struct promise_proof proof, again;
    struct buf out = { 0 };
    promise_proof_make (&proof, &s->promise, s->accepted, s->accepted_count, 2);
    promise_proof_write (&out, &proof);
    for (size_t i = 0; i < out.size; i++) {
        assert_int_equal (proof_again (slice_of (out.data, i), &again),
                          ERR_MALFORMED);
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            out.data[i] ^= (uint8_t) bit;
            enum err rc = proof_again (buf_slice (&out), &again);
            if (!rc)
                rc = promise_proof_check (&again, &cast.dialogue, key, NULL);
            /* The key's id is a hint beside the key itself, and signed. */
            if (!rc)
                fail_msg ("octet %zu", i);
            out.data[i] ^= (uint8_t) bit;
        }
    }
    proof.promise.signature[3] ^= 1;
    assert_int_equal (promise_proof_check (&proof, &cast.dialogue, key, NULL),
                      ERR_SIGNATURE);
    buf_free (&out);
    free (s);
}

/* Element n of a proof, and what it becomes. */
static void test_proof_bounds (void **state) {
    (void) state;
    static const struct {
        size_t element;
        const char *hex;
    } rows[] = {
        { 0, "00" },     { 1, "c40100" }, { 2, "ff" },   { 3, "00" },
        { 3, "cd0101" }, { 5, "ff" },     { 5, "ccff" }, { 7, "c40100" },
        { 9, "ff" },     { 11, "ff" },    { 11, "05" },  { 12, "90" },
        { 12, "c0" },    { 12, "91c0" },
    };
    struct said *s = say (7);
    struct promise_proof proof;
    struct buf good = { 0 };
    promise_proof_make (&proof, &s->promise, s->accepted, s->accepted_count, 2);
    promise_proof_write (&good, &proof);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = { 0 };
        buf_add_slice (&out, buf_slice (&good));
        record_put (&out, rows[i].element, rows[i].hex);
        if (proof_again (buf_slice (&out), &proof) != ERR_MALFORMED)
            fail_msg ("row %zu", i);
        buf_free (&out);
    }
    buf_free (&good);
    free (s);
}

/* Proofs of a refusal. */

static enum err refusal_again (struct slice octets, struct heard *h) {
    h->accepted = NULL;
    return refusal_proof_read (octets, &h->promise, &h->refused,
                               &h->refused_count, NULL);
}

static void test_refusals (void **state) {
    (void) state;
    struct said *all[] = { say (7), say (256), refuse_all() };
    for (size_t i = 0; i < 3; i++) {
        struct heard h;
        struct buf out = { 0 };
        memset (&h, 0, sizeof h);
        refusal_proof_write (&out, &all[i]->promise, all[i]->refused,
                             all[i]->refused_count);
        assert_int_equal (refusal_again (buf_slice (&out), &h), ERR_NONE);
        assert_memory_equal (&h.promise, &all[i]->promise, sizeof h.promise);
        assert_int_equal (h.refused_count, all[i]->refused_count);
        assert_true (signed_well (&h.promise));
        heard_free (&h);
        for (size_t k = 0; k < out.size && i != 1; k++) {
            assert_int_equal (refusal_again (slice_of (out.data, k), &h),
                              ERR_MALFORMED);
            assert_null (h.refused);
            out.data[k] ^= 1;
            if (refusal_again (buf_slice (&out), &h) == ERR_NONE) {
                /* An index is nobody's word: it is the agent's own. */
                bool index =
                    h.refused[0].index != all[i]->refused[0].index
                    || (i == 0
                        && h.refused[1].index != all[i]->refused[1].index);
                assert_true (index || !signed_well (&h.promise));
                heard_free (&h);
            }
            out.data[k] ^= 1;
        }
        buf_free (&out);
        free (all[i]);
    }
}

static void test_refusals_refused (void **state) {
    (void) state;
    for (int round = 0; round < 3; round++) {
        struct said *s = say (7);
        struct heard h;
        struct buf out = { 0 };
        if (round == 0)
            s->refused_count = 0;
        else if (round == 1)
            s->promise.accepted_count = 255;
        else {
            s->refused_count = 1;
            s->refused[0].index = -1;
        }
        refusal_proof_write (&out, &s->promise, s->refused, s->refused_count);
        assert_int_equal (refusal_again (buf_slice (&out), &h), ERR_MALFORMED);
        buf_free (&out);
        free (s);
    }
}

/* tests/vectors/promises.json. */

static size_t vector_ids (const json_t *object, struct hash *out) {
    const json_t *all = json_object_get (object, "ids"), *v;
    size_t i;
    json_array_foreach (all, i, v)
        assert_int_equal (hash_parse (json_string_value (v), &out[i]), 0);
    return json_array_size (all);
}

static void vector_key (const json_t *object, const char *name, void *out,
                        size_t size) {
    assert_int_equal (hex_decode (out, size, vector_text (object, name)), 0);
}

static void vector_good (const json_t *v, struct buf *room) {
    const json_t *in = json_object_get (v, "in");
    const json_t *want = json_object_get (v, "out");
    struct hash dialogue, asked[BATCH_MAX] = { 0 };
    uint8_t key[KEY_SIZE];
    struct heard h;
    struct error e = { 0 };
    struct buf again = { 0 };
    size_t count = vector_ids (in, asked);
    const char *hex = vector_text (want, "reply");
    buf_clear (room);
    size_t size = strlen (hex) / 2;
    assert_int_equal (hex_decode (buf_extend (room, size), size, hex), 0);
    vector_key (in, "dialogue", dialogue.octets, HASH_SIZE);
    vector_key (in, "desk_key", key, KEY_SIZE);
    if (promise_reply_read (buf_slice (room), asked, count ? count : 1,
                            &h.promise, &h.accepted, &h.accepted_count,
                            &h.refused, &h.refused_count, &e))
        fail_msg ("%s: %s", vector_text (v, "name"), e.text);
    assert_true (promise_signed (&h.promise, &dialogue, key));
    vector_hex_equal (want, "accepted_root", &h.promise.accepted_root, 32);
    vector_hex_equal (want, "refused_root", &h.promise.refused_root, 32);
    promise_reply_write (&again, &h.promise, h.accepted, h.accepted_count,
                         h.refused, h.refused_count);
    assert_true (slice_equal (buf_slice (room), buf_slice (&again)));
    heard_free (&h);
    buf_free (&again);
}

static void vector_bad (const json_t *v, const struct hash *dialogue,
                        struct buf *room) {
    struct hash asked[BATCH_MAX];
    uint8_t key[KEY_SIZE];
    struct heard h;
    size_t count = vector_ids (v, asked);
    vector_key (v, "desk_key", key, KEY_SIZE);
    bool by_signature = strcmp (vector_text (v, "rule"), "BAD-SIGNATURE") == 0;
    enum err rc = promise_reply_read (
        vector_octets (v, room), asked, count, &h.promise, &h.accepted,
        &h.accepted_count, &h.refused, &h.refused_count, NULL);
    if ((rc == ERR_NONE) != by_signature
        || (!rc && promise_signed (&h.promise, dialogue, key)))
        fail_msg ("%s", vector_text (v, "name"));
    if (!rc)
        heard_free (&h);
}

static void vector_highest (const json_t *v, const struct hash *dialogue,
                            struct buf *room) {
    uint8_t key[KEY_SIZE];
    struct promise_proof proof;
    struct buf again = { 0 };
    struct error e = { 0 };
    vector_key (json_object_get (v, "in"), "desk_key", key, KEY_SIZE);
    struct slice octets = vector_octets (json_object_get (v, "out"), room);
    assert_int_equal (proof_again (octets, &proof), ERR_NONE);
    if (promise_proof_check (&proof, dialogue, key, &e))
        fail_msg ("%s: %s", vector_text (v, "name"), e.text);
    promise_proof_write (&again, &proof);
    assert_true (slice_equal (octets, buf_slice (&again)));
    buf_free (&again);
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("promises.json"), *v;
    struct buf room = { 0 };
    struct hash dialogue;
    size_t i;
    vector_key (json_object_get (json_array_get (all, 0), "in"), "dialogue",
                dialogue.octets, HASH_SIZE);
    json_array_foreach (all, i, v) {
        if (vector_is (v, "highest"))
            vector_highest (v, &dialogue, &room);
        else if (!vector_is (v, "promise"))
            continue;
        else if (vector_refused (v))
            vector_bad (v, &dialogue, &room);
        else
            vector_good (v, &room);
    }
    buf_free (&room);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_replies_refused),
        cmocka_unit_test (test_reply_limits),
        cmocka_unit_test (test_any_octet),
        cmocka_unit_test (test_signature),
        cmocka_unit_test (test_desk_key),
        cmocka_unit_test (test_proof_refused),
        cmocka_unit_test (test_proof_bounds),
        cmocka_unit_test (test_refusals_refused),
        cmocka_unit_test (test_reads_what_it_wrote),
        cmocka_unit_test (test_proofs),
        cmocka_unit_test (test_refusals),
        cmocka_unit_test (test_vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
