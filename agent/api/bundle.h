/* bundle - what the files of an export agree on. */
#ifndef PARLEY_API_BUNDLE_H
#define PARLEY_API_BUNDLE_H

#include "format/block.h"

#include <sys/types.h>

/* Is this block in an export with that filter (NULL: all)? $log is, since it is
 * what a block is checked with. */
bool bundle_wants (const char *filter, const struct block *block);

/* What a file that is streamed has ready and not sent yet, as libmicrohttpd asks
 * for it: at most `room` octets to *out, counted in *sent; the end of the stream
 * where nothing is left. */
ssize_t bundle_give (const struct buf *ready, size_t *sent, char *out,
                     size_t room);

#endif
