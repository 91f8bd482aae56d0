/* What is said on one thread, and what follows from it: tables of stories, each
 * told in the order of its places, and backwards. */
#include "thread_fixture.h"

#include "threads/communique.h"

#include <stdlib.h>
#include <time.h>

/* A story is "MINUTES AUTHOR WHAT ...; ...": the n-th message stands at place
 * 10 n. MINUTES "70/55": written at 55, logged at 70. Authors: E, e are
 * EUROPOL's (which proposes), F, f FRONTEX's, U UNODC's (an observer), N a
 * guest's. WHAT:
 *   P MEMBERS...    a proposal: all, majority, any, silence; d60: its deadline;
 *                   i: who is invited (letters); t60: a meeting ends
 *   + 1, - 1, 0 1   for, against, neither, of the version in the 1st message
 *   C 1 yes F2U3    a close: yes, no, closed, and the stances that it lists
 *   W               withdrawn
 *   D u1            done (u1), or undone (!u1)
 *   ?               a comment;  ! one that is no message of threads
 *   x               a body that was erased */
static const char *author_of (char letter) {
    switch (letter) {
    case 'E':
        return "EUROPOL/hq";
    case 'e':
        return "EUROPOL/ec3";
    case 'F':
        return "FRONTEX/hq";
    case 'f':
        return "FRONTEX/two";
    case 'U':
        return "UNODC/hq";
    }
    return "NEWCOMER/hq";
}

static const char *entity_of (char letter) {
    static char out[ENTITY_MAX + 1];
    const char *author = author_of (letter);
    snprintf (out, sizeof out, "%.*s", (int) strcspn (author, "/"), author);
    return out;
}

