/* thread_answer - what is said of a thread in a line: answers, comments,
 * suggestions, what is done, closing and withdrawing it. */
#ifndef PARLEY_THREAD_ANSWER_H
#define PARLEY_THREAD_ANSWER_H

#include "thread_say.h"

/* ID, and what the body says: the command's own name, or with `second` its second
 * word. --reservation, --text, and for meetings --represented-by. */
int thread_answer (struct cli *cli, int argc, char **argv, const char *usage,
                   const char *kind, bool second);
/* ID: close it. `text`: an option of that name that is needed; NULL: none. */
int thread_close (struct cli *cli, int argc, char **argv, const char *usage,
                  const char *kind, const char *text);
/* {"does": DOES}; the caller's. */
json_t *content_new (const char *does);

#endif
