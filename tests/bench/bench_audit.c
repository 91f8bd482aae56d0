/* bench_audit - how fast a bundle is checked: one whole channel, signed batches,
 * a mark each minute of its time, a claim at the last one and a checkpoint.
 *
 * usage: bench_audit [--messages N] [--batch N] [--body OCTETS]
 *                    [--rounds N] */
#include "bench.h"

#include "base/clock.h"
#include "ledger/audit.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MARK_EVERY 8192 /* messages */

struct making {
    struct bench *bench;
    struct bundle_writer *out;
    struct block_writer *block;
    struct record next;          /* what the next record has in common */
    int64_t logs, messages;      /* channel sequences so far */
    struct tree ledger, channel; /* the channel: of messages */
    int64_t last;                /* message */
    struct buf record, octets;
};

static void put (struct making *self, struct record *r, struct slice body) {
    buf_clear (&self->record);
    record_write (&self->record, r);
    if (!block_add (self->block, buf_slice (&self->record), body,
                    body.size ? BODY_PRESENT : BODY_NONE))
        bench_fail ("a block is full");
    struct hash leaf = record_leaf (buf_slice (&self->record));
    tree_add (&self->ledger, &leaf);
    if (r->type == RECORD_MESSAGE)
        tree_add (&self->channel, &leaf);
    self->next.sequence++;
}

static void finish (struct making *self) {
    struct error e;
    buf_clear (&self->octets);
    block_finish (self->block, &self->octets);
    bench_check (bundle_add_block (self->out, 0, buf_slice (&self->octets), &e),
                 &e, "block");
}

static void put_log (struct making *self, enum record_type type,
                     const struct buf *payload, struct slice body) {
    struct record r = self->next;
    r.type = type;
    r.channel = slice_text (CHANNEL_LOG);
    r.channel_sequence = ++self->logs;
    r.payload = buf_slice (payload);
    block_begin (self->block, r.sequence);
    block_no_run (self->block);
    put (self, &r, body);
    finish (self);
}

static void put_roster (struct making *self) {
    struct slice note = roster_octets (self->bench->roster);
    struct buf payload = { 0 };
    struct error e;
    struct roster_payload p = { .version = roster_version (self->bench->roster),
                                .digest = *roster_digest (self->bench->roster),
                                .note_length = (int64_t) note.size,
                                .note_hash = hash_blake2b (note) };
    roster_payload_write (&payload, &p);
    bench_check (bundle_add_roster (self->out, p.version, note, &e), &e,
                 "roster");
    put_log (self, RECORD_ROSTER, &payload, note);
    buf_free (&payload);
}

/* And the claim of the channel at it, where it is the last. */
static void put_mark (struct making *self, bool is_last) {
    const struct roster *roster = self->bench->roster;
    struct buf payload = { 0 };
    struct error e;
    struct hash leaves[2], path[TREE_PATH_MAX];
    struct bundle_claim claim = { .mark = self->next.sequence };
    struct mark_stream direct = { .name = slice_text ("@BENCH"), .last = -1 };
    struct mark_stream *channel = &claim.claim.stream;
    *channel = (struct mark_stream){ .name = slice_text (BENCH_CHANNEL),
                                     .last = self->last,
                                     .count = self->messages,
                                     .root = tree_root (&self->channel) };
    direct.root = tree_root_of (NULL, 0);
    leaves[0] = mark_leaf (channel);
    leaves[1] = mark_leaf (&direct);
    struct mark_payload p = { .roster_version = roster_version (roster),
                              .roster_digest = *roster_digest (roster),
                              .has_root = true,
                              .root = tree_root_of (leaves, 2) };
    claim.claim.path_length = tree_path (leaves, 2, 0, path);
    claim.claim.path[0] = path[0];
    mark_payload_write (&payload, &p);
    put_log (self, RECORD_MARK, &payload, (struct slice){ 0 });
    if (is_last)
        bench_check (bundle_add_claim (self->out, &claim, &e), &e, "claim");
    buf_free (&payload);
}

