/* diff_impl - what diff.c and diff_words.c share. */
#ifndef PARLEY_DIFF_IMPL_H
#define PARLEY_DIFF_IMPL_H

#include "diff.h"
#include "shape.h"

/* Two documents being compared, at one place of each. */
struct differ {
    const struct taxonomy *taxonomy;
    const char *lang;          /* of plain texts, of the later one */
    struct path after, before; /* where we are */
    char subject[320];         /* "action A4 'Mobile 6': " */
    struct diff *out;
    size_t kept_of[DIFF_KINDS];
    size_t room;
};
/* Steps into both. */
struct diff_mark {
    size_t after, before;
};
struct diff_mark diff_step (struct differ *self, const char *name);
void diff_back (struct differ *self, struct diff_mark mark);
/* A change where we are; "subject: " is put before. */
void diff_add (struct differ *self, enum diff_kind kind, bool gone,
               const char *format, ...) PRINTF_LIKE (4, 5);

/* A member and how its change is told. */
struct diff_member {
    const char *name;
    enum diff_kind kind;
    /* Where it differs; one of the two may be NULL. */
    void (*tell) (struct differ *self, const struct diff_member *member,
                  const struct json_t *before, const struct json_t *after);
    const char *one; /* "partner", in the sentence */
    const char *many;
};
/* By a table that ends without a name; what it does not name as "other". */
void diff_members (struct differ *self, const struct diff_member *table,
                   const struct json_t *before, const struct json_t *after);
bool diff_same (const struct json_t *a, const struct json_t *b);

/* Each adds what there is to tell. */
typedef void diff_tell_fn (struct differ *self,
                           const struct diff_member *member,
                           const struct json_t *before,
                           const struct json_t *after);
diff_tell_fn tell_value, tell_text, tell_set, tell_priorities, tell_regions,
    tell_date, tell_point, tell_points, tell_done;
/* `from` and `to` of an action; the cycle. */
void tell_span (struct differ *self, const struct json_t *before,
                const struct json_t *after);
/* A text in the document's language, cut to a few words. Returns out. */
char *diff_title (const struct differ *self, char out[SHOWN_MAX],
                  const struct json_t *text);

#endif
