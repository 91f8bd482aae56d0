/* router - the table of the API, and how a path is found in it. */
#include "api/router.h"

#include "api/resources.h"
#include "api/upload.h"
#include "format/batch.h"
#include "store/drafts.h"
#include "threads/files.h"

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
    { "GET", V1 "status", "", ROLE_READER, status_get },
    { "GET", V1 "roster", "at", ROLE_READER, roster_get },
    { "GET", V1 "rosters/{version}", "", ROLE_READER, roster_note_get },
    { "GET", V1 "audience", "topic", ROLE_READER, audience_get },
    { "POST", V1 "messages", "draft anyway", ROLE_PUBLISH, messages_post, JSON,
      MESSAGE_BODY_MAX },
    { "POST", V1 "contributions", "", ROLE_RELEASER, contributions_post, OCTETS,
      CONTRIBUTION_MAX },
    { "GET", V1 "outbox", "state after limit", ROLE_READER, outbox_get_all },
    { "GET", V1 "outbox/{number}", "wait timeout_ms", ROLE_READER,
      outbox_get_one },
    { "GET", V1 "outbox/{number}/promise", "", ROLE_READER,
      outbox_promise_get },
    { "DELETE", V1 "outbox/{number}", "", ROLE_RELEASER, outbox_delete },
    { "GET", V1 "refusals", "after limit", ROLE_READER, refusals_get },
    { "GET", V1 "records",
      "filter author after from to since until order log limit", ROLE_READER,
      records_get },
    { "GET", V1 "records/{key}", "", ROLE_READER, record_get },
    { "GET", V1 "events", "filter log after", ROLE_READER, events_get },
    { "GET", V1 "bundle/meta", "filter author since until headers", ROLE_READER,
      bundle_meta_get },
    { "GET", V1 "bundle/blocks", "filter author since until headers last",
      ROLE_READER, bundle_blocks_get },
    { "GET", V1 "bundle/leaves", "filter author since until headers last",
      ROLE_READER, bundle_leaves_get },
    { "GET", V1 "bundle/checkpoints", "last", ROLE_READER,
      bundle_checkpoints_get },
    { "GET", V1 "bundle/claims", "filter author since until headers last",
      ROLE_READER, bundle_claims_get },
    { "GET", V1 "bundle/promises", "last", ROLE_READER, bundle_promises_get },
    { "GET", V1 "bundle/refusals", "last", ROLE_READER, bundle_refusals_get },
    { "GET", V1 "receipts/{sequence}", "", ROLE_READER, receipt_get },
    { "GET", V1 "checkpoints/{which}", "", ROLE_READER, checkpoint_get },
    { "GET", V1 "leaves", "from count", ROLE_READER, leaves_get },
    { "POST", V1 "notices/{number}/acknowledge", "", ROLE_OPERATOR,
      notice_acknowledge },
    { "POST", V1 "link/retry", "", ROLE_OPERATOR, link_retry_post },
    { "POST", V1 "witness/resume", "", ROLE_OPERATOR, witness_resume },
    { "GET", V1 "notices/{number}/evidence", "", ROLE_READER,
      notice_evidence_get },
    { "GET", V1 "import", "", ROLE_READER, import_get },
    { "POST", V1 "import", "", ROLE_OPERATOR, import_post, JSON, 4096 },
    { "GET", V1 "plans",
      "entity priority region on text state channel lang offset limit",
      ROLE_READER, plans_get },
    { "POST", V1 "plans/check", "topic lang", ROLE_READER, plan_check_post,
      JSON, MESSAGE_BODY_MAX },
    { "POST", V1 "plans/convert",
      "format plan entity title lang handling level from to priorities regions "
      "dates",
      ROLE_READER, plan_convert_post, "text/csv", CSV_BODY_MAX },
    { "GET", V1 "plans/{plan}", "lang", ROLE_READER, plan_get },
    { "GET", V1 "plans/{plan}/history", "", ROLE_READER, plan_history_get },
    { "GET", V1 "plans/{plan}/document", "revision sequence", ROLE_READER,
      plan_document_get },
    { "GET", V1 "plans/{plan}/diff", "from to", ROLE_READER, plan_diff_get },
    { "GET", V1 "plans/{plan}/reports", "action entity lang", ROLE_READER,
      plan_reports_get },
    { "GET", V1 "plans/{plan}/export", "format revision lang annexes",
      ROLE_READER, plan_export_get },
    { "GET", V1 "overlaps",
      "on all entity other plan action priority region from to class kind "
      "broad folded drafts lang offset limit",
      ROLE_READER, overlaps_get },
    { "GET", V1 "gaps", "on entity priority region kind thin lang offset limit",
      ROLE_READER, gaps_get },
    { "GET", V1 "taxonomy", "", ROLE_READER, taxonomy_get },
    { "GET", V1 "taxonomy/history", "", ROLE_READER, taxonomy_history_get },
    { "GET", V1 "quarantine", "offset limit", ROLE_READER, quarantine_get },
    { "GET", V1 "search", "q kind entity plan offset limit", ROLE_READER,
      search_get },
    { "GET", V1 "drafts", "", ROLE_DRAFTER, drafts_get_all },
    { "POST", V1 "drafts", "", ROLE_DRAFTER, drafts_post, JSON,
      DRAFT_OCTETS_MAX },
    { "GET", V1 "drafts/{number}", "", ROLE_DRAFTER, draft_get },
    { "PUT", V1 "drafts/{number}", "", ROLE_DRAFTER, draft_put, JSON,
      DRAFT_OCTETS_MAX },
    { "POST", V1 "drafts/{number}/release", "channel updated anyway",
      ROLE_RELEASER, draft_release },
    { "POST", V1 "drafts/{number}/return", "", ROLE_RELEASER, draft_return,
      JSON, 4096 },
    { "DELETE", V1 "drafts/{number}", "", ROLE_DRAFTER, draft_delete },
    { "GET", V1 "tokens", "", ROLE_OPERATOR, tokens_get },
    { "POST", V1 "tokens", "", ROLE_OPERATOR, tokens_post, JSON, 8192 },
    { "DELETE", V1 "tokens/{name}", "", ROLE_OPERATOR, token_delete },
    { "GET", V1 "acts", "before limit", ROLE_OPERATOR, acts_get },
    { "GET", V1 "cycle", "kind from to entity lang format", ROLE_READER,
      cycle_get },
    { "GET", V1 "files", "channel entity state offset limit", ROLE_READER,
      files_get },
    { "POST", V1 "files", "channel name type text draft", ROLE_PUBLISH,
      files_post, OCTETS, FILE_SIZE_MAX, upload_take },
    { "POST", V1 "files/{file}/release", "channel entity", ROLE_RELEASER,
      file_release },
    { "GET", V1 "files/{file}", "channel entity wait timeout_ms", ROLE_READER,
      file_get },
    { "GET", V1 "files/{file}/content", "channel entity", ROLE_READER,
      file_content_get },
    { "DELETE", V1 "files/{file}", "channel entity reason", ROLE_RELEASER,
      file_delete },
    { "GET", V1 "threads",
      "kind state entity with about channel series waiting text unread lang "
      "offset limit",
      ROLE_READER, threads_get },
    { "POST", V1 "threads", "draft anyway", ROLE_PUBLISH, threads_post, JSON,
      MESSAGE_BODY_MAX },
    { "GET", V1 "threads/{thread}", "channel kind lang before limit",
      ROLE_READER, thread_get },
    { "POST", V1 "threads/{thread}/messages", "channel kind draft anyway",
      ROLE_PUBLISH, thread_messages_post, JSON, MESSAGE_BODY_MAX },
    { "GET", V1 "threads/{thread}/note", "channel kind version", ROLE_READER,
      thread_note_get },
    { "GET", V1 "threads/{thread}/text", "channel kind version", ROLE_READER,
      thread_text_get },
    { "GET", V1 "threads/{thread}/export", "channel kind format version lang",
      ROLE_READER, thread_export_get },
    { "GET", V1 "threads/{thread}/calendar", "channel kind lang", ROLE_READER,
      thread_calendar_get },
    { "GET", V1 "calendar", "channel series lang", ROLE_READER, calendar_get },
    { "GET", V1 "inbox", "lang offset limit", ROLE_READER, inbox_get },
    { "POST", V1 "inbox/read", "", ROLE_READER, inbox_read_post, JSON, 4096 },
    { "GET", V1 "watches", "", ROLE_READER, watches_get_all },
    { "POST", V1 "watches", "", ROLE_READER, watches_post, JSON, 4096 },
    { "DELETE", V1 "watches/{number}", "", ROLE_READER, watch_delete },
    { "POST", V1 "watches/{number}/test", "", ROLE_READER, watch_test_post },
    { "GET", V1 "openapi.json", "", ROLE_READER, openapi_get },
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
