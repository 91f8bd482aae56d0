/* place - a value in a JSON document and the way to it, for strict readers.
 *
 * A reader takes what its format has, member by member, and asks once at the
 * end whether anything failed: the first failure is kept, with the path
 * (entities[3].delegations[0].id), the value and the rule; after it every call
 * returns zeros. Text returned is borrowed from the document. */
#ifndef PARLEY_PLACE_H
#define PARLEY_PLACE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define PLACE_NESTING_MAX 16
/* Arrays and objects of one document. The largest roster that the other limits
 * allow has about 5,000; jansson takes 300 octets for an empty object, and a
 * document of nothing else would take 100 times its size. */
#define PLACE_CONTAINERS_MAX 16384

struct json_t;

struct reading {
    struct error why; /* of the first failure; code ERR_NONE before it */
};

/* A place points to the one above it, which must outlive it. */
struct place {
    struct reading *reading;
    const struct place *up; /* NULL: the document */
    const char *name;       /* NULL: an item of an array, or the document */
    size_t index;
    struct json_t *value; /* borrowed; NULL after a failure */
};

/* Parse one JSON object: size, nesting and number of containers are bounded
 * before, duplicate names refused. NULL and *e: ERR_MALFORMED, ERR_LIMIT. The
 * caller's, json_decref. */
struct json_t *place_parse (struct slice text, size_t max, struct error *e)
    MUST_CHECK;
struct place place_start (struct reading *reading, struct json_t *document);

/* Keep a failure here: "PATH: ..." or, with the value, "PATH is VALUE: ...". */
void place_fail (const struct place *at, enum err code, const char *format, ...)
    PRINTF_LIKE (3, 4);
void place_refuse (const struct place *at, const char *format, ...)
    PRINTF_LIKE (2, 3);
bool place_failed (const struct place *at);

/* An object with no other names than these (NULL ends them) and x- ones. */
void place_object (const struct place *at, const char *const *names);
/* A member that may be missing; false where it is. */
bool place_try (const struct place *object, const char *name,
                struct place *out);
struct place place_need (const struct place *object, const char *name);
/* How many items; 0 after a failure, and where it is no array of min to max. */
size_t place_array (const struct place *at, size_t min, size_t max);
struct place place_item (const struct place *array, size_t index);

/* The value of the member `name`, which must be there, or of `at` itself where
 * name is NULL. */
/* UTF-8 of min to max octets without control characters. */
const char *place_text (const struct place *at, const char *name, size_t min,
                        size_t max);
/* The same, within a grammar that `rule` says for a person. */
const char *place_grammar (const struct place *at, const char *name, size_t max,
                           bool (*valid) (struct slice), const char *rule);
int64_t place_int (const struct place *at, const char *name, int64_t min,
                   int64_t max);
int64_t place_date (const struct place *at, const char *name); /* ms, from 1 */
void place_key (const struct place *at, const char *name, uint8_t out[32]);
void place_hash (const struct place *at, const char *name, struct hash *out);

#endif
