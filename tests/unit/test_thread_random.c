/* Histories that are drawn: whatever came in which order, was forgotten and read
 * again, or stands above the mark, what comes out is the same; and what was
 * decided stays so. */
#include "thread_fixture.h"

#include <stdlib.h>

#define ROUNDS 600

static const char *const topics[] = {
    "all/align/EUROPOL/EUROPOL-a",       "core/align/EUROPOL/EUROPOL-a",
    "all/align/FRONTEX/FRONTEX-a",       "all/request/UNODC/UNODC-r",
    "all/communique/EUROPOL/EUROPOL-k",  "all/consultation/FRONTEX/FRONTEX-c",
    "core/meeting/EUROPOL/EUROPOL-m",    "late/practice/UNODC/UNODC-p",
    "late/capability/FRONTEX/FRONTEX-o", "all/align/UNODC",
};
static const char *const authors[] = { "EUROPOL/hq", "EUROPOL/ec3",
                                       "FRONTEX/hq", "UNODC/hq",
                                       "UNODC/late", "NEWCOMER/hq" };
static const char *const channels[] = { "all", "core", "late" };
#define PICK(list, state)                                                      \
    (list)[spoken_draw (state, sizeof (list) / sizeof *(list))]

struct drawn {
    uint64_t *state;
    int64_t sequence, minutes;
    const char *topic;
    struct thread_place place;
    bool placed;
    char author[DELEGATION_MAX + 1];
    struct buf text;
};

static void instant_draw (struct drawn *self, const char *name) {
    unsigned minutes = spoken_draw (self->state, 900);
    buf_add_format (&self->text, ",'%s':'2026-06-0%uT%02u:%02u:00Z'", name,
                    1 + (12 * 60 + minutes) / 1440,
                    (12 * 60 + minutes) / 60 % 24, minutes % 60);
}

static void invited_draw (struct drawn *self) {
    static const char *const entities[] = { "EUROPOL", "FRONTEX", "UNODC",
                                            "NEWCOMER" };
    const char *comma = "";
    buf_add_text (&self->text, ",'invited':[");
    for (size_t i = 0; i < 4; i++)
        if (strcmp (entities[i], self->place.entity) != 0
            && spoken_draw (self->state, 3)) {
            buf_add_format (&self->text, "%s'%s'", comma, entities[i]);
            comma = ",";
        }
    buf_add_text (&self->text, "]");
}

static void draw_proposal (struct drawn *self) {
    static const char *const rules[] = { "all", "majority", "any", "silence" };
    enum thread_kind kind = self->place.kind;
    buf_add_text (&self->text, "'does':'propose','title':'T'");
    if (kind == THREAD_COMMUNIQUE)
        buf_add_text (&self->text,
                      ",'binding':'en','paragraphs':[{'id':'p','text':'x'}]");
    else if (kind != THREAD_ALIGN)
        buf_add_text (&self->text, ",'text':'x'");
    if (kind == THREAD_ALIGN)
        buf_add_format (&self->text,
                        ",'type':'joint','rule':'%s','about':[{"
                        "'ref':'EUROPOL-p#A%u'}]",
                        PICK (rules, self->state),
                        1 + spoken_draw (self->state, 3));
    if (kind == THREAD_CAPABILITY)
        buf_add_text (&self->text, ",'type':'training'");
    if (kind == THREAD_MEETING) {
        buf_add_text (&self->text, ",'zone':'Etc/UTC','place':'x','from':"
                                   "'2026-06-01'");
        buf_add_format (&self->text, ",'series':'s','edition':%u",
                        1 + spoken_draw (self->state, 3));
        buf_add_text (&self->text, ",'to':'2026-06-02'");
    }
    if (kind != THREAD_PRACTICE && kind != THREAD_CAPABILITY
        && (kind != THREAD_CONSULTATION || spoken_draw (self->state, 2)))
        invited_draw (self);
    if (kind != THREAD_PRACTICE && spoken_draw (self->state, 3))
        instant_draw (self, "deadline");
    if ((kind == THREAD_ALIGN || kind == THREAD_REQUEST)
        && spoken_draw (self->state, 2))
        buf_add_format (&self->text,
                        ",'undertakings':[{'id':'u1','who':'%s','what':'w'}]",
                        self->place.entity);
}

/* Mostly a version of the thread; or one that is no version, or comes later. */
static int64_t version_draw (struct drawn *self) {
    for (size_t i = spoken_count; i > 0 && spoken_draw (self->state, 8); i--) {
        const char *does = json_string_value (
            json_object_get (spoken[i - 1].document, "does"));
        if (strcmp (spoken[i - 1].topic, self->topic) == 0 && does
            && strcmp (does, "propose") == 0)
            return spoken[i - 1].origin.sequence;
    }
    return spoken_draw (self->state, 120);
}