static void instant_add (struct buf *out, const char *name, int64_t minutes) {
    time_t at = (time_t) ((NOON + minutes * MINUTE) / 1000);
    struct tm tm;
    char text[40];
    gmtime_r (&at, &tm);
    strftime (text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_add_format (out, ",'%s':'%s'", name, text);
}

static void invited_add (struct buf *out, const char *letters) {
    buf_add_text (out, ",'invited':[");
    for (size_t i = 0; letters[i]; i++)
        buf_add_format (out, "%s'%s'", i ? "," : "", entity_of (letters[i]));
    buf_add_text (out, "]");
}

/* What the kind needs beside. */
static const char *needed (const char *topic) {
    if (strstr (topic, "/align/"))
        return ",'type':'joint','about':[{'ref':'EUROPOL-p#A1'}]";
    if (strstr (topic, "/meeting/"))
        return ",'from':'2026-06-01T12:00:00Z','zone':'Etc/UTC','place':'here'";
    if (strstr (topic, "/capability/"))
        return ",'text':'x','type':'training'";
    return ",'text':'x'";
}

static void propose (struct buf *out, const char *topic, char *words) {
    char *state = NULL;
    buf_add_format (out, "'does':'propose','title':'T'%s", needed (topic));
    for (char *word = strtok_r (words, " ", &state); word;
         word = strtok_r (NULL, " ", &state))
        if (word[0] == 'd')
            instant_add (out, "deadline", atoi (word + 1));
        else if (word[0] == 't')
            instant_add (out, "to", atoi (word + 1));
        else if (word[0] == 'i')
            invited_add (out, word + 1);
        else if (word[0] == 'u')
            buf_add_format (
                out, ",'undertakings':[{'id':'u1','who':'%s','what':'w'}]",
                entity_of (word[1]));
        else
            buf_add_format (out, ",'rule':'%s'", word + 1);
}

static void stance (struct buf *out, const char *topic, char sign, int of) {
    struct thread_place place;
    struct faults faults = { 0 };
    assert_true (thread_place_read (slice_text (topic), &place, &faults));
    enum thread_says says = sign == '+'   ? THREAD_FOR
                            : sign == '-' ? THREAD_AGAINST
                                          : THREAD_NEITHER;
    buf_add_format (out, "'does':'stance','version':'$%d','says':'%s'", of * 10,
                    thread_says_name (place.kind, says));
}

static void close_of (struct buf *out, const char *words) {
    int of;
    char outcome[16], list[200] = "";
    assert_true (sscanf (words, "%d %15s %199s", &of, outcome, list) >= 2);
    buf_add_format (out, "'does':'close','version':'$%d','outcome':'%s'",
                    of * 10,
                    strcmp (outcome, "yes") == 0  ? "agreed"
                    : strcmp (outcome, "no") == 0 ? "not-agreed"
                                                  : outcome);
    buf_add_text (out, ",'stances':{");
    for (char *at = list; *at;) {
        const char *comma = at == list ? "" : ",", *entity = entity_of (*at);
        long of_stance = strtol (at + 1, &at, 10);
        buf_add_format (out, "%s'%s':'$%ld'", comma, entity, of_stance * 10);
    }
    buf_add_text (out, "}");
}

static void message_tell (int place, const char *topic, char *words) {
    struct buf out = { 0 };
    char *at;
    int64_t log = strtol (words, &at, 10);
    int64_t author = *at == '/' ? strtol (at + 1, &at, 10) : log;
    const char *who = author_of (at[1]);
    char what = at[3];
    char *rest = at[4] ? at + 5 : at + 4;
    if (what == 'P')
        propose (&out, topic, rest);
    else if (what == 'C')
        close_of (&out, rest);
    else if (what == 'W')
        buf_add_text (&out, "'does':'withdraw','reason':'r'");
    else if (what == 'D')
        buf_add_format (&out, "'does':'done','undertaking':'u1',%s",
                        *rest == '!' ? "'undone':true" : "'day':'2026-06-01'");
    else if (what == '?')
        buf_add_text (&out, "'does':'comment','text':'t'");
    else if (what == '!' || what == 'x')
        buf_add_text (&out, "'does':'nothing'");
    else
        stance (&out, topic, what, atoi (rest));
    char *inner = buf_take_text (&out);
    struct spoken *spoken_ = say_put (place * 10, log, who, topic, inner);
    spoken_->author_time = NOON + author * MINUTE;
    if (what == 'x') {
        json_decref (spoken_->document);
        spoken_->document = NULL;
        spoken_->why = "its body was erased";
        spoken_->absent = true;
    }
    free (inner);
}

static void story_tell (const char *topic, const char *story) {
    char *copy = mem_copy_text (story), *state = NULL;
    int place = 0;
    for (char *line = strtok_r (copy, ";", &state); line;
         line = strtok_r (NULL, ";", &state))
        message_tell (++place, topic, line + (*line == ' '));
    free (copy);
}

/* What came of it, in words. */

static void stances_print (const struct thread *thread, struct buf *out) {
    for (size_t i = 0; i < thread->stance_count; i++) {
        const struct thread_stance *at = &thread->stances[i];
        buf_add_format (out, "%s%s%s", i ? " " : "",
                        stance_state_name (at->state), at->late ? "*" : "");
    }
    for (size_t i = 0; i < thread->version_count; i++)
        for (size_t k = 0; k < thread->versions[i].party_count; k++)
            if (thread->versions[i].parties[k].disagrees)
                buf_add_format (out, " %s!",
                                thread->versions[i].parties[k].entity);
}

static void closes_print (const struct thread *thread, struct buf *out) {
    static const char *const names[] = { "good", "early", "false", "unknown",
                                         "idle" };
    for (size_t i = 0; i < thread->close_count; i++)
        buf_add_format (out, "%s%s", i ? " " : "",
                        names[thread->closes[i].state]);
}

/* "0=open 61=late": at those minutes. */
static void states_print (const struct thread *thread, const char *like,
                          struct buf *out) {
    struct thread_state state;
    for (const char *at = like; *at;) {
        char *end;
        long minutes = strtol (at, &end, 10);
        thread_state (thread, NOON + minutes * MINUTE, &state);
        buf_add_format (out, "%s%ld=%s", at == like ? "" : " ", minutes,
                        thread_status_name (thread->place.kind, state.status));
        at = end + strcspn (end, " ");
        at += *at == ' ';
    }
}

static void tally_print (const struct thread *thread, struct buf *out) {
    struct thread_state state;
    thread_state (thread, NOON, &state);
    buf_add_format (out, "%zu: %zu %zu %zu %zu", state.tally.members,
                    state.tally.for_, state.tally.against, state.tally.neither,
                    state.tally.silent);
}

struct row {
    const char *topic, *story;
    const char *stances, *closes, *states;
    const char *tally; /* of the current version; NULL: not asked */
};

static void same_text (const struct row *row, const char *what, struct buf *is,
                       const char *want) {
    char *text = buf_take_text (is);
    if (want && strcmp (text, want) != 0)
        fail_msg ("%s\n%s are \"%s\", not \"%s\"", row->story, what, text,
                  want);
    free (text);
}

static void row_compare (const struct row *row, const struct thread *thread) {
    struct buf text = { 0 };
    stances_print (thread, &text);
    same_text (row, "stances", &text, row->stances);
    closes_print (thread, &text);
    same_text (row, "closes", &text, row->closes);
    states_print (thread, row->states, &text);
    same_text (row, "states", &text, row->states);
    tally_print (thread, &text);
    same_text (row, "counts", &text, row->tally);
}

static void row_test (const struct row *row) {
    size_t backwards[SPOKEN_MAX];
    story_tell (row->topic, row->story);
    for (size_t i = 0; i < spoken_count; i++)
        backwards[i] = spoken_count - 1 - i;
    for (int i = 0; i < 2; i++) {
        struct threads *threads = threads_of (i ? backwards : NULL, 1);
        row_compare (row, thread_found (threads, row->topic));
        threads_destroy (&threads);
    }
    spoken_clear (NULL);
}

static void rows_test (const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        row_test (&rows[i]);
}
#define ROWS(rows) rows_test (rows, sizeof rows / sizeof *rows)

#define ALIGN "all/align/EUROPOL/EUROPOL-a"
#define REQUEST "all/request/EUROPOL/EUROPOL-r"
#define CONSULT "all/consultation/EUROPOL/EUROPOL-c"
#define PRACTICE "all/practice/EUROPOL/EUROPOL-p"
#define MEETING "all/meeting/EUROPOL/EUROPOL-m"
#define NOTICE "all/notice/EUROPOL/EUROPOL-n"

/* Who counts, and until when. */
static void test_stances (void **state) {
    (void) state;
    static const struct row rows[] = {
        /* Newest counts, and only what is there. */
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 F - 1; 3 F + 9; 4 F + 4",
          "earlier counts astray astray", "", "0=open 9999=open",
          "1: 0 1 0 0" },
        /* A version that comes later is none yet. */
        { ALIGN, "0 E P =all iF; 1 F + 3; 2 E P =all iF", "astray", "",
          "0=open", "1: 0 0 0 1" },
        /* Observers, guests and others. */
        { ALIGN, "0 E P =all iFUN; 1 U + 1; 2 N - 1; 3 E + 1; 4 F 0 1",
          "observer observer uninvited counts", "", "0=open", "1: 0 0 1 0" },
        { ALIGN, "0 E P =all iU; 1 F + 1; 2 U + 1", "uninvited observer", "",
          "0=open", "0: 0 0 0 0" },
        /* In time, late, too late: the deadline itself is in time. */
        { ALIGN,
          "0 E P =all d60 iF; 60 F + 1; 61/60 F - 1; 120/60 F 0 1;"
          "121/60 F + 1; 62/61 F + 1",
          "earlier earlier* counts* too-late too-late", "",
          "60=open 61=late 120=late 121=not-agreed", "1: 0 0 1 0" },
        /* Without one all are in time. */
        { ALIGN, "0 E P =all iF; 99999 F + 1", "counts", "", "99999=open",
          "1: 1 0 0 0" },
        /* Two delegations. */
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 f - 1", "earlier counts FRONTEX!",
          "", "0=open", "1: 0 1 0 0" },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 f - 1; 3 F - 1",
          "earlier earlier counts", "", "0=open", "1: 0 1 0 0" },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 F - 1", "earlier counts", "",
          "0=open", "1: 0 1 0 0" },
        { ALIGN, "0 E P =all d60 iF; 1 F + 1; 200 f - 1", "counts too-late", "",
          "0=open 121=agreed", "1: 1 0 0 0" },
        /* Another version: the stances stay with the one before. */
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E P =all iFU; 3 F - 1; 4 U + 3",
          "counts replaced observer", "", "0=open", "1: 0 0 0 1" },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E W; 3 F - 1", "counts replaced",
          "", "0=withdrawn", "1: 1 0 0 0" },
        /* Without an invitation. */
        { PRACTICE, "0 E P; 1 F + 1; 2 U + 1; 3 E + 1; 4 N - 1; 5 F - 1",
          "earlier counts uninvited counts counts", "", "0=there",
          "3: 1 2 0 0" },
        { CONSULT, "0 E P d60; 1 F + 1; 2 U + 1; 100/60 F + 1; 130 U + 1",
          "earlier counts counts* too-late", "", "60=open 61=over",
          "2: 2 0 0 0" },
        { CONSULT, "0 E P iF d60; 1 F + 1; 2 U + 1", "counts uninvited", "",
          "60=open 61=over", "1: 1 0 0 0" },
        { MEETING, "0 E P iFU t60; 1 F + 1; 2 U 0 1; 3 E + 1",
          "counts observer uninvited", "", "60=open 61=over", "1: 1 0 0 0" },
    };
    ROWS (rows);
}

