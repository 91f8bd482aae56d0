/* unsettled - own messages that wait in the outbox (outbox.h) with one topic:
 * what was said here and nobody derives anything of yet. */
#ifndef PARLEY_UNSETTLED_H
#define PARLEY_UNSETTLED_H

#include "base/hash.h"
#include "store.h"

/* Each that is waiting, sent or promised, by number, its body's content in the
 * format it was given in. Borrowed for the call; `each` may not use the store.
 * `id` is of the newest form, zeros before the first. Any handle. */
enum err unsettled_list (struct store *self, const char *topic,
                         void (*each) (void *arg, const struct hash *id,
                                       struct slice content),
                         void *arg, struct error *e) MUST_CHECK;

#endif