static void draw_stance (struct drawn *self) {
    enum thread_says says = (enum thread_says) spoken_draw (self->state, 5);
    if (says >= THREAD_SAYS)
        says = THREAD_FOR;
    const char *name = thread_says_name (self->place.kind, says);
    buf_add_format (&self->text, "'does':'stance','version':'$%d','says':'%s'",
                    (int) version_draw (self), name ? name : "reply");
    if (self->place.kind == THREAD_COMMUNIQUE && says == THREAD_FOR)
        buf_add_text (&self->text, ",'signature':'none'");
}

static void draw_close (struct drawn *self) {
    buf_add_format (&self->text,
                    "'does':'close','version':'$%d','outcome':'%s','stances':{",
                    (int) version_draw (self),
                    !thread_kind_decides (self->place.kind) ? "closed"
                    : spoken_draw (self->state, 2)          ? "agreed"
                                                            : "not-agreed");
    if (spoken_draw (self->state, 2))
        buf_add_format (&self->text, "'FRONTEX':'$%d'",
                        (int) spoken_draw (self->state, 100));
    buf_add_text (&self->text, "}");
}

/* What is true by what was said so far. */
static void draw_true_close (struct drawn *self) {
    const struct thread_entry *stances[8];
    enum thread_outcome outcome;
    size_t count;
    struct threads *threads = threads_of (NULL, SPOKEN_MAX);
    const struct thread *thread =
        threads_by_topic (threads, slice_text (self->topic));
    char entity[ENTITY_MAX + 1];
    struct slice name = delegation_entity (slice_text (self->author));
    snprintf (entity, sizeof entity, "%.*s", (int) name.size,
              (const char *) name.data);
    if (thread
        && thread_close_due (thread, entity, NOON + self->minutes * MINUTE,
                             &outcome, stances, 8, &count)) {
        buf_add_format (
            &self->text,
            "'does':'close','version':'$%d','outcome':'%s','stances':{",
            (int) thread_current (thread)->entry->origin.sequence,
            thread_outcome_name (outcome));
        for (size_t i = 0; i < count; i++)
            buf_add_format (&self->text, "%s'%s':'$%d'", i ? "," : "",
                            origin_entity (entity, &stances[i]->origin),
                            (int) stances[i]->origin.sequence);
        buf_add_text (&self->text, "}");
    } else
        draw_stance (self);
    threads_destroy (&threads);
}

static void draw_withdrawal (struct drawn *self) {
    buf_add_text (&self->text, "'does':'withdraw','reason':'r'");
}

static void draw_done (struct drawn *self) {
    buf_add_format (&self->text, "'does':'done','undertaking':'u%u',%s",
                    1 + spoken_draw (self->state, 5) / 4,
                    spoken_draw (self->state, 3) ? "'day':'2026-06-01'"
                                                 : "'undone':true");
}

static void draw_other (struct drawn *self) {
    static const char *const others[] = {
        "'does':'comment','text':'t'",
        "'does':'nothing'",
        "'does':'attendance','present':[{'entity':'FRONTEX'}]",
        "'does':'contribution','title':'t','text':'t'",
    };
    buf_add_text (&self->text, PICK (others, self->state));
}

static void put (struct drawn *self) {
    char *inner = buf_take_text (&self->text);
    struct spoken *at = say_put (self->sequence, self->minutes, self->author,
                                 self->topic, inner);
    free (inner);
    if (spoken_draw (self->state, 4) == 0)
        at->author_time -= spoken_draw (self->state, 90) * MINUTE;
    if (spoken_draw (self->state, 20) == 0)
        json_object_set_new (at->document, "format", json_integer (2));
    if (spoken_draw (self->state, 20) > 0)
        return;
    json_decref (at->document);
    at->document = NULL;
    at->why = "its body was erased";
    at->absent = true;
}

static void draw_one (struct drawn *self) {
    static void (*const kinds[]) (struct drawn *) = {
        draw_proposal, draw_stance, draw_stance,     draw_stance,
        draw_stance,   draw_close,  draw_true_close, draw_true_close,
        draw_done,     draw_other,  draw_withdrawal,
    };
    struct faults faults = { 0 };
    self->topic = PICK (topics, self->state);
    self->placed =
        thread_place_read (slice_text (self->topic), &self->place, &faults);
    faults_clear (&faults);
    size_t kind = spoken_draw (self->state, 11);
    bool first = true;
    for (size_t i = 0; i < spoken_count; i++)
        first &= strcmp (spoken[i].topic, self->topic) != 0;
    if (first && spoken_draw (self->state, 8))
        kind = 0;
    bool proposers = kind == 0 || (kind > 4 && spoken_draw (self->state, 3));
    snprintf (self->author, sizeof self->author, "%s",
              PICK (authors, self->state));
    if (proposers && spoken_draw (self->state, 12))
        snprintf (self->author, sizeof self->author, "%s/hq",
                  self->place.entity);
    if (kind == 10 && spoken_draw (self->state, 3))
        kind = 1;
    kinds[kind](self);
    put (self);
}

