/* json_link - what there is to say about the link, as JSON. */
#ifndef PARLEY_API_JSON_LINK_H
#define PARLEY_API_JSON_LINK_H

#include "api/http.h"
#include "link/link.h"

#include <jansson.h>

/* A copy (it is large); "down" where there is no link. The caller frees. */
struct link_status *json_link_status (const struct http_options *options)
    MUST_CHECK;
/* {state, since, desk, run, retry_in_ms, last_error, clock_offset_ms} */
json_t *json_link (const struct link_status *status);
/* {size, log_time, closed}; nulls before the first hello. */
json_t *json_broker (const struct link_status *status);
/* [{name, upto, last, behind, heard}] */
json_t *json_streams (const struct link_status *status);

#endif
