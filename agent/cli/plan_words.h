/* plan_words - plans, faults and counts in words: what several commands of
 * plans, overlaps and gaps say the same way. */
#ifndef PARLEY_PLAN_WORDS_H
#define PARLEY_PLAN_WORDS_H

#include "client.h"
#include "json.h"

/* Text broken between words at the terminal's width, below `indent` blanks. */
void words_print (FILE *out, size_t indent, const char *text);
void words_format (FILE *out, size_t indent, const char *format, ...)
    PRINTF_LIKE (3, 4);
/* "1 plan", "3 plans" (also "0 plans"). */
void words_count (struct buf *out, int64_t count, const char *one,
                  const char *many);

/* {"same": {"narrow", "broad"}, ...} as "3 possible (1 broad), 8 same", classes
 * in the order in which they matter; "none". How many there are in all. */
int64_t overlap_counts_words (struct buf *out, json_t *counts);
/* [{"pointer", "text"}, ...] of a diff, a line each. */
void changes_print (json_t *changes, FILE *out);
/* A text as it stands in a plan: plain, or the first of its languages. "". */
const char *plan_text (json_t *value);

/* Has it the characters of an id of a plan, or of a thread? */
bool plan_id_plain (const char *id);
/* /api/v1/plans/PLAN and `rest`; ERR_NOT_FOUND: no plan has such an id. */
enum err plan_path (struct buf *path, const char *plan, const char *rest,
                    struct error *e) MUST_CHECK;
/* The one in force at the agent; without an agent that of this program. */
struct taxonomy;
struct taxonomy *plan_taxonomy (const struct cli *cli) MUST_CHECK;
/* What the agent knows of a plan; *out is the caller's. */
enum err plan_get (struct client *client, const char *plan, json_t **out,
                   struct error *e) MUST_CHECK;
/* Its home: the channel of the newest revision. NULL: none is there. */
const char *plan_home (json_t *answer);
/* "EUROPOL-x-1#A4" in two; false: it is no such reference. `plan` has
 * PLAN_ID_MAX + 1 octets of room; *part is within `ref`. */
bool plan_ref_split (const char *ref, char *plan, const char **part);

#endif
