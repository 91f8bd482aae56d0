/* say_read - what each verb has but a proposal (THREADS.md section 2). */
#include "say_impl.h"

#include <jansson.h>
#include <stdlib.h>

/* Readers of checked values */

const json_t *said (const struct reading *in, const char *name) {
    return json_object_get (in->body, name);
}

struct text said_text (struct reading *in, const json_t *object,
                       const char *name) {
    return read_text (in->arena, json_object_get (object, name), in->lang);
}

struct hash said_hash (const struct reading *in, const char *name) {
    struct hash out = { 0 };
    (void) read_hash (said (in, name), &out);
    return out;
}

struct hash_list said_hashes (struct reading *in, const char *name) {
    const json_t *list = said (in, name);
    struct hash_list out = { .count = json_array_size (list) };
    struct hash *at = arena_alloc (in->arena, out.count * sizeof *at);
    for (size_t i = 0; i < out.count; i++)
        (void) read_hash (json_array_get (list, i), &at[i]);
    out.at = at;
    return out;
}

bool said_instant (const json_t *object, const char *name,
                   struct instant *out) {
    struct slice text = string_slice (json_object_get (object, name));
    return text.data && instant_read (text, out, NULL) == 0;
}

/* Shapes */

static void form_day (struct check *check, struct slice text) {
    size_t before = check->faults->count;
    char name[SHOWN_MAX];
    shape_date.form (check, text);
    if (check->faults->count == before && text.size != DATE_TEXT_MAX - 1)
        CHECK_FAULT (check, "is '%s', and has to be a day: YYYY-MM-DD",
                     shown (name, text));
}

static void form_entity (struct check *check, struct slice text) {
    shape_entity.form (check, text);
}

static const char *const words_outcome[] = { "agreed", "not-agreed", "closed",
                                             NULL };
SHAPE (outcome, .type = SHAPE_WORD, .words = words_outcome);
SHAPE (day, .type = SHAPE_FORM, .form = form_day);
SHAPE (yes, .type = SHAPE_TRUE);
SHAPE (says, .type = SHAPE_STRING, .max = 32);
SHAPE (signature, .type = SHAPE_STRING, .max = 300);
SHAPE (stances, .type = SHAPE_MAP, .form = form_entity,
       .items = &shape_message_id, .max = 256);
static const struct shape_member attendee_members[] = {
    { "entity", &shape_entity, true },
    { "represented_by", &shape_entity, false },
    { "text", &shape_text, false },
    { 0 },
};
SHAPE (attendee, .type = SHAPE_OBJECT, .members = attendee_members);
SHAPE (present, .type = SHAPE_LIST, .items = &attendee, .max = 128);

/* Suggestion */

static const struct say_member suggestion[] = {
    { "version", &shape_message_id, SAY_NEEDED },
    { "text", &shape_text, SAY_NEEDED },
    { "paragraph", &shape_id, SAY_MAY },
    { "put", &shape_text, SAY_MAY },
    { 0 },
};

static void read_suggestion (struct reading *in, struct say *out) {
    out->suggestion.version = said_hash (in, "version");
    out->suggestion.paragraph = read_string (in->arena, in->body, "paragraph");
}

/* Stance */

static const struct say_member stance[] = {
    { "version", &shape_message_id, SAY_NEEDED },
    { "says", &says, SAY_NEEDED },
    { "reservation", &shape_text, SAY_MAY },
    { "text", &shape_text, SAY_MAY },
    { "signature", &signature, " m      " },
    { "represented_by", &shape_entity, "  m     " },
    { 0 },
};

static enum thread_says says_of (const struct reading *in) {
    enum thread_says out;
    struct slice word = string_slice (said (in, "says"));
    return thread_says_read (in->place->kind, word, &out) ? out : THREAD_SAYS;
}

