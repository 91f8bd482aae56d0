/* taxonomy - priorities, regions, groups of countries: what plans' codes mean
 * (CONTENTS.md sections 6 and 8).
 *
 * Immutable and counted: threads may share one. Priorities and countries have
 * numbers from 0 that stay the same in every later version that was extended
 * from it, so that sets of them are bits. */
#ifndef PARLEY_TAXONOMY_H
#define PARLEY_TAXONOMY_H

#include "base/hash.h"
#include "day.h"
#include "faults.h"

struct json_t;
struct taxonomy;

#define TAXONOMY_PRIORITIES_MAX 512
#define TAXONOMY_COUNTRIES_MAX 320
#define TAXONOMY_CODES_MAX 2048 /* regions and groups, all together */
#define TAXONOMY_CODE_MAX 80    /* octets of a code */

/* A set of countries. */
#define COUNTRIES_WORDS (TAXONOMY_COUNTRIES_MAX / 64)
struct countries {
    uint64_t bits[COUNTRIES_WORDS];
};
bool countries_common (const struct countries *a, const struct countries *b);
int countries_count (const struct countries *self);
bool countries_empty (const struct countries *self);

/* The one that is built into the program: a new reference. Never fails: a test
 * reads it. */
struct taxonomy *taxonomy_base (void) MUST_CHECK;
/* From the file's JSON: strict (parents and parts that are there, no circles,
 * months that are real, unique codes). NULL and *faults. */
struct taxonomy *taxonomy_read (const struct json_t *json,
                                struct faults *faults) MUST_CHECK;
/* The next version, with what the extension's body adds. NULL and *faults;
 * `self` stays as it is. */
struct taxonomy *taxonomy_extend (const struct taxonomy *self,
                                  const struct json_t *extension,
                                  struct faults *faults) MUST_CHECK;
struct taxonomy *taxonomy_ref (const struct taxonomy *self);
void taxonomy_unref (struct taxonomy **self_p);

int64_t taxonomy_version (const struct taxonomy *self);
/* SHA-256 of its JSON, keys sorted, compact. */
const struct hash *taxonomy_digest (const struct taxonomy *self);
/* The whole as in the file, with its version: the caller's. */
struct json_t *taxonomy_json (const struct taxonomy *self) MUST_CHECK;

/* Priorities: number by code, -1 where there is none; parent -1: top-level. */
int taxonomy_priority (const struct taxonomy *self, struct slice code);
size_t taxonomy_priority_count (const struct taxonomy *self);
const char *taxonomy_priority_code (const struct taxonomy *self, int number);
const char *taxonomy_priority_title (const struct taxonomy *self, int number);
int taxonomy_priority_parent (const struct taxonomy *self, int number);
/* Equal, or one is the other's parent. */
bool taxonomy_priorities_match (const struct taxonomy *self, int a, int b);

/* Region or group codes: number among both, -1 where there is none. */
int taxonomy_region (const struct taxonomy *self, struct slice code);
size_t taxonomy_region_count (const struct taxonomy *self);
const char *taxonomy_region_code (const struct taxonomy *self, int number);
const char *taxonomy_region_title (const struct taxonomy *self, int number);
bool taxonomy_region_is_group (const struct taxonomy *self, int number);
#define TAXONOMY_WORLD "001"
/* Add the countries for which it stands on some day of first..last. */
void taxonomy_countries (const struct taxonomy *self, int region, int32_t first,
                         int32_t last, struct countries *out);

/* Countries: by number. M49 code ("056"), title, ISO 3166 code ("BE"; ""). */
size_t taxonomy_country_count (const struct taxonomy *self);
const char *taxonomy_country_code (const struct taxonomy *self, int number);
const char *taxonomy_country_title (const struct taxonomy *self, int number);
const char *taxonomy_country_alpha2 (const struct taxonomy *self, int number);

/* A set in few words for a sentence: regions or groups that are in it whole,
 * the largest first, then countries, at most `most`, then "and 5 more". `day` is
 * when groups are asked for. Appended. */
void taxonomy_describe (const struct taxonomy *self,
                        const struct countries *countries, int32_t day,
                        int most, struct buf *out);

#endif
