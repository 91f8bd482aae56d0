/* res_files - GET /files, GET and DELETE /files/{file}. */
#include "api/access.h"
#include "api/file_look.h"
#include "api/http_impl.h"
#include "api/json_outbox.h"
#include "api/json_say.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "base/clock.h"
#include "format/message.h"
#include "identity/roster.h"
#include "link/link.h"
#include "store/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT 50
#define LIMIT_MAX 500

/* The list */

struct page {
    json_t *items;
    const struct roster *roster;
    const char *channel, *entity, *state; /* NULL: any */
    int64_t skip, limit;
    bool more;
};

static bool wanted (const struct page *self, const struct file_look *look) {
    const struct file_place *place = file_view_place (look->view);
    const char *state = file_look_state (look);
    if (self->state && strcmp (self->state, "all") != 0
            ? strcmp (self->state, state) != 0
            : !self->state && strcmp (state, "withdrawn") == 0)
        return false;
    return (!self->channel || strcmp (self->channel, place->channel) == 0)
           && (!self->entity || strcmp (self->entity, place->entity) == 0)
           && (look->sent || file_look_manifest (look));
}

static enum err page_add (void *arg, struct file_look *look, struct error *e) {
    struct page *self = arg;
    (void) e;
    if (!wanted (self, look) || self->skip-- > 0)
        return ERR_NONE;
    self->more = (int64_t) json_array_size (self->items) == self->limit;
    if (self->more)
        return ERR_STATE;
    json_array_append_new (self->items, json_file (look, self->roster, false));
    return ERR_NONE;
}

static void list_reply (struct request *r, struct store *store,
                        struct page *page, int64_t offset) {
    struct error e = { 0 };
    page->items = json_array();
    enum err rc = file_look_all (
        store, page->roster, r->http->options.delegation, page_add, page, &e);
    int64_t next = offset + (int64_t) json_array_size (page->items);
    if (rc) {
        json_decref (page->items);
        problem_error (r, &e);
        return;
    }
    reply_json (r, 200,
                json_pack ("{so so}", "files", page->items, "next",
                           page->more ? json_integer (next) : json_null()));
}

void files_get (struct request *r) {
    static const char *const states[] = { "all",      "draft",      "sending",
                                          "complete", "incomplete", "withdrawn",
                                          NULL };
    struct page page = { 0 };
    int64_t offset, sequence;
    int state;
    if (!request_query_int (r, "offset", 0, 0, 10000000, &offset)
        || !request_query_int (r, "limit", LIMIT, 1, LIMIT_MAX, &page.limit)
        || !request_query_word (r, "state", states, -1, &state)
        || !plans_query_entity (r, "entity", &page.entity))
        return;
    page.skip = offset;
    page.state = state < 0 ? NULL : states[state];
    char *channel = request_query_topic (r, "channel");
    page.channel = channel;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    page.roster = roster;
    if (roster)
        list_reply (r, store, &page, offset);
    roster_unref (&roster);
    free (channel);
}

/* One */

enum { WAIT_COMPLETE, WAIT_DONE, WAIT_NONE = -1 };

/* What is waited for is there, or will never be. */
static bool reached (const struct file_look *look, int wait) {
    enum file_state state = file_view_state (look->view);
    if (wait == WAIT_DONE)
        return !look->sent
               || (look->state != SENDING_ACTIVE
                   && look->state != SENDING_HELD);
    return wait == WAIT_NONE || state == FILE_COMPLETE
           || state == FILE_WITHDRAWN;
}

/* Who has it, as far as bodies let their agents say so: of a manifest that is
 * said when all parts are held (THREADS.md section 10). */
static json_t *has_it (struct request *r, const struct file_look *look) {
    const struct file_said *said = file_view_manifest (look->view);
    struct plans_view view;
    if (!said || !plans_look (r, &view))
        return json_null();
    json_t *out = json_acks (r, &said->origin.id, said->origin.channel);
    plans_close (r);
    return out;
}

/* Answers where it is there, time is over, or something is wrong; *again
 * otherwise. */
static void file_reply (struct request *r, int wait, bool last, bool *again) {
    struct file_look look;
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    *again = false;
    if (roster && file_find (r, store, roster, &look)) {
        *again = !last && !reached (&look, wait);
        json_t *json = *again ? NULL : json_file (&look, roster, true);
        if (json)
            json_object_set_new (json, "acks", has_it (r, &look));
        if (!*again)
            reply_json (r, 200, json);
        file_look_free (&look);
    }
    roster_unref (&roster);
    request_release (r);
}

static void file_wait (struct request *r, int wait, int64_t deadline_ms) {
    struct wake *wake = &r->http->wake;
    for (bool again = true; again;) {
        uint64_t seen = wake_number (wake);
        bool last = wake_stopping (wake) || clock_mono_ms() >= deadline_ms
                    || connection_gone (r->connection);
        file_reply (r, wait, last, &again);
        int64_t until = clock_mono_ms() + GONE_MS;
        if (again)
            wake_wait (wake, seen, until < deadline_ms ? until : deadline_ms);
    }
}

