/* Every reason for which there is no log time, and what ends it. */
#include "timekeeper.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define WALL INT64_C (1767225600000) /* 2026-01-01 */
#define MONO INT64_C (5000)

/* A run of steps, times in ms from the start of both clocks. */
enum step_kind {
    NOW,   /* log time is asked: `want` from WALL, or the reason */
    USED,  /* a record got the time `wall` */
    HELLO, /* entity E`n` has the clock `wall` */
    TRUST, /* the operator's word */
    END = -1
};
struct step {
    enum step_kind kind;
    int64_t wall, mono;
    int64_t want;    /* NOW: log time, or ms of the refusal */
    const char *why; /* NOW: NULL where there is a time */
    int n;           /* HELLO */
};

static void ask (struct timekeeper *self, const struct step *s, size_t at) {
    int64_t log_time = -1;
    struct refusal why;
    enum err rc =
        timekeeper_now (self, WALL + s->wall, MONO + s->mono, &log_time, &why);
    if (!s->why) {
        if (rc || log_time != WALL + s->want)
            fail_msg ("step %zu: %d, %" PRId64, at, rc, log_time - WALL);
        return;
    }
    char text[REFUSAL_TEXT_MAX], want[256];
    snprintf (want, sizeof want, "CLOCK ms=%" PRId64 " why=%s", s->want,
              s->why);
    if (rc != ERR_STATE || log_time != -1
        || strcmp (refusal_print (&why, text), want) != 0)
        fail_msg ("step %zu: %d, %s", at, rc, rc ? text : "no refusal");
}

static void run (int64_t last, const struct step *steps) {
    struct timekeeper *self = timekeeper_new (WALL + last);
    for (size_t i = 0; steps[i].kind != END; i++) {
        const struct step *s = &steps[i];
        char entity[16];
        snprintf (entity, sizeof entity, "E%d", s->n);
        switch (s->kind) {
        case NOW:
            ask (self, s, i);
            break;
        case USED:
            timekeeper_used (self, WALL + s->wall);
            break;
        case HELLO:
            timekeeper_hello (self, slice_text (entity), WALL + s->wall, 0,
                              MONO + s->mono);
            break;
        case TRUST:
            timekeeper_trust (self, WALL + s->wall, MONO + s->mono);
            break;
        case END:
            break;
        }
    }
    timekeeper_destroy (&self);
    assert_null (self);
    timekeeper_destroy (&self);
}

#define BEHIND "the clock is behind the last record"
#define JUMPED "the clock jumped against the monotonic one"
#define AGENTS "the agents' clocks say another time"

static void test_behind (void **state) {
    (void) state;
    run (10000, (const struct step[]){
                    { NOW, 0, 0, 10000, BEHIND },
                    { NOW, 7999, 7999, 2001, BEHIND },
                    /* a moment only: the log's time stands still */
                    { NOW, 8000, 8000, 10000, NULL },
                    { NOW, 10001, 10001, 10001, NULL },
                    { USED, 10001, 0 },
                    { NOW, 9000, 10000, 10001, NULL },
                    { NOW, 11000, 12000, 11000, NULL },
                    { USED, 11000, 0 },
                    /* an operator's word does not turn the log back */
                    { TRUST, 5000, 12000 },
                    { NOW, 5000, 12000, 6000, BEHIND },
                    { NOW, 11500, 18500, 11500, NULL },
                    { END } });
}

static void test_jump (void **state) {
    (void) state;
    run (0,
         (const struct step[]){ { NOW, 100, 100, 100, NULL },
                                /* small steps are followed */
                                { NOW, 2200, 200, 2200, NULL },
                                { NOW, 4300, 300, 4300, NULL },
                                { NOW, 6401, 400, 2001, JUMPED },
                                /* and stays so while the clock is as wrong */
                                { NOW, 7401, 1400, 2001, JUMPED },
                                /* until it is back */
                                { NOW, 6400, 1500, 6400, NULL },
                                /* backwards too */
                                { NOW, 7400, 4501, -2001, JUMPED },
                                /* an operator's word */
                                { TRUST, 7400, 4501 },
                                { NOW, 7500, 4601, 7500, NULL },
                                { END } });
}

