/* projector_records - from the store to the model: rosters, our rights under
 * them, and what a record's body says. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/rights.h"
#include "link/link.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rosters */

static enum err chain_take (void *arg, int64_t version, int64_t sequence,
                            struct slice note, struct error *e) {
    (void) version;
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e->code;
    enum err rc = roster_chain_add (arg, roster, sequence, e);
    roster_unref (&roster);
    return rc;
}

static void chain_read (struct projector *self) {
    struct error e;
    roster_chain_destroy (&self->chain);
    self->chain = roster_chain_new();
    if (store_rosters (self->store, chain_take, self->chain, &e))
        log_error ("PLANS-ROSTERS", "why=%s", log_text (e.text));
}

static struct roster *present_roster (struct projector *self) {
    struct roster *out = NULL;
    if (self->options.link)
        out = link_roster (self->options.link, NULL);
    if (!out && roster_chain_count (self->chain) > 0)
        out = roster_ref (roster_chain_last (self->chain, NULL));
    return out;
}

/* Was a record judged before its roster was here? */
static bool judged_blind (const struct projector *self) {
    for (size_t i = 0; i < self->judged_count; i++)
        if (self->judged[i].version < 0)
            return true;
    return false;
}

bool projector_rosters (struct projector *self) {
    struct store_basis basis;
    store_basis (self->store, &basis);
    bool cut = self->chain
               && (basis.floor != self->basis.floor
                   || basis.mended != self->basis.mended);
    bool other = !self->chain || basis.rosters != self->basis.rosters
                 || basis.roster_sequence != self->basis.roster_sequence;
    if (other || cut)
        chain_read (self);
    if (other && self->threads) {
        threads_rejudge (self->threads);
        threads_settle (self->threads);
    }
    self->texts_stale |= cut;
    self->basis = basis;
    roster_unref (&self->present);
    self->present = present_roster (self);
    return cut || (other && judged_blind (self));
}

const struct roster *projector_roster_at (void *arg, int64_t sequence) {
    const struct projector *self = arg;
    return roster_chain_count (self->chain) > 0
               ? roster_chain_at (self->chain, sequence)
               : NULL;
}

/* Rights */

static const struct roster *roster_then (const struct projector *self,
                                         int64_t version) {
    return version < 0 ? NULL
                       : roster_chain_by_version (self->chain, version, NULL);
}

/* Of what others wrote there. */
static bool judge (const struct projector *self, const struct judged *at) {
    const struct roster *then = roster_then (self, at->version);
    return then && self->present
           && rights_record (
               then, self->present, slice_text (self->options.delegation),
               slice_text (at->channel), slice_text (""), clock_wall_ms());
}

static bool is_taken (const struct projector *self, const char *channel) {
    for (size_t i = 0; i < self->judged_count; i++)
        if (self->judged[i].taken
            && strcmp (self->judged[i].channel, channel) == 0)
            return true;
    return false;
}

bool projector_rights_changed (struct projector *self) {
    bool changed = false;
    for (size_t i = 0; i < self->judged_count; i++) {
        struct judged *at = &self->judged[i];
        bool readable = judge (self, at);
        if (readable == at->readable)
            continue;
        changed = true;
        if (readable || is_taken (self, at->channel))
            continue;
        if (self->model)
            model_forget (self->model, at->channel);
        if (self->threads)
            threads_forget (self->threads, at->channel);
        if (self->acks)
            acks_forget (self->acks, at->channel);
        projector_digest_void (self, -1);
        at->taken = true;
    }
    return changed;
}

bool projector_may_read (struct projector *self, const struct record_row *row) {
    const struct roster *then =
        projector_roster_at (self, row->record.sequence);
    int64_t version = then ? roster_version (then) : -1;
    if (slice_is (row->message.author, self->options.delegation))
        return true;
    for (size_t i = self->judged_count; i > 0; i--)
        if (self->judged[i - 1].version == version
            && slice_is (row->record.channel, self->judged[i - 1].channel))
            return self->judged[i - 1].readable;
    self->judged = mem_resize (self->judged,
                               (self->judged_count + 1) * sizeof *self->judged);
    struct judged *fresh = &self->judged[self->judged_count++];
    *fresh = (struct judged){ .version = version };
    snprintf (fresh->channel, sizeof fresh->channel, "%.*s",
              (int) row->record.channel.size,
              (const char *) row->record.channel.data);
    return fresh->readable = judge (self, fresh);
}

bool projector_may_write (const struct projector *self, const char *channel) {
    return rights_ask (self->present, slice_text (self->options.delegation),
                       slice_text (channel), RIGHT_WRITE, clock_wall_ms())
           == VERDICT_YES;
}

/* Bodies */

void projector_origin (const struct record_row *row, struct origin *out) {
    *out = (struct origin){ .sequence = row->record.sequence,
                            .log_time = row->record.log_time,
                            .id = row->message.id,
                            .leaf = row->leaf };
    snprintf (out->author, sizeof out->author, "%.*s",
              (int) row->message.author.size,
              (const char *) row->message.author.data);
    snprintf (out->channel, sizeof out->channel, "%.*s",
              (int) row->record.channel.size,
              (const char *) row->record.channel.data);
}

json_t *projector_body (const struct record_row *row, const char **why,
                        bool *absent, struct error *e) {
    *absent = true;
    *why = row->why;
    if (!row->readable)
        return NULL;
    *why = row->body_state == BODY_ERASED
               ? "its body was erased"
               : "its body is not held by this agent";
    if (row->body_state != BODY_PRESENT)
        return NULL;
    *absent = false;
    *why = "its body is no map (body format 1)";
    if (row->message.body_format != BODY_MAP)
        return NULL;
    struct slice content;
    *why = e->text;
    if (message_content (&row->message, row->body, &content, e))
        return NULL;
    return mp_to_json (content, e);
}

json_t *projector_load (void *arg, const struct origin *origin) {
    const struct projector *self = arg;
    return projector_load_by (self->loader, origin);
}

json_t *projector_load_by (struct store *store, const struct origin *origin) {
    struct error e;
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (store, origin->sequence, &row, &e);
    if (!cursor)
        return NULL;
    const char *why;
    bool absent;
    json_t *out = hash_equal (&row.leaf, &origin->leaf)
                      ? projector_body (&row, &why, &absent, &e)
                      : NULL;
    records_close (&cursor);
    return out;
}
