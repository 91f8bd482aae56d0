/* overlap_explain - why two actions overlap, in words. */
#include "overlap.h"

#include <string.h>

#define FACETS_TOLD 3
#define PLACES_TOLD 4

size_t overlap_facets (const struct taxonomy *taxonomy, const struct overlap *o,
                       int (*at)[2], size_t room) {
    const struct numbers *a = &o->a->priorities, *b = &o->b->priorities;
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            if (!taxonomy_priorities_match (taxonomy, a->at[i], b->at[j]))
                continue;
            if (count < room) {
                at[count][0] = a->at[i];
                at[count][1] = b->at[j];
            }
            count++;
        }
    return count;
}

void overlap_countries (const struct overlap *o, struct countries *out) {
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        out->bits[i] = o->a->countries.bits[i] & o->b->countries.bits[i];
}

static void facet_tell (const struct taxonomy *taxonomy, const int facet[2],
                        struct buf *out) {
    const char *a = taxonomy_priority_title (taxonomy, facet[0]);
    const char *b = taxonomy_priority_title (taxonomy, facet[1]);
    if (facet[0] == facet[1])
        buf_add_format (out, "\"%s\"", a);
    else if (taxonomy_priority_parent (taxonomy, facet[0]) < 0)
        buf_add_format (out, "\"%s\" (which is in \"%s\")", b, a);
    else
        buf_add_format (out, "\"%s\" (which is in \"%s\")", a, b);
}

/* What both name by the same second-level priority says more than what holds it,
 * which is left out then. */
static void facets_tell (const struct taxonomy *taxonomy,
                         const struct overlap *o, struct buf *out) {
    int facets[64][2];
    size_t count = overlap_facets (taxonomy, o, facets, 64);
    size_t kept = count < 64 ? count : 64, fitting = 0;
    for (size_t i = 0; i < kept; i++) {
        bool equal = facets[i][0] == facets[i][1]
                     && taxonomy_priority_parent (taxonomy, facets[i][0]) >= 0;
        if (o->equal && !equal)
            continue;
        if (fitting < FACETS_TOLD) {
            buf_add_text (out, fitting == 0 ? "" : ", ");
            facet_tell (taxonomy, facets[i], out);
        }
        fitting++;
    }
    if (fitting > FACETS_TOLD)
        buf_add_format (out, " and %zu more", fitting - FACETS_TOLD);
}

static void days_tell (const struct overlap *o, struct buf *out) {
    char first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
    if (o->last == DAY_OPEN)
        buf_add_format (out, "from %s on, without an end",
                        day_text (first, o->first));
    else if (o->first == o->last)
        buf_add_format (out, "on %s", day_text (first, o->first));
    else
        buf_add_format (out, "from %s to %s", day_text (first, o->first),
                        day_text (last, o->last));
}

static void precision_tell (const struct overlap *o, struct buf *out) {
    int32_t first, last;
    char a[DATE_TEXT_MAX], b[DATE_TEXT_MAX];
    if (!o->imprecise)
        return;
    if (!span_common_certain (&o->a->span, &o->b->span, &first, &last))
        buf_add_text (out, " Dates are given as months or years: they may not "
                           "meet at all.");
    else if (last == DAY_OPEN)
        buf_add_format (out,
                        " Dates are given as months or years: it is certain "
                        "from %s on.",
                        day_text (a, first));
    else
        buf_add_format (out,
                        " Dates are given as months or years: %s to %s is "
                        "certain.",
                        day_text (a, first), day_text (b, last));
}

static void broad_tell (const struct overlap *o, struct buf *out) {
    if (!o->broad)
        return;
    buf_add_text (out, " Broad: ");
    if (!o->equal)
        buf_add_text (out, "one side names only the whole field of work");
    if (o->a->world || o->b->world)
        buf_add_format (out, "%s%s names the whole world",
                        o->equal ? "" : ", and ",
                        o->a->world && o->b->world ? "each side" : "one side");
    buf_add_text (out, ".");
}

static void class_tell (const struct overlap *o, struct buf *out) {
    const char *a = o->plan_a->entity, *b = o->plan_b->entity;
    switch (o->class) {
    case OVERLAP_SAME:
        buf_add_text (out, " Told as one joint action by at least one side.");
        break;
    case OVERLAP_JOINT:
        buf_add_text (out, " Each names the other as taking part.");
        break;
    case OVERLAP_CLAIMED:
        buf_add_format (out,
                        " %s names %s as taking part; %s does not name %s.",
                        o->a_names ? a : b, o->a_names ? b : a,
                        o->a_names ? b : a, o->a_names ? a : b);
        break;
    case OVERLAP_POSSIBLE:
    case OVERLAP_CLASSES:
        buf_add_text (out, " Neither names the other.");
    }
}

void overlap_explain (const struct taxonomy *taxonomy, const struct overlap *o,
                      struct buf *out) {
    struct countries common;
    overlap_countries (o, &common);
    buf_add_text (out, "Both work on ");
    facets_tell (taxonomy, o, out);
    buf_add_text (out, " in ");
    if (o->countries != 1)
        buf_add_format (out, "%d countries (", o->countries);
    taxonomy_describe (taxonomy, &common, o->first, PLACES_TOLD, out);
    buf_add_text (out, o->countries != 1 ? ") " : " ");
    days_tell (o, out);
    buf_add_text (out, ".");
    class_tell (o, out);
    precision_tell (o, out);
    broad_tell (o, out);
}
