/* journal_chain - the segments as they stand on disk, and the rules of
 * recovery (PROTOCOL.md section 7.6). Nothing is changed here. */
#include "ledger/journal_impl.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* What the octets of one torn append can be at most. */
#define TORN_MAX (GROUP_HEADER + GROUP_OCTETS_MAX + GROUP_END)
#define DIGITS 20

/* Names. */

static bool parse_name (const char *name, const char *suffix, int64_t *number) {
    uint64_t value = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        uint64_t digit = (uint64_t) (name[i] - '0');
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = (int64_t) value;
    return strcmp (name + DIGITS, suffix) == 0;
}

static int compare_numbers (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

enum err journal_list (const char *dir, const char *suffix, int64_t **out,
                       size_t *count, struct error *e) {
    DIR *d = opendir (dir);
    if (!d && errno == ENOENT)
        return error_set (e, ERR_NOT_FOUND, "there is no folder '%s'", dir);
    if (!d)
        return error_sys (e, errno, "open folder '%s'", dir);
    struct buf numbers = { 0 };
    int64_t number;
    errno = 0;
    for (struct dirent *one; (one = readdir (d)) != NULL; errno = 0)
        if (parse_name (one->d_name, suffix, &number))
            buf_add (&numbers, &number, sizeof number);
    enum err rc =
        errno ? error_sys (e, errno, "read folder '%s'", dir) : ERR_NONE;
    closedir (d);
    if (rc) {
        buf_free (&numbers);
        return rc;
    }
    *count = numbers.size / sizeof number;
    if (*count > 0)
        qsort (numbers.data, *count, sizeof number, compare_numbers);
    *out = (int64_t *) (void *) numbers.data;
    return ERR_NONE;
}

/* Headers. */

static enum err load_link (struct chain_link *link, const char *path,
                           const struct hash *dialogue, struct error *e) {
    struct segment_scan *scan = segment_scan_open (path, e);
    if (!scan)
        return e->code;
    link->header = *segment_scan_header (scan);
    link->size = segment_scan_size (scan);
    segment_scan_close (&scan);
    if (!hash_equal (&link->header.dialogue, dialogue))
        return error_set (e, ERR_DAMAGED,
                          "'%s' at 8: it belongs to another dialogue", path);
    if (link->header.first_sequence != link->first)
        return error_set (e, ERR_DAMAGED,
                          "'%s' at 40: it begins with record %" PRId64
                          ", its name says another",
                          path, link->header.first_sequence);
    return ERR_NONE;
}

/* `before` is NULL for the first. */
static enum err check_link (const struct chain_link *link,
                            const struct chain_link *before, const char *path,
                            struct error *e) {
    if (!before && link->first != 0)
        return error_set (e, ERR_DAMAGED,
                          "'%s' is the first segment: those from record 0 "
                          "are missing",
                          path);
    uint64_t size = before ? before->size : 0;
    if (link->header.octets_before != size)
        return error_set (e, ERR_DAMAGED,
                          "'%s' at 56: the segment before it had %" PRIu64
                          " octets when it was closed, it has %" PRIu64
                          " now, or one is missing",
                          path, link->header.octets_before, size);
    return ERR_NONE;
}

enum err chain_load (struct chain *self, const char *journal_dir,
                     const struct hash *dialogue, struct error *e) {
    *self = (struct chain){ .dir = journal_dir };
    int64_t *firsts;
    enum err rc = journal_list (journal_dir, ".seg", &firsts, &self->count, e);
    if (rc)
        return rc;
    if (self->count == 0)
        rc = error_set (e, ERR_NOT_FOUND, "'%s' holds no segment", journal_dir);
    self->links = mem_alloc ((self->count + 1) * sizeof *self->links);
    for (size_t i = 0; !rc && i < self->count; i++) {
        struct chain_link *link = &self->links[i];
        link->first = firsts[i];
        char *path = segment_path (journal_dir, link->first);
        rc = load_link (link, path, dialogue, e);
        if (!rc)
            rc = check_link (link, i > 0 ? link - 1 : NULL, path, e);
        free (path);
    }
    free (firsts);
    if (rc)
        chain_free (self);
    return rc;
}

void chain_free (struct chain *self) {
    free (self->links);
    *self = (struct chain){ 0 };
}

/* One segment. */

/* What is read, and how far. */
struct reading {
    const struct chain_link *link;
    const char *path;
    struct segment_scan *scan;
    uint64_t stop; /* where the tail begins; of a closed segment its size */
    int64_t next;  /* sequence */
    uint64_t group;
    int64_t from; /* blocks below are not shown to the visitor */
    const struct chain_visitor *visitor; /* NULL: only the order is checked */
    bool not_whole;                      /* what failed is no whole group */
};

static enum err visit_block (struct reading *self, const struct block *block,
                             uint64_t offset, struct error *e) {
    const struct chain_visitor *visitor = self->visitor;
    if (!visitor || self->next <= self->from)
        return ERR_NONE;
    struct block_facts facts;
    enum err rc = block_check (block, &facts, e);
    if (rc) {
        e->code = ERR_DAMAGED;
        return error_at (e, "'%s' at %" PRIu64, self->path, offset);
    }
    rc = visitor->block (visitor->arg, block, &facts, self->link->first, offset,
                         e);
    return rc ? error_at (e, "'%s' at %" PRIu64, self->path, offset) : rc;
}

static enum err read_block (struct reading *self, struct slice octets,
                            uint64_t offset, struct error *e) {
    struct block block;
    enum err rc = block_read (octets, &block, e);
    if (!rc && block.first_sequence != self->next)
        rc = error_set (e, ERR_CHAIN,
                        "record %" PRId64 " where %" PRId64 " has to stand",
                        block.first_sequence, self->next);
    if (rc) {
        /* Its group is whole: we wrote it so, or somebody who knows how. */
        e->code = ERR_DAMAGED;
        return error_at (e, "'%s' at %" PRIu64, self->path, offset);
    }
    self->next += (int64_t) block.count;
    return visit_block (self, &block, offset, e);
}

static enum err read_group (struct reading *self, struct slice blocks,
                            uint64_t offset, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && blocks.size > 0) {
        size_t size;
        rc = block_size (blocks, &size, e);
        if (!rc)
            rc = read_block (self, slice_of (blocks.data, size), offset, e);
        if (rc)
            break;
        offset += size;
        blocks = slice_of (blocks.data + size, blocks.size - size);
    }
    return rc;
}

