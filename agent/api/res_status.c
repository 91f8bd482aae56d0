/* res_status - GET /status. */
#include "api/access.h"
#include "api/http_impl.h"
#include "api/json_ledger.h"
#include "api/json_link.h"
#include "api/json_projector.h"
#include "api/json_record.h"
#include "api/request.h"
#include "api/resources.h"
#include "base/clock.h"
#include "store/outbox.h"

#include <stdlib.h>
#include <sys/stat.h>

static void notice_add (void *arg, const struct store_notice *n) {
    json_array_append_new (
        arg,
        json_pack ("{sI so ss sb so sI so}", "number", (json_int_t) n->number,
                   "time", json_time (n->ms), "kind", n->kind, "alarm",
                   n->alarm, "text", json_slice (slice_text (n->text)), "count",
                   (json_int_t) n->count, "acknowledged",
                   json_time_or_null (n->acknowledged_ms)));
}

static json_t *outbox_value (struct store *store) {
    int64_t counts[6];
    outbox_counts (store, counts);
    json_t *out = json_object();
    for (int i = 0; i < 6; i++)
        json_object_set_new (out, outbox_state_name ((enum outbox_state) i),
                             json_integer (counts[i]));
    return out;
}

/* The main file and what is not in it yet. */
static int64_t store_octets (const char *path) {
    struct buf wal = { 0 };
    struct stat st;
    int64_t octets = stat (path, &st) == 0 ? (int64_t) st.st_size : 0;
    buf_add_format (&wal, "%s-wal", path);
    char *name = buf_take_text (&wal);
    if (stat (name, &st) == 0)
        octets += (int64_t) st.st_size;
    free (name);
    return octets;
}

static json_t *status_value (const struct http *http, const struct user *you,
                             const struct link_status *link,
                             struct store *store, struct roster *roster,
                             int64_t sequence) {
    const struct http_options *o = &http->options;
    json_t *notices = json_array();
    struct error e;
    if (store_notices (store, notice_add, notices, &e))
        json_array_clear (notices);
    json_t *out = json_pack (
        "{ss ss so ss so so so so so so so so so sI sI so so s{ss sI}}",
        "program", "parley-agent", "version", PARLEY_VERSION, "dialogue",
        json_hash (o->dialogue), "delegation", o->delegation, "entity",
        json_slice (delegation_entity (slice_text (o->delegation))), "started",
        json_time (http->started_ms), "now", json_time (clock_wall_ms()),
        "link", json_link (link), "broker", json_broker (link), "streams",
        json_streams (link), "ledger",
        json_ledger (&link->ledger, store_alarms (store)), "complete_upto",
        json_complete (&link->complete), "lacks", json_lacks (&link->complete),
        "records", (json_int_t) records_count (store), "position",
        (json_int_t) records_last_position (store), "outbox",
        outbox_value (store), "notices", notices, "store", "path", o->store,
        "octets", (json_int_t) store_octets (o->store));
    json_object_set_new (out, "you", access_json (you));
    json_object_set_new (out, "plans", json_projector (o->projector));
    json_object_set_new (
        out, "name", roster ? json_string (roster_name (roster)) : json_null());
    json_object_set_new (
        out, "roster",
        roster ? json_pack ("{sI so so}", "version",
                            (json_int_t) roster_version (roster), "digest",
                            json_hash (roster_digest (roster)), "sequence",
                            json_place_or_null (sequence))
               : json_null());
    return out;
}

void status_get (struct request *r) {
    struct store *store = request_reader (r);
    if (!store)
        return;
    struct error e;
    int64_t sequence;
    struct roster *roster = http_roster (r->http, store, &sequence, &e);
    struct link_status *link = json_link_status (&r->http->options);
    reply_json (r, 200, status_value (r->http, &r->user, link, store, roster, sequence));
    free (link);
    roster_unref (&roster);
}
