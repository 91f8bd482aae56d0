/* bench_publish - durable, signed, verified messages a second at the desk, by
 * batch size and window; and how long one publish takes, beside one write and
 * sync of the same octets in the same run.
 *
 * The publisher shares the machine. Batches are signed before the clock starts,
 * since agents sign elsewhere; a promise is checked for its count and signature.
 * With another broker to compare with, they take turns, each with a ledger of
 * its own: the medians of the rounds, and their ratio; and the same of the
 * broker's CPU time a message, which others on the machine disturb less.
 * usage: bench_publish [--broker PATH] [--messages N] [--size OCTETS]
 *                      [--compare PATH [--rounds N]] */
#include "bench.h"

#include "base/clock.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct settings {
    const char *broker, *compare, *extra;
    size_t messages, size, singles, rounds;
};

struct flight {
    struct bench *bench;
    struct bench_link link;
    struct bench_batch *batches;
    size_t count, sent, done;
    size_t accepted;
};

static void publish_next (struct flight *self) {
    struct bench_batch *b = &self->batches[self->sent++];
    struct slice frames[3] = { buf_slice (&b->head), buf_slice (&b->headers),
                               buf_slice (&b->bodies) };
    bench_send (&self->link, WIRE_PUBLISH, frames, 3);
}

/* Returns when it was there (monotonic ns); judging it takes its own time. */
static int64_t promise_take (struct flight *self) {
    struct buf frame = { 0 };
    int64_t id;
    if (bench_receive (&self->link, &id, &frame, 1) != 1)
        bench_fail ("a promise has one frame");
    int64_t came = clock_mono_ns();
    /* Replies may overtake each other; ids count from hello's 1. */
    const struct bench_batch *b = &self->batches[id - 2];
    struct promise promise;
    struct promise_accepted *accepted;
    struct promise_refused *refused;
    size_t accepted_count, refused_count;
    struct error e;
    bench_check (promise_reply_read (buf_slice (&frame), b->ids, b->count,
                                     &promise, &accepted, &accepted_count,
                                     &refused, &refused_count, &e),
                 &e, "promise");
    if (refused_count) {
        char text[REFUSAL_TEXT_MAX];
        bench_fail ("refused: %s", refusal_print (&refused[0].refusal, text));
    }
    const struct roster *roster = self->bench->roster;
    const uint8_t *key = promise_desk_key (roster, promise.key_id, -1);
    if (!key || !promise_signed (&promise, roster_dialogue (roster), key))
        bench_fail ("a promise is not signed");
    self->accepted += accepted_count;
    self->done++;
    free (accepted);
    free (refused);
    buf_free (&frame);
    return came;
}

/* All batches over `lanes` lanes with `window` in flight; messages a second. */
static double rate (struct bench *bench, size_t messages, size_t batch,
                    size_t window, size_t lanes, size_t size) {
    struct flight f = { .bench = bench, .count = messages / batch };
    f.batches = mem_alloc (f.count * sizeof *f.batches);
    int64_t next[16] = { 0 };
    uint64_t first = (uint64_t) clock_mono_ns();
    for (size_t i = 0; i < f.count; i++) {
        bench_batch (bench, 0, first + i % lanes, next[i % lanes] + 1, batch,
                     size, &f.batches[i]);
        next[i % lanes] += (int64_t) batch;
    }
    bench_connect (bench, 0, &f.link);
    int64_t start = clock_mono_ns();
    while (f.done < f.count) {
        while (f.sent < f.count && f.sent - f.done < window)
            publish_next (&f);
        (void) promise_take (&f);
    }
    double seconds = (double) (clock_mono_ns() - start) / 1e9;
    if (f.accepted != f.count * batch)
        bench_fail ("%zu of %zu accepted", f.accepted, f.count * batch);
    bench_disconnect (&f.link);
    for (size_t i = 0; i < f.count; i++)
        bench_batch_free (&f.batches[i]);
    free (f.batches);
    return (double) f.accepted / seconds;
}

