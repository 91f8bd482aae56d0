/* projector_acks - says of others' messages that they were verified, or seen, if
 * the body's policy lets its agent say so (THREADS.md section 10): of plans,
 * annexes, what is said in threads, and files of which every part is held. Only
 * of what is settled; never of an acknowledgement.
 *
 * Once: a channel's next message is written when the one before has come back
 * into the set, and the store knows which one that was by the transaction that put
 * it into the outbox. What is in the set is not said again. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "store/attached.h"
#include "store/outbox.h"
#include "store/read_marks.h"
#include "threads/files.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MS 1000  /* between two looks */
#define AGAIN_MS 2000  /* where something could not be said yet */
#define CALM_MS 30000  /* where nothing waits */
#define APART_MS 10000 /* messages of one channel */
#define REFUSED_MS                                                             \
    3600000 /* before one that was refused is tried in other words */

struct due {
    struct hash id;
    int64_t sequence;
    char *topic;
    bool file; /* a manifest: once its parts are there */
};
struct acking {
    struct due *at;
    size_t count, room;
    int64_t files_position; /* manifests up to there are in the list */
    int64_t next_ms;        /* monotonic */
};

struct acking *acking_new (void) {
    return mem_alloc (sizeof (struct acking));
}

static void clear (struct acking *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->at[i].topic);
    self->count = 0;
    self->files_position = 0;
}

void acking_destroy (struct acking **self_p) {
    if (!self_p || !*self_p)
        return;
    clear (*self_p);
    free ((*self_p)->at);
    free (*self_p);
    *self_p = NULL;
}

void acking_forget (struct projector *self) {
    if (self->acking)
        clear (self->acking);
}

/* Taking in */

static void due_add (struct projector *self, const struct record_row *row,
                     bool file) {
    struct acking *acking = self->acking;
    struct buf topic = { 0 };
    if (!row->readable || row->body_state != BODY_PRESENT
        || slice_is (row->message.author, self->options.delegation))
        return;
    if (acking->count == acking->room) {
        acking->room = acking->room ? 2 * acking->room : 64;
        acking->at = mem_resize (acking->at, acking->room * sizeof *acking->at);
    }
    buf_add_slice (&topic, row->message.topic);
    acking->at[acking->count++] = (struct due){
        .id = row->message.id,
        .sequence = row->record.sequence,
        .topic = buf_take_text (&topic),
        .file = file,
    };
}

void acking_take (struct projector *self, const struct record_row *row) {
    struct slice topic = row->message.topic;
    enum content_kind kind = content_kind (topic);
    if (self->acking
        && (kind == CONTENT_PLAN || kind == CONTENT_ANNEX
            || thread_topic_kind (topic) != THREAD_KINDS))
        due_add (self, row, false);
}

/* Manifests are in an index of their own. */
static void manifests_take (struct projector *self, int64_t upto) {
    struct error e;
    int64_t *found;
    size_t count;
    if (attached_since (self->store, self->acking->files_position, upto, &found,
                        &count, &e)) {
        log_limited (LOG_WARN, "ACKS", "files", "why=%s", log_text (e.text));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct record_row row;
        struct records_cursor *cursor =
            records_by_sequence (self->store, found[i], &row, &e);
        if (cursor && projector_may_read (self, &row))
            due_add (self, &row, true);
        records_close (&cursor);
    }
    self->acking->files_position = upto;
    free (found);
}

/* What may be said */

static bool parts_held (struct projector *self,
                        const struct file_manifest *manifest,
                        const struct due *due, const char *entity) {
    for (size_t i = 0; i < manifest->part_count; i++)
        if (!attached_part (self->store, due->topic, entity,
                            &manifest->parts[i].sha256, manifest->parts[i].size,
                            NULL))
            return false;
    return true;
}

