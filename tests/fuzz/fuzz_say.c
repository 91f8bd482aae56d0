/* Messages of threads, and what a communique's note is. Input: a topic, a newline,
 * JSON. */
#include "threads/communique.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void check_place (struct slice topic, const struct thread_place *place) {
    char again[TOPIC_MAX + 1];
    must (thread_topic_kind (topic) == place->kind);
    must (place->kind < THREAD_KINDS);
    must (slice_is (topic, thread_topic (again, place)));
    must (strncmp (place->id, place->entity, strlen (place->entity)) == 0);
}

static void check_proposal (const struct thread_place *place,
                            const struct proposal *proposal) {
    must (proposal->title.count > 0);
    must (proposal->invited.count <= SAY_INVITED_MAX);
    must (proposal->about_count <= SAY_REFS_MAX);
    must (proposal->undertaking_count <= SAY_UNDERTAKINGS_MAX);
    must (proposal->paragraph_count <= 200);
    must (proposal->rule <= RULE_WITHOUT);
    must (thread_kind_decides (place->kind)
          == (proposal->rule != RULE_WITHOUT));
    if (proposal->rule == RULE_SILENCE)
        must (proposal->has_deadline);
    for (size_t i = 0; i < proposal->invited.count; i++)
        must (strcmp (proposal->invited.at[i], place->entity) != 0);
    if (place->kind == THREAD_MEETING)
        must (proposal->to.ms >= proposal->from.ms);
    for (size_t i = 0; i < proposal->undertaking_count; i++)
        must (!proposal->undertakings[i].shows
              || *proposal->undertakings[i].action);
}

/* Its text is a note's, and ends where the signatures begin. */
static void check_note (const struct thread_place *place,
                        const json_t *document) {
    struct hash id = { 0 };
    struct buf text = { 0 }, whole = { 0 };
    struct note note;
    struct error e;
    enum err rc = communique_text (&text, &id, place, &id, document, &e);
    must (rc == ERR_NONE || rc == ERR_LIMIT);
    if (!rc) {
        note_begin (&whole, buf_slice (&text));
        buf_add_text (&whole, "\xe2\x80\x94 ABC/hq AAAAAAAA\n");
        must (note_read (buf_slice (&whole), &note, &e) == ERR_NONE);
        must (slice_equal (note.text, buf_slice (&text)));
    }
    buf_free (&text);
    buf_free (&whole);
}

static void check_closing (const struct closing *closing) {
    must (closing->stances.count == closing->entities.count);
    must (closing->stances.count <= 256);
    for (size_t i = 1; i < closing->entities.count; i++)
        must (strcmp (closing->entities.at[i - 1], closing->entities.at[i])
              < 0);
}

static void check_say (const struct thread_place *place,
                       const struct say *say) {
    must (thread_does_fits (place->kind, say->does));
    if (say->does == DOES_PROPOSE)
        check_proposal (place, &say->proposal);
    else if (say->does == DOES_CLOSE)
        check_closing (&say->closing);
    else if (say->does == DOES_STANCE)
        must (thread_says_name (place->kind, say->stance.says) != NULL);
    else if (say->does == DOES_DONE)
        must (*say->done.undertaking);
    else if (say->does == DOES_ATTENDANCE)
        must (say->attendance.count <= 128);
}

static void check_body (const struct thread_place *place, struct slice text,
                        const struct taxonomy *taxonomy) {
    struct faults faults = { 0 };
    bool newer = false;
    json_t *body = json_loadb (
        (const char *) text.data, text.size,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!body)
        return;
    struct say *say =
        say_read (place, body, place->entity, taxonomy, &faults, &newer);
    must (!say == (faults.count > 0 || newer));
    if (say)
        check_say (place, say);
    if (say && say->does == DOES_PROPOSE && place->kind == THREAD_COMMUNIQUE)
        check_note (place, body);
    say_free (&say);
    json_decref (body);
    faults_clear (&faults);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static struct taxonomy *taxonomy;
    if (!taxonomy)
        taxonomy = taxonomy_base();
    const uint8_t *line = size ? memchr (data, '\n', size) : NULL;
    if (!line)
        return 0;
    struct slice topic = slice_of (data, (size_t) (line - data));
    struct faults faults = { 0 };
    struct thread_place place;
    if (thread_place_read (topic, &place, &faults)) {
        check_place (topic, &place);
        check_body (&place, slice_of (line + 1, size - topic.size - 1),
                    taxonomy);
    } else
        must (faults.count == 1);
    faults_clear (&faults);
    return 0;
}