/* The roster at the version's place says who is a member. */
static void test_roles (void **state) {
    (void) state;
    static const char *const closes[] = { "'FRONTEX':'$20'",
                                          "'UNODC':'$1020'" };
    for (int i = 0; i < 2; i++) {
        int64_t at = i ? 1010 : 10;
        char text[300];
        (void) say_put (at, 0, "EUROPOL/hq", ALIGN,
                        "'does':'propose','title':'T','type':'joint',"
                        "'about':[{'ref':'EUROPOL-p'}],'rule':'all',"
                        "'invited':['FRONTEX','UNODC']");
        snprintf (text, sizeof text,
                  "'does':'stance','version':'$%d','says':'endorse'", (int) at);
        /* What was proposed before the roster changed stays as it was. */
        (void) say_put (i ? 1020 : 2000, 1, "UNODC/hq", ALIGN, text);
        (void) say_put (i ? 2020 : 20, 1, "FRONTEX/hq", ALIGN, text);
        snprintf (text, sizeof text,
                  "'does':'close','version':'$%d','outcome':'agreed',"
                  "'stances':{%s}",
                  (int) at, closes[i]);
        (void) say_put (3000, 5, "EUROPOL/hq", ALIGN, text);
        struct threads *threads = threads_of (NULL, 1);
        const struct thread *thread = thread_found (threads, ALIGN);
        const struct thread_party *parties = thread->versions[0].parties;
        assert_int_equal (thread->versions[0].party_count, 2);
        assert_string_equal (parties[0].entity, "FRONTEX");
        assert_int_equal (parties[0].member, i == 0);
        assert_int_equal (parties[1].member, i == 1);
        assert_int_equal (thread->closes[0].state, CLOSE_GOOD);
        threads_destroy (&threads);
        spoken_clear (NULL);
    }
}

