/* overlap_print - overlaps as the agent's API gives them, for people. */
#ifndef PARLEY_OVERLAP_PRINT_H
#define PARLEY_OVERLAP_PRINT_H

#include "json.h"

/* A paragraph each: its number (from `first`), class, both actions, why, and
 * what bodies said of it. */
void overlaps_print (json_t *overlaps, int64_t first, FILE *out);
/* [{"a", "b", "counts"}, ...] as a table, and what it can't hold as a line. */
void overlap_pairs_print (json_t *pairs, size_t most, FILE *out);

#endif
