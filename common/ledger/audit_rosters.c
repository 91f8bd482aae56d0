/* audit_rosters - which rosters a bundle has, that they chain to the dialogue
 * id, and where each came into force (PROTOCOL.md sections 5.3 and 7.1). */
#include "identity/roster_chain.h"
#include "ledger/audit_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* An array that doubles at each power of two. */
static void *with_room (void *items, size_t count, size_t size) {
    if (count & (count - 1))
        return items;
    return mem_resize (items, (count ? 2 * count : 1) * size);
}

/* The first pass over the blocks. */

static void add_placed (struct audit *self, const struct record *r,
                        const struct roster_payload *payload) {
    self->placed =
        with_room (self->placed, self->placed_count, sizeof *self->placed);
    self->placed[self->placed_count++] =
        (struct audit_roster){ .version = payload->version,
                               .digest = payload->digest,
                               .place = r->sequence,
                               .time = r->log_time };
}

static enum err scan_log (struct audit *self, const struct block *b,
                          struct error *e) {
    struct block_walk w;
    struct record r;
    struct roster_payload payload;
    block_walk (b, &w);
    while (block_next (&w)) {
        enum err rc = record_read (w.record, &r, e);
        if (rc == ERR_NEWER || (!rc && r.type != RECORD_ROSTER))
            continue;
        if (!rc)
            rc = roster_payload_read (r.payload, &payload, e);
        if (!rc && r.sequence != b->first_sequence + (int64_t) w.index)
            rc = error_set (e, ERR_CHAIN, "it says sequence %" PRId64,
                            r.sequence);
        if (rc)
            return error_at (e, "record %" PRId64,
                             b->first_sequence + (int64_t) w.index);
        add_placed (self, &r, &payload);
    }
    return ERR_NONE;
}

static enum err add_range (struct audit *self, const struct block *b,
                           struct error *e) {
    const struct bundle_meta *meta = &self->report->meta;
    int64_t first = b->first_sequence, last = first + (int64_t) b->count - 1;
    const struct audit_range *before =
        self->range_count ? &self->ranges[self->range_count - 1] : NULL;
    if (before && first < before->first + before->count)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": a block from here behind one "
                          "that ends with %" PRId64,
                          first, before->first + before->count - 1);
    if (first < meta->first || last > meta->last)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": outside of the bundle's %" PRId64
                          " to %" PRId64,
                          first < meta->first ? first : last, meta->first,
                          meta->last);
    self->ranges =
        with_room (self->ranges, self->range_count, sizeof *self->ranges);
    self->ranges[self->range_count++] =
        (struct audit_range){ first, (int64_t) b->count };
    return ERR_NONE;
}

static enum err scan_block (struct audit *self, struct slice octets,
                            struct error *e) {
    struct block b;
    struct block_walk w;
    struct record r;
    enum err rc = block_read (octets, &b, e);
    if (!rc)
        rc = add_range (self, &b, e);
    if (rc)
        return rc;
    block_walk (&b, &w);
    if (!block_next (&w))
        return ERR_NONE;
    rc = record_read (w.record, &r, e);
    if (rc && rc != ERR_NEWER)
        return error_at (e, "record %" PRId64, b.first_sequence);
    return slice_is (r.channel, CHANNEL_LOG) ? scan_log (self, &b, e)
                                             : ERR_NONE;
}

enum err audit_scan (struct audit *self, struct error *e) {
    struct slice octets;
    int64_t direct;
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_block (bundle, &direct, &octets, e)))
        if (scan_block (self, octets, e))
            rc = error_at (e, "blocks");
    bundle_close (&bundle);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