static void says_fault (struct reading *in) {
    struct buf words = { 0 };
    char name[SHOWN_MAX];
    for (unsigned i = 0; i < THREAD_SAYS; i++) {
        const char *word =
            thread_says_name (in->place->kind, (enum thread_says) i);
        if (word)
            buf_add_format (&words, "%s%s", i ? ", " : "", word);
    }
    char *list = buf_take_text (&words);
    SAID_FAULT (in, "says", "is '%s', and has to be one of: %s",
                shown (name, string_slice (said (in, "says"))), list);
    free (list);
}

static void check_stance (struct reading *in) {
    enum thread_says word = says_of (in);
    if (word == THREAD_SAYS) {
        says_fault (in);
        return;
    }
    bool adopts = in->place->kind == THREAD_COMMUNIQUE && word == THREAD_FOR;
    if (adopts && !said (in, "signature"))
        CHECK_FAULT (&in->check, "adopts, and has no 'signature'");
    if (!adopts && said (in, "signature"))
        SAID_FAULT (in, "signature",
                    "signs the text, and only a stance that "
                    "adopts it does");
}

static void read_stance (struct reading *in, struct say *out) {
    struct stance *read = &out->stance;
    read->version = said_hash (in, "version");
    read->says = says_of (in);
    read->reservation = said_text (in, in->body, "reservation");
    read->text = said_text (in, in->body, "text");
    read->signature = read_string (in->arena, in->body, "signature");
    read->represented_by = read_string (in->arena, in->body, "represented_by");
}

/* Comment, contribution, withdrawal */

static const struct say_member comment[] = {
    { "text", &shape_text, SAY_NEEDED },
    { 0 },
};

static const struct say_member contribution[] = {
    { "title", &shape_text, SAY_NEEDED },
    { "text", &shape_text, SAY_NEEDED },
    { 0 },
};

static void read_contribution (struct reading *in, struct say *out) {
    out->title = said_text (in, in->body, "title");
}

static const struct say_member withdrawal[] = {
    { "reason", &shape_text, SAY_NEEDED },
    { 0 },
};

static void read_withdrawal (struct reading *in, struct say *out) {
    out->reason = said_text (in, in->body, "reason");
}

/* Done */

static const struct say_member done[] = {
    { "undertaking", &shape_id, SAY_NEEDED },
    { "day", &day, SAY_MAY },
    { "undone", &yes, SAY_MAY },
    { "text", &shape_text, SAY_MAY },
    { 0 },
};

static void check_done (struct reading *in) {
    if (!said (in, "day") == !said (in, "undone"))
        CHECK_FAULT (&in->check, said (in, "day")
                                     ? "has 'day' and 'undone': one of them "
                                       "is asked for"
                                     : "has neither 'day' nor 'undone'");
}

static void read_done (struct reading *in, struct say *out) {
    out->done.undertaking = read_string (in->arena, in->body, "undertaking");
    out->done.undone = said (in, "undone") != NULL;
    (void) read_date (in->body, "day", &out->done.day);
}

/* Attendance */

static const struct say_member attendance[] = {
    { "present", &present, SAY_NEEDED },
    { 0 },
};

static void check_attendee (struct check *check, const json_t *item,
                            void *arg) {
    json_t *seen = arg;
    struct slice name = string_slice (json_object_get (item, "entity"));
    const char *entity = (const char *) name.data;
    if (json_object_getn (seen, entity, name.size)) {
        size_t mark = path_member (&check->path, "entity");
        CHECK_FAULT (check, "is '%s', which is named already", entity);
        path_back (&check->path, mark);
    }
    json_object_setn_new_nocheck (seen, entity, name.size, json_true());
}

static void check_attendance (struct reading *in) {
    json_t *seen = json_object();
    check_each (&in->check, in->body, "present", check_attendee, seen);
    json_decref (seen);
}

