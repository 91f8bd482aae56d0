/* res_taxonomy - GET /taxonomy and /quarantine. */
#include "api/json_plan.h"
#include "api/json_record.h"
#include "api/resources.h"

#include <string.h>

#define CONSENTED_MAX 32

static void proposal_add (void *arg, const struct model_proposal *proposal) {
    const struct origin *origin = &proposal->entry->origin;
    json_t *consents = json_array();
    for (size_t i = 0; i < proposal->consents && i < CONSENTED_MAX; i++)
        if (proposal->consented[i])
            json_array_append_new (consents,
                                   json_string (proposal->consented[i]));
    json_array_append_new (
        arg, json_pack ("{so sI ss ss sI so ss so sI sI}", "id",
                        json_hash (&origin->id), "version",
                        (json_int_t) proposal->version, "author",
                        origin->author, "channel", origin->channel, "sequence",
                        (json_int_t) origin->sequence, "log_time",
                        json_time (origin->log_time), "state",
                        proposal->in_force ? "in force"
                        : proposal->void_  ? "void"
                                           : "open",
                        "consents", consents, "consent_count",
                        (json_int_t) proposal->consents, "needed",
                        (json_int_t) proposal->needed));
}

void taxonomy_get (struct request *r) {
    struct plans_view view;
    if (!plans_open (r, &view))
        return;
    json_t *out = plans_head (&view), *proposals = json_array();
    struct taxonomy *taxonomy = taxonomy_ref (view.taxonomy);
    model_proposals (view.model, proposal_add, proposals);
    plans_close (r);
    json_object_set_new (
        out, "version",
        json_integer ((json_int_t) taxonomy_version (taxonomy)));
    json_object_set_new (out, "digest", json_hash (taxonomy_digest (taxonomy)));
    json_object_set_new (out, "taxonomy", taxonomy_json (taxonomy));
    json_object_set_new (out, "proposals", proposals);
    taxonomy_unref (&taxonomy);
    reply_json (r, 200, out);
}

struct listing {
    json_t *out;
    size_t offset, limit, seen;
};

static void entry_add (void *arg, const struct history_entry *entry,
                       const char *topic) {
    struct listing *self = arg;
    size_t at = self->seen++;
    if (at < self->offset || at - self->offset >= self->limit)
        return;
    json_t *one = json_plan_entry (entry);
    json_object_set_new (one, "topic", json_slice (slice_text (topic)));
    json_array_append_new (self->out, one);
}

void quarantine_get (struct request *r) {
    struct plans_view view;
    struct listing listing = { 0 };
    if (!plans_query_page (r, &listing.offset, &listing.limit)
        || !plans_open (r, &view))
        return;
    listing.out = json_array();
    json_t *out = plans_head (&view);
    model_quarantine (view.model, entry_add, &listing);
    plans_close (r);
    json_object_set_new (out, "total",
                         json_integer ((json_int_t) listing.seen));
    json_object_set_new (out, "entries", listing.out);
    reply_json (r, 200, out);
}
