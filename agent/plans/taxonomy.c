/* taxonomy - lookups, sets of countries, and sets in words. */
#include "taxonomy_impl.h"

#include "taxonomy_json.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

bool countries_common (const struct countries *a, const struct countries *b) {
    uint64_t common = 0;
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        common |= a->bits[i] & b->bits[i];
    return common != 0;
}

int countries_count (const struct countries *self) {
    int count = 0;
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        count += __builtin_popcountll (self->bits[i]);
    return count;
}

bool countries_empty (const struct countries *self) {
    return !countries_common (self, self);
}

static struct taxonomy *base; /* kept until the process ends */

static void base_make (void) {
    struct faults faults = { 0 };
    json_t *json =
        json_loadb ((const char *) taxonomy_file, sizeof taxonomy_file,
                    JSON_REJECT_DUPLICATES, NULL);
    base = taxonomy_build (json, NULL, &faults);
    assert (base);
}

struct taxonomy *taxonomy_base (void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, base_make);
    return taxonomy_ref (base);
}

/* Nothing but the count changes in one that others see as const. */
struct taxonomy *taxonomy_ref (const struct taxonomy *self) {
    struct taxonomy *counted = (struct taxonomy *) (uintptr_t) self;
    atomic_fetch_add_explicit (&counted->refs, 1, memory_order_relaxed);
    return counted;
}

void taxonomy_unref (struct taxonomy **self_p) {
    struct taxonomy *self = *self_p;
    *self_p = NULL;
    if (!self
        || atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < self->region_count; i++) {
        free (self->regions[i].members);
        free (self->regions[i].parts);
    }
    free (self->regions);
    free (self->priorities);
    free (self->region_order);
    free (self->priority_order);
    json_decref (self->json);
    free (self);
}

int64_t taxonomy_version (const struct taxonomy *self) {
    return self->version;
}

const struct hash *taxonomy_digest (const struct taxonomy *self) {
    return &self->digest;
}

json_t *taxonomy_json (const struct taxonomy *self) {
    return json_deep_copy (self->json);
}

static int code_compare (struct slice code, const char *other) {
    size_t size = strlen (other);
    size_t common = code.size < size ? code.size : size;
    int order = common ? memcmp (code.data, other, common) : 0;
    return order ? order : (code.size > size) - (code.size < size);
}

int taxonomy_priority (const struct taxonomy *self, struct slice code) {
    size_t low = 0, high = self->priority_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int number = self->priority_order[middle];
        int order = code_compare (code, self->priorities[number].code);
        if (order == 0)
            return number;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int taxonomy_region (const struct taxonomy *self, struct slice code) {
    size_t low = 0, high = self->region_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int number = self->region_order[middle];
        int order = code_compare (code, self->regions[number].code);
        if (order == 0)
            return number;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static const struct priority *priority_at (const struct taxonomy *self,
                                           int number) {
    assert (number >= 0 && (size_t) number < self->priority_count);
    return &self->priorities[number];
}

static const struct region *region_at (const struct taxonomy *self,
                                       int number) {
    assert (number >= 0 && (size_t) number < self->region_count);
    return &self->regions[number];
}

size_t taxonomy_priority_count (const struct taxonomy *self) {
    return self->priority_count;
}

const char *taxonomy_priority_code (const struct taxonomy *self, int number) {
    return priority_at (self, number)->code;
}

const char *taxonomy_priority_title (const struct taxonomy *self, int number) {
    return priority_at (self, number)->title;
}

int taxonomy_priority_parent (const struct taxonomy *self, int number) {
    return priority_at (self, number)->parent;
}

bool taxonomy_priorities_match (const struct taxonomy *self, int a, int b) {
    return a == b || priority_at (self, a)->parent == b
           || priority_at (self, b)->parent == a;
}

size_t taxonomy_region_count (const struct taxonomy *self) {
    return self->region_count;
}

const char *taxonomy_region_code (const struct taxonomy *self, int number) {
    return region_at (self, number)->code;
}

const char *taxonomy_region_title (const struct taxonomy *self, int number) {
    return region_at (self, number)->title;
}

bool taxonomy_region_is_group (const struct taxonomy *self, int number) {
    return region_at (self, number)->is_group;
}

void taxonomy_countries (const struct taxonomy *self, int number, int32_t first,
                         int32_t last, struct countries *out) {
    const struct region *region = region_at (self, number);
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        out->bits[i] |= region->countries.bits[i];
    for (size_t i = 0; i < region->member_count; i++) {
        const struct member *member = &region->members[i];
        if (member->first <= last && first <= member->last)
            countries_add (out, member->country);
    }
}

size_t taxonomy_country_count (const struct taxonomy *self) {
    return self->country_count;
}

static const struct region *country_at (const struct taxonomy *self,
                                        int number) {
    assert (number >= 0 && (size_t) number < self->country_count);
    return &self->regions[self->countries[number]];
}

const char *taxonomy_country_code (const struct taxonomy *self, int number) {
    return country_at (self, number)->code;
}

const char *taxonomy_country_title (const struct taxonomy *self, int number) {
    return country_at (self, number)->title;
}

const char *taxonomy_country_alpha2 (const struct taxonomy *self, int number) {
    return self->alpha2[country_at (self, number)->country];
}

static bool countries_within (const struct countries *part,
                              const struct countries *all) {
    uint64_t outside = 0;
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        outside |= part->bits[i] & ~all->bits[i];
    return outside == 0;
}

static int common_count (const struct countries *a, const struct countries *b) {
    int count = 0;
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        count += __builtin_popcountll (a->bits[i] & b->bits[i]);
    return count;
}

/* The region or group within `all` that names most of what is left, at least
 * two; the first of several. -1: none. */
static int widest (const struct taxonomy *self, const struct countries *all,
                   const struct countries *left, int32_t day) {
    int best = -1, best_count = 1;
    for (size_t i = 0; i < self->region_count; i++) {
        struct countries these = { 0 };
        taxonomy_countries (self, (int) i, day, day, &these);
        int count = common_count (&these, left);
        if (count > best_count && countries_within (&these, all)) {
            best = (int) i;
            best_count = count;
        }
    }
    return best;
}

static void countries_drop (struct countries *self, const struct countries *b) {
    for (int i = 0; i < COUNTRIES_WORDS; i++)
        self->bits[i] &= ~b->bits[i];
}

static const char *next_name (const struct taxonomy *self,
                              const struct countries *all,
                              struct countries *left, int32_t day) {
    struct countries these = { 0 };
    int number = widest (self, all, left, day);
    for (int i = 0; number < 0; i++)
        if (countries_has (left, i))
            number = self->countries[i];
    taxonomy_countries (self, number, day, day, &these);
    countries_drop (left, &these);
    return self->regions[number].title;
}

void taxonomy_describe (const struct taxonomy *self,
                        const struct countries *countries, int32_t day,
                        int most, struct buf *out) {
    struct countries left = *countries;
    int named = 0;
    if (countries_empty (&left))
        buf_add_text (out, "no country");
    while (named < most && !countries_empty (&left)) {
        const char *name = next_name (self, countries, &left, day);
        bool last = countries_empty (&left);
        buf_add_format (out, "%s%s", !named ? "" : last ? " and " : ", ", name);
        named++;
    }
    int more = countries_count (&left);
    if (more)
        buf_add_format (out, named ? " and %d more" : "%d countries", more);
}
