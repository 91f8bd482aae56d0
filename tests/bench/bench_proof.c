/* bench_proof - how long a proof takes in a ledger of many records, and a start
 * with it: an index without a journal, of blocks in two channels, one of which
 * has a single record here and there.
 *
 * Files of 45 octets a record, in $TMPDIR; what is read is in the page cache.
 * usage: bench_proof [--records N] [--proofs N] */
#include "bench.h"

#include "base/clock.h"
#include "ledger/index.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MANY 256       /* records in a block of the channel that has most */
#define SYNC_EACH 4000 /* blocks */

static struct index *begin (const char *dir, struct slice counts) {
    struct error e;
    struct index *index = index_open (dir, counts, &e);
    bench_check (index ? ERR_NONE : e.code, &e, "index");
    return index;
}

static void fill (struct index *index, int64_t records) {
    static const char *const channels[2] = { "many", "rare" };
    struct hash leaves[MANY] = { 0 };
    struct error e;
    int64_t numbers[2] = { 1, 1 };
    int64_t sequence = 0;
    for (int64_t i = 0; sequence < records; i++) {
        size_t count = i % 2 == 0 ? MANY : 1;
        struct block block = { .first_sequence = sequence, .count = count };
        struct block_facts facts = { .channel = slice_text (channels[i % 2]),
                                     .first_channel_sequence = numbers[i % 2] };
        for (size_t n = 0; n < count; n++)
            put_u64 (leaves[n].octets, (uint64_t) sequence + n);
        bench_check (index_add (index, &block, &facts, 0, 0, leaves, &e), &e,
                     "add");
        numbers[i % 2] += (int64_t) count;
        sequence += (int64_t) count;
        if (i % SYNC_EACH == 0)
            bench_check (index_sync (index, &e), &e, "sync");
    }
    bench_check (index_sync (index, &e), &e, "sync");
}

/* ns of this thread's own work: others share the machine. */
static int64_t work_ns (void) {
    struct timespec t;
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

enum kind { INCLUSION, CONSISTENCY, KINDS };

static void prove (const struct index *index, const char *stream,
                   enum kind kind, size_t proofs) {
    static const char *const names[KINDS] = { "inclusion", "consistency" };
    struct index_source from;
    struct tree_source source = index_source (&from, index, stream);
    uint64_t size = (uint64_t) (stream ? index_stream_last (index, stream)
                                       : index_size (index));
    int64_t *took = mem_alloc (proofs * sizeof *took);
    int64_t *work = mem_alloc (proofs * sizeof *work);
    struct hash path[TREE_PATH_MAX];
    size_t length;
    struct error e;
    uint64_t place = 1;
    for (size_t i = 0; i < proofs; i++) {
        place = place * UINT64_C (6364136223846793005) + 1442695040888963407;
        uint64_t n = (place >> 20) % size;
        int64_t start = clock_mono_ns(), before = work_ns();
        enum err rc =
            kind == INCLUSION
                ? tree_inclusion (&source, n, size, path, &length, &e)
                : tree_consistency (&source, n + 1, size, path, &length, &e);
        work[i] = work_ns() - before;
        took[i] = clock_mono_ns() - start;
        bench_check (rc, &e, names[kind]);
    }
    printf ("%-11s  %-6s  %9" PRIu64, names[kind], stream ? stream : "ledger",
            size);
    static const double shares[] = { 0.5, 0.99, 1 };
    for (size_t i = 0; i < 3; i++)
        printf ("  %7.1f  %7.1f",
                (double) bench_percentile (took, proofs, shares[i]) / 1e3,
                (double) bench_percentile (work, proofs, shares[i]) / 1e3);
    printf ("\n");
    free (took);
    free (work);
}

static void empty (const char *dir) {
    DIR *d = opendir (dir);
    for (struct dirent *one; d && (one = readdir (d)) != NULL;)
        unlinkat (dirfd (d), one->d_name, 0);
    if (d)
        closedir (d);
    rmdir (dir);
}

/* Octets of memory that are the program's own. */
static long resident (void) {
    long pages = 0, all = 0, shared = 0;
    FILE *f = fopen ("/proc/self/statm", "r");
    if (f && fscanf (f, "%ld %ld %ld", &all, &pages, &shared) != 3)
        pages = shared = 0;
    if (f)
        fclose (f);
    return (pages - shared) * sysconf (_SC_PAGESIZE);
}

static void run (const char *dir, int64_t records, size_t proofs) {
    struct buf counts = { 0 };
    struct index *index = begin (dir, slice_of (NULL, 0));
    int64_t start = clock_mono_ns();
    fill (index, records);
    double seconds = (double) (clock_mono_ns() - start) / 1e9;
    printf ("made: %.0f records a second, %.1f MB of memory\n",
            (double) records / seconds, (double) resident() / 1e6);
    index_counts (index, &counts);
    index_close (&index);
    start = clock_mono_ns();
    index = begin (dir, buf_slice (&counts));
    printf ("opened in %.1f ms\n\n", (double) (clock_mono_ns() - start) / 1e6);
    printf ("us: time, and CPU time  p50                p99               "
            " most\n");
    static const char *const streams[] = { NULL, "many", "rare" };
    for (size_t i = 0; i < 3; i++)
        for (enum kind kind = INCLUSION; kind < KINDS; kind++)
            prove (index, streams[i], kind, proofs);
    index_close (&index);
    buf_free (&counts);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "records", required_argument, NULL, 'r' },
        { "proofs", required_argument, NULL, 'p' },
        { 0 }
    };
    int64_t records = 10000000;
    size_t proofs = 2000;
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'r')
            records = strtoll (optarg, NULL, 10);
        else if (c == 'p')
            proofs = strtoul (optarg, NULL, 10);
        else
            return 2;
    }
    char dir[256];
    const char *base = getenv ("TMPDIR");
    snprintf (dir, sizeof dir, "%s/parley-proof-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp (dir))
        bench_fail ("no folder '%s'", dir);
    run (dir, records, proofs);
    empty (dir);
    return 0;
}
