/* res_taxonomy - GET /taxonomy, /taxonomy/history and /quarantine. */
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

/* What was in force when */

/* Days that were over when it was said: members of a group that was there. */
static void past_add (json_t *out, const char *group, const json_t *members,
                      int32_t today) {
    const json_t *at;
    size_t i;
    json_array_foreach (members, i, at) {
        const char *from = json_string_value (json_object_get (at, "from"));
        const char *to = json_string_value (json_object_get (at, "to"));
        struct date first, last;
        bool early = from && !date_read (slice_text (from), &first, NULL)
                     && first.first < today;
        bool late = to && !date_read (slice_text (to), &last, NULL)
                    && last.last < today;
        if (early || late)
            json_array_append_new (
                out, json_pack ("{ss sO so so}", "group", group, "country",
                                json_object_get (at, "country"), "from",
                                from ? json_string (from) : json_null(), "to",
                                to ? json_string (to) : json_null()));
    }
}

static json_t *past (const json_t *change, int32_t today) {
    json_t *out = json_array(), *group;
    json_t *groups =
        json_object_get (json_object_get (change, "adds"), "country_groups");
    const char *code;
    json_object_foreach (groups, code, group) {
        if (json_object_get (group, "title"))
            continue; /* a new one has no past */
        past_add (out, code, json_object_get (group, "ends"), today);
        past_add (out, code, json_object_get (group, "members"), today);
    }
    return out;
}

static json_t *copy_or_null (const json_t *object, const char *member) {
    const json_t *value = json_object_get (object, member);
    return value ? json_deep_copy (value) : json_null();
}

static void version_add (void *arg, const struct model_proposal *proposal) {
    if (!proposal->in_force || !proposal->entry->content)
        return;
    const json_t *change = proposal->entry->content->document;
    const struct origin *by = &proposal->brought->origin;
    json_t *all = json_array(), *one;
    proposal_add (all, proposal);
    one = json_array_get (all, 0);
    json_object_set_new (one, "in_force",
                         json_pack ("{sI so}", "sequence",
                                    (json_int_t) by->sequence, "log_time",
                                    json_time (by->log_time)));
    json_object_set_new (one, "reason", copy_or_null (change, "reason"));
    json_object_set_new (one, "adds", copy_or_null (change, "adds"));
    json_object_set_new (one, "titles", copy_or_null (change, "titles"));
    json_object_set_new (one, "past", past (change, day_of_ms (by->log_time)));
    json_object_del (one, "state");
    json_array_append (arg, one);
    json_decref (all);
}

void taxonomy_history_get (struct request *r) {
    struct plans_view view;
    if (!plans_open (r, &view))
        return;
    json_t *out = plans_head (&view), *versions = json_array();
    model_proposals (view.model, version_add, versions);
    plans_close (r);
    json_object_set_new (out, "versions", versions);
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

static void thread_entry_add (void *arg, const struct thread_entry *entry,
                              const char *topic) {
    struct listing *self = arg;
    size_t at = self->seen++;
    enum thread_kind kind = thread_topic_kind (slice_text (topic));
    if (at < self->offset || at - self->offset >= self->limit)
        return;
    json_array_append_new (
        self->out,
        json_pack ("{sI so so ss ss ss sn sb sb sb so so}", "sequence",
                   (json_int_t) entry->origin.sequence, "id",
                   json_hash (&entry->origin.id), "log_time",
                   json_time (entry->origin.log_time), "author",
                   entry->origin.author, "channel", entry->origin.channel,
                   "kind", thread_kind_name (kind), "revision", "withdrawal", 0,
                   "newer", entry->newer, "absent", entry->absent, "problems",
                   entry->faults ? faults_json (entry->faults) : json_array(),
                   "topic", json_slice (slice_text (topic))));
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
    threads_quarantine (view.threads, thread_entry_add, &listing);
    plans_close (r);
    json_object_set_new (out, "total",
                         json_integer ((json_int_t) listing.seen));
    json_object_set_new (out, "entries", listing.out);
    reply_json (r, 200, out);
}
