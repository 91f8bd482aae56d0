/* res_contributions - POST /contributions: what another delegation wrote and
 * signed, handed in by this one (PROTOCOL.md section 6.4). */
#include "api/http_impl.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/resources.h"
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

static void hand_in (struct request *r, struct store *store,
                     const struct batch *batch, const char *key) {
    const struct message *first = &batch->items[0].message;
    struct error e = { 0 };
    char topic[TOPIC_MAX + 1];
    int64_t number = 0;
    bool repeated = false;
    snprintf (topic, sizeof topic, "%.*s", (int) first->topic.size,
              (const char *) first->topic.data);
    enum err rc =
        outbox_add_contribution (store, key, buf_slice (&r->body), topic,
                                 &first->id, &number, &repeated, &e);
    post_answer (r, store, rc, number, repeated, &e);
}

void contributions_post (struct request *r) {
    const char *key;
    int64_t sequence;
    if (!post_key (r, &key))
        return;
    struct store *store = request_writer (r);
    struct roster *roster = request_roster (r, store, &sequence);
    if (!roster)
        return;
    struct batch *batch = mem_alloc (sizeof *batch);
    if (form_check (r, batch) && author_check (r, roster, batch))
        hand_in (r, store, batch, key);
    batch_clear (batch);
    free (batch);
    roster_unref (&roster);
}