static void put_batch (struct making *self, size_t count, size_t size) {
    struct bench_batch made;
    struct refusal why;
    struct batch *batch = mem_alloc (sizeof *batch);
    bench_batch (self->bench, 0, 7, self->messages + 1, count, size, &made);
    if (batch_read (buf_slice (&made.head), buf_slice (&made.headers),
                    buf_slice (&made.bodies),
                    roster_dialogue (self->bench->roster), batch, &why))
        bench_fail ("a batch is not read");
    block_begin (self->block, self->next.sequence);
    block_run (self->block, RUN_WHOLE, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        struct record r = self->next;
        r.channel = slice_text (BENCH_CHANNEL);
        r.channel_sequence = ++self->messages;
        r.previous = self->last;
        r.payload = batch->items[i].message.octets;
        r.batch_size = count;
        r.batch_index = i;
        r.signature = batch->signature;
        self->last = r.sequence;
        put (self, &r, batch->items[i].body);
    }
    finish (self);
    self->next.log_time += 10;
    batch_clear (batch);
    free (batch);
    bench_batch_free (&made);
}

static void put_checkpoint (struct making *self) {
    struct checkpoint cp = { .size = self->next.sequence,
                             .root = tree_root (&self->ledger) };
    struct buf note = { 0 };
    struct error e;
    checkpoint_origin (self->bench->roster, cp.origin);
    checkpoint_sign (&cp, self->bench->broker, &note);
    bench_check (bundle_add_checkpoint (self->out, buf_slice (&note), &e), &e,
                 "checkpoint");
    buf_free (&note);
}

static void make (struct bench *bench, const char *dir, size_t messages,
                  size_t batch, size_t size) {
    struct error e;
    struct bundle_meta meta = { .dialogue = *roster_dialogue (bench->roster),
                                .exporter = "BENCH/a",
                                .made = clock_wall_ms(),
                                .last = NUMBER_MAX,
                                .filter = "#" };
    struct making self = { .bench = bench,
                           .out = bundle_create (dir, &meta, &e),
                           .block = block_writer_new(),
                           .next = { .format = 1,
                                     .log_time = clock_wall_ms(),
                                     .epoch = 1,
                                     .previous = -1 },
                           .last = -1 };
    if (!self.out)
        bench_fail ("%s", e.text);
    put_roster (&self);
    put_mark (&self, false);
    for (size_t done = 0; done < messages; done += batch) {
        put_batch (&self, batch, size);
        if ((done + batch) / MARK_EVERY > done / MARK_EVERY)
            put_mark (&self, false);
    }
    put_mark (&self, true);
    put_checkpoint (&self);
    bench_check (bundle_finish (self.out, &e), &e, "bundle");
    bundle_writer_destroy (&self.out);
    block_writer_destroy (&self.block);
    buf_free (&self.record);
    buf_free (&self.octets);
}

static double seconds (clockid_t clock) {
    struct timespec t;
    clock_gettime (clock, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void check (const char *dir) {
    struct audit_report r;
    struct error e;
    double wall = seconds (CLOCK_MONOTONIC),
           own = seconds (CLOCK_THREAD_CPUTIME_ID);
    bench_check (audit_check (dir, NULL, NULL, NULL, &r, &e), &e, "audit");
    wall = seconds (CLOCK_MONOTONIC) - wall;
    own = seconds (CLOCK_THREAD_CPUTIME_ID) - own;
    if (r.settled.size != r.records || r.stream_count != 1
        || r.streams[0].count != r.messages)
        bench_fail ("the report lacks what was there");
    printf ("%" PRId64 " records, %" PRId64 " signatures: %.2f s, %.0f records "
            "a second of this core's time (%.0f by the clock)\n",
            r.records, r.signatures, wall, (double) r.records / own,
            (double) r.records / wall);
    audit_report_free (&r);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "messages", required_argument, NULL, 'm' },
        { "batch", required_argument, NULL, 'b' },
        { "body", required_argument, NULL, 'o' },
        { "rounds", required_argument, NULL, 'r' },
        { 0 }
    };
    size_t messages = 262144, batch = 256, body = 1008, rounds = 3;
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        size_t n = optarg ? strtoul (optarg, NULL, 10) : 0;
        if (n == 0)
            return 2;
        *(c == 'm'   ? &messages
          : c == 'b' ? &batch
          : c == 'o' ? &body
                     : &rounds) = n;
    }
    struct bench bench;
    char dir[300];
    bench_dialogue (&bench);
    snprintf (dir, sizeof dir, "%s/bundle", bench.dir);
    make (&bench, dir, messages, batch, body);
    for (size_t i = 0; i < rounds; i++)
        check (dir);
    bench_end (&bench);
    return 0;
}
