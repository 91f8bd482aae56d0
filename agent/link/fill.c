/* fill - one block after the other into the store: from fetch replies, from
 * frames, from what was waiting. */
#include "follow_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "ledger.h"
#include "store/outbox.h"
#include "store/records.h"
#include "store/streams.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BAD_RETRY_MS 30000
#define WAIT_RETRY_MS 1000

void fill_reload (struct follow *self) {
    for (struct stream *s = self->streams; s; s = s->next) {
        s->upto = records_stream_upto (self->core->store, s->name);
        s->sequence = -1;
    }
}

/* One block */

/* A block that can't be stored as it is: kept as evidence, the stream stops. */
static enum err refuse (struct follow *self, struct stream *stream,
                        const char *kind, struct slice octets,
                        const struct error *why, struct error *e) {
    char text[ERROR_TEXT_MAX + STREAM_NAME_ROOM + 16];
    snprintf (text, sizeof text, "stream %s: %s", stream->name, why->text);
    stream_stop (stream, BAD_RETRY_MS, why->text);
    return core_notice (self->core, kind, true, text, octets, e);
}

/* Its records may stand in the tree that the log signed. */
static enum err refuse_bad (struct follow *self, struct stream *stream,
                            struct slice octets, const struct error *why,
                            struct error *e) {
    if (self->core->ledger && ledger_bad_block (self->core->ledger, octets, e))
        return e->code;
    return refuse (self, stream, "BAD-BLOCK", octets, why, e);
}

static enum err newer (struct follow *self, struct stream *stream,
                       const struct error *why, struct error *e) {
    char text[ERROR_TEXT_MAX + STREAM_NAME_ROOM + 48];
    snprintf (text, sizeof text,
              "stream %s needs a newer version of this program: %s",
              stream->name, why->text);
    stream_stop (stream, BAD_RETRY_MS, text);
    stream->newer = true;
    return core_notice (self->core, "NEWER-FORMAT", false, text,
                        (struct slice){ 0 }, e);
}

/* A message that went through our outbox, or that of another copy of our
 * store, becomes done; what is anybody else's is passed over. */
static enum err outbox_show (struct follow *self, const struct record *record,
                             const struct message *message, bool *contradiction,
                             struct error *e) {
    const struct core *core = self->core;
    struct slice own = slice_text (core->delegation);
    struct hash leaf = record_leaf (record->octets);
    bool via = record->via.present && slice_equal (record->via.submitter, own);
    bool denied = false;
    enum err rc = ERR_NONE;
    *contradiction = false;
    if (slice_equal (message->author, own))
        rc = outbox_seen_own (core->store, message, record->sequence, &leaf,
                              contradiction, e);
    else if (via)
        rc = outbox_seen (core->store, &message->id, record->sequence, &leaf,
                          contradiction, e);
    else
        return ERR_NONE;
    if (!rc && slice_equal (message->author, own))
        rc = doubt_own (self, record, message, e);
    if (!rc)
        rc = outbox_denied (core->store, &message->id, record->log_time,
                            &denied, e);
    *contradiction = *contradiction || denied;
    return rc;
}

