/* ledger_evidence - what contradicts the ledger's tree: records and promises
 * that are not what stands there, and checkpoints of another one. Where signed
 * statements contradict each other, the file that proves it (PROTOCOL.md
 * sections 8.11 and 8.14). */
#include "ledger_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "format/evidence.h"
#include "store/outbox.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Files */

/* All rosters up to the one in force there. The caller frees. */
static struct slice *rosters_of (const struct core *core, int64_t sequence,
                                 size_t *count) {
    const struct roster_chain *chain = rosters_chain (core->rosters);
    size_t known = roster_chain_count (chain);
    struct slice *out = mem_alloc ((known + 1) * sizeof *out);
    *count = 0;
    for (size_t i = 0; i < known; i++) {
        int64_t at;
        struct roster *roster = roster_chain_nth (chain, i, &at);
        if (at <= sequence)
            out[(*count)++] = roster_octets (roster);
    }
    return out;
}

static void evidence_put (const struct core *core, struct evidence *evidence,
                          int64_t sequence, struct buf *json) {
    struct slice *rosters =
        rosters_of (core, sequence, &evidence->roster_count);
    evidence->dialogue = core->dialogue;
    evidence->made = clock_wall_ms();
    snprintf (evidence->maker, sizeof evidence->maker, "%s", core->delegation);
    evidence->rosters = rosters;
    evidence_write (evidence, json);
    free (rosters);
}

/* A leaf of our own tree, under a checkpoint that it bears out. */
static enum err own_leaf (const struct core *core, const struct checkpoint *cp,
                          struct slice note, int64_t index,
                          struct evidence_leaf *out, struct error *e) {
    struct hashes_source at;
    struct tree_source source = hashes_source (&at, core->store, HASHES_LEDGER);
    *out =
        (struct evidence_leaf){ .checkpoint = note, .index = (uint64_t) index };
    enum err rc = hashes_leaf (core->store, HASHES_LEDGER, (uint64_t) index,
                               &out->leaf, e);
    return rc ? rc
              : tree_inclusion (&source, (uint64_t) index, (uint64_t) cp->size,
                                out->path, &out->path_length, e);
}

/* Promises */

enum err evidence_promise (struct ledger *self, const struct checkpoint *cp,
                           struct slice note, int64_t sequence,
                           const struct hash *leaf, struct error *e) {
    struct core *core = self->core;
    struct evidence evidence = { .kind = EVIDENCE_PROMISE, .leaf_count = 1 };
    struct buf json = { 0 };
    char text[160];
    const struct roster *roster =
        roster_chain_at (rosters_chain (core->rosters), sequence);
    enum err rc = own_leaf (core, cp, note, sequence, &evidence.leaves[0], e);
    evidence.has_promise =
        roster
        && outbox_promise_at (core->store, roster_epoch (roster), sequence,
                              leaf, &evidence.promise);
    if (!rc && evidence.has_promise)
        evidence_put (core, &evidence, cp->size - 1, &json);
    snprintf (text, sizeof text,
              "record %" PRId64 " of the ledger is not the one that was "
              "promised, or seen, there",
              sequence);
    if (!rc)
        rc = core_notice (core, "PROMISE-BROKEN", true, text, buf_slice (&json),
                          e);
    buf_free (&json);
    self->alarmed = true;
    return rc;
}

/* Records */

enum err evidence_record (struct ledger *self, int64_t sequence,
                          struct slice octets, struct error *e) {
    char text[160];
    snprintf (text, sizeof text,
              "record %" PRId64 " that was given out is not the one in the "
              "ledger's tree",
              sequence);
    self->alarmed = true;
    return core_notice (self->core, "WRONG-RECORD", true, text, octets, e);
}

static enum err record_differs (struct ledger *self, int64_t sequence,
                                struct error *e) {
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (self->core->store, sequence, &row, e);
    if (!cursor)
        return e->code;
    enum err rc = evidence_record (self, sequence, row.record.octets, e);
    records_close (&cursor);
    return rc;
}

/* Comparing what stands below a checkpoint */

/* Leaves of the tile in hand. */
struct compared {
    struct ledger *ledger;
    const struct checkpoint *cp;
    struct slice note;
    int64_t first, count;
    struct hash leaves[TREE_TILE];
};

