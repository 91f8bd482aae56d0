/* router - the table of the API, and how a path is found in it. */
#include "api/router.h"

#include "api/resources.h"
#include "format/batch.h"
#include "store/drafts.h"

#include <stdio.h>
#include <string.h>

/* JSON text of the largest message: base64 takes 349,504 octets; text with
 * escapes may take more, and more than this is for /contributions. */
#define MESSAGE_BODY_MAX 524288

#define CSV_BODY_MAX 1048576

#define V1 "/api/v1/"
#define JSON "application/json"
#define OCTETS "application/octet-stream"

const struct route router_routes[] = {
    { "GET", V1 "status", "", status_get },
    { "GET", V1 "roster", "at", roster_get },
    { "GET", V1 "rosters/{version}", "", roster_note_get },
    { "GET", V1 "audience", "topic", audience_get },
    { "POST", V1 "messages", "", messages_post, JSON, MESSAGE_BODY_MAX },
    { "POST", V1 "contributions", "", contributions_post, OCTETS,
      CONTRIBUTION_MAX },
    { "GET", V1 "outbox", "state after limit", outbox_get_all },
    { "GET", V1 "outbox/{number}", "wait timeout_ms", outbox_get_one },
    { "GET", V1 "outbox/{number}/promise", "", outbox_promise_get },
    { "DELETE", V1 "outbox/{number}", "", outbox_delete },
    { "GET", V1 "refusals", "after limit", refusals_get },
    { "GET", V1 "records",
      "filter author after from to since until order log limit", records_get },
    { "GET", V1 "records/{key}", "", record_get },
    { "GET", V1 "events", "filter log after", events_get },
    { "GET", V1 "bundle/meta", "filter author since until headers",
      bundle_meta_get },
    { "GET", V1 "bundle/blocks", "filter author since until headers last",
      bundle_blocks_get },
    { "GET", V1 "bundle/leaves", "filter author since until headers last",
      bundle_leaves_get },
    { "GET", V1 "bundle/checkpoints", "last", bundle_checkpoints_get },
    { "GET", V1 "bundle/claims", "filter author since until headers last",
      bundle_claims_get },
    { "GET", V1 "bundle/promises", "last", bundle_promises_get },
    { "GET", V1 "bundle/refusals", "last", bundle_refusals_get },
    { "GET", V1 "receipts/{sequence}", "", receipt_get },
    { "GET", V1 "checkpoints/{which}", "", checkpoint_get },
    { "GET", V1 "leaves", "from count", leaves_get },
    { "POST", V1 "notices/{number}/acknowledge", "", notice_acknowledge },
    { "POST", V1 "link/retry", "", link_retry_post },
    { "POST", V1 "witness/resume", "", witness_resume },
    { "GET", V1 "notices/{number}/evidence", "", notice_evidence_get },
    { "GET", V1 "import", "", import_get },
    { "POST", V1 "import", "", import_post, JSON, 4096 },
    { "GET", V1 "plans",
      "entity priority region on text state channel lang offset limit",
      plans_get },
    { "POST", V1 "plans/check", "topic lang", plan_check_post, JSON,
      MESSAGE_BODY_MAX },
    { "POST", V1 "plans/convert",
      "format plan entity title lang handling level from to priorities regions "
      "dates",
      plan_convert_post, "text/csv", CSV_BODY_MAX },
    { "GET", V1 "plans/{plan}", "lang", plan_get },
    { "GET", V1 "plans/{plan}/history", "", plan_history_get },
    { "GET", V1 "plans/{plan}/document", "revision sequence",
      plan_document_get },
    { "GET", V1 "plans/{plan}/diff", "from to", plan_diff_get },
    { "GET", V1 "plans/{plan}/reports", "action entity lang",
      plan_reports_get },
    { "GET", V1 "plans/{plan}/export", "format revision lang annexes",
      plan_export_get },
    { "GET", V1 "overlaps",
      "on all entity other plan action priority region from to class kind "
      "broad folded drafts lang offset limit",
      overlaps_get },
    { "GET", V1 "gaps", "on entity priority region kind thin lang offset limit",
      gaps_get },
    { "GET", V1 "taxonomy", "", taxonomy_get },
    { "GET", V1 "taxonomy/history", "", taxonomy_history_get },
    { "GET", V1 "quarantine", "offset limit", quarantine_get },
    { "GET", V1 "search", "q kind entity plan offset limit", search_get },
    { "GET", V1 "drafts", "", drafts_get_all },
    { "POST", V1 "drafts", "", drafts_post, JSON, DRAFT_OCTETS_MAX },
    { "GET", V1 "drafts/{number}", "", draft_get },
    { "PUT", V1 "drafts/{number}", "", draft_put, JSON, DRAFT_OCTETS_MAX },
    { "DELETE", V1 "drafts/{number}", "", draft_delete },
    { "GET", V1 "cycle", "kind from to entity lang format", cycle_get },
    { "GET", V1 "openapi.json", "", openapi_get },
    { 0 },
};

/* A segment {..} stands for 1 to SEGMENT_MAX octets without a slash. */
static bool path_fits (const char *pattern, const char *path,
                       char segment[SEGMENT_MAX + 1]) {
    const char *open = strchr (pattern, '{');
    if (!open)
        return strcmp (pattern, path) == 0;
    size_t before = (size_t) (open - pattern);
    if (strncmp (pattern, path, before) != 0)
        return false;
    const char *rest = strchr (open, '}') + 1;
    size_t size = strcspn (path + before, "/");
    if (size == 0 || size > SEGMENT_MAX
        || strcmp (path + before + size, rest) != 0)
        return false;
    memcpy (segment, path + before, size);
    segment[size] = '\0';
    return true;
}

static bool method_fits (const struct route *route, const char *method) {
    if (strcmp (method, "HEAD") == 0)
        method = "GET";
    return strcmp (route->method, method) == 0;
}

const struct route *router_find (const char *method, const char *path,
                                 char segment[SEGMENT_MAX + 1], bool *known,
                                 char allow[64]) {
    *known = false;
    allow[0] = '\0';
    segment[0] = '\0';
    for (const struct route *r = router_routes; r->path; r++) {
        if (!path_fits (r->path, path, segment))
            continue;
        if (method_fits (r, method))
            return r;
        size_t used = strlen (allow);
        snprintf (allow + used, 64 - used, "%s%s%s", *known ? ", " : "",
                  r->method, strcmp (r->method, "GET") == 0 ? ", HEAD" : "");
        *known = true;
    }
    return NULL;
}

bool router_query (const struct route *route, const char *name) {
    size_t size = strlen (name);
    for (const char *at = route->query; *at && size > 0;) {
        size_t word = strcspn (at, " ");
        if (word == size && memcmp (at, name, size) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}
