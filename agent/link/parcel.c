/* parcel - picking, header by header, then one signature. */
#include "parcel.h"

#include "base/topic.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A message that was picked; offsets, since the octets still grow. */
struct picked {
    int64_t number;
    size_t header, header_size, body, body_size;
};

struct packing {
    struct core *core;
    struct parcel *parcel;
    bool again;
    size_t room;
    char channel[CHANNEL_MAX + 1];
    size_t octets; /* of headers and bodies */
    struct buf store;
    struct picked picked[BATCH_MAX];
};

void parcel_free (struct parcel **self_p) {
    if (!self_p || !*self_p)
        return;
    struct parcel *self = *self_p;
    *self_p = NULL;
    buf_free (&self->head);
    buf_free (&self->headers);
    buf_free (&self->bodies);
    free (self);
}

/* Headers */

/* Signed before, by a key that we still have: the same octets go again. */
static bool can_repeat (const struct packing *self,
                        const struct outbox_message *message) {
    struct message form;
    struct key_id key = identity_key_id (self->core->identity, LABEL_BATCH);
    return self->again && message->header.size > 0
           && message_read (message->header, &form, NULL) == ERR_NONE
           && key_id_equal (form.key_id, key);
}

static enum err header_make (const struct packing *self,
                             const struct outbox_message *message,
                             struct buf *header, struct error *e) {
    if (can_repeat (self, message)) {
        buf_add_slice (header, message->header);
        return ERR_NONE;
    }
    const struct core *core = self->core;
    struct message_draft draft = {
        .dialogue = &core->dialogue,
        .author = core->delegation,
        .key_id = identity_key_id (core->identity, LABEL_BATCH),
        .roster_version = roster_version (rosters_newest (core->rosters)),
        .lane = message->lane,
        .number = message->lane_number,
        /* When its author gave it, so that the same roster gives the same
         * header, and id. */
        .author_time = message->created_ms,
        .topic = slice_text (message->topic),
        .references = message->references,
        .reference_count = message->reference_count,
        .body_format = message->format,
    };
    return message_write_header (&draft, message->body, header, e);
}

/* Picking */

static enum err cant_sign (struct packing *self,
                           const struct outbox_message *message,
                           const struct error *why, struct error *e) {
    char text[ERROR_TEXT_MAX + 64];
    snprintf (text, sizeof text,
              "message %" PRId64 " of the outbox can't be signed: %s",
              message->number, why->text);
    return core_notice (self->core, "NOT-SIGNED", false, text,
                        (struct slice){ 0 }, e);
}

static void pick (struct packing *self, const struct outbox_message *message,
                  struct slice header) {
    struct parcel *parcel = self->parcel;
    struct picked *p = &self->picked[parcel->count];
    *p = (struct picked){ .number = message->number,
                          .header = self->store.size,
                          .header_size = header.size,
                          .body_size = message->body.size };
    buf_add_slice (&self->store, header);
    p->body = self->store.size;
    buf_add_slice (&self->store, message->body);
    parcel->ids[parcel->count++] = hash_leaf (header);
    self->octets += header.size + message->body.size;
}

/* ERR_STATE ends the list. */
static enum err pick_own (struct packing *self,
                          const struct outbox_message *message,
                          struct error *e) {
    struct buf header = { 0 };
    struct error why = { 0 };
    enum err rc = ERR_NONE;
    if (header_make (self, message, &header, &why))
        rc = cant_sign (self, message, &why, e);
    else if (self->octets + header.size + message->body.size > BATCH_OCTETS_MAX)
        rc = ERR_STATE;
    else
        pick (self, message, buf_slice (&header));
    buf_free (&header);
    if (!rc)
        self->parcel->last = message->number;
    return rc;
}

static enum err pick_contribution (struct packing *self,
                                   const struct outbox_message *message) {
    self->parcel->contribution = true;
    self->picked[0].number = message->number;
    buf_add_slice (&self->store, message->contribution);
    self->parcel->last = message->number;
    return ERR_STATE; /* it goes alone */
}

static enum err look (void *arg, const struct outbox_message *message,
                      struct error *e) {
    struct packing *self = arg;
    struct parcel *parcel = self->parcel;
    struct slice channel = topic_channel (slice_text (message->topic));
    bool contribution = message->contribution.size > 0;
    if (parcel->count == 0 && contribution)
        return pick_contribution (self, message);
    if (parcel->count == 0)
        snprintf (self->channel, sizeof self->channel, "%.*s",
                  (int) channel.size, (const char *) channel.data);
    /* What waits may be passed over: its turn comes. What goes again is walked
     * through once, in order. */
    if (contribution || !slice_is (channel, self->channel))
        return self->again ? ERR_STATE : ERR_NONE;
    enum err rc = pick_own (self, message, e);
    return !rc && parcel->count == self->room ? ERR_STATE : rc;
}