static void history_draw (uint64_t *state) {
    int count = 30 + (int) spoken_draw (state, 90);
    int64_t minutes = 0;
    for (int i = 0; i < count; i++) {
        struct drawn drawn = { .state = state,
                               .sequence = 10 + i,
                               .minutes = minutes };
        draw_one (&drawn);
        minutes += spoken_draw (state, 25);
    }
}

/* All that there is to see, in words. */

static void party_print (const struct thread_party *at, struct buf *out) {
    buf_add_format (out, " %s %d%d%d %zd %zd", at->entity, at->member,
                    at->proposer, at->disagrees, (ssize_t) at->stance,
                    (ssize_t) at->newest);
}

static void version_print (const struct thread *thread, size_t n, int64_t now,
                           struct buf *out) {
    const struct thread_version *at = &thread->versions[n];
    struct thread_state state;
    thread_version_state (thread, n, now, &state);
    buf_add_format (out, "version %d: %s decided %d until %d %d%d\n",
                    (int) at->entry->origin.sequence,
                    thread_status_name (thread->place.kind, state.status),
                    (int) at->decided, (int) at->until, at->replaced,
                    at->withdrawn);
    for (size_t i = 0; i < at->party_count; i++)
        party_print (&at->parties[i], out);
    buf_add_text (out, "\n");
}

static void thread_print (const struct thread *thread, int64_t now,
                          struct buf *out) {
    char topic[TOPIC_MAX + 1];
    buf_add_format (out, "%s last %d withdrawn %d attendance %d\n",
                    thread_topic (topic, &thread->place), (int) thread->last,
                    thread->withdrawn != NULL, thread->attendance != NULL);
    for (size_t i = 0; i < thread->entry_count; i++) {
        const struct thread_entry *at = thread->entries[i];
        buf_add_format (out, "%d %d%d %s\n", (int) at->origin.sequence,
                        at->newer, at->absent,
                        at->faults ? at->faults->at[0].text : "");
    }
    for (size_t i = 0; i < thread->version_count; i++)
        version_print (thread, i, now, out);
    for (size_t i = 0; i < thread->stance_count; i++)
        buf_add_format (out, "stance %d %s %d %zd\n",
                        (int) thread->stances[i].entry->origin.sequence,
                        stance_state_name (thread->stances[i].state),
                        thread->stances[i].late,
                        (ssize_t) thread->stances[i].version);
    for (size_t i = 0; i < thread->close_count; i++)
        buf_add_format (out, "close %d %d %s\n",
                        (int) thread->closes[i].entry->origin.sequence,
                        (int) thread->closes[i].state, thread->closes[i].why);
}

static char *all_print (const struct threads *threads, int64_t now) {
    struct buf out = { 0 };
    const struct thread *list[16];
    for (size_t i = 0; i < threads_count (threads); i++)
        thread_print (threads_at (threads, i), now, &out);
    size_t count = threads_about (threads, "EUROPOL-p", list, 16);
    count += threads_series (threads, "core", "s", list + count, 16 - count);
    for (size_t i = 0; i < count; i++)
        buf_add_format (&out, "%s %s\n", list[i]->place.channel,
                        list[i]->place.id);
    buf_add_format (&out, "%zu", threads_quarantine (threads, NULL, NULL));
    return buf_take_text (&out);
}

/* Comparing */

/* Of those below the mark alone, by sequence, at once; `without` a channel. */
static struct threads *fresh_of (int64_t mark, const char *without) {
    struct threads *threads = threads_fresh();
    for (size_t i = 0; i < spoken_count; i++)
        if (spoken[i].origin.sequence < mark
            && (!without || strcmp (spoken[i].origin.channel, without) != 0))
            threads_give (threads, i);
    threads_settle (threads);
    return threads;
}

static int64_t draw_time (uint64_t *state) {
    return NOON + spoken_draw (state, 1500) * MINUTE;
}

static void same_digest (struct threads *threads, int64_t mark, int64_t now,
                         const char *without, int round) {
    struct threads_digests want, got;
    struct threads *fresh = fresh_of (mark, without);
    threads_digest (fresh, mark, now, &want);
    threads_digest (threads, mark, now, &got);
    if (memcmp (&want, &got, sizeof got) != 0)
        fail_msg ("round %d, mark %d, without %s: threads %d records %d", round,
                  (int) mark, without ? without : "none",
                  hash_equal (&want.threads, &got.threads),
                  hash_equal (&want.records, &got.records));
    threads_destroy (&fresh);
}

