/* ledger_leaves - the leaf hashes of the ledger: from the feed as they come,
 * from the desk in ranges what lacks, into the store once a turn (PROTOCOL.md
 * sections 8.6, 8.7 and 8.11). */
#include "ledger_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

#define LACK_MS 500   /* the feed may still bring them */
#define RETRY_MS 1000 /* the desk had none, or did not want to */
#define TAIL_MAX (LEAVES_MAX * HASH_SIZE)

static void ranges_drop (struct ledger *self) {
    for (size_t i = 0; i < LEDGER_RANGES; i++) {
        self->ranges[i].call = 0;
        self->ranges[i].answered = false;
        buf_free (&self->ranges[i].hashes);
    }
    self->next = self->size;
}

void leaves_begin (struct ledger *self, int64_t size) {
    self->size = size;
    self->based = 0;
    buf_clear (&self->tail);
    ranges_drop (self);
    self->heard = 0;
    self->lack = self->retry = 0;
    self->catching = true;
}

void leaves_end (struct ledger *self) {
    ranges_drop (self);
    buf_free (&self->tail);
}

/* Into the tree */

enum err leaves_flush (struct ledger *self, struct error *e) {
    struct core *core = self->core;
    if (self->tail.size == 0)
        return ERR_NONE;
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = hashes_add (core->store, HASHES_LEDGER,
                         (const struct hash *) self->tail.data,
                         self->tail.size / HASH_SIZE, e);
    buf_clear (&self->tail);
    return rc;
}

/* The store's sign of what is not there, and no record's hash. */
static bool any_zero (struct slice hashes) {
    static const uint8_t zero[HASH_SIZE];
    for (size_t at = 0; at + HASH_SIZE <= hashes.size; at += HASH_SIZE)
        if (memcmp (hashes.data + at, zero, HASH_SIZE) == 0)
            return true;
    return false;
}

/* Leaves that are held already. Who speaks may be anybody who has the stream's
 * key: said, and judged when a checkpoint speaks. */
static enum err held_compare (struct ledger *self, int64_t first,
                              struct slice hashes, struct error *e) {
    struct core *core = self->core;
    struct hash held[FEED_LEAVES_MAX];
    size_t count = hashes.size / HASH_SIZE;
    if (first + (int64_t) count > self->size)
        count = (size_t) (self->size - first);
    enum err rc = leaves_flush (self, e);
    if (!rc)
        rc = hashes_leaves (core->store, HASHES_LEDGER, (uint64_t) first, count,
                            held, e);
    if (rc || memcmp (held, hashes.data, count * HASH_SIZE) == 0)
        return rc;
    char text[160];
    snprintf (text, sizeof text,
              "the feed gives other leaf hashes for records from %" PRId64
              " on than were given before",
              first);
    return core_notice (core, "LEAVES-DIFFER", true, text, hashes, e);
}

/* Leaves that nobody signed for could go on until the disk is full. */
static int64_t limit (const struct ledger *self) {
    return self->importing ? NUMBER_MAX
                           : self->signed_size + LEDGER_UNSIGNED_MAX;
}

/* What is new of leaves from `first` on. */
static enum err add (struct ledger *self, int64_t first, struct slice hashes,
                     struct error *e) {
    int64_t end = first + (int64_t) (hashes.size / HASH_SIZE);
    if (end > limit (self))
        end = limit (self);
    if (first > self->size || end <= self->size)
        return ERR_NONE;
    size_t skip = (size_t) (self->size - first) * HASH_SIZE;
    buf_add (&self->tail, hashes.data + skip,
             (size_t) (end - self->size) * HASH_SIZE);
    self->size = end;
    self->lack = 0;
    return self->tail.size >= TAIL_MAX ? leaves_flush (self, e) : ERR_NONE;
}

enum err leaves_hear (struct ledger *self, struct slice content,
                      struct error *e) {
    int64_t first;
    struct slice hashes;
    struct error why;
    enum err wrong = feed_leaves_read (content, &first, &hashes, &why);
    if (!wrong && any_zero (hashes))
        wrong = error_set (&why, ERR_MALFORMED, "a leaf hash of zeros");
    if (wrong) {
        log_limited (LOG_WARN, "FEED-LEAVES", "", "why=%s",
                     log_text (why.text));
        return ERR_NONE;
    }
    int64_t end = first + (int64_t) (hashes.size / HASH_SIZE);
    if (end > self->heard)
        self->heard = end;
    if (self->parted)
        return ERR_NONE;
    enum err rc =
        first < self->size ? held_compare (self, first, hashes, e) : ERR_NONE;
    return rc ? rc : add (self, first, hashes, e);
}

/* From the desk */

