/* taxonomy_impl - what taxonomy.c, taxonomy_read.c and taxonomy_extend.c share.
 * Nobody else includes it. */
#ifndef PARLEY_TAXONOMY_IMPL_H
#define PARLEY_TAXONOMY_IMPL_H

#include "taxonomy.h"

#include <jansson.h>
#include <stdatomic.h>

#define GROUP_MEMBERS_MAX 1024 /* of one group, former ones among them */
#define TITLE_MAX 400          /* octets */

struct priority {
    const char *code, *title;
    int parent; /* -1 */
};
struct member {
    int country;
    int32_t first, last; /* INT32_MIN: always; DAY_OPEN: still */
};
struct region {
    const char *code, *title;
    bool is_group;
    int country;                /* its number; -1: has parts */
    struct countries countries; /* a region's */
    int *parts;                 /* a region's, by number; owned */
    size_t part_count;
    struct member *members; /* a group's; owned */
    size_t member_count;
};
/* Text is that of `json`, which is never changed. */
struct taxonomy {
    atomic_int refs;
    int64_t version;
    json_t *json;
    struct hash digest;
    struct priority *priorities;
    struct region *regions; /* and groups */
    size_t priority_count, region_count, country_count;
    int countries[TAXONOMY_COUNTRIES_MAX]; /* their regions */
    const char *alpha2[TAXONOMY_COUNTRIES_MAX];
    int *priority_order, *region_order; /* numbers by code, for the search */
};

/* A taxonomy in the making. */
struct build {
    struct taxonomy *made;
    const struct taxonomy *before; /* NULL */
    struct faults *faults;
    struct path path;
};
#define build_fault(self, ...)                                                 \
    faults_add ((self)->faults, (self)->path.text, __VA_ARGS__)

/* The text, or NULL: no text, or with a NUL. */
const char *build_text (const json_t *value);
const char *build_title (struct build *self, const json_t *object);
/* An object of codes, at most that many; NULL where it is not. */
json_t *build_codes (struct build *self, const char *member, size_t most);
/* Codes that `before` (NULL: none) does not have, by octets; the caller's. */
const char **build_codes_new (json_t *object,
                              bool (*is_known) (const struct taxonomy *,
                                                const char *),
                              const struct taxonomy *before, size_t *count)
    MUST_CHECK;
int *build_numbers (size_t count) MUST_CHECK; /* 0, 1, ... */
void build_regions (struct build *self);      /* taxonomy_regions.c */

/* Takes `json` also where it fails. `before` is the version that it extends, or
 * NULL: its numbers are kept. Pointers of faults are those of `json`. */
struct taxonomy *taxonomy_build (json_t *json, const struct taxonomy *before,
                                 struct faults *faults) MUST_CHECK;

static inline void countries_add (struct countries *self, int country) {
    self->bits[country / 64] |= UINT64_C (1) << (country % 64);
}
static inline bool countries_has (const struct countries *self, int country) {
    return self->bits[country / 64] >> (country % 64) & 1;
}

/* Is it plain text of 1 to TITLE_MAX octets, without NUL? */
bool taxonomy_title_check (const json_t *value, const struct path *path,
                           struct faults *faults);

#endif