/* *never: it is no manifest, or is gone. */
static bool file_held (struct projector *self, const struct due *due,
                       bool *never) {
    struct error e;
    struct record_row row;
    struct file_place place;
    struct faults faults = { 0 };
    const char *why;
    bool absent, newer = false, out = false;
    struct records_cursor *cursor =
        records_by_sequence (self->store, due->sequence, &row, &e);
    json_t *body = cursor ? projector_body (&row, &why, &absent, &e) : NULL;
    struct file_manifest *manifest =
        body && file_place_read (slice_text (due->topic), NULL, &place, &faults)
            ? file_manifest_read (&place, body, &faults, &newer)
            : NULL;
    *never = !manifest;
    if (manifest)
        out = manifest->withdraw
              || parts_held (self, manifest, due, place.entity);
    file_manifest_free (&manifest);
    faults_clear (&faults);
    json_decref (body);
    records_close (&cursor);
    return out;
}

/* Messages of one channel that are due now. */
struct bundle {
    char channel[CHANNEL_MAX + 1];
    size_t count;
    struct ack at[ACKS_MAX];
};
struct bundles {
    size_t count;
    struct bundle **at;
};

static struct bundle *bundle_of (struct bundles *self, const char *topic) {
    size_t size = strcspn (topic, "/");
    for (size_t i = 0; i < self->count; i++)
        if (strncmp (self->at[i]->channel, topic, size) == 0
            && self->at[i]->channel[size] == '\0')
            return self->at[i];
    self->at = mem_resize (self->at, (self->count + 1) * sizeof *self->at);
    struct bundle *out = self->at[self->count++] = mem_alloc (sizeof *out);
    snprintf (out->channel, sizeof out->channel, "%.*s", (int) size, topic);
    return out;
}

static void bundles_free (struct bundles *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->at[i]);
    free (self->at);
}

/* What has all been said, or can't be, leaves the list. */
static struct bundles bundles_find (struct projector *self, int64_t size,
                                    const struct read_marks *marks) {
    struct bundles out = { 0 };
    struct acking *acking = self->acking;
    size_t kept = 0;
    for (size_t i = 0; i < acking->count; i++) {
        struct due *due = &acking->at[i];
        struct bundle *bundle = bundle_of (&out, due->topic);
        enum ack_state said = acks_by (self->acks, &due->id, bundle->channel,
                                       self->options.delegation);
        bool never = false, settled = due->sequence < size;
        bool seen = self->options.acknowledge == ACK_SEEN
                    && read_marks_of (marks, due->topic) >= due->sequence;
        enum ack_state want = seen ? ACK_SEEN : ACK_VERIFIED;
        if (said < want && settled && bundle->count < ACKS_MAX
            && (!due->file || file_held (self, due, &never)))
            bundle->at[bundle->count++] = (struct ack){ due->id, want };
        if (never || said >= self->options.acknowledge)
            free (due->topic);
        else
            acking->at[kept++] = *due;
    }
    acking->count = kept;
    return out;
}

/* Saying it */

struct last { /* what was said last on a channel, in the outbox */
    enum outbox_state state;
    int64_t created_ms, sequence;
};

static enum err last_take (void *arg, const struct outbox_message *message,
                           struct error *e) {
    struct last *out = arg;
    (void) e;
    *out =
        (struct last){ message->state, message->created_ms, message->sequence };
    return ERR_NONE;
}

#define META_KEY_MAX (CHANNEL_MAX + 8)
static char *meta_key (char out[META_KEY_MAX], const char *channel) {
    snprintf (out, META_KEY_MAX, "acks/%s", channel);
    return out;
}

/* Is the record derived? */
static bool is_taken (struct projector *self, int64_t sequence) {
    struct error e;
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (self->store, sequence, &row, &e);
    pthread_mutex_lock (&self->mutex);
    bool out = cursor && row.position <= self->position;
    pthread_mutex_unlock (&self->mutex);
    records_close (&cursor);
    return out;
}

static bool channel_free (struct projector *self, const char *channel) {
    char key[META_KEY_MAX];
    struct last last;
    struct error e;
    char *number = store_meta (self->writer, meta_key (key, channel));
    bool none = !number
                || outbox_get (self->writer, strtoll (number, NULL, 10),
                               last_take, &last, &e)
                       == ERR_NOT_FOUND;
    free (number);
    if (none)
        return true;
    int64_t age = clock_wall_ms() - last.created_ms;
    if (last.state <= OUTBOX_SENT || (age >= 0 && age < APART_MS))
        return false;
    /* A clock that was put back is no reason to wait. */
    return age < 0 || age >= REFUSED_MS
           || (last.state <= OUTBOX_DONE && is_taken (self, last.sequence));
}

