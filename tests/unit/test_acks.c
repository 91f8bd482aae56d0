/* Acknowledgements: topics, bodies, and who said what of a message. */
#include "threads/acks.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct hash hash_of (const char *hex) {
    struct hash out;
    assert_int_equal (hash_parse (hex, &out), 0);
    return out;
}

static void test_topics (void **state) {
    (void) state;
    static const struct {
        const char *topic, *author;
        bool is, good;
    } table[] = {
        { "members/ack/EUROPOL", "EUROPOL", true, true },
        { "@AFRIPOL+EUROPOL/ack/EUROPOL", NULL, true, true },
        { "members/ack/EUROPOL", "FRONTEX", true, false },
        { "members/ack", NULL, true, false },
        { "members/ack/EUROPOL/x", NULL, true, false },
        { "members/ack/europol", NULL, true, false },
        { "members/acks/EUROPOL", NULL, false, false },
        { "", NULL, false, false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct faults faults = { 0 };
        struct ack_place place;
        struct slice topic = slice_text (table[i].topic);
        assert_int_equal (ack_topic (topic), table[i].is);
        assert_int_equal (
            ack_place_read (topic, table[i].author, &place, &faults),
            table[i].good);
        assert_int_equal (faults.count == 0, table[i].good);
        if (table[i].good)
            assert_string_equal (place.entity, "EUROPOL");
        faults_clear (&faults);
    }
}

static void test_bodies (void **state) {
    (void) state;
    static const struct {
        const char *text, *pointer; /* NULL: good */
    } table[] = {
        { "{\"format\":1,\"acks\":[{\"message\":\"" ID_A
          "\",\"state\":\"seen\"},{\"message\":\"" ID_B
          "\",\"state\":\"verified\",\"x\":1}],\"y\":2}",
          NULL },
        { "{\"format\":1,\"acks\":[]}", "/acks" },
        { "{\"format\":1}", "" },
        { "{\"acks\":[{\"message\":\"" ID_A "\",\"state\":\"seen\"}]}", "" },
        { "{\"format\":1,\"acks\":[{\"message\":\"aa\",\"state\":\"seen\"}]}",
          "/acks/0/message" },
        { "{\"format\":1,\"acks\":[{\"message\":\"" ID_A
          "\",\"state\":\"read\"}]}",
          "/acks/0/state" },
        { "[]", "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct faults faults = { 0 };
        struct ack_list list;
        bool newer;
        json_t *body = json_loads (table[i].text, 0, NULL);
        bool good = acks_read (body, &list, &faults, &newer);
        assert_false (newer);
        assert_int_equal (good, table[i].pointer == NULL);
        if (good) {
            assert_int_equal (list.count, 2);
            assert_int_equal (list.at[0].state, ACK_SEEN);
            json_t *again = acks_write (list.at, list.count);
            assert_int_equal (json_array_size (json_object_get (again, "acks")),
                              2);
            json_decref (again);
        } else
            assert_string_equal (faults.at[0].pointer, table[i].pointer);
        ack_list_free (&list);
        faults_clear (&faults);
        json_decref (body);
    }
}

static void test_too_many (void **state) {
    (void) state;
    struct faults faults = { 0 };
    struct ack_list list;
    bool newer;
    struct ack at[ACKS_MAX + 1];
    for (size_t i = 0; i < ACKS_MAX + 1; i++)
        at[i] = (struct ack){ hash_of (ID_A), ACK_SEEN };
    for (size_t count = ACKS_MAX; count <= ACKS_MAX + 1; count++) {
        json_t *body = acks_write (at, count);
        assert_int_equal (acks_read (body, &list, &faults, &newer),
                          count == ACKS_MAX);
        ack_list_free (&list);
        json_object_set_new (body, "format", json_integer (2));
        assert_false (acks_read (body, &list, &faults, &newer));
        assert_true (newer);
        json_decref (body);
    }
    faults_clear (&faults);
}

static void put (struct acks *self, int64_t sequence, const char *author,
                 const char *channel, const char *id, enum ack_state state) {
    struct origin origin = { .sequence = sequence };
    struct ack one = { hash_of (id), state };
    snprintf (origin.author, sizeof origin.author, "%s", author);
    snprintf (origin.channel, sizeof origin.channel, "%s", channel);
    acks_add (self, &origin, &(struct ack_list){ 1, &one });
}

static void fill (struct acks *self, bool backwards) {
    static const struct {
        int64_t sequence;
        const char *author, *channel, *id;
        enum ack_state state;
    } lines[] = {
        { 3, "UNODC/hq", "members", ID_A, ACK_VERIFIED },
        { 4, "AFRIPOL/hq", "members", ID_A, ACK_VERIFIED },
        { 5, "AFRIPOL/hq", "members", ID_A, ACK_SEEN },
        { 6, "AFRIPOL/hq", "members", ID_A, ACK_SEEN },
        { 7, "AFRIPOL/hq", "members", ID_A, ACK_VERIFIED },
        { 8, "AFRIPOL/hq", "dialogue", ID_A, ACK_SEEN },
        { 9, "UNODC/hq", "members", ID_B, ACK_SEEN },
    };
    size_t count = sizeof lines / sizeof *lines;
    for (size_t n = 0; n < 2 * count; n++) { /* each twice */
        size_t i = backwards ? count - 1 - n % count : n % count;
        put (self, lines[i].sequence, lines[i].author, lines[i].channel,
             lines[i].id, lines[i].state);
        if (backwards && n % 3 == 0)
            acks_settle (self);
    }
    acks_settle (self);
}

static void test_set (void **state) {
    (void) state;
    struct hash a = hash_of (ID_A), b = hash_of (ID_B);
    for (int backwards = 0; backwards < 2; backwards++) {
        struct acks *acks = acks_new();
        struct ack_by out[4];
        fill (acks, backwards);
        assert_int_equal (acks_count (acks), 2);
        assert_int_equal (acks_of (acks, &a, "members", out, 4), 2);
        assert_string_equal (out[0].delegation, "AFRIPOL/hq");
        assert_int_equal (out[0].state, ACK_SEEN);
        assert_int_equal (out[0].sequence, 5);
        assert_string_equal (out[1].delegation, "UNODC/hq");
        assert_int_equal (out[1].state, ACK_VERIFIED);
        assert_int_equal (acks_of (acks, &a, "members", out, 1), 1);
        assert_int_equal (acks_of (acks, &b, "dialogue", out, 4), 0);
        assert_int_equal (acks_by (acks, &a, "dialogue", "AFRIPOL/hq"),
                          ACK_SEEN);
        assert_int_equal (acks_by (acks, &a, "dialogue", "UNODC/hq"), ACK_NONE);
        acks_cut (acks, 5);
        assert_int_equal (acks_by (acks, &a, "members", "AFRIPOL/hq"),
                          ACK_VERIFIED);
        assert_int_equal (acks_count (acks), 1);
        acks_forget (acks, "none");
        acks_forget (acks, "members");
        assert_int_equal (acks_count (acks), 0);
        acks_destroy (&acks);
        acks_destroy (&acks);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_topics),
        cmocka_unit_test (test_bodies),
        cmocka_unit_test (test_too_many),
        cmocka_unit_test (test_set),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
