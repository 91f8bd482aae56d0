/* Refusals: kept over a restart, numbered and bounded for each delegation, and
 * never in the way. */
#include "refusals.h"

#include "base/disk.h"
#include "base/log.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME INT64_C (1767225600000)

static char dir[64];

static int begin (void **state) {
    (void) state;
    snprintf (dir, sizeof dir, "/tmp/parley-refusals-XXXXXX");
    log_set_level (LOG_ERROR);
    return mkdtemp (dir) ? 0 : -1;
}

static const char *file (const char *name) {
    static char path[128];
    snprintf (path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int end (void **state) {
    (void) state;
    static const char *const files[] = { "refusals/EUROPOL.hq",
                                         "refusals/EUROPOL.hq.old",
                                         "refusals/FRONTEX.hq",
                                         "refusals/FRONTEX.hq.old" };
    for (size_t i = 0; i < 4; i++)
        (void) unlink (file (files[i]));
    (void) rmdir (file ("refusals"));
    return rmdir (dir);
}

static struct refusals *open_it (void) {
    struct error e = { 0 };
    struct refusals *self = refusals_open (dir, &e);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

static int mute (void) {
    int saved = dup (2);
    assert_true (freopen ("/dev/null", "w", stderr) != NULL);
    return saved;
}

static void unmute (int saved) {
    fflush (stderr);
    dup2 (saved, 2);
    close (saved);
}

static struct identity *broker;
static const struct hash dialogue = { { 7 } };

/* A reply with `count` refusals; ids begin with `mark`, values have some
 * `fill` octets each. */
static void add_filled (struct refusals *self, const char *connection,
                        const char *author, uint8_t mark, size_t count,
                        size_t fill) {
    static char text[401];
    memset (text, 'x', 400);
    struct promise promise = { .epoch = 1, .log_time = TIME + mark };
    struct promise_refused *all = mem_alloc (count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i].index = (int) i;
        all[i].id = (struct hash){ { mark, (uint8_t) i } };
        refusal_set (&all[i].refusal, RULE_NOT_A_WRITER);
        refusal_text (&all[i].refusal, "author", text + 400 - fill);
    }
    promise_sign (&promise, broker, &dialogue, NULL, 0, all, count);
    refusals_add (self, connection, slice_text (author), &promise, all, count);
    free (all);
}

static void add (struct refusals *self, const char *connection, uint8_t mark,
                 size_t count) {
    add_filled (self, connection, "EUROPOL/hq", mark, count, 3);
}

/* What a list says, as "number:mark.index ", its proofs checked. */
static void show (void *arg, const struct wire_refusal *one) {
    struct promise promise;
    struct promise_refused *all;
    size_t count;
    assert_int_equal (
        refusal_proof_read (one->proof, &promise, &all, &count, NULL), 0);
    assert_true (promise_signed (&promise, &dialogue,
                                 identity_public (broker, KEY_DESK)));
    assert_int_equal (one->log_time, TIME + one->id.octets[0]);
    assert_int_equal (promise.log_time, one->log_time);
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= hash_equal (&all[i].id, &one->id);
    assert_true (found);
    assert_int_equal (one->refusal.rule, RULE_NOT_A_WRITER);
    free (all);
    buf_add_format (arg, "%" PRId64 ":%u.%u ", one->number, one->id.octets[0],
                    one->id.octets[1]);
}

static void show_rule (void *arg, const struct wire_refusal *one) {
    buf_add_format (arg, "%" PRId64 ":%s ", one->number, one->refusal.name);
}

static const char *list (struct refusals *self, const char *delegation,
                         int64_t from, size_t most) {
    static struct buf text;
    struct buf items = { 0 }, frame = { 0 };
    struct error e;
    size_t count = refusals_list (self, delegation, from, most, &items);
    wire_refusals_begin (&frame, count);
    buf_add_slice (&frame, buf_slice (&items));
    buf_clear (&text);
    if (wire_refusals_read (buf_slice (&frame), show, &text, &e))
        fail_msg ("%s", e.text);
    buf_add_u8 (&text, 0);
    buf_free (&items);
    buf_free (&frame);
    return (const char *) text.data;
}

static void test_open (void **state) {
    (void) state;
    struct error e;
    assert_null (refusals_open ("/nowhere/at/all", &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_null (refusals_open ("/nowhere/at/all", NULL));
    struct refusals *self = NULL;
    refusals_close (&self);
    refusals_close (NULL);
    self = open_it();
    assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "");
    refusals_close (&self);
    assert_null (self);
    assert_int_equal (rmdir (file ("refusals")), 0);
    int fd = disk_open (file ("refusals"), DISK_WRITE | DISK_CREATE, NULL);
    disk_close (&fd);
    assert_null (refusals_open (dir, &e)); /* no folder */
    assert_int_equal (unlink (file ("refusals")), 0);
}

static void test_list (void **state) {
    (void) state;
    struct refusals *self = open_it();
    for (int round = 0; round < 2; round++) {
        if (round == 0) {
            add (self, "EUROPOL/hq", 1, 3);
            add (self, "FRONTEX/hq", 2, 1);
            add_filled (self, "EUROPOL/hq", "", 3, 2, 0);
        } else { /* the same after a restart */
            refusals_close (&self);
            self = open_it();
        }
        assert_string_equal (list (self, "EUROPOL/hq", 1, 256),
                             "1:1.0 2:1.1 3:1.2 4:3.0 5:3.1 ");
        assert_string_equal (list (self, "EUROPOL/hq", 2, 3),
                             "2:1.1 3:1.2 4:3.0 ");
        assert_string_equal (list (self, "EUROPOL/hq", 4, 1), "4:3.0 ");
        assert_string_equal (list (self, "EUROPOL/hq", 6, 256), "");
        assert_string_equal (list (self, "EUROPOL/hq", 1, 0), "");
        assert_string_equal (list (self, "FRONTEX/hq", 1, 256), "1:2.0 ");
        assert_string_equal (list (self, "EUROPOL/h", 1, 256), "");
    }
    add (self, "EUROPOL/hq", 4, 1); /* numbers go on */
    assert_string_equal (list (self, "EUROPOL/hq", 5, 256), "5:3.1 6:4.0 ");
    refusals_close (&self);
}

/* Any octet changed, or any end cut off: what stands before stays. */
static void test_damage (void **state) {
    (void) state;
    struct refusals *self = open_it();
    add (self, "EUROPOL/hq", 1, 1);
    uint64_t first = 0, size = 0;
    int fd = disk_open (file ("refusals/EUROPOL.hq"), DISK_WRITE, NULL);
    assert_int_equal (disk_size (fd, &first, NULL), 0);
    add (self, "EUROPOL/hq", 2, 1);
    assert_int_equal (disk_size (fd, &size, NULL), 0);
    refusals_close (&self);
    struct buf whole = { 0 };
    assert_int_equal (
        disk_read_file (file ("refusals/EUROPOL.hq"), 1 << 20, &whole, NULL),
        0);
    for (size_t at = (size_t) first; at < size; at++) {
        uint8_t wrong = whole.data[at] ^ 0x41;
        assert_int_equal (disk_write_at (fd, buf_slice (&whole), 0, NULL), 0);
        if (at % 2)
            assert_int_equal (
                disk_write_at (fd, slice_of (&wrong, 1), at, NULL), 0);
        else
            assert_int_equal (disk_truncate (fd, at, NULL), 0);
        self = open_it();
        assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "1:1.0 ");
        uint64_t cut = 0;
        assert_int_equal (disk_size (fd, &cut, NULL), 0);
        assert_int_equal (cut, first);
        if (at < first + 3) { /* and it goes on from there */
            add (self, "EUROPOL/hq", 3, 1);
            assert_string_equal (list (self, "EUROPOL/hq", 1, 256),
                                 "1:1.0 2:3.0 ");
        }
        refusals_close (&self);
    }
    buf_free (&whole);
    disk_close (&fd);
}

/* A reply may hold what is not kept, which has no number but is proved along. */
static void test_kept (void **state) {
    (void) state;
    static const enum rule rules[] = { RULE_RATE, RULE_STALE_ROSTER, RULE_CLOCK,
                                       RULE_NO_SPACE, RULE_LANES };
    struct refusals *self = open_it();
    struct promise promise = { .epoch = 1, .log_time = TIME };
    struct promise_refused all[5];
    for (size_t i = 0; i < 5; i++) {
        all[i] = (struct promise_refused){ .index = (int) i,
                                           .id = { { 8, (uint8_t) i } } };
        refusal_set (&all[i].refusal, rules[i]);
    }
    promise_sign (&promise, broker, &dialogue, NULL, 0, all, 5);
    refusals_add (self, "EUROPOL/hq", slice_text ("EUROPOL/hq"), &promise, all,
                  5);
    promise_sign (&promise, broker, &dialogue, NULL, 0, all, 1);
    refusals_add (self, "EUROPOL/hq", slice_text ("EUROPOL/hq"), &promise, all,
                  1);
    add (self, "EUROPOL/hq", 9, 1);
    struct buf items = { 0 }, frame = { 0 };
    struct buf text = { 0 };
    size_t count = refusals_list (self, "EUROPOL/hq", 1, 256, &items);
    assert_int_equal (count, 3);
    wire_refusals_begin (&frame, count);
    buf_add_slice (&frame, buf_slice (&items));
    assert_int_equal (
        wire_refusals_read (buf_slice (&frame), show_rule, &text, NULL), 0);
    buf_add_u8 (&text, 0);
    assert_string_equal ((const char *) text.data,
                         "1:STALE-ROSTER 2:LANES 3:NOT-A-WRITER ");
    buf_free (&items);
    buf_free (&frame);
    buf_free (&text);
    refusals_close (&self);
}

/* A delegation's refusals push out none of another's; those of the older half
 * that lost its end are no more than a hole would be. */
static void test_each (void **state) {
    (void) state;
    struct refusals *self = open_it();
    add (self, "FRONTEX/hq", 1, 2);
    while (access (file ("refusals/EUROPOL.hq.old"), F_OK) != 0)
        add_filled (self, "EUROPOL/hq", "EUROPOL/hq", 2, 256, 400);
    assert_string_equal (list (self, "FRONTEX/hq", 1, 256), "1:1.0 2:1.1 ");
    assert_string_equal (list (self, "EUROPOL/hq", 1, 1), "1:2.0 ");
    refusals_close (&self);
    int fd = disk_open (file ("refusals/EUROPOL.hq.old"), DISK_WRITE, NULL);
    assert_int_equal (disk_truncate (fd, 200000, NULL), 0);
    disk_close (&fd);
    self = open_it();
    const char *got = list (self, "EUROPOL/hq", 1, 1);
    assert_true (atoi (got) > 256 && atoi (got) % 256 == 1);
    int number = atoi (got);
    add (self, "EUROPOL/hq", 3, 1);
    got = list (self, "EUROPOL/hq", number + 256, 1);
    assert_int_equal (atoi (got), number + 256);
    /* without the newer one numbers go on from the older */
    refusals_close (&self);
    assert_int_equal (unlink (file ("refusals/EUROPOL.hq")), 0);
    self = open_it();
    add (self, "EUROPOL/hq", 4, 1);
    got = list (self, "EUROPOL/hq", 257, 1);
    assert_string_equal (got, "257:4.0 ");
    refusals_close (&self);
}

/* What doesn't fit the checksums' idea of size, and an entry that repeats
 * numbers. */
static void test_repeat (void **state) {
    (void) state;
    struct refusals *self = open_it();
    add (self, "EUROPOL/hq", 1, 1);
    refusals_close (&self);
    struct buf whole = { 0 };
    assert_int_equal (
        disk_read_file (file ("refusals/EUROPOL.hq"), 1 << 20, &whole, NULL),
        0);
    int fd = disk_open (file ("refusals/EUROPOL.hq"), DISK_WRITE, NULL);
    assert_int_equal (disk_write_at (fd, buf_slice (&whole), whole.size, NULL),
                      0);
    self = open_it();
    assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "1:1.0 ");
    refusals_close (&self);
    assert_int_equal (disk_truncate (fd, REFUSALS_OCTETS_MAX, NULL), 0);
    self = open_it(); /* as large as no file of ours */
    int saved = mute();
    assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "");
    add (self, "EUROPOL/hq", 1, 1);
    assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "");
    unmute (saved);
    refusals_close (&self);
    disk_close (&fd);
    buf_free (&whole);
}