void file_get (struct request *r) {
    static const char *const waits[] = { "complete", "done", NULL };
    int64_t timeout;
    int wait;
    bool again;
    if (!request_query_word (r, "wait", waits, WAIT_NONE, &wait)
        || !request_query_int (r, "timeout_ms", 10000, 0, WAIT_MS_MAX,
                               &timeout))
        return;
    if (wait == WAIT_NONE) {
        file_reply (r, wait, true, &again);
    } else if (!wake_enter (&r->http->wake)) {
        problem_reply (r, PROBLEM_BUSY, "%d clients wait already", WAITERS_MAX);
    } else {
        file_wait (r, wait, clock_mono_ms() + timeout);
        wake_leave (&r->http->wake);
    }
}

/* Release */

static enum err release_write (struct store *writer, void *arg,
                               struct error *e) {
    return sendings_release (writer, arg, e);
}

/* Who keeps to two persons has another one release it. */
static bool may_release (struct request *r, const struct roster *roster,
                         const struct file_look *look) {
    if (http_two_person (r->http)
        && strcmp (look->drafter, r->user.name) == 0) {
        access_two_persons (r, "another releaser releases what you handed in");
        return false;
    }
    return post_rights (r, roster, slice_text (r->http->options.delegation),
                        slice_text (file_view_place (look->view)->channel));
}

static void release (struct request *r, const struct file_look *look) {
    char topic[TOPIC_MAX + 1];
    struct error e = { 0 };
    file_topic (topic, file_view_place (look->view));
    if (handles_write (&r->http->handles, release_write, topic, &e)) {
        problem_error (r, &e);
        return;
    }
    publish_act (r, "released", topic);
    if (r->http->options.link)
        link_wake (r->http->options.link);
    http_changed (r->http);
    reply_empty (r, 204);
}

void file_release (struct request *r) {
    struct file_look look;
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (roster && file_find (r, store, roster, &look)) {
        request_release (r);
        if (!look.sent || look.state != SENDING_HELD)
            problem_reply (r, PROBLEM_TOO_LATE, "it is no draft");
        else if (may_release (r, roster, &look))
            release (r, &look);
        file_look_free (&look);
    }
    roster_unref (&roster);
}

/* Withdrawal */

struct withdrawing {
    char topic[TOPIC_MAX + 1];
    struct outbox_draft draft;
    bool known; /* something of it is in the ledger */
    bool sent, said;
    int64_t number;
    bool repeated;
};

static enum err withdraw_write (struct store *writer, void *arg,
                                struct error *e) {
    struct withdrawing *self = arg;
    enum err rc = sendings_stop (writer, self->topic, &self->sent, e);
    self->said = self->known || self->sent;
    if (rc || !self->said)
        return rc;
    return outbox_add_draft (writer, &self->draft, &self->number,
                             &self->repeated, e);
}

static bool withdrawal_make (struct request *r, struct withdrawing *self,
                             const struct file_place *place) {
    struct error e = { 0 };
    struct buf content = { 0 };
    const char *reason = request_query (r, "reason");
    json_t *text = reason && *reason ? json_string (reason) : NULL;
    json_t *json = file_withdrawal_json (place->id, text);
    json_decref (text);
    file_topic (self->topic, place);
    enum err rc = mp_from_json (&content, json, CONTENT_MAX, &e);
    if (!rc)
        rc = outbox_draft_make (&self->draft, NULL, slice_text (self->topic),
                                BODY_MAP, buf_slice (&content), NULL, 0, &e);
    json_decref (json);
    buf_free (&content);
    if (rc)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    return !rc;
}

static void withdraw (struct request *r, const struct file_look *look) {
    struct withdrawing self = { 0 };
    struct error e = { 0 };
    self.known = file_view_manifest (look->view) != NULL;
    if (!withdrawal_make (r, &self, file_view_place (look->view)))
        return;
    enum err rc = handles_write (&r->http->handles, withdraw_write, &self, &e);
    outbox_draft_free (&self.draft);
    if (!rc)
        publish_act (r, "withdrawn", self.topic);
    if (rc || self.said) {
        post_answer (r, rc, self.number, self.repeated, &e);
        return;
    }
    http_changed (r->http);
    reply_empty (r, 204);
}

static bool may_withdraw (struct request *r, const struct roster *roster,
                          const struct file_look *look) {
    const struct file_place *place = file_view_place (look->view);
    char entity[ENTITY_MAX + 1];
    plans_own_entity (r, entity);
    if (strcmp (entity, place->entity) != 0) {
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "the file is %s's: only they withdraw it",
                       place->entity);
        return false;
    }
    return post_rights (r, roster, slice_text (r->http->options.delegation),
                        slice_text (place->channel));
}

void file_delete (struct request *r) {
    struct file_look look;
    int64_t sequence;
    const char *reason = request_query (r, "reason");
    if (reason && strlen (reason) > FILE_TEXT_MAX) {
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "reason",
                            "'reason' has at most %d octets", FILE_TEXT_MAX);
        return;
    }
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (roster && file_find (r, store, roster, &look)) {
        request_release (r);
        if (file_view_state (look.view) == FILE_WITHDRAWN)
            problem_reply (r, PROBLEM_TOO_LATE, "it is withdrawn already");
        else if (may_withdraw (r, roster, &look))
            withdraw (r, &look);
        file_look_free (&look);
    }
    roster_unref (&roster);
}
