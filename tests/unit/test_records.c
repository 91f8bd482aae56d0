/* records: taking blocks in, whole and in part; finding by every bound; what
 * can't be read; blocks for export. */
#include "records_fixture.h"

/* Blocks */

/* All the kinds on one channel: 20-24 of EUROPOL/hq, 25 an erasure, 26-28 of
 * EUROPOL/ec3, 29 of FRONTEX/hq. Bodies: 22 erased, 27 absent. */
static struct build *words (const char *channel) {
    struct build *b = build_new (channel);
    build_batch (b, &cast, cast.hq, NULL, 5, 0, 5, RUN_WHOLE, 0);
    build_erasure (b);
    build_batch (b, &cast, cast.ec3, NULL, 6, 2, 5, RUN_MISSING, 0);
    build_batch (b, &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    b->items[2].state = BODY_ERASED;
    b->items[7].state = BODY_ABSENT;
    return b;
}

static void block_open (const struct buf *octets, struct block *out,
                        struct block_facts *facts) {
    FINE (block_read (buf_slice (octets), out, &e));
    FINE (block_check (out, facts, &e));
}

/* Queries */

static struct records_query anything (void) {
    return (struct records_query){ .to_sequence = -1, .to_ms = -1 };
}

/* The sequences that a query gives. */
static const char *find (const struct records_query *query) {
    static char text[4000];
    struct record_row row;
    struct records_cursor *cursor = records_open (store, query, &e);
    if (!cursor)
        fail_msg ("%s", e.text);
    text[0] = '\0';
    enum err rc;
    while ((rc = records_next (cursor, &row, &e)) == ERR_NONE)
        sprintf (text + strlen (text), "%" PRId64 " ", row.record.sequence);
    assert_int_equal (rc, ERR_NOT_FOUND);
    records_close (&cursor);
    return text;
}

/* Four blocks, by arrival: `all` at 100, `core` at 20, a roster, a mark and an
 * ad-hoc channel. */
static void many (void) {
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    build_batch (b, &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 100, BUILD_TIME + 1000);
    b = build_new ("core");
    build_batch (b, &cast, cast.ec3, NULL, 2, 0, 2, RUN_WHOLE, 0);
    build_erasure (b);
    add_build (b, 20, BUILD_TIME);
    b = build_new ("$log");
    build_roster (b, cast.roster);
    add_build (b, 30, BUILD_TIME + 100);
    b = build_new ("$log");
    build_mark (b, cast.roster);
    add_build (b, 31, BUILD_TIME + 100);
    b = build_new ("@EUROPOL+FRONTEX");
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    add_build (b, 110, BUILD_TIME + 2000);
}

static void test_queries (void **state) {
    (void) state;
    static const struct {
        const char *filter;
        bool log;
        const char *author;
        int64_t after, from, to, from_ms, to_ms;
        bool by_sequence;
        int64_t limit;
        const char *want;
    } table[] = {
        { NULL, false, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 102 20 21 110 111 " },
        { "#", true, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 102 20 21 22 30 31 110 111 " },
        { NULL, true, NULL, 0, 0, -1, 0, -1, true, 0,
          "20 21 22 30 31 100 101 102 110 111 " },
        { NULL, true, NULL, 3, 0, -1, 0, -1, true, 4, "20 21 22 30 " },
        { NULL, false, NULL, 4, 0, -1, 0, -1, false, 2, "21 110 " },
        { NULL, true, NULL, 0, 21, 31, 0, -1, false, 0, "21 22 30 31 " },
        { NULL, true, NULL, 0, 21, 31, 0, -1, true, 0, "21 22 30 31 " },
        { NULL, true, NULL, 0, 0, -1, BUILD_TIME + 1, BUILD_TIME + 1000, false,
          0, "100 101 102 30 31 " },
        { NULL, true, NULL, 0, 0, -1, BUILD_TIME + 1, BUILD_TIME + 1000, true,
          0, "30 31 100 101 102 " },
        { NULL, true, NULL, 0, 0, -1, BUILD_TIME + 9999, -1, false, 0, "" },
        { NULL, true, NULL, 0, 0, -1, BUILD_TIME + 2000, -1, true, 0,
          "110 111 " },
        { NULL, true, "EUROPOL/hq", 0, 0, -1, 0, -1, false, 0,
          "100 101 110 111 " },
        { NULL, false, "EUROPOL", 0, 0, -1, 0, -1, true, 0,
          "20 21 100 101 110 111 " },
        { NULL, false, "EUROPO", 0, 0, -1, 0, -1, true, 0, "" },
        { "all/#", false, NULL, 0, 0, -1, 0, -1, false, 0, "100 101 102 " },
        { "all/#", false, NULL, 1, 0, -1, 0, -1, true, 0, "101 102 " },
        { "all/#", true, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 102 22 30 31 " },
        { "all/note/#", false, NULL, 0, 101, -1, 0, -1, false, 0, "101 102 " },
        { "all/not/#", false, NULL, 0, 0, -1, 0, -1, false, 0, "" },
        { "all/note/EUROPOL/#", false, NULL, 0, 0, -1, 0, -1, true, 0,
          "100 101 " },
        { "all/note/EUROPOL/hq", false, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 " },
        { "all/note/EUROPOL/hq", false, NULL, 1, 0, -1, 0, -1, true, 0,
          "101 " },
        { "all/note/EUROPOL/hq/#", false, NULL, 0, 0, -1, 0, -1, true, 0,
          "100 101 " },
        { "all/note/EUROPOL", false, NULL, 0, 0, -1, 0, -1, false, 0, "" },
        { "all/+/+/hq", false, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 102 " },
        { "all/note/+/hq", false, "FRONTEX", 0, 0, -1, 0, -1, false, 0,
          "102 " },
        { "+/note/EUROPOL/hq", false, NULL, 0, 0, -1, 0, -1, false, 0,
          "100 101 110 111 " },
        { "@EUROPOL+FRONTEX/#", false, NULL, 0, 0, -1, 0, -1, false, 0,
          "110 111 " },
        { "all", false, NULL, 0, 0, -1, 0, -1, false, 0, "" },
        { "al/#", false, NULL, 0, 0, -1, 0, -1, false, 0, "" },
    };
    many();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct records_query q = {
            .filter = table[i].filter,
            .log = table[i].log,
            .author = table[i].author,
            .after = table[i].after,
            .from_sequence = table[i].from,
            .to_sequence = table[i].to,
            .from_ms = table[i].from_ms,
            .to_ms = table[i].to_ms,
            .by_sequence = table[i].by_sequence,
            .limit = table[i].limit,
        };
        const char *found = find (&q);
        if (strcmp (found, table[i].want) != 0)
            fail_msg ("%zu: '%s', not '%s'", i, found, table[i].want);
    }
}

static void test_bad_arguments (void **state) {
    (void) state;
    struct records_query q = anything();
    q.filter = "a/#/b";
    assert_null (records_open (store, &q, &e));
    assert_int_equal (e.code, ERR_MALFORMED);
    q.filter = NULL;
    q.author = "EUROPOL/";
    assert_null (records_open (store, &q, &e));
    assert_int_equal (e.code, ERR_MALFORMED);
    struct records_cursor *none = NULL;
    records_close (&none);
    records_close (NULL);
    struct record_row row;
    struct hash id = { { 1 } };
    assert_null (records_by_sequence (store, 0, &row, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_null (records_by_id (store, &id, &row, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
}

static void test_empty (void **state) {
    (void) state;
    int64_t time = 7;
    assert_int_equal (records_count (store), 0);
    assert_int_equal (records_last_position (store), 0);
    assert_int_equal (records_highest (store, &time), -1);
    assert_int_equal (time, 0);
    assert_int_equal (records_stream_upto (store, "all"), 0);
    struct records_query q = anything();
    assert_string_equal (find (&q), "");
    q.from_ms = 5;
    assert_string_equal (find (&q), "");
}

static void test_streams (void **state) {
    (void) state;
    FINE (records_set_upto (store, "all", 12, &e));
    FINE (records_set_upto (store, "$log", 3, &e));
    FINE (records_set_upto (store, "all", 40, &e));
    store_reopen();
    assert_int_equal (records_stream_upto (store, "all"), 40);
    assert_int_equal (records_stream_upto (store, "$log"), 3);
    assert_int_equal (records_stream_upto (store, "core"), 0);
}

/* Rows */

static void test_rows (void **state) {
    (void) state;
    struct build *b = words ("all");
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    int64_t time;
    build_finish (b, &octets);
    block_open (&octets, &block, &facts);
    assert_int_equal (add_block (&block), 10);
    store_reopen();
    assert_int_equal (records_count (store), 10);
    assert_int_equal (records_highest (store, &time), 29);
    assert_int_equal (time, facts.last_time);
    struct records_query q = anything();
    q.log = true;
    struct records_cursor *cursor = records_open (store, &q, &e);
    struct record_row row, one;
    struct block_walk walk;
    block_walk (&block, &walk);
    for (int i = 0; i < 10; i++) {
        FINE (records_next (cursor, &row, &e));
        assert_true (block_next (&walk));
        struct hash leaf = record_leaf (walk.record);
        assert_int_equal (row.position, i + 1);
        assert_true (hash_equal (&row.leaf, &leaf));
        assert_true (slice_equal (row.record.octets, walk.record));
        assert_int_equal (row.body_state, walk.state);
        assert_true (row.readable);
        assert_string_equal (row.why, "");
        bool present = walk.state == BODY_PRESENT;
        assert_true (present ? slice_equal (row.body, walk.body)
                             : row.body.size == 0);
        bool message = row.record.type == RECORD_MESSAGE;
        assert_int_equal (message, row.message.octets.size > 0);
        struct records_cursor *by =
            records_by_sequence (store, BUILD_FIRST + i, &one, &e);
        assert_non_null (by);
        assert_true (hash_equal (&one.leaf, &leaf));
        records_close (&by);
        by = message ? records_by_id (store, &row.message.id, &one, &e) : NULL;
        assert_int_equal (message, by != NULL);
        if (by)
            assert_int_equal (one.position, row.position);
        records_close (&by);
    }
    assert_int_equal (records_next (cursor, &row, &e), ERR_NOT_FOUND);
    records_close (&cursor);
    buf_free (&octets);
    build_free (b);
}

/* A cursor that lives on while the store changes, past several pages. */
static void test_cursor_and_writer (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 256, 0, 256, RUN_WHOLE, 0);
    add_build (b, 1000, BUILD_TIME);
    b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 256, 0, 256, RUN_WHOLE, 0);
    add_build (b, 2000, BUILD_TIME);
    struct store *reader = store_open_reader (store_path, &e);
    assert_non_null (reader);
    struct records_query q = anything();
    q.filter = "all/note/EUROPOL/hq";
    struct records_cursor *cursor = records_open (reader, &q, &e);
    struct record_row row;
    for (int i = 0; i < 300; i++)
        FINE (records_next (cursor, &row, &e));
    assert_int_equal (row.record.sequence, 2043);
    assert_int_equal (row.position, 300);
    /* No read transaction is open: the log can be emptied. */
    sqlite3_stmt *s = store_prepare (store, "PRAGMA wal_checkpoint (TRUNCATE)");
    FINE (store_row (store, s, "checkpoint", &e));
    assert_int_equal (sqlite3_column_int (s, 0), 0);
    sqlite3_reset (s);
    b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 3000, BUILD_TIME);
    int more = 0;
    enum err rc;
    while ((rc = records_next (cursor, &row, &e)) == ERR_NONE)
        more++;
    assert_int_equal (rc, ERR_NOT_FOUND);
    assert_int_equal (more, 213);
    b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 4000, BUILD_TIME);
    FINE (records_next (cursor, &row, &e));
    assert_int_equal (row.record.sequence, 4000);
    records_close (&cursor);
    store_close (&reader);
}

/* Parts */

static const char *stored_blocks (void) {
    static char text[400];
    text[0] = '\0';
    sqlite3_stmt *s = store_prepare (
        store, "SELECT first_sequence, count, direct_first FROM blocks"
               " ORDER BY block");
    while (store_row (store, s, "blocks", &e) == ERR_NONE)
        sprintf (text + strlen (text), "%d+%d/%d ", sqlite3_column_int (s, 0),
                 sqlite3_column_int (s, 1), sqlite3_column_int (s, 2));
    return text;
}

static void add_part (const struct block *whole, size_t from, size_t count) {
    struct block_writer *writer = block_writer_new();
    struct buf octets = { 0 };
    struct block part;
    FINE (block_cut (whole, from, count, writer, &octets, &e));
    FINE (block_read (buf_slice (&octets), &part, &e));
    assert_int_equal (add_block (&part), count);
    block_writer_destroy (&writer);
    buf_free (&octets);
}

static enum err prove (void *arg, int64_t direct_first, struct slice octets,
                       struct error *why) {
    struct block block;
    struct block_facts facts;
    enum err rc = block_read (octets, &block, why);
    if (!rc)
        rc = block_check (&block, &facts, why);
    if (!rc)
        rc = block_verify (&block, &cast.dialogue, cast.roster, why);
    if (rc)
        return rc;
    sprintf ((char *) arg + strlen (arg), "%d+%d/%d ",
             (int) block.first_sequence, (int) block.count, (int) direct_first);
    return records_last_position (store) == 10 ? ERR_NONE : ERR_STATE;
}

static const char *exported (int64_t from, int64_t to) {
    static char text[400];
    text[0] = '\0';
    FINE (records_blocks (store, from, to, prove, text, &e));
    return text;
}

static void test_some_are_held (void **state) {
    (void) state;
    struct build *b = words ("all");
    struct buf octets = { 0 };
    struct block whole;
    struct block_facts facts;
    build_finish (b, &octets);
    block_open (&octets, &whole, &facts);
    add_part (&whole, 2, 2);
    add_part (&whole, 7, 1);
    records_direct_first (store, 300);
    assert_int_equal (add_block (&whole), 7);
    assert_string_equal (stored_blocks(),
                         "22+2/0 27+1/0 20+2/300 24+3/304 28+2/308 ");
    records_direct_first (store, 300);
    assert_int_equal (add_block (&whole), 0);
    assert_int_equal (records_count (store), 10);
    /* What is left of each part still proves itself. */
    assert_string_equal (exported (0, -1),
                         "20+2/300 22+2/0 24+3/304 27+1/0 28+2/308 ");
    assert_string_equal (exported (23, 24), "22+2/0 24+3/304 ");
    assert_string_equal (exported (26, 26), "24+3/304 ");
    assert_string_equal (exported (30, -1), "");
    assert_string_equal (exported (0, 19), "");
    struct records_query q = anything();
    q.log = true;
    assert_string_equal (find (&q), "22 23 27 20 21 24 25 26 28 29 ");
    q.by_sequence = true;
    assert_string_equal (find (&q), "20 21 22 23 24 25 26 27 28 29 ");
    buf_free (&octets);
    build_free (b);
}

static void test_direct_first (void **state) {
    (void) state;
    struct build *b = words ("@EUROPOL+FRONTEX");
    struct buf octets = { 0 };
    struct block whole;
    struct block_facts facts;
    build_finish (b, &octets);
    block_open (&octets, &whole, &facts);
    records_direct_first (store, 41);
    assert_int_equal (add_block (&whole), 10);
    assert_string_equal (stored_blocks(), "20+10/41 ");
    b->channel = "all"; /* it went with that block alone */
    build_free (b);
    b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 50, BUILD_TIME);
    assert_string_equal (stored_blocks(), "20+10/41 50+1/0 ");
    buf_free (&octets);
}

static void test_contradiction (void **state) {
    (void) state;
    struct build *b = words ("all");
    add_build (b, 20, BUILD_TIME);
    b = words ("all"); /* other salts: other messages at the same places */
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    int64_t added;
    build_finish (b, &octets);
    block_open (&octets, &block, &facts);
    assert_int_equal (try_add (&block, &added), ERR_CHAIN);
    assert_non_null (strstr (e.text, "record 20 "));
    assert_int_equal (records_count (store), 10);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM blocks"), 1);
    buf_free (&octets);
    build_free (b);
}

/* What can't be read */

/* Put one record whose element n is other octets. */
static void add_odd (int64_t sequence, size_t element, const char *hex) {
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct block_writer *writer = block_writer_new();
    struct block block;
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    place_at (b, sequence, BUILD_TIME);
    record_put (&b->items[0].record, element, hex);
    for (size_t i = 11; element == 1 && i <= 13; i++)
        record_put (&b->items[0].record, i, "c0"); /* only messages have them */
    block_begin (writer, sequence);
    if (element != 1)
        block_run (writer, RUN_WHOLE, NULL, 0);
    assert_true (block_add (writer, buf_slice (&b->items[0].record),
                            buf_slice (&b->items[0].body), BODY_PRESENT));
    block_finish (writer, &octets);
    FINE (block_read (buf_slice (&octets), &block, &e));
    assert_int_equal (add_block (&block), 1);
    block_writer_destroy (&writer);
    buf_free (&octets);
    build_free (b);
}

static void row_is (int64_t sequence, bool readable, const char *why) {
    struct record_row row;
    struct records_cursor *c = records_by_sequence (store, sequence, &row, &e);
    if (!c)
        fail_msg ("%s", e.text);
    assert_int_equal (row.readable, readable);
    if (!strstr (row.why, why))
        fail_msg ("%d: '%s'", (int) sequence, row.why);
    assert_true (slice_is (row.record.channel, "all"));
    records_close (&c);
}

static void test_unreadable (void **state) {
    (void) state;
    add_odd (10, 0, "02");        /* format */
    add_odd (11, 1, "09");        /* type */
    add_odd (12, 14, "8102a178"); /* extension key */
    add_odd (13, 14, "8103a178"); /* an odd one may be passed over */
    row_is (10, false, "format 2");
    row_is (11, false, "type 9");
    row_is (12, false, "extension key 2");
    row_is (13, true, "");
    struct records_query q = anything();
    assert_string_equal (find (&q), "10 11 12 13 ");
    q.filter = "all/#";
    assert_string_equal (find (&q), "10 11 12 13 ");
    q.filter = "all/note/#";
    assert_string_equal (find (&q), "13 ");
    q.filter = "+/#";
    assert_string_equal (find (&q), "10 11 12 13 ");
}

/* Put one message whose header's prefix has another element. */
static void add_header (int64_t sequence, size_t element, const char *hex) {
    struct build *b = build_new ("all");
    struct buf old = { 0 }, body = { 0 }, prefix = { 0 }, header = { 0 };
    static const uint8_t signature[SIGNATURE_SIZE] = { 1 };
    struct mp in;
    build_message (&cast, b, cast.hq, 1, 0, &old, &body);
    mp_start (&in, buf_slice (&old));
    mp_array (&in, 3, 3);
    buf_add_slice (&prefix, mp_any (&in));
    record_put (&prefix, element, hex);
    mp_put_array (&header, 3);
    buf_add_slice (&header, buf_slice (&prefix));
    buf_add (&header, in.at, (size_t) (in.end - in.at));
    struct record r = build_place (b, RECORD_MESSAGE);
    r.payload = buf_slice (&header);
    r.batch_size = 1;
    r.signature = signature;
    build_item (b, &r, buf_slice (&body), b->run_count);
    b->runs[b->run_count++].kind = RUN_WHOLE;
    assert_int_equal (add_build (b, sequence, BUILD_TIME), 1);
    buf_free (&old);
    buf_free (&body);
    buf_free (&prefix);
    buf_free (&header);
}

static void test_unreadable_messages (void **state) {
    (void) state;
    add_header (10, 0, "02");
    add_header (11, 12, "8102a178");
    add_header (12, 11,
                "c420000102030405060708090a0b0c0d0e0f"
                "101112131415161718191a1b1c1d1e1f");
    add_header (13, 12, "8103a178");
    row_is (10, false, "NEWER-FORMAT format=2");
    row_is (11, false, "EXTENSION key=2");
    row_is (12, false, "SEALING");
    row_is (13, true, "");
    struct records_query q = anything();
    q.filter = "all/note/#"; /* of a newer format no topic is known */
    assert_string_equal (find (&q), "11 12 13 ");
    struct record_row row;
    struct records_cursor *c = records_by_sequence (store, 10, &row, &e);
    assert_non_null (c);
    struct hash id = row.message.id;
    records_close (&c);
    c = records_by_id (store, &id, &row, &e);
    assert_non_null (c);
    assert_int_equal (row.record.sequence, 10);
    records_close (&c);
}

/* What this build can't cut is kept whole. */
static void test_newer_is_not_cut (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct block whole;
    struct block_facts facts;
    struct build *one = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 3, 0, 3, RUN_WHOLE, 0);
    for (size_t i = 0; i < 3; i++)
        record_put (&b->items[i].record, 0, "02");
    build_finish (b, &octets);
    block_open (&octets, &whole, &facts);
    one->items[0] = b->items[0];
    one->count = 1;
    one->runs[0].kind = RUN_MISSING;
    memset (one->runs[0].hashes, 7, 2 * sizeof *one->runs[0].hashes);
    one->runs[0].count = 2;
    struct buf part = { 0 };
    struct block block;
    build_finish (one, &part);
    FINE (block_read (buf_slice (&part), &block, &e));
    assert_int_equal (add_block (&block), 1);
    assert_int_equal (add_block (&whole), 2);
    assert_string_equal (stored_blocks(), "20+1/0 20+3/0 ");
    struct records_query q = anything();
    assert_string_equal (find (&q), "20 21 22 ");
    row_is (22, false, "format 2");
    buf_free (&octets);
    buf_free (&part);
    one->count = 0;
    build_free (one);
    build_free (b);
}

/* A store that was changed behind our back. */
static void test_damaged (void **state) {
    (void) state;
    static const char *const changes[] = {
        "UPDATE blocks SET octets = zeroblob (length (octets))",
        "UPDATE blocks SET octets = substr (octets, 1, 40)",
        "UPDATE records SET place = 9999 WHERE position = 1",
        "UPDATE records SET place = 1 WHERE position = 1",
        "UPDATE records SET block = 99 WHERE position = 1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        add_build (words ("all"), 20 + 100 * (int64_t) i, BUILD_TIME);
        FINE (store_begin (store, &e));
        FINE (
            store_done (store, store_prepare (store, changes[i]), "test", &e));
        struct records_query q = anything();
        struct records_cursor *c = records_open (store, &q, &e);
        struct record_row row;
        assert_non_null (c);
        for (int again = 0; again < 2; again++)
            assert_int_equal (records_next (c, &row, &e), ERR_DAMAGED);
        records_close (&c);
        store_rollback (store);
    }
}

static void test_full_store (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    int64_t added;
    build_batch (b, &cast, cast.hq, NULL, 20, 0, 20, RUN_WHOLE, 3000);
    build_finish (b, &octets);
    block_open (&octets, &block, &facts);
    store_full (true);
    assert_int_equal (try_add (&block, &added), ERR_NO_SPACE);
    assert_int_equal (records_count (store), 0);
    store_full (false);
    assert_int_equal (add_block (&block), 20);
    buf_free (&octets);
    build_free (b);
}

/* Those about plans and threads, whatever stands between them: by the second level
 * of the topic, and nothing else. */
static void about_fill (void) {
    static const struct {
        const char *channel, *topic;
    } lines[] = {
        { "all", "all/plan/FRONTEX/FRONTEX-p" },
        { "all", "all/plans/FRONTEX/FRONTEX-p" },
        { "all", "all/note/plan/FRONTEX-p" },
        { "core", "core/annex/FRONTEX/FRONTEX-p" },
        { "all", "all/report/FRONTEX/FRONTEX-p" },
        { "all", "all/hidden/x" },
        { "all", "all/overlap" },
        { "core", "core/taxonomy/change" },
        { "all", "all/pla/n" },
        { "all", "all/align/FRONTEX/FRONTEX-a" },
        { "all", "all/meetings/FRONTEX/FRONTEX-m" },
        { "core", "core/ack/FRONTEX" },
        { "all", "all/file/FRONTEX/x" },
        { "all", "all/request" },
    };
    struct buf body = { 0 };
    buf_add_text (&body, "0123456789abcdefwords");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct build *b = build_new (lines[i].channel);
        build_body (b, lines[i].topic, BODY_TEXT, buf_slice (&body));
        add_build (b, 200 - (int64_t) i, BUILD_TIME);
    }
    buf_free (&body);
}

static void assert_about (const char *channel, int64_t after,
                          const char *want) {
    char text[200] = "";
    struct record_row row;
    struct records_cursor *cursor =
        records_about_plans (store, channel, after, &e);
    assert_non_null (cursor);
    while (records_next (cursor, &row, &e) == ERR_NONE)
        sprintf (text + strlen (text), "%" PRId64 " ", row.record.sequence);
    assert_string_equal (text, want);
    records_close (&cursor);
}

static void test_about_plans (void **state) {
    (void) state;
    assert_null (records_about_plans (store, "a b", 0, &e));
    assert_about (NULL, 0, "");
    many();
    int64_t before = records_last_position (store);
    about_fill();
    assert_about (NULL, 0, "200 197 196 195 194 193 191 189 187 ");
    assert_about (NULL, before + 1, "197 196 195 194 193 191 189 187 ");
    assert_about ("core", 0, "197 193 189 ");
    assert_about ("core", before + 4, "193 189 ");
    assert_about ("cor", 0, "");
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_bad_arguments),
        T (test_empty),
        T (test_streams),
        T (test_queries),
        T (test_rows),
        T (test_cursor_and_writer),
        T (test_some_are_held),
        T (test_direct_first),
        T (test_contradiction),
        T (test_unreadable),
        T (test_unreadable_messages),
        T (test_newer_is_not_cut),
        T (test_damaged),
        T (test_full_store),
        T (test_about_plans),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
