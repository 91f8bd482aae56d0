/* Receipts: their form, what they prove, and what breaks them. */
#include "format/receipt.h"

#include "proof_fixture.h"

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define H "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n"
#define END "\nnote\n"

static struct proofs proofs;
static struct policy *policy;
/* 0: roster; 1: mark; 2-4: of a batch of 5, 1 to 3; 5: a batch of one, handed
 * in by FRONTEX/hq. All of EUROPOL/hq. */
static struct build *b;

static int begin (void **state) {
    (void) state;
    struct buf text = { 0 };
    struct error e;
    proofs_begin (&proofs);
    policy_write (proofs.cast.roster, &text);
    policy = policy_read (buf_slice (&text), &e);
    assert_non_null (policy);
    buf_free (&text);
    b = build_new (CHANNEL_LOG);
    build_roster (b, proofs.cast.roster);
    build_mark (b, proofs.cast.roster);
    b->channel = "all";
    build_batch (b, &proofs.cast, proofs.cast.hq, NULL, 5, 1, 4, RUN_PATHS, 0);
    build_batch (b, &proofs.cast, proofs.cast.hq, proofs.cast.frontex, 1, 0, 1,
                 RUN_WHOLE, 0);
    return 0;
}

static int end (void **state) {
    (void) state;
    build_free (b);
    policy_destroy (&policy);
    proofs_end (&proofs);
    return 0;
}

/* Form */

static void the_form_is_judged (void **state) {
    (void) state;
    static const struct {
        const char *text, *what;
        enum err code;
    } cases[] = {
        { "", "line 1: it ends", ERR_MALFORMED },
        { "c2sp.org/tlog-proof@v1", "line 1: it ends", ERR_MALFORMED },
        { "c2sp.org/tlog-proof@v2\nindex 0\n" END, "line 1", ERR_MALFORMED },
        { "\n" FIRST "index 0\n" END, "line 1", ERR_MALFORMED },
        { " " FIRST "index 0\n" END, "line 1", ERR_MALFORMED },
        { FIRST, "line 2: it ends", ERR_MALFORMED },
        { FIRST END, "line 2: not 'index NUMBER'", ERR_MALFORMED },
        { FIRST "extra YWJj\n" END, "line 3", ERR_MALFORMED },
        { FIRST "extra YWJj\nextra YWJj\nindex 0\n" END, "line 3",
          ERR_MALFORMED },
        { FIRST "index 0\nextra YWJj\n" END, "line 3", ERR_MALFORMED },
        { FIRST "extra \nindex 0\n" END, "line 2: extra", ERR_MALFORMED },
        { FIRST "extra YWI\nindex 0\n" END, "line 2: extra", ERR_MALFORMED },
        { FIRST "extra YWJ=\nindex 0\n" END, "line 2: extra", ERR_MALFORMED },
        { FIRST "extra  YWJj\nindex 0\n" END, "line 2: extra", ERR_MALFORMED },
        { FIRST "extra YWJj \nindex 0\n" END, "line 2: extra", ERR_MALFORMED },
        { FIRST "extra\nindex 0\n" END, "line 2", ERR_MALFORMED },
        { FIRST "index\n" END, "line 2", ERR_MALFORMED },
        { FIRST "index \n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index 00\n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index 01\n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index -1\n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index 1 \n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index  1\n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index 9007199254740992\n" END, "line 2: an index",
          ERR_MALFORMED },
        { FIRST "index 18446744073709551616\n" END, "line 2: an index",
          ERR_MALFORMED },
        { FIRST "index 0\r\n" END, "line 2: an index", ERR_MALFORMED },
        { FIRST "index 0\n", "line 3: it ends", ERR_MALFORMED },
        { FIRST "index 0\n" H, "line 4: it ends", ERR_MALFORMED },
        { FIRST "index 0\nYWJj\n" END, "line 3: not base64", ERR_MALFORMED },
        { FIRST "index 0\n" H " " H END, "line 4: not base64", ERR_MALFORMED },
        { FIRST "index 0\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7J=\n" END,
          "line 3: not base64", ERR_MALFORMED },
        { FIRST "index 0\n" END, "", ERR_NONE },
        { FIRST "index 9007199254740991\n" H H END, "", ERR_NONE },
        { FIRST "extra YWJj\nindex 1\n" H END, "", ERR_NONE },
        { FIRST "index 0\n\n", "", ERR_NONE }, /* no note: not judged here */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct receipt out = { .index = 77 };
        struct error e = { 0 };
        enum err rc = receipt_read (slice_text (cases[i].text), &out, &e);
        if (rc != cases[i].code || e.code != rc
            || !strstr (e.text, cases[i].what))
            fail_msg ("%s: \"%s\"", cases[i].text, e.text);
        assert_int_equal (receipt_read (slice_text (cases[i].text), &out, NULL),
                          rc);
        assert_true (rc == ERR_NONE || out.index == 77);
    }
}

