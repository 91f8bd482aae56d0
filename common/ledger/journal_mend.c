/* journal_mend - segments with damage: which records are in it, and the octets
 * that have to stand there. Groups that fail are made again from their blocks;
 * frames follow from these. */
#include "ledger/mend.h"

#include "ledger/journal_impl.h"
#include "ledger/segment_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TORN_MAX (GROUP_HEADER + GROUP_OCTETS_MAX + GROUP_END)
#define SPAN_MAX (UINT64_C (1) << 30) /* octets of damage in a row */

struct mend {
    char *journal_dir;
    struct chain chain;
    const struct mend_visitor *visitor; /* borrowed while it reads */
    int64_t next;                       /* sequence */
    uint64_t group;                     /* number of the next group */
    int64_t hole; /* from there on records are not here; -1: none */
    char place[ERROR_TEXT_MAX];
    struct mend_patch *patches;
    size_t count;
};

int64_t mend_size (const struct mend *self) {
    return self->next;
}

size_t mend_patches (const struct mend *self) {
    return self->count;
}

const struct mend_patch *mend_patch_at (const struct mend *self, size_t n) {
    return &self->patches[n];
}

void mend_destroy (struct mend **self_p) {
    struct mend *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        buf_free (&self->patches[i].octets);
    free (self->patches);
    chain_free (&self->chain);
    free (self->journal_dir);
    free (self);
    *self_p = NULL;
}

/* Blocks. */

static enum err hole_end (struct mend *self, int64_t end, struct error *e) {
    int64_t first = self->hole;
    self->hole = -1;
    if (end >= 0)
        self->next = end;
    return self->visitor->hole (self->visitor->arg, first, end, self->place, e);
}

static enum err deliver (struct mend *self, const struct block *block,
                         bool lost, struct error *e) {
    struct block_facts facts;
    enum err rc = ERR_NONE;
    if (self->hole >= 0 && block->first_sequence > self->hole)
        rc = hole_end (self, block->first_sequence, e);
    if (!rc && block->first_sequence != self->next)
        rc = error_set (e, ERR_DAMAGED,
                        "record %" PRId64 " where %" PRId64 " has to stand",
                        block->first_sequence, self->next);
    if (!rc)
        rc = block_check (block, &facts, e);
    if (!rc)
        rc = self->visitor->block (self->visitor->arg, block, &facts, lost, e);
    self->next += (int64_t) block->count;
    return rc;
}

/* Of a group that is whole. */
static enum err deliver_all (struct mend *self, struct slice blocks,
                             struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && blocks.size > 0) {
        struct block block;
        size_t size;
        rc = block_size (blocks, &size, e);
        if (!rc)
            rc = block_read (slice_of (blocks.data, size), &block, e);
        if (!rc)
            rc = deliver (self, &block, false, e);
        if (!rc)
            blocks = slice_of (blocks.data + size, blocks.size - size);
    }
    return rc;
}

/* Damage. */

/* Octets [at, end) of a segment hold the groups [group, next_group), of which
 * the first is not whole. */
struct span {
    const struct chain_link *link;
    uint64_t at, end, group, next_group;
    bool closing; /* the header at `end` is damaged too: the segment's last */
    uint8_t *octets; /* from `at` */
    size_t size;     /* of [at, end) */
    size_t p;        /* how far they are made again */
    size_t put;      /* blocks that came from elsewhere */
    bool broken;     /* the present group lacks one */
    bool lacks;      /* some group does */
};

/* Does the group end at p? Its end frame may be damaged: then it is seen by what
 * follows, the next group's header or nothing. */
static bool ends_here (const struct span *s, size_t blocks, uint64_t group) {
    struct group_end end;
    uint64_t number;
    const uint8_t *p = s->octets + s->p;
    if (blocks == 0 || s->size - s->p < GROUP_END)
        return false;
    if (s->size - s->p == GROUP_END)
        return group + 1 == s->next_group;
    return group_end_get (p, s->link->header.seed, &end)
           || (s->size - s->p >= GROUP_END + GROUP_HEADER
               && group_header_get (p + GROUP_END, s->at + s->p + GROUP_END,
                                    s->link->header.seed, &number)
               && number == group + 1);
}

/* The block that stands at p, whole. Behind a hole any later one is the next. */
static bool block_stands (const struct mend *self, const struct span *s,
                          size_t p, struct block *block) {
    struct slice rest = slice_of (s->octets + p, s->size - p);
    size_t size;
    if (rest.size <= BLOCK_HEADER || block_size (rest, &size, NULL)
        || size >= rest.size
        || block_read (slice_of (rest.data, size), block, NULL))
        return false;
    return self->hole < 0 ? block->first_sequence == self->next
                          : block->first_sequence > self->hole;
}

/* The first record of the block that is damaged at p. Behind a hole nothing but
 * its own header tells, if that is whole; -1: it can't be. */
