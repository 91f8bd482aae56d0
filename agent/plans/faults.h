/* faults - what is wrong with a document: each with its place, in words. */
#ifndef PARLEY_FAULTS_H
#define PARLEY_FAULTS_H

#include "base/error.h"

#include <stdbool.h>

struct json_t;

#define FAULTS_MAX 100 /* kept; all are counted */

struct fault {
    char *
        pointer; /* JSON Pointer (RFC 6901): "/actions/3/from"; "": all of it */
    char *text;  /* "is 2026-02-30, which is no day: ..." */
};
struct faults {
    struct fault at[FAULTS_MAX];
    size_t kept, count;
};

/* Zeroed is empty. `pointer` is copied. */
void faults_add (struct faults *self, const char *pointer, const char *format,
                 ...) PRINTF_LIKE (3, 4);
void faults_clear (struct faults *self);   /* what it holds */
void faults_free (struct faults **self_p); /* and one of mem_alloc */
/* [{"pointer": ..., "text": ...}, ...], the caller's. */
struct json_t *faults_json (const struct faults *self) MUST_CHECK;
/* The first one as an error (ERR_MALFORMED), "/actions/3/from: is ..., and 4
 * more". */
enum err faults_error (const struct faults *self, struct error *e);

/* A pointer under construction; a member's name is escaped. Bounded: what does
 * not fit is cut. path_pop (path, mark) goes back to where path_push began. */
#define PATH_MAX_OCTETS 512
struct path {
    char text[PATH_MAX_OCTETS];
    size_t size;
};
size_t path_member (struct path *self, const char *name); /* returns a mark */
size_t path_index (struct path *self, size_t index);
void path_back (struct path *self, size_t mark);

#endif
