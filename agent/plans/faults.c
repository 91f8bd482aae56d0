/* faults - what is wrong with a document, and JSON Pointers. */
#include "faults.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void faults_add (struct faults *self, const char *pointer, const char *format,
                 ...) {
    char text[ERROR_TEXT_MAX], printable[ERROR_TEXT_MAX];
    self->count++;
    if (self->kept == FAULTS_MAX)
        return;
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    text_printable (printable, sizeof printable, text, strlen (text));
    struct fault *fault = &self->at[self->kept++];
    fault->pointer = mem_copy_text (pointer);
    fault->text = mem_copy_text (printable);
}

void faults_clear (struct faults *self) {
    for (size_t i = 0; i < self->kept; i++) {
        free (self->at[i].pointer);
        free (self->at[i].text);
    }
    self->kept = self->count = 0;
}

void faults_free (struct faults **self_p) {
    if (!*self_p)
        return;
    faults_clear (*self_p);
    free (*self_p);
    *self_p = NULL;
}

json_t *faults_json (const struct faults *self) {
    json_t *out = json_array();
    for (size_t i = 0; i < self->kept; i++)
        json_array_append_new (out, json_pack ("{ss ss}", "pointer",
                                               self->at[i].pointer, "text",
                                               self->at[i].text));
    return out;
}

enum err faults_error (const struct faults *self, struct error *e) {
    const struct fault *first = &self->at[0];
    if (self->count > 1)
        return error_set (e, ERR_MALFORMED, "%s: %s, and %zu more",
                          first->pointer, first->text, self->count - 1);
    return error_set (e, ERR_MALFORMED, "%s: %s", first->pointer, first->text);
}

/* Whole characters, so that what is cut is UTF-8 still. */
static void path_add (struct path *self, const char *character, size_t size) {
    if (self->size + size >= sizeof self->text)
        return;
    memcpy (self->text + self->size, character, size);
    self->size += size;
    self->text[self->size] = '\0';
}

size_t path_member (struct path *self, const char *name) {
    size_t mark = self->size, left = strlen (name), size;
    path_add (self, "/", 1);
    for (; left; name += size, left -= size) {
        size = utf8_size ((const uint8_t *) name, left);
        size = size ? size : 1;
        if (*name == '~')
            path_add (self, "~0", 2);
        else if (*name == '/')
            path_add (self, "~1", 2);
        else
            path_add (self, name, size);
    }
    return mark;
}

size_t path_index (struct path *self, size_t index) {
    char digits[24];
    snprintf (digits, sizeof digits, "%zu", index);
    return path_member (self, digits);
}

void path_back (struct path *self, size_t mark) {
    self->size = mark;
    self->text[mark] = '\0';
}
