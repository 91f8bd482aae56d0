/* bench_plans - what plans cost in memory and time: 1,000 plans of 20 actions
 * that are drawn from the samples' actions, so that as many of all pairs
 * overlap.
 *
 *     bench_plans [PLANS [ACTIONS]]
 *
 * Prints how long it takes to read all (JSON to structure and index), to find
 * one plan's overlaps, to make a page of each listing, and the memory used. */
#include "bench.h"
#include "unit/plan_fixture.h"

#include "base/clock.h"
#include "plans/gaps.h"
#include "plans/overlap.h"

#include <sys/resource.h>
#include <sys/time.h>

#define ROUNDS 21

static struct taxonomy *taxonomy;
static struct plan **plans;
static struct overlaps *found_in;
static int plan_count, action_count;

static int64_t work_us (void) {
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C (1000000)
           + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t memory_kib (void) {
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (!file || fscanf (file, "%*d %ld", &pages) != 1)
        bench_fail ("no /proc/self/statm");
    fclose (file);
    return pages * 4;
}

static void say (const char *what, int64_t *times) {
    printf ("%-46s p50 %8.2f ms, max %8.2f ms\n", what,
            (double) bench_percentile (times, ROUNDS, 0.5) / 1000,
            (double) bench_percentile (times, ROUNDS, 1) / 1000);
}

static void find_bench (const char *what, const struct overlap_query *query) {
    int64_t times[ROUNDS];
    struct overlap_answer answer;
    size_t listed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t before = work_us();
        overlaps_find (found_in, query, &answer);
        times[i] = work_us() - before;
        listed = answer.listed;
        overlap_answer_free (&answer);
    }
    char text[96];
    snprintf (text, sizeof text, "%s (%zu listed)", what, listed);
    say (text, times);
}

static void plan_bench (void) {
    int64_t times[ROUNDS];
    struct overlap_query query = { .limit = 50 };
    struct overlap_answer answer;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t before = work_us();
        struct plan *plan = plans[i * plan_count / ROUNDS];
        overlaps_remove (found_in, plan);
        overlaps_add (found_in, plan);
        overlaps_of (found_in, plan, &query, &answer);
        times[i] = work_us() - before;
        overlap_answer_free (&answer);
    }
    say ("a new plan, with all its overlaps", times);
}

static void gaps_bench (int32_t on) {
    int64_t times[ROUNDS];
    int regions[8];
    static const char *const codes[] = { "001", "AU",    "LAS",      "019",
                                         "EU",  "ASEAN", "SCHENGEN", "GCC" };
    for (int i = 0; i < 8; i++)
        regions[i] = taxonomy_region (taxonomy, slice_text (codes[i]));
    struct gaps_query query = {
        .on = on, .regions = regions, .region_count = 8, .with_thin = true
    };
    for (int i = 0; i < ROUNDS; i++) {
        struct gaps_answer answer;
        int64_t before = work_us();
        gaps_find ((const struct plan *const *) plans, (size_t) plan_count,
                   taxonomy, &query, &answer);
        times[i] = work_us() - before;
        gaps_answer_free (&answer);
    }
    say ("all gaps", times);
}

static void all_read (void) {
    uint64_t seed = 1;
    json_t *samples = sample_documents();
    char **texts = mem_alloc ((size_t) plan_count * sizeof *texts);
    if (!samples)
        bench_fail ("no samples: set PARLEY_SAMPLE to deploy/sample");
    for (int i = 0; i < plan_count; i++) {
        json_t *document = draw_document (&seed, samples, i, action_count);
        texts[i] = json_dumps (document, JSON_COMPACT);
        json_decref (document);
    }
    int64_t memory = memory_kib(), before = work_us();
    for (int i = 0; i < plan_count; i++) {
        json_t *document = json_loads (texts[i], 0, NULL);
        plans[i] = plan_of (document, taxonomy);
        json_decref (document);
        overlaps_add (found_in, plans[i]);
    }
    printf ("%d plans of %d actions: read and indexed in %.0f ms of CPU, "
            "%.1f MiB\n",
            plan_count, action_count, (double) (work_us() - before) / 1000,
            (double) (memory_kib() - memory) / 1024);
    for (int i = 0; i < plan_count; i++)
        free (texts[i]);
    free (texts);
    json_decref (samples);
}

int main (int argc, char **argv) {
    plan_count = argc > 1 ? atoi (argv[1]) : 1000;
    action_count = argc > 2 ? atoi (argv[2]) : 20;
    if (plan_count < ROUNDS || action_count < 1)
        bench_fail ("at least %d plans of one action", ROUNDS);
    taxonomy = taxonomy_base();
    found_in = overlaps_new (taxonomy);
    plans = mem_alloc ((size_t) plan_count * sizeof *plans);
    all_read();
    plan_bench();
    int32_t on = 0;
    struct date date;
    struct error e;
    bench_check (date_read (slice_text ("2024-06-01"), &date, &e), &e, "date");
    on = date.first;
    find_bench ("live overlaps, narrow",
                &(struct overlap_query){
                    .live = true, .on = on, .narrow_only = true, .limit = 50 });
    find_bench ("live overlaps",
                &(struct overlap_query){ .live = true, .on = on, .limit = 50 });
    find_bench ("overlaps of all times",
                &(struct overlap_query){ .limit = 50 });
    find_bench ("live ones of one body",
                &(struct overlap_query){
                    .live = true, .on = on, .entity = "EUROPOL", .limit = 50 });
    gaps_bench (on);
    overlaps_destroy (&found_in);
    for (int i = 0; i < plan_count; i++)
        plan_free (&plans[i]);
    free (plans);
    taxonomy_unref (&taxonomy);
    return 0;
}
