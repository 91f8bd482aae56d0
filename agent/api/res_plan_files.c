/* res_plan_files - GET /plans/{plan}/export: a plan as a file. JSON and tables,
 * which may be published again, hold what the plan's own record says; a page to
 * read, and a table where it is asked for, also hold the annexes that may be read
 * here, with their audiences and handlings. */
#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/problem.h"
#include "api/resources.h"
#include "plans/plan_csv.h"
#include "plans/plan_html.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum form { FORM_JSON, FORM_CSV, FORM_HTML };

struct export {
    struct origin origin;
    int64_t revision;
    struct taxonomy *taxonomy;
    json_t *whole; /* document and audience, joined; NULL */
    json_t *document;
    const char *lang;
};

static json_t *load (void *arg, const struct history_entry *entry) {
    return plans_load (arg, &entry->origin);
}

static const struct history_entry *revision_of (const struct subject *subject,
                                                int64_t number) {
    if (number == 0)
        return subject->plan ? subject->revision : NULL;
    for (size_t i = 0; i < subject->entry_count; i++)
        if (subject->entries[i]->revision == number)
            return subject->entries[i];
    return NULL;
}

static bool find (struct request *r, struct store *store, bool annexes,
                  int64_t revision, struct export *out) {
    struct plans_view view;
    if (!plans_open_long (r, &view))
        return false;
    const struct subject *subject = model_find (view.model, r->segment);
    const struct history_entry *entry =
        subject ? revision_of (subject, revision) : NULL;
    if (entry) {
        out->origin = entry->origin;
        out->revision = entry->revision;
        out->taxonomy = taxonomy_ref (view.taxonomy);
        out->lang = request_query (r, "lang");
        if (annexes && revision == 0)
            out->whole = subject_document (subject, load, store);
    }
    plans_close_long (r);
    if (!entry)
        problem_reply (r, PROBLEM_NOT_FOUND, "there is no such revision of %s",
                       r->segment);
    return entry != NULL;
}

static bool document_get (struct request *r, struct store *store,
                          struct export *out) {
    out->document = out->whole
                        ? json_incref (json_object_get (out->whole, "document"))
                        : plans_load (store, &out->origin);
    if (!out->document)
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "record %" PRId64 " has no body that can be shown",
                       out->origin.sequence);
    return out->document != NULL;
}

static void json_write (const struct export *export, struct buf *out) {
    char *text = json_dumps (export->document, JSON_INDENT (2));
    if (text)
        buf_add_text (out, text);
    buf_add_text (out, "\n");
    free (text);
}

static void csv_write (const struct export *export, struct buf *out) {
    const json_t *documents[] = { export->document };
    if (export->whole)
        plan_csv_parts (export->whole, out);
    else
        plan_csv_write (documents, 1, out, NULL);
}

static void html_write (const struct export *export, struct buf *out) {
    struct plan_html_meta meta = {
        .revision = export->revision,
        .sequence = export->origin.sequence,
        .log_time = export->origin.log_time,
        .channel = export->origin.channel,
        .author = export->origin.author,
        .audience = json_object_get (export->whole, "audience"),
        .handling = json_object_get (export->whole, "handling"),
        .annexes = json_object_get (export->whole, "annexes"),
        .lang = export->lang,
    };
    plan_html (export->document, &meta, export->taxonomy, out);
}

static void reply_file (struct request *r, int form,
                        const struct export *export) {
    static const struct {
        const char *type, *end;
        void (*write) (const struct export *, struct buf *);
    } forms[] = {
        [FORM_JSON] = { "application/json", "json", json_write },
        [FORM_CSV] = { "text/csv; charset=utf-8", "csv", csv_write },
        [FORM_HTML] = { "text/html; charset=utf-8", "html", html_write },
    };
    char name[PLAN_ID_MAX + 64];
    struct buf out = { 0 };
    forms[form].write (export, &out);
    reply_octets (r, forms[form].type, buf_slice (&out));
    snprintf (name, sizeof name, "attachment; filename=\"%s-r%" PRId64 ".%s\"",
              r->segment, export->revision, forms[form].end);
    reply_header (r, "Content-Disposition", name);
    buf_free (&out);
}

void plan_export_get (struct request *r) {
    static const char *const forms[] = { "json", "csv", "html", NULL };
    int form;
    bool annexes;
    int64_t revision;
    struct export export = { 0 };
    if (!request_query_word (r, "format", forms, FORM_JSON, &form)
        || !request_query_int (r, "revision", 0, 1, INT64_MAX, &revision)
        || !plans_query_flag (r, "annexes", &annexes))
        return;
    if (annexes && form != FORM_CSV) {
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "annexes",
                            "annexes is for format csv: a page holds them "
                            "always, JSON is as it was published");
        return;
    }
    struct store *store = request_reader (r);
    if (store
        && find (r, store, annexes || form == FORM_HTML, revision, &export)
        && document_get (r, store, &export))
        reply_file (r, form, &export);
    json_decref (export.whole);
    json_decref (export.document);
    taxonomy_unref (&export.taxonomy);
}
