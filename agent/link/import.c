/* import - what somebody took out of the ledger, taken in as if it had been
 * fetched (link.h, PROTOCOL.md section 8.10). The link's thread does it, since
 * all that is known of the ledger is its; whoever asks waits in link_import. */
#include "follow_impl.h"
#include "link_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/topic.h"
#include "identity/rights.h"

#include <stdio.h>

#include <errno.h>

/* Rosters: before the link has a broker to ask, the bundle answers. */

static enum err roster_import (struct link *self, const struct link_import *in,
                               struct link_imported *out) {
    struct rosters *rosters = self->core.rosters;
    struct error why;
    out->wanted = 0;
    if (self->phase != LINK_DOWN) /* the desk is asked */
        return ERR_NONE;
    if (in->number == 0)
        rosters_ask_again (rosters);
    else if (in->number == rosters_wanted (rosters)
             && rosters_answer (rosters, in->octets, &why))
        out->why = why;
    out->wanted = rosters_wanted (rosters);
    return ERR_NONE;
}

/* Blocks */

/* The stream that brings this block to us, and the first record's number in it.
 * false: none does. */
static bool stream_of (const struct core *core, const struct block_facts *facts,
                       int64_t direct_first, char name[STREAM_NAME_ROOM],
                       int64_t *first) {
    struct slice own = delegation_entity (slice_text (core->delegation)), one;
    *first = facts->first_channel_sequence;
    snprintf (name, STREAM_NAME_ROOM, "%.*s", (int) facts->channel.size,
              (const char *) facts->channel.data);
    if (!channel_is_adhoc (facts->channel))
        return true;
    *first = direct_first;
    snprintf (name, STREAM_NAME_ROOM, "@%.*s", (int) own.size,
              (const char *) own.data);
    for (size_t i = 0;
         (one = channel_adhoc_entity (facts->channel, i)).size > 0; i++)
        if (slice_equal (one, own))
            return direct_first > 0;
    return false;
}

static bool may_read (const struct core *core, const struct roster *roster,
                      struct slice channel) {
    return rights_ask (roster, slice_text (core->delegation), channel,
                       RIGHT_READ, clock_wall_ms())
           == VERDICT_YES;
}

static bool is_ours (const struct core *core, const struct block_facts *facts) {
    const struct roster *then =
        roster_chain_by_record (rosters_chain (core->rosters), facts->roster);
    if (slice_is (facts->channel, CHANNEL_LOG))
        return true;
    return then && may_read (core, then, facts->channel)
           && may_read (core, rosters_newest (core->rosters), facts->channel);
}

/* Everything that fill_block would say against it, said to the one who
 * imports: a file is nobody's evidence. */
static enum err block_judge (struct core *core, const struct block *block,
                             const struct block_facts *facts,
                             struct error *why) {
    struct slice note = verify_roster_note (block, facts);
    enum err rc = ERR_NONE;
    if (note.size > 0)
        rc = rosters_learn (core->rosters, note, block->first_sequence, why);
    if (!rc
        && verify_judge (block, facts, &core->dialogue,
                         rosters_chain (core->rosters), why)
               != VERIFY_FINE)
        rc = why->code ? why->code : error_set (why, ERR_CHAIN, "not known");
    return rc;
}

static enum err block_import (struct link *self, int64_t direct_first,
                              struct slice octets, struct link_imported *out,
                              struct error *e) {
    struct core *core = &self->core;
    struct block block;
    struct block_facts facts;
    char name[STREAM_NAME_ROOM];
    int64_t first;
    if (block_read (octets, &block, &out->why)
        || block_check (&block, &facts, &out->why))
        return ERR_NONE;
    int64_t count = (int64_t) block.count;
    if (!stream_of (core, &facts, direct_first, name, &first)
        || !is_ours (core, &facts)) {
        out->others += count;
        return ERR_NONE;
    }
    struct stream *stream = stream_open (self->follow, slice_text (name));
    if (first > stream->upto + 1) {
        out->gaps += count;
        return ERR_NONE;
    }
    if (block_judge (core, &block, &facts, &out->why)) {
        error_at (&out->why, "record %lld", (long long) block.first_sequence);
        return ERR_NONE;
    }
    int64_t before = stream->upto;
    bool done;
    enum err rc =
        fill_block (self->follow, stream, first, count, octets, &done, e);
    if (rc || !done)
        return rc;
    if (stream->last < stream->upto)
        stream->last = stream->upto;
    out->records += stream->upto - before;
    out->held += count - (stream->upto - before);
    return ERR_NONE;
}

