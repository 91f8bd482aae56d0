/* res_roster - GET /roster, /rosters/{version} and /audience. */
#include "api/http_impl.h"
#include "api/json_audience.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/clock.h"
#include "identity/rights.h"
#include "store/hashes.h"
#include "store/records.h"

#include <stdlib.h>

/* Rosters */

static json_t *document (const struct roster *roster, struct error *e) {
    enum note_kind kind;
    struct hash dialogue;
    bool has_dialogue;
    struct slice rest;
    if (note_head (roster_note (roster)->text, &kind, &dialogue, &has_dialogue,
                   &rest, e))
        return NULL;
    json_error_t why;
    json_t *out = json_loadb ((const char *) rest.data, rest.size,
                              JSON_REJECT_DUPLICATES, &why);
    if (!out)
        error_set (e, ERR_DAMAGED, "the roster's JSON: %s", why.text);
    return out;
}

struct place {
    int64_t at, sequence;
    struct buf note;
};

static enum err place_keep (void *arg, int64_t version, int64_t sequence,
                            struct slice note, struct error *e) {
    struct place *self = arg;
    (void) version, (void) e;
    if (sequence <= self->at) { /* they come in order */
        self->sequence = sequence;
        buf_clear (&self->note);
        buf_add_slice (&self->note, note);
    }
    return ERR_NONE;
}

/* Is there such a record, as far as this agent knows? */
static bool place_known (struct store *store, int64_t at) {
    struct tree tree;
    int64_t time;
    return at <= records_highest (store, &time)
           || (!hashes_tree (store, HASHES_LEDGER, &tree, NULL)
               && (uint64_t) at < tree.size);
}

/* The one in force at record `at`; NULL: answered. */
static struct roster *roster_at (struct request *r, struct store *store,
                                 int64_t at, int64_t *sequence) {
    struct place place = { .at = at };
    struct roster *roster = NULL;
    struct error e;
    if (!place_known (store, at)) {
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "the ledger has no record %lld yet", (long long) at);
        return NULL;
    }
    enum err rc = store_rosters (store, place_keep, &place, &e);
    *sequence = place.sequence;
    if (!rc && place.note.size == 0)
        problem_reply (r, PROBLEM_NO_ROSTER, "no roster is known yet");
    else if (!rc)
        roster = roster_read (buf_slice (&place.note), &e);
    if (rc || (place.note.size > 0 && !roster))
        problem_error (r, &e);
    buf_free (&place.note);
    return roster;
}

void roster_get (struct request *r) {
    struct error e;
    int64_t sequence, at;
    struct store *store = request_reader (r);
    if (!store || !request_query_int (r, "at", -1, 0, NUMBER_MAX, &at))
        return;
    struct roster *roster = at < 0 ? request_roster (r, store, &sequence)
                                   : roster_at (r, store, at, &sequence);
    if (!roster)
        return;
    json_t *json = document (roster, &e);
    if (json)
        reply_json (r, 200,
                    json_pack ("{sI so so so}", "version",
                               (json_int_t) roster_version (roster), "digest",
                               json_hash (roster_digest (roster)), "sequence",
                               json_place_or_null (sequence), "document",
                               json));
    else
        problem_error (r, &e);
    roster_unref (&roster);
}

struct wanted {
    int64_t version;
    struct buf note;
};

static enum err wanted_keep (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *e) {
    struct wanted *self = arg;
    (void) sequence, (void) e;
    if (version == self->version)
        buf_add_slice (&self->note, note);
    return ERR_NONE;
}

void roster_note_get (struct request *r) {
    struct wanted wanted = { 0 };
    struct error e;
    struct store *store = request_reader (r);
    if (!store)
        return;
    if (!decimal_read (r->segment, &wanted.version))
        problem_reply (r, PROBLEM_NOT_FOUND, "no version of a roster: %s",
                       r->segment);
    else if (store_rosters (store, wanted_keep, &wanted, &e))
        problem_error (r, &e);
    else if (wanted.note.size == 0)
        problem_reply (r, PROBLEM_NOT_FOUND, "roster %s is not here",
                       r->segment);
    else
        reply_octets (r, "text/plain; charset=utf-8", buf_slice (&wanted.note));
    buf_free (&wanted.note);
}

