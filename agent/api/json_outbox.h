/* json_outbox - an entry of the outbox, and refusals, as JSON. */
#ifndef PARLEY_API_JSON_OUTBOX_H
#define PARLEY_API_JSON_OUTBOX_H

#include "store/outbox.h"

#include <jansson.h>

json_t *json_outbox (const struct outbox_message *message);
/* {rule, values, text} */
json_t *json_refusal (const struct refusal *refusal);
json_t *json_promise (const struct promise_proof *proof);

/* The entry as it stands now; NULL and *e (ERR_NOT_FOUND). `state` may be
 * NULL. */
json_t *json_outbox_get (struct store *store, int64_t number,
                         enum outbox_state *state, struct error *e) MUST_CHECK;

#endif
