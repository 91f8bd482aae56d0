/* json_edit - documents of tests: written with ' for ", and changed in places
 * that a JSON Pointer names. */
#ifndef PARLEY_JSON_EDIT_H
#define PARLEY_JSON_EDIT_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ' stands for ". Aborts on what is no JSON. */
static inline json_t *json_of (const char *text) {
    char *copy = mem_copy_text (text);
    json_error_t error;
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *out = json_loads (copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!out) {
        fprintf (stderr, "%s in %s\n", error.text, copy);
        abort();
    }
    free (copy);
    return out;
}

/* Sets what `pointer` leads to ("-" behind a list's last), or, where `value` is
 * NULL, takes it out. Names have no ~ or /. The whole where pointer is "". */
static inline void json_edit (json_t **document, const char *pointer,
                              const char *value) {
    char *copy = mem_copy_text (pointer), *save = NULL;
    json_t *at = *document, *made = value ? json_of (value) : NULL;
    char *step = strtok_r (copy, "/", &save), *next;
    if (!step) {
        json_decref (*document);
        *document = made;
    }
    for (; step; step = next) {
        next = strtok_r (NULL, "/", &save);
        size_t index = (size_t) strtoul (step, NULL, 10);
        if (json_is_array (at) && next)
            at = json_array_get (at, index);
        else if (json_is_array (at) && !value)
            json_array_remove (at, index);
        else if (json_is_array (at) && strcmp (step, "-") == 0)
            json_array_append_new (at, made);
        else if (json_is_array (at))
            json_array_set_new (at, index, made);
        else if (next)
            at = json_object_get (at, step);
        else if (!value)
            json_object_del (at, step);
        else
            json_object_set_new (at, step, made);
    }
    free (copy);
}

#endif
