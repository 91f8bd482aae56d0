/* shape - what a JSON document has to look like, as tables: the part of JSON
 * Schema that our documents need (deploy/sample/plan.schema.json and
 * deploy/schema/), with faults in words.
 *
 * Recursion is bounded by the tables; work is linear in the document. Members
 * that a table does not name are passed over. */
#ifndef PARLEY_SHAPE_H
#define PARLEY_SHAPE_H

#include "taxonomy.h"

struct json_t;

struct check { /* one document under judgement */
    const struct taxonomy *taxonomy;
    struct faults *faults;
    struct path path; /* of what is looked at */
    bool joined;      /* of several: lists may be longer than `max` */
};
/* A fault where we are. */
#define CHECK_FAULT(self, ...)                                                 \
    faults_add ((self)->faults, (self)->path.text, __VA_ARGS__)

enum shape_type {
    SHAPE_INTEGER, /* min..max; 1.0 is one */
    SHAPE_NUMBER,
    SHAPE_TRUE,   /* true */
    SHAPE_STRING, /* at most `max` characters; 0: any */
    SHAPE_TEXT,   /* plain or in languages, each at most `max` characters */
    SHAPE_FORM,   /* a string that `form` takes */
    SHAPE_WORD,   /* one of `words` */
    SHAPE_LIST,   /* min..max items (max 0: any) */
    SHAPE_OBJECT, /* with `members` */
    /* At most `max` (0: any) names that `form` takes (NULL: all), with `items`. */
    SHAPE_MAP,
};
struct shape {
    enum shape_type type;
    bool or_null;
    bool unique;  /* SHAPE_LIST: no string twice */
    bool partial; /* SHAPE_OBJECT: nothing is needed */
    int64_t min, max;
    const struct shape *items;
    const struct shape_member *members; /* up to one without a name */
    const char *const *words;           /* up to NULL */
    /* Adds the faults it finds, where check is. */
    void (*form) (struct check *check, struct slice text);
};
struct shape_member {
    const char *name;
    const struct shape *shape;
    bool needed;
};

/* Tables of one file: a shape, and an object with its members. */
#define SHAPE(name, ...) static const struct shape name = { __VA_ARGS__ }
#define OBJECT(name, ...)                                                      \
    static const struct shape_member members_##name[] = { __VA_ARGS__,         \
                                                          { 0 } };             \
    SHAPE (name, .type = SHAPE_OBJECT, .members = members_##name)

void shape_check (struct check *self, const struct json_t *value,
                  const struct shape *shape);

/* A form: a language's name (BCP 47). */
void form_language (struct check *check, struct slice name);
/* Text for a fault: printable, cut to a few words. Returns out. */
#define SHOWN_MAX 64
char *shown (char out[SHOWN_MAX], struct slice text);
/* A string's octets; empty for what is none. */
struct slice string_slice (const struct json_t *value);
/* A whole number, 1.0 too. */
bool json_whole (const struct json_t *value, int64_t *out);
/* Of a higher `format` than 1. */
bool format_is_newer (const struct json_t *document);

#endif
