/* problem - answers of RFC 9457. */
#include "api/problem.h"

#include "base/log.h"
#include "plans/faults.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *title;
    unsigned status;
} problems[] = {
    [PROBLEM_BAD_REQUEST] = { "BAD-REQUEST", "The request is not understood",
                              400 },
    [PROBLEM_BAD_PARAMETER] = { "BAD-PARAMETER",
                                "A parameter is not understood", 400 },
    [PROBLEM_UNAUTHORIZED] = { "UNAUTHORIZED", "A bearer token is needed",
                               401 },
    [PROBLEM_FORBIDDEN] = { "FORBIDDEN", "Not with your role", 403 },
    [PROBLEM_HOST] = { "HOST", "The API is called by a loopback name only",
                       403 },
    [PROBLEM_NOT_FOUND] = { "NOT-FOUND", "There is no such thing", 404 },
    [PROBLEM_METHOD] = { "METHOD", "Not possible with this method", 405 },
    [PROBLEM_AMBIGUOUS] = { "AMBIGUOUS", "Several things have that name", 409 },
    [PROBLEM_DRAFT_CHANGED] = { "DRAFT-CHANGED", "Somebody wrote at this draft",
                                409 },
    [PROBLEM_KEY_REUSED] = { "KEY-REUSED",
                             "The Idempotency-Key was used for other content",
                             409 },
    [PROBLEM_NAME_TAKEN] = { "NAME-TAKEN", "There is or was one of that name",
                             409 },
    [PROBLEM_TOO_LATE] = { "TOO-LATE", "The message is sent already", 409 },
    [PROBLEM_NOT_SETTLED] = { "NOT-SETTLED", "The record is not settled yet",
                              409 },
    [PROBLEM_FILE_INCOMPLETE] = { "FILE-INCOMPLETE",
                                  "Parts of the file are not here yet", 409 },
    [PROBLEM_FILE_WITHDRAWN] = { "FILE-WITHDRAWN", "The file was withdrawn",
                                 409 },
    [PROBLEM_FILE_BROKEN] = { "FILE-BROKEN",
                              "The file is not what its sender says", 409 },
    [PROBLEM_TOO_LARGE] = { "TOO-LARGE", "The request's body is too large",
                            413 },
    [PROBLEM_MEDIA_TYPE] = { "MEDIA-TYPE", "The body has another media type",
                             415 },
    [PROBLEM_NOT_A_PLAN] = { "NOT-A-PLAN",
                             "What is said about a plan breaks its rules",
                             422 },
    [PROBLEM_NOT_FOR_THREAD] = { "NOT-FOR-THREAD",
                                 "What is said in a thread breaks its rules",
                                 422 },
    [PROBLEM_INTERNAL] = { "INTERNAL", "The agent failed", 500 },
    [PROBLEM_OUTBOX_FULL] = { "OUTBOX-FULL", "The outbox is full", 503 },
    [PROBLEM_BUSY] = { "BUSY", "The agent is busy", 503 },
    [PROBLEM_NO_ROSTER] = { "NO-ROSTER", "No roster is known yet", 503 },
    [PROBLEM_STORE_FULL] = { "STORE-FULL", "The disk is full", 507 },
};

static json_t *problem_json (unsigned status, const char *name,
                             const char *title, const char *detail) {
    char type[64];
    snprintf (type, sizeof type, "urn:parley:problem:%s", name);
    return json_pack ("{ss ss si ss}", "type", type, "title", title, "status",
                      (int) status, "detail", detail);
}

static void problem_send (struct request *request, unsigned status,
                          json_t *json) {
    char *text = json ? json_dumps (json, JSON_COMPACT) : NULL;
    json_decref (json);
    if (!text)
        text = mem_copy_text ("{}");
    reply_response (request, status, "application/problem+json",
                    MHD_create_response_from_buffer (strlen (text), text,
                                                     MHD_RESPMEM_MUST_FREE));
}

static void reply (struct request *request, enum problem problem,
                   json_t *members, const char *format, va_list args)
    PRINTF_LIKE (4, 0);
