/* All threads: adding, finding, forgetting, changes, quarantine, digests. */
#include "thread_fixture.h"

#include <stdlib.h>

#define ALIGN "all/align/EUROPOL/EUROPOL-a"

static void align_put (int64_t sequence, const char *topic, const char *more) {
    char text[512];
    snprintf (text, sizeof text,
              "'does':'propose','title':'T','type':'joint','rule':'all',"
              "'invited':['FRONTEX']%s",
              more);
    (void) say_put (sequence, 0, "EUROPOL/hq", topic, text);
}

static void meeting_put (int64_t sequence, const char *topic,
                         const char *more) {
    char text[512];
    snprintf (text, sizeof text,
              "'does':'propose','title':'T','from':'2026-06-01','to':"
              "'2026-06-02','zone':'Etc/UTC','place':'here','invited':"
              "['FRONTEX']%s",
              more);
    (void) say_put (sequence, 0, "EUROPOL/hq", topic, text);
}

static void minutes_put (int64_t sequence, const char *topic,
                         const char *meeting) {
    char text[512];
    snprintf (text, sizeof text,
              "'does':'propose','title':'T','binding':'en','paragraphs':"
              "[{'id':'p1','text':{'en':'x'}}],'invited':['FRONTEX'],"
              "'minutes_of':'%s'",
              meeting);
    (void) say_put (sequence, 0, "EUROPOL/hq", topic, text);
}

/* Sequences of the first records of those that were listed. */
static void listed (const struct thread **list, size_t count,
                    const char *want) {
    struct buf text = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_add_format (&text, "%s%d", i ? " " : "",
                        (int) list[i]->entries[0]->origin.sequence);
    char *is = buf_take_text (&text);
    assert_string_equal (is, want);
    free (is);
}

static void about (const struct threads *threads, const char *plan,
                   const char *want) {
    const struct thread *list[8];
    listed (list, threads_about (threads, plan, list, 8), want);
}

static void series (const struct threads *threads, const char *channel,
                    const char *want) {
    const struct thread *list[8];
    listed (list, threads_series (threads, channel, "cyber", list, 8), want);
}

static void test_nothing (void **state) {
    (void) state;
    struct threads *threads = threads_fresh();
    struct threads_digests empty, digests;
    threads_settle (threads);
    assert_int_equal (threads_count (threads), 0);
    assert_int_equal (threads_generation (threads), 0);
    assert_null (threads_by_topic (threads, slice_text (ALIGN)));
    assert_null (threads_by_topic (threads, slice_text ("")));
    assert_null (threads_find (threads, "EUROPOL-a", 0));
    assert_int_equal (threads_about (threads, "EUROPOL-p", NULL, 0), 0);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 0);
    threads_digest (threads, 0, 0, &empty);
    threads_forget (threads, "all");
    threads_cut (threads, 0);
    threads_digest (threads, 100, NOON, &digests);
    assert_memory_equal (&empty, &digests, sizeof empty);
    threads_destroy (&threads);
    threads_destroy (&threads);
    threads_destroy (NULL);
}

static void told (void *arg, const struct thread_entry *entry,
                  const char *topic) {
    buf_add_format (arg, "%d %s\n", (int) entry->origin.sequence, topic);
}

