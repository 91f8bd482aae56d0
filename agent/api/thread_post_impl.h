/* thread_post_impl - what thread_post*.c share. */
#ifndef PARLEY_API_THREAD_POST_IMPL_H
#define PARLEY_API_THREAD_POST_IMPL_H

#include "api/thread_post.h"
#include "api/threads_view.h"

struct posting_check {
    struct request *request;
    const struct thread_posting *posting;
    struct thread_place place;
    char entity[ENTITY_MAX + 1]; /* the author's */
    const struct roster *roster;
    const struct threads_view *view;
    const struct thread *thread; /* NULL: not there */
    const json_t *document;
    const struct say *say;
    int64_t author_ms; /* when it was or is written */
    struct faults *faults;
};
/* thread_post_proposal.c */
void posting_proposal (struct posting_check *self);
/* The body of a version, from the store: the caller's; NULL. */
json_t *posting_load (const struct posting_check *self,
                      const struct thread_version *version) MUST_CHECK;

#endif
