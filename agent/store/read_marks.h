/* read_marks - how far each user of this agent has read each thread: a topic, and
 * the sequence up to which he did. Kept here alone. */
#ifndef PARLEY_READ_MARKS_H
#define PARLEY_READ_MARKS_H

#include "store.h"

struct read_marks { /* of a user, by topic; zeroed is empty */
    size_t count, room;
    struct read_mark {
        char *topic;
        int64_t sequence;
    } * at;
};
/* ERR_ARGUMENT: no name, or no topic. In the caller's transaction, or its own;
 * a lower sequence than the one that is there changes nothing. */
enum err read_marks_set (struct store *self, const char *user,
                         const char *topic, int64_t sequence, struct error *e)
    MUST_CHECK;
enum err read_marks_load (struct store *self, const char *user,
                          struct read_marks *out, struct error *e) MUST_CHECK;
/* The highest of all users, by topic. */
enum err read_marks_highest (struct store *self, struct read_marks *out,
                             struct error *e) MUST_CHECK;
void read_marks_free (struct read_marks *self);
/* -1: never. */
int64_t read_marks_of (const struct read_marks *self, const char *topic);

#endif
