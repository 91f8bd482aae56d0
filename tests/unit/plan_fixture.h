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

/* Which action of all samples; *plan is the document that it is of. */
static inline json_t *action_at (const json_t *samples, uint32_t number,
                                 json_t **plan) {
    size_t i;
    json_array_foreach (samples, i, *plan) {
        json_t *actions = json_object_get (*plan, "actions");
        if (number < json_array_size (actions))
            return json_array_get (actions, number);
        number -= (uint32_t) json_array_size (actions);
    }
    abort();
}

static inline uint32_t actions_in (const json_t *samples) {
    uint32_t out = 0;
    size_t i;
    json_t *plan;
    json_array_foreach (samples, i, plan) out +=
        (uint32_t) json_array_size (json_object_get (plan, "actions"));
    return out;
}

/* Some action of that body's plans, as the sample has it. */
static inline json_t *draw_action (uint64_t *state, const json_t *samples,
                                   const char *entity, int number) {
    static const char *const without[] = { "goals", "same_as", "depends_on",
                                           "milestones", "indicators" };
    char id[16];
    json_t *plan, *found;
    do
        found = action_at (samples, draw (state, actions_in (samples)), &plan);
    while (strcmp (json_string_value (json_object_get (plan, "entity")), entity)
           != 0);
    json_t *out = json_deep_copy (found);
    snprintf (id, sizeof id, "A%d", number);
    json_object_set_new (out, "id", json_string (id));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        json_object_del (out, without[i]);
    return out;
}

/* Plan `number`, of the body that some action of the samples is of, with actions
 * drawn from that body's: of all pairs of actions as many overlap as in the
 * samples. */
static inline json_t *draw_document (uint64_t *state, const json_t *samples,
                                     int number, int actions) {
    char id[64];
    json_t *frame, *list = json_array();
    (void) action_at (samples, draw (state, actions_in (samples)), &frame);
    const char *entity = json_string_value (json_object_get (frame, "entity"));
    json_t *out = json_deep_copy (frame);
    snprintf (id, sizeof id, "%s-drawn-%d", entity, number);
    for (int i = 0; i < actions; i++)
        json_array_append_new (list,
                               draw_action (state, samples, entity, i + 1));
    json_object_set_new (out, "plan", json_string (id));
    json_object_set_new (out, "actions", list);
    return out;
}

#endif
