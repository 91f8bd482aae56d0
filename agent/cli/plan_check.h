/* plan_check - what the agent says of a plan before it is published. */
#ifndef PARLEY_PLAN_CHECK_H
#define PARLEY_PLAN_CHECK_H

#include "client.h"

#include <jansson.h>

/* POST /plans/check; `channel`: where it shall go, or NULL. *out is the
 * caller's. */
enum err plan_check_ask (struct client *client, json_t *plan,
                         const char *channel, json_t **out, struct error *e)
    MUST_CHECK;
/* On standard error, before it is published: faults, what looks like personal
 * data, how many overlaps it makes. Not good: false. */
bool plan_check_say (json_t *answer, const char *file);

#endif
