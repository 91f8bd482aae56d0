/* Plans: what is taken is whole, within its limits, and taken again as what it
 * was; what is refused says where. Input: JSON. */
#include "plans/plan.h"

#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void check_action (const struct plan *plan, const struct action *a) {
    char ref[PLAN_REF_MAX + 1];
    must (strlen (action_ref (ref, plan, a)) <= PLAN_REF_MAX);
    must (plan_action (plan, a->id) == a);
    must (a->kind < KIND_COUNT && a->status < STATUS_COUNT);
    must (a->priorities.count > 0 && a->regions.count > 0);
    must (a->span.first <= a->span.last && a->title.count > 0);
    must (action_names (a, a->lead));
    for (size_t i = 0; i < a->priorities.count; i++)
        must (taxonomy_priority_code (plan->taxonomy, a->priorities.at[i])
              != NULL);
    for (size_t i = 1; i < a->regions.count; i++)
        must (a->regions.at[i - 1] < a->regions.at[i]);
}

/* As another agent gets it: through msgpack. */
static void check_again (const json_t *document, const struct plan *plan) {
    struct buf octets = { 0 };
    struct faults faults = { 0 };
    must (mp_from_json (&octets, document, PLAN_OCTETS_MAX, NULL) == 0);
    json_t *again = mp_to_json (buf_slice (&octets), NULL);
    struct plan *other = plan_read (again, plan->taxonomy, &faults);
    must (other && other->action_count == plan->action_count);
    for (size_t i = 0; i < plan->action_count; i++)
        must (hash_equal (&plan->actions[i].facts, &other->actions[i].facts));
    plan_free (&other);
    json_decref (again);
    buf_free (&octets);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static struct taxonomy *taxonomy;
    if (!taxonomy)
        taxonomy = taxonomy_base();
    json_t *document = json_loadb (
        (const char *) data, size,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!document)
        return 0;
    struct faults faults = { 0 };
    struct plan *plan = plan_read (document, taxonomy, &faults);
    must (!plan == (faults.count > 0) && faults.kept <= faults.count);
    for (size_t i = 0; plan && i < plan->action_count; i++)
        check_action (plan, &plan->actions[i]);
    if (plan)
        check_again (document, plan);
    plan_free (&plan);
    faults_clear (&faults);
    json_decref (document);
    return 0;
}
