/* repair_tail - a broker's last second: records that no checkpoint covers, and that
 * its promises prove all the same. In main's thread. */
#include "repair_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Promises. */

static int by_sequence (const void *a, const void *b) {
    const struct source_promise *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence > y->sequence ? 1 : -1;
    return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

static enum err two_promises (const struct source_promise *a,
                              const struct source_promise *b, struct error *e) {
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 " was promised to %s, and another one "
                      "at that place to %s",
                      a->sequence, a->exporter, b->exporter);
}

enum err repair_promises (struct repair *self, struct error *e) {
    size_t count = 0, n = 0;
    for (size_t i = 0; i < self->sources.count; i++)
        count += self->sources.all[i].promise_count;
    self->promises = mem_alloc ((count + 1) * sizeof *self->promises);
    self->promise_count = count;
    for (size_t i = 0; i < self->sources.count; i++) {
        const struct source *one = &self->sources.all[i];
        if (one->promise_count > 0)
            memcpy (self->promises + n, one->promises,
                    one->promise_count * sizeof *one->promises);
        n += one->promise_count;
    }
    if (count > 0)
        qsort (self->promises, count, sizeof *self->promises, by_sequence);
    for (size_t i = 1; i < count; i++) {
        const struct source_promise *a = &self->promises[i - 1],
                                    *b = &self->promises[i];
        if (by_sequence (a, b) == 0 && !hash_equal (&a->leaf, &b->leaf))
            return two_promises (a, b, e);
    }
    return ERR_NONE;
}

/* The first of that sequence that this epoch has not made void; NULL. */
static const struct source_promise *promise_of (const struct repair *self,
                                                int64_t sequence,
                                                int64_t epoch) {
    const struct source_promise wanted = { .sequence = sequence,
                                           .epoch = epoch };
    size_t low = 0, high = self->promise_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_sequence (&self->promises[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->promise_count && self->promises[low].sequence == sequence
               ? &self->promises[low]
               : NULL;
}

enum err repair_promised (struct repair *self, int64_t sequence, int64_t epoch,
                          const struct hash *leaf, struct error *e) {
    const struct source_promise *promise = promise_of (self, sequence, epoch);
    if (!promise || hash_equal (&promise->leaf, leaf))
        return ERR_NONE;
    self->contradicted = true;
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 " is not the one that was promised to "
                      "%s at that place: two pasts, which no repair joins",
                      sequence, promise->exporter);
}

/* The end. */

struct tail {
    struct repair *repair;
    int64_t at, wanted; /* sequences: next, behind the last promised one */
    int64_t end;        /* behind the last promised one that is proved */
    int64_t promised, agreed; /* records up to `at` */
    int64_t *from;            /* records of each source, behind `end` */
    struct buf octets;
};

static int64_t wanted_of (const struct repair *self) {
    for (size_t i = self->promise_count; i > 0; i--)
        if (self->promises[i - 1].epoch >= self->counters->epoch)
            return self->promises[i - 1].sequence + 1;
    return 0;
}

static void stop (struct tail *self, int64_t sequence, const char *why) {
    struct repair_report *report = self->repair->report;
    report->stopped = sequence;
    snprintf (report->why, sizeof report->why, "%s", why);
}

/* All up to there is proved. */
static void reached (struct tail *self, int64_t end) {
    struct repair *repair = self->repair;
    struct repair_report *report = repair->report;
    for (size_t i = 0; i < repair->sources.count; i++) {
        report->sources[i].added += self->from[i];
        report->added += self->from[i];
        self->from[i] = 0;
    }
    report->promised = self->promised;
    report->agreed = self->agreed;
    self->end = end;
}

static void record_take (struct tail *self, int64_t sequence, uint8_t voices,
                         size_t which) {
    struct repair *repair = self->repair;
    bool promised = promise_of (repair, sequence, repair->counters->epoch);
    if (!promised && voices < 2) {
        stop (self, sequence,
              "it is promised to nobody here, and one body alone tells of it");
        return;
    }
    self->from[which]++;
    self->promised += promised;
    self->agreed += !promised;
    if (promised)
        reached (self, sequence + 1);
}

/* What can't stand there ends it; what contradicts is an error. */
static enum err block_take (struct tail *self, const struct block *block,
                            size_t which, struct error *e) {
    struct repair *repair = self->repair;
    struct block_facts facts;
    uint8_t voices[BLOCK_RECORDS_MAX];
    enum err rc = block_check (block, &facts, e);
    repair->voices = voices;
    if (!rc)
        rc = repair_block (repair, block, &facts, true, e);
    repair->voices = NULL;
    if (rc && !repair->contradicted) {
        stop (self, block->first_sequence, e->text);
        return ERR_NONE;
    }
    if (rc)
        return rc;
    repair_leaves_keep (repair, block);
    for (size_t i = 0; i < block->count && repair->report->stopped < 0; i++)
        record_take (self, block->first_sequence + (int64_t) i, voices[i],
                     which);
    self->at = block->first_sequence + (int64_t) block->count;
    return ERR_NONE;
}

static enum err step (struct tail *self, struct error *e) {
    struct block block;
    size_t which;
    buf_clear (&self->octets);
    enum err rc = sources_block (&self->repair->sources, self->at, self->wanted,
                                 &self->octets, &which, e);
    if (rc == ERR_NOT_FOUND) {
        stop (self, self->at, "nobody brought it");
        return ERR_NONE;
    }
    if (!rc)
        rc = block_read (buf_slice (&self->octets), &block, e);
    return rc ? rc : block_take (self, &block, which, e);
}

/* Promised, and not reached. */
static enum err lost_list (struct tail *self, struct error *e) {
    struct repair *repair = self->repair;
    struct repair_report *report = repair->report;
    enum err rc = ERR_NONE;
    int64_t last = -1;
    for (size_t i = 0; !rc && i < repair->promise_count; i++) {
        const struct source_promise *promise = &repair->promises[i];
        if (promise->sequence < self->end || promise->sequence == last
            || promise->epoch < repair->counters->epoch)
            continue;
        last = promise->sequence;
        if (report->lost_count++ >= REPAIR_LOST_MAX)
            continue;
        struct repair_lost *lost = &report->lost[report->lost_count - 1];
        size_t which;
        lost->sequence = last;
        snprintf (lost->exporter, sizeof lost->exporter, "%s",
                  promise->exporter);
        buf_clear (&self->octets);
        rc = sources_block (&repair->sources, last, last + 1, &self->octets,
                            &which, e);
        lost->held = !rc;
        rc = rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    }
    return rc;
}

enum err repair_tail (struct repair *self, struct error *e) {
    struct repair_report *report = self->report;
    int64_t from = report->target > 0 ? report->target : report->size;
    struct tail tail = {
        .repair = self, .at = from, .end = from, .wanted = wanted_of (self)
    };
    enum err rc = ERR_NONE;
    if (self->holes || report->open_end || tail.wanted <= from)
        return ERR_NONE;
    tail.from = mem_alloc ((self->sources.count + 1) * sizeof *tail.from);
    while (!rc && report->stopped < 0 && tail.at < tail.wanted)
        rc = step (&tail, e);
    if (!rc && tail.end > from)
        report->target = tail.end;
    if (!rc)
        rc = lost_list (&tail, e);
    free (tail.from);
    buf_free (&tail.octets);
    return rc;
}
