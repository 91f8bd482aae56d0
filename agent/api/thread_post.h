/* thread_post - a message of a thread, judged before it is taken: as every
 * reader will judge it (threads/THREADS.md), and by what is known here. The one
 * place for that, whatever publishes. */
#ifndef PARLEY_API_THREAD_POST_H
#define PARLEY_API_THREAD_POST_H

#include "api/request.h"
#include "format/message.h"

struct thread_posting {
    const char *topic;
    struct slice author; /* a delegation */
    enum body_format format;
    struct slice content;
    bool handed_in; /* it is another one's, signed already */
    bool anyway;    /* also what would no longer count */
};
/* May the message be taken? Topics of no thread always are. false: answered,
 * with 422 NOT-FOR-THREAD and each fault. */
bool thread_post_check (struct request *r, const struct thread_posting *posting)
    MUST_CHECK;

/* Why nothing can be closed now by that body, where thread_close_due says so:
 * in words. */
struct thread;
const char *thread_post_no_close (const struct thread *thread,
                                  const char *entity);

#endif
