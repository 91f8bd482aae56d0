/* proofs.json: checkpoints, cosignatures, quorums, policies, receipts and
 * evidence as another implementation makes and judges them. The vectors of the
 * other structures are read by the tests of their modules. */
#include "format/evidence.h"
#include "format/receipt.h"
#include "identity/quorum.h"
#include "identity/vkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "vectors.h"

static struct slice slice_or_none (const json_t *object, const char *name) {
    const json_t *text = json_object_get (object, name);
    return json_is_string (text) ? vector_slice (object, name)
                                 : (struct slice){ 0 };
}

/* The octets of a hex member, or none of null. */
static void hex_or_none (const json_t *object, const char *name,
                         struct buf *out) {
    const json_t *hex = json_object_get (object, name);
    const size_t size = json_string_length (hex) / 2;
    buf_clear (out);
    if (json_is_string (hex))
        assert_int_equal (
            hex_decode (buf_extend (out, size), size, json_string_value (hex)),
            0);
}

static void key_take (const json_t *object, const char *name,
                      uint8_t out[KEY_SIZE]) {
    assert_int_equal (hex_decode (out, KEY_SIZE, vector_text (object, name)),
                      0);
}

static int64_t number (const json_t *object, const char *name) {
    return json_integer_value (json_object_get (object, name)); /* null: 0 */
}

static void text_is (const json_t *object, const char *name,
                     const struct buf *found) {
    if (!slice_equal (vector_slice (object, name), buf_slice (found)))
        fail_msg ("%s: %.*s", name, (int) found->size,
                  (const char *) found->data);
}

static struct identity *seeded (enum identity_kind kind, const char *name,
                                const json_t *in) {
    uint8_t seed[KEY_SIZE];
    key_take (in, "seed", seed);
    struct identity *self = identity_from_seed (kind, name, seed, NULL);
    assert_non_null (self);
    return self;
}

/* Each of these says whether the vector is taken; of good ones all that comes
 * out is compared. */

static bool checkpoint_bad (const json_t *v) {
    uint8_t key[KEY_SIZE];
    struct checkpoint cp;
    struct note note;
    key_take (v, "log", key);
    return checkpoint_read (vector_slice (v, "text"), &cp, &note, NULL) == 0
           && checkpoint_check_log (&cp, &note, vector_text (v, "origin"), key,
                                    NULL)
                  == 0;
}

static bool checkpoint_good (const json_t *in, const json_t *out) {
    struct checkpoint cp = { .size = number (in, "size") }, read;
    struct note note;
    struct buf b = { 0 };
    struct vkey vkey;
    struct identity *broker =
        seeded (IDENTITY_BROKER, vector_text (in, "broker"), in);
    const uint8_t *key = identity_public (broker, KEY_LOG);
    snprintf (cp.origin, sizeof cp.origin, "%s", vector_text (in, "origin"));
    key_take (in, "root", cp.root.octets);
    checkpoint_text (&cp, &b);
    text_is (out, "text", &b);
    buf_clear (&b);
    checkpoint_log_vkey (cp.origin, key, &b);
    text_is (out, "vkey", &b);
    assert_int_equal (vkey_read (buf_slice (&b), &vkey, NULL), 0);
    assert_int_equal (vkey.type, NOTE_ED25519);
    assert_memory_equal (vkey.key, key, KEY_SIZE);
    buf_clear (&b);
    checkpoint_sign (&cp, broker, &b);
    text_is (out, "note", &b);
    const bool fine =
        checkpoint_read (buf_slice (&b), &read, &note, NULL) == 0
        && checkpoint_equal (&cp, &read)
        && checkpoint_check_log (&read, &note, cp.origin, key, NULL) == 0;
    identity_destroy (&broker);
    buf_free (&b);
    return fine;
}

static bool cosignature_bad (const json_t *v) {
    uint8_t key[KEY_SIZE];
    struct checkpoint cp;
    struct note note;
    int64_t time;
    key_take (v, "key", key);
    assert_int_equal (
        checkpoint_read (vector_slice (v, "text"), &cp, &note, NULL), 0);
    return checkpoint_cosigned (&cp, &note, vector_text (v, "witness"), key,
                                &time, NULL)
           == 0;
}