/* Packing */

static struct slice stored (const struct packing *self, size_t at,
                            size_t size) {
    return slice_of (self->store.data + at, size);
}

static enum err forms_commit (const struct packing *self,
                              const struct outbox_form *forms, size_t count,
                              struct error *e) {
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = outbox_sending (self->core->store, forms, count, e);
    return rc ? rc : core_commit (self->core, e);
}

static enum err forms_keep (const struct packing *self, struct error *e) {
    struct parcel *parcel = self->parcel;
    struct outbox_form *forms = mem_alloc (parcel->count * sizeof *forms);
    for (size_t i = 0; i < parcel->count; i++) {
        const struct picked *p = &self->picked[i];
        forms[i] =
            (struct outbox_form){ p->number, parcel->ids[i],
                                  stored (self, p->header, p->header_size) };
    }
    enum err rc = forms_commit (self, forms, parcel->count, e);
    free (forms);
    return rc;
}

static enum err pack_own (const struct packing *self, struct error *e) {
    struct parcel *parcel = self->parcel;
    struct batch_part *parts = mem_alloc (parcel->count * sizeof *parts);
    for (size_t i = 0; i < parcel->count; i++) {
        const struct picked *p = &self->picked[i];
        parts[i].header = stored (self, p->header, p->header_size);
        parts[i].body = stored (self, p->body, p->body_size);
    }
    enum err rc =
        batch_write (self->core->identity, &self->core->dialogue,
                     slice_text (self->channel), parts, parcel->count,
                     &parcel->head, &parcel->headers, &parcel->bodies, e);
    free (parts);
    return rc;
}

/* `via` where another delegation wrote it. */
static void head_add (const struct packing *self, const struct batch *batch,
                      struct slice head) {
    const struct core *core = self->core;
    if (slice_is (batch->author, core->delegation))
        buf_add_slice (&self->parcel->head, head);
    else
        batch_write_via (batch, core->identity, &core->dialogue,
                         &self->parcel->head);
}

static enum err pack_contribution (struct packing *self, struct error *e) {
    struct parcel *parcel = self->parcel;
    struct slice head, headers, bodies;
    enum err rc = contribution_read (buf_slice (&self->store), &head, &headers,
                                     &bodies, e);
    if (rc) /* it was verified when it was taken in */
        return error_set (e, ERR_DAMAGED, "contribution in the outbox: %s",
                          e->text);
    struct batch *batch = mem_alloc (sizeof *batch);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    if (batch_read (head, headers, bodies, &self->core->dialogue, batch, &why))
        rc = error_set (e, ERR_DAMAGED, "contribution in the outbox: %s",
                        refusal_print (&why, text));
    if (!rc) {
        parcel->count = batch->size;
        for (size_t i = 0; i < batch->size; i++)
            parcel->ids[i] = batch->items[i].message.id;
        head_add (self, batch, head);
        buf_add_slice (&parcel->headers, headers);
        buf_add_slice (&parcel->bodies, bodies);
        struct outbox_form form = { .number = self->picked[0].number,
                                    .id = parcel->ids[0] };
        rc = forms_commit (self, &form, 1, e);
    }
    batch_clear (batch);
    free (batch);
    return rc;
}

enum err parcel_take (struct core *core, bool again, int64_t after, size_t room,
                      struct parcel **out, struct error *e) {
    struct packing *self = mem_alloc (sizeof *self);
    self->core = core;
    self->again = again;
    self->room = room < BATCH_MAX ? room : BATCH_MAX;
    self->parcel = *out = mem_alloc (sizeof **out);
    enum err rc =
        outbox_list (core->store, again ? OUTBOX_SENT : OUTBOX_WAITING, after,
                     PARCEL_LOOK, look, self, e);
    if (!rc && (*out)->contribution)
        rc = pack_contribution (self, e);
    else if (!rc && (*out)->count > 0) {
        rc = forms_keep (self, e);
        if (!rc)
            rc = pack_own (self, e);
    }
    buf_free (&self->store);
    free (self);
    if (rc)
        parcel_free (out);
    return rc;
}