static enum err leaf_at (struct compared *self, int64_t sequence,
                         const struct hash **out, struct error *e) {
    if (self->count == 0 || sequence < self->first
        || sequence >= self->first + self->count) {
        int64_t left = self->cp->size - sequence;
        self->first = sequence - sequence % TREE_TILE;
        self->count = TREE_TILE - sequence % TREE_TILE;
        if (self->count > left)
            self->count = left;
        self->count += sequence - self->first;
        enum err rc = hashes_leaves (self->ledger->core->store, HASHES_LEDGER,
                                     (uint64_t) self->first,
                                     (size_t) self->count, self->leaves, e);
        if (rc)
            return rc;
    }
    *out = &self->leaves[sequence - self->first];
    return ERR_NONE;
}

static enum err compare_record (void *arg, int64_t sequence,
                                const struct hash *leaf, struct error *e) {
    struct compared *self = arg;
    const struct hash *own;
    enum err rc = leaf_at (self, sequence, &own, e);
    return rc || hash_equal (own, leaf)
               ? rc
               : record_differs (self->ledger, sequence, e);
}

static enum err compare_promise (void *arg, const struct outbox_place *place,
                                 struct error *e) {
    struct compared *self = arg;
    const struct hash *own;
    enum err rc = leaf_at (self, place->sequence, &own, e);
    return rc || hash_equal (own, &place->leaf)
               ? rc
               : evidence_promise (self->ledger, self->cp, self->note,
                                   place->sequence, &place->leaf, e);
}

enum err evidence_compare (struct ledger *self, const struct checkpoint *cp,
                           struct slice note, bool *done, struct error *e) {
    struct core *core = self->core;
    *done = self->compared >= cp->size;
    if (*done)
        return ERR_NONE;
    struct compared *one = mem_alloc (sizeof *one);
    one->ledger = self;
    one->cp = cp;
    one->note = note;
    const struct roster *roster = notes_roster (self, cp);
    int64_t next = self->compared;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = records_leaves (core->store, self->compared, cp->size,
                             LEDGER_COMPARE, compare_record, one, &next, e);
    if (!rc && roster)
        rc = outbox_promises (core->store, roster_epoch (roster),
                              self->compared, next, compare_promise, one, e);
    if (!rc)
        self->compared = next;
    *done = self->compared >= cp->size;
    free (one);
    return rc;
}

enum err ledger_block (struct ledger *self, const struct block *block,
                       struct error *e) {
    struct block_walk walk;
    struct hash leaf;
    enum err rc = ERR_NONE;
    block_walk (block, &walk);
    while (!rc && block_next (&walk)) {
        int64_t sequence = block->first_sequence + (int64_t) walk.index;
        if (sequence >= self->compared)
            return ERR_NONE;
        struct hash found = record_leaf (walk.record);
        rc = hashes_leaf (self->core->store, HASHES_LEDGER, (uint64_t) sequence,
                          &leaf, e);
        if (!rc && !hash_equal (&leaf, &found))
            rc = error_set (e, ERR_CHAIN,
                            "record %" PRId64
                            " is not the one in the ledger's tree",
                            sequence);
    }
    return rc;
}

/* Checkpoints */

enum err evidence_shrunk (struct ledger *self, const struct checkpoint *cp,
                          struct slice note, struct error *e) {
    char text[160];
    snprintf (text, sizeof text,
              "a checkpoint of %" PRId64 " records follows one of %" PRId64
              " in the same run",
              cp->size, self->highest);
    self->alarmed = true;
    return core_notice (self->core, "SHRUNK", true, text, note, e);
}

/* Where do two ledgers part? */

void inquiry_end (struct ledger *self) {
    struct inquiry *inquiry = &self->inquiry;
    for (size_t i = 0; i < LEDGER_INQUIRY_MAX; i++)
        buf_free (&inquiry->ranges[i]);
    buf_free (&inquiry->note);
    *inquiry = (struct inquiry){ 0 };
}

/* Two roots at one size: this checkpoint's, and that which the larger one that
 * was verified contains. */
