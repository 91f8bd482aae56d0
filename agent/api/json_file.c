/* json_file - a file as JSON (api/openapi.json: File). */
#include "api/file_look.h"
#include "api/json_record.h"
#include "base/clock.h"
#include "identity/rights.h"
#include "identity/roster.h"

#include <stdlib.h>

/* Three quarters, as link/bulk.c takes. */
static int64_t seconds_left (const struct file_look *look,
                             const struct roster *roster) {
    double rate = (double) roster_limits (roster)->octets_a_minute * 3 / 4 / 60;
    return (int64_t) ((double) look->octets_left / rate) + 1;
}

static json_t *json_sending (const struct file_look *look,
                             const struct roster *roster) {
    if (!look->sent)
        return json_null();
    json_t *out = json_pack (
        "{ss so sI sI sI sI ss so}", "state", sending_state_name (look->state),
        "since", json_time (look->created_ms), "messages",
        (json_int_t) look->messages, "handed", (json_int_t) look->handed,
        "promised", (json_int_t) look->promised, "settled",
        (json_int_t) look->settled, "why", look->why, "drafter",
        *look->drafter ? json_string (look->drafter) : json_null());
    /* What takes longer than a person waits is said. */
    int64_t least =
        look->state == SENDING_ACTIVE ? seconds_left (look, roster) : 0;
    if (out)
        json_object_set_new (out, "least_seconds",
                             look->octets_left > 0 ? json_integer (least)
                                                   : json_null());
    return out;
}

static json_t *json_parts (const struct file_look *look,
                           const struct file_manifest *manifest) {
    int64_t octets;
    size_t held = file_view_held (look->view, &octets);
    json_t *missing = json_array();
    bool known = file_view_manifest (look->view) != NULL;
    for (size_t i = 0; known && i < manifest->part_count; i++)
        if (!file_view_has (look->view, i))
            json_array_append_new (missing, json_integer ((json_int_t) i + 1));
    return json_pack ("{sI sI sI so}", "of", (json_int_t) manifest->part_count,
                      "held", (json_int_t) held, "octets", (json_int_t) octets,
                      "missing", missing);
}

static json_t *json_said (const struct file_said *said) {
    const char *kind = said->newer                ? "newer"
                       : !said->manifest          ? "quarantined"
                       : said->manifest->withdraw ? "withdrawal"
                                                  : "manifest";
    return json_pack (
        "{sI so ss ss so* so}", "sequence", (json_int_t) said->origin.sequence,
        "time", json_time (said->origin.log_time), "author",
        said->origin.author, "kind", kind, "name",
        said->manifest && !said->manifest->withdraw
            ? json_string (said->manifest->name)
            : NULL,
        "problems", said->faults ? faults_json (said->faults) : json_array());
}

static json_t *json_readers (const struct roster *roster, const char *channel) {
    const struct roster_delegation **at =
        mem_alloc ((roster_delegations (roster) + 1) * sizeof *at);
    size_t count = 0;
    json_t *out = json_array();
    if (rights_audience (roster, slice_text (channel), clock_wall_ms(), at,
                         &count)
        == VERDICT_YES)
        for (size_t i = 0; i < count; i++)
            json_array_append_new (out, json_string (at[i]->name));
    free (at);
    return out;
}

static void put_manifest (json_t *out, const struct file_look *look,
                          const struct file_manifest *manifest) {
    json_object_set_new (out, "name", json_string (manifest->name));
    json_object_set_new (out, "type", json_string (manifest->type));
    json_object_set_new (out, "size", json_integer (manifest->size));
    json_object_set_new (out, "sha256", json_hash (&manifest->sha256));
    json_object_set_new (out, "text",
                         manifest->said_text ? json_incref (manifest->said_text)
                                             : json_null());
    json_object_set_new (out, "parts", json_parts (look, manifest));
    json_object_set_new (
        out, "reference",
        file_ref_json (file_view_place (look->view), manifest));
}

/* Who said what counts, and when. */
static void put_origin (json_t *out, const struct file_look *look) {
    const struct file_said *said = file_view_newest (look->view);
    json_object_set_new (
        out, "author", said ? json_string (said->origin.author) : json_null());
    json_object_set_new (
        out, "sequence",
        json_place_or_null (said ? said->origin.sequence : -1));
    json_object_set_new (out, "time",
                         json_time_or_null (said ? said->origin.log_time : 0));
    json_object_set_new (out, "reason",
                         said && said->manifest->withdraw
                                 && said->manifest->said_text
                             ? json_incref (said->manifest->said_text)
                             : json_null());
}

json_t *json_file (const struct file_look *look, const struct roster *roster,
                   bool whole) {
    const struct file_place *place = file_view_place (look->view);
    const struct file_manifest *manifest = file_look_manifest (look);
    json_t *out = json_pack ("{ss ss ss ss}", "file", place->id, "channel",
                             place->channel, "entity", place->entity, "state",
                             file_look_state (look));
    if (!out)
        return NULL;
    if (manifest)
        put_manifest (out, look, manifest);
    put_origin (out, look);
    json_object_set_new (out, "sending", json_sending (look, roster));
    if (!whole)
        return out;
    json_t *said = json_array();
    for (size_t i = 0; i < file_view_count (look->view); i++)
        json_array_append_new (said, json_said (file_view_at (look->view, i)));
    json_object_set_new (out, "said", said);
    json_object_set_new (out, "readers", json_readers (roster, place->channel));
    return out;
}
