/* plan_html_impl - what plan_html.c and plan_html_values.c share: values on a
 * page. Each takes any JSON and shows what has another type than it should have
 * as JSON, or not at all. */
#ifndef PARLEY_PLAN_HTML_IMPL_H
#define PARLEY_PLAN_HTML_IMPL_H

#include "faults.h"
#include "paper.h"
#include "plan_html.h"

#include <jansson.h>

struct printing {
    struct buf *out;
    const struct plan_html_meta *meta;
    const struct taxonomy *taxonomy;
    const char *lang, *handling; /* the document's */
    struct path path; /* of the part that is shown, for its audience */
};

/* A member's text; "" where there is none. */
const char *text_member (const json_t *object, const char *name);
json_t *iterable (const json_t *value); /* for jansson's iterators */

void html_ours (struct printing *self, const char *markup);
void html_json (struct printing *self, const json_t *value);
/* Plain, or each language with its name; in elements of that name. */
void html_text (struct printing *self, const char *element,
                const json_t *value);
void html_texts (struct printing *self, const json_t *list);

/* "Cybercrime (cybercrime), ..."; codes without a title, or with NULL for
 * title_of, alone. */
typedef const char *title_fn (const struct taxonomy *, struct slice code);
title_fn title_of_priority, title_of_region;
void html_codes (struct printing *self, const json_t *list, title_fn *title_of);

void html_period (struct printing *self, const json_t *object);
void html_cycle (struct printing *self, const json_t *cycle);
void html_adopted (struct printing *self, const json_t *adopted);
void html_caveats (struct printing *self, const json_t *list);
void html_contacts (struct printing *self, const json_t *list);
void html_own_terms (struct printing *self, const json_t *terms);
void html_milestones (struct printing *self, const json_t *list);
void html_indicators (struct printing *self, const json_t *list);

#endif
