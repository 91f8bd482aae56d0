/* inbox_words - what waits for a body, as a sentence. */
#ifndef PARLEY_API_INBOX_WORDS_H
#define PARLEY_API_INBOX_WORDS_H

#include "api/threads_view.h"
#include "threads/inbox.h"

/* Appended. */
void inbox_words (struct buf *out, const struct threads_view *view,
                  const struct inbox_item *item);
/* When it is due, as it was written; NULL: it is not. */
const struct instant *inbox_due (const struct inbox_item *item);

#endif
