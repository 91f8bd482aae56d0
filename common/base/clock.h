/* clock - the two clocks, and dates as people write them.
 *
 * Times on the wire and in the ledger are Unix milliseconds (int64). Waiting
 * is measured with the monotonic clock only. Tests set an offset to the wall
 * clock with PARLEY_TEST_CLOCK_OFFSET_MS, read once; nonsense in it ends the
 * process. Thread-safe. */
#ifndef PARLEY_CLOCK_H
#define PARLEY_CLOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_MS_MAX INT64_C (9007199254740991) /* 2^53 - 1: exact in JSON */

int64_t clock_wall_ms (void);
int64_t clock_mono_ms (void);
int64_t clock_mono_ns (void);

/* "2026-11-24T05:12:09.123Z"; CLOCK_TEXT_MAX octets with the NUL. */
#define CLOCK_TEXT_MAX 32
char *clock_text (char out[CLOCK_TEXT_MAX], int64_t ms);

/* RFC 3339 date-time with 'Z' or an offset, or a full date (midnight UTC).
 * ERR_MALFORMED otherwise, also for days that do not exist and for leap
 * seconds. Digits behind the milliseconds are dropped; years before 1970 give
 * negative times: bounds are the caller's. *ms is set on success. */
enum err clock_parse (const char *text, int64_t *ms) MUST_CHECK;

#endif