bool audit_present (const struct audit *self, int64_t sequence) {
    size_t low = 0, high = self->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct audit_range *range = &self->ranges[middle];
        if (sequence < range->first)
            high = middle;
        else if (sequence >= range->first + range->count)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* The chain. */

static enum err chain (struct audit *self, struct roster *next,
                       struct error *e) {
    if (self->roster_count == 0) {
        enum err rc = roster_founds (next, e);
        if (!rc && !hash_equal (roster_dialogue (next), &self->dialogue)) {
            char found[HASH_TEXT_MAX], wanted[HASH_TEXT_MAX];
            rc = error_set (e, ERR_CHAIN, "it founds the dialogue %s, not %s",
                            hash_text (found, roster_dialogue (next)),
                            hash_text (wanted, &self->dialogue));
        }
        return rc;
    }
    return roster_follows (self->rosters[self->roster_count - 1].roster, next,
                           e);
}

/* The first one is record 0, and one that opens an epoch the record at its base;
 * of all others only their records tell. */
static int64_t known_place (const struct audit *self,
                            const struct roster *next) {
    int64_t size;
    struct hash root;
    if (self->roster_count == 0)
        return 0;
    const struct roster *before = self->rosters[self->roster_count - 1].roster;
    if (roster_epoch (next) == roster_epoch (before)
        || !roster_epoch_base (next, &size, &root))
        return -1;
    return size;
}

static enum err add_roster (struct audit *self, struct slice note,
                            struct error *e) {
    struct roster *next = roster_read (note, e);
    if (!next)
        return e->code;
    enum err rc = chain (self, next, e);
    if (rc) {
        roster_unref (&next);
        return rc;
    }
    self->rosters =
        with_room (self->rosters, self->roster_count, sizeof *self->rosters);
    self->rosters[self->roster_count] =
        (struct audit_roster){ .roster = next,
                               .version = roster_version (next),
                               .digest = *roster_digest (next),
                               .place = known_place (self, next),
                               .time = -1 };
    self->roster_count++;
    return ERR_NONE;
}

static enum err read_rosters (struct audit *self, struct bundle *bundle,
                              struct error *e) {
    struct slice note;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_roster (bundle, &note, e))) {
        int64_t before = self->roster_count
                             ? self->rosters[self->roster_count - 1].version
                             : 0;
        if (add_roster (self, note, e))
            rc = error_at (e, "rosters, the one behind version %" PRId64,
                           before);
    }
    if (rc != ERR_NOT_FOUND)
        return rc;
    return self->roster_count
               ? ERR_NONE
               : error_set (e, ERR_CHAIN, "rosters: there is not even one");
}

/* A record of a roster finds its note: by version, that of the same text. */
static enum err place_one (struct audit *self,
                           const struct audit_roster *placed, struct error *e) {
    for (size_t i = 0; i < self->roster_count; i++) {
        struct audit_roster *r = &self->rosters[i];
        if (!hash_equal (&r->digest, &placed->digest))
            continue;
        if (r->version != placed->version)
            break;
        if (r->place >= 0 && placed->place != r->place)
            return error_set (e, ERR_CHAIN,
                              "record %" PRId64 ": roster version %" PRId64
                              " has its place at %" PRId64,
                              placed->place, r->version, r->place);
        r->place = placed->place;
        r->time = placed->time;
        return ERR_NONE;
    }
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 ": roster version %" PRId64
                      " is not the one in rosters",
                      placed->place, placed->version);
}

/* Places ascend with the versions, as far as they are known: in a bundle of
 * records from 0 on, which has all of $log, each is, lest what came behind a
 * roster be judged by the one before. */
static enum err check_places (const struct audit *self, struct error *e) {
    const struct bundle_meta *meta = &self->report->meta;
    int64_t last = -1;
    for (size_t i = 0; i < self->roster_count; i++) {
        const struct audit_roster *r = &self->rosters[i];
        if (r->place < 0 && meta->first == 0 && self->range_count > 0)
            return error_set (e, ERR_CHAIN,
                              "rosters: no record in blocks brings version "
                              "%" PRId64,
                              r->version);
        if (r->place < 0)
            continue;
        if (r->place <= last)
            return error_set (e, ERR_CHAIN,
                              "blocks, record %" PRId64
                              ": roster version %" PRId64
                              " stands behind a later version at %" PRId64,
                              r->place, r->version, last);
        last = r->place;
    }
    return ERR_NONE;
}

enum err audit_rosters (struct audit *self, struct error *e) {
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = read_rosters (self, bundle, e);
    bundle_close (&bundle);
    for (size_t i = 0; i < self->placed_count && !rc; i++)
        if (place_one (self, &self->placed[i], e))
            rc = error_at (e, "blocks");
    if (!rc)
        rc = check_places (self, e);
    self->report->rosters = (int64_t) self->roster_count;
    return rc;
}

const struct audit_roster *audit_roster_at (const struct audit *self,
                                            int64_t place, int64_t *next) {
    const struct audit_roster *found = NULL;
    *next = INT64_MAX;
    for (size_t i = 0; i < self->roster_count; i++) {
        const struct audit_roster *r = &self->rosters[i];
        if (r->place == place)
            found = r;
        else if (found && r->place > place) {
            *next = r->place;
            break;
        }
    }
    return found;
}

const struct roster *audit_roster_in_force (const struct audit *self,
                                            int64_t sequence) {
    const struct roster *found = NULL;
    for (size_t i = 0; i < self->roster_count; i++) {
        const struct audit_roster *r = &self->rosters[i];
        if (r->place > sequence)
            break;
        found = r->place < 0 ? NULL : r->roster;
    }
    return found;
}

int64_t audit_epoch_at (const struct audit *self, int64_t sequence) {
    int64_t epoch = 1, size;
    struct hash root;
    for (size_t i = 0; i < self->roster_count; i++) {
        const struct roster *r = self->rosters[i].roster;
        if (roster_epoch_base (r, &size, &root) && size <= sequence)
            epoch = roster_epoch (r);
    }
    return epoch;
}
