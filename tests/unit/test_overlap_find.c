/* overlap_find: what the index finds is what all pairs give, for every wish;
 * pages; plans that are not in it. */
#include "plan_fixture.h"

#include "plans/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PLANS 60
#define ACTIONS 12

static struct taxonomy *taxonomy;
static struct plan *plans[PLANS];
static struct overlaps *found_in;

/* All pairs, the slow way */

struct all {
    size_t count, room;
    struct overlap *at;
};

static bool matches (int priority, int wanted) {
    return taxonomy_priorities_match (taxonomy, priority, wanted);
}

static bool facet_fits (const struct overlap *o, int wanted) {
    int facets[256][2];
    size_t count = overlap_facets (taxonomy, o, facets, 256);
    for (size_t i = 0; i < count; i++)
        if (matches (facets[i][0], wanted) || matches (facets[i][1], wanted))
            return true;
    return false;
}

static bool region_fits (const struct overlap *o,
                         const struct overlap_query *query) {
    struct countries wanted = { 0 }, common;
    taxonomy_countries (taxonomy, query->region,
                        query->live ? query->on : INT32_MIN, DAY_OPEN, &wanted);
    overlap_countries (o, &common);
    return countries_common (&wanted, &common);
}

static bool is_side (const struct overlap *o, const char *entity) {
    return strcmp (o->plan_a->entity, entity) == 0
           || strcmp (o->plan_b->entity, entity) == 0;
}

static bool plan_fits (const struct plan *plan, const struct action *action,
                       const struct overlap_query *query) {
    return strcmp (plan->id, query->plan) == 0
           && (!query->action || strcmp (action->id, query->action) == 0);
}

static bool is_omitted (const struct overlap *o,
                        const struct overlap_query *q) {
    for (size_t i = 0; i < q->omitted_count; i++)
        if ((q->omitted[i].a == o->a && q->omitted[i].b == o->b)
            || (q->omitted[i].a == o->b && q->omitted[i].b == o->a))
            return true;
    return false;
}

static bool fits (const struct overlap *o, const struct overlap_query *q) {
    return (!q->live || (o->a->span.last >= q->on && o->b->span.last >= q->on))
           && (!q->entity || is_side (o, q->entity))
           && (!q->other || is_side (o, q->other))
           && (!q->plan || plan_fits (o->plan_a, o->a, q)
               || plan_fits (o->plan_b, o->b, q))
           && (!q->has_priority || facet_fits (o, q->priority))
           && (!q->has_region || region_fits (o, q))
           && (!q->has_period || (o->first <= q->to && q->from <= o->last))
           && (!q->kinds || ((1u << o->a->kind | 1u << o->b->kind) & q->kinds))
           && !(q->omit && q->omit (q->arg, o)) && !is_omitted (o, q);
}

static void all_add (struct all *self, const struct overlap *o) {
    if (self->count == self->room) {
        self->room = self->room * 2 + 64;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    self->at[self->count++] = *o;
}

/* Those that fit, for each pair of plans where `one` is NULL. */
static void pairs_of (const struct plan *a, const struct plan *b,
                      const struct overlap_query *query, struct all *out) {
    struct overlap o;
    for (size_t i = 0; i < a->action_count; i++)
        for (size_t j = 0; j < b->action_count; j++)
            if (overlap_judge (taxonomy, a, &a->actions[i], b, &b->actions[j],
                               &o)
                && fits (&o, query))
                all_add (out, &o);
}

static int order (const struct overlap *a, const struct overlap *b) {
    char x[PLAN_REF_MAX + 1], y[PLAN_REF_MAX + 1];
#define BY(member)                                                             \
    if (a->member != b->member)                                                \
    return a->member < b->member ? -1 : 1
    BY (broad);
    BY (class);
    if (a->equal != b->equal)
        return a->equal ? -1 : 1;
    BY (imprecise);
    BY (countries);
    BY (first);
#undef BY
    int first = strcmp (action_ref (x, a->plan_a, a->a),
                        action_ref (y, b->plan_a, b->a));
    return first ? first
                 : strcmp (action_ref (x, a->plan_b, a->b),
                           action_ref (y, b->plan_b, b->b));
}

static int order_compare (const void *a, const void *b) {
    return order (a, b);
}

static bool counted (const struct overlap *o, const struct overlap_query *q) {
    return !q->classes || q->classes >> o->class & 1;
}

static bool listed (const struct overlap *o, const struct overlap_query *q) {
    return (!q->narrow_only || !o->broad) && counted (o, q);
}

static void counts_compare (const char *name, const struct all *all,
                            const struct overlap_query *query,
                            const struct overlap_answer *answer) {
    int64_t counts[OVERLAP_CLASSES] = { 0 }, broad[OVERLAP_CLASSES] = { 0 };
    int64_t paired = 0, sum = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (!counted (&all->at[i], query))
            continue;
        sum++;
        counts[all->at[i].class]++;
        broad[all->at[i].class] += all->at[i].broad;
    }
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        if (counts[i] != answer->counts[i] || broad[i] != answer->broad[i])
            fail_msg ("%s: %d %s of %d, %d broad of %d", name,
                      (int) answer->counts[i],
                      overlap_class_name ((enum overlap_class) i),
                      (int) counts[i], (int) answer->broad[i], (int) broad[i]);
    for (size_t i = 0; i < answer->pair_count; i++) {
        int64_t before = paired;
        assert_true (strcmp (answer->pairs[i].a, answer->pairs[i].b) < 0);
        for (int c = 0; c < OVERLAP_CLASSES; c++)
            paired += answer->pairs[i].counts[c];
        assert_true (paired > before);
    }
    assert_int_equal (paired, sum);
}