static void test_jump_agents (void **state) {
    (void) state;
    run (0, (const struct step[]){
                { NOW, 0, 0, 0, NULL },
                { HELLO, 0, 0, .n = 1 },
                { HELLO, 0, 0, .n = 2 },
                { HELLO, 0, 0, .n = 3 },
                { NOW, 3000, 0, 3000, JUMPED },
                /* hellos after a sleep in which the monotonic clock stood:
                 * the median moves with the second of three */
                { HELLO, 3500, 100, .n = 1 },
                { NOW, 3100, 100, 3000, JUMPED },
                { HELLO, 5001, 0, .n = 2 },
                { NOW, 3000, 0, 3000, NULL },
                { END } });
    /* Two entities say nothing. */
    run (0, (const struct step[]){ { NOW, 0, 0, 0, NULL },
                                   { HELLO, 9000, 0, .n = 1 },
                                   { HELLO, 9000, 0, .n = 2 },
                                   { HELLO, 9000, 0, .n = 2 },
                                   { NOW, 9000, 0, 9000, JUMPED },
                                   { HELLO, 6999, 0, .n = 3 },
                                   { NOW, 9000, 0, 9000, NULL },
                                   { END } });
    /* Agents that agree less than that are not enough. */
    run (0, (const struct step[]){ { NOW, 0, 0, 0, NULL },
                                   { HELLO, 11001, 0, .n = 1 },
                                   { HELLO, 11001, 0, .n = 2 },
                                   { HELLO, 11001, 0, .n = 3 },
                                   { NOW, 9000, 0, 9000, JUMPED },
                                   { NOW, 9001, 0, 9001, NULL },
                                   { END } });
}

static void test_agents (void **state) {
    (void) state;
    run (0,
         (const struct step[]){ { HELLO, 200000, 0, .n = 1 },
                                { HELLO, 200000, 0, .n = 2 },
                                { NOW, 0, 0, 0, NULL },
                                { HELLO, 120001, 0, .n = 3 },
                                { NOW, 0, 0, 200000, AGENTS },
                                /* the newest of each counts */
                                { HELLO, 0, 0, .n = 1 },
                                { NOW, 0, 0, 120001, AGENTS },
                                { HELLO, 120500, 500, .n = 3 },
                                { NOW, 500, 500, 500, NULL },
                                /* of four, the middle between two */
                                { HELLO, 130500, 500, .n = 4 },
                                { NOW, 500, 500, 125000, AGENTS },
                                /* an operator's word is about jumps */
                                { TRUST, 500, 500 },
                                { NOW, 500, 500, 125000, AGENTS },
                                /* our own clock was mended, by small steps */
                                { NOW, 2500, 500, 123000, AGENTS },
                                { NOW, 4500, 500, 121000, AGENTS },
                                { NOW, 5500, 500, 5500, NULL },
                                { HELLO, -200000, 500, .n = 1 },
                                { HELLO, -200000, 500, .n = 2 },
                                { HELLO, -200000, 500, .n = 3 },
                                { NOW, 5500, 500, -205500, AGENTS },
                                { END } });
}

/* More entities than there are rows: the oldest hellos go. */
static void test_many (void **state) {
    (void) state;
    struct timekeeper *self = timekeeper_new (0);
    char entity[8];
    for (int i = 0; i < 1000; i++) {
        snprintf (entity, sizeof entity, "E%d", i);
        timekeeper_hello (self, slice_text (entity),
                          i < 744 ? WALL - 1000000 : WALL + i, WALL, MONO + i);
    }
    int64_t log_time;
    struct refusal why;
    assert_int_equal (timekeeper_now (self, WALL, MONO, &log_time, &why),
                      ERR_NONE);
    assert_int_equal (log_time, WALL);
    timekeeper_destroy (&self);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_behind),      cmocka_unit_test (test_jump),
        cmocka_unit_test (test_jump_agents), cmocka_unit_test (test_agents),
        cmocka_unit_test (test_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