static const struct row {
    size_t batch, window, lanes, share; /* of the messages, in percent */
} rows[] = { { 256, 8, 2, 100 }, { 256, 4, 2, 100 }, { 256, 1, 1, 100 },
             { 64, 16, 2, 50 },  { 16, 64, 2, 20 },  { 1, 64, 1, 4 } };
#define ROWS (sizeof rows / sizeof rows[0])

static size_t row_messages (const struct settings *s, const struct row *row) {
    size_t n = s->messages * row->share / 100;
    return n - n % (row->batch * row->lanes);
}

static double row_rate (struct bench *bench, const struct settings *s,
                        const struct row *row) {
    return rate (bench, row_messages (s, row), row->batch, row->window,
                 row->lanes, s->size);
}

static void rates (struct bench *bench, const struct settings *s) {
    printf ("batch  in flight  lanes  messages a second\n");
    for (size_t i = 0; i < ROWS; i++) {
        printf ("%5zu  %9zu  %5zu  %17.0f\n", rows[i].batch, rows[i].window,
                rows[i].lanes, row_rate (bench, s, &rows[i]));
        fflush (stdout);
    }
}

/* What one broker gave in the rounds of a row. */
struct side {
    struct bench *bench;
    int64_t *rates, *works; /* messages a second; CPU ns a message */
};

static void side_round (struct side *self, const struct settings *s,
                        const struct row *row, size_t round) {
    int64_t before = bench_broker_work (self->bench);
    self->rates[round] = (int64_t) row_rate (self->bench, s, row);
    int64_t work = bench_broker_work (self->bench) - before;
    self->works[round] = work / (int64_t) row_messages (s, row);
}

static void compare_row (struct side sides[2], const struct settings *s,
                         const struct row *row) {
    for (size_t r = 0; r < s->rounds; r++) {
        side_round (&sides[r % 2], s, row, r); /* the first meets cold caches */
        side_round (&sides[1 - r % 2], s, row, r);
    }
    double rates[2], works[2];
    for (size_t i = 0; i < 2; i++) {
        rates[i] = (double) bench_percentile (sides[i].rates, s->rounds, 0.5);
        works[i] = (double) bench_percentile (sides[i].works, s->rounds, 0.5);
    }
    printf ("%5zu  %9zu  %5zu  %8.0f  %8.0f  %5.2f  %7.2f  %7.2f  %5.2f\n",
            row->batch, row->window, row->lanes, rates[0], rates[1],
            rates[0] / rates[1], works[0] / 1e3, works[1] / 1e3,
            works[0] / works[1]);
    fflush (stdout);
}

static void compare (struct bench *one, struct bench *other,
                     const struct settings *s) {
    struct side sides[2] = { { .bench = one }, { .bench = other } };
    for (size_t i = 0; i < 2; i++) {
        sides[i].rates = mem_alloc (s->rounds * sizeof *sides[i].rates);
        sides[i].works = mem_alloc (s->rounds * sizeof *sides[i].works);
    }
    printf ("batch  in flight  lanes  messages a second  ratio"
            "  CPU us a message  ratio\n");
    for (size_t i = 0; i < ROWS; i++)
        compare_row (sides, s, &rows[i]);
    for (size_t i = 0; i < 2; i++) {
        free (sides[i].rates);
        free (sides[i].works);
    }
}

/* Publishes one by one, at one broker. */
struct single {
    struct flight flight;
    int64_t *took;
    double p50;
};

static void single_begin (struct single *self, struct bench *bench,
                          const struct settings *s) {
    struct flight *f = &self->flight;
    *f = (struct flight){ .bench = bench, .count = s->singles };
    f->batches = mem_alloc (f->count * sizeof *f->batches);
    self->took = mem_alloc (f->count * sizeof *self->took);
    uint64_t lane = (uint64_t) clock_mono_ns();
    for (size_t i = 0; i < f->count; i++)
        bench_batch (bench, 0, lane, (int64_t) i + 1, 1, s->size,
                     &f->batches[i]);
    bench_connect (bench, 0, &f->link);
}

