/* files - what commands read and write beside the agent: public files, and
 * standard input and output. Secrets go through identity.h. */
#ifndef PARLEY_FILES_H
#define PARLEY_FILES_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* All of a file, or of standard input where path is "-"; at most max octets,
 * ERR_LIMIT above. *out is replaced. */
enum err file_read (const char *path, size_t max, struct buf *out,
                    struct error *e) MUST_CHECK;
/* To a file that all may read (within the umask), or to standard output where
 * path is NULL. Durable. ERR_EXISTS where it is there and not `replace`. */
enum err file_write (const char *path, struct slice data, bool replace,
                     struct error *e) MUST_CHECK;

#endif
