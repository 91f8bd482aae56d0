/* plan_fixture - the sample plans, and many more that are drawn from their
 * actions. PARLEY_SAMPLE names deploy/sample. */
#ifndef PARLEY_PLAN_FIXTURE_H
#define PARLEY_PLAN_FIXTURE_H

#include "plans/plan.h"

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The documents under deploy/sample/plans, by name of file; NULL where there are
 * none. The caller's. */
static inline json_t *sample_documents (void) {
    char pattern[512];
    const char *sample = getenv ("PARLEY_SAMPLE");
    glob_t found;
    if (!sample)
        sample = "deploy/sample";
    snprintf (pattern, sizeof pattern, "%s/plans/*.json", sample);
    if (glob (pattern, 0, NULL, &found) != 0)
        return NULL;
    json_t *out = json_array();
    for (size_t i = 0; i < found.gl_pathc; i++)
        json_array_append_new (
            out,
            json_load_file (found.gl_pathv[i], JSON_REJECT_DUPLICATES, NULL));
    globfree (&found);
    return out;
}

static inline struct plan *plan_of (const json_t *document,
                                    const struct taxonomy *taxonomy) {
    struct faults faults = { 0 };
    struct error e;
    struct plan *out = plan_read (document, taxonomy, &faults);
    if (!out) {
        (void) faults_error (&faults, &e);
        fprintf (stderr, "no plan: %s\n", e.text);
        abort();
    }
    return out;
}

/* The same numbers each time. */
static inline uint32_t draw (uint64_t *state, uint32_t below) {
    *state = *state * UINT64_C (6364136223846793005)
             + UINT64_C (1442695040888963407);
    return (uint32_t) ((*state >> 33) % below);
}

/* An action as some sample has it, led by the plan's entity: what it works on,
 * where, how long, how precisely and with whom stays, so that as many of all
 * pairs overlap as in the samples. */
static inline json_t *draw_action (uint64_t *state, const json_t *samples,
                                   int number, json_t **source) {
    char id[16];
    json_t *plan = json_array_get (
        samples, draw (state, (uint32_t) json_array_size (samples)));
    json_t *actions = json_object_get (plan, "actions");
    json_t *out = json_deep_copy (json_array_get (
        actions, draw (state, (uint32_t) json_array_size (actions))));
    snprintf (id, sizeof id, "A%d", number);
    json_object_set_new (out, "id", json_string (id));
    json_object_del (out, "goals");
    json_object_del (out, "same_as");
    json_object_del (out, "depends_on");
    json_object_del (out, "milestones");
    json_object_del (out, "indicators");
    *source = plan;
    return out;
}

/* Plan `number` of `actions` actions. An action keeps its sample's entity where
 * the plan's is the same; its plan is the next sample's. */
static inline json_t *draw_document (uint64_t *state, const json_t *samples,
                                     int number, int actions) {
    char id[64];
    json_t *frame =
        json_array_get (samples, (size_t) number % json_array_size (samples));
    const char *entity = json_string_value (json_object_get (frame, "entity"));
    json_t *out = json_deep_copy (frame), *list = json_array();
    snprintf (id, sizeof id, "%s-drawn-%d", entity, number);
    for (int i = 0; i < actions; i++) {
        json_t *source;
        json_array_append_new (list,
                               draw_action (state, samples, i + 1, &source));
    }
    json_object_set_new (out, "plan", json_string (id));
    json_object_set_new (out, "actions", list);
    return out;
}

#endif