/* Rules and closes. */
static void test_outcomes (void **state) {
    (void) state;
    static const struct row rows[] = {
        /* Each rule, by time. N is a guest, so one or two count. */
        { ALIGN, "0 E P =all d60 iFN; 1 F + 1", "counts", "",
          "120=late 121=agreed", "1: 1 0 0 0" },
        { ALIGN, "0 E P =all d60 iFU; 1 F 0 1; 2 U + 1", "counts observer", "",
          "121=not-agreed", "1: 0 0 1 0" },
        { ALIGN, "0 E P =silence d60 iF; 1 U - 1", "uninvited", "",
          "121=agreed", "1: 0 0 0 1" },
        { ALIGN, "0 E P =silence d60 iF; 1 F - 1", "counts", "",
          "121=not-agreed", "1: 0 1 0 0" },
        { ALIGN, "0 E P =silence d60 iU", "", "", "121=not-agreed",
          "0: 0 0 0 0" },
        { ALIGN, "0 E P =silence d59 iF", "", "", "1=empty 121=empty", NULL },
        { ALIGN, "0 E P =majority d60 iF; 1 F 0 1", "counts", "",
          "121=not-agreed", "1: 0 0 1 0" },
        { ALIGN, "0 E P =majority d60 iF; 1 F + 1", "counts", "", "121=agreed",
          NULL },
        { REQUEST, "0 E P d60 iF; 1 F 0 1", "counts", "", "121=not-agreed",
          "1: 0 0 1 0" },
        { REQUEST, "0 E P d60 iFU; 1 F + 1", "counts", "", "121=agreed", NULL },
        /* The proposer's close: any time without a deadline ... */
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E C 1 yes F2; 3 F - 1",
          "counts after", "good", "0=agreed", "1: 1 0 0 0" },
        { ALIGN, "0 E P =all iF; 1 F - 1; 2 e C 1 no F2", "counts", "good",
          "0=not-agreed", NULL },
        /* ... with one, when all have spoken, */
        { ALIGN, "0 E P =all d60 iF; 2 E C 1 no; 3 F + 1; 4 E C 1 yes F3",
          "counts", "early good", "0=agreed", NULL },
        { ALIGN, "0 E P =all d60 iFU; 3 F + 1; 4 E C 1 yes F2", "counts",
          "good", "0=agreed", NULL },
        { ALIGN, "0 E P =any d60 iU; 3 U + 1; 4 E C 1 no; 121 E C 1 no",
          "observer", "early good", "4=not-agreed", NULL },
        /* or past the end. */
        { ALIGN, "0 E P =all d60 iF; 120 E C 1 no; 121 E C 1 no", "",
          "early good", "120=not-agreed", NULL },
        /* A party's: past the end alone. */
        { ALIGN, "0 E P =all d60 iF; 3 F + 1; 4 F C 1 yes F2; 121 F C 1 yes F2",
          "counts", "early good", "0=agreed", NULL },
        { ALIGN, "0 E P =all iF; 1 F + 1; 999 F C 1 yes F2", "counts", "early",
          "999=open", NULL },
        { ALIGN, "0 E P =all d60 iU; 121 U C 1 no", "", "good", "0=not-agreed",
          NULL },
        /* Lies: the outcome, what is left out, added, exchanged. */
        { ALIGN, "0 E P =all iF; 1 F - 1; 2 E C 1 yes F2", "counts", "false",
          "99=open", NULL },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 F - 1; 3 E C 1 yes F2",
          "earlier counts", "false", "99=open", NULL },
        { ALIGN, "0 E P =all iF; 1 F - 1; 2 E C 1 no", "counts", "false",
          "99=open", NULL },
        { ALIGN, "0 E P =all iFU; 1 F - 1; 2 U - 1; 3 E C 1 no F2U3",
          "counts observer", "false", "99=open", NULL },
        { ALIGN, "0 E P =all iFU; 1 F - 1; 2 U - 1; 3 E C 1 no F3",
          "counts observer", "false", "99=open", NULL },
        { ALIGN,
          "0 E P =all d60 iF; 1 F - 1; 121 F C 1 yes F2; 122 E C 1 no F2",
          "counts", "false good", "122=not-agreed", NULL },
        /* It lists what comes behind it. */
        { ALIGN, "0 E P =all iF; 2 E C 1 yes F3; 3 F + 1", "counts", "false",
          "99=open", NULL },
        /* What is not held may make it true. */
        { ALIGN, "0 E P =all iF; 2 E C 1 yes F9; 3 F - 1", "counts", "unknown",
          "99=open", NULL },
        { ALIGN, "0 E P =all iF; 2 F x; 3 E C 1 yes F2", "", "unknown",
          "99=open", NULL },
        { ALIGN, "0 E P =all d60 iF; 2 F x; 3 E C 1 no", "", "unknown",
          "99=late 121=not-agreed", NULL },
        { ALIGN, "0 E P =all iF; 2 F x; 3 F + 1; 4 E C 1 yes F3", "counts",
          "good", "9=agreed", NULL },
        { ALIGN, "0 E P =all iF; 2 E C 3 yes; 3 E P =all iF", "", "unknown",
          "9=open", NULL },
        /* Of what is over already. */
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E C 1 yes F2; 3 E C 1 no F2",
          "counts", "good idle", "9=agreed", NULL },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E P =all iF; 3 E C 1 yes F2",
          "counts", "idle", "9=open", NULL },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E W; 3 E C 1 yes F2", "counts",
          "idle", "9=withdrawn", NULL },
        /* A consultation's, with a summary. */
        { CONSULT, "0 E P; 1 F + 1; 2 U + 1; 3 E C 1 closed F2U3; 4 N + 1",
          "counts counts after", "good", "9=closed", "2: 2 0 0 0" },
        { CONSULT, "0 E P d60; 1 F + 1; 3 E C 1 closed F2; 121 E C 1 closed F2",
          "counts", "good idle", "9=closed", NULL },
        { CONSULT, "0 E P d60 iFU; 3 E C 1 closed; 121 F C 1 closed", "",
          "early good", "9=closed", NULL },
    };
    ROWS (rows);
}

