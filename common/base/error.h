/* error - the one set of reasons that every fallible call of Parley returns,
 * and the text a person reads beside it.
 *
 * A function returns 0 or an `enum err`; a constructor returns NULL and fills
 * a `struct error`. Nothing is changed where an error is returned, unless the
 * header says so. The codes never travel: the wire has rules of its own
 * (PROTOCOL.md section 9). */
#ifndef PARLEY_ERROR_H
#define PARLEY_ERROR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__ ((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__ ((format (printf, f, a)))

enum err {
    ERR_NONE = 0,
    ERR_ARGUMENT,  /* the caller's mistake: a value outside its contract */
    ERR_MALFORMED, /* octets or text outside their grammar */
    ERR_LIMIT,     /* larger, longer, deeper or more than a limit allows */
    ERR_NEWER,     /* a format that this build does not know; not a fault */
    ERR_SIGNATURE, /* a signature that does not verify, or is missing */
    ERR_KEY,       /* a key that is unknown, expired, revoked or too open */
    ERR_DIGEST,    /* content that does not match its digest or checksum */
    ERR_RIGHT,     /* not allowed by the roster */
    ERR_CHAIN,     /* a roster or record that does not follow the last */
    ERR_NOT_FOUND, /* asked for, not there */
    ERR_EXISTS,    /* there already, and may not be replaced */
    ERR_FULL,      /* a bounded place has no room; try again later */
    ERR_STATE,     /* not possible now: closed, locked, not connected */
    ERR_IO,        /* the operating system refused; errno is in the text */
    ERR_NO_SPACE,  /* the disk is full, or below the space kept free */
    ERR_DAMAGED,   /* our own store is not what we wrote: stop, loudly */
    ERR_TIMEOUT,   /* did not happen in the time given */
    ERR_CONFIG,    /* a configuration file that can't be taken */
};

/* Longest text kept with an error, octets, with the closing NUL. A longer one
 * is cut at a character's border and ends in "...". */
#define ERROR_TEXT_MAX 512

struct error {
    enum err code;
    char text[ERROR_TEXT_MAX]; /* one line, printable, for a person */
};

/* Fill *e (NULL is allowed: nothing is kept) and return `code`, so that
 * `return error_set (e, ERR_LIMIT, "...")` reads as one step. The result goes
 * through text_printable. An argument may point into *e. Keeps errno. */
enum err error_set (struct error *e, enum err code, const char *format, ...)
    PRINTF_LIKE (3, 4);

/* As error_set, with ": " and the text of `saved_errno` behind it. ENOSPC and
 * EDQUOT turn ERR_IO into ERR_NO_SPACE. */
enum err error_sys (struct error *e, int saved_errno, const char *format, ...)
    PRINTF_LIKE (3, 4);

/* Put "what: " before the text that is there, and keep the code, which is
 * returned. For a caller that knows the place (a file, a field). With NULL it
 * can't know the code and returns ERR_ARGUMENT: never success. */
enum err error_at (struct error *e, const char *format, ...) PRINTF_LIKE (2, 3);

/* "LIMIT", "MALFORMED", ...: stable, for logs and JSON. Never NULL. */
const char *error_name (enum err code);

/* Octets of the UTF-8 character at `data`: 1 to 4. 0 where none stands there:
 * size 0, cut short, overlong, a surrogate, above U+10FFFF. */
size_t utf8_size (const uint8_t *data, size_t size);

/* Octets as one line for a person, with a NUL: controls (also those that turn
 * the direction of text) and what is no UTF-8 as \xNN. What does not fit
 * `room` (at least 4) is cut at a character's border and ends in "...".
 * Returns the length. `out` and `data` do not overlap. */
size_t text_printable (char *out, size_t room, const void *data, size_t size);

/* Out of memory, the one place that ends the process for it. Sizes are bounded
 * before they are allocated, so this is the machine's failure, not a peer's. */
void *mem_alloc (size_t size) MUST_CHECK;             /* zeroed */
void *mem_resize (void *old, size_t size) MUST_CHECK; /* not zeroed */
char *mem_copy_text (const char *text) MUST_CHECK;
void *mem_copy (const void *data, size_t size) MUST_CHECK;

#endif