/* ERR_NOT_FOUND at the end. *last: what was whole, with header and end. */
static enum err read_next (struct reading *self, uint64_t *last_offset,
                           uint64_t *last_octets, struct error *e) {
    uint64_t at = segment_scan_at (self->scan);
    if (at >= self->stop)
        return error_set (e, ERR_NOT_FOUND, "'%s' ends", self->path);
    struct slice blocks;
    uint64_t offset, group;
    enum err rc = segment_scan_next (self->scan, &blocks, &offset, &group, e);
    self->not_whole = rc == ERR_DAMAGED;
    if (rc)
        return rc;
    *last_offset = at;
    *last_octets = segment_scan_at (self->scan) - at;
    self->group = group + 1;
    return read_group (self, blocks, offset, e);
}

static enum err reading_begin (struct reading *self,
                               const struct chain_link *link, char *path,
                               struct error *e) {
    *self = (struct reading){ .link = link,
                              .path = path,
                              .stop = link->size,
                              .next = link->first,
                              .group = link->header.first_group };
    self->scan = segment_scan_open (path, e);
    return self->scan ? ERR_NONE : e->code;
}

/* The tail. */

/* What stands at the end is no whole group. It may be cut only if it can be
 * what one append left that was never synced: no header behind it, and no more
 * octets than one group has. */