static void page_compare (const char *name, struct all *all,
                          const struct overlap_query *query,
                          const struct overlap_answer *answer) {
    size_t n = 0, on_page = 0;
    if (all->count > 1)
        qsort (all->at, all->count, sizeof *all->at, order_compare);
    for (size_t i = 0; i < all->count; i++) {
        if (!listed (&all->at[i], query))
            continue;
        if (n >= query->offset && on_page < query->limit) {
            if (on_page >= answer->count
                || order (&answer->at[on_page], &all->at[i]) != 0
                || answer->at[on_page].a != all->at[i].a
                || answer->at[on_page].b != all->at[i].b
                || answer->at[on_page].first != all->at[i].first
                || answer->at[on_page].last != all->at[i].last)
                fail_msg ("%s: other overlap at place %zu", name, n);
            on_page++;
        }
        n++;
    }
    assert_int_equal (answer->count, on_page);
    assert_int_equal (answer->listed, n);
}

static struct all all_of (const struct overlap_query *query) {
    struct all out = { 0 };
    for (size_t i = 0; i < PLANS; i++)
        for (size_t j = i + 1; j < PLANS; j++)
            pairs_of (plans[i], plans[j], query, &out);
    return out;
}

static void find_check (const char *name, const struct overlap_query *query) {
    struct overlap_answer answer;
    struct all all = all_of (query);
    overlaps_find (found_in, query, &answer);
    counts_compare (name, &all, query, &answer);
    page_compare (name, &all, query, &answer);
    overlap_answer_free (&answer);
    free (all.at);
}

/* Cases */

static bool omit_some (void *arg, const struct overlap *o) {
    (void) arg;
    return o->countries % 2 == 0;
}

static int32_t day (const char *text) {
    struct date date;
    struct error e;
    assert_int_equal (date_read (slice_text (text), &date, &e), ERR_NONE);
    return date.first;
}