/* From one version to the next. */
static void test_versions (void **state) {
    (void) state;
    static const struct row rows[] = {
        { ALIGN, "0 E ?; 1 E C 1 no", "", "unknown", "0=empty", NULL },
        { ALIGN, "0 E W; 1 E P =all iF", "", "", "0=open", NULL },
        { ALIGN, "0 E P =all iF; 1 E W; 2 E P =all iF; 3 F + 3", "counts", "",
          "0=open", "1: 1 0 0 0" },
        { ALIGN, "0 E P =all d60 iF; 1 F + 1; 121 E W", "counts", "",
          "0=open 121=agreed", NULL },
        { ALIGN, "0 E P =all iF; 1 F + 1; 2 E C 1 yes F2; 3 E W", "counts",
          "good", "0=agreed", NULL },
        { NOTICE, "0 E P; 1 E W", "", "", "0=withdrawn", NULL },
        { NOTICE, "0 E P d60; 1 F ?", "", "", "60=there 61=over", NULL },
        { MEETING, "0 E P iF t60; 1 F + 1; 2 E P iF t90; 3 F - 1",
          "counts replaced", "", "90=open 91=over", "1: 0 0 0 1" },
    };
    ROWS (rows);
    /* One that was decided by time keeps its outcome beside the next. */
    story_tell (ALIGN, "0 E P =all d60 iF uF; 1 F + 1; 120/60 F + 1;"
                       "121 E P =all d200 iFU; 130 F - 4; 131 E C 1 yes F3");
    struct threads *threads = threads_of (NULL, 1);
    const struct thread *thread = thread_found (threads, ALIGN);
    struct thread_state of;
    assert_int_equal (thread->version_count, 2);
    assert_int_equal (thread->versions[1].number, 2);
    assert_false (thread->versions[0].replaced);
    assert_int_equal (thread->versions[0].until, 40);
    assert_int_equal (thread->versions[0].decided, 60);
    thread_version_state (thread, 0, 0, &of);
    assert_int_equal (of.status, STATUS_AGREED);
    assert_int_equal (thread_agreed (thread, NOON), 0);
    struct hash id = spoken_id (40);
    assert_int_equal (thread_version_find (thread, &id), 1);
    id = spoken_id (41);
    assert_int_equal (thread_version_find (thread, &id), SIZE_MAX);
    assert_int_equal (thread->last, 60);
    assert_int_equal (thread->last_ms, NOON + 131 * MINUTE);
    threads_destroy (&threads);
}

