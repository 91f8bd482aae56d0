/* read_marks - how far somebody has read. */
#include "read_marks.h"

#include "store_impl.h"

#include <stdlib.h>

enum err read_marks_set (struct store *self, const char *user,
                         const char *topic, int64_t sequence, struct error *e) {
    if (!*user || !*topic || sequence < 0)
        return error_set (e, ERR_ARGUMENT,
                          "a read mark needs a user, a topic and a place");
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO read_marks (user, topic, sequence) VALUES (?, ?, ?)"
              " ON CONFLICT (user, topic) DO UPDATE"
              " SET sequence = MAX (sequence, excluded.sequence)");
    bind_text (s, 1, slice_text (user));
    bind_text (s, 2, slice_text (topic));
    sqlite3_bind_int64 (s, 3, sequence);
    return store_done (self, s, "read mark", e);
}

static void mark_add (struct read_marks *self, const char *topic,
                      int64_t sequence) {
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    self->at[self->count++] =
        (struct read_mark){ mem_copy_text (topic), sequence };
}

static enum err load (struct store *self, sqlite3_stmt *s,
                      struct read_marks *out, struct error *e) {
    enum err rc;
    *out = (struct read_marks){ 0 };
    while ((rc = store_row (self, s, "read marks", e)) == ERR_NONE)
        mark_add (out, (const char *) sqlite3_column_text (s, 0),
                  sqlite3_column_int64 (s, 1));
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    read_marks_free (out);
    return rc;
}

enum err read_marks_load (struct store *self, const char *user,
                          struct read_marks *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT topic, sequence FROM read_marks WHERE user = ?"
              " ORDER BY topic");
    bind_text (s, 1, slice_text (user));
    return load (self, s, out, e);
}

enum err read_marks_highest (struct store *self, struct read_marks *out,
                             struct error *e) {
    return load (self,
                 store_prepare (self,
                                "SELECT topic, MAX (sequence) FROM read_marks"
                                " GROUP BY topic ORDER BY topic"),
                 out, e);
}

void read_marks_free (struct read_marks *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->at[i].topic);
    free (self->at);
    *self = (struct read_marks){ 0 };
}

int64_t read_marks_of (const struct read_marks *self, const char *topic) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp (self->at[middle].topic, topic);
        if (order == 0)
            return self->at[middle].sequence;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
