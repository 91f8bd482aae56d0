/* files: topics, names, manifests, references, and one file as its records make
 * it, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/message.h"
#include "plans/shape.h"
#include "threads/files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* SHA-256 of "hello". */
#define HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define ID "2cf24dba5fb0a30e26e83b2ac5b9e29e"
#define OTHER "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"
#define TOPIC "members/file/EUROPOL/" ID

static json_t *json (const char *text) {
    char *copy = mem_copy_text (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *out = json_loads (copy, JSON_DECODE_ANY, NULL);
    free (copy);
    assert_non_null (out);
    return out;
}

/* The first fault as "POINTER: TEXT", or "". */
static void fault_text (struct faults *faults, char *out, size_t room) {
    out[0] = '\0';
    if (faults->count > 0)
        snprintf (out, room, "%s: %s", faults->at[0].pointer,
                  faults->at[0].text);
    faults_clear (faults);
}

/* Topics */

static void test_topics (void **state) {
    (void) state;
    static const struct {
        const char *topic, *author, *fault;
    } rows[] = {
        { TOPIC, "EUROPOL", NULL },
        { TOPIC, NULL, NULL },
        { "@EUROPOL+FRONTEX/file/EUROPOL/" ID, "EUROPOL", NULL },
        { TOPIC, "FRONTEX", "is not its owner's" },
        { "members/file", NULL, "a file's topic is" },
        { "members/file/EUROPOL", NULL, "a file's topic is" },
        { TOPIC "/1", NULL, "a file's topic is" },
        { "members/files/EUROPOL/" ID, NULL, "a file's topic is" },
        { "members/file/europol/" ID, NULL, "no body" },
        { "members/file/EUROPOL/2cf2", NULL, "no file's id" },
        { "members/file/EUROPOL/2CF24DBA5FB0A30E26E83B2AC5B9E29E", NULL,
          "no file's id" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct file_place place;
        char text[300], topic[TOPIC_MAX + 1];
        bool fine = file_place_read (slice_text (rows[i].topic), rows[i].author,
                                     &place, &faults);
        fault_text (&faults, text, sizeof text);
        assert_int_equal (fine, rows[i].fault == NULL);
        if (fine)
            assert_string_equal (file_topic (topic, &place), rows[i].topic);
        else
            assert_non_null (strstr (text, rows[i].fault));
    }
    assert_false (file_topic_is (slice_text ("members")));
    assert_false (file_topic_is (slice_text ("")));
    assert_true (file_topic_is (slice_text ("members/file")));
}

/* Names */

static void test_names (void **state) {
    (void) state;
    static const struct {
        const char *name, *safe; /* safe NULL: not valid */
    } rows[] = {
        { "plan 2026 (final).pdf", "plan 2026 (final).pdf" },
        { "\xd8\xae\xd8\xb7\xd8\xa9.pdf", "\xd8\xae\xd8\xb7\xd8\xa9.pdf" },
        { "-rf", "_rf" },
        { ".bashrc", "_bashrc" },
        { "a;b|c$d.txt", "a_b_c_d.txt" },
        { "", NULL },
        { ".", NULL },
        { "..", NULL },
        { " a", NULL },
        { "a ", NULL },
        { "a/b", NULL },
        { "..\\b", NULL },
        { "a\nb", NULL },
        { "a\x7f", NULL },
        { "a\xc2\x85", NULL }, /* C1 */
        { "gpj.\xe2\x80\xae"
          "exe",
          NULL },                  /* U+202E turns what follows */
        { "a\xe2\x80\x8b", NULL }, /* U+200B */
        { "a\xef\xbb\xbf", NULL }, /* U+FEFF */
        { "a\xe2\x81\xa6", NULL }, /* U+2066 */
        { "a\xff", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal (file_name_valid (slice_text (rows[i].name)),
                          rows[i].safe != NULL);
        char *safe = file_name_safe (rows[i].name);
        if (rows[i].safe)
            assert_string_equal (safe, rows[i].safe);
        assert_true (*safe && !strchr (safe, '/') && *safe != '.');
        free (safe);
    }
    char long_name[FILE_NAME_MAX + 2];
    memset (long_name, 'a', sizeof long_name);
    assert_true (file_name_valid (slice_of (long_name, FILE_NAME_MAX)));
    assert_false (file_name_valid (slice_of (long_name, FILE_NAME_MAX + 1)));
    assert_false (file_name_valid (slice_of ("a\0b", 3)));
    memcpy (long_name + FILE_NAME_MAX - 4, ".pdf", 5);
    char *safe = file_name_safe (long_name);
    assert_true (strlen (safe) <= 200);
    assert_string_equal (safe + strlen (safe) - 4, ".pdf");
    free (safe);
    static const char *const types[] = { "application/pdf", "image/svg+xml",
                                         "application/vnd.ms-excel" };
    static const char *const none[] = {
        "", "pdf", "a/", "/a", "A/b", "text/x; a=b", "a/b/c", "a b/c"
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_true (file_type_valid (slice_text (types[i])));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false (file_type_valid (slice_text (none[i])));
}

/* Manifests */

static const struct file_place here = { "members", "EUROPOL", ID };

static struct file_manifest *manifest_read (const json_t *body, char *fault,
                                            size_t room, bool *newer) {
    struct faults faults = { 0 };
    struct file_manifest *out =
        file_manifest_read (&here, body, &faults, newer);
    assert_true (!out == (faults.count > 0 || *newer));
    fault_text (&faults, fault, room);
    return out;
}

#define BODY(name, size, whole, parts)                                         \
    "{'format':1,'file':'" ID "','name':'" name "','type':'text/plain',"       \
    "'size':" size ",'sha256':'" whole "','parts':[" parts "]}"
#define PART(size, hash) "{'size':" size ",'sha256':'" hash "'}"
#define GOOD BODY ("a.txt", "5", HASH, PART ("5", HASH))

static void test_manifests (void **state) {
    (void) state;
    static const struct {
        const char *body, *fault; /* NULL: fine */
    } rows[] = {
        { GOOD, NULL },
        { BODY ("a", "7", HASH, PART ("5", OTHER) "," PART ("2", OTHER)),
          NULL },
        { "[]", "has to be an object" },
        { "{}", "format" },
        { BODY ("a", "5", HASH, ""), "/parts" },
        { BODY ("a", "6", HASH, PART ("5", HASH)), "/size: is 6, and the parts "
                                                   "have 5 octets" },
        { BODY ("a", "5", OTHER, PART ("5", OTHER)),
          "/sha256: does not begin with the file's id" },
        { BODY ("a", "5", HASH, PART ("5", OTHER)),
          "/sha256: is not that of the one part" },
        { BODY ("a", "0", HASH, PART ("0", HASH)), "/size" },
        { BODY ("a", "16777217", HASH, PART ("5", HASH)), "/size" },
        { BODY ("a", "262129", HASH, PART ("262129", HASH)), "/parts/0/size" },
        { BODY ("a", "5", HASH, PART ("'5'", HASH)), "/parts/0/size" },
        { BODY ("a", "5", HASH, PART ("5.5", HASH)), "/parts/0/size" },
        { BODY ("a", "-5", HASH, PART ("-5", HASH)), "/size" },
        { BODY ("../a", "5", HASH, PART ("5", HASH)), "/name" },
        { BODY ("a", "5", "abc", PART ("5", HASH)), "/sha256" },
        { "{'format':1,'file':'" ID "','withdraw':true}", NULL },
        { "{'format':1,'file':'" ID "','withdraw':true,'reason':{'en':'old'}}",
          NULL },
        { "{'format':1,'file':'" ID "','withdraw':false}", "/withdraw" },
        { "{'format':1,'file':'486ea46224d1bb4fb680f34f7c9ad96a','withdraw':"
          "true}",
          "/file: is '486ea46224d1bb4fb680f34f7c9ad96a', and the topic says" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char fault[300];
        bool newer;
        json_t *body = json (rows[i].body);
        struct file_manifest *read =
            manifest_read (body, fault, sizeof fault, &newer);
        json_decref (body);
        assert_false (newer);
        assert_int_equal (read != NULL, rows[i].fault == NULL);
        if (rows[i].fault && !strstr (fault, rows[i].fault))
            fail_msg ("row %zu: %s", i, fault);
        file_manifest_free (&read);
    }
}

/* As we write them: what is written is read again. */
static json_t *manifest_of (size_t count, int64_t size) {
    struct hash whole;
    struct file_part *parts = mem_alloc (count * sizeof *parts);
    assert_int_equal (hash_parse (HASH, &whole), 0);
    for (size_t i = 0; i < count; i++) {
        parts[i].size = size;
        parts[i].sha256 = hash_sha256 (slice_of (&i, sizeof i));
    }
    json_t *text = json_string ("what it is");
    json_t *out =
        file_manifest_json ("a.bin", "application/octet-stream",
                            size * (int64_t) count, &whole, parts, count, text);
    json_decref (text);
    free (parts);
    return out;
}

static void test_limits (void **state) {
    (void) state;
    static const struct {
        size_t count;
        int64_t size;
        const char *fault;
    } rows[] = {
        { FILE_PARTS_MAX, FILE_SIZE_MAX / FILE_PARTS_MAX, NULL },
        { FILE_PARTS_MAX + 1, 1, "/parts" },
        { 65, CONTENT_MAX, "/size" }, /* more than 16 MiB */
        { 64, CONTENT_MAX, NULL },
        { 2, CONTENT_MAX + 1, "/parts/0/size" },
    };
    assert_true (FILE_PARTS_MAX * FILE_PART_SIZE >= FILE_SIZE_MAX);
    assert_true (FILE_PART_SIZE <= CONTENT_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char fault[300];
        bool newer;
        json_t *body = manifest_of (rows[i].count, rows[i].size);
        struct file_manifest *read =
            manifest_read (body, fault, sizeof fault, &newer);
        if (rows[i].fault) {
            assert_null (read);
            assert_non_null (strstr (fault, rows[i].fault));
        } else {
            assert_non_null (read);
            assert_int_equal (read->part_count, rows[i].count);
            assert_string_equal (text_in (&read->text, ""), "what it is");
        }
        json_decref (body);
        file_manifest_free (&read);
    }
}

static void test_newer (void **state) {
    (void) state;
    char fault[300];
    bool newer;
    json_t *body = json ("{'format':2,'file':7}");
    assert_null (manifest_read (body, fault, sizeof fault, &newer));
    assert_true (newer);
    assert_string_equal (fault, "");
    json_decref (body);
}

static void test_references (void **state) {
    (void) state;
#define REF(name, hash)                                                        \
    "{'file':'" ID "','entity':'EUROPOL','name':'" name                        \
    "','size':5,'sha256':'" hash "'}"
    static const struct {
        const char *ref, *fault;
    } rows[] = {
        { REF ("a.txt", HASH), NULL },
        { REF ("a/b", HASH), "/name" },
        { REF ("a", OTHER), "/sha256: does not begin" },
        { "{'file':'" ID "','entity':'EUROPOL'}", "name" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct check check = { .faults = &faults };
        struct file_ref ref;
        char fault[300];
        json_t *body = json (rows[i].ref);
        shape_check (&check, body, &shape_file_ref);
        file_ref_check (&check, body);
        assert_int_equal (faults.count > 0, rows[i].fault != NULL);
        if (faults.count == 0) {
            file_ref_read (body, &ref);
            assert_string_equal (ref.id, ID);
            assert_string_equal (ref.name, "a.txt");
            assert_int_equal (ref.size, 5);
        }
        fault_text (&faults, fault, sizeof fault);
        if (rows[i].fault)
            assert_non_null (strstr (fault, rows[i].fault));
        json_decref (body);
    }
    struct file_manifest *read;
    char fault[300];
    bool newer;
    json_t *body = json (GOOD), *want = json (REF ("a.txt", HASH));
    read = manifest_read (body, fault, sizeof fault, &newer);
    json_t *ref = file_ref_json (&here, read);
    assert_true (json_equal (ref, want));
    json_decref (ref);
    json_decref (want);
    json_decref (body);
    file_manifest_free (&read);
}

/* One file */

static bool all_but (void *arg, const struct file_part *part) {
    const struct hash *missing = arg;
    return !missing || !hash_equal (missing, &part->sha256);
}

struct line {
    int64_t sequence;
    const char *author, *body; /* NULL: no document */
};

static void say (struct file_view *view, const struct line *line) {
    struct origin origin = { .sequence = line->sequence };
    snprintf (origin.author, sizeof origin.author, "%s", line->author);
    json_t *body = line->body ? json (line->body) : NULL;
    file_view_say (view, &origin, body, "has no body");
    json_decref (body);
}

#define RENAMED BODY ("b.txt", "5", HASH, PART ("5", HASH))
#define GONE "{'format':1,'file':'" ID "','withdraw':true}"
#define TWO BODY ("two", "7", HASH, PART ("5", HASH) "," PART ("2", OTHER))

static const struct {
    struct line lines[4];
    enum file_state state;
    const char *name; /* NULL: no manifest */
    size_t held, faults;
} stories[] = {
    { { { 0 } }, FILE_UNKNOWN, NULL, 0, 0 },
    { { { 1, "EUROPOL/hq", GOOD } }, FILE_COMPLETE, "a.txt", 1, 0 },
    { { { 1, "FRONTEX/hq", GOOD } }, FILE_UNKNOWN, NULL, 0, 1 },
    { { { 1, "EUROPOL/hq", GOOD }, { 2, "EUROPOL/other", RENAMED } },
      FILE_COMPLETE,
      "b.txt",
      1,
      0 },
    { { { 1, "EUROPOL/hq", GOOD }, { 2, "EUROPOL/hq", GONE } },
      FILE_WITHDRAWN,
      "a.txt",
      1,
      0 },
    { { { 1, "EUROPOL/hq", GOOD }, { 2, "FRONTEX/hq", GONE } },
      FILE_COMPLETE,
      "a.txt",
      1,
      1 },
    { { { 1, "EUROPOL/hq", GOOD },
        { 2, "EUROPOL/hq", GONE },
        { 3, "EUROPOL/hq", RENAMED } },
      FILE_COMPLETE,
      "b.txt",
      1,
      0 },
    { { { 1, "EUROPOL/hq", GOOD }, { 2, "EUROPOL/hq", "{'format':1}" } },
      FILE_COMPLETE,
      "a.txt",
      1,
      1 },
    { { { 1, "EUROPOL/hq", GOOD }, { 2, "EUROPOL/hq", NULL } },
      FILE_COMPLETE,
      "a.txt",
      1,
      1 },
    { { { 1, "EUROPOL/hq", TWO } }, FILE_INCOMPLETE, "two", 1, 0 },
};

/* In order, and the other way round: the same. */
static void test_stories (void **state) {
    (void) state;
    struct hash missing;
    assert_int_equal (hash_parse (OTHER, &missing), 0);
    for (size_t i = 0; i < sizeof stories / sizeof *stories * 2; i++) {
        size_t n = i / 2, count = 0, faults = 0;
        int64_t octets;
        struct file_view *view = file_view_new (&here);
        while (count < 4 && stories[n].lines[count].sequence)
            count++;
        for (size_t j = 0; j < count; j++)
            say (view, &stories[n].lines[i % 2 ? count - 1 - j : j]);
        file_view_parts (view, all_but, &missing);
        const struct file_said *said = file_view_manifest (view);
        assert_int_equal (file_view_state (view), stories[n].state);
        assert_int_equal (said != NULL, stories[n].name != NULL);
        if (said)
            assert_string_equal (said->manifest->name, stories[n].name);
        assert_int_equal (file_view_held (view, &octets), stories[n].held);
        assert_int_equal (octets, stories[n].held * 5);
        assert_int_equal (file_view_has (view, 0), stories[n].held > 0);
        assert_false (file_view_has (view, FILE_PARTS_MAX));
        for (size_t j = 0; j < file_view_count (view); j++)
            faults += file_view_at (view, j)->faults != NULL;
        assert_int_equal (faults, stories[n].faults);
        assert_int_equal (file_view_count (view), count);
        assert_null (file_view_at (view, count));
        assert_string_equal (file_view_place (view)->id, ID);
        file_view_free (&view);
        file_view_free (&view);
    }
    assert_string_equal (file_state_name (FILE_INCOMPLETE), "incomplete");
}

static void test_writing (void **state) {
    (void) state;
    json_t *reason = json_string ("old"),
           *made = file_withdrawal_json (ID, reason);
    json_t *want =
        json ("{'format':1,'file':'" ID "','withdraw':true,'reason':'old'}");
    assert_true (json_equal (made, want));
    json_decref (made);
    json_decref (want);
    json_decref (reason);
    made = file_withdrawal_json (ID, NULL);
    assert_int_equal (json_object_size (made), 3);
    json_decref (made);
    struct hash whole;
    char id[FILE_ID_SIZE + 1];
    assert_int_equal (hash_parse (HASH, &whole), 0);
    file_id_of (id, &whole);
    assert_string_equal (id, ID);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_topics),    cmocka_unit_test (test_names),
        cmocka_unit_test (test_manifests), cmocka_unit_test (test_limits),
        cmocka_unit_test (test_newer),     cmocka_unit_test (test_references),
        cmocka_unit_test (test_stories),   cmocka_unit_test (test_writing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
