/* say - a message's head, and its verb's table. */
#include "say_impl.h"

#include "files.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

/* `say` is last: of its union only what the verb needs is there. */
struct whole {
    struct arena arena;
    struct say say;
};
#define HEAD (offsetof (struct whole, say) + offsetof (struct say, proposal))

const char *thread_rule_name (enum thread_rule rule) {
    static const char *const names[] = { "all", "majority", "any", "silence",
                                         "none" };
    return names[rule];
}

const char *thread_outcome_name (enum thread_outcome outcome) {
    static const char *const names[] = { "agreed", "not-agreed", "closed" };
    return names[outcome];
}

/* Head */

static void form_does (struct check *check, struct slice text) {
    enum thread_does does;
    struct buf words = { 0 };
    char name[SHOWN_MAX];
    if (thread_does_read (text, &does))
        return;
    for (unsigned i = 0; i < DOES_COUNT; i++)
        buf_add_format (&words, "%s%s", i ? ", " : "",
                        thread_does_name ((enum thread_does) i));
    char *list = buf_take_text (&words);
    CHECK_FAULT (check, "is '%s', and has to be one of: %s", shown (name, text),
                 list);
    free (list);
}

static const struct shape does_word = { .type = SHAPE_FORM, .form = form_does };
static const struct shape function = { .type = SHAPE_STRING, .max = 200 };
static const struct shape attachments = { .type = SHAPE_LIST,
                                          .items = &shape_file_ref,
                                          .max = 32 };
static const struct shape_member head_members[] = {
    { "format", &shape_format, true },      { "thread", &shape_plan_id, true },
    { "does", &does_word, true },           { "function", &function, false },
    { "attachments", &attachments, false }, { 0 },
};
static const struct shape head = { .type = SHAPE_OBJECT,
                                   .members = head_members };

static void check_attachment (struct check *check, const json_t *item,
                              void *arg) {
    (void) arg;
    file_ref_check (check, item);
}

static void check_thread (struct reading *in) {
    char text[SHOWN_MAX];
    struct slice own = string_slice (said (in, "thread"));
    if (own.data && !slice_is (own, in->place->id))
        SAID_FAULT (in, "thread", "is '%s', and the topic says '%s'",
                    shown (text, own), in->place->id);
}

static const char *article (enum thread_kind kind) {
    return kind == THREAD_ALIGN ? "an" : "a";
}

/* DOES_COUNT: none that fits. */
static enum thread_does check_does (struct reading *in, const char *author) {
    enum thread_does does;
    enum thread_kind kind = in->place->kind;
    if (!thread_does_read (string_slice (said (in, "does")), &does))
        return DOES_COUNT;
    if (author && thread_does_is_proposers (does)
        && strcmp (author, in->place->entity) != 0)
        SAID_FAULT (in, "does",
                    "is '%s', which only %s may here: the author is of %s",
                    thread_does_name (does), in->place->entity, author);
    if (thread_does_fits (kind, does))
        return does;
    SAID_FAULT (in, "does", "is '%s', which %s %s does not know",
                thread_does_name (does), article (kind),
                thread_kind_title (kind));
    return DOES_COUNT;
}

static enum thread_does check_head (struct reading *in, const char *author) {
    shape_check (&in->check, in->body, &head);
    if (!json_is_object (in->body))
        return DOES_COUNT;
    check_thread (in);
    check_each (&in->check, in->body, "attachments", check_attachment, NULL);
    return check_does (in, author);
}

/* Members */

static void check_member (struct reading *in, const struct say_member *member,
                          enum thread_does does) {
    enum thread_kind kind = in->place->kind;
    char use = member->kinds[kind];
    const json_t *value = said (in, member->name);
    if (use == '.')
        return;
    if (!value && use == 'n')
        CHECK_FAULT (&in->check, "has no '%s'", member->name);
    if (!value)
        return;
    size_t mark = path_member (&in->check.path, member->name);
    if (use == ' ')
        CHECK_FAULT (&in->check, "has no place in a '%s' of %s %s",
                     thread_does_name (does), article (kind),
                     thread_kind_title (kind));
    else
        shape_check (&in->check, value, member->shape);
    path_back (&in->check.path, mark);
}

static void check_members (struct reading *in, const struct say_verb *verb,
                           enum thread_does does) {
    for (const struct say_member *m = verb->members; m->name; m++)
        check_member (in, m, does);
}

static struct say *make (struct reading *in, const struct say_verb *verb,
                         enum thread_does does) {
    struct whole *whole = mem_alloc (HEAD + verb->size);
    arena_start (&whole->arena, verb->room);
    in->arena = &whole->arena;
    whole->say.does = does;
    whole->say.function = read_string (in->arena, in->body, "function");
    if (verb->read)
        verb->read (in, &whole->say);
    return &whole->say;
}

struct say *say_read (const struct thread_place *place, const json_t *document,
                      const char *author_entity,
                      const struct taxonomy *taxonomy, struct faults *faults,
                      bool *newer) {
    struct reading in = { .check = { .taxonomy = taxonomy, .faults = faults },
                          .place = place,
                          .body = document,
                          .lang = "" };
    size_t before = faults->count;
    *newer = format_is_newer (document);
    if (*newer)
        return NULL;
    enum thread_does does = check_head (&in, author_entity);
    if (does == DOES_COUNT)
        return NULL;
    const struct say_verb *verb = say_verb (does);
    check_members (&in, verb, does);
    if (verb->check && faults->count == before)
        verb->check (&in);
    return faults->count == before ? make (&in, verb, does) : NULL;
}

void say_free (struct say **self_p) {
    if (!*self_p)
        return;
    char *say = (char *) *self_p;
    struct whole *whole =
        (struct whole *) (void *) (say - offsetof (struct whole, say));
    *self_p = NULL;
    arena_free (&whole->arena);
    free (whole);
}