/* Past the bound the older half goes; the list stays below its own bound. */
static void test_bound (void **state) {
    (void) state;
    struct refusals *self = open_it();
    size_t octets = 0;
    int64_t replies = 0;
    while (octets < (size_t) REFUSALS_OCTETS_MAX * 3 / 2) {
        add_filled (self, "EUROPOL/hq", "EUROPOL/hq", 9, 256, 400);
        octets += 256 * 400;
        replies++;
    }
    uint64_t now = 0, old = 0;
    int fd = disk_open (file ("refusals/EUROPOL.hq"), DISK_READ, NULL);
    assert_int_equal (disk_size (fd, &now, NULL), 0);
    disk_close (&fd);
    fd = disk_open (file ("refusals/EUROPOL.hq.old"), DISK_READ, NULL);
    assert_int_equal (disk_size (fd, &old, NULL), 0);
    disk_close (&fd);
    assert_true (now + old <= REFUSALS_OCTETS_MAX);
    assert_true (old > REFUSALS_OCTETS_MAX / 2 - 130000);
    struct buf items = { 0 };
    for (int round = 0; round < 2; round++) {
        buf_clear (&items);
        size_t count = refusals_list (self, "EUROPOL/hq", 1, 256, &items);
        assert_in_range (count, 5, 20); /* its proof is along with each */
        assert_true (items.size <= REFUSALS_LIST_MAX);
        buf_clear (&items);
        count = refusals_list (self, "EUROPOL/hq", replies * 256, 256, &items);
        assert_int_equal (count, 1);
        refusals_close (&self);
        self = open_it();
    }
    buf_free (&items);
    refusals_close (&self);
}