/* Messages of the outbox that the block shows recorded. */
static enum err outbox_look (struct follow *self, const struct block *block,
                             struct error *e) {
    struct core *core = self->core;
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk)) {
        struct record record;
        struct message message;
        if (record_read (walk.record, &record, NULL)
            || record.type != RECORD_MESSAGE
            || record_message (&record, &message, NULL))
            continue;
        bool contradiction;
        enum err rc = outbox_show (self, &record, &message, &contradiction, e);
        char text[160];
        snprintf (text, sizeof text,
                  "record %" PRId64 " was promised at another place or with "
                  "another leaf hash, or refused after it was recorded",
                  record.sequence);
        if (!rc && contradiction)
            rc = core_notice (core, "PROMISE-BROKEN", true, text, block->octets,
                              e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

static enum err roster_keep (struct follow *self, const struct block *block,
                             struct slice note, struct error *e) {
    int64_t sequence = block->first_sequence;
    const struct roster *roster =
        roster_chain_by_record (rosters_chain (self->core->rosters), sequence);
    return store_add_roster (self->core->store, roster_version (roster),
                             sequence, note, e);
}

/* A head says the same, but up to 10 s later. */
static void size_note (struct core *core, const struct block *block,
                       const struct block_facts *facts) {
    int64_t size = block->first_sequence + (int64_t) block->count;
    if (size > core->size) {
        core->size = size;
        core->log_time = facts->last_time;
    }
    core->changed = true;
}

/* Whole or not at all. ERR_CHAIN: it contradicts what is held. */
static enum err keep (struct follow *self, struct stream *stream, int64_t first,
                      const struct block *block,
                      const struct block_facts *facts, struct slice note,
                      struct error *e) {
    struct store *store = self->core->store;
    int64_t added, end = first + (int64_t) block->count - 1;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = store_begin (store, e);
    if (rc)
        return rc;
    if (stream->name[0] == '@')
        records_direct_first (store, first);
    rc = records_add (store, block, facts, &added, e);
    if (!rc && added < end - stream->upto)
        rc = error_set (e, ERR_CHAIN,
                        "numbers up to %" PRId64 " are given to records that "
                        "have others, from record %" PRId64 " on",
                        end, block->first_sequence);
    if (!rc && note.size > 0)
        rc = roster_keep (self, block, note, e);
    if (!rc && self->core->ledger)
        rc = ledger_block (self->core->ledger, block, e);
    if (!rc)
        rc = outbox_look (self, block, e);
    if (!rc && strcmp (stream->name, CHANNEL_LOG) != 0)
        rc = streams_add (store, stream->name, first, stream->upto, block, e);
    if (!rc)
        rc = records_set_upto (store, stream->name, end, e);
    if (rc)
        store_rollback (store);
    else
        rc = store_commit (store, e);
    if (!rc) {
        stream->upto = end;
        stream->sequence = block->first_sequence + (int64_t) block->count - 1;
        stream->problem[0] = '\0';
        stream->tries = 0;
        stream->newer = false;
        size_note (self->core, block, facts);
    }
    return rc;
}

/* Above the base of an epoch that has begun nothing of an older one is taken. */
static enum err epoch_check (const struct core *core, const struct block *block,
                             const struct block_facts *facts, struct error *e) {
    const struct roster *newest = rosters_newest (core->rosters);
    int64_t base, last = block->first_sequence + (int64_t) block->count - 1;
    struct hash root;
    if (!roster_epoch_base (newest, &base, &root) || last < base
        || facts->epoch >= roster_epoch (newest))
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 " of epoch %" PRId64
                      ", which ended at record %" PRId64,
                      last, facts->epoch, base);
}

/* Verified as far as this block goes; what is wrong is said here. */
static enum err judge (struct follow *self, struct stream *stream,
                       const struct block *block,
                       const struct block_facts *facts, struct slice note,
                       enum verify_verdict *verdict, struct error *e) {
    struct core *core = self->core;
    struct error why = { 0 };
    size_t known = roster_chain_count (rosters_chain (core->rosters));
    *verdict = VERIFY_BAD;
    /* A new one; one that is held already is compared. */
    if (epoch_check (core, block, facts, &why))
        return refuse_bad (self, stream, block->octets, &why, e);
    enum err learned =
        note.size > 0
            ? rosters_learn (core->rosters, note, block->first_sequence, &why)
            : ERR_NONE;
    if (learned == ERR_STATE) { /* the desk is asked first: down, and again */
        *e = why;
        return learned;
    }
    if (learned)
        return refuse (self, stream, "BAD-ROSTER", block->octets, &why, e);
    if (doubt_late (self, block->octets, block->first_sequence, known, e))
        return e->code;
    *verdict = verify_judge (block, facts, &core->dialogue,
                             rosters_chain (core->rosters), &why);
    if (*verdict == VERIFY_BAD)
        return refuse_bad (self, stream, block->octets, &why, e);
    if (*verdict == VERIFY_WAITS) {
        stream->waits = true;
        stream_stop (stream, WAIT_RETRY_MS, why.text);
        struct stream *log = stream_by_name (self, slice_text (CHANNEL_LOG));
        if (log)
            log->check = true;
    }
    return ERR_NONE;
}

enum err fill_block (struct follow *self, struct stream *stream, int64_t first,
                     int64_t count, struct slice octets, bool *done,
                     struct error *e) {
    struct verify_place place = { slice_text (stream->name), first, count };
    struct block block;
    struct block_facts facts;
    struct error why = { 0 };
    *done = false;
    enum verify_verdict verdict =
        verify_form (octets, &place, &block, &facts, &why);
    if (verdict == VERIFY_NEWER)
        return newer (self, stream, &why, e);
    if (verdict == VERIFY_BAD)
        return refuse_bad (self, stream, octets, &why, e);
    if (first + (int64_t) block.count - 1 <= stream->upto) {
        *done = true;
        return doubt_again (self, stream, &block, &facts, e);
    }
    if (block.first_sequence <= stream->sequence) {
        error_set (&why, ERR_CHAIN,
                   "number %" PRId64 " is record %" PRId64 ", the one before "
                   "is record %" PRId64,
                   first, block.first_sequence, stream->sequence);
        return refuse (self, stream, "BAD-BLOCK", octets, &why, e);
    }
    struct slice note = verify_roster_note (&block, &facts);
    enum err rc = judge (self, stream, &block, &facts, note, &verdict, e);
    if (!rc && verdict == VERIFY_FINE)
        rc = doubt_times (self, &block, &facts, e);
    if (rc || verdict != VERIFY_FINE)
        return rc;
    rc = keep (self, stream, first, &block, &facts, note, &why);
    *done = !rc;
    if (rc != ERR_CHAIN) {
        if (rc)
            *e = why;
        return rc;
    }
    fill_reload (self);
    return refuse (self, stream, "CONTRADICTION", octets, &why, e);
}

/* What waits */

static void pending_drop_first (struct follow *self, struct stream *stream) {
    struct pending *first = stream->pending;
    stream->pending = first->next;
    if (!stream->pending)
        stream->pending_end = &stream->pending;
    self->pending_octets -= first->size;
    free (first);
}

void fill_pending_drop (struct follow *self, struct stream *stream) {
    while (stream->pending)
        pending_drop_first (self, stream);
}

enum err fill_pending (struct follow *self, struct stream *stream,
                       struct error *e) {
    while (stream->pending && stream->pending->first <= stream->upto + 1) {
        struct pending *p = stream->pending;
        bool done;
        enum err rc = fill_block (self, stream, p->first, -1,
                                  slice_of (p->octets, p->size), &done, e);
        if (rc || stream->waits)
            return rc;
        pending_drop_first (self, stream);
        if (!done)
            return ERR_NONE;
    }
    return ERR_NONE;
}

/* Fetch */

enum err fill_fetch (struct follow *self, struct stream *stream,
                     struct error *e) {
    struct wire_fetch fetch = { .stream = slice_text (stream->name),
                                .first = stream->upto + 1,
                                .last = -1,
                                .octets = FOLLOW_FETCH_OCTETS };
    struct buf frame = { 0 };
    wire_fetch_write (&frame, &fetch);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc =
        calls_send (self->core->calls, WIRE_FETCH, frames, 1, &stream->call, e);
    buf_free (&frame);
    if (rc)
        return rc;
    stream->asked = fetch.first;
    hidden_asked (self, stream);
    stream->check = false;
    self->fetches++;
    return ERR_NONE;
}

/* Hidden, by no roster that we know. One may have come into force just now:
 * `$log` is asked for it first. */
static enum err withheld (struct follow *self, struct stream *stream,
                          const struct wire_item *item, struct error *e) {
    struct error why = { 0 };
    struct stream *log = stream_by_name (self, slice_text (CHANNEL_LOG));
    error_set (&why, ERR_RIGHT,
               "numbers from %" PRId64 " on are withheld: no roster hides them",
               item->first);
    bool asked = stream->doubted == item->first && log && !log->check
                 && !log->call && log->upto >= log->last;
    if (asked || stream == log)
        return refuse (self, stream, "WITHHELD", (struct slice){ 0 }, &why, e);
    stream->doubted = item->first;
    if (log)
        log->check = true;
    stream_stop (stream, WAIT_RETRY_MS, why.text);
    return ERR_NONE;
}

/* Numbers that this delegation may not read. Each is one of a record, so there
 * are no more of them than the ledger has. *done as in fill_block. */
static enum err pass_over (struct follow *self, struct stream *stream,
                           const struct wire_item *item, bool *done,
                           struct error *e) {
    struct core *core = self->core;
    *done = item->last <= stream->upto;
    if (*done)
        return ERR_NONE;
    if (!doubt_may_hide (core, stream))
        return withheld (self, stream, item, e);
    if (item->last > core->size) { /* as a head will say, if it is so */
        stream_stop (stream, WAIT_RETRY_MS, "more numbers than records");
        return ERR_NONE;
    }
    hidden_note (self, stream, item->last);
    *done = false;
    return ERR_NONE;
}

static enum err items_take (struct follow *self, struct stream *stream,
                            const struct wire_item *items, size_t count,
                            const struct slice *blocks, struct error *e) {
    for (size_t i = 0; i < count; i++) {
        const struct wire_item *item = &items[i];
        bool done;
        enum err rc;
        if (item->readable)
            rc = fill_block (self, stream, item->first,
                             item->last - item->first + 1, *blocks++, &done, e);
        else
            rc = pass_over (self, stream, item, &done, e);
        if (rc || !done)
            return rc;
    }
    return ERR_NONE;
}

/* Does the reply answer what was asked? */
static enum err items_check (const struct stream *stream,
                             const struct reply *reply, struct slice name,
                             const struct wire_item *items, size_t count,
                             struct error *e) {
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++)
        blocks += items[i].readable;
    if (!slice_is (name, stream->name)
        || (count > 0 && items[0].first != stream->asked)
        || blocks != reply->count - 1)
        return error_set (e, ERR_MALFORMED,
                          "a fetch of %s from %" PRId64 " is answered with %zu "
                          "blocks of other numbers",
                          stream->name, stream->asked, blocks);
    return ERR_NONE;
}