static bool cosignature_good (const json_t *in, const json_t *out) {
    struct checkpoint cp;
    struct note note;
    struct buf b = { 0 };
    int64_t time = 0;
    struct identity *who =
        seeded (IDENTITY_DELEGATION, vector_text (in, "witness"), in);
    const uint8_t *key = identity_public (who, KEY_WITNESS);
    note_begin (&b, vector_slice (in, "text"));
    buf_add_slice (&b, vector_slice (out, "line"));
    assert_int_equal (checkpoint_read (buf_slice (&b), &cp, &note, NULL), 0);
    assert_int_equal (
        checkpoint_cosigned (&cp, &note, identity_name (who), key, &time, NULL),
        0);
    assert_int_equal (time, number (in, "time"));
    buf_clear (&b);
    checkpoint_cosign (&cp, who, time, &b);
    text_is (out, "line", &b);
    buf_clear (&b);
    checkpoint_cosignature_text (&cp, time, &b);
    text_is (out, "signed", &b);
    buf_clear (&b);
    checkpoint_witness_vkey (identity_name (who), key, &b);
    text_is (out, "vkey", &b);
    identity_destroy (&who);
    buf_free (&b);
    return true;
}

static struct roster *roster_named (const char *name) {
    json_t *vector, *all = vectors_load ("roster.json");
    struct roster *found = NULL;
    size_t i;
    json_array_foreach (all, i, vector) {
        if (!found && strcmp (vector_text (vector, "name"), name) == 0)
            found = roster_read (
                vector_slice (json_object_get (vector, "in"), "note"), NULL);
    }
    assert_non_null (found);
    json_decref (all);
    return found;
}

static bool quorum_good (const json_t *in, const json_t *out) {
    struct roster *roster = roster_named (vector_text (in, "roster"));
    struct checkpoint cp;
    struct note note;
    struct quorum quorum;
    const json_t *times = json_object_get (out, "times");
    assert_int_equal (
        checkpoint_read (vector_slice (in, "note"), &cp, &note, NULL), 0);
    quorum_judge (roster, &cp, &note, &quorum, NULL);
    assert_int_equal (quorum.cosigned, json_object_size (times));
    for (size_t i = 0; i < quorum.witnesses; i++)
        assert_int_equal (quorum.times[i],
                          number (times, roster_witness_at (roster, i)->name));
    assert_int_equal (quorum_whole (&quorum),
                      json_is_true (json_object_get (out, "whole")));
    assert_int_equal (quorum.time, number (out, "time"));
    assert_int_equal (quorum.bound, number (out, "bound"));
    roster_unref (&roster);
    return true;
}

static bool policy_text_good (const json_t *in, const json_t *out) {
    struct roster *roster = roster_named (vector_text (in, "roster"));
    struct buf text = { 0 };
    policy_write (roster, &text);
    text_is (out, "text", &text);
    buf_free (&text);
    roster_unref (&roster);
    return true;
}

static bool policy_bad (const json_t *v) {
    struct error e;
    struct policy *policy = policy_read (vector_slice (v, "text"), &e);
    const bool taken = policy != NULL;
    policy_destroy (&policy);
    return taken;
}

static struct policy *policy_of (const json_t *in) {
    struct error e = { 0 };
    struct policy *policy = policy_read (vector_slice (in, "policy"), &e);
    if (!policy)
        fail_msg ("%s", e.text);
    return policy;
}

/* `out` is NULL of a bad one. */
static bool policy_check_agrees (const json_t *in, const json_t *out) {
    struct checkpoint cp;
    struct note note;
    struct policy_verdict verdict;
    struct policy *policy = policy_of (in);
    assert_int_equal (
        checkpoint_read (vector_slice (in, "note"), &cp, &note, NULL), 0);
    const bool met = policy_check (policy, &cp, &note, &verdict, NULL) == 0;
    policy_destroy (&policy);
    if (met && out) {
        assert_int_equal (verdict.cosigned, number (out, "cosigned"));
        assert_int_equal (verdict.bound, number (out, "bound"));
    }
    return met;
}

