/* res_contributions - POST /contributions: what another delegation wrote and
 * signed, handed in by this one (PROTOCOL.md section 6.4). */
#include "api/http_impl.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "api/thread_post.h"
#include "base/clock.h"
#include "store/outbox.h"

#include <stdio.h>
#include <stdlib.h>

static bool refuse_author (struct request *r, enum rule rule,
                           const struct batch *batch) {
    struct refusal why;
    refusal_set (&why, rule);
    refusal_slice (&why, "author", batch->author);
    if (rule != RULE_VIA_NOT_WANTED && rule != RULE_REVOKED)
        refusal_hex (&why, "key", batch->key_id.octets, KEY_ID_SIZE);
    problem_refusal (r, &why);
    return false;
}

static bool form_check (struct request *r, struct batch *batch) {
    struct slice head, headers, bodies;
    struct refusal why;
    struct error e;
    if (contribution_read (buf_slice (&r->body), &head, &headers, &bodies,
                           &e)) {
        refusal_malformed (&why, "contribution", &e);
        problem_refusal (r, &why);
        return false;
    }
    if (batch_read (head, headers, bodies, r->http->options.dialogue, batch,
                    &why)) {
        problem_refusal (r, &why);
        return false;
    }
    /* The others could be recorded, but whoever hands it in should know. */
    for (size_t i = 0; i < batch->size; i++)
        if (batch->items[i].refusal) {
            problem_refusal (r, batch->items[i].refusal);
            return false;
        }
    return true;
}

static bool author_check (struct request *r, const struct roster *roster,
                          const struct batch *batch) {
    const uint8_t *key;
    if (batch->via.present
        || slice_is (batch->author, r->http->options.delegation))
        return refuse_author (r, RULE_VIA_NOT_WANTED, batch);
    switch (rights_sign_key (roster, batch->author, batch->key_id,
                             clock_wall_ms(), &key)) {
    case KEY_FINE:
        break;
    case KEY_UNKNOWN:
        return refuse_author (r, RULE_UNKNOWN_KEY, batch);
    case KEY_EXPIRED:
        return refuse_author (r, RULE_EXPIRED_KEY, batch);
    case KEY_REVOKED:
        return refuse_author (r, RULE_REVOKED, batch);
    }
    if (!batch_signed (batch, r->http->options.dialogue, key))
        return refuse_author (r, RULE_BAD_SIGNATURE, batch);
    return post_rights (r, roster, batch->author, batch->channel);
}

/* What it says in threads, as all will judge it. */
static bool threads_check (struct request *r, const struct batch *batch) {
    struct error e;
    for (size_t i = 0; i < batch->size; i++) {
        const struct batch_item *item = &batch->items[i];
        char topic[TOPIC_MAX + 1];
        struct thread_posting posting = { .topic = topic,
                                          .author = batch->author,
                                          .format = item->message.body_format,
                                          .handed_in = true };
        snprintf (topic, sizeof topic, "%.*s", (int) item->message.topic.size,
                  (const char *) item->message.topic.data);
        if (message_content (&item->message, item->body, &posting.content, &e))
            continue; /* said by form_check where it matters */
        if (!thread_post_check (r, &posting))
            return false;
    }
    return true;
}

/* What is kept of it, when it was verified. */
struct handing {
    const char *key;
    struct slice octets;
    char topic[TOPIC_MAX + 1];
    struct hash id;
    const struct user *user;
    int64_t number;
    bool repeated;
};

static bool handing_read (struct request *r, const struct roster *roster,
                          struct handing *out) {
    struct batch *batch = mem_alloc (sizeof *batch);
    bool fine = form_check (r, batch) && author_check (r, roster, batch)
                && threads_check (r, batch);
    if (fine) {
        const struct message *first = &batch->items[0].message;
        snprintf (out->topic, sizeof out->topic, "%.*s",
                  (int) first->topic.size, (const char *) first->topic.data);
        out->id = first->id;
    }
    batch_clear (batch);
    free (batch);
    return fine;
}

static enum err add (struct store *writer, void *arg, struct error *e) {
    struct handing *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = outbox_add_contribution (writer, self->key, self->octets, self->topic,
                                  &self->id, &self->number, &self->repeated, e);
    if (!rc && !self->repeated)
        rc = publish_note (writer, self->user, "handed-in", self->topic, 0,
                           self->number, e);
    return store_end (writer, rc, e);
}

void contributions_post (struct request *r) {
    struct handing handing = { .octets = buf_slice (&r->body),
                               .user = &r->user };
    struct error e = { 0 };
    int64_t sequence;
    if (!post_key (r, &handing.key))
        return;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    request_release (r);
    if (!roster)
        return;
    post_heavy_begin();
    bool fine = handing_read (r, roster, &handing);
    post_heavy_end();
    roster_unref (&roster);
    if (!fine)
        return;
    enum err rc = handles_write (&r->http->handles, add, &handing, &e);
    post_answer (r, rc, handing.number, handing.repeated, &e);
}
