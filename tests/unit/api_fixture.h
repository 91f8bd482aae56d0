/* The API over a filled store, and a link that is what a test says.
 *
 * Sequences: 30, 31 roster and mark; 100-102 two of EUROPOL/hq and one of
 * FRONTEX/hq on `all`; 110-111 ad hoc; 120-124 of every format, right and
 * wrong. Positions count in this order from 1 (12 in all). */
#ifndef PARLEY_API_FIXTURE_H
#define PARLEY_API_FIXTURE_H

#include "records_fixture.h"

#include "api/http.h"
#include "link/link.h"
#include "store/checkpoints.h"
#include "store/hashes.h"
#include "store/outbox.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define API_RECORDS 12

/* Stands in the place of the real one: the linker takes these first. */
struct link {
    struct link_status status;
    struct roster *roster;
    atomic_int wakes, retries, resumes;
};
static struct link fake_link;
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

void link_status (struct link *self, struct link_status *out) {
    pthread_mutex_lock (&fake_lock);
    *out = self->status;
    pthread_mutex_unlock (&fake_lock);
}

struct roster *link_roster (struct link *self, int64_t *sequence) {
    *sequence = 30;
    return self->roster ? roster_ref (self->roster) : NULL;
}

void link_wake (struct link *self) {
    self->wakes++;
}

void link_retry (struct link *self) {
    self->retries++;
}

void link_resume (struct link *self) {
    self->resumes++;
}

FIXTURE_UNUSED static void fake_link_begin (void) {
    fake_link = (struct link){
        .status = { .phase = LINK_READY,
                    .since_ms = BUILD_TIME,
                    .desk = "tcp://127.0.0.1:7001",
                    .run = "00112233445566778899aabbccddeeff",
                    .has_offset = true,
                    .clock_offset_ms = -12,
                    .broker_size = 125,
                    .broker_log_time = BUILD_TIME,
                    .ledger = { .size = 125,
                                .verified = 125,
                                .settled = 125,
                                .settled_time = BUILD_TIME,
                                .cosigned = 2,
                                .needed = 2,
                                .witnesses = 2,
                                .witness = true,
                                .cosigned_size = 125,
                                .current = true },
                    .complete = { .mark = 31, .time = BUILD_TIME },
                    .stream_count = 2,
                    .streams = { { "$log", 2, 2, BUILD_TIME },
                                 { "all", 8, 9, 0 } } },
        .roster = cast.roster,
    };
}

/* Filling */

static void body_of (struct buf *out, const void *content, size_t size) {
    buf_clear (out);
    buf_add (out, "0123456789abcdef", BODY_SALT);
    buf_add (out, content, size);
}

static void fill_formats (void) {
    struct buf body = { 0 };
    struct build *b = build_new ("all");
    body_of (&body,
             "\x82\xa1"
             "a\x01\xa1"
             "b\x92\xc3\xc0",
             9); /* {"a": 1, "b": [true, null]} */
    build_body (b, "all/plan/FRONTEX/P1", BODY_MAP, buf_slice (&body));
    body_of (&body,
             "\x81\xa1"
             "a",
             3); /* cut short */
    build_body (b, "all/plan/FRONTEX/P2", BODY_MAP, buf_slice (&body));
    body_of (&body, "\xff\xfe", 2);
    build_body (b, "all/note/FRONTEX/T", BODY_TEXT, buf_slice (&body));
    body_of (&body, "\x00\xff", 2);
    build_body (b, "all/file/FRONTEX/O", BODY_OCTETS, buf_slice (&body));
    body_of (&body, "no note", 7);
    build_body (b, "all/file/FRONTEX/N", BODY_NOTE, buf_slice (&body));
    add_build (b, 120, BUILD_TIME + 3000);
    buf_free (&body);
}

static void fill_records (void) {
    struct build *b = build_new ("$log");
    build_roster (b, cast.roster);
    add_build (b, 30, BUILD_TIME);
    b = build_new ("$log");
    build_mark (b, cast.roster);
    add_build (b, 31, BUILD_TIME);
    b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    build_batch (b, &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 100, BUILD_TIME + 1000);
    records_direct_first (store, 4);
    b = build_new ("@EUROPOL+FRONTEX");
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    b->items[1].state = BODY_ERASED;
    add_build (b, 110, BUILD_TIME + 2000);
    fill_formats();
}

