/* json_record - a record, and the small values around it, as JSON.
 *
 * What stands in a record was written by somebody else: text that is no UTF-8
 * and content that is not of its format are said to be so, never passed on. */
#ifndef PARLEY_API_JSON_RECORD_H
#define PARLEY_API_JSON_RECORD_H

#include "store/records.h"

#include <jansson.h>

/* The caller's, all of them. */
json_t *json_time (int64_t ms);                /* "2026-11-24T05:12:09.123Z" */
json_t *json_time_or_null (int64_t ms);        /* null for 0 and below */
json_t *json_place_or_null (int64_t sequence); /* null below 0 */
json_t *json_hash (const struct hash *h);      /* hex */
json_t *json_base64 (struct slice octets);
json_t *json_slice (struct slice text); /* null where it is no UTF-8 */

/* "json", "text", "octets", "note": the API's names of body formats. */
const char *json_format_name (enum body_format format);

/* A message's content: a value, a text, or base64. NULL: it is none of its
 * format. */
json_t *json_content (enum body_format format, struct slice content,
                      struct error *e);

json_t *json_record (const struct record_row *row);
/* The same, appended as text without line breaks. ERR_MALFORMED: what was
 * appended is not whole. */
enum err json_record_write (struct buf *out, const struct record_row *row)
    MUST_CHECK;

#endif
