/* scrub - damage is found while the desk and others still have the record. */
#include "scrub.h"

#include "base/log.h"
#include "base/topic.h"
#include "store/records.h"
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS_A_TICK 16
#define OCTETS_A_TICK 262144 /* it ends behind the block that is above */
#define REST_MS 3600000

struct scrub {
    struct core *core; /* borrowed */
    char entity[ENTITY_MAX + 1];
    int64_t row; /* the last block that was read */
    int64_t due; /* monotonic: the next round */
    int64_t call;
    struct records_place place; /* what was asked for */
};

struct scrub *scrub_new (struct core *core) {
    struct scrub *self = mem_alloc (sizeof *self);
    struct slice entity = delegation_entity (slice_text (core->delegation));
    self->core = core;
    snprintf (self->entity, sizeof self->entity, "%.*s", (int) entity.size,
              (const char *) entity.data);
    return self;
}

void scrub_destroy (struct scrub **self_p) {
    free (*self_p);
    *self_p = NULL;
}

void scrub_end (struct scrub *self) {
    self->call = 0;
}

/* Damage. */

static enum err damage_say (struct scrub *self, const char *kind,
                            const char *what, struct error *e) {
    char text[ERROR_TEXT_MAX + 256];
    int64_t first = self->place.first;
    snprintf (text, sizeof text,
              "records %" PRId64 " to %" PRId64 " of %s in this store: %s",
              first, first + self->place.count - 1, self->place.stream, what);
    return core_notice (self->core, kind, false, text, (struct slice){ 0 }, e);
}

static enum err block_ask (struct scrub *self, struct error *e) {
    const struct records_place *place = &self->place;
    if (place->last_number < place->count)
        return ERR_NONE; /* nobody knows its numbers: a restored copy has it */
    struct wire_fetch fetch = { .stream = slice_text (place->stream),
                                .first = place->last_number - place->count + 1,
                                .last = place->last_number,
                                .octets = 1 };
    struct buf frame = { 0 };
    wire_fetch_write (&frame, &fetch);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc =
        calls_send (self->core->calls, WIRE_FETCH, frames, 1, &self->call, e);
    buf_free (&frame);
    return rc == ERR_FULL ? ERR_NONE : rc; /* in the next round, then */
}

enum err scrub_tick (struct scrub *self, int64_t now, struct error *e) {
    size_t octets = 0;
    if (self->call || now < self->due)
        return ERR_NONE;
    for (int i = 0; i < BLOCKS_A_TICK && octets < OCTETS_A_TICK; i++) {
        enum err rc = records_scrub (self->core->store, self->entity,
                                     &self->row, &self->place, e);
        octets += self->place.octets;
        if (rc == ERR_NOT_FOUND) {
            self->row = 0;
            self->due = now + REST_MS;
            return ERR_NONE;
        }
        if (rc == ERR_DAMAGED && self->place.row > 0) {
            struct error why = *e;
            rc = damage_say (self, "STORE-DAMAGED", why.text, e);
            return rc ? rc : block_ask (self, e);
        }
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

/* Again. */

static enum err block_keep (struct scrub *self, const struct block *block,
                            struct error *e) {
    struct store *store = self->core->store;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = store_begin (store, e);
    if (rc)
        return rc;
    rc = records_mend (store, &self->place, block, e);
    if (rc)
        store_rollback (store);
    else
        rc = store_commit (store, e);
    return rc ? rc : damage_say (self, "STORE-MENDED", "fetched again", e);
}

/* As any block that comes, and with the leaf hashes that were noted. */
static enum err block_take (struct scrub *self, struct slice octets,
                            struct error *e) {
    struct verify_place place = { slice_text (self->place.stream),
                                  self->place.last_number - self->place.count
                                      + 1,
                                  self->place.count };
    struct core *core = self->core;
    struct block block;
    struct block_facts facts;
    struct error why = { 0 };
    enum verify_verdict verdict =
        verify_form (octets, &place, &block, &facts, &why);
    if (verdict == VERIFY_FINE)
        verdict = verify_judge (&block, &facts, &core->dialogue,
                                rosters_chain (core->rosters), &why);
    enum err rc = ERR_NONE;
    if (verdict == VERIFY_FINE)
        rc = block_keep (self, &block, &why);
    if (core_store_failed (rc)) {
        *e = why;
        return rc;
    }
    if (rc || verdict != VERIFY_FINE)
        log_warn ("STORE-UNMENDED", "record=%" PRId64 " why=%s",
                  self->place.first, log_text (why.text));
    return ERR_NONE;
}

enum err scrub_reply (struct scrub *self, const struct reply *reply, bool *mine,
                      struct error *e) {
    struct slice name;
    struct wire_item *items = NULL;
    int64_t last;
    size_t count;
    *mine = self->call && reply->id == self->call;
    if (!*mine)
        return ERR_NONE;
    self->call = 0;
    if (reply->refused || reply->count < 2)
        return ERR_NONE; /* it has none either; other streams tell of it */
    enum err rc =
        wire_items_read (reply->frames[0], &name, &last, &items, &count, e);
    if (!rc && count > 0 && items[0].readable)
        rc = block_take (self, reply->frames[1], e);
    free (items);
    return rc;
}
