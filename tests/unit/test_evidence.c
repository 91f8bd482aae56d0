/* Evidence: its form, what convinces, and what must not. */
#include "format/evidence.h"

#include "proof_fixture.h"

#define AT 22 /* the place that most of it is about */

static struct proofs proofs;
static struct roster *second; /* follows the cast's */
/* 20: the second roster; 21: its mark; 22 to 24: of batches of one, one and
 * three, by EUROPOL/hq, under it */
static struct build *b;

static struct roster *next_of (const struct roster *before, const char *path,
                               const char *value, const char *signers) {
    struct error e = { 0 };
    char text[HASH_TEXT_MAX];
    json_t *d = fixture_next (before, proofs_document (&proofs.cast));
    fixture_set (d, path, value);
    struct roster *roster =
        fixture_read (d, hash_text (text, &proofs.cast.dialogue), signers, &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

static struct build *build_all (const struct roster *under) {
    struct build *made = build_new (CHANNEL_LOG);
    build_roster (made, under);
    build_mark (made, under);
    made->channel = "all";
    build_batch (made, &proofs.cast, proofs.cast.hq, NULL, 1, 0, 1, RUN_WHOLE,
                 0);
    build_batch (made, &proofs.cast, proofs.cast.hq, NULL, 1, 0, 1, RUN_WHOLE,
                 9);
    build_batch (made, &proofs.cast, proofs.cast.hq, NULL, 3, 0, 1, RUN_MISSING,
                 0);
    return made;
}

static int begin (void **state) {
    (void) state;
    proofs_begin (&proofs);
    second =
        next_of (proofs.cast.roster, "name", "'Second'", "EUROPOL FRONTEX");
    b = build_all (second);
    return 0;
}

static int end (void **state) {
    (void) state;
    build_free (b);
    roster_unref (&second);
    proofs_end (&proofs);
    return 0;
}

/* What a case is made of. */
struct given {
    struct evidence of;
    struct slice rosters[3];
    struct buf notes[2], records[2];
};

/* A leaf of the ledger that `proofs` holds now, of its first `size` leaves. */
static void leaf_add (struct given *g, size_t size, size_t index,
                      bool with_record) {
    const size_t n = g->of.leaf_count++;
    struct evidence_leaf *leaf = &g->of.leaves[n];
    proofs_checkpoint (&proofs, size, 0, &g->notes[n]);
    leaf->index = index;
    leaf->leaf = proofs.leaves[index];
    leaf->path_length = tree_path (proofs.leaves, size, index, leaf->path);
    if (with_record)
        buf_add_slice (&g->records[n],
                       buf_slice (&b->items[index - BUILD_FIRST].record));
}

static void begin_given (struct given *g, enum evidence_kind kind) {
    memset (g, 0, sizeof *g);
    g->of.kind = kind;
    g->of.dialogue = proofs.cast.dialogue;
    g->of.made = INT64_C (1767225800000);
    snprintf (g->of.maker, sizeof g->of.maker, "FRONTEX/hq");
    g->rosters[0] = roster_octets (proofs.cast.roster);
    g->rosters[1] = roster_octets (second);
    g->of.roster_count = 2;
    proofs_of (&proofs, b);
}

static void end_given (struct given *g) {
    for (int i = 0; i < 2; i++) {
        buf_free (&g->notes[i]);
        buf_free (&g->records[i]);
    }
}

/* Written and read again; then judged. */
static enum err given_check (struct given *g, const struct hash *dialogue,
                             struct buf *said, struct error *e) {
    struct buf json = { 0 };
    g->of.rosters = g->rosters;
    for (size_t i = 0; i < g->of.leaf_count; i++) {
        g->of.leaves[i].checkpoint = buf_slice (&g->notes[i]);
        g->of.leaves[i].record = buf_slice (&g->records[i]);
    }
    evidence_write (&g->of, &json);
    struct evidence_file *file = evidence_read (buf_slice (&json), e);
    buf_free (&json);
    if (!file)
        return e->code;
    const struct evidence *read = evidence_of (file);
    assert_int_equal (read->kind, g->of.kind);
    assert_int_equal (read->made, g->of.made);
    assert_string_equal (read->maker, g->of.maker);
    assert_int_equal (read->roster_count, g->of.roster_count);
    buf_clear (said);
    enum err rc = evidence_check (read, dialogue, said, e);
    if (rc)
        assert_int_equal (said->size, 0);
    buf_add_u8 (said, 0);
    evidence_free (&file);
    evidence_free (&file);
    return rc;
}

static void expect (struct given *g, enum err code, const char *what) {
    struct buf said = { 0 };
    struct error e = { 0 };
    enum err rc = given_check (g, &proofs.cast.dialogue, &said, &e);
    const char *text = rc ? e.text : (const char *) said.data;
    if (rc != code || !text || !strstr (text, what))
        fail_msg ("%s, \"%s\" is not %s with \"%s\"", error_name (rc), text,
                  error_name (code), what);
    buf_free (&said);
    end_given (g);
}

/* Two ledgers */

static void two (struct given *g, enum evidence_kind kind) {
    begin_given (g, kind);
    leaf_add (g, proofs.count, AT, false);
    proofs.leaves[AT].octets[3] ^= 1;
    leaf_add (g, proofs.count, AT, false);
}

static void two_leaves_convince (void **state) {
    (void) state;
    struct given g;
    two (&g, EVIDENCE_LEAVES);
    expect (&g, ERR_NONE, "signed two ledgers: leaf 22 is");
    /* checkpoints of two sizes */
    begin_given (&g, EVIDENCE_LEAVES);
    leaf_add (&g, AT + 1, AT, false);
    proofs.leaves[AT].octets[3] ^= 1;
    leaf_add (&g, proofs.count, AT, false);
    expect (&g, ERR_NONE, "under its checkpoint of size 23");
    /* its own word for the dialogue */
    struct buf said = { 0 };
    struct error e;
    two (&g, EVIDENCE_LEAVES);
    assert_int_equal (given_check (&g, NULL, &said, &e), ERR_NONE);
    struct hash other = hash_sha256 (slice_text ("another"));
    assert_int_equal (given_check (&g, &other, &said, &e), ERR_CHAIN);
    /* one roster is enough */
    g.of.roster_count = 1;
    assert_int_equal (given_check (&g, NULL, &said, &e), ERR_NONE);
    buf_free (&said);
    end_given (&g);
}

static void one_ledger_does_not (void **state) {
    (void) state;
    struct given g;
    begin_given (&g, EVIDENCE_LEAVES);
    leaf_add (&g, proofs.count, AT, false);
    leaf_add (&g, AT + 1, AT, false);
    expect (&g, ERR_STATE, "one leaf");
    begin_given (&g, EVIDENCE_LEAVES);
    leaf_add (&g, proofs.count, AT, false);
    leaf_add (&g, proofs.count, AT + 1, false);
    expect (&g, ERR_CHAIN, "of two places, 22 and 23");
    begin_given (&g, EVIDENCE_LEAVES);
    leaf_add (&g, proofs.count, AT, false);
    expect (&g, ERR_MALFORMED, "two-leaves takes 2 to 2 leaves");

    two (&g, EVIDENCE_LEAVES);
    g.of.leaves[1].leaf.octets[0] ^= 1;
    expect (&g, ERR_DIGEST, "leads to another root");
    two (&g, EVIDENCE_LEAVES);
    g.of.leaves[1].path[1].octets[0] ^= 1;
    expect (&g, ERR_DIGEST, "leads to another root");
    two (&g, EVIDENCE_LEAVES);
    g.of.leaves[1].path_length--;
    expect (&g, ERR_MALFORMED, "a path of");
    two (&g, EVIDENCE_LEAVES);
    g.of.leaves[0].index = g.of.leaves[1].index = 25;
    expect (&g, ERR_MALFORMED, "a path of");
    two (&g, EVIDENCE_LEAVES);
    buf_add_text (&g.records[1], "another record");
    expect (&g, ERR_DIGEST, "is not its leaf");
    two (&g, EVIDENCE_LEAVES);
    g.of.has_promise = true; /* of zeros: not even one in form */
    expect (&g, ERR_MALFORMED, "promise");
}

static void a_log_of_the_chain_has_to_sign (void **state) {
    (void) state;
    struct given g;
    struct error e;
    const struct checkpoint cp = { .origin = PROOF_ORIGIN,
                                   .size = (int64_t) BUILD_FIRST + 5 };
    struct checkpoint made = cp;
    struct identity *other = identity_new (IDENTITY_BROKER, "lyon", &e);
    two (&g, EVIDENCE_LEAVES);
    made.root = tree_root_of (proofs.leaves, proofs.count);
    buf_clear (&g.notes[1]);
    checkpoint_sign (&made, other, &g.notes[1]);
    expect (&g, ERR_SIGNATURE, "not signed by that log");

    two (&g, EVIDENCE_LEAVES);
    snprintf (made.origin, sizeof made.origin, "example.org/test/2");
    for (int i = 0; i < 2; i++) {
        buf_clear (&g.notes[i]);
        checkpoint_sign (&made, proofs.cast.broker, &g.notes[i]);
    }
    expect (&g, ERR_SIGNATURE, "is the log of none of the rosters");
    two (&g, EVIDENCE_LEAVES);
    buf_clear (&g.notes[1]);
    checkpoint_sign (&made, proofs.cast.broker, &g.notes[1]);
    expect (&g, ERR_CHAIN, "two logs");

    two (&g, EVIDENCE_LEAVES);
    buf_clear (&g.notes[1]);
    buf_add_text (&g.notes[1], "no note\n");
    expect (&g, ERR_MALFORMED, "note");
    identity_destroy (&other);
}

static void the_chain_is_followed (void **state) {
    (void) state;
    struct given g;
    two (&g, EVIDENCE_LEAVES);
    g.of.roster_count = 0;
    expect (&g, ERR_MALFORMED, "rosters");
    two (&g, EVIDENCE_LEAVES);
    g.rosters[0] = roster_octets (second);
    g.of.roster_count = 1;
    expect (&g, ERR_CHAIN, "not a first roster");
    two (&g, EVIDENCE_LEAVES);
    g.rosters[1] = g.rosters[0];
    expect (&g, ERR_CHAIN, "not newer");
    two (&g, EVIDENCE_LEAVES);
    g.rosters[1] = slice_text ("no roster\n");
    expect (&g, ERR_MALFORMED, "roster 2");

    struct roster *half =
        next_of (proofs.cast.roster, "name", "'Half'", "EUROPOL");
    two (&g, EVIDENCE_LEAVES);
    g.rosters[1] = roster_octets (half);
    expect (&g, ERR_SIGNATURE, "1 of 3");
    roster_unref (&half);

    /* A dialogue of the same names: its rosters, and its word for it. */
    json_t *d = proofs_document (&proofs.cast);
    fixture_set (d, "name", "'Another'");
    struct roster *other = cast_roster (d);
    two (&g, EVIDENCE_LEAVES);
    g.rosters[0] = roster_octets (other);
    g.of.roster_count = 1;
    expect (&g, ERR_CHAIN, "the first roster is not the dialogue's");
    two (&g, EVIDENCE_LEAVES);
    g.rosters[0] = roster_octets (other);
    g.of.roster_count = 1;
    g.of.dialogue = *roster_digest (other);
    expect (&g, ERR_CHAIN, "another dialogue");
    roster_unref (&other);
}

/* Roots; proofs of the tree by its definition, in small. */

/* RFC 6962 section 2.1.2. */
static size_t sub_proof (const struct hash *leaves, size_t m, size_t n,
                         bool whole, struct hash *out) {
    size_t k = 1;
    if (m == n) {
        if (!whole)
            out[0] = tree_root_of (leaves, n);
        return !whole;
    }
    while (k * 2 < n)
        k *= 2;
    size_t count;
    if (m <= k) {
        count = sub_proof (leaves, m, k, whole, out);
        out[count] = tree_root_of (leaves + k, n - k);
    } else {
        count = sub_proof (leaves + k, m - k, n - k, false, out);
        out[count] = tree_root_of (leaves, k);
    }
    return count + 1;
}

static void root_add (struct given *g, size_t older, size_t size) {
    const size_t n = g->of.leaf_count++;
    struct evidence_leaf *leaf = &g->of.leaves[n];
    proofs_checkpoint (&proofs, size, 0, &g->notes[n]);
    leaf->index = older;
    leaf->leaf = tree_root_of (proofs.leaves, older);
    leaf->path_length =
        sub_proof (proofs.leaves, older, size, true, leaf->path);
}

static void two_roots_convince (void **state) {
    (void) state;
    static const size_t sizes[][2] = {
        { 25, 25 }, { 23, 25 }, { 24, 25 }, { 25, 23 }
    };
    struct given g;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t small =
            sizes[i][0] < sizes[i][1] ? sizes[i][0] : sizes[i][1];
        begin_given (&g, EVIDENCE_ROOTS);
        root_add (&g, small, sizes[i][0]);
        proofs.leaves[AT].octets[0] ^= 1;
        root_add (&g, small, sizes[i][1]);
        expect (&g, ERR_NONE, "signed two ledgers: the root at size 2");
        begin_given (&g, EVIDENCE_ROOTS);
        root_add (&g, small, sizes[i][0]);
        root_add (&g, small, sizes[i][1]);
        expect (&g, ERR_STATE, "one root");
    }
    begin_given (&g, EVIDENCE_ROOTS);
    root_add (&g, 23, 25);
    proofs.leaves[AT].octets[0] ^= 1;
    root_add (&g, 24, 25);
    expect (&g, ERR_CHAIN, "of two places, 23 and 24");
    begin_given (&g, EVIDENCE_ROOTS);
    root_add (&g, 23, 25);
    root_add (&g, 23, 23);
    g.of.leaves[0].leaf.octets[0] ^= 1;
    expect (&g, ERR_DIGEST, "");
    begin_given (&g, EVIDENCE_ROOTS);
    root_add (&g, 23, 25);
    root_add (&g, 23, 23);
    g.of.leaves[0].index = g.of.leaves[1].index = 0;
    expect (&g, ERR_MALFORMED, "from size 0");
}

/* Promises */

static struct promise_proof promise_of (size_t place, int64_t at,
                                        const struct identity *broker,
                                        int64_t epoch) {
    struct promise p = { .epoch = epoch, .log_time = at };
    struct promise_accepted accepted[2] = {
        { .index = 0, .sequence = 5 },
        { .index = 1,
          .id = hash_sha256 (slice_text ("id")),
          .sequence = (int64_t) place,
          .leaf = proofs.leaves[place] },
    };
    struct promise_proof proof;
    promise_sign (&p, broker, &proofs.cast.dialogue, accepted, 2, NULL, 0);
    promise_proof_make (&proof, &p, accepted, 2, 1);
    return proof;
}

static void broken (struct given *g, const struct identity *broker,
                    int64_t epoch) {
    begin_given (g, EVIDENCE_PROMISE);
    g->of.has_promise = true;
    g->of.promise = promise_of (AT, BUILD_TIME, broker, epoch);
    proofs.leaves[AT].octets[9] ^= 1;
    leaf_add (g, proofs.count, AT, false);
}

static void a_broken_promise_convinces (void **state) {
    (void) state;
    struct given g;
    struct error e;
    broken (&g, proofs.cast.broker, 1);
    expect (&g, ERR_NONE, "the place 22 with leaf");

    begin_given (&g, EVIDENCE_PROMISE);
    g.of.has_promise = true;
    g.of.promise = promise_of (AT, BUILD_TIME, proofs.cast.broker, 1);
    leaf_add (&g, proofs.count, AT, false);
    expect (&g, ERR_STATE, "kept");

    begin_given (&g, EVIDENCE_PROMISE);
    g.of.has_promise = true;
    g.of.promise = promise_of (AT, BUILD_TIME, proofs.cast.broker, 1);
    leaf_add (&g, proofs.count, AT + 1, false);
    expect (&g, ERR_CHAIN, "the promise is of record 22");

    broken (&g, proofs.cast.broker, 2); /* void since, perhaps */
    expect (&g, ERR_SIGNATURE, "epoch 2");
    broken (&g, proofs.cast.broker, 1);
    g.of.has_promise = false;
    expect (&g, ERR_MALFORMED, "a promise");
    broken (&g, proofs.cast.broker, 1);
    g.of.promise.promise.signature[3] ^= 1;
    expect (&g, ERR_SIGNATURE, "is not signed");
    broken (&g, proofs.cast.broker, 1);
    g.of.promise.leaf.octets[3] ^= 1;
    expect (&g, ERR_DIGEST, "promise's root");

    struct identity *other = identity_new (IDENTITY_BROKER, "lyon", &e);
    broken (&g, other, 1);
    expect (&g, ERR_SIGNATURE, "desk key is in none");
    identity_destroy (&other);
}

/* The older of two desk keys, until it is no more. */
static void a_promise_of_an_older_key_convinces (void **state) {
    (void) state;
    struct error e;
    struct identity *old = identity_new (IDENTITY_BROKER, "lyon", &e);
    char base64[BASE64_SIZE (KEY_SIZE)], value[120];
    snprintf (
        value, sizeof value, "{'key':'%s','until':'2026-01-02'}",
        base64_encode (base64, identity_public (old, KEY_DESK), KEY_SIZE));
    struct roster *with_old = next_of (
        proofs.cast.roster, "brokers[0].desk_key[1]", value, "EUROPOL FRONTEX");
    for (int late = 0; late < 2; late++) {
        struct given g;
        begin_given (&g, EVIDENCE_PROMISE);
        g.rosters[1] = roster_octets (with_old);
        g.of.has_promise = true;
        g.of.promise = promise_of (AT, BUILD_TIME + late * 86400000, old, 1);
        proofs.leaves[AT].octets[9] ^= 1;
        leaf_add (&g, proofs.count, AT, false);
        expect (&g, late ? ERR_SIGNATURE : ERR_NONE,
                late ? "was not valid then" : "the place 22");
    }
    roster_unref (&with_old);
    identity_destroy (&old);
}

/* Epochs */

static struct roster *epoch_of (int base, const struct identity *log) {
    char epoch[160], value[80], base64[BASE64_SIZE (KEY_SIZE)];
    char text[HASH_TEXT_MAX];
    struct error e = { 0 };
    json_t *d = fixture_next (second, proofs_document (&proofs.cast));
    snprintf (epoch, sizeof epoch,
              "{'number':2,'base_size':%d,'base_root':'%064d'}", base, 0);
    snprintf (value, sizeof value, "'%s'",
              base64_encode (base64, identity_public (log, KEY_LOG), KEY_SIZE));
    fixture_set (d, "epoch", epoch);
    fixture_set (d, "log.key", value);
    struct roster *roster = fixture_read (
        d, hash_text (text, &proofs.cast.dialogue), "EUROPOL FRONTEX", &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

/* The n-th statement is under a checkpoint of that roster's epoch. */
static void move_to (struct given *g, size_t n, const struct roster *epoch,
                     const struct identity *log) {
    struct checkpoint cp;
    struct note note;
    struct error e;
    assert_int_equal (
        checkpoint_read (buf_slice (&g->notes[n]), &cp, &note, &e), ERR_NONE);
    checkpoint_origin (epoch, cp.origin);
    buf_clear (&g->notes[n]);
    checkpoint_sign (&cp, log, &g->notes[n]);
    g->rosters[2] = roster_octets (epoch);
    g->of.roster_count = 3;
}

/* Two epochs are no fork; of the older one promises below the base hold. */
static void epochs_are_two_logs (void **state) {
    (void) state;
    struct error e;
    struct identity *log = identity_new (IDENTITY_BROKER, "lyon", &e);
    struct given g;
    for (int base = AT; base <= AT + 1; base++) {
        struct roster *epoch = epoch_of (base, log);
        two (&g, EVIDENCE_LEAVES);
        move_to (&g, 1, epoch, log);
        expect (&g, ERR_CHAIN, "two logs");
        broken (&g, proofs.cast.broker, 1);
        move_to (&g, 0, epoch, log);
        bool holds = base > AT;
        expect (&g, holds ? ERR_NONE : ERR_CHAIN,
                holds ? "the place 22 with leaf"
                      : "in epoch 1, the leaf of 22");
        broken (&g, proofs.cast.broker, 2); /* nothing was said of epoch 1 */
        g.rosters[2] = roster_octets (epoch);
        g.of.roster_count = 3;
        expect (&g, ERR_CHAIN, "in epoch 2, the leaf of 22 in epoch 1");
        roster_unref (&epoch);
    }
    identity_destroy (&log);
}

/* Records */

/* Put `r` in the ledger's place of item `n`. */
static void put_record (struct given *g, size_t n, const struct record *r) {
    buf_clear (&g->records[n]);
    record_write (&g->records[n], r);
}

static struct record record_of (size_t place) {
    struct record r;
    assert_int_equal (
        record_read (buf_slice (&b->items[place - BUILD_FIRST].record), &r,
                     NULL),
        0);
    return r;
}

/* The ledger with these records at two places, the second one perhaps none. */
static void ledger_with (struct given *g, enum evidence_kind kind, size_t first,
                         const struct record *a, size_t later,
                         const struct record *r) {
    begin_given (g, kind);
    put_record (g, 0, a);
    proofs.leaves[first] = record_leaf (buf_slice (&g->records[0]));
    if (r) {
        put_record (g, 1, r);
        proofs.leaves[later] = record_leaf (buf_slice (&g->records[1]));
    }
    leaf_add (g, proofs.count, first, false);
    if (r)
        leaf_add (g, proofs.count, later, false);
}

static void time_that_goes_back_convinces (void **state) {
    (void) state;
    struct given g;
    struct record a = record_of (22), later = record_of (23);
    later.log_time = a.log_time - 1;
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    expect (&g, ERR_NONE, "record 23 behind it an earlier one");
    ledger_with (&g, EVIDENCE_TIMES, 23, &later, 22, &a);
    expect (&g, ERR_NONE, "record 23 behind it an earlier one");
    later.log_time = a.log_time;
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    expect (&g, ERR_STATE, "does not go back");
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 22, &a);
    expect (&g, ERR_STATE, "does not go back");
    later.log_time--;
    later.epoch = 2;
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    expect (&g, ERR_CHAIN, "two epochs");
    later.epoch = 1;
    later.sequence = 24;
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    expect (&g, ERR_CHAIN, "another place");
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    buf_clear (&g.records[1]);
    expect (&g, ERR_MALFORMED, "with their records");
    ledger_with (&g, EVIDENCE_TIMES, 22, &a, 23, &later);
    g.records[1].data[20] ^= 1;
    expect (&g, ERR_DIGEST, "is not its leaf");
}

/* Bad records. The roster's record is the one at 20. */
static void bad (struct given *g, size_t place, const struct record *r,
                 bool with_roster) {
    struct record roster = record_of (BUILD_FIRST);
    ledger_with (g, EVIDENCE_RECORD, place, r, BUILD_FIRST,
                 with_roster ? &roster : NULL);
}

static void a_bad_record_convinces (void **state) {
    (void) state;
    struct given g;
    static const uint8_t zeros[SIGNATURE_SIZE];
    for (int with = 0; with < 2; with++) {
        struct record r = record_of (AT);
        bad (&g, AT, &r, with);
        expect (&g, ERR_STATE, with ? "right are good" : "is not shown");
        r.signature = zeros;
        bad (&g, AT, &r, with);
        expect (&g, ERR_NONE, "the signature is not the author's");
        r = record_of (AT);
        r.sequence++;
        bad (&g, AT, &r, with);
        expect (&g, ERR_NONE, "says that it is record 23");
        /* of a batch of three nobody knows what was signed */
        r = record_of (24);
        r.signature = zeros;
        bad (&g, 24, &r, with);
        expect (&g, ERR_STATE, "");
    }
    struct record r = record_of (AT), mark = record_of (21);
    r.channel = slice_text ("core"); /* which the signature would name */
    bad (&g, AT, &r, false);
    expect (&g, ERR_NONE, "the signature is not the author's");
    bad (&g, 21, &mark, false);
    expect (&g, ERR_NEWER, "no message");
    /* the roster has to be the one that it names */
    r = record_of (AT);
    ledger_with (&g, EVIDENCE_RECORD, AT, &r, 21, &mark);
    expect (&g, ERR_CHAIN, "is not the roster");
    ledger_with (&g, EVIDENCE_RECORD, AT, &r, 23, &r);
    expect (&g, ERR_CHAIN, "is not the roster");
    ledger_with (&g, EVIDENCE_RECORD, AT, &r, 0, NULL);
    buf_clear (&g.records[0]);
    expect (&g, ERR_MALFORMED, "with their records");
}

static void a_message_of_another_dialogue_convinces (void **state) {
    (void) state;
    struct given g;
    struct hash kept = proofs.cast.dialogue;
    proofs.cast.dialogue = hash_sha256 (slice_text ("another dialogue"));
    struct build *other = build_all (second);
    proofs.cast.dialogue = kept;
    struct build *mine = b;
    b = other;
    struct record r = record_of (24); /* in a batch of three */
    bad (&g, 24, &r, false);
    expect (&g, ERR_NONE, "of another dialogue");
    b = mine;
    build_free (other);
}

/* Which roster was in force decides: one without the author's key, without its
 * right, and the first, whose place is 0. */
static void keys_and_rights_of_that_roster_count (void **state) {
    (void) state;
    static const struct {
        const char *path, *value, *what;
    } cases[] = {
        { "entities[0].delegations[0].keys[0].sign", "'$other'", "is unknown" },
        { "entities[0].delegations[0].revoked", "true", "is revoked" },
        { "entities[0].delegations[0].expires", "'2026-01-01'", "is expired" },
        { "channels[0].writers", "['entity:FRONTEX']", "may not write all" },
    };
    struct build *mine = b;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct given g;
        struct roster *third = next_of (proofs.cast.roster, cases[i].path,
                                        cases[i].value, "EUROPOL FRONTEX");
        b = build_all (third);
        struct record r = record_of (24);
        bad (&g, 24, &r, true);
        g.rosters[1] = roster_octets (third);
        expect (&g, ERR_NONE, cases[i].what);
        bad (&g, 24, &r, false); /* not without its place */
        g.rosters[1] = roster_octets (third);
        expect (&g, ERR_STATE, "is not shown");
        bad (&g, 24, &r, true); /* nor where it is left out of the chain */
        g.of.roster_count = 1;
        expect (&g, ERR_STATE, "is not shown");
        build_free (b);
        roster_unref (&third);
        b = mine;
    }
    struct given g;
    struct record r = record_of (24);
    r.roster = 0; /* of the first roster, under which hq may write */
    bad (&g, 24, &r, false);
    g.of.roster_count = 1;
    expect (&g, ERR_STATE, "right are good");
}

/* A later key is no fault: whoever leaves its roster out proves nothing. */
static void a_roster_that_is_left_out_accuses_nobody (void **state) {
    (void) state;
    struct given g;
    struct error e;
    struct identity *old = proofs.cast.hq;
    proofs.cast.hq = identity_new (IDENTITY_DELEGATION, "EUROPOL/hq", &e);
    struct roster *newer =
        next_of (proofs.cast.roster, "name", "'Newer'", "EUROPOL FRONTEX");
    struct build *mine = b;
    b = build_all (newer); /* signed with the new key */
    struct record r = record_of (AT);
    bad (&g, AT, &r, false);
    g.of.roster_count = 1;
    expect (&g, ERR_STATE, "is not shown");
    bad (&g, AT, &r, true);
    g.rosters[1] = roster_octets (newer);
    expect (&g, ERR_STATE, "right are good");
    build_free (b);
    b = mine;
    roster_unref (&newer);
    identity_destroy (&proofs.cast.hq);
    proofs.cast.hq = old;
}

/* Form */

static void the_form_is_judged (void **state) {
    (void) state;
    static const struct {
        const char *path, *value;
        enum err code;
    } cases[] = {
        { "format", "'parley/evidence/2'", ERR_NEWER },
        { "format", "'parley/card/1'", ERR_MALFORMED },
        { "format", "1", ERR_MALFORMED },
        { "format", NULL, ERR_MALFORMED },
        { "kind", "'three-leaves'", ERR_NEWER },
        { "kind", "''", ERR_MALFORMED },
        { "kind", NULL, ERR_MALFORMED },
        { "dialogue", "'-'", ERR_MALFORMED },
        { "dialogue", NULL, ERR_MALFORMED },
        { "made", "-1", ERR_MALFORMED },
        { "made", "1.5", ERR_MALFORMED },
        { "made", "9007199254740992", ERR_MALFORMED },
        { "maker", "'FRONTEX'", ERR_MALFORMED },
        { "maker", "'FRONTEX/root'", ERR_MALFORMED },
        { "maker", "null", ERR_MALFORMED },
        { "rosters", "[]", ERR_MALFORMED },
        { "rosters", "null", ERR_MALFORMED },
        { "rosters[0]", "1", ERR_MALFORMED },
        { "rosters[0]", "''", ERR_MALFORMED },
        { "leaves", "[]", ERR_MALFORMED },
        { "leaves", "[1]", ERR_MALFORMED },
        { "leaves", "[{}]", ERR_MALFORMED },
        { "leaves[2]", "{}", ERR_LIMIT },
        { "leaves[0].checkpoint", "null", ERR_MALFORMED },
        { "leaves[0].checkpoint", NULL, ERR_MALFORMED },
        { "leaves[0].index", "-1", ERR_MALFORMED },
        { "leaves[0].index", "'1'", ERR_MALFORMED },
        { "leaves[0].leaf", "'00'", ERR_MALFORMED },
        { "leaves[0].record", "''", ERR_MALFORMED },
        { "leaves[0].record", "'x'", ERR_MALFORMED },
        { "leaves[0].record", "1", ERR_MALFORMED },
        { "leaves[0].record", NULL, ERR_MALFORMED },
        { "leaves[0].path", "null", ERR_MALFORMED },
        { "leaves[0].path[0]", "'00'", ERR_MALFORMED },
        { "leaves[0].path[0]", "null", ERR_MALFORMED },
        { "leaves[0].more", "1", ERR_MALFORMED },
        { "promise", "''", ERR_MALFORMED },
        { "promise", "'YWJj'", ERR_MALFORMED },
        { "promise", NULL, ERR_MALFORMED },
        { "more", "1", ERR_MALFORMED },
        { "x-more", "1", ERR_NONE },
        { "maker", "'FRONTEX/hq'", ERR_NONE },
    };
    struct given g;
    struct buf json = { 0 };
    struct error e;
    two (&g, EVIDENCE_LEAVES);
    g.of.rosters = g.rosters;
    for (size_t i = 0; i < 2; i++)
        g.of.leaves[i].checkpoint = buf_slice (&g.notes[i]);
    evidence_write (&g.of, &json);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *d = json_loadb ((char *) json.data, json.size, 0, NULL);
        fixture_set (d, cases[i].path, cases[i].value);
        char *text = json_dumps (d, 0);
        struct evidence_file *file = evidence_read (slice_text (text), &e);
        if ((file != NULL) != (cases[i].code == ERR_NONE)
            || (!file && e.code != cases[i].code))
            fail_msg ("%s %s: %s", cases[i].path, cases[i].value, e.text);
        evidence_free (&file);
        free (text);
        json_decref (d);
    }
    assert_null (evidence_read (slice_text (""), &e));
    assert_null (evidence_read (slice_text ("[]"), NULL));
    buf_add_text (&json, "x");
    assert_null (evidence_read (buf_slice (&json), &e));
    buf_clear (&json);
    buf_add_zeros (&json, EVIDENCE_MAX + 1);
    assert_null (evidence_read (buf_slice (&json), &e));
    assert_int_equal (e.code, ERR_LIMIT);
    buf_free (&json);
    end_given (&g);
    assert_string_equal (evidence_kind_name (EVIDENCE_LEAVES), "two-leaves");
    assert_string_equal (evidence_kind_name (EVIDENCE_ROOTS), "two-roots");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_form_is_judged),
        cmocka_unit_test (two_leaves_convince),
        cmocka_unit_test (one_ledger_does_not),
        cmocka_unit_test (a_log_of_the_chain_has_to_sign),
        cmocka_unit_test (the_chain_is_followed),
        cmocka_unit_test (two_roots_convince),
        cmocka_unit_test (a_broken_promise_convinces),
        cmocka_unit_test (a_promise_of_an_older_key_convinces),
        cmocka_unit_test (epochs_are_two_logs),
        cmocka_unit_test (time_that_goes_back_convinces),
        cmocka_unit_test (a_bad_record_convinces),
        cmocka_unit_test (a_message_of_another_dialogue_convinces),
        cmocka_unit_test (keys_and_rights_of_that_roster_count),
        cmocka_unit_test (a_roster_that_is_left_out_accuses_nobody),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
