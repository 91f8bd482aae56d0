/* ledger_inquiry - a checkpoint has another root than our tree: who is wrong, and
 * where do two ledgers part? (PROTOCOL.md sections 8.11 and 8.14)
 *
 * One of a size that we verified contradicts what is held, at once. For a larger
 * one the desk's leaf hashes are fetched from its end back, until they are ours:
 * bounded work, and then either two ledgers were signed, or one that its own
 * leaves do not give, or somebody else spoke on the feed. */
#include "ledger_impl.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 30 /* refused, one after the other or not */
#define AGAIN_MS 1000

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
              " records has another root there than the one of %" PRId64
              " that this agent verified",
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
    if (!inquiry->active || inquiry->call || !self->ready
        || self->now < inquiry->retry)
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
    rc = evidence_leaf (core, &self->verified, own_note, inquiry->first,
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
              " in its checkpoint of %" PRId64 " is another than in the one of "
              "%" PRId64 " that this agent verified",
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
    /* A desk that has too much to do proves nothing, for some time. */
    if (reply->refused && reply->refusal.rule != RULE_NOT_FOUND
        && inquiry->tries++ < TRIES_MAX) {
        inquiry->retry = self->now + AGAIN_MS;
        return ERR_NONE;
    }
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
    /* Where all are the same as ours and none differed before, what we took for
     * the end of our ledger may be of the other one: on, to where that began. */
    bool found = same && inquiry->first >= 0;
    return found || from == 0 || inquiry->count == LEDGER_INQUIRY_MAX
               ? finish (self, e)
               : inquiry_tick (self, e);
}