/* Entries as a bundle's file has them: u32 length, block, u64. */
static enum err blocks_import (struct link *self, struct slice entries,
                               struct link_imported *out, struct error *e) {
    struct core *core = &self->core;
    enum err rc = ERR_NONE;
    /* No broker has said yet how long its ledger was when this store was made:
     * what is of our own is of before. */
    int64_t own_from = core->own_from;
    if (own_from == 0)
        core->own_from = INT64_MAX;
    while (!rc && !out->why.code && entries.size >= 12) {
        size_t size = get_u32 (entries.data);
        if (size > entries.size - 12) {
            error_set (&out->why, ERR_MALFORMED, "an entry of %zu octets",
                       size);
            break;
        }
        rc = block_import (self, (int64_t) get_u64 (entries.data + 4 + size),
                           slice_of (entries.data + 4, size), out, e);
        entries = slice_of (entries.data + 12 + size, entries.size - 12 - size);
    }
    core->own_from = own_from;
    return rc ? rc : doubt_own_tick (self->follow, INT64_MAX, e);
}

/* Leaves and checkpoints: as the feed brings them. */

static enum err leaves_import (struct link *self, const struct link_import *in,
                               struct error *e) {
    struct buf content = { 0 };
    enum err rc = ERR_NONE;
    size_t count = in->octets.size / HASH_SIZE;
    for (size_t at = 0; !rc && at < count; at += FEED_LEAVES_MAX) {
        size_t n = count - at < FEED_LEAVES_MAX ? count - at : FEED_LEAVES_MAX;
        buf_clear (&content);
        feed_leaves_write (&content, in->number + (int64_t) at,
                           (const struct hash *) in->octets.data + at, n);
        rc = ledger_import (self->core.ledger, FEED_LEAVES,
                            buf_slice (&content), e);
    }
    buf_free (&content);
    return rc;
}

static enum err checkpoint_import (struct link *self, struct slice note,
                                   struct error *e) {
    struct core *core = &self->core;
    bool whole = core->log_whole;
    core->log_whole = true; /* as far as the bundle goes */
    enum err rc = ledger_import (core->ledger, FEED_COSIGNATURES, note, e);
    core->log_whole = whole;
    return rc;
}

static enum err part_import (struct link *self, const struct link_import *in,
                             struct link_imported *out, struct error *e) {
    switch (in->part) {
    case LINK_ROSTER:
        return roster_import (self, in, out);
    case LINK_BLOCKS:
        return blocks_import (self, in->octets, out, e);
    case LINK_LEAVES:
        return leaves_import (self, in, e);
    default:
        return checkpoint_import (self, in->octets, e);
    }
}

/* Between the threads */

enum err import_turn (struct link *self, struct error *e) {
    pthread_mutex_lock (&self->mutex);
    const struct link_import *in = self->import;
    pthread_mutex_unlock (&self->mutex);
    if (!in)
        return ERR_NONE;
    self->core.changed = true;
    enum err rc = part_import (self, in, self->imported, e);
    if (!rc)
        rc = core_commit (&self->core, e);
    pthread_mutex_lock (&self->mutex);
    self->import = NULL;
    if (rc)
        self->imported->why = *e;
    pthread_cond_broadcast (&self->import_done);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

enum err link_import (struct link *self, const struct link_import *in,
                      struct link_imported *out, struct error *e) {
    *out = (struct link_imported){ 0 };
    pthread_mutex_lock (&self->mutex);
    while (self->import && !atomic_load (&self->stop))
        pthread_cond_wait (&self->import_done, &self->mutex);
    if (!atomic_load (&self->stop)) {
        self->import = in;
        self->imported = out;
    }
    pthread_mutex_unlock (&self->mutex);
    link_wake (self);
    pthread_mutex_lock (&self->mutex);
    while (self->import == in && !atomic_load (&self->stop))
        pthread_cond_wait (&self->import_done, &self->mutex);
    bool stopped = self->import == in || atomic_load (&self->stop);
    if (self->import == in)
        self->import = NULL;
    pthread_mutex_unlock (&self->mutex);
    if (stopped)
        return error_set (e, ERR_STATE, "the agent stops");
    if (out->why.code)
        *e = out->why;
    return out->why.code;
}
