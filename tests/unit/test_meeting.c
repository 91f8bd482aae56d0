/* Editions of a series: what earlier ones left. */
#include "subject_fixture.h"
#include "thread_fixture.h"

#include "threads/meeting.h"

#define MEETING(number) "members/meeting/EUROPOL/EUROPOL-m" number
#define MINUTES(number) "members/communique/EUROPOL/EUROPOL-min" number

static int clear (void **state) {
    return spoken_clear (state);
}

static void meeting_put (int64_t sequence, const char *topic, int edition,
                         int day) {
    char text[512];
    snprintf (text, sizeof text,
              "'does':'propose','title':'Edition %d','invited':['FRONTEX'],"
              "'series':'dialogue','edition':%d,'from':'2026-06-%02dT10:00:00Z'"
              ",'to':'2026-06-%02dT12:00:00Z','zone':'UTC','place':'Lyon'",
              edition, edition, day, day);
    (void) say_put (sequence, 0, "EUROPOL/hq", topic, text);
}

static void minutes_put (int64_t sequence, const char *topic,
                         const char *meeting, const char *who) {
    char text[512];
    snprintf (text, sizeof text,
              "'does':'propose','title':'Minutes','binding':'en','invited':["
              "'FRONTEX'],'minutes_of':'%s','paragraphs':[{'id':'P1','text':"
              "'It was held.'}],'undertakings':[{'id':'U1','who':'%s','what':"
              "'write'}]",
              meeting, who);
    (void) say_put (sequence, 1, "EUROPOL/hq", topic, text);
}

static const struct undertaking *carried_one (const struct model *model,
                                              const struct threads *threads,
                                              const char *topic, int minutes,
                                              size_t want) {
    struct carried at[4];
    size_t count =
        meeting_carried (threads, model, thread_found (threads, topic),
                         NOON + minutes * MINUTE, at, 4);
    assert_int_equal (count, want);
    return count ? at[0].undertaking : NULL;
}

static void test_series (void **state) {
    (void) state;
    meeting_put (30, MEETING ("3"), 3, 20);
    meeting_put (31, MEETING ("1"), 1, 2);
    meeting_put (32, MEETING ("2"), 2, 10);
    minutes_put (33, MINUTES ("1"), "EUROPOL-m1", "FRONTEX");
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    const struct thread *third = thread_found (threads, MEETING ("3"));
    const struct thread *earlier[4];
    assert_int_equal (meeting_earlier (threads, third, earlier, 4), 2);
    assert_string_equal (earlier[0]->place.id, "EUROPOL-m1");
    assert_string_equal (earlier[1]->place.id, "EUROPOL-m2");
    assert_int_equal (meeting_earlier (threads, earlier[0], earlier, 4), 0);
    /* Proposed, and not adopted: nothing is carried. */
    carried_one (model, threads, MEETING ("3"), 2, 0);
    size_t version;
    assert_null (meeting_minutes (
        threads, thread_found (threads, MEETING ("1")), NOON, &version));
    threads_destroy (&threads);
    model_destroy (&model);
}

static void adopt (int64_t sequence, const char *topic, const char *version) {
    static const char *const who[] = { "EUROPOL/hq", "FRONTEX/hq" };
    char text[256];
    for (int i = 0; i < 2; i++) {
        snprintf (text, sizeof text,
                  "'does':'stance','version':'%s','says':'object'", version);
        (void) say_put (sequence + i, 2, who[i], topic, text);
    }
}

/* Signatures are communique.c's: minutes that are agreed by silence need none. */
static void test_carried (void **state) {
    (void) state;
    meeting_put (30, MEETING ("1"), 1, 2);
    meeting_put (31, MEETING ("2"), 2, 10);
    (void) say_put (32, 1, "EUROPOL/hq", MINUTES ("1"),
                    "'does':'propose','title':'Minutes','binding':'en',"
                    "'invited':['FRONTEX'],'minutes_of':'EUROPOL-m1','rule':"
                    "'silence','deadline':'2026-06-03','paragraphs':[{'id':"
                    "'P1','text':'Held.'}],'undertakings':[{'id':'U1','who':"
                    "'FRONTEX','what':'write'}]");
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    carried_one (model, threads, MEETING ("2"), 100, 0);
    const struct undertaking *one =
        carried_one (model, threads, MEETING ("2"), 6000, 1);
    assert_string_equal (one->id, "U1");
    carried_one (model, threads, MEETING ("1"), 100, 0);
    carried_one (model, threads, MEETING ("2"), 30000, 0); /* over itself */
    threads_destroy (&threads);
    (void) say_put (40, 4000, "FRONTEX/hq", MINUTES ("1"),
                    "'does':'done','undertaking':'U1','day':'2026-06-04'");
    threads = threads_of (NULL, 1);
    carried_one (model, threads, MEETING ("2"), 6000, 0);
    threads_destroy (&threads);
    adopt (50, MINUTES ("1"), "$32"); /* behind the decision */
    threads = threads_of (NULL, 1);
    carried_one (model, threads, MEETING ("2"), 6000, 0);
    threads_destroy (&threads);
    model_destroy (&model);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_series, clear),
        cmocka_unit_test_teardown (test_carried, clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
