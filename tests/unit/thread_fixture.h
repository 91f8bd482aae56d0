/* thread_fixture - a ledger in small: records of threads that tests write as JSON
 * with single quotes, and threads that are given them in any order. */
#ifndef PARLEY_THREAD_FIXTURE_H
#define PARLEY_THREAD_FIXTURE_H

#include "roster_fixture.h"

#include "threads/threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Times are minutes behind this: noon of 1 June 2026. */
#define NOON INT64_C (1780315200000)
#define MINUTE INT64_C (60000)

struct spoken {
    struct origin origin;
    int64_t author_time;
    char topic[TOPIC_MAX + 1];
    json_t *document; /* NULL: `why` */
    const char *why;
    bool absent;
};
#define SPOKEN_MAX 512
static struct spoken spoken[SPOKEN_MAX];
static size_t spoken_count;
/* Rosters in force from those places on. */
static struct {
    int64_t from;
    struct roster *roster;
} in_force[8];
static size_t in_force_count;
static struct taxonomy *spoken_taxonomy;
static struct hash spoken_dialogue;

FIXTURE_UNUSED static json_t *in_quotes (const char *text) {
    char *copy = mem_copy_text (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t e;
    json_t *out = json_loads (copy, JSON_REJECT_DUPLICATES, &e);
    if (!out)
        fail_msg ("%s: %s", copy, e.text);
    free (copy);
    return out;
}

static struct hash spoken_id (int64_t sequence) {
    char text[32];
    snprintf (text, sizeof text, "message %" PRId64, sequence);
    return hash_sha256 (slice_text (text));
}

/* `document` is taken. */
FIXTURE_UNUSED static struct spoken *spoken_put (int64_t sequence,
                                                 int64_t minutes,
                                                 const char *author,
                                                 const char *topic,
                                                 json_t *document) {
    assert_true (spoken_count < SPOKEN_MAX);
    struct spoken *self = &spoken[spoken_count++];
    *self = (struct spoken){ .document = document };
    self->origin = (struct origin){ .sequence = sequence,
                                    .log_time = NOON + minutes * MINUTE,
                                    .id = spoken_id (sequence) };
    self->author_time = self->origin.log_time;
    self->origin.leaf = hash_leaf (slice_of (&sequence, sizeof sequence));
    snprintf (self->origin.author, sizeof self->origin.author, "%s", author);
    snprintf (self->origin.channel, sizeof self->origin.channel, "%.*s",
              (int) strcspn (topic, "/"), topic);
    snprintf (self->topic, sizeof self->topic, "%s", topic);
    return self;
}

/* `inner`: members behind format and thread; "$12" in it is the id of the message
 * at place 12. */
FIXTURE_UNUSED static struct spoken *say_put (int64_t sequence, int64_t minutes,
                                              const char *author,
                                              const char *topic,
                                              const char *inner) {
    struct buf text = { 0 };
    const char *id = strrchr (topic, '/');
    buf_add_format (&text, "{'format':1,'thread':'%s',", id ? id + 1 : topic);
    for (const char *at = inner; *at;) {
        if (*at != '$') {
            buf_add (&text, at++, 1);
            continue;
        }
        char hex[HASH_TEXT_MAX], *end;
        struct hash hash = spoken_id (strtol (at + 1, &end, 10));
        buf_add_text (&text, hash_text (hex, &hash));
        at = end;
    }
    buf_add_text (&text, "}");
    char *quotes = buf_take_text (&text);
    json_t *document = in_quotes (quotes);
    free (quotes);
    return spoken_put (sequence, minutes, author, topic, document);
}

/* By reference to what was put. */
static json_t *spoken_load (void *arg, const struct origin *origin) {
    (void) arg;
    for (size_t i = 0; i < spoken_count; i++)
        if (spoken[i].origin.sequence == origin->sequence)
            return json_incref (spoken[i].document);
    return NULL;
}

static const struct roster *spoken_roster (void *arg, int64_t sequence) {
    (void) arg;
    const struct roster *out = NULL;
    for (size_t i = 0; i < in_force_count; i++)
        if (in_force[i].from <= sequence)
            out = in_force[i].roster;
    return out;
}

static const struct taxonomy *spoken_taxonomy_at (void *arg, int64_t sequence) {
    (void) arg, (void) sequence;
    return spoken_taxonomy;
}

FIXTURE_UNUSED static struct threads *threads_fresh (void) {
    struct threads_options options = { .dialogue = &spoken_dialogue,
                                       .delegation = "EUROPOL/hq",
                                       .roster = spoken_roster,
                                       .taxonomy = spoken_taxonomy_at,
                                       .load = spoken_load };
    return threads_new (&options);
}

FIXTURE_UNUSED static void threads_give (struct threads *threads, size_t n) {
    const struct spoken *at = &spoken[n];
    struct threads_record record = { .origin = at->origin,
                                     .topic = slice_text (at->topic),
                                     .author_time = at->author_time,
                                     .document = at->document,
                                     .why = at->why,
                                     .absent = at->absent };
    threads_add (threads, &record);
}

/* All, in that order, settled behind each `step` ones. */
FIXTURE_UNUSED static struct threads *threads_of (const size_t *order,
                                                  size_t step) {
    struct threads *threads = threads_fresh();
    for (size_t i = 0; i < spoken_count; i++) {
        threads_give (threads, order ? order[i] : i);
        if (i % step == step - 1)
            threads_settle (threads);
    }
    threads_settle (threads);
    return threads;
}

static inline uint32_t spoken_draw (uint64_t *state, uint32_t below) {
    *state = *state * UINT64_C (6364136223846793005)
             + UINT64_C (1442695040888963407);
    return (uint32_t) ((*state >> 33) % below);
}

FIXTURE_UNUSED static void spoken_shuffle (size_t *order, size_t count,
                                           uint64_t *state) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t k = spoken_draw (state, (uint32_t) i), held = order[i - 1];
        order[i - 1] = order[k];
        order[k] = held;
    }
}

FIXTURE_UNUSED static int spoken_clear (void **state) {
    (void) state;
    for (size_t i = 0; i < spoken_count; i++)
        json_decref (spoken[i].document);
    spoken_count = 0;
    return 0;
}

FIXTURE_UNUSED static const struct thread *thread_found (
    const struct threads *threads, const char *topic) {
    const struct thread *out = threads_by_topic (threads, slice_text (topic));
    assert_non_null (out);
    return out;
}

/* Until it is taken away: in force from that place on. */
FIXTURE_UNUSED static void roster_from (int64_t from, struct roster *roster) {
    in_force[in_force_count].from = from;
    in_force[in_force_count++].roster = roster;
}

/* Four bodies, of which UNODC is an observer, and NEWCOMER a guest; from 1000 on
 * FRONTEX is an observer and UNODC a member. */
FIXTURE_UNUSED static int spoken_begin (void **state) {
    (void) state;
    spoken_taxonomy = taxonomy_base();
    spoken_dialogue = hash_sha256 (slice_text ("dialogue"));
    roster_from (0, fixture_roster (NULL));
    roster_from (1000, fixture_roster ("entities[1].role", "'observer'",
                                       "entities[2].role", "'member'", NULL));
    return 0;
}

FIXTURE_UNUSED static int spoken_end (void **state) {
    (void) state;
    taxonomy_unref (&spoken_taxonomy);
    while (in_force_count > 0)
        roster_unref (&in_force[--in_force_count].roster);
    return 0;
}

#endif
