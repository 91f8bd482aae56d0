/* thread_page - a thread as a printed page, by what GET /threads/{thread}
 * answers. */
#ifndef PARLEY_API_THREAD_PAGE_H
#define PARLEY_API_THREAD_PAGE_H

#include "base/buf.h"

#include <jansson.h>

void thread_page (struct buf *out, const json_t *thread);

#endif