/* The tree over all 125 records, most of which are not held, and a checkpoint of
 * it that both witnesses cosigned. */
static void fill_ledger (void) {
    struct hash leaves[125];
    struct buf note = { 0 };
    struct checkpoint cp = { .size = 125 };
    for (int64_t i = 0; i < 125; i++) {
        struct record_row row;
        struct records_cursor *cursor =
            records_by_sequence (store, i, &row, &e);
        leaves[i] = cursor ? row.leaf : hash_leaf (slice_of (&i, sizeof i));
        records_close (&cursor);
    }
    cp.root = tree_root_of (leaves, 125);
    checkpoint_origin (cast.roster, cp.origin);
    checkpoint_sign (&cp, cast.broker, &note);
    checkpoint_cosign (&cp, cast.hq, BUILD_TIME / 1000 + 5, &note);
    checkpoint_cosign (&cp, cast.frontex, BUILD_TIME / 1000 + 6, &note);
    FINE (store_begin (store, &e));
    enum err rc = hashes_add (store, HASHES_LEDGER, leaves, 125, &e);
    if (!rc)
        rc = checkpoints_verify (store, &cp, buf_slice (&note), &e);
    if (!rc)
        rc = checkpoints_settle (store, &cp, BUILD_TIME + 6000, 1, false,
                                 buf_slice (&note), &e);
    FINE (store_end (store, rc, &e));
    buf_free (&note);
}

static int64_t post_one (const char *topic, const char *text) {
    int64_t number;
    bool repeated;
    FINE (outbox_add (store, NULL, slice_text (topic), BODY_TEXT,
                      slice_text (text), NULL, 0, &number, &repeated, &e));
    return number;
}

/* The first is promised at 100 as the record there, the second refused. */
static void fill_outbox (void) {
    struct record_row row;
    struct records_cursor *cursor = records_by_sequence (store, 100, &row, &e);
    assert_non_null (cursor);
    struct outbox_form form = { post_one ("all/note/a", "promised"),
                                row.message.id, row.message.octets };
    FINE (outbox_sending (store, &form, 1, &e));
    struct promise promise = { .epoch = 1, .log_time = BUILD_TIME };
    struct promise_accepted accepted = { 0, row.message.id, 100, row.leaf };
    promise_sign (&promise, cast.broker, &cast.dialogue, &accepted, 1, NULL, 0);
    FINE (outbox_promised (store, &promise, &accepted, 1, &e));
    records_close (&cursor);

    struct outbox_form refused = { post_one ("all/note/b", "refused"),
                                   hash_leaf (slice_text ("header")),
                                   slice_text ("header") };
    FINE (outbox_sending (store, &refused, 1, &e));
    struct refusal why;
    refusal_set (&why, RULE_TOPICS);
    refusal_text (&why, "channel", "all");
    refusal_int (&why, "limit", 65536);
    FINE (outbox_refused (store, &refused.id, &why, true, slice_text ("proof"),
                          &e));
    post_one ("all/note/c", "waiting");
}

FIXTURE_UNUSED static void api_fill (void) {
    FINE (store_add_roster (store, 1, 30, roster_octets (cast.roster), &e));
    fill_records();
    fill_outbox();
    fill_ledger();
    FINE (store_notice (store, "RESTORED", false, "a new lane",
                        slice_text ("what came"), &e));
}

/* Starting */

static char api_socket[400], api_token_file[400];
#define API_TOKEN "0123456789abcdef0123456789abcdef"

static struct http_options api_options (void) {
    snprintf (api_socket, sizeof api_socket, "%s/run/api.sock", store_dir);
    snprintf (api_token_file, sizeof api_token_file, "%s/token", store_dir);
    return (struct http_options){ .socket = api_socket,
                                  .tcp = "127.0.0.1:0",
                                  .token_file = api_token_file,
                                  .store = store_path,
                                  .delegation = "EUROPOL/hq",
                                  .dialogue = &cast.dialogue };
}

FIXTURE_UNUSED static void api_token_write (const char *text, mode_t mode) {
    FILE *f = fopen (api_token_file, "w");
    assert_non_null (f);
    fputs (text, f);
    fclose (f);
    assert_int_equal (chmod (api_token_file, mode), 0);
}

#endif