static void read_attendance (struct reading *in, struct say *out) {
    const json_t *list = said (in, "present");
    size_t count = json_array_size (list);
    struct attendee *at = arena_alloc (in->arena, count * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get (list, i);
        at[i].entity = read_string (in->arena, item, "entity");
        at[i].represented_by = read_string (in->arena, item, "represented_by");
        at[i].text = said_text (in, item, "text");
    }
    out->attendance = (struct attendance){ count, at };
}

/* Close */

static const struct say_member closing[] = {
    { "version", &shape_message_id, SAY_NEEDED },
    { "outcome", &outcome, SAY_NEEDED },
    { "stances", &stances, SAY_NEEDED },
    { "text", &shape_text, SAY_MAY },
    { 0 },
};

static enum thread_outcome outcome_of (const struct reading *in) {
    struct slice word = string_slice (said (in, "outcome"));
    unsigned i = 0;
    while (words_outcome[i] && !slice_is (word, words_outcome[i]))
        i++;
    return (enum thread_outcome) i;
}

static void check_closing (struct reading *in) {
    enum thread_kind kind = in->place->kind;
    enum thread_outcome word = outcome_of (in);
    if ((word == OUTCOME_CLOSED) != thread_kind_decides (kind))
        return;
    SAID_FAULT (in, "outcome", "is '%s', and has to be %s here",
                thread_outcome_name (word),
                thread_kind_decides (kind) ? "'agreed' or 'not-agreed'"
                                           : "'closed'");
}

struct named {
    const char *entity;
    struct hash message;
};

static int named_order (const void *a, const void *b) {
    return strcmp (((const struct named *) a)->entity,
                   ((const struct named *) b)->entity);
}

static struct named *named_stances (const json_t *value, size_t count) {
    json_t *map = (json_t *) (uintptr_t) value; /* iterators change nothing */
    struct named *out = mem_alloc ((count + 1) * sizeof *out);
    size_t n = 0;
    for (void *at = json_object_iter (map); at;
         at = json_object_iter_next (map, at)) {
        out[n].entity = json_object_iter_key (at);
        (void) read_hash (json_object_iter_value (at), &out[n++].message);
    }
    qsort (out, n, sizeof *out, named_order);
    return out;
}

static void read_closing (struct reading *in, struct say *out) {
    const json_t *map = said (in, "stances");
    size_t count = json_object_size (map);
    struct named *named = named_stances (map, count);
    struct hash *hashes = arena_alloc (in->arena, count * sizeof *hashes);
    const char **names = arena_alloc (in->arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = named[i].message;
        names[i] = arena_text (in->arena, slice_text (named[i].entity));
    }
    free (named);
    out->closing = (struct closing){
        .version = said_hash (in, "version"),
        .outcome = outcome_of (in),
        .stances = { count, hashes },
        .entities = { count, names },
    };
}

/* All of them. Room: a stance's signature and reservation. */

const struct say_verb *say_verb (enum thread_does does) {
    static const struct say_verb verbs[DOES_COUNT] = {
        [DOES_PROPOSE] = { proposal_members, sizeof (struct proposal), 1024,
                           proposal_check, proposal_read },
        [DOES_SUGGEST] = { suggestion, sizeof (struct suggestion), 64, NULL,
                           read_suggestion },
        [DOES_STANCE] = { stance, sizeof (struct stance), 192, check_stance,
                          read_stance },
        [DOES_COMMENT] = { comment, 0, 64, NULL, NULL },
        [DOES_CONTRIBUTION] = { contribution, sizeof (struct text), 128, NULL,
                                read_contribution },
        [DOES_DONE] = { done, sizeof (struct done), 64, check_done, read_done },
        [DOES_ATTENDANCE] = { attendance, sizeof (struct attendance), 512,
                              check_attendance, read_attendance },
        [DOES_CLOSE] = { closing, sizeof (struct closing), 512, check_closing,
                         read_closing },
        [DOES_WITHDRAW] = { withdrawal, sizeof (struct text), 128, NULL,
                            read_withdrawal },
    };
    return &verbs[does];
}
