/* res_import - POST /import and GET /import: a bundle is taken in. */
#include "api/http_impl.h"
#include "api/import_job.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"

static json_t *status_json (const struct import_status *s) {
    static const char *const names[] = {
        [IMPORT_NONE] = "none",     [IMPORT_CHECKING] = "checking",
        [IMPORT_TAKING] = "taking", [IMPORT_DONE] = "done",
        [IMPORT_FAILED] = "failed",
    };
    return json_pack (
        "{ss ss sI sI sI sI sI sI so ss?}", "state", names[s->state], "folder",
        s->folder, "done", (json_int_t) s->done, "total", (json_int_t) s->total,
        "records", (json_int_t) s->records, "held", (json_int_t) s->held,
        "others", (json_int_t) s->others, "gaps", (json_int_t) s->gaps,
        "settled", json_place_or_null (s->settled), "why",
        s->state == IMPORT_FAILED ? s->why : NULL);
}

void import_get (struct request *r) {
    struct import_status status = { .settled = -1 };
    if (r->http->import)
        import_job_status (r->http->import, &status);
    reply_json (r, 200, status_json (&status));
}

void import_post (struct request *r) {
    struct import_status status;
    struct error e;
    json_error_t why;
    json_t *body = json_loadb ((const char *) r->body.data, r->body.size,
                               JSON_REJECT_DUPLICATES, &why);
    const char *folder = json_string_value (json_object_get (body, "folder"));
    if (!folder || folder[0] != '/' || json_object_size (body) != 1)
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "needs {\"folder\": a path from the root}");
    else if (!r->http->import)
        problem_reply (r, PROBLEM_BUSY, "no link runs");
    else if (import_job_start (r->http->import, folder, &e))
        problem_reply (
            r, e.code == ERR_EXISTS ? PROBLEM_BUSY : PROBLEM_BAD_REQUEST, "%s",
            e.text);
    else {
        import_job_status (r->http->import, &status);
        publish_act (r, "import", folder);
        reply_json (r, 202, status_json (&status));
    }
    json_decref (body);
}
