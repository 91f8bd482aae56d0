/* plans_view - the model of plans as a request sees it: now, with the answers
 * that all resources about plans share. */
#ifndef PARLEY_API_PLANS_VIEW_H
#define PARLEY_API_PLANS_VIEW_H

#include "api/request.h"
#include "plans/projector.h"

#include <jansson.h>

/* Larger pages are made in parts. */
#define PLANS_LIMIT 50
#define PLANS_LIMIT_MAX 500
#define PLANS_OFFSET_MAX 10000000

struct plans_view {
    const struct model *model;
    const struct taxonomy *taxonomy;
    int64_t mark, mark_ms; /* now; -1 and 0 before the first mark */
    const struct threads *threads;
    /* Of threads: that of the newest settled mark; -1 and 0 before the first. */
    int64_t settled, settled_ms;
    int32_t today;
    const char *lang; /* "" where none is asked for */
};
/* Fills it, or answers (BUSY: the first replay is not done; NOT-FOUND: there is
 * no projector). Whoever got true closes it, soon: the model's writer waits. */
bool plans_open (struct request *self, struct plans_view *out) MUST_CHECK;
void plans_close (struct request *self);
/* The same for what takes long: see projector_read_long. */
bool plans_open_long (struct request *self, struct plans_view *out) MUST_CHECK;
void plans_close_long (struct request *self);

/* The same without an answer or waiting; false: there is nothing to see. */
bool plans_look (struct request *self, struct plans_view *out) MUST_CHECK;
/* The entity of the own delegation. Returns out. */
char *plans_own_entity (struct request *self, char out[ENTITY_MAX + 1]);
/* What a record says, from the store, where it is JSON; NULL. */
json_t *plans_load (struct store *store, const struct origin *origin)
    MUST_CHECK;

/* {"mark": {"sequence", "time"}, "generation"}: what an answer is of. */
json_t *plans_head (const struct plans_view *view) MUST_CHECK;

/* Query parameters; each answers BAD-PARAMETER and returns false. */
bool plans_query_page (struct request *self, size_t *offset, size_t *limit)
    MUST_CHECK;
/* A date of any precision. *given: it is there. */
bool plans_query_date (struct request *self, const char *name, bool *given,
                       struct date *out) MUST_CHECK;
bool plans_query_priority (struct request *self, const struct plans_view *view,
                           bool *given, int *out) MUST_CHECK;
bool plans_query_region (struct request *self, const struct plans_view *view,
                         bool *given, int *out) MUST_CHECK;
bool plans_query_entity (struct request *self, const char *name,
                         const char **out) MUST_CHECK;
bool plans_query_flag (struct request *self, const char *name, bool *out)
    MUST_CHECK; /* "true" or "false" */
/* Words joined by commas, as bits; `read` gives a word's number. */
bool plans_query_bits (struct request *self, const char *name,
                       bool (*read) (struct slice word, int *number),
                       unsigned *out) MUST_CHECK;

json_t *json_text_in (const struct text *text, const char *lang) MUST_CHECK;
json_t *json_day (int32_t day) MUST_CHECK; /* null for DAY_OPEN */
json_t *json_date (const struct date *date) MUST_CHECK;
/* {"code", "title"} */
json_t *json_priority (const struct taxonomy *taxonomy, int number) MUST_CHECK;
json_t *json_region (const struct taxonomy *taxonomy, int number) MUST_CHECK;

#endif
