/* bench_hostile - what one body can make others' agents do about plans: as large
 * ones as there may be, one after the other, and annexes that are wrong as often
 * as they are tried.
 *
 *     bench_hostile [PLANS [ANNEXES]]
 *
 * Prints the longest settling in CPU time, which is how long the model's writer holds its
 * readers up, and the memory used. PARLEY_SAMPLE as for bench_plans. */
#include "bench.h"
#include "unit/plan_fixture.h"

#include "plans/model.h"

#include <time.h>

#define ACTIONS 1000 /* as many as a plan may have */
#define ANNEX 15     /* as many as 32 annexes may have with these */
#define PRIORITY "organized-crime/drugs-trafficking"

static json_t *documents[4096]; /* by sequence */
static int64_t sequence;
static struct model *model;

static json_t *load (void *arg, const struct origin *origin) {
    (void) arg;
    return json_incref (documents[origin->sequence]);
}

static int64_t memory_kib (void) {
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (!file || fscanf (file, "%*d %ld", &pages) != 1)
        bench_fail ("no /proc/self/statm");
    fclose (file);
    return pages * 4;
}

static int64_t cpu_ns (void) {
    struct timespec at;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &at);
    return at.tv_sec * INT64_C (1000000000) + at.tv_nsec;
}

/* Of one record; the document is taken. */
static double settle_ms (const char *topic, json_t *document) {
    struct model_record record = { .topic = slice_text (topic),
                                   .document = document };
    record.origin = (struct origin){ .sequence = sequence };
    snprintf (record.origin.channel, sizeof record.origin.channel, "all");
    snprintf (record.origin.author, sizeof record.origin.author, "%.*s/hq",
              (int) strcspn (strchr (strchr (topic, '/') + 1, '/') + 1, "/"),
              strchr (strchr (topic, '/') + 1, '/') + 1);
    documents[sequence++] = document;
    int64_t before = cpu_ns();
    model_add (model, &record);
    model_settle (model);
    return (double) (cpu_ns() - before) / 1e6;
}

static json_t *action (int number, const char *lead, const char *from) {
    char id[16];
    snprintf (id, sizeof id, "A%d", number);
    return json_pack ("{ss ss ss s[ss] s[s] ss ss ss}", "id", id, "title", "T",
                      "kind", "operation", "priorities", PRIORITY,
                      "counter-terrorism", "regions", "001", "from", from,
                      "lead", lead, "status", "active");
}

static json_t *actions (const char *lead, int from, int count,
                        const char *day) {
    json_t *out = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new (out, action (from + i, lead, day));
    return out;
}

static json_t *plan (const char *entity, const char *id, int count) {
    return json_pack ("{si ss ss ss ss s{ss ss} ss s[s] s[s] s[{ss ss}] so}",
                      "format", 1, "plan", id, "entity", entity, "lang", "en",
                      "title", "A plan", "cycle", "from", "2026", "to", "2027",
                      "handling", "TLP:GREEN", "priorities", PRIORITY,
                      "regions", "001", "goals", "id", "G1", "title", "A goal",
                      "actions", actions (entity, 1, count, "2026"));
}

static void samples_put (int count) {
    uint64_t seed = 1;
    json_t *samples = sample_documents();
    for (int i = 0; samples && i < count; i++) {
        char topic[TOPIC_MAX + 1];
        json_t *document = draw_document (&seed, samples, i, 20);
        snprintf (topic, sizeof topic, "all/plan/%s/%s",
                  json_string_value (json_object_get (document, "entity")),
                  json_string_value (json_object_get (document, "plan")));
        (void) settle_ms (topic, document);
    }
    json_decref (samples);
}

static void plans_bench (int count) {
    double most = 0, sum = 0;
    int64_t memory = memory_kib();
    for (int i = 0; i < count; i++) {
        char id[32], topic[64];
        snprintf (id, sizeof id, "FRONTEX-large-%d", i);
        snprintf (topic, sizeof topic, "all/plan/FRONTEX/%s", id);
        double took = settle_ms (topic, plan ("FRONTEX", id, ACTIONS));
        sum += took;
        most = took > most ? took : most;
    }
    printf ("%d plans of %d actions of the world: %.0f ms each, at most %.0f "
            "ms, %.1f MiB with their documents\n",
            count, ACTIONS, sum / count, most,
            (double) (memory_kib() - memory) / 1024);
}

/* A wrong one among them makes another try, as long as there are some. */
static json_t *annex (const char *entity, const char *id, int number,
                      int wrong) {
    char name[16];
    json_t *list =
        actions (entity, 2000 + 1000 * number, ANNEX - wrong, "2026-05");
    snprintf (name, sizeof name, "X%d", number);
    for (int i = 0; i < wrong; i++) {
        json_t *one = action (900000 + 1000 * number + i, entity, "2026");
        json_object_set_new (one, "goals", json_pack ("[s]", "G9"));
        json_array_append_new (list, one);
    }
    return json_pack ("{si ss ss ss so}", "format", 1, "annex", name, "plan",
                      id, "entity", entity, "actions", list);
}

static void annexes_bench (int count) {
    double most = 0, sum = 0;
    (void) settle_ms ("all/plan/GCCPOL/GCCPOL-a",
                      plan ("GCCPOL", "GCCPOL-a", ACTIONS));
    for (int i = 0; i < count; i++) {
        double took = settle_ms ("all/annex/GCCPOL/GCCPOL-a",
                                 annex ("GCCPOL", "GCCPOL-a", i, 1));
        sum += took;
        most = took > most ? took : most;
    }
    const struct subject *subject = model_find (model, "GCCPOL-a");
    if (!subject->plan)
        bench_fail ("no plan: %s %s",
                    subject->entries[0]->faults->at[0].pointer,
                    subject->entries[0]->faults->at[0].text);
    printf ("%d annexes of %d actions, one wrong: %.0f ms each, at most %.0f "
            "ms; %zu actions joined of %zu annexes\n",
            count, ANNEX, sum / count, most, subject->plan->action_count,
            subject->part_count);
}

int main (int argc, char **argv) {
    int plans = argc > 1 ? atoi (argv[1]) : 10;
    int annexes = argc > 2 ? atoi (argv[2]) : 32;
    struct model_options options = { .delegation = "EUROPOL/hq", .load = load };
    model = model_new (&options);
    samples_put (1000);
    plans_bench (plans);
    annexes_bench (annexes);
    model_destroy (&model);
    for (int64_t i = 0; i < sequence; i++)
        json_decref (documents[i]);
    return 0;
}
