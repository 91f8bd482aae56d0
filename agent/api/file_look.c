/* file_look - from topics to files. */
#include "api/file_look.h"

#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/problem.h"
#include "base/clock.h"
#include "format/message.h"
#include "identity/rights.h"
#include "identity/roster.h"
#include "store/attached.h"
#include "store/records.h"

#include <stdio.h>
#include <stdlib.h>

#define SAID_MAX 64 /* maps of a topic that are looked at: the newest */

/* One topic */

static bool may_read (const struct roster *roster, const char *delegation,
                      const char *channel) {
    return rights_ask (roster, slice_text (delegation), slice_text (channel),
                       RIGHT_READ, clock_wall_ms())
           == VERDICT_YES;
}

static enum err said_take (void *arg, const struct attached *item,
                           struct error *e) {
    struct file_look *self = arg;
    (void) e;
    struct origin origin = { .sequence = item->sequence,
                             .log_time = item->log_time,
                             .id = item->id,
                             .leaf = item->leaf };
    struct error why = { 0 };
    snprintf (origin.author, sizeof origin.author, "%s", item->author);
    snprintf (origin.channel, sizeof origin.channel, "%s",
              file_view_place (self->view)->channel);
    json_t *document = item->map ? mp_to_json (item->content, &why) : NULL;
    file_view_say (self->view, &origin, document,
                   item->map ? why.text
                             : "is neither a map nor octets, or has no body "
                               "here: no part and no manifest");
    json_decref (document);
    return ERR_NONE;
}

struct asking {
    struct store *store;
    const struct file_place *place;
    char topic[TOPIC_MAX + 1];
};

static bool part_held (void *arg, const struct file_part *part) {
    struct asking *self = arg;
    return attached_part (self->store, self->topic, self->place->entity,
                          &part->sha256, part->size, NULL);
}

static enum err sending_take (void *arg, const struct sending *sending,
                              struct error *e) {
    struct file_look *self = arg;
    struct faults faults = { 0 };
    bool newer;
    (void) e;
    self->sent = true;
    self->state = sending->state;
    self->created_ms = sending->created_ms;
    self->messages = sending->messages;
    self->handed = sending->handed;
    self->promised = sending->promised;
    self->settled = sending->settled;
    self->octets_left = sending->octets_left;
    self->why = mem_copy_text (sending->why);
    self->drafter = mem_copy_text (sending->drafter);
    json_t *document = mp_to_json (sending->manifest, NULL);
    if (document)
        self->manifest = file_manifest_read (file_view_place (self->view),
                                             document, &faults, &newer);
    json_decref (document);
    faults_clear (&faults);
    return ERR_NONE;
}

static enum err look_at (struct store *store, const struct file_place *place,
                         bool whole, struct file_look *out, struct error *e) {
    struct asking asking = { .store = store, .place = place };
    file_topic (asking.topic, place);
    out->view = file_view_new (place);
    enum err rc =
        attached_said (store, asking.topic, SAID_MAX, said_take, out, e);
    if (!rc && whole)
        rc = attached_strangers (store, asking.topic, place->entity, SAID_MAX,
                                 said_take, out, e);
    if (!rc)
        file_view_parts (out->view, part_held, &asking);
    if (!rc)
        rc = sendings_get (store, asking.topic, sending_take, out, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err file_look (struct store *store, const struct roster *roster,
                    const char *delegation, const char *topic, bool whole,
                    struct file_look *out, bool *readable, struct error *e) {
    struct faults faults = { 0 };
    struct file_place place;
    *out = (struct file_look){ 0 };
    *readable = file_place_read (slice_text (topic), NULL, &place, &faults)
                && may_read (roster, delegation, place.channel);
    faults_clear (&faults);
    if (!*readable)
        return ERR_NONE;
    enum err rc = look_at (store, &place, whole, out, e);
    if (rc)
        file_look_free (out);
    return rc;
}

void file_look_free (struct file_look *self) {
    file_view_free (&self->view);
    file_manifest_free (&self->manifest);
    free (self->why);
    free (self->drafter);
    *self = (struct file_look){ 0 };
}

const struct file_manifest *file_look_manifest (const struct file_look *self) {
    const struct file_said *said = file_view_manifest (self->view);
    return said ? said->manifest : self->manifest;
}

const char *file_look_state (const struct file_look *self) {
    enum file_state state = file_view_state (self->view);
    if (state != FILE_UNKNOWN || !self->sent)
        return file_state_name (state);
    return self->state == SENDING_ACTIVE    ? "sending"
           : self->state == SENDING_HELD    ? "draft"
           : self->state == SENDING_STOPPED ? "withdrawn"
                                            : file_state_name (state);
}

/* Finding */

struct finding {
    struct request *r;
    struct store *store;
    const struct roster *roster;
    const char *channel, *entity; /* NULL: any */
    struct file_look *out;
    size_t count;
    struct buf choices;
};

static enum err topic_look (void *arg, const char *topic, struct error *e) {
    struct finding *self = arg;
    struct file_look look;
    bool readable;
    enum err rc =
        file_look (self->store, self->roster, self->r->http->options.delegation,
                   topic, true, &look, &readable, e);
    if (rc || !readable)
        return rc;
    const struct file_place *place = file_view_place (look.view);
    bool wanted =
        (!self->channel || strcmp (self->channel, place->channel) == 0)
        && (!self->entity || strcmp (self->entity, place->entity) == 0)
        && (look.sent || file_view_count (look.view) > 0);
    if (wanted && self->count++ == 0) {
        *self->out = look;
        buf_add_format (&self->choices, "%s of %s", place->channel,
                        place->entity);
        return ERR_NONE;
    }
    if (wanted)
        buf_add_format (&self->choices, ", %s of %s", place->channel,
                        place->entity);
    file_look_free (&look);
    return ERR_NONE;
}

/* Topics that this agent sends to and of which the ledger has nothing yet. */
struct sent_topics {
    struct store *store;
    const char *id; /* NULL: all */
    size_t count;
    char *at[SENDINGS_MAX];
};

static enum err sent_take (void *arg, const struct sending *sending,
                           struct error *e) {
    struct sent_topics *self = arg;
    const char *last = strrchr (sending->topic, '/');
    (void) e;
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->at[i], sending->topic) == 0)
            return ERR_NONE;
    if (self->count < SENDINGS_MAX && last
        && (!self->id || strcmp (last + 1, self->id) == 0))
        self->at[self->count++] = mem_copy_text (sending->topic);
    return ERR_NONE;
}