static void limits_are_kept (void **state) {
    (void) state;
    struct buf text = { 0 };
    struct receipt out;
    struct error e;
    for (int n = TREE_PATH_MAX; n <= TREE_PATH_MAX + 1; n++) {
        buf_clear (&text);
        buf_add_text (&text, FIRST "index 0\n");
        for (int i = 0; i < n; i++)
            buf_add_text (&text, H);
        buf_add_text (&text, END);
        assert_int_equal (receipt_read (buf_slice (&text), &out, &e),
                          n > TREE_PATH_MAX ? ERR_LIMIT : ERR_NONE);
    }
    for (size_t n = RECEIPT_MAX; n <= RECEIPT_MAX + 1; n++) {
        buf_clear (&text);
        buf_add_text (&text, FIRST "index 0\n\n");
        buf_add_zeros (&text, n - text.size);
        assert_int_equal (receipt_read (buf_slice (&text), &out, &e),
                          n > RECEIPT_MAX ? ERR_LIMIT : ERR_NONE);
    }
    buf_free (&text);
}

/* Octets are passed over that are not exactly ours. */
static void extra_data_is_trusted_by_nobody (void **state) {
    (void) state;
    static const struct {
        const char *hex;
        int length; /* -1: not ours, or nil */
    } cases[] = {
        { "92b07061726c65792f726563656970742f3190", 0 },
        { "92b07061726c65792f726563656970742f31c0", -1 },
        { "92b07061726c65792f726563656970742f3190c0", -1 },
        { "92b07061726c65792f726563656970742f3290", -1 },
        { "92b07061726c65792f726563656970742f31", -1 },
        { "91b07061726c65792f726563656970742f31", -1 },
        { "93b07061726c65792f726563656970742f3190c0", -1 },
        { "92b07061726c65792f726563656970742f3191c0", -1 },
        { "92b07061726c65792f726563656970742f3191c40100", -1 },
        { "92b07061726c65792f726563656970742f31dc0000", -1 },
        { "92b07061726c65792f726563656970742f3191c420"
          "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
          1 },
        { "c1", -1 },
        { "00", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t octets[100];
        char base64[BASE64_SIZE (100)];
        struct buf text = { 0 };
        struct receipt out;
        struct error e;
        const size_t size = strlen (cases[i].hex) / 2;
        assert_int_equal (hex_decode (octets, size, cases[i].hex), 0);
        buf_add_format (&text, FIRST "extra %s\nindex 5\n" H END,
                        base64_encode (base64, octets, size));
        assert_int_equal (receipt_read (buf_slice (&text), &out, &e), 0);
        if (out.has_batch != (cases[i].length >= 0)
            || (out.has_batch && out.batch_length != (size_t) cases[i].length))
            fail_msg ("%s", cases[i].hex);
        assert_int_equal (out.index, 5);
        buf_free (&text);
    }
    uint8_t nine[400]; /* a path longer than any batch's */
    struct buf extra = { 0 }, text = { 0 };
    char base64[BASE64_SIZE (sizeof nine)];
    mp_put_array (&extra, 2);
    mp_put_str (&extra, "parley/receipt/1");
    mp_put_array (&extra, 9);
    memset (nine, 0, sizeof nine);
    for (int i = 0; i < 9; i++)
        mp_put_bin (&extra, nine, HASH_SIZE);
    buf_add_format (&text, FIRST "extra %s\nindex 5\n" H END,
                    base64_encode (base64, extra.data, extra.size));
    struct receipt out;
    assert_int_equal (receipt_read (buf_slice (&text), &out, NULL), 0);
    assert_false (out.has_batch);
    buf_free (&extra);
    buf_free (&text);
}

/* Proof */

/* What a case is made of; each can be broken alone. */
struct given {
    struct receipt receipt;
    struct buf note, record, body, roster;
};

static void given_make (struct given *self, size_t item, int cosigned) {
    const struct item *of = &b->items[item];
    struct record r;
    memset (self, 0, sizeof *self);
    proofs_of (&proofs, b);
    proofs_checkpoint (&proofs, proofs.count, cosigned, &self->note);
    buf_add_slice (&self->record, buf_slice (&of->record));
    buf_add_slice (&self->body, buf_slice (&of->body));
    buf_add_slice (&self->roster, roster_octets (proofs.cast.roster));
    self->receipt.index = BUILD_FIRST + item;
    self->receipt.path_length = tree_path (
        proofs.leaves, proofs.count, BUILD_FIRST + item, self->receipt.path);
    assert_int_equal (record_read (buf_slice (&of->record), &r, NULL), 0);
    if (of->run < 0)
        return;
    self->receipt.has_batch = true;
    self->receipt.batch_length = tree_path_length (r.batch_index, r.batch_size);
    const size_t before = item < 5 ? (item - 2) * 3 : 0; /* 3 nodes each */
    memcpy (self->receipt.batch, b->runs[of->run].hashes + before,
            self->receipt.batch_length * sizeof (struct hash));
}

static void given_free (struct given *self) {
    buf_free (&self->note);
    buf_free (&self->record);
    buf_free (&self->body);
    buf_free (&self->roster);
}

/* Through its own text. */
static enum err given_check (struct given *self, const struct policy *by,
                             struct receipt_facts *facts, struct error *e) {
    struct buf text = { 0 };
    struct receipt read;
    self->receipt.checkpoint = buf_slice (&self->note);
    receipt_write (&self->receipt, &text);
    enum err rc = receipt_read (buf_slice (&text), &read, e);
    if (!rc)
        rc = receipt_check (&read, buf_slice (&self->record),
                            buf_slice (&self->body), buf_slice (&self->roster),
                            by, facts, e);
    buf_free (&text);
    return rc;
}

static void it_is_written_as_c2sp_says (void **state) {
    (void) state;
    struct given g;
    struct buf text = { 0 }, want = { 0 };
    char base64[BASE64_SIZE (HASH_SIZE)];
    given_make (&g, 0, 2);
    g.receipt.checkpoint = buf_slice (&g.note);
    receipt_write (&g.receipt, &text);
    buf_add_text (&want,
                  FIRST "extra krBwYXJsZXkvcmVjZWlwdC8xwA==\nindex 20\n");
    for (size_t i = 0; i < g.receipt.path_length; i++)
        buf_add_format (&want, "%s\n",
                        base64_encode (base64, &g.receipt.path[i], HASH_SIZE));
    buf_add_text (&want, "\n");
    buf_add_slice (&want, buf_slice (&g.note));
    assert_true (slice_equal (buf_slice (&text), buf_slice (&want)));
    struct receipt read;
    assert_int_equal (receipt_read (buf_slice (&text), &read, NULL), 0);
    assert_true (slice_equal (read.checkpoint, buf_slice (&g.note)));
    assert_memory_equal (read.path, g.receipt.path,
                         read.path_length * sizeof (struct hash));
    buf_free (&text);
    buf_free (&want);
    given_free (&g);
}

static void all_of_it_is_proved (void **state) {
    (void) state;
    for (size_t item = 0; item < b->count; item++)
        for (int less = 0; less < 4; less++) { /* with body, with roster */
            struct given g;
            struct receipt_facts facts;
            struct error e = { 0 };
            const bool message = item >= 2;
            given_make (&g, item, 2);
            if (less & 1)
                buf_clear (&g.body);
            if (less & 2)
                buf_clear (&g.roster);
            if (given_check (&g, policy, &facts, &e))
                fail_msg ("%zu: %s", item, e.text);
            assert_int_equal (e.code, ERR_NONE);
            assert_int_equal (facts.record.sequence, BUILD_FIRST + item);
            assert_int_equal (facts.checkpoint.size, proofs.count);
            assert_int_equal (facts.witnesses.cosigned, 2);
            assert_int_equal (facts.witnesses.bound, PROOF_TIME + 1);
            assert_int_equal (facts.message.octets.size > 0, message);
            assert_int_equal (facts.author_good, message && !(less & 2));
            assert_int_equal (facts.body_good, item != 1 && !(less & 1));
            if (message)
                assert_true (slice_is (facts.message.author, "EUROPOL/hq"));
            given_free (&g);
        }
}

/* A batch of one has an empty path: nobody has to say so. */
static void extra_data_may_be_left_out (void **state) {
    (void) state;
    for (size_t item = 2; item <= 5; item += 3) {
        struct given g;
        struct receipt_facts facts;
        struct error e = { 0 };
        given_make (&g, item, 2);
        g.receipt.has_batch = false;
        g.receipt.batch_length = 0;
        assert_int_equal (given_check (&g, policy, &facts, &e),
                          item == 5 ? ERR_NONE : ERR_MALFORMED);
        given_free (&g);
    }
}

static void change_record (struct given *g, size_t at) {
    g->record.data[at] ^= 1;
}
static void record_octet (struct given *g) {
    change_record (g, g->record.size - 2);
}
static void record_cut (struct given *g) {
    g->record.size--;
}
static void record_none (struct given *g) {
    g->record.size = 0;
}
static void record_large (struct given *g) {
    buf_add_zeros (&g->record, RECORD_MAX);
}
static void record_other (struct given *g) {
    buf_clear (&g->record);
    buf_add_slice (&g->record, buf_slice (&b->items[5].record));
}
static void index_other (struct given *g) {
    g->receipt.index++;
}
static void index_beyond (struct given *g) {
    g->receipt.index += 100;
}
static void path_node (struct given *g) {
    g->receipt.path[2].octets[5] ^= 1;
}
static void path_short (struct given *g) {
    g->receipt.path_length--;
}
static void path_long (struct given *g) {
    g->receipt.path_length++;
}
static void batch_node (struct given *g) {
    g->receipt.batch[0].octets[5] ^= 1;
}
static void batch_long (struct given *g) {
    g->receipt.batch_length++;
}
static void body_octet (struct given *g) {
    g->body.data[20] ^= 1;
}
static void body_cut (struct given *g) {
    g->body.size--;
}
static void note_none (struct given *g) {
    buf_clear (&g->note);
}
static void note_one_witness (struct given *g) {
    proofs_checkpoint (&proofs, proofs.count, 1, &g->note);
}
static void note_smaller (struct given *g) {
    proofs_checkpoint (&proofs, BUILD_FIRST, 2, &g->note);
}
static void note_other_tree (struct given *g) {
    proofs.leaves[0].octets[0] ^= 1;
    proofs_checkpoint (&proofs, proofs.count, 2, &g->note);
}
static void note_size (struct given *g) {
    uint8_t *at = memmem (g->note.data, g->note.size, "\n26\n", 4);
    assert_non_null (at);
    at[2] = '7';
}
static void roster_form (struct given *g) {
    g->roster.size -= 3;
}
/* Another roster, with changes, signed by those. */
static void roster_of (struct given *g, const char *signers, const char *path,
                       const char *value) {
    struct error e = { 0 };
    json_t *d = proofs_document (&proofs.cast);
    fixture_set (d, path, value);
    struct roster *roster = fixture_read (d, "-", signers, &e);
    if (!roster)
        fail_msg ("%s", e.text);
    buf_clear (&g->roster);
    buf_add_slice (&g->roster, roster_octets (roster));
    roster_unref (&roster);
}
static void roster_other (struct given *g) {
    roster_of (g, "EUROPOL FRONTEX", "name", "'Another one'");
}
/* One that says to be of the dialogue, a later version, with one change. */
static void roster_next (struct given *g, const char *signers, const char *path,
                         const char *value) {
    struct error e = { 0 };
    char text[HASH_TEXT_MAX];
    json_t *d =
        fixture_next (proofs.cast.roster, proofs_document (&proofs.cast));
    fixture_set (d, path, value);
    struct roster *roster =
        fixture_read (d, hash_text (text, &proofs.cast.dialogue), signers, &e);
    if (!roster)
        fail_msg ("%s", e.text);
    buf_clear (&g->roster);
    buf_add_slice (&g->roster, roster_octets (roster));
    roster_unref (&roster);
}
static void roster_later (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", "name", "'Later'");
}
static void roster_half_signed (struct given *g) {
    roster_next (g, "EUROPOL", "name", "'Later'");
}
static void roster_origin_other (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", "origin", "'example.org/other'");
}
static void roster_epoch_other (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", "epoch",
                 "{'number':2,'base_size':3,'base_root':"
                 "'00000000000000000000000000000000"
                 "00000000000000000000000000000000'}");
}
#define HQ "entities[0].delegations[0]"
static void roster_revoked (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", HQ ".revoked", "true");
}
static void roster_expired (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", HQ ".expires", "'2026-01-01'");
}
static void roster_without_key (struct given *g) {
    roster_next (g, "EUROPOL FRONTEX", HQ ".keys[0].sign", "'$other'");
}