/* No disk: nothing stops, and the next that works is kept. */
static enum disk_fault next_fault;
static enum disk_step faulty;
static enum disk_fault fault (void *arg, enum disk_step step,
                              const char *path) {
    (void) arg;
    (void) path;
    return step == faulty ? next_fault : DISK_FINE;
}

static void test_faults (void **state) {
    (void) state;
    struct refusals *self = open_it();
    int saved = mute();
    disk_set_fault (fault, NULL);
    faulty = DISK_STEP_WRITE;
    for (int f = DISK_FAIL_UNDONE; f <= DISK_FAIL_HALF; f++) {
        next_fault = (enum disk_fault) f;
        add (self, "EUROPOL/hq", 1, 1);
        assert_string_equal (list (self, "EUROPOL/hq", 1, 256), "");
    }
    next_fault = DISK_FINE;
    while (access (file ("refusals/EUROPOL.hq.old"), F_OK) != 0) {
        add_filled (self, "EUROPOL/hq", "EUROPOL/hq", 2, 256, 400);
        if (access (file ("refusals/EUROPOL.hq.old"), F_OK) == 0)
            break;
        /* the first entry of a half that has no room: try all failures */
        uint64_t size = 0;
        int fd = disk_open (file ("refusals/EUROPOL.hq"), DISK_READ, NULL);
        assert_int_equal (disk_size (fd, &size, NULL), 0);
        disk_close (&fd);
        if (size + 125000 < REFUSALS_OCTETS_MAX / 2)
            continue;
        static const enum disk_step steps[] = { DISK_STEP_RENAME,
                                                DISK_STEP_SYNC_DIR,
                                                DISK_STEP_CREATE };
        for (size_t i = 0; i < 6; i++) {
            faulty = steps[i % 3];
            next_fault = i < 3 ? DISK_FAIL_UNDONE : DISK_FAIL_DONE;
            add_filled (self, "EUROPOL/hq", "EUROPOL/hq", 2, 256, 400);
            next_fault = DISK_FINE;
        }
    }
    disk_set_fault (NULL, NULL);
    add_filled (self, "EUROPOL/hq", "EUROPOL/hq", 1, 256, 400);
    refusals_close (&self);
    unmute (saved);
    self = open_it();
    char last[64] = "";
    const char *got = list (self, "EUROPOL/hq", 1, 1);
    while (*got) {
        snprintf (last, sizeof last, "%s", got);
        got = list (self, "EUROPOL/hq", atoi (last) + 256, 1);
    }
    assert_non_null (strstr (last, ":1.0 "));
    refusals_close (&self);
}

int main (void) {
    struct error e;
    uint8_t seed[KEY_SIZE] = { 1 };
    broker = identity_from_seed (IDENTITY_BROKER, "lyon", seed, &e);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_open, begin, end),
        cmocka_unit_test_setup_teardown (test_list, begin, end),
        cmocka_unit_test_setup_teardown (test_damage, begin, end),
        cmocka_unit_test_setup_teardown (test_repeat, begin, end),
        cmocka_unit_test_setup_teardown (test_kept, begin, end),
        cmocka_unit_test_setup_teardown (test_each, begin, end),
        cmocka_unit_test_setup_teardown (test_bound, begin, end),
        cmocka_unit_test_setup_teardown (test_faults, begin, end),
    };
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    identity_destroy (&broker);
    return failed;
}