/* Audience */

struct audience {
    const struct roster *roster;
    struct slice channel;
    int64_t now;
    const struct roster_delegation **readers; /* in the roster's order */
    size_t count;
};

static json_t *entities (const struct audience *self) {
    json_t *out = json_array(), *names = NULL;
    const struct roster_entity *last = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const struct roster_entity *entity =
            roster_entity_at (self->roster, self->readers[i]->entity);
        if (entity != last) {
            names = json_array();
            json_array_append_new (
                out, json_pack ("{ss ss ss so}", "id", entity->id, "name",
                                entity->name, "role", entity->role,
                                "delegations", names));
            last = entity;
        }
        json_array_append_new (names, json_string (self->readers[i]->name));
    }
    return out;
}

static json_t *writers (const struct audience *self) {
    json_t *out = json_array();
    for (size_t i = 0; i < roster_delegations (self->roster); i++) {
        const char *name = roster_delegation_at (self->roster, i)->name;
        if (rights_ask (self->roster, slice_text (name), self->channel,
                        RIGHT_WRITE, self->now)
            == VERDICT_YES)
            json_array_append_new (out, json_string (name));
    }
    return out;
}

/* Why the own delegation may not write there, in the rules' order. */
static const char *rule_name_of (enum verdict audience, enum verdict own) {
    if (audience != VERDICT_YES)
        return verdict_name (audience);
    switch (own) {
    case VERDICT_YES:
        return NULL;
    case VERDICT_NO:
        return rule_name (RULE_NOT_A_WRITER);
    case VERDICT_EXPIRED:
        return rule_name (RULE_EXPIRED_KEY);
    default:
        return verdict_name (own);
    }
}

json_t *json_audience (const struct roster *roster, const char *topic,
                       struct slice channel, const char *delegation) {
    struct audience self = { .roster = roster,
                             .channel = channel,
                             .now = clock_wall_ms() };
    self.readers =
        mem_alloc ((roster_delegations (roster) + 1) * sizeof *self.readers);
    enum verdict there =
        rights_audience (roster, channel, self.now, self.readers, &self.count);
    enum verdict own = rights_ask (roster, slice_text (delegation), channel,
                                   RIGHT_WRITE, self.now);
    json_t *out = json_pack ("{ss so so so sb ss?}", "topic", topic, "channel",
                             json_slice (channel), "entities", entities (&self),
                             "writers", writers (&self), "may_write",
                             there == VERDICT_YES && own == VERDICT_YES, "rule",
                             rule_name_of (there, own));
    free (self.readers);
    return out;
}

/* A channel alone stands for its topics. */
bool audience_channel (const char *topic, struct slice *channel,
                       struct error *e) {
    *channel = slice_text (topic);
    if (!strchr (topic, '/')
        && (channel_name_valid (*channel) || slice_is (*channel, CHANNEL_LOG)
            || (channel_is_adhoc (*channel)
                && !channel_adhoc_check (*channel, e))))
        return true;
    if (topic_check (slice_text (topic), e))
        return false;
    *channel = topic_channel (slice_text (topic));
    return true;
}

void audience_get (struct request *r) {
    char *topic = request_query_topic (r, "topic");
    struct error e;
    struct slice channel;
    int64_t sequence;
    if (!topic) {
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "topic",
                            "'topic' is missing");
        return;
    }
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (roster && audience_channel (topic, &channel, &e)) {
        reply_json (r, 200,
                    json_audience (roster, topic, channel,
                                   r->http->options.delegation));
    } else if (roster) {
        struct refusal why;
        refusal_set (&why, RULE_TOPIC);
        refusal_text (&why, "why", e.text);
        problem_refusal (r, &why);
    }
    roster_unref (&roster);
    free (topic);
}