/* Who may not, and what is none. */
static void test_refused (void **state) {
    (void) state;
    story_tell (ALIGN, "0 E P =all d60 iF uF; 1 F !; 2 F P =all iE; 3 F W;"
                       "4 U C 1 no; 5 U D; 6 E D; 7 F D; 8 F x; 121 F D !u1;"
                       "122 F D");
    struct threads *threads = threads_of (NULL, 3);
    const struct thread *thread = thread_found (threads, ALIGN);
    static const bool wrong[] = { false, true,  true,  true,  true, true,
                                  true,  false, false, false, false };
    assert_int_equal (thread->entry_count, 11);
    for (size_t i = 0; i < 11; i++) {
        const struct thread_entry *at = thread->entries[i];
        assert_int_equal (at->faults && !at->absent, wrong[i]);
        assert_int_equal (at->say == NULL, wrong[i] || at->absent);
    }
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 6);
    assert_non_null (
        strstr (thread->entries[4]->faults->at[0].text, "UNODC is neither"));
    assert_non_null (strstr (thread->entries[5]->faults->at[0].text,
                             "undertaking of FRONTEX"));
    assert_int_equal (thread->close_count, 0);
    assert_int_equal (thread->version_count, 1);
    const struct undertaking *owed =
        &thread->versions[0].proposal->undertakings[0];
    assert_int_equal (thread_done (thread, owed)->origin.sequence, 110);
    threads_cut (threads, 110);
    thread = thread_found (threads, ALIGN);
    assert_null (
        thread_done (thread, &thread->versions[0].proposal->undertakings[0]));
    threads_cut (threads, 90);
    thread = thread_found (threads, ALIGN);
    assert_int_equal (
        thread_done (thread, &thread->versions[0].proposal->undertakings[0])
            ->origin.sequence,
        80);
    assert_int_equal (thread->last, 80);
    threads_destroy (&threads);
}

/* More versions than count. */
static void test_versions_limit (void **state) {
    (void) state;
    for (int i = 0; i < THREAD_VERSIONS_MAX + 3; i++)
        (void) say_put (10 + i, 0, "EUROPOL/hq", NOTICE,
                        "'does':'propose','title':'T','text':'x'");
    for (int i = 0; i < 2; i++) {
        struct threads *threads = threads_of (NULL, i ? 1 : SPOKEN_MAX);
        const struct thread *thread = thread_found (threads, NOTICE);
        assert_int_equal (thread->version_count, THREAD_VERSIONS_MAX);
        assert_int_equal (threads_quarantine (threads, NULL, NULL), 3);
        assert_int_equal (thread->last, 10 + THREAD_VERSIONS_MAX - 1);
        threads_cut (threads, 10 + THREAD_VERSIONS_MAX);
        assert_int_equal (threads_quarantine (threads, NULL, NULL), 0);
        threads_destroy (&threads);
    }
}