static int64_t first_of (const struct mend *self, const struct span *s) {
    if (self->hole < 0)
        return self->next;
    if (s->size - s->p <= BLOCK_HEADER)
        return -1;
    uint64_t first = get_u64 (s->octets + s->p + 16);
    return first <= NUMBER_MAX && (int64_t) first > self->hole ? (int64_t) first
                                                               : -1;
}

static enum err lost_get (struct mend *self, struct span *s,
                          struct block *block, struct error *e) {
    struct slice octets;
    size_t room = s->size - s->p;
    int64_t first = first_of (self, s);
    if (room <= GROUP_END || first < 0)
        return error_set (e, room <= GROUP_END ? ERR_DAMAGED : ERR_NOT_FOUND,
                          "no room, or no place, for record %" PRId64,
                          self->next);
    enum err rc = self->visitor->lost (self->visitor->arg, first,
                                       room - GROUP_END, &octets, e);
    if (rc)
        return rc;
    memcpy (s->octets + s->p, octets.data, octets.size);
    s->put++;
    return block_read (slice_of (s->octets + s->p, octets.size), block, e);
}

static void hole_begin (struct mend *self) {
    if (self->hole < 0)
        self->hole = self->next;
}

/* Over a block that nobody has, by the size that its header states, if another
 * one's header or the group's end stands there. */
static bool pass_over (struct mend *self, struct span *s, size_t blocks,
                       uint64_t group) {
    struct slice rest = slice_of (s->octets + s->p, s->size - s->p), behind;
    size_t size, next;
    if (rest.size <= BLOCK_HEADER || block_size (rest, &size, NULL)
        || size >= rest.size)
        return false;
    behind = slice_of (rest.data + size, rest.size - size);
    struct mend there = *self;
    hole_begin (&there);
    s->p += size;
    if (ends_here (s, blocks + 1, group)
        || (first_of (&there, s) >= 0 && !block_size (behind, &next, NULL))) {
        hole_begin (self);
        s->broken = s->lacks = true;
        return true;
    }
    s->p -= size;
    return false;
}

static enum err block_put (struct mend *self, struct span *s, size_t blocks,
                           uint64_t group, struct error *e) {
    struct block block;
    bool stands = block_stands (self, s, s->p, &block);
    enum err rc = stands ? ERR_NONE : lost_get (self, s, &block, e);
    if (rc == ERR_NOT_FOUND && pass_over (self, s, blocks, group))
        return ERR_NONE;
    if (!rc)
        rc = deliver (self, &block, !stands, e);
    if (!rc)
        s->p += block.octets.size;
    return rc;
}

static enum err group_put (struct mend *self, struct span *s, uint64_t group,
                           struct error *e) {
    uint64_t seed = s->link->header.seed;
    struct group_end end = { 0 };
    enum err rc = ERR_NONE;
    if (s->size - s->p < GROUP_HEADER)
        return error_set (e, ERR_DAMAGED, "no room for a group's header");
    group_header_put (s->octets + s->p, group, s->at + s->p, seed);
    s->p += GROUP_HEADER;
    s->broken = false;
    size_t start = s->p;
    for (; !rc && !ends_here (s, end.blocks, group); end.blocks++)
        rc = block_put (self, s, end.blocks, group, e);
    if (rc)
        return rc;
    if (s->broken) { /* what stands there is of the block that lacks */
        s->p += GROUP_END;
        return ERR_NONE;
    }
    struct slice blocks = slice_of (s->octets + start, s->p - start);
    end.octets = blocks.size;
    end.checksum = hash_xxh3 (blocks, seed);
    group_end_put (s->octets + s->p, &end, seed);
    s->p += GROUP_END;
    return ERR_NONE;
}

static void patch_add (struct mend *self, const struct span *s, int64_t first) {
    self->patches =
        mem_resize (self->patches, (self->count + 1) * sizeof *self->patches);
    struct mend_patch *patch = &self->patches[self->count++];
    *patch = (struct mend_patch){ .segment = s->link->first,
                                  .offset = s->at,
                                  .first = first,
                                  .end = self->next };
    buf_add (&patch->octets, s->octets,
             s->size + (s->closing ? GROUP_HEADER : 0));
}

static enum err span_make (struct mend *self, struct span *s, struct error *e) {
    int64_t first = self->next;
    enum err rc = ERR_NONE;
    for (uint64_t g = s->group; !rc && g < s->next_group; g++)
        rc = group_put (self, s, g, e);
    if (!rc && s->p != s->size)
        rc = error_set (e, s->lacks ? ERR_NOT_FOUND : ERR_DAMAGED,
                        "the blocks of records %" PRId64 " to %" PRId64
                        " do not fill it: the bundles have other pieces",
                        first, self->next - 1);
    if (rc == ERR_NOT_FOUND) { /* to the damage's end, and nothing is put */
        hole_begin (self);
        return ERR_NONE;
    }
    if (!rc && s->closing)
        group_header_put (s->octets + s->size, s->next_group, s->end,
                          s->link->header.seed);
    if (!rc && (!s->lacks || s->put > 0))
        patch_add (self, s, first);
    return rc;
}

