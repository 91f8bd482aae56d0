/* log - lines to standard error, each with a level and a stable id.
 *
 *   2026-11-24T05:12:09.123Z WARN  OUTBOX-FULL entity=EUROPOL bytes=1048576
 *
 * A line is written with one write(2), so threads never mix. Values that come
 * from a peer or a file go through log_text, which escapes and bounds. errno
 * is preserved by every call. Thread-safe. */
#ifndef PARLEY_LOG_H
#define PARLEY_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped. Start: LOG_INFO. */
void log_set_level (enum log_level level);

/* "debug", "info", "warn", "error". ERR_ARGUMENT for another word. */
enum err log_level_parse (const char *word, enum log_level *level) MUST_CHECK;

/* `id` is a literal in capitals; `format` gives key=value pairs. A line over
 * LOG_LINE_MAX octets is cut and ends in "...". */
#define LOG_LINE_MAX 4096 /* PIPE_BUF: what a pipe takes in one piece */
void log_debug (const char *id, const char *format, ...) PRINTF_LIKE (2, 3);
void log_info (const char *id, const char *format, ...) PRINTF_LIKE (2, 3);
void log_warn (const char *id, const char *format, ...) PRINTF_LIKE (2, 3);
void log_error (const char *id, const char *format, ...) PRINTF_LIKE (2, 3);

/* For lines that a peer can trigger: at most `LOG_LIMIT_BURST` lines of one
 * (id, key) in LOG_LIMIT_SECONDS; what is left out is counted and said with
 * the next line that passes ("left_out=120"). `key` names the peer, or ""; its
 * first 63 octets count. Keys beyond LOG_LIMIT_KEYS at once share one limit, so
 * that new names buy no new lines. */
#define LOG_LIMIT_BURST 5
#define LOG_LIMIT_SECONDS 60
#define LOG_LIMIT_KEYS 128
void log_limited (enum log_level level, const char *id, const char *key,
                  const char *format, ...) PRINTF_LIKE (4, 5);

/* `text` quoted where needed, controls and non-UTF-8 as \xNN, cut at 480
 * octets. Returned text is one of eight buffers of the calling thread. */
const char *log_text (const char *text);
const char *log_octets (const void *data, size_t size); /* the same, no NUL */
const char *log_hex (const void *data, size_t size);    /* at most 32 octets */

#endif
