/* json_link - the link's state as JSON. */
#include "api/json_link.h"

#include "api/json_record.h"

#include <stdlib.h>

struct link_status *json_link_status (const struct http_options *options) {
    struct link_status *status = mem_alloc (sizeof *status);
    status->ledger = (struct ledger_status){ .verified = -1,
                                             .settled = -1,
                                             .cosigned_size = -1,
                                             .why = "there is no link" };
    status->complete.mark = -1;
    if (options->link)
        link_status (options->link, status);
    return status;
}

static const char *phase_name (enum link_phase phase) {
    switch (phase) {
    case LINK_HELLO:
        return "hello";
    case LINK_READY:
        return "ready";
    case LINK_CONNECTING:
    case LINK_DOWN:
        break;
    }
    return "down";
}

static json_t *text_or_null (const char *text) {
    return *text ? json_slice (slice_text (text)) : json_null();
}

json_t *json_link (const struct link_status *status) {
    return json_pack (
        "{ss so so so sI so so}", "state", phase_name (status->phase), "since",
        json_time_or_null (status->since_ms), "desk",
        text_or_null (status->desk), "run", text_or_null (status->run),
        "retry_in_ms", (json_int_t) status->retry_in_ms, "last_error",
        text_or_null (status->last_error), "clock_offset_ms",
        status->has_offset ? json_integer (status->clock_offset_ms)
                           : json_null());
}

json_t *json_broker (const struct link_status *status) {
    bool known = *status->run != '\0';
    return json_pack (
        "{so so so}", "size",
        known ? json_integer (status->broker_size) : json_null(), "log_time",
        known ? json_time_or_null (status->broker_log_time) : json_null(),
        "closed", text_or_null (status->closed));
}

json_t *json_streams (const struct link_status *status) {
    json_t *out = json_array();
    for (size_t i = 0; i < status->stream_count; i++) {
        const struct link_stream_status *s = &status->streams[i];
        int64_t behind = s->last > s->upto ? s->last - s->upto : 0;
        json_array_append_new (
            out, json_pack ("{ss sI sI sI so}", "name", s->name, "upto",
                            (json_int_t) s->upto, "last", (json_int_t) s->last,
                            "behind", (json_int_t) behind, "heard",
                            json_time_or_null (s->heard_ms)));
    }
    return out;
}