enum err leaves_ask (struct core *core, int64_t from, int64_t count,
                     int64_t *call, struct error *e) {
    struct buf frame = { 0 };
    wire_range_write (&frame, from, count);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (core->calls, WIRE_LEAVES, frames, 1, call, e);
    buf_free (&frame);
    return rc;
}

enum err leaves_read (const struct reply *reply, int64_t from, int64_t count,
                      struct slice *hashes, struct error *e) {
    int64_t first;
    if (reply->count != 2)
        return error_set (e, ERR_MALFORMED, "leaf hashes in %zu frames",
                          reply->count);
    if (wire_leaves_from_read (reply->frames[0], &first, e))
        return e->code;
    *hashes = reply->frames[1];
    if (first != from || hashes->size % HASH_SIZE != 0
        || hashes->size / HASH_SIZE > (size_t) count)
        return error_set (e, ERR_MALFORMED,
                          "%zu octets of leaf hashes from %" PRId64
                          ", asked for %" PRId64 " from %" PRId64,
                          hashes->size, first, count, from);
    if (any_zero (*hashes))
        return error_set (e, ERR_MALFORMED, "a leaf hash of zeros");
    return ERR_NONE;
}

/* Those that are next, now. */
static enum err ranges_take (struct ledger *self, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < LEDGER_RANGES; i++) {
        struct range *range = &self->ranges[i];
        if (!range->answered || range->from > self->size)
            continue;
        int64_t before = self->size;
        bool is_short = range->hashes.size < (size_t) range->count * HASH_SIZE;
        range->answered = false;
        rc = add (self, range->from, buf_slice (&range->hashes), e);
        buf_free (&range->hashes);
        if (is_short) { /* the desk knows where the ledger ends */
            self->heard = 0;
            self->retry = self->now + RETRY_MS;
            ranges_drop (self);
        }
        if (self->size > before)
            i = SIZE_MAX; /* another one may be next now: from the first */
    }
    return rc;
}

enum err leaves_reply (struct ledger *self, const struct reply *reply,
                       bool *mine, struct error *e) {
    struct range *range = NULL;
    for (size_t i = 0; i < LEDGER_RANGES; i++)
        if (self->ranges[i].call == reply->id)
            range = &self->ranges[i];
    *mine = range != NULL;
    if (!range)
        return ERR_NONE;
    range->call = 0;
    struct slice hashes = { 0 };
    if (reply->refused) {
        self->retry = self->now + RETRY_MS;
        ranges_drop (self);
        return ERR_NONE;
    }
    enum err rc = leaves_read (reply, range->from, range->count, &hashes, e);
    if (rc || self->parted)
        return rc;
    range->answered = true;
    buf_add_slice (&range->hashes, hashes);
    return ranges_take (self, e);
}

static struct range *range_free (struct ledger *self) {
    for (size_t i = 0; i < LEDGER_RANGES; i++)
        if (!self->ranges[i].call && !self->ranges[i].answered)
            return &self->ranges[i];
    return NULL;
}

static enum err ranges_ask (struct ledger *self, int64_t target,
                            struct error *e) {
    if (self->next < self->size)
        self->next = self->size;
    struct range *range;
    while (self->next < target && (range = range_free (self)) != NULL) {
        int64_t left = target - self->next;
        range->from = self->next;
        range->count = left < LEAVES_MAX ? left : LEAVES_MAX;
        enum err rc =
            leaves_ask (self->core, range->from, range->count, &range->call, e);
        if (rc)
            return rc;
        self->next += range->count;
    }
    return ERR_NONE;
}

static enum err unsigned_tell (struct ledger *self, struct error *e) {
    char text[160];
    if (self->unsigned_told)
        return ERR_NONE;
    self->unsigned_told = true;
    snprintf (text, sizeof text,
              "the broker gives out more than %d leaf hashes behind what its "
              "log signed: no more are taken until it signs",
              LEDGER_UNSIGNED_MAX);
    return core_notice (self->core, "LEAVES-UNSIGNED", false, text,
                        (struct slice){ 0 }, e);
}

enum err leaves_tick (struct ledger *self, int64_t now, struct error *e) {
    int64_t target = self->core->size;
    if (self->heard > target)
        target = self->heard;
    enum err rc = leaves_flush (self, e);
    if (!rc && target > limit (self)) {
        target = limit (self);
        if (self->size >= target)
            rc = unsigned_tell (self, e);
    }
    if (rc || self->parted || self->inquiry.active)
        return rc;
    if (self->size >= target) {
        self->catching = false;
        self->lack = 0;
        return ERR_NONE;
    }
    if (!self->lack)
        self->lack = now;
    if (now < self->retry || (!self->catching && now - self->lack < LACK_MS))
        return ERR_NONE;
    rc = ranges_ask (self, target, e);
    return rc == ERR_FULL ? ERR_NONE : rc; /* later, then */
}