/* The desk's word on where the stream ends stands against what a frame said:
 * else a wrong number there had us ask without end. What is really there shows
 * with the next head. */
static void nothing_there (struct follow *self, struct stream *stream,
                           int64_t last) {
    stream->last = last;
    if (stream->upto < last)
        stream_stop (stream, WAIT_RETRY_MS, "fetch brought nothing");
    else
        fill_pending_drop (self, stream);
}

static enum err reply_take (struct follow *self, struct stream *stream,
                            const struct reply *reply, struct error *e) {
    struct slice name;
    int64_t last;
    struct wire_item *items = NULL;
    size_t count;
    if (reply->count < 1)
        return error_set (e, ERR_MALFORMED, "a fetch reply without items");
    enum err rc =
        wire_items_read (reply->frames[0], &name, &last, &items, &count, e);
    if (!rc)
        rc = items_check (stream, reply, name, items, count, e);
    if (!rc)
        rc = items_take (self, stream, items, count, reply->frames + 1, e);
    if (!rc && count == 0)
        nothing_there (self, stream, last);
    else if (!rc && last > stream->last)
        stream->last = last;
    free (items);
    return rc;
}

/* The desk does not want to. */
static void reply_refused (struct follow *self, struct stream *stream,
                           const struct reply *reply) {
    char text[REFUSAL_TEXT_MAX];
    refusal_print (&reply->refusal, text);
    stream_stop (stream, WAIT_RETRY_MS, text);
    stream->check = true;
    /* Our rights have changed, or its entity's: the list says how. */
    if (reply->refusal.rule == RULE_UNKNOWN_STREAM && self->streams_at < 0)
        self->streams_at = clock_mono_ms() + WAIT_RETRY_MS;
}

enum err fill_reply (struct follow *self, const struct reply *reply,
                     struct error *e) {
    struct stream *stream = self->streams;
    while (stream && stream->call != reply->id)
        stream = stream->next;
    self->fetches--;
    if (!stream) /* no longer ours */
        return ERR_NONE;
    stream->call = 0;
    if (reply->refused) {
        reply_refused (self, stream, reply);
        return ERR_NONE;
    }
    enum err rc = reply_take (self, stream, reply, e);
    if (!rc && !stream->waits)
        rc = fill_pending (self, stream, e);
    return rc;
}