static enum err span_read (const struct mend *self, struct span *s,
                           struct error *e) {
    char *path = segment_path (self->journal_dir, s->link->first);
    int fd = disk_open (path, DISK_READ, e);
    enum err rc = fd < 0 ? e->code : ERR_NONE;
    s->size = s->end - s->at;
    if (!rc && s->size > SPAN_MAX)
        rc = error_set (e, ERR_DAMAGED, "%zu octets of damage in a row",
                        s->size);
    if (!rc) {
        s->octets = mem_alloc (s->size + GROUP_HEADER);
        rc = disk_read_at (fd, s->octets, s->size, s->at, e);
    }
    disk_close (&fd);
    free (path);
    return rc;
}

/* Where the damage ends: at a later group's header, or with the segment. *torn:
 * it is what a last append left that was never synced. */
static enum err span_find (const struct mend *self, struct segment_scan *scan,
                           bool last, struct span *s, bool *torn,
                           struct error *e) {
    struct error why = *e;
    bool found;
    s->at = segment_scan_at (scan);
    s->group = self->group;
    uint64_t size = segment_scan_size (scan);
    enum err rc = segment_scan_header_behind (scan, &found, &s->end, e);
    if (!rc && found)
        return segment_scan_skip (scan, s->end, &s->next_group, e);
    *torn = !rc && last && size - s->at <= TORN_MAX;
    if (rc || *torn)
        return rc;
    if (last || size - s->at < GROUP_HEADER) {
        *e = why;
        return ERR_DAMAGED;
    }
    s->closing = true;
    s->end = size - GROUP_HEADER;
    s->next_group = s->link[1].header.first_group;
    return ERR_NONE;
}

/* *end: nothing more is to be read of this segment. */
static enum err damaged (struct mend *self, struct segment_scan *scan,
                         const struct chain_link *link, bool last, bool *end,
                         struct error *e) {
    struct span s = { .link = link };
    snprintf (self->place, sizeof self->place, "%s", e->text);
    enum err rc = span_find (self, scan, last, &s, end, e);
    if (rc || *end)
        return rc;
    rc = span_read (self, &s, e);
    if (!rc)
        rc = span_make (self, &s, e);
    free (s.octets);
    if (rc && rc != ERR_CHAIN)
        error_at (e, "%s", self->place);
    *end = s.closing;
    self->group = s.next_group;
    return rc;
}

/* Segments. */

static enum err segment_begins (const struct mend *self,
                                const struct chain_link *link,
                                struct error *e) {
    if (link->first == self->next && link->header.first_group == self->group)
        return ERR_NONE;
    return error_set (e, ERR_DAMAGED,
                      "segment %" PRId64 " begins in group %" PRIu64
                      ", the one before it ends in front of record %" PRId64
                      " and group %" PRIu64,
                      link->first, link->header.first_group, self->next,
                      self->group);
}

static enum err read_groups (struct mend *self, struct segment_scan *scan,
                             const struct chain_link *link, bool last,
                             struct error *e) {
    enum err rc = ERR_NONE;
    bool end = false;
    while (!rc && !end) {
        struct slice blocks;
        uint64_t offset, group;
        rc = segment_scan_next (scan, &blocks, &offset, &group, e);
        end = rc == ERR_NOT_FOUND;
        if (!rc) {
            self->group = group + 1;
            rc = deliver_all (self, blocks, e);
            if (rc && rc != ERR_CHAIN)
                error_at (e, "segment %" PRId64 " at %" PRIu64, link->first,
                          offset);
        } else if (rc == ERR_DAMAGED) {
            rc = damaged (self, scan, link, last, &end, e);
        }
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err read_segment (struct mend *self, size_t n, struct error *e) {
    const struct chain_link *link = &self->chain.links[n];
    bool last = n + 1 == self->chain.count;
    char *path = segment_path (self->journal_dir, link->first);
    enum err rc = segment_begins (self, link, e);
    struct segment_scan *scan = rc ? NULL : segment_scan_open (path, e);
    if (!rc && !scan)
        rc = e->code;
    if (!rc)
        rc = read_groups (self, scan, link, last, e);
    if (!rc && self->hole >= 0)
        rc = hole_end (self, last ? -1 : link[1].first, e);
    segment_scan_close (&scan);
    free (path);
    return rc;
}

struct mend *mend_read (const char *dir, const struct hash *dialogue,
                        const struct mend_visitor *visitor, struct error *e) {
    struct error own = { 0 };
    if (!e)
        e = &own;
    struct mend *self = mem_alloc (sizeof *self);
    self->journal_dir = journal_path (dir, "journal");
    self->visitor = visitor;
    self->hole = -1;
    enum err rc = chain_load (&self->chain, self->journal_dir, dialogue, e);
    if (!rc)
        self->group = self->chain.links[0].header.first_group;
    for (size_t i = 0; !rc && i < self->chain.count; i++)
        rc = read_segment (self, i, e);
    self->visitor = NULL;
    if (rc)
        mend_destroy (&self);
    return self;
}

enum err mend_write (struct mend *self, struct error *e) {
    return patches_write (self->journal_dir, self->patches, self->count, e);
}