static void test_loose (void **state) {
    (void) state;
    static const char *const topics[] = {
        "all/align",
        "all/align/EUROPOL",
        "all/align/europol/europol-a",
        "all/align/EUROPOL/FRONTEX-a",
        "all/align/EUROPOL/EUROPOL-a/x",
    };
    struct buf text = { 0 };
    for (int i = 0; i < 5; i++)
        (void) spoken_put (10 * (5 - i), 0, "EUROPOL/hq", topics[i],
                           json_object());
    (void) say_put (35, 0, "EUROPOL/hq", ALIGN, "'does':'nothing'");
    struct threads *threads = threads_of (NULL, 2);
    assert_int_equal (threads_quarantine (threads, told, &text), 6);
    assert_int_equal (threads_count (threads), 1);
    char *list = buf_take_text (&text);
    assert_string_equal (list, "10 all/align/EUROPOL/EUROPOL-a/x\n"
                               "20 all/align/EUROPOL/FRONTEX-a\n"
                               "30 all/align/europol/europol-a\n"
                               "35 all/align/EUROPOL/EUROPOL-a\n"
                               "40 all/align/EUROPOL\n"
                               "50 all/align\n");
    free (list);
    threads_give (threads, 0); /* the same again */
    threads_give (threads, 5);
    int64_t generation = threads_generation (threads);
    threads_settle (threads);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 6);
    assert_int_equal (threads_generation (threads), generation);
    threads_forget (threads, "all");
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 0);
    assert_int_equal (threads_count (threads), 0);
    threads_destroy (&threads);
}

static void test_find (void **state) {
    (void) state;
    align_put (40, ALIGN, ",'about':[{'ref':'EUROPOL-p'}]");
    align_put (30, "core/align/EUROPOL/EUROPOL-a",
               ",'about':[{'ref':'FRONTEX-p#A1'},{'ref':'FRONTEX-p'}]");
    (void) say_put (20, 0, "FRONTEX/hq", ALIGN, "'does':'comment','text':'t'");
    align_put (10, "all/align/EUROPOL/EUROPOL-ab",
               ",'about':[{'ref':'EUROPOL-p#A1'},{'ref':'FRONTEX-p'}]");
    struct threads *threads = threads_of (NULL, 1);
    assert_int_equal (threads_count (threads), 3);
    assert_string_equal (threads_at (threads, 1)->place.id, "EUROPOL-ab");
    assert_ptr_equal (threads_find (threads, "EUROPOL-a", 0),
                      thread_found (threads, ALIGN));
    assert_string_equal (threads_find (threads, "EUROPOL-a", 1)->place.channel,
                         "core");
    assert_null (threads_find (threads, "EUROPOL-a", 2));
    assert_null (threads_find (threads, "EUROPOL-", 0));
    about (threads, "EUROPOL-p", "20 10");
    about (threads, "FRONTEX-p", "10 30");
    about (threads, "UNODC-p", "");
    const struct thread *none[1] = { NULL };
    assert_int_equal (threads_about (threads, "FRONTEX-p", none, 0), 2);
    assert_null (none[0]);
    /* Another version, about something else. */
    align_put (50, ALIGN, ",'about':[{'ref':'UNODC-p'}]");
    threads_give (threads, spoken_count - 1);
    threads_settle (threads);
    about (threads, "UNODC-p", "20");
    about (threads, "EUROPOL-p", "10");
    /* Without what came first, the order is another one. */
    threads_cut (threads, 50);
    about (threads, "UNODC-p", "");
    about (threads, "EUROPOL-p", "20 10");
    threads_forget (threads, "core");
    assert_null (threads_find (threads, "EUROPOL-a", 1));
    threads_cut (threads, 20);
    assert_null (threads_find (threads, "EUROPOL-a", 0));
    about (threads, "EUROPOL-p", "10");
    threads_destroy (&threads);
}

/* One that was agreed is found beside what is proposed instead. */
static void test_find_agreed (void **state) {
    (void) state;
    align_put (10, ALIGN, ",'about':[{'ref':'EUROPOL-p'}]");
    (void) say_put (20, 1, "FRONTEX/hq", ALIGN,
                    "'does':'stance','version':'$10','says':'endorse'");
    align_put (40, ALIGN, ",'about':[{'ref':'UNODC-p'}]");
    struct threads *threads = threads_of (NULL, 1);
    about (threads, "EUROPOL-p", "");
    about (threads, "UNODC-p", "10");
    (void) say_put (30, 1, "EUROPOL/hq", ALIGN,
                    "'does':'close','version':'$10','outcome':'agreed',"
                    "'stances':{'FRONTEX':'$20'}");
    threads_give (threads, 3);
    threads_settle (threads);
    about (threads, "EUROPOL-p", "10");
    about (threads, "UNODC-p", "10");
    threads_destroy (&threads);
}

