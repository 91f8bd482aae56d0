/* marked - what marks say of all streams (PROTOCOL.md section 7.4). */
#include "marked.h"

#include <inttypes.h>
#include <stdlib.h>

#define CACHE 4 /* newest marks; one place more is for an older one */

struct marked {
    struct state *state; /* borrowed */
    struct said cache[CACHE + 1];
    struct buf scratch; /* a block */
};

static void said_end (struct said *self) {
    roster_unref (&self->roster);
    free (self->names);
    free (self->streams);
    free (self->nodes);
    *self = (struct said){ 0 };
}

struct marked *marked_new (struct state *state) {
    struct marked *self = mem_alloc (sizeof *self);
    self->state = state;
    return self;
}

void marked_destroy (struct marked **self_p) {
    if (!self_p || !*self_p)
        return;
    struct marked *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i <= CACHE; i++)
        said_end (&self->cache[i]);
    buf_free (&self->scratch);
    free (self);
}

/* Records */

enum err marked_record (struct marked *self, int64_t sequence,
                        struct record *out, struct error *e) {
    struct block block;
    struct block_walk walk;
    enum err rc =
        journal_read (state_journal (self->state), sequence, &self->scratch, e);
    if (!rc)
        rc = block_read (buf_slice (&self->scratch), &block, e);
    if (rc)
        return rc;
    block_walk (&block, &walk);
    while (block_next (&walk))
        if (block.first_sequence + (int64_t) walk.index == sequence)
            return record_read (walk.record, out, e);
    return error_set (e, ERR_DAMAGED, "record %" PRId64 " is not in its block",
                      sequence);
}

static enum err no_mark (int64_t sequence, const char *why, struct error *e) {
    return error_set (e, ERR_NOT_FOUND, "record %" PRId64 " %s", sequence, why);
}

/* A mark of ours that says something. An older epoch's salts were made with a
 * key that we may not have. */
static enum err mark_find (struct marked *self, int64_t sequence,
                           struct hash *root, struct roster **roster,
                           struct error *e) {
    struct record r;
    struct mark_payload mark;
    enum err rc = marked_record (self, sequence, &r, e);
    if (rc)
        return rc;
    if (r.type != RECORD_MARK)
        return no_mark (sequence, "is no mark", e);
    rc = mark_payload_read (r.payload, &mark, e);
    if (rc)
        return rc;
    if (!mark.has_root)
        return no_mark (sequence, "is a mark that proves nothing", e);
    struct roster *now = state_roster (self->state, NULL);
    bool ours = roster_epoch (now) == r.epoch;
    roster_unref (&now);
    if (!ours)
        return no_mark (sequence, "is a mark of another epoch", e);
    *root = mark.root;
    *roster = state_roster_of (self->state, r.roster);
    return *roster ? ERR_NONE
                   : error_set (e, ERR_DAMAGED,
                                "mark %" PRId64 " names no roster", sequence);
}

/* What a mark says */

static enum err stream_say (struct journal *journal, int64_t mark,
                            const uint8_t *veil, const char *name,
                            struct mark_stream *out, struct error *e) {
    struct index_source holder;
    struct tree_source source = journal_source (&holder, journal, name);
    *out = (struct mark_stream){ .name = slice_text (name) };
    out->salt = mark_salt (veil, out->name, mark);
    enum err rc =
        journal_stream_below (journal, name, mark, &out->count, &out->last, e);
    if (!rc)
        rc = tree_source_root (&source, (uint64_t) out->count, &out->root, e);
    return rc;
}

/* All agents ask behind each mark, for all streams that they read: no path is
 * made of leaves each time. */
static void nodes_fill (struct said *self) {
    struct hash *at = self->nodes;
    for (size_t size = self->count; size > 1; size = (size + 1) / 2) {
        struct hash *above = at + size;
        for (size_t i = 0; i + 1 < size; i += 2)
            above[i / 2] = hash_node (&at[i], &at[i + 1]);
        if (size % 2)
            above[size / 2] = at[size - 1];
        at = above;
    }
}

static enum err said_fill (struct marked *self, int64_t mark, struct said *out,
                           struct error *e) {
    struct hash root, own;
    enum err rc = mark_find (self, mark, &root, &out->roster, e);
    if (rc)
        return rc;
    const uint8_t *veil = identity_veil (state_identity (self->state));
    out->count = mark_streams (out->roster);
    out->names = mem_alloc (out->count * sizeof *out->names);
    out->streams = mem_alloc (out->count * sizeof *out->streams);
    /* Not more than twice as many, and one a level that stands for itself. */
    out->nodes = mem_alloc ((2 * out->count + 64) * sizeof *out->nodes);
    for (size_t n = 0; !rc && n < out->count; n++) {
        mark_stream_name (out->roster, n, out->names[n]);
        rc = stream_say (state_journal (self->state), mark, veil, out->names[n],
                         &out->streams[n], e);
        out->nodes[n] = mark_leaf (&out->streams[n]);
    }
    own = tree_root_of (out->nodes, out->count);
    nodes_fill (out);
    if (!rc && !hash_equal (&own, &root))
        rc = error_set (e, ERR_DAMAGED,
                        "the streams' root of mark %" PRId64
                        " is not that of the ledger",
                        mark);
    out->mark = mark;
    return rc;
}

/* Where it is kept: for an older mark than all that are, in the place for
 * such. */
static struct said *place_for (struct marked *self, int64_t mark) {
    struct said *oldest = &self->cache[0];
    for (size_t i = 1; i < CACHE; i++)
        if (self->cache[i].mark < oldest->mark)
            oldest = &self->cache[i];
    return mark > oldest->mark ? oldest : &self->cache[CACHE];
}

enum err marked_find (struct marked *self, int64_t mark,
                      const struct said **out, struct error *e) {
    struct said *place = NULL;
    for (size_t i = 0; i <= CACHE && mark > 0; i++)
        if (self->cache[i].mark == mark)
            place = &self->cache[i];
    *out = place;
    if (place)
        return ERR_NONE;
    struct said made = { 0 };
    enum err rc = said_fill (self, mark, &made, e);
    if (rc) {
        said_end (&made);
        return rc;
    }
    place = place_for (self, mark);
    said_end (place);
    *place = made;
    *out = place;
    return ERR_NONE;
}

void said_claim (const struct said *said, size_t n, struct mark_claim *out) {
    out->stream = said->streams[n];
    out->index = (int64_t) n;
    const struct hash *at = said->nodes;
    out->path_length = 0;
    for (size_t size = said->count; size > 1; size = (size + 1) / 2, n /= 2) {
        if ((n ^ 1) < size)
            out->path[out->path_length++] = at[n ^ 1];
        at += size;
    }
}
