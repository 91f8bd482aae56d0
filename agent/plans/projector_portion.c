/* projector_portion - some records, read and not taken in yet: to the model those
 * about plans, to the threads those of threads, and acknowledgements. */
#include "projector_impl.h"

#include "base/log.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define BATCH_OCTETS (1 << 20) /* of their bodies; as JSON many times that */
#define BATCH 256              /* records between two turns of readers */

enum taker { TAKER_NONE, TAKER_PLANS, TAKER_THREADS, TAKER_ACKS };
struct taken {
    enum taker taker;
    union {
        struct model_record plan;
        struct threads_record said;
        struct origin ack;
    };
    struct ack_list acks;
    json_t *document;
    char *topic, *why, *via; /* via: NULL for none */
};
struct portion {
    size_t count, octets;
    struct taken at[BATCH];
};

/* What is derived */

static const struct roster *roster_at (void *arg, int64_t sequence) {
    struct derived *self = arg;
    return projector_roster_at (self->projector, sequence);
}

static const struct taxonomy *taxonomy_at (void *arg, int64_t sequence) {
    const struct derived *self = arg;
    return model_taxonomy_at (self->model, sequence);
}

static json_t *load (void *arg, const struct origin *origin) {
    const struct derived *self = arg;
    return projector_load (self->projector, origin);
}

struct derived *derived_new (struct projector *projector) {
    struct derived *self = mem_alloc (sizeof *self);
    const struct derived *old = projector->derived;
    struct model_options options = {
        .delegation = projector->options.delegation,
        .load = projector_load,
        .roster = projector_roster_at,
        .arg = projector,
        .generation = old ? model_generation (old->model) + 1 : 0,
    };
    struct threads_options threads = {
        .dialogue = projector->options.dialogue,
        .delegation = projector->options.delegation,
        .roster = roster_at,
        .taxonomy = taxonomy_at,
        .load = load,
        .arg = self,
        .generation = old ? threads_generation (old->threads) + 1 : 0,
    };
    self->projector = projector;
    self->model = model_new (&options);
    self->threads = threads_new (&threads);
    self->acks = acks_new();
    return self;
}

void derived_destroy (struct derived **self_p) {
    if (!self_p || !*self_p)
        return;
    struct derived *self = *self_p;
    *self_p = NULL;
    acks_destroy (&self->acks);
    threads_destroy (&self->threads);
    model_destroy (&self->model);
    free (self);
}

void derived_settle (struct derived *self) {
    model_settle (self->model);
    if (self->taxonomy_turns != model_taxonomy_turns (self->model))
        threads_rejudge (self->threads);
    self->taxonomy_turns = model_taxonomy_turns (self->model);
    threads_settle (self->threads);
    acks_settle (self->acks);
}

size_t derived_beyond (const struct derived *self, int64_t mark) {
    return model_beyond (self->model, mark)
           + threads_beyond (self->threads, mark);
}

/* A portion */

struct portion *portion_new (void) {
    return mem_alloc (sizeof (struct portion));
}

size_t portion_count (const struct portion *self) {
    return self->count;
}

bool portion_full (const struct portion *self) {
    return self->count == BATCH || self->octets >= BATCH_OCTETS;
}

static char *text_of (struct slice text) {
    struct buf out = { 0 };
    buf_add_slice (&out, text);
    return buf_take_text (&out);
}

static void said_take (struct taken *self, const struct record_row *row,
                       bool absent) {
    if (row->record.via.present)
        self->via = text_of (row->record.via.submitter);
    self->said = (struct threads_record){
        .topic = slice_text (self->topic),
        .via = slice_text (self->via ? self->via : ""),
        .author_time = row->message.author_time,
        .document = self->document,
        .why = self->why,
        .absent = absent,
    };
    projector_origin (row, &self->said.origin);
}

static void plan_take (struct taken *self, const struct record_row *row,
                       bool absent) {
    self->plan = (struct model_record){ .topic = slice_text (self->topic),
                                        .document = self->document,
                                        .why = self->why,
                                        .absent = absent };
    projector_origin (row, &self->plan.origin);
}

/* What is wrong is passed over: nobody rests anything on it. */
static void ack_take (struct taken *self, const struct record_row *row) {
    struct faults faults = { 0 };
    struct ack_place place;
    char entity[ENTITY_MAX + 1];
    bool newer = false;
    projector_origin (row, &self->ack);
    bool fine =
        self->document
        && ack_place_read (row->message.topic,
                           origin_entity (entity, &self->ack), &place, &faults)
        && acks_read (self->document, &self->acks, &faults, &newer);
    if (!fine && !newer)
        log_limited (LOG_WARN, "ACK-PASSED", self->ack.author,
                     "sequence=%" PRId64 " author=%s why=%s",
                     self->ack.sequence, log_text (self->ack.author),
                     log_text (self->why          ? self->why
                               : faults.count > 0 ? faults.at[0].text
                                                  : ""));
    faults_clear (&faults);
}

static enum taker taker_of (struct slice topic) {
    if (thread_topic_kind (topic) != THREAD_KINDS)
        return TAKER_THREADS;
    if (content_kind (topic) != CONTENT_NONE)
        return TAKER_PLANS;
    return ack_topic (topic) ? TAKER_ACKS : TAKER_NONE;
}

void portion_take (struct portion *self, const struct record_row *row) {
    struct error e;
    const char *why;
    bool absent;
    enum taker taker = taker_of (row->message.topic);
    if (taker == TAKER_NONE)
        return;
    struct taken *taken = &self->at[self->count++];
    *taken = (struct taken){ .taker = taker };
    taken->document = projector_body (row, &why, &absent, &e);
    taken->topic = text_of (row->message.topic);
    taken->why = taken->document ? NULL : mem_copy_text (why);
    if (taker == TAKER_THREADS)
        said_take (taken, row, absent);
    else if (taker == TAKER_PLANS)
        plan_take (taken, row, absent);
    else
        ack_take (taken, row);
    self->octets += row->body.size;
}

int64_t portion_sequence (const struct portion *self, size_t n) {
    const struct taken *taken = &self->at[n];
    return taken->taker == TAKER_THREADS ? taken->said.origin.sequence
           : taken->taker == TAKER_PLANS ? taken->plan.origin.sequence
                                         : taken->ack.sequence;
}

void portion_add (const struct portion *self, size_t n,
                  struct derived *derived) {
    const struct taken *taken = &self->at[n];
    if (taken->taker == TAKER_THREADS)
        threads_add (derived->threads, &taken->said);
    else if (taken->taker == TAKER_PLANS)
        model_add (derived->model, &taken->plan);
    else
        acks_add (derived->acks, &taken->ack, &taken->acks);
}

void portion_clear (struct portion *self) {
    for (size_t i = 0; i < self->count; i++) {
        json_decref (self->at[i].document);
        free (self->at[i].topic);
        free (self->at[i].why);
        free (self->at[i].via);
        ack_list_free (&self->at[i].acks);
    }
    self->count = self->octets = 0;
}

void portion_destroy (struct portion **self_p) {
    portion_clear (*self_p);
    free (*self_p);
    *self_p = NULL;
}