static void test_series (void **state) {
    (void) state;
    meeting_put (30, "all/meeting/EUROPOL/EUROPOL-m1",
                 ",'series':'cyber','edition':1");
    meeting_put (10, "all/meeting/EUROPOL/EUROPOL-m2",
                 ",'series':'cyber','edition':2");
    meeting_put (20, "all/meeting/EUROPOL/EUROPOL-m3",
                 ",'series':'cyber','edition':2");
    meeting_put (40, "all/meeting/EUROPOL/EUROPOL-m4", ",'series':'cyber'");
    meeting_put (50, "core/meeting/EUROPOL/EUROPOL-m5",
                 ",'series':'cyber','edition':1");
    minutes_put (70, "all/communique/EUROPOL/EUROPOL-k1", "EUROPOL-m1");
    minutes_put (60, "all/communique/EUROPOL/EUROPOL-k2", "EUROPOL-m1");
    minutes_put (80, "core/communique/EUROPOL/EUROPOL-k3", "EUROPOL-m1");
    struct threads *threads = threads_of (NULL, 1);
    series (threads, "all", "40 30 10 20");
    series (threads, "core", "50");
    series (threads, "late", "");
    const struct thread *list[4];
    const struct thread *meeting =
        thread_found (threads, "all/meeting/EUROPOL/EUROPOL-m1");
    listed (list, threads_minutes (threads, meeting, list, 4), "60 70");
    assert_int_equal (threads_minutes (threads, list[0], list, 4), 0);
    /* The first is another edition now, and of another series then. */
    meeting_put (90, "all/meeting/EUROPOL/EUROPOL-m1",
                 ",'series':'cyber','edition':9");
    threads_give (threads, spoken_count - 1);
    threads_settle (threads);
    series (threads, "all", "40 10 20 30");
    meeting_put (95, "all/meeting/EUROPOL/EUROPOL-m1", ",'series':'other'");
    threads_give (threads, spoken_count - 1);
    threads_settle (threads);
    series (threads, "all", "40 10 20");
    threads_destroy (&threads);
}

static void changed (void *arg, const struct threads_change *change) {
    buf_add_format (arg, "%d %d %s\n", (int) change->generation,
                    (int) change->sequence, strrchr (change->topic, '/') + 1);
}

static void changes (const struct threads *threads, int64_t from, bool all,
                     const char *want) {
    struct buf text = { 0 };
    assert_int_equal (threads_changes (threads, from, changed, &text), all);
    char *is = buf_take_text (&text);
    assert_string_equal (is, want);
    free (is);
}

static void test_changes (void **state) {
    (void) state;
    align_put (20, ALIGN, ",'about':[{'ref':'EUROPOL-p'}]");
    align_put (10, ALIGN, ",'about':[{'ref':'EUROPOL-p'}]");
    align_put (30, "all/align/EUROPOL/EUROPOL-b",
               ",'about':[{'ref':'EUROPOL-p'}]");
    struct threads *threads = threads_of (NULL, 3);
    assert_int_equal (threads_generation (threads), 1);
    changes (threads, 0, true, "1 10 EUROPOL-a\n1 30 EUROPOL-b\n");
    changes (threads, 1, true, "");
    threads_settle (threads);
    assert_int_equal (threads_generation (threads), 1);
    for (int i = 0; i < THREADS_CHANGES_MAX; i++) {
        threads_cut (threads, 30);
        threads_give (threads, 2);
        threads_settle (threads);
    }
    changes (threads, threads_generation (threads), true, "");
    struct buf text = { 0 };
    assert_false (threads_changes (threads, 1, changed, &text));
    buf_free (&text);
    threads_destroy (&threads);
    /* One that takes another's place goes on where it ended. */
    struct threads_options options = { .delegation = "EUROPOL/hq",
                                       .load = spoken_load,
                                       .generation = 7 };
    threads = threads_new (&options);
    assert_false (threads_changes (threads, 6, changed, NULL));
    assert_true (threads_changes (threads, 7, changed, NULL));
    threads_give (threads, 0);
    threads_settle (threads);
    changes (threads, 7, true, "8 20 EUROPOL-a\n");
    threads_destroy (&threads);
}

