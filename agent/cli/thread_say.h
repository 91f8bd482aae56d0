/* thread_say - a message of a thread, given to the agent: which thread is meant,
 * who will read it, sent. The agent judges it as every reader will. */
#ifndef PARLEY_THREAD_SAY_H
#define PARLEY_THREAD_SAY_H

#include "publishing.h"
#include "thread_words.h"

struct thread_saying {
    const char *kind;    /* that the thread has to be; NULL: any */
    const char *channel; /* where several have it; of a new one, needed */
    bool anyway;         /* also what would no longer count */
    struct publishing publishing;
};
/* For a table of options: what all that say something take. */
#define THREAD_SAYING(self)                                                    \
    { "channel", OPTION_TEXT, &(self).channel },                               \
        PUBLISHING_SENDING ((self).publishing)
/* How the first part of their usage ends, from a line of its own on. */
#define THREAD_SAYING_USAGE                                                    \
    "           [--channel C] [--key KEY] [--yes|--draft]\n"                   \
    "           [--wait promised|done] [--timeout SECONDS]\n"                  \
    "\n"

/* What is said, made of the thread as the agent knows it; the caller's. NULL and
 * *e. */
typedef json_t *thread_content_fn (json_t *thread, void *arg, struct error *e);
/* The exit code. */
int thread_say (struct cli *cli, struct thread_saying *self, const char *id,
                thread_content_fn *content, void *arg);
/* The same where the thread does not matter; takes content's reference. */
int thread_say_ready (struct cli *cli, struct thread_saying *self,
                      const char *id, json_t *content);
/* Open a thread: of self's kind, on its channel. `id` NULL: the agent makes one.
 * Takes proposal's reference. */
int thread_open (struct cli *cli, struct client *client,
                 const struct thread_saying *self, const char *id,
                 json_t *proposal);
/* Sets a member where there is a text. */
void content_text (json_t *content, const char *name, const char *text);

#endif
