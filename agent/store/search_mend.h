/* search_mend - a text index (search.h) that is damaged is made again: it rests
 * on what the store has elsewhere. */
#ifndef PARLEY_SEARCH_MEND_H
#define PARLEY_SEARCH_MEND_H

#include "store.h"

/* Has each text its words and each word its text? It counts them: for once a
 * start. Any handle. */
bool search_is_whole (struct store *self);
/* All texts, plans' states and the position go, whatever is there: it is as
 * where nothing was ever written. In the caller's transaction. */
enum err search_empty (struct store *self, struct error *e) MUST_CHECK;

#endif
