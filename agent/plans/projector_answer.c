/* projector_answer - a withdrawal asks every reader's agent to hide the plan;
 * when it is settled this one says that it did (CONTENTS.md section 3). Once: the
 * outbox knows the answer by its key, and the ledger by its record. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/rights.h"
#include "link/link.h"
#include "store/checkpoints.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t projector_settled_size (struct projector *self) {
    struct error e;
    struct checkpoint_row row;
    if (!self->options.link)
        return checkpoints_newest (self->store, &row, NULL, &e)
                   ? -1
                   : (int64_t) row.checkpoint.size;
    struct link_status *status = mem_alloc (sizeof *status);
    link_status (self->options.link, status);
    int64_t size = status->ledger.settled;
    free (status);
    return size;
}

struct answer {
    struct origin withdrawal;
    char plan[PLAN_ID_MAX + 1], entity[ENTITY_MAX + 1];
};
struct answers {
    size_t count;
    struct answer *at;
};

static bool answered (const struct subject *subject, const char *delegation) {
    for (size_t i = 0; i < subject->hidden_count; i++)
        if (strcmp (subject->hidden[i].entry->origin.author, delegation) == 0)
            return true;
    return false;
}

/* What has to be answered: copies, since the model is let go of. */
static struct answers answers_due (struct projector *self, int64_t size) {
    struct answers out = { 0 };
    pthread_rwlock_rdlock (&self->lock);
    for (size_t i = 0; i < model_subject_count (self->model); i++) {
        const struct subject *subject = model_subject (self->model, i);
        const struct history_entry *entry = subject->withdrawal;
        if (!entry || entry->origin.sequence >= size
            || strcmp (entry->origin.author, self->options.delegation) == 0
            || answered (subject, self->options.delegation))
            continue;
        out.at = mem_resize (out.at, (out.count + 1) * sizeof *out.at);
        struct answer *answer = &out.at[out.count++];
        answer->withdrawal = entry->origin;
        memcpy (answer->plan, subject->plan_id, sizeof answer->plan);
        memcpy (answer->entity, subject->entity, sizeof answer->entity);
    }
    pthread_rwlock_unlock (&self->lock);
    return out;
}

/* Where to say it: the withdrawal's channel, or the ad-hoc one of both bodies.
 * false: nowhere. */
static bool channel_find (const struct projector *self,
                          const struct answer *answer,
                          char out[CHANNEL_MAX + 1]) {
    struct slice own = slice_text (self->options.delegation);
    char entity[ENTITY_MAX + 1];
    struct origin us = { 0 };
    snprintf (us.author, sizeof us.author, "%s", self->options.delegation);
    origin_entity (entity, &us);
    snprintf (out, CHANNEL_MAX + 1, "%s", answer->withdrawal.channel);
    if (rights_ask (self->present, own, slice_text (out), RIGHT_WRITE,
                    clock_wall_ms())
        == VERDICT_YES)
        return true;
    int order = strcmp (entity, answer->entity);
    if (order == 0)
        snprintf (out, CHANNEL_MAX + 1, "@%s", entity);
    else
        snprintf (out, CHANNEL_MAX + 1, "@%s+%s",
                  order < 0 ? entity : answer->entity,
                  order < 0 ? answer->entity : entity);
    return rights_ask (self->present, own, slice_text (out), RIGHT_WRITE,
                       clock_wall_ms())
           == VERDICT_YES;
}

static enum err answer_put (struct projector *self, const char *channel,
                            const struct answer *answer, bool *repeated,
                            struct error *e) {
    char id[HASH_TEXT_MAX], key[HASH_TEXT_MAX + 16];
    char topic[TOPIC_MAX + 1];
    int64_t number;
    struct buf content = { 0 };
    hash_text (id, &answer->withdrawal.id);
    snprintf (key, sizeof key, "plans/hidden/%s", id);
    snprintf (topic, sizeof topic, "%s/hidden/%s/%s", channel, answer->entity,
              answer->plan);
    json_t *body = json_pack ("{si ss ss}", "format", 1, "hidden", answer->plan,
                              "withdrawal", id);
    enum err rc = mp_from_json (&content, body, CONTENT_MAX, e);
    if (!rc)
        rc = outbox_add (self->writer, key, slice_text (topic), BODY_MAP,
                         buf_slice (&content), NULL, 0, &number, repeated, e);
    json_decref (body);
    buf_free (&content);
    /* It was said on another channel before: once is enough. */
    *repeated |= rc == ERR_EXISTS;
    return rc == ERR_EXISTS ? ERR_NONE : rc;
}

static bool answer_all (struct projector *self, const struct answers *answers) {
    bool said = false;
    struct error e;
    for (size_t i = 0; i < answers->count; i++) {
        char channel[CHANNEL_MAX + 1];
        bool repeated = false;
        if (!channel_find (self, &answers->at[i], channel))
            continue;
        enum err rc = projector_writer (self, &e);
        if (!rc)
            rc = answer_put (self, channel, &answers->at[i], &repeated, &e);
        if (rc) {
            log_limited (LOG_WARN, "PLANS-ANSWER", "", "plan=%s why=%s",
                         answers->at[i].plan, log_text (e.text));
            return said;
        }
        said |= !repeated;
    }
    return said;
}

void projector_answer (struct projector *self) {
    int64_t size = projector_settled_size (self);
    pthread_rwlock_rdlock (&self->lock);
    int64_t generation = model_generation (self->model);
    pthread_rwlock_unlock (&self->lock);
    if (!self->present
        || (generation == self->answered_generation
            && size == self->answered_settled))
        return;
    struct answers answers = answers_due (self, size);
    if (answer_all (self, &answers) && self->options.link)
        link_wake (self->options.link);
    free (answers.at);
    self->answered_generation = generation;
    self->answered_settled = size;
}
