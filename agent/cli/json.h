/* json - members of the agent's answers, and their printing. What is missing or
 * of another type is never a fault here: people see "?" or nothing. */
#ifndef PARLEY_CLI_JSON_H
#define PARLEY_CLI_JSON_H

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>

/* Borrowed; NULL (or `other`) where there is no text. */
const char *json_text (json_t *object, const char *name);
const char *json_text_or (json_t *object, const char *name, const char *other);
/* `other` where there is no integer. */
int64_t json_int (json_t *object, const char *name, int64_t other);
/* A member of a member: json_at (o, "link", "state", NULL). Borrowed, or NULL. */
json_t *json_at (json_t *object, ...) __attribute__ ((sentinel));

/* Texts of an array, with ", " between. */
void json_join (struct buf *out, json_t *array);
/* A value as one line: a text as it is, all else as JSON; nothing for null. */
void json_line (struct buf *out, json_t *value);
/* A time as people write it, "24 Nov 2026 12:00 UTC"; what is none stays as it
 * is. And how long before `now` (both RFC 3339) it was: "2 s", "3 minutes". */
void json_moment (struct buf *out, const char *time);
void json_span (struct buf *out, const char *time, const char *now);
/* RULE and values of a refusal: "NOT-A-WRITER author=UNODC/hq". */
void json_refusal (struct buf *out, json_t *refusal);

/* Text of a peer for a terminal: controls escaped, but newlines kept. Ends with
 * one. */
void print_text (FILE *out, const char *text, size_t size);

#endif