/* What an agent would write. */
static void test_close_due (void **state) {
    (void) state;
    static const struct {
        const char *topic, *story, *entity;
        int64_t minutes;
        const char *said; /* NULL: nothing */
    } rows[] = {
        { ALIGN, "0 E ?", "EUROPOL", 0, NULL },
        { ALIGN, "0 E P =all d60 iF", "EUROPOL", 120, NULL },
        { ALIGN, "0 E P =all d60 iF", "EUROPOL", 121, "not-agreed" },
        { ALIGN, "0 E P =all d60 iF", "FRONTEX", 121, "not-agreed" },
        { ALIGN, "0 E P =all d60 iF", "UNODC", 121, NULL },
        { ALIGN, "0 E P =all d60 iFU; 1 F + 1; 2 U + 1", "EUROPOL", 9,
          "agreed 20" },
        { ALIGN, "0 E P =all d60 iF; 1 F + 1", "FRONTEX", 9, NULL },
        { ALIGN, "0 E P =all d60 iF; 1 E W", "EUROPOL", 999, NULL },
        { ALIGN, "0 E P =all iF; 1 E C 1 no", "EUROPOL", 999, NULL },
        { ALIGN, "0 E P =all iF; 1 E C 1 yes", "EUROPOL", 9, "not-agreed" },
        { CONSULT, "0 E P; 2 F + 1; 1 N + 1", "EUROPOL", 9, "closed 20 30" },
        { CONSULT, "0 E P; 2 F + 1; 1 N + 1", "FRONTEX", 9, NULL },
        { MEETING, "0 E P iF t60", "EUROPOL", 999, NULL },
        { NOTICE, "0 E P d60", "EUROPOL", 999, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct thread_entry *stances[4];
        enum thread_outcome outcome;
        size_t count;
        story_tell (rows[i].topic, rows[i].story);
        struct threads *threads = threads_of (NULL, 1);
        const struct thread *thread = thread_found (threads, rows[i].topic);
        bool due = thread_close_due (thread, rows[i].entity,
                                     NOON + rows[i].minutes * MINUTE, &outcome,
                                     stances, 4, &count);
        struct buf text = { 0 };
        if (due)
            buf_add_text (&text, thread_outcome_name (outcome));
        for (size_t k = 0; due && k < count; k++)
            buf_add_format (&text, " %d", (int) stances[k]->origin.sequence);
        char *said = buf_take_text (&text);
        if (strcmp (said, rows[i].said ? rows[i].said : "") != 0)
            fail_msg ("%s: \"%s\"", rows[i].story, said);
        free (said);
        threads_destroy (&threads);
        spoken_clear (NULL);
    }
}

/* Nobody is judged, and nothing believed, by a roster that is not known. */
static void test_no_roster (void **state) {
    (void) state;
    static const struct row row = {
        ALIGN,
        "0 E P =all d60 iF; 1 F + 1; 2 E C 1 yes F2",
        "observer",
        "unknown",
        "121=not-agreed",
        "0: 0 0 0 0"
    };
    size_t held = in_force_count;
    in_force_count = 0;
    row_test (&row);
    story_tell (ALIGN, row.story);
    struct threads *threads = threads_of (NULL, 1);
    assert_true (thread_found (threads, ALIGN)->versions[0].unjudged);
    in_force_count = held;
    threads_settle (threads);
    assert_true (thread_found (threads, ALIGN)->versions[0].unjudged);
    threads_rejudge (threads);
    threads_settle (threads);
    const struct thread *thread = thread_found (threads, ALIGN);
    assert_false (thread->versions[0].unjudged);
    assert_int_equal (thread->closes[0].state, CLOSE_GOOD);
    threads_destroy (&threads);
}

/* Communiques: adoptions are signed */

#define COMMUNIQUE "all/communique/EUROPOL/EUROPOL-k"

static struct identity *signer (const char *name, const char *seed) {
    struct error e;
    struct hash drawn = hash_sha256 (slice_text (seed));
    struct identity *out =
        identity_from_seed (IDENTITY_DELEGATION, name, drawn.octets, &e);
    assert_non_null (out);
    return out;
}

static void note_key_set (json_t *document, const char *path, const char *name,
                          const char *seed) {
    char base64[BASE64_SIZE (KEY_SIZE)], text[BASE64_SIZE (KEY_SIZE) + 2];
    struct identity *who = signer (name, seed);
    base64_encode (base64, identity_public (who, KEY_NOTE), KEY_SIZE);
    snprintf (text, sizeof text, "'%s'", base64);
    fixture_set (document, path, text);
    identity_destroy (&who);
}

/* EUROPOL/hq has a key since, and had one until the end of May; so has
 * FRONTEX/hq one. */
static struct roster *signing_roster (void) {
    struct error e;
    json_t *document = fixture_document();
    note_key_set (document, "entities[0].delegations[0].keys[0].note",
                  "EUROPOL/hq", "new");
    note_key_set (document, "entities[0].delegations[0].keys[1].note",
                  "EUROPOL/hq", "old");
    note_key_set (document, "entities[1].delegations[0].keys[0].note",
                  "FRONTEX/hq", "frontex");
    struct roster *out = fixture_read (document, "-", "EUROPOL FRONTEX", &e);
    assert_non_null (out);
    return out;
}

/* An adoption of the version at `of`, whose text is signed as the version at
 * `signed_`. */
static void adopt (int64_t sequence, int64_t minutes, const char *author,
                   const char *key_name, const char *seed, int of,
                   int signed_) {
    struct error e;
    struct buf text = { 0 }, line = { 0 }, inner = { 0 };
    struct thread_place place;
    struct faults faults = { 0 };
    struct hash id = spoken_id (signed_);
    struct identity *who = signer (key_name, seed);
    assert_true (thread_place_read (slice_text (COMMUNIQUE), &place, &faults));
    assert_int_equal (communique_text (&text, &spoken_dialogue, &place, &id,
                                       spoken[0].document, &e),
                      0);
    assert_int_equal (communique_sign (who, buf_slice (&text), &line, &e), 0);
    char *signature = buf_take_text (&line);
    buf_add_format (&inner,
                    "'does':'stance','version':'$%d','says':'adopt',"
                    "'signature':'%s'",
                    of, signature);
    char *body = buf_take_text (&inner);
    (void) say_put (sequence, minutes, author, COMMUNIQUE, body);
    free (body);
    free (signature);
    buf_free (&text);
    identity_destroy (&who);
}

static void communique_put (int64_t sequence, int64_t minutes) {
    (void) say_put (sequence, minutes, "EUROPOL/hq", COMMUNIQUE,
                    "'does':'propose','title':'T','binding':'en',"
                    "'paragraphs':[{'id':'p','text':'We agree.'}],"
                    "'invited':['FRONTEX']");
}

static void test_adoptions (void **state) {
    (void) state;
    struct roster *held = in_force[0].roster;
    in_force[0].roster = signing_roster();
    communique_put (10, -2000);
    adopt (20, -1000, "EUROPOL/hq", "EUROPOL/hq", "old", 10, 10); /* in May */
    adopt (30, 0, "EUROPOL/hq", "EUROPOL/hq", "old", 10, 10);
    adopt (40, 1, "FRONTEX/hq", "FRONTEX/hq", "frontex", 10, 50);
    adopt (41, 1, "FRONTEX/hq", "EUROPOL/hq", "new", 10, 10);
    adopt (42, 1, "EUROPOL/ec3", "EUROPOL/ec3", "new", 10, 10);
    adopt (43, 1, "FRONTEX/hq", "FRONTEX/hq", "frontex", 50, 50);
    (void) say_put (44, 1, "FRONTEX/hq", COMMUNIQUE,
                    "'does':'stance','version':'$10','says':'object'");
    adopt (45, 1, "FRONTEX/hq", "FRONTEX/hq", "frontex", 10, 10);
    communique_put (50, 2);
    adopt (60, 3, "EUROPOL/hq", "EUROPOL/hq", "new", 50, 50);
    adopt (70, 3, "FRONTEX/hq", "FRONTEX/hq", "frontex", 50, 50);
    (void) say_put (80, 4, "EUROPOL/hq", COMMUNIQUE,
                    "'does':'close','version':'$50','outcome':'agreed',"
                    "'stances':{'EUROPOL':'$60','FRONTEX':'$70'}");
    size_t order[SPOKEN_MAX];
    uint64_t seed = 3;
    for (int round = 0; round < 4; round++) {
        struct buf text = { 0 };
        spoken_shuffle (order, spoken_count, &seed);
        struct threads *threads = threads_of (order, 1);
        const struct thread *thread = thread_found (threads, COMMUNIQUE);
        stances_print (thread, &text);
        char *stances = buf_take_text (&text);
        assert_string_equal (stances, "counts astray earlier counts counts "
                                      "counts");
        free (stances);
        assert_int_equal (threads_quarantine (threads, NULL, NULL), 4);
        assert_int_equal (thread->versions[0].parties[0].proposer, true);
        assert_int_equal (thread->closes[0].state, CLOSE_GOOD);
        assert_int_equal (thread_agreed (thread, NOON), 1);
        threads_destroy (&threads);
    }
    /* By a roster, or of a text, that is not known: nobody's fault. */
    size_t count = in_force_count;
    in_force_count = 0;
    struct threads *threads = threads_of (NULL, 1);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 0);
    assert_int_equal (thread_found (threads, COMMUNIQUE)->stance_count, 2);
    in_force_count = count;
    threads_rejudge (threads);
    threads_settle (threads);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 4);
    assert_int_equal (thread_found (threads, COMMUNIQUE)->stance_count, 6);
    threads_destroy (&threads);
    roster_unref (&in_force[0].roster);
    in_force[0].roster = held;
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_stances, spoken_clear),
        cmocka_unit_test_teardown (test_roles, spoken_clear),
        cmocka_unit_test_teardown (test_outcomes, spoken_clear),
        cmocka_unit_test_teardown (test_versions, spoken_clear),
        cmocka_unit_test_teardown (test_refused, spoken_clear),
        cmocka_unit_test_teardown (test_versions_limit, spoken_clear),
        cmocka_unit_test_teardown (test_close_due, spoken_clear),
        cmocka_unit_test_teardown (test_no_roster, spoken_clear),
        cmocka_unit_test_teardown (test_adoptions, spoken_clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