static enum err any_said (void *arg, const struct attached *item,
                          struct error *e) {
    (void) item, (void) e;
    *(bool *) arg = true;
    return ERR_NONE;
}

static enum err sent_each (struct sent_topics *self,
                           enum err (*each) (void *arg, const char *topic,
                                             struct error *e),
                           void *arg, struct error *e) {
    enum err rc = sendings_list (self->store, sent_take, self, e);
    for (size_t i = 0; i < self->count; i++) {
        bool said = false;
        if (!rc)
            rc =
                attached_said (self->store, self->at[i], 1, any_said, &said, e);
        if (!rc && !said)
            rc = each (arg, self->at[i], e);
        free (self->at[i]);
    }
    return rc;
}

static enum err find_all (struct finding *self, const char *id,
                          struct error *e) {
    struct sent_topics sent = { .store = self->store, .id = id };
    enum err rc = sent_each (&sent, topic_look, self, e);
    return rc ? rc : attached_find (self->store, id, topic_look, self, e);
}

/* What is there to be told, or more than one. */
static bool found (struct request *r, struct finding *self) {
    char *choices = buf_take_text (&self->choices);
    if (self->count == 0)
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "no file %s that can be read here%s", r->segment,
                       self->channel || self->entity
                           ? " on that channel, of that body"
                           : "");
    else if (self->count > 1)
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "channel",
                            "file %s is there %zu times: on %s; say which by "
                            "channel and entity",
                            r->segment, self->count, choices);
    free (choices);
    return self->count == 1;
}

bool file_find (struct request *r, struct store *store,
                const struct roster *roster, struct file_look *out) {
    struct error e = { 0 };
    struct finding finding = { .r = r,
                               .store = store,
                               .roster = roster,
                               .channel = request_query (r, "channel"),
                               .entity = request_query (r, "entity"),
                               .out = out };
    if (!file_id_valid (slice_text (r->segment))) {
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "'%.80s' is no file's id: %d digits, 0-9 and a-f",
                       r->segment, FILE_ID_SIZE);
        return false;
    }
    *out = (struct file_look){ 0 };
    enum err rc = find_all (&finding, r->segment, &e);
    if (rc)
        problem_error (r, &e);
    bool fine = !rc && found (r, &finding);
    buf_free (&finding.choices);
    if (!fine)
        file_look_free (out);
    return fine;
}

/* All */

struct listing {
    struct store *store;
    const struct roster *roster;
    const char *delegation;
    file_look_fn *each;
    void *arg;
    bool end;
};

static enum err topic_give (void *arg, const char *topic, struct error *e) {
    struct listing *self = arg;
    struct file_look look;
    bool readable;
    enum err rc = file_look (self->store, self->roster, self->delegation, topic,
                             false, &look, &readable, e);
    if (rc || !readable)
        return rc;
    rc = self->each (self->arg, &look, e);
    self->end = rc == ERR_STATE;
    file_look_free (&look);
    return rc;
}

enum err file_look_all (struct store *store, const struct roster *roster,
                        const char *delegation, file_look_fn *each, void *arg,
                        struct error *e) {
    struct listing self = { .store = store,
                            .roster = roster,
                            .delegation = delegation,
                            .each = each,
                            .arg = arg };
    struct sent_topics sent = { .store = store };
    enum err rc = sent_each (&sent, topic_give, &self, e);
    if (!rc)
        rc = attached_topics (store, topic_give, &self, e);
    return self.end ? ERR_NONE : rc;
}

/* Content */

enum err file_part_load (struct store *store, const struct file_place *place,
                         const struct file_part *part, struct buf *out,
                         struct error *e) {
    char topic[TOPIC_MAX + 1], hex[HASH_TEXT_MAX];
    struct record_row row;
    int64_t sequence;
    file_topic (topic, place);
    buf_clear (out);
    if (!attached_part (store, topic, place->entity, &part->sha256, part->size,
                        &sequence))
        return error_set (e, ERR_NOT_FOUND, "the part %s is not here",
                          hash_text (hex, &part->sha256));
    struct records_cursor *cursor =
        records_by_sequence (store, sequence, &row, e);
    if (!cursor)
        return e->code;
    if (row.body.size > BODY_SALT)
        buf_add (out, row.body.data + BODY_SALT, row.body.size - BODY_SALT);
    records_close (&cursor);
    struct hash found = hash_sha256 (buf_slice (out));
    return hash_equal (&found, &part->sha256)
               ? ERR_NONE
               : error_set (e, ERR_DAMAGED,
                            "record %lld holds another part than %s",
                            (long long) sequence, hex);
}