static void single_publish (struct single *self) {
    size_t n = self->flight.sent;
    int64_t start = clock_mono_ns();
    publish_next (&self->flight);
    self->took[n] = promise_take (&self->flight) - start;
}

static void single_end (struct single *self) {
    struct flight *f = &self->flight;
    bench_disconnect (&f->link);
    for (size_t i = 0; i < f->count; i++)
        bench_batch_free (&f->batches[i]);
    free (f->batches);
    free (self->took);
}

/* The median in us. */
static double print_times (const char *what, int64_t *ns, size_t count) {
    double p50 = (double) bench_percentile (ns, count, 0.5) / 1e3;
    double p99 = (double) bench_percentile (ns, count, 0.99) / 1e3;
    printf ("%-14s   p50 %7.0f us   p99 %7.0f us\n", what, p50, p99);
    return p50;
}

/* In turns, so that all see the same machine and a disk that has just been idle
 * as long; a loop of nothing but syncs finds it awake. */
static void singles (struct bench *const *benches, size_t count,
                     const struct settings *s) {
    struct single all[2];
    for (size_t n = 0; n < count; n++)
        single_begin (&all[n], benches[n], s);
    int64_t *raw = mem_alloc (s->singles * sizeof *raw);
    struct bench_raw *file = bench_raw_open (benches[0], s->size + 300);
    for (size_t i = 0; i < s->singles; i++) {
        for (size_t n = 0; n < count; n++)
            single_publish (&all[(i + n) % count]);
        raw[i] = bench_raw_sync (file);
    }
    bench_raw_close (&file);
    puts ("");
    for (size_t n = 0; n < count; n++)
        all[n].p50 = print_times (n ? "with the other" : "one publish",
                                  all[n].took, s->singles);
    double p50 = print_times ("write and sync", raw, s->singles);
    printf ("ratio of the p50: %.2f", all[0].p50 / p50);
    printf (count > 1 ? "; of the other's: %.2f\n" : "\n",
            all[count - 1].p50 / p50);
    for (size_t n = 0; n < count; n++)
        single_end (&all[n]);
    free (raw);
}

static void run (const struct settings *s) {
    struct bench bench, other;
    bench_begin (&bench, s->broker, s->extra);
    if (s->compare) {
        bench_begin (&other, s->compare, s->extra);
        compare (&bench, &other, s);
        singles ((struct bench *[]){ &bench, &other }, 2, s);
        bench_end (&other);
    } else {
        rates (&bench, s);
        singles ((struct bench *[]){ &bench }, 1, s);
    }
    bench_end (&bench);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "broker", required_argument, NULL, 'b' },
        { "messages", required_argument, NULL, 'm' },
        { "size", required_argument, NULL, 's' },
        { "singles", required_argument, NULL, 'n' },
        { "extra", required_argument, NULL, 'x' },
        { "compare", required_argument, NULL, 'c' },
        { "rounds", required_argument, NULL, 'r' },
        { 0 }
    };
    struct settings s = { .broker = "broker/parley-broker",
                          .extra = "",
                          .messages = 300000,
                          .size = 1008, /* and 16 of salt: a body of 1 KiB */
                          .singles = 1000,
                          .rounds = 5 };
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'b')
            s.broker = optarg;
        else if (c == 'm')
            s.messages = strtoul (optarg, NULL, 10);
        else if (c == 's')
            s.size = strtoul (optarg, NULL, 10);
        else if (c == 'n')
            s.singles = strtoul (optarg, NULL, 10);
        else if (c == 'x')
            s.extra = optarg;
        else if (c == 'c')
            s.compare = optarg;
        else if (c == 'r' && atoi (optarg) > 0)
            s.rounds = strtoul (optarg, NULL, 10);
        else
            return 2;
    }
    run (&s);
    return 0;
}