static void test_wishes (void **state) {
    (void) state;
    int drugs = taxonomy_priority (
        taxonomy, slice_text ("organized-crime/drugs-trafficking"));
    int crime = taxonomy_priority (taxonomy, slice_text ("organized-crime"));
    int africa = taxonomy_region (taxonomy, slice_text ("002"));
    int eu = taxonomy_region (taxonomy, slice_text ("EU"));
    int32_t on = day ("2024-06-01");
    const struct {
        const char *name;
        struct overlap_query query;
    } cases[] = {
        { "all", { .limit = 100000 } },
        { "live", { .live = true, .on = on, .limit = 50 } },
        { "far in the future",
          { .live = true, .on = day ("2200"), .limit = 50 } },
        { "second page", { .offset = 50, .limit = 50 } },
        { "behind the last", { .offset = 1000000, .limit = 50 } },
        { "counts alone", { .limit = 0 } },
        { "narrow", { .narrow_only = true, .limit = 100000 } },
        { "claimed and same",
          { .classes = 1u << OVERLAP_CLAIMED | 1u << OVERLAP_SAME,
            .limit = 100000 } },
        { "one body", { .entity = "EUROPOL", .limit = 100000 } },
        { "two bodies",
          { .entity = "EUROPOL", .other = "INTERPOL", .limit = 100000 } },
        { "the other alone", { .other = "INTERPOL", .limit = 100000 } },
        { "nobody", { .entity = "NOBODY", .limit = 50 } },
        { "with nobody",
          { .entity = "EUROPOL", .other = "NOBODY", .limit = 50 } },
        { "a plan", { .plan = plans[7]->id, .limit = 100000 } },
        { "an action",
          { .plan = plans[7]->id, .action = "A3", .limit = 100000 } },
        { "a plan and its own body",
          { .plan = plans[7]->id,
            .entity = plans[7]->entity,
            .limit = 100000 } },
        { "a plan and another body",
          { .plan = plans[7]->id,
            .entity = plans[8]->entity,
            .limit = 100000 } },
        { "a plan that is not there", { .plan = "X-y", .limit = 50 } },
        { "a priority",
          { .has_priority = true, .priority = drugs, .limit = 100000 } },
        { "a field",
          { .has_priority = true, .priority = crime, .limit = 100000 } },
        { "a region",
          { .has_region = true, .region = africa, .limit = 100000 } },
        { "a group, live",
          { .has_region = true,
            .region = eu,
            .live = true,
            .on = on,
            .limit = 100000 } },
        { "a period",
          { .has_period = true, .from = on, .to = on + 30, .limit = 100000 } },
        { "kinds",
          { .kinds = 1u << KIND_TRAINING | 1u << KIND_POLICY,
            .limit = 100000 } },
        { "some omitted", { .omit = omit_some, .limit = 100000 } },
        { "all wishes",
          { .live = true,
            .on = on - 900,
            .entity = "EUROPOL",
            .has_priority = true,
            .priority = crime,
            .has_region = true,
            .region = eu,
            .has_period = true,
            .from = on - 900,
            .to = on + 900,
            .narrow_only = true,
            .limit = 20 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        find_check (cases[i].name, &cases[i].query);
}

/* Pages wherever they begin, of each sort and across several. */
static void test_pages (void **state) {
    (void) state;
    int32_t on = day ("2023-06-01");
    const struct overlap_query queries[] = {
        { .limit = 0 },
        { .live = true, .on = on },
        { .entity = "EUROPOL" },
        { .entity = "EUROPOL", .other = "UNODC", .live = true, .on = on },
        { .live = true, .on = day ("2025-12-31") }, /* some end there */
        { .classes = 1u << OVERLAP_JOINT },
        { .classes = 1u << OVERLAP_CLAIMED | 1u << OVERLAP_JOINT,
          .live = true,
          .on = on },
        { .narrow_only = true, .live = true, .on = on },
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct all all = all_of (&queries[i]);
        struct overlap_query query = queries[i];
        for (size_t offset = 0; offset < all.count + 40;
             offset += offset < 20 ? 7 : all.count / 23 + 1) {
            struct overlap_answer answer;
            query.offset = offset;
            query.limit = 1 + offset % 60;
            overlaps_find (found_in, &query, &answer);
            counts_compare ("pages", &all, &query, &answer);
            page_compare ("pages", &all, &query, &answer);
            overlap_answer_free (&answer);
        }
        free (all.at);
    }
}

/* Some of the first, some of the last, and one that is no overlap. */
static void test_omitted (void **state) {
    (void) state;
    struct overlap_query query = { .limit = 100000 };
    struct overlap_answer all;
    struct overlap_omitted omitted[64];
    size_t count = 0;
    overlaps_find (found_in, &query, &all);
    assert_true (all.count > 1000);
    for (size_t i = 0; i < all.count && count < 60;
         i += i < 20 ? 1 : all.count / 40)
        omitted[count++] = (struct overlap_omitted){ all.at[i].a, all.at[i].b };
    omitted[count++] = (struct overlap_omitted){ &plans[3]->actions[0],
                                                 &plans[3]->actions[1] };
    overlap_answer_free (&all);
    struct overlap_query queries[] = {
        { .limit = 30 },
        { .limit = 100000 },
        { .live = true, .on = day ("2023-06-01"), .offset = 5, .limit = 50 },
        { .kinds = 1u << KIND_TRAINING, .limit = 50 },
        { .entity = "EUROPOL", .limit = 50 },
        { .plan = plans[7]->id, .limit = 1000 },
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        queries[i].omitted = omitted;
        queries[i].omitted_count = count;
        find_check ("omitted", &queries[i]);
    }
}

/* A plan that is not in it, and one that takes the place of one that is. */
static void of_check (const struct plan *plan, const struct plan *without) {
    struct overlap_query query = { .live = true,
                                   .on = day ("2020"),
                                   .limit = 100000 };
    struct overlap_answer answer;
    struct all all = { 0 };
    for (size_t i = 0; i < PLANS; i++)
        if (plans[i] != without)
            pairs_of (plan, plans[i], &query, &all);
    overlaps_of (found_in, plan, &query, &answer);
    counts_compare ("of", &all, &query, &answer);
    page_compare ("of", &all, &query, &answer);
    overlap_answer_free (&answer);
    free (all.at);
}

static void test_of (void **state) {
    (void) state;
    uint64_t seed = 99;
    json_t *samples = sample_documents();
    json_t *document = draw_document (&seed, samples, 1000, ACTIONS);
    struct plan *plan = plan_of (document, taxonomy);
    of_check (plan, NULL);
    plan_free (&plan);
    json_object_set_new (document, "entity", json_string ("NEWBODY"));
    json_object_set_new (document, "plan", json_string ("NEWBODY-x"));
    plan = plan_of (document, taxonomy);
    of_check (plan, NULL);
    plan_free (&plan);
    json_decref (document);
    document = draw_document (&seed, samples, 5, ACTIONS);
    plan = plan_of (document, taxonomy);
    of_check (plan, plans[5]);
    plan_free (&plan);
    json_decref (document);
    json_decref (samples);
}

/* Added and removed in any order: as if it had always been so. */
static void test_changes (void **state) {
    (void) state;
    struct overlap_query query = { .limit = 1000 };
    for (size_t i = 0; i < PLANS; i += 3)
        overlaps_remove (found_in, plans[i]);
    assert_int_equal (overlaps_actions (found_in) > 0, 1);
    struct overlap_answer answer;
    overlaps_find (found_in, &query, &answer);
    for (size_t i = 0; i < answer.count; i++)
        for (size_t j = 0; j < PLANS; j += 3)
            assert_true (answer.at[i].plan_a != plans[j]
                         && answer.at[i].plan_b != plans[j]);
    overlap_answer_free (&answer);
    for (size_t i = PLANS; i-- > 0;)
        if (i % 3 == 0)
            overlaps_add (found_in, plans[i]);
    find_check ("again", &query);
    for (size_t i = 0; i < PLANS; i++)
        overlaps_remove (found_in, plans[i]);
    assert_int_equal (overlaps_actions (found_in), 0);
    overlaps_find (found_in, &query, &answer);
    assert_int_equal (answer.listed, 0);
    assert_int_equal (answer.pair_count, 0);
    overlap_answer_free (&answer);
    for (size_t i = 0; i < PLANS; i++)
        overlaps_add (found_in, plans[i]);
    find_check ("all again", &query);
}

/* The plan as it was drawn first, with some actions other ones, some gone and some
 * cancelled. */
static json_t *revised (uint64_t *first, uint64_t *other, const json_t *samples,
                        int number) {
    json_t *out = draw_document (first, samples, number, ACTIONS);
    json_t *list = json_object_get (out, "actions");
    const char *entity = json_string_value (json_object_get (out, "entity"));
    for (size_t i = 0; i < ACTIONS; i++)
        if (draw (other, 4) == 0)
            json_array_set_new (
                list, i, draw_action (other, samples, entity, (int) i + 1));
        else if (draw (other, 8) == 0)
            json_object_set_new (json_array_get (list, i), "status",
                                 json_string ("cancelled"));
    for (uint32_t gone = draw (other, 3); gone > 0; gone--)
        json_array_remove (list, draw (other, ACTIONS - 3));
    return out;
}

/* Plans that are read anew, with much that stays: as if they had been added. */
static void test_replace (void **state) {
    (void) state;
    const struct overlap_query all = { .limit = 1000 }, live = {
        .limit = 1000, .live = true, .on = day ("2023-06-01")
    };
    json_t *samples = sample_documents();
    uint64_t other = 77;
    for (int round = 0; round < 2; round++) {
        uint64_t first = 1;
        for (int i = 0; i < PLANS; i++) {
            struct plan *old = plans[i];
            json_t *document = revised (&first, &other, samples, i);
            plans[i] = plan_of (document, taxonomy);
            overlaps_replace (found_in, old, plans[i]);
            overlaps_replace (found_in, plans[i], plans[i]); /* no change */
            plan_free (&old);
            json_decref (document);
        }
        find_check ("replaced", &all);
        find_check ("replaced, live", &live);
    }
    json_decref (samples);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_wishes),  cmocka_unit_test (test_pages),
        cmocka_unit_test (test_omitted), cmocka_unit_test (test_of),
        cmocka_unit_test (test_changes), cmocka_unit_test (test_replace),
    };
    uint64_t seed = 1;
    json_t *samples = sample_documents();
    taxonomy = taxonomy_base();
    found_in = overlaps_new (taxonomy);
    for (int i = 0; i < PLANS; i++) {
        json_t *document = draw_document (&seed, samples, i, ACTIONS);
        plans[i] = plan_of (document, taxonomy);
        json_decref (document);
        overlaps_add (found_in, plans[i]);
    }
    json_decref (samples);
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    overlaps_destroy (&found_in);
    for (int i = 0; i < PLANS; i++)
        plan_free (&plans[i]);
    taxonomy_unref (&taxonomy);
    return failed;
}