static enum err judge_torn (struct reading *self, struct chain_tail *out,
                            struct error *e) {
    struct error why = *e;
    bool behind;
    uint64_t offset;
    enum err rc = segment_scan_header_behind (self->scan, &behind, &offset, e);
    if (rc)
        return rc;
    uint64_t torn = segment_scan_size (self->scan) - out->at;
    if (behind)
        return error_set (e, ERR_DAMAGED,
                          "%s; the header of a later group stands at %" PRIu64
                          ", so this one was synced",
                          why.text, offset);
    if (torn > TORN_MAX)
        return error_set (e, ERR_DAMAGED,
                          "%s; %" PRIu64 " octets follow, one group has at "
                          "most %d",
                          why.text, torn, TORN_MAX);
    out->torn = torn;
    memcpy (out->why, why.text, sizeof out->why);
    return ERR_NONE;
}

static enum err find_tail (struct reading *self, struct chain_tail *out,
                           struct error *e) {
    enum err rc;
    do
        rc = read_next (self, &out->last_offset, &out->last_octets, e);
    while (!rc);
    out->at = segment_scan_at (self->scan);
    out->group = self->group;
    out->next = self->next;
    out->header =
        rc == ERR_NOT_FOUND && segment_scan_size (self->scan) > out->at;
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    return self->not_whole ? judge_torn (self, out, e) : rc;
}

enum err chain_tail (const struct chain *self, struct chain_tail *out,
                     struct error *e) {
    *out = (struct chain_tail){ 0 };
    const struct chain_link *link = &self->links[self->count - 1];
    char *path = segment_path (self->dir, link->first);
    struct reading reading;
    enum err rc = reading_begin (&reading, link, path, e);
    if (!rc)
        rc = find_tail (&reading, out, e);
    segment_scan_close (&reading.scan);
    free (path);
    return rc;
}

/* All of them. */

static enum err check_first (const struct reading *self, int64_t next,
                             uint64_t group, struct error *e) {
    if (self->next != next || self->group != group)
        return error_set (e, ERR_DAMAGED,
                          "'%s' at 40: it begins with record %" PRId64
                          " in group %" PRIu64 ", the segment before it ends "
                          "before record %" PRId64 " and group %" PRIu64,
                          self->path, self->next, self->group, next, group);
    return ERR_NONE;
}

static enum err read_segment (struct reading *self, struct error *e) {
    uint64_t last_offset, last_octets;
    enum err rc;
    do
        rc = read_next (self, &last_offset, &last_octets, e);
    while (!rc);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The link that holds the sequence: the last that begins at or before it. */
static size_t link_of (const struct chain *self, int64_t sequence) {
    size_t n = self->count - 1;
    while (n > 0 && self->links[n].first > sequence)
        n--;
    return n;
}

enum err chain_walk (const struct chain *self, const struct chain_tail *tail,
                     int64_t from, const struct chain_visitor *visitor,
                     struct error *e) {
    enum err rc = ERR_NONE;
    int64_t next = 0;
    uint64_t group = 0;
    size_t begin = link_of (self, from);
    for (size_t i = begin; !rc && i < self->count; i++) {
        char *path = segment_path (self->dir, self->links[i].first);
        bool closed = i + 1 < self->count;
        struct reading reading;
        rc = reading_begin (&reading, &self->links[i], path, e);
        if (!rc && i > begin)
            rc = check_first (&reading, next, group, e);
        reading.from = from;
        reading.visitor = visitor;
        if (!closed)
            reading.stop = tail->at;
        if (!rc)
            rc = read_segment (&reading, e);
        if (!rc && closed && visitor->closed)
            rc = visitor->closed (visitor->arg, e);
        next = reading.next;
        group = reading.group;
        segment_scan_close (&reading.scan);
        free (path);
    }
    return rc;
}