static void hashes_are (const json_t *list, const struct hash *found,
                        size_t count) {
    char text[HASH_TEXT_MAX];
    assert_int_equal (json_array_size (list), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal (hash_text (text, &found[i]),
                             json_string_value (json_array_get (list, i)));
}

static void receipt_is (const struct receipt *read,
                        const struct receipt_facts *facts, const json_t *in,
                        const json_t *out) {
    struct buf text = { 0 };
    const struct slice author = slice_or_none (out, "author");
    receipt_write (read, &text);
    text_is (in, "receipt", &text);
    buf_free (&text);
    hashes_are (json_object_get (out, "path"), read->path, read->path_length);
    hashes_are (json_object_get (out, "batch"), read->batch,
                read->batch_length);
    assert_int_equal (read->index, number (out, "index"));
    assert_int_equal (facts->checkpoint.size, number (out, "size"));
    assert_int_equal (facts->witnesses.bound, number (out, "bound"));
    assert_int_equal (facts->author_good, author.size > 0);
    assert_true (slice_equal (facts->message.author, author));
}

static bool receipt_agrees (const json_t *in, const json_t *out) {
    struct receipt read;
    struct receipt_facts facts;
    struct buf record = { 0 }, body = { 0 };
    struct policy *policy = policy_of (in);
    hex_or_none (in, "record", &record);
    hex_or_none (in, "body", &body);
    const bool good =
        receipt_read (vector_slice (in, "receipt"), &read, NULL) == 0
        && receipt_check (&read, buf_slice (&record), buf_slice (&body),
                          slice_or_none (in, "roster"), policy, &facts, NULL)
               == 0;
    if (good && out)
        receipt_is (&read, &facts, in, out);
    policy_destroy (&policy);
    buf_free (&record);
    buf_free (&body);
    return good;
}

static bool evidence_agrees (const json_t *given, const char *member,
                             const char *kind) {
    struct hash dialogue;
    struct error e = { 0 };
    struct buf said = { 0 }, again = { 0 };
    const struct slice text = vector_slice (given, member);
    key_take (given, "dialogue", dialogue.octets);
    struct evidence_file *file = evidence_read (text, &e);
    if (!file)
        return false;
    const struct evidence *of = evidence_of (file);
    const bool proved = evidence_check (of, &dialogue, &said, &e) == 0;
    if (proved && kind) {
        assert_string_equal (evidence_kind_name (of->kind), kind);
        evidence_write (of, &again);
        json_t *a = json_loadb ((char *) again.data, again.size, 0, NULL);
        json_t *b = json_loadb ((const char *) text.data, text.size, 0, NULL);
        assert_true (json_equal (a, b));
        json_decref (a);
        json_decref (b);
    }
    evidence_free (&file);
    buf_free (&said);
    buf_free (&again);
    return proved;
}

static bool taken (const json_t *v) {
    const json_t *in = json_object_get (v, "in");
    const json_t *out = json_object_get (v, "out");
    const bool bad = vector_refused (v);
    if (vector_is (v, "checkpoint"))
        return bad ? checkpoint_bad (v) : checkpoint_good (in, out);
    if (vector_is (v, "cosignature"))
        return bad ? cosignature_bad (v) : cosignature_good (in, out);
    if (vector_is (v, "quorum"))
        return quorum_good (in, out);
    if (vector_is (v, "policy-text"))
        return policy_text_good (in, out);
    if (vector_is (v, "policy"))
        return policy_bad (v);
    if (vector_is (v, "policy-check"))
        return policy_check_agrees (in, out);
    if (vector_is (v, "receipt"))
        return receipt_agrees (in, out);
    assert_true (vector_is (v, "evidence"));
    return bad ? evidence_agrees (v, "text", NULL)
               : evidence_agrees (in, "json", vector_text (out, "kind"));
}

static void the_other_implementation_agrees (void **state) {
    (void) state;
    size_t i;
    json_t *vector, *all = vectors_load ("proofs.json");
    json_array_foreach (all, i, vector) {
        if (taken (vector) == vector_refused (vector))
            fail_msg ("%s: %s", vector_text (vector, "name"),
                      vector_refused (vector) ? "taken" : "refused");
    }
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_other_implementation_agrees),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
