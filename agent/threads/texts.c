/* texts - texts of a message, by the members that have some. */
#include "texts.h"

#include <jansson.h>
#include <stdint.h>

static const char *const members[] = { "title",       "text",   "put",
                                       "reservation", "reason", "conditions",
                                       "contact",     "place",  "what",
                                       "function",    NULL };
static const char *const lists[] = { "paragraphs", "decisions", "undertakings",
                                     "agenda",     "present",   NULL };

static void text_tell (const json_t *value, thread_texts_fn *each, void *arg) {
    json_t *map = (json_t *) (uintptr_t) value; /* iterators change nothing */
    const char *lang;
    json_t *text;
    if (json_is_string (value))
        each (arg, "", json_string_value (value));
    else if (json_is_object (value))
        json_object_foreach (map, lang, text) if (json_is_string (text))
            each (arg, lang, json_string_value (text));
}

static void members_tell (const json_t *object, thread_texts_fn *each,
                          void *arg) {
    for (size_t i = 0; members[i]; i++)
        text_tell (json_object_get (object, members[i]), each, arg);
}

void thread_texts (const json_t *body, thread_texts_fn *each, void *arg) {
    members_tell (body, each, arg);
    for (size_t i = 0; lists[i]; i++) {
        const json_t *list = json_object_get (body, lists[i]);
        for (size_t n = 0; n < json_array_size (list); n++)
            members_tell (json_array_get (list, n), each, arg);
    }
}