static void same (struct threads *threads, int64_t now, const char *without,
                  int64_t below, int round) {
    struct threads *fresh = fresh_of (below, without);
    char *want = all_print (fresh, now), *got = all_print (threads, now);
    if (strcmp (want, got) != 0)
        fail_msg ("round %d:\n%s\nis not\n%s", round, got, want);
    free (want);
    free (got);
    threads_destroy (&fresh);
    same_digest (threads, below, now, without, round);
}

static bool is_final (enum thread_status status) {
    return status == STATUS_AGREED || status == STATUS_NOT_AGREED
           || status == STATUS_CLOSED;
}

/* What is decided below a mark, at its time, is so in all that comes behind. */
static void stays_decided (const struct threads *all, uint64_t *state) {
    size_t n = spoken_draw (state, (uint32_t) spoken_count);
    int64_t then = spoken[n].origin.log_time;
    struct threads *below = fresh_of (spoken[n].origin.sequence, NULL);
    for (size_t i = 0; i < threads_count (below); i++) {
        const struct thread *before = threads_at (below, i);
        char topic[TOPIC_MAX + 1];
        const struct thread *after =
            thread_found (all, thread_topic (topic, &before->place));
        for (size_t k = 0; k < before->version_count; k++) {
            struct thread_state was, is;
            thread_version_state (before, k, then, &was);
            int64_t now = then + spoken_draw (state, 2000) * MINUTE;
            thread_version_state (after, k, now, &is);
            if (is_final (was.status) && is.status != was.status)
                fail_msg ("%s, version %zu: %s, then %s", topic, k,
                          thread_status_name (before->place.kind, was.status),
                          thread_status_name (before->place.kind, is.status));
        }
    }
    threads_destroy (&below);
}

static size_t reached[STATUS_EMPTY + 1], closed[CLOSE_IDLE + 1],
    stood[STANCE_ASTRAY + 1];

static void reached_count (const struct threads *threads) {
    for (size_t i = 0; i < threads_count (threads); i++) {
        const struct thread *at = threads_at (threads, i);
        struct thread_state state;
        for (size_t k = 0; k < at->version_count; k++) {
            thread_version_state (at, k, NOON + 500 * MINUTE, &state);
            reached[state.status]++;
        }
        thread_state (at, NOON, &state);
        reached[state.status]++;
        for (size_t k = 0; k < at->close_count; k++)
            closed[at->closes[k].state]++;
        for (size_t k = 0; k < at->stance_count; k++)
            stood[at->stances[k].state]++;
    }
}

static void forget_again (struct threads *threads, const size_t *order,
                          uint64_t *state, int round) {
    const char *taken = PICK (channels, state);
    threads_forget (threads, taken);
    same (threads, draw_time (state), taken, 1000, round);
    for (size_t i = 0; i < spoken_count; i++)
        if (strcmp (spoken[order[i]].origin.channel, taken) == 0) {
            threads_give (threads, order[i]);
            if (spoken_draw (state, 2))
                threads_settle (threads);
        }
    threads_settle (threads);
    same (threads, draw_time (state), NULL, 1000, round);
}

static void test_any_history (void **state) {
    (void) state;
    uint64_t seed = 7;
    const char *more = getenv ("PARLEY_ROUNDS");
    int rounds = more ? atoi (more) : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        size_t order[SPOKEN_MAX];
        history_draw (&seed);
        spoken_shuffle (order, spoken_count, &seed);
        struct threads *threads =
            threads_of (order, 1 + spoken_draw (&seed, 9));
        same (threads, draw_time (&seed), NULL, 1000, round);
        for (int i = 0; i < 4; i++) {
            same_digest (threads, 10 + spoken_draw (&seed, 120),
                         draw_time (&seed), NULL, round);
            stays_decided (threads, &seed);
        }
        reached_count (threads);
        forget_again (threads, order, &seed, round);
        int64_t cut = 10 + spoken_draw (&seed, 80);
        threads_cut (threads, cut);
        same (threads, draw_time (&seed), NULL, cut, round);
        threads_destroy (&threads);
        spoken_clear (NULL);
    }
    /* It was worth it: all that can come out did. */
    for (size_t i = 0; i <= STATUS_EMPTY; i++)
        assert_true (reached[i] > 0);
    for (size_t i = 0; i <= CLOSE_IDLE; i++)
        assert_true (closed[i] > 0);
    for (size_t i = 0; i <= STANCE_ASTRAY; i++)
        assert_true (stood[i] > 0);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_any_history, spoken_clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
