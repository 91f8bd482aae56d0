/* json_ledger - ledger and completeness as JSON. */
#include "api/json_ledger.h"

#include "api/json_record.h"
#include "identity/quorum.h"
#include "store/checkpoints.h"

#include <stdlib.h>

static json_t *text_or_null (const char *text) {
    return *text ? json_slice (slice_text (text)) : json_null();
}

static json_t *newest_settled (const struct ledger_status *status) {
    if (status->settled < 0)
        return json_null();
    return json_pack ("{sI so sI sI sI}", "size", (json_int_t) status->settled,
                      "time", json_time (status->settled_time), "cosigned",
                      (json_int_t) status->cosigned, "quorum",
                      (json_int_t) status->needed, "witnesses",
                      (json_int_t) status->witnesses);
}

json_t *json_ledger (const struct ledger_status *status, int64_t alarms) {
    return json_pack (
        "{sI so so sb so sb so sb sb sI}", "size", (json_int_t) status->size,
        "verified", json_place_or_null (status->verified), "settled",
        newest_settled (status), "current", status->current, "stale",
        text_or_null (status->why), "witness", status->witness, "cosigned",
        json_place_or_null (status->cosigned_size), "stopped",
        status->alarmed || status->older, "older", status->older, "alarms",
        (json_int_t) alarms);
}

json_t *json_complete (const struct complete_status *status) {
    if (status->mark < 0)
        return json_null();
    return json_pack ("{sI so}", "sequence", (json_int_t) status->mark, "time",
                      json_time (status->time));
}

json_t *json_lacks (const struct complete_status *status) {
    return text_or_null (status->lacks);
}

/* One record */

/* The version's roster: the caller's reference, or NULL. */
struct wanted {
    int64_t version;
    struct roster *roster;
};

static enum err wanted_take (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *e) {
    struct wanted *self = arg;
    (void) sequence;
    if (version != self->version || self->roster)
        return ERR_NONE;
    self->roster = roster_read (note, e);
    return self->roster ? ERR_NONE : e->code;
}

static json_t *cosigners (const struct roster *roster,
                          const struct quorum *quorum) {
    json_t *out = json_array();
    for (size_t i = 0; i < quorum->witnesses; i++)
        if (quorum->times[i] > 0)
            json_array_append_new (
                out, json_pack ("{ss so}", "witness",
                                roster_witness_at (roster, i)->name, "time",
                                json_time (1000 * quorum->times[i])));
    return out;
}

static json_t *settled_by (const struct checkpoint_row *row,
                           const struct note *note,
                           const struct roster *roster) {
    struct quorum *quorum = mem_alloc (sizeof *quorum);
    quorum_judge (roster, &row->checkpoint, note, quorum, NULL);
    json_t *out = json_pack (
        "{sI so sI sI sI so}", "size", (json_int_t) row->checkpoint.size,
        "time", json_time (row->time), "roster",
        (json_int_t) row->roster_version, "quorum", (json_int_t) quorum->needed,
        "witnesses", (json_int_t) quorum->witnesses, "cosigned",
        cosigners (roster, quorum));
    free (quorum);
    return out;
}

json_t *json_settled (struct store *store, int64_t sequence) {
    struct checkpoint_row row;
    struct checkpoint cp;
    struct wanted wanted = { 0 };
    struct buf octets = { 0 };
    struct error e;
    struct note *note = mem_alloc (sizeof *note);
    json_t *out = NULL;
    if (!checkpoints_covering (store, sequence, &row, &octets, &e)) {
        wanted.version = row.roster_version;
        if (!store_rosters (store, wanted_take, &wanted, &e) && wanted.roster
            && !checkpoint_read (buf_slice (&octets), &cp, note, &e))
            out = settled_by (&row, note, wanted.roster);
    }
    roster_unref (&wanted.roster);
    buf_free (&octets);
    free (note);
    return out ? out : json_null();
}
