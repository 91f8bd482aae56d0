/* json_projector - the projector's status as JSON. */
#include "api/json_projector.h"
#include "api/json_record.h"
#include "plans/projector.h"

#include <stdlib.h>

static json_t *digests (const struct model_digests *d) {
    return json_pack ("{so so so so}", "plans", json_hash (&d->plans),
                      "overlaps", json_hash (&d->overlaps), "gaps",
                      json_hash (&d->gaps), "all", json_hash (&d->all));
}

static json_t *threads (const struct projector_status *status) {
    const struct threads_digests *d = &status->threads_digests;
    return json_pack (
        "{sI sI sI sI so s{sI so} so}", "count", (json_int_t) status->threads,
        "open", (json_int_t) status->threads_open, "quarantined",
        (json_int_t) status->threads_quarantined, "newer",
        (json_int_t) status->threads_newer, "now",
        status->settled < 0 ? json_null() : json_time (status->settled_ms),
        "records", "count", (json_int_t) d->record_count, "digest",
        json_hash (&d->records), "digest", json_hash (&d->threads));
}

json_t *json_projector (struct projector *projector) {
    struct projector_status status;
    if (!projector || !projector_status (projector, &status))
        return json_null();
    const struct model_digests *d = &status.digests;
    return json_pack (
        "{sI so sI sI sI sI s{sI so} s{sI so} so so sI}", "mark",
        (json_int_t) status.mark, "time", json_time (status.mark_ms), "plans",
        (json_int_t) status.plans, "withdrawn", (json_int_t) status.withdrawn,
        "quarantined", (json_int_t) status.quarantined, "newer",
        (json_int_t) status.newer, "taxonomy", "version",
        (json_int_t) status.taxonomy_version, "digest",
        json_hash (&d->taxonomy), "records", "count",
        (json_int_t) d->record_count, "digest", json_hash (&d->records),
        "digests", digests (d), "threads", threads (&status), "replay_ms",
        (json_int_t) status.replay_ms);
}