/* Another taxonomy at its place: what names a code is judged again. */
static void test_rejudge (void **state) {
    (void) state;
    struct faults faults = { 0 };
    json_t *body = in_quotes (
        "{'format':1,'version':2,'adds':{'priorities':{'cyber-x':{'title':'X',"
        "'parent':null}}},'reason':'new'}");
    struct taxonomy *old = spoken_taxonomy,
                    *next = taxonomy_extend (old, body, &faults);
    assert_non_null (next);
    json_decref (body);
    align_put (10, ALIGN,
               ",'about':[{'ref':'EUROPOL-p'}],'priorities':['cyber-x']");
    struct threads *threads = threads_of (NULL, 1);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 1);
    spoken_taxonomy = next;
    threads_rejudge (threads);
    threads_settle (threads);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 0);
    assert_int_equal (thread_found (threads, ALIGN)->version_count, 1);
    int64_t generation = threads_generation (threads);
    threads_rejudge (threads);
    threads_settle (threads);
    assert_int_equal (threads_generation (threads), generation);
    spoken_taxonomy = old;
    threads_rejudge (threads);
    threads_settle (threads);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 1);
    threads_destroy (&threads);
    taxonomy_unref (&next);
}

/* Below a mark, at its time. */
static void test_digest (void **state) {
    (void) state;
    align_put (10, ALIGN,
               ",'about':[{'ref':'EUROPOL-p'}],'deadline':"
               "'2026-06-01T13:00:00Z'");
    (void) say_put (20, 1, "FRONTEX/hq", ALIGN,
                    "'does':'stance','version':'$10','says':'endorse'");
    struct threads *threads = threads_fresh();
    struct threads_digests first, second, again;
    threads_give (threads, 0);
    threads_digest (threads, 15, NOON, &first);
    assert_int_equal (first.record_count, 1);
    threads_give (threads, 1);
    threads_digest (threads, 15, NOON, &again);
    assert_memory_equal (&first, &again, sizeof first);
    assert_int_equal (thread_found (threads, ALIGN)->stance_count, 1);
    threads_digest (threads, 25, NOON, &second);
    assert_int_equal (second.record_count, 2);
    assert_false (hash_equal (&first.threads, &second.threads));
    assert_false (hash_equal (&first.records, &second.records));
    threads_digest (threads, 25, NOON + 60 * MINUTE, &again);
    assert_memory_equal (&second, &again, sizeof second);
    threads_digest (threads, 25, NOON + 61 * MINUTE, &again);
    assert_false (hash_equal (&second.threads, &again.threads));
    assert_true (hash_equal (&second.records, &again.records));
    threads_digest (threads, 25, NOON, &again);
    assert_memory_equal (&second, &again, sizeof second);
    threads_destroy (&threads);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_nothing, spoken_clear),
        cmocka_unit_test_teardown (test_loose, spoken_clear),
        cmocka_unit_test_teardown (test_find, spoken_clear),
        cmocka_unit_test_teardown (test_find_agreed, spoken_clear),
        cmocka_unit_test_teardown (test_series, spoken_clear),
        cmocka_unit_test_teardown (test_changes, spoken_clear),
        cmocka_unit_test_teardown (test_rejudge, spoken_clear),
        cmocka_unit_test_teardown (test_digest, spoken_clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