static enum err put (struct projector *self, const struct bundle *bundle,
                     struct slice content, struct error *e) {
    char key[META_KEY_MAX], topic[TOPIC_MAX + 1], entity[ENTITY_MAX + 1],
        text[24];
    struct origin us = { 0 };
    int64_t number;
    bool repeated;
    snprintf (us.author, sizeof us.author, "%s", self->options.delegation);
    snprintf (topic, sizeof topic, "%s/ack/%s", bundle->channel,
              origin_entity (entity, &us));
    enum err rc = store_group_begin (self->writer, e);
    if (rc)
        return rc;
    rc = outbox_add (self->writer, NULL, slice_text (topic), BODY_MAP, content,
                     NULL, 0, &number, &repeated, e);
    snprintf (text, sizeof text, "%" PRId64, rc ? 0 : number);
    if (!rc)
        rc = store_set_meta (self->writer, meta_key (key, bundle->channel),
                             text, e);
    if (!rc)
        return store_group_end (self->writer, e);
    store_group_drop (self->writer);
    return rc;
}

static enum err bundle_put (struct projector *self, const struct bundle *bundle,
                            struct error *e) {
    struct buf content = { 0 };
    json_t *body = acks_write (bundle->at, bundle->count);
    enum err rc = mp_from_json (&content, body, CONTENT_MAX, e);
    if (!rc)
        rc = put (self, bundle, buf_slice (&content), e);
    json_decref (body);
    buf_free (&content);
    return rc;
}

/* *waits: something is left for later. */
static bool bundles_put (struct projector *self, const struct bundles *bundles,
                         bool *waits) {
    bool said = false;
    struct error e = { 0 };
    for (size_t i = 0; i < bundles->count; i++) {
        const struct bundle *bundle = bundles->at[i];
        if (bundle->count == 0 || !projector_may_write (self, bundle->channel))
            continue;
        *waits = true;
        enum err rc = projector_writer (self, &e);
        if (!rc && !channel_free (self, bundle->channel))
            continue;
        if (!rc)
            rc = bundle_put (self, bundle, &e);
        if (rc) {
            log_limited (LOG_WARN, "ACKS", bundle->channel, "channel=%s why=%s",
                         log_text (bundle->channel), log_text (e.text));
            return said;
        }
        log_info ("ACKS-SAID", "channel=%s messages=%zu",
                  log_text (bundle->channel), bundle->count);
        said = true;
    }
    return said;
}

static bool marks_load (struct projector *self, struct read_marks *out) {
    struct error e;
    *out = (struct read_marks){ 0 };
    if (self->options.acknowledge != ACK_SEEN
        || !read_marks_highest (self->store, out, &e))
        return true;
    log_limited (LOG_WARN, "ACKS", "marks", "why=%s", log_text (e.text));
    return false;
}

int64_t acking_turn (struct projector *self) {
    struct acking *acking = self->acking;
    struct read_marks marks;
    bool waits = false;
    if (!acking || !self->present)
        return CALM_MS;
    int64_t now = clock_mono_ms();
    if (now < acking->next_ms)
        return acking->next_ms - now;
    acking->next_ms = now + PAUSE_MS;
    pthread_mutex_lock (&self->mutex);
    int64_t upto = self->position;
    pthread_mutex_unlock (&self->mutex);
    if (upto > acking->files_position)
        manifests_take (self, upto);
    if (acking->count == 0 || !marks_load (self, &marks))
        return CALM_MS;
    struct bundles bundles =
        bundles_find (self, projector_settled_size (self), &marks);
    if (bundles_put (self, &bundles, &waits) && self->options.link)
        link_wake (self->options.link);
    bundles_free (&bundles);
    read_marks_free (&marks);
    return waits ? AGAIN_MS : CALM_MS;
}
