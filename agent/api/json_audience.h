/* json_audience - who reads and writes a channel, as JSON (res_roster.c). */
#ifndef PARLEY_API_JSON_AUDIENCE_H
#define PARLEY_API_JSON_AUDIENCE_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

struct roster;

/* The channel of a topic; a channel alone stands for its topics. */
bool audience_channel (const char *topic, struct slice *channel,
                       struct error *e) MUST_CHECK;
/* What GET /audience answers. */
json_t *json_audience (const struct roster *roster, const char *topic,
                       struct slice channel, const char *delegation) MUST_CHECK;

#endif
