/* answers - the last few answers that took long to make, for whoever asks the
 * same again while nothing has changed.
 *
 * Any thread. Bounded in number and octets. */
#ifndef PARLEY_API_ANSWERS_H
#define PARLEY_API_ANSWERS_H

#include "api/request.h"

#include <pthread.h>

#define ANSWERS_MAX 16
#define ANSWERS_OCTETS_MAX 1048576 /* larger ones are not kept */

struct answers {
    pthread_mutex_t lock;
    struct {
        char *key;
        struct buf text;
        int64_t used; /* by `clock`: the one not used longest goes */
    } at[ANSWERS_MAX];
    int64_t clock;
};
void answers_open (struct answers *self);
void answers_close (struct answers *self); /* zeros are fine, too */

/* Answers with what was kept for the same path, parameters and `state` (what the
 * answer is a function of); false: it has to be made. */
bool answers_reply (struct answers *self, struct request *request,
                    const char *state) MUST_CHECK;
/* Answers with the JSON, which is taken, and keeps it. */
void answers_make (struct answers *self, struct request *request,
                   const char *state, json_t *json);

#endif