static enum err roots_write (struct ledger *self, const struct checkpoint *cp,
                             struct slice note, struct slice own_note,
                             struct buf *json, struct error *e) {
    struct core *core = self->core;
    struct evidence evidence = { .kind = EVIDENCE_ROOTS, .leaf_count = 2 };
    struct evidence_leaf *own = &evidence.leaves[0];
    struct hashes_source at;
    struct tree_source source = hashes_source (&at, core->store, HASHES_LEDGER);
    uint64_t size = (uint64_t) cp->size;
    *own = (struct evidence_leaf){ .checkpoint = own_note, .index = size };
    evidence.leaves[1] = (struct evidence_leaf){ .checkpoint = note,
                                                 .index = size,
                                                 .leaf = cp->root };
    enum err rc = hashes_root (core->store, HASHES_LEDGER, size, &own->leaf, e);
    if (!rc)
        rc = tree_consistency (&source, size, (uint64_t) self->verified.size,
                               own->path, &own->path_length, e);
    if (!rc)
        evidence_put (core, &evidence, self->verified.size - 1, json);
    return rc;
}

static enum err two_roots (struct ledger *self, const struct checkpoint *cp,
                           struct slice note, struct error *e) {
    struct core *core = self->core;
    struct buf json = { 0 }, own = { 0 };
    struct checkpoint held;
    char text[200];
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = checkpoints_verified (core->store, &held, &own, e);
    if (!rc)
        rc = roots_write (self, cp, note, buf_slice (&own), &json, e);
    snprintf (text, sizeof text,
              "the broker signed another ledger: its checkpoint of %" PRId64
              " records has another root than the one of %" PRId64
              " which was verified has there",
              cp->size, self->verified.size);
    if (!rc)
        rc = core_notice (core, "FORK", true, text, buf_slice (&json), e);
    self->parted = self->alarmed = true;
    buf_free (&json);
    buf_free (&own);
    return rc;
}

enum err inquiry_begin (struct ledger *self, const struct checkpoint *cp,
                        struct slice note, struct error *e) {
    struct inquiry *inquiry = &self->inquiry;
    inquiry_end (self);
    if (self->has_verified && cp->size <= self->verified.size
        && strcmp (cp->origin, self->verified.origin) == 0)
        return two_roots (self, cp, note, e);
    inquiry->active = true;
    inquiry->cp = *cp;
    buf_add_slice (&inquiry->note, note);
    inquiry->low = cp->size;
    inquiry->first = -1;
    log_warn ("ROOT-DIFFERS", "size=%" PRId64 " verified=%" PRId64, cp->size,
              self->has_verified ? self->verified.size : 0);
    return inquiry_tick (self, e);
}

enum err inquiry_tick (struct ledger *self, struct error *e) {
    struct inquiry *inquiry = &self->inquiry;
    if (!inquiry->active || inquiry->call || !self->ready)
        return ERR_NONE;
    int64_t from = inquiry->low > LEAVES_MAX ? inquiry->low - LEAVES_MAX : 0;
    enum err rc =
        leaves_ask (self->core, from, inquiry->low - from, &inquiry->call, e);
    return rc == ERR_FULL ? ERR_NONE : rc;
}

/* All that was fetched, in order; the caller frees. */
static struct hash *leaves_join (const struct inquiry *self, size_t *count) {
    size_t at = 0;
    *count = (size_t) (self->cp.size - self->low);
    struct hash *out = mem_alloc ((*count + 1) * sizeof *out);
    for (size_t i = self->count; i-- > 0;) {
        memcpy (&out[at], self->ranges[i].data, self->ranges[i].size);
        at += self->ranges[i].size / HASH_SIZE;
    }
    return out;
}

/* The other tree: ours below `low`, what was fetched from there on. */
struct other {
    struct tree_source own;
    uint64_t low;
    const struct hash *leaves;
};

