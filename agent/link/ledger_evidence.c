/* ledger_evidence - what contradicts the ledger's tree: records and promises
 * that are not what stands there, and checkpoints of another one. Where signed
 * statements contradict each other, the file that proves it (PROTOCOL.md
 * sections 8.11 and 8.14). */
#include "ledger_impl.h"

#include "base/clock.h"
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

void evidence_put (const struct core *core, struct evidence *evidence,
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
enum err evidence_leaf (const struct core *core, const struct checkpoint *cp,
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
    bool before = false;
    const struct roster *roster =
        roster_chain_at (rosters_chain (core->rosters), sequence);
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = store_told (core->store, "PROMISE-BROKEN", sequence, &before, e);
    if (rc || before)
        return rc;
    rc = evidence_leaf (core, cp, note, sequence, &evidence.leaves[0], e);
    evidence.has_promise =
        roster
        && outbox_promise_at (core->store, roster_epoch (roster), sequence,
                              leaf, &evidence.promise);
    /* All rosters are in each: of thousands that are broken at once, a few. */
    if (!rc && evidence.has_promise && self->proofs < STORE_NOTICES_A_KIND) {
        evidence_put (core, &evidence, cp->size - 1, &json);
        self->proofs++;
    }
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

/* One that came behind its checkpoint is compared with no other any more. */
enum err ledger_promised (struct ledger *self, const struct promise *promise,
                          const struct promise_accepted *accepted, size_t count,
                          struct error *e) {
    struct core *core = self->core;
    const struct roster_chain *chain = rosters_chain (core->rosters);
    struct buf note = { 0 };
    struct checkpoint cp;
    struct hash leaf;
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++) {
        int64_t at = accepted[i].sequence;
        const struct roster *roster = roster_chain_at (chain, at);
        if (!self->has_verified || at >= self->verified.size
            || at >= self->compared || !roster
            || roster_epoch (roster) != promise->epoch)
            continue;
        rc = hashes_leaf (core->store, HASHES_LEDGER, (uint64_t) at, &leaf, e);
        if (rc || hash_equal (&leaf, &accepted[i].leaf))
            continue;
        buf_clear (&note);
        rc = checkpoints_verified (core->store, &cp, &note, e);
        if (!rc)
            rc = evidence_promise (self, &cp, buf_slice (&note), at,
                                   &accepted[i].leaf, e);
    }
    buf_free (&note);
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

/* Each is judged in its own epoch: those at or above the next one's base are
 * void. */
static enum err promises_compare (struct compared *self, int64_t from,
                                  int64_t to, struct error *e) {
    const struct core *core = self->ledger->core;
    const struct roster_chain *chain = rosters_chain (core->rosters);
    size_t count = roster_chain_count (chain);
    enum err rc = ERR_NONE;
    for (size_t n = 0; !rc && n < count && from < to;) {
        int64_t first, end = INT64_MAX;
        int64_t epoch = roster_epoch (roster_chain_nth (chain, n, &first));
        for (n++; n < count; n++)
            if (roster_epoch (roster_chain_nth (chain, n, &end)) != epoch)
                break;
        if (n == count || end > to)
            end = to;
        if (end <= from)
            continue;
        rc = outbox_promises (core->store, epoch, from, end, compare_promise,
                              self, e);
        from = end;
    }
    return rc;
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
    int64_t next = self->compared;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = records_leaves (core->store, self->compared, cp->size,
                             LEDGER_COMPARE, compare_record, one, &next, e);
    if (!rc)
        rc = promises_compare (one, self->compared, next, e);
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