static void reply (struct request *request, enum problem problem,
                   json_t *members, const char *format, va_list args) {
    char raw[ERROR_TEXT_MAX], detail[ERROR_TEXT_MAX];
    vsnprintf (raw, sizeof raw, format, args);
    text_printable (detail, sizeof detail, raw, strlen (raw));
    json_t *json =
        problem_json (problems[problem].status, problems[problem].name,
                      problems[problem].title, detail);
    /* The four of the standard come first. */
    if (json && members)
        json_object_update_missing (json, members);
    json_decref (members);
    problem_send (request, problems[problem].status, json);
}

void problem_reply (struct request *request, enum problem problem,
                    const char *format, ...) {
    va_list args;
    va_start (args, format);
    reply (request, problem, NULL, format, args);
    va_end (args);
}

void problem_reply_int (struct request *request, enum problem problem,
                        const char *name, int64_t value, const char *format,
                        ...) {
    va_list args;
    va_start (args, format);
    reply (request, problem, json_pack ("{sI}", name, (json_int_t) value),
           format, args);
    va_end (args);
}

void problem_reply_text (struct request *request, enum problem problem,
                         const char *name, const char *value,
                         const char *format, ...) {
    char printable[ERROR_TEXT_MAX];
    text_printable (printable, sizeof printable, value, strlen (value));
    va_list args;
    va_start (args, format);
    reply (request, problem, json_pack ("{ss}", name, printable), format, args);
    va_end (args);
}

void problem_reply_with (struct request *request, enum problem problem,
                         json_t *members, const char *format, ...) {
    va_list args;
    va_start (args, format);
    reply (request, problem, members, format, args);
    va_end (args);
}

void problem_refusal (struct request *request, const struct refusal *refusal) {
    char text[REFUSAL_TEXT_MAX], title[80];
    snprintf (title, sizeof title, "Refused by the rule %s", refusal->name);
    json_t *json =
        problem_json (422, refusal->name, title, refusal_print (refusal, text));
    json_t *values = mp_to_json (refusal_values (refusal), NULL);
    /* The four of the standard come first, whatever the values are called. */
    if (json && values)
        json_object_update_missing (json, values);
    json_decref (values);
    problem_send (request, 422, json);
}

void problem_faults (struct request *request, enum problem problem,
                     const char *kind, const struct faults *faults) {
    struct error e = { 0 };
    char title[80], detail[ERROR_TEXT_MAX];
    (void) faults_error (faults, &e);
    text_printable (detail, sizeof detail, e.text, strlen (e.text));
    snprintf (title, sizeof title, "This %s can't be published",
              strcmp (kind, "overlap") == 0       ? "statement on an overlap"
              : strcmp (kind, "taxonomy") == 0    ? "change of the taxonomy"
              : problem == PROBLEM_NOT_FOR_THREAD ? "message of a thread"
                                                  : kind);
    json_t *json = problem_json (problems[problem].status,
                                 problems[problem].name, title, detail);
    json_object_set_new (json, "kind", json_string (kind));
    json_object_set_new (json, "count",
                         json_integer ((json_int_t) faults->count));
    json_object_set_new (json, "problems", faults_json (faults));
    problem_send (request, problems[problem].status, json);
}

void problem_error (struct request *request, const struct error *e) {
    switch (e->code) {
    case ERR_FULL:
        problem_reply (request, PROBLEM_OUTBOX_FULL, "%s", e->text);
        return;
    case ERR_NO_SPACE:
        log_error ("API-STORE-FULL", "why=%s", log_text (e->text));
        problem_reply (request, PROBLEM_STORE_FULL, "%s", e->text);
        return;
    case ERR_TIMEOUT:
        log_limited (LOG_WARN, "API-STORE-BUSY", "", "why=%s",
                     log_text (e->text));
        problem_reply (request, PROBLEM_BUSY, "%s", e->text);
        return;
    case ERR_NOT_FOUND:
        problem_reply (request, PROBLEM_NOT_FOUND, "%s", e->text);
        return;
    default:
        log_limited (LOG_ERROR, "API-FAILED", error_name (e->code), "why=%s",
                     log_text (e->text));
        problem_reply (request, PROBLEM_INTERNAL, "%s", e->text);
    }
}
