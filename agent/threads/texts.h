/* texts - what people wrote in a thread's message: for those who look for words
 * in it. Pure. */
#ifndef PARLEY_THREADS_TEXTS_H
#define PARLEY_THREADS_TEXTS_H

struct json_t;

/* Each text of a body, with its language ("": it says none), in the order of the
 * tables of THREADS.md sections 2 and 3. Words, ids, dates and names are none. */
typedef void thread_texts_fn (void *arg, const char *lang, const char *text);
void thread_texts (const struct json_t *body, thread_texts_fn *each, void *arg);

#endif
