/* bundle - what the files of an export agree on. */
#ifndef PARLEY_API_BUNDLE_H
#define PARLEY_API_BUNDLE_H

#include "format/block.h"

/* Is this block in an export with that filter (NULL: all)? $log is, since it is
 * what a block is checked with. */
bool bundle_wants (const char *filter, const struct block *block);

#endif