static enum err other_hash (const struct other *self, unsigned level,
                            uint64_t index, struct hash *out, struct error *e) {
    uint64_t end = (index + 1) << 8 * level;
    if (end <= self->low)
        return self->own.read (self->own.arg, level, index, 1, out, e);
    if (level == 0) {
        *out = self->leaves[index - self->low];
        return ERR_NONE;
    }
    struct tree tree = { 0 };
    enum err rc = ERR_NONE;
    for (uint64_t i = 0; !rc && i < TREE_TILE; i++) {
        struct hash part;
        rc = other_hash (self, level - 1, index * TREE_TILE + i, &part, e);
        if (!rc)
            tree_add (&tree, &part);
    }
    *out = tree_root (&tree);
    return rc;
}

static enum err other_read (void *arg, unsigned level, uint64_t first,
                            size_t count, struct hash *out, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++)
        rc = other_hash (arg, level, first + i, &out[i], e);
    return rc;
}

/* Two leaves at one place, each under what the log signed; nothing where the
 * leaves that were fetched do not give the root. */
static enum err fork_write (struct ledger *self, const struct hash *leaves,
                            struct slice own_note, struct buf *json,
                            struct error *e) {
    struct core *core = self->core;
    const struct inquiry *inquiry = &self->inquiry;
    struct evidence evidence = { .kind = EVIDENCE_LEAVES, .leaf_count = 2 };
    struct evidence_leaf *theirs = &evidence.leaves[1];
    struct hashes_source at;
    struct other other = { hashes_source (&at, core->store, HASHES_LEDGER),
                           (uint64_t) inquiry->low, leaves };
    struct tree_source source = { &other, other_read };
    uint64_t size = (uint64_t) inquiry->cp.size;
    struct hash root;
    enum err rc = tree_source_root (&source, size, &root, e);
    if (rc || !hash_equal (&root, &inquiry->cp.root))
        return rc;
    rc = own_leaf (core, &self->verified, own_note, inquiry->first,
                   &evidence.leaves[0], e);
    theirs->checkpoint = buf_slice (&inquiry->note);
    theirs->index = (uint64_t) inquiry->first;
    theirs->leaf = leaves[inquiry->first - inquiry->low];
    if (!rc)
        rc = tree_inclusion (&source, theirs->index, size, theirs->path,
                             &theirs->path_length, e);
    int64_t end = self->verified.size > inquiry->cp.size ? self->verified.size
                                                         : inquiry->cp.size;
    if (!rc)
        evidence_put (core, &evidence, end - 1, json);
    return rc;
}

/* The broker signed a ledger that is not the one that we verified. */
static enum err forked (struct ledger *self, const struct hash *leaves,
                        struct error *e) {
    struct core *core = self->core;
    const struct inquiry *inquiry = &self->inquiry;
    struct buf json = { 0 }, note = { 0 };
    struct checkpoint cp;
    char text[200];
    enum err rc = checkpoints_verified (core->store, &cp, &note, e);
    if (!rc)
        rc = fork_write (self, leaves, buf_slice (&note), &json, e);
    if (!rc && json.size == 0) { /* what there is: both notes */
        buf_add_slice (&json, buf_slice (&note));
        buf_add_slice (&json, buf_slice (&inquiry->note));
    }
    snprintf (text, sizeof text,
              "the broker signed another ledger: record %" PRId64
              " of its checkpoint of %" PRId64 " is not that of the one of "
              "%" PRId64 " which was verified",
              inquiry->first, inquiry->cp.size, self->verified.size);
    if (!rc)
        rc = core_notice (core, "FORK", true, text, buf_slice (&json), e);
    /* What was taken for the end of our ledger is of the other one. */
    if (!rc)
        rc = hashes_cut (core->store, HASHES_LEDGER,
                         (uint64_t) self->verified.size, e);
    if (!rc)
        leaves_begin (self, self->verified.size);
    self->parted = self->alarmed = true;
    buf_free (&json);
    buf_free (&note);
    return rc;
}

/* No leaf differs, and yet the root is another. */
static enum err bad_root (struct ledger *self, struct error *e) {
    struct core *core = self->core;
    const struct inquiry *inquiry = &self->inquiry;
    struct buf notes = { 0 };
    struct checkpoint cp;
    struct error why;
    char text[200];
    buf_add_slice (&notes, buf_slice (&inquiry->note));
    enum err rc = checkpoints_verified (core->store, &cp, &notes, &why);
    snprintf (text, sizeof text,
              "the root of the broker's checkpoint of %" PRId64
              " records is not that of the leaf hashes that it gives out",
              inquiry->cp.size);
    if (rc && rc != ERR_NOT_FOUND)
        *e = why;
    else
        rc = core_notice (core, "BAD-ROOT", true, text, buf_slice (&notes), e);
    self->parted = self->alarmed = true;
    buf_free (&notes);
    return rc;
}