static void what_breaks_it (void **state) {
    (void) state;
    static const struct {
        size_t item;
        void (*change) (struct given *g);
        enum err code;
        const char *what;
    } cases[] = {
        { 2, record_octet, ERR_DIGEST, "another root" },
        { 2, record_cut, ERR_DIGEST, "another root" },
        { 2, record_none, ERR_DIGEST, "another root" },
        { 2, record_large, ERR_LIMIT, "record of" },
        { 2, record_other, ERR_DIGEST, "another root" },
        { 2, index_other, ERR_DIGEST, "another root" },
        { 2, index_beyond, ERR_MALFORMED, "a path of" },
        { 2, path_node, ERR_DIGEST, "another root" },
        { 2, path_short, ERR_MALFORMED, "a path of" },
        { 2, path_long, ERR_MALFORMED, "a path of" },
        { 2, note_none, ERR_MALFORMED, "note" },
        { 2, note_one_witness, ERR_RIGHT, "1 of the 2" },
        { 2, note_smaller, ERR_MALFORMED, "a path of" },
        { 2, note_other_tree, ERR_DIGEST, "another root" },
        { 2, note_size, ERR_SIGNATURE, "does not verify" },
        { 2, body_octet, ERR_DIGEST, "body digest" },
        { 2, body_cut, ERR_DIGEST, "a body of" },
        { 0, body_octet, ERR_DIGEST, "body digest" },
        { 1, NULL, ERR_NONE, "" },
        { 2, batch_node, ERR_SIGNATURE, "EUROPOL/hq over 5" },
        { 2, batch_long, ERR_MALFORMED, "the root that its author" },
        { 5, batch_long, ERR_MALFORMED, "the root that its author" },
        { 2, roster_form, ERR_MALFORMED, "note" },
        { 2, roster_other, ERR_CHAIN, "another dialogue" },
        { 2, roster_later, ERR_NONE, "" },
        { 2, roster_half_signed, ERR_SIGNATURE, "1 of 3" },
        { 2, roster_origin_other, ERR_CHAIN, "example.org/other" },
        { 2, roster_epoch_other, ERR_CHAIN, "epoch 2" },
        { 2, roster_revoked, ERR_KEY, "revoked" },
        { 2, roster_expired, ERR_KEY, "expired" },
        { 2, roster_without_key, ERR_KEY, "unknown" },
        { 5, roster_without_key, ERR_KEY, "unknown" },
        /* of what is no message nobody is the author */
        { 1, roster_without_key, ERR_NONE, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct given g;
        struct receipt_facts facts;
        struct error e = { 0 };
        given_make (&g, cases[i].item, 2);
        if (cases[i].change)
            cases[i].change (&g);
        enum err rc = given_check (&g, policy, &facts, &e);
        if (rc != cases[i].code || e.code != rc
            || !strstr (e.text, cases[i].what))
            fail_msg ("case %zu: %s, \"%s\"", i, error_name (rc), e.text);
        if (rc)
            assert_false (facts.author_good);
        given_free (&g);
    }
}

/* A record whose place in the ledger is good, of `octets` instead of item 2. */
static enum err check_octets (struct slice octets, struct receipt_facts *facts,
                              struct error *e) {
    struct given g;
    given_make (&g, 2, 2);
    buf_clear (&g.record);
    buf_add_slice (&g.record, octets);
    proofs.leaves[BUILD_FIRST + 2] = record_leaf (octets);
    proofs_checkpoint (&proofs, proofs.count, 2, &g.note);
    enum err rc = given_check (&g, policy, facts, e);
    given_free (&g);
    return rc;
}

static void what_the_ledger_holds_is_judged (void **state) {
    (void) state;
    struct buf octets = { 0 }, header = { 0 };
    struct receipt_facts facts;
    struct record r;
    struct error e = { 0 };
    assert_int_equal (record_read (buf_slice (&b->items[2].record), &r, NULL),
                      0);
    assert_int_equal (check_octets (slice_text ("no record"), &facts, &e),
                      ERR_MALFORMED);

    struct record moved = r;
    moved.sequence++;
    record_write (&octets, &moved);
    assert_int_equal (check_octets (buf_slice (&octets), &facts, &e),
                      ERR_CHAIN);

    /* a record of a later format; a header of one */
    buf_clear (&octets);
    record_write (&octets, &r);
    octets.data[1] = 2;
    memset (&e, 0, sizeof e);
    assert_int_equal (check_octets (buf_slice (&octets), &facts, &e), ERR_NONE);
    assert_int_equal (e.code, ERR_NONE);
    assert_int_equal (facts.record.format, 2);
    assert_int_equal (facts.message.octets.size, 0);
    assert_false (facts.author_good || facts.body_good);

    buf_add_slice (&header, r.payload);
    header.data[2] = 2;
    struct record newer = r;
    newer.payload = buf_slice (&header);
    buf_clear (&octets);
    record_write (&octets, &newer);
    assert_int_equal (check_octets (buf_slice (&octets), &facts, &e), ERR_NONE);
    assert_int_equal (facts.message.octets.size, 0);
    assert_false (facts.author_good || facts.body_good);
    header.data[2] = 0;
    buf_clear (&octets);
    record_write (&octets, &newer);
    assert_int_equal (check_octets (buf_slice (&octets), &facts, &e),
                      ERR_MALFORMED);
    buf_free (&octets);
    buf_free (&header);
}

static void a_broker_alone_settles_nothing (void **state) {
    (void) state;
    struct buf text = { 0 };
    struct given g;
    struct receipt_facts facts;
    struct error e = { 0 };
    buf_add_text (&text, "log ");
    checkpoint_log_vkey (PROOF_ORIGIN,
                         identity_public (proofs.cast.broker, KEY_LOG), &text);
    buf_add_text (&text, "\nquorum none\n");
    struct policy *none = policy_read (buf_slice (&text), &e);
    assert_non_null (none);
    given_make (&g, 2, 0);
    assert_int_equal (given_check (&g, policy, &facts, &e), ERR_RIGHT);
    assert_int_equal (given_check (&g, none, &facts, &e), ERR_NONE);
    policy_destroy (&none);
    given_free (&g);
    buf_free (&text);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_form_is_judged),
        cmocka_unit_test (limits_are_kept),
        cmocka_unit_test (extra_data_is_trusted_by_nobody),
        cmocka_unit_test (it_is_written_as_c2sp_says),
        cmocka_unit_test (all_of_it_is_proved),
        cmocka_unit_test (extra_data_may_be_left_out),
        cmocka_unit_test (what_breaks_it),
        cmocka_unit_test (what_the_ledger_holds_is_judged),
        cmocka_unit_test (a_broker_alone_settles_nothing),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