/* Leaves that no checkpoint covered yet were not the desk's: it is believed,
 * not whoever spoke on the feed. The checkpoint is judged once more. */
static enum err leaves_replace (struct ledger *self, const struct hash *leaves,
                                size_t count, struct error *e) {
    struct core *core = self->core;
    struct inquiry *inquiry = &self->inquiry;
    size_t skip = (size_t) (inquiry->first - inquiry->low);
    char text[200];
    snprintf (text, sizeof text,
              "the feed's leaf hashes from record %" PRId64
              " on are not those of the desk",
              inquiry->first);
    enum err rc =
        core_notice (core, "LEAVES-DIFFER", true, text, (struct slice){ 0 }, e);
    if (!rc)
        rc = hashes_cut (core->store, HASHES_LEDGER, (uint64_t) inquiry->first,
                         e);
    if (!rc)
        rc = hashes_add (core->store, HASHES_LEDGER, leaves + skip,
                         count - skip, e);
    if (rc)
        return rc;
    leaves_begin (self, inquiry->cp.size);
    if (self->compared > inquiry->first)
        self->compared = inquiry->first;
    struct waiting *again = &self->notes[NOTE_SIGNED];
    if (!again->present) {
        *again = (struct waiting){ true, inquiry->cp, inquiry->note };
        inquiry->note = (struct buf){ 0 };
    }
    return ERR_NONE;
}

static enum err finish (struct ledger *self, struct error *e) {
    struct inquiry *inquiry = &self->inquiry;
    size_t count;
    struct hash *leaves = leaves_join (inquiry, &count);
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = inquiry->first < 0 ? bad_root (self, e)
             : self->has_verified && inquiry->first < self->verified.size
                 ? forked (self, leaves, e)
                 : leaves_replace (self, leaves, count, e);
    free (leaves);
    inquiry_end (self);
    return rc;
}

/* Against our own; *same: all of them. */
static enum err range_compare (struct ledger *self, int64_t from,
                               struct slice hashes, bool *same,
                               struct error *e) {
    size_t count = hashes.size / HASH_SIZE;
    struct hash *own = mem_alloc ((count + 1) * sizeof *own);
    enum err rc = hashes_leaves (self->core->store, HASHES_LEDGER,
                                 (uint64_t) from, count, own, e);
    *same = true;
    for (size_t i = 0; !rc && *same && i < count; i++)
        if (memcmp (&own[i], hashes.data + i * HASH_SIZE, HASH_SIZE) != 0) {
            self->inquiry.first = from + (int64_t) i;
            *same = false;
        }
    free (own);
    return rc;
}

enum err inquiry_reply (struct ledger *self, const struct reply *reply,
                        bool *mine, struct error *e) {
    struct inquiry *inquiry = &self->inquiry;
    struct slice hashes = { 0 };
    *mine = inquiry->active && inquiry->call == reply->id;
    if (!*mine)
        return ERR_NONE;
    inquiry->call = 0;
    int64_t from = inquiry->low > LEAVES_MAX ? inquiry->low - LEAVES_MAX : 0;
    int64_t count = inquiry->low - from;
    if (reply->refused)
        return finish (self, e);
    enum err rc = leaves_read (reply, from, count, &hashes, e);
    /* It gives fewer than it signed for: all there will be. */
    if (!rc && hashes.size < (size_t) count * HASH_SIZE)
        return finish (self, e);
    bool same = false;
    if (!rc)
        rc = leaves_flush (self, e);
    if (!rc)
        rc = range_compare (self, from, hashes, &same, e);
    if (rc)
        return rc;
    buf_add_slice (&inquiry->ranges[inquiry->count++], hashes);
    inquiry->low = from;
    return same || from == 0 || inquiry->count == LEDGER_INQUIRY_MAX
               ? finish (self, e)
               : inquiry_tick (self, e);
}
