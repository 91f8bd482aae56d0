/* plan_html - a plan as a page to print (paper.h).
 *
 * Title, handling, revision and record number stand on each page. Texts in
 * several languages show all of them, each with its language. What came by
 * another channel than the plan shows its audience and handling, and the page has
 * the strictest handling of all. Members without a place of
 * their own stand at the end of what has them, as JSON: nothing is left out. */
#ifndef PARLEY_PLAN_HTML_H
#define PARLEY_PLAN_HTML_H

#include "taxonomy.h"

struct json_t;

struct plan_html_meta {         /* what the record says; NULL is "" */
    int64_t revision;           /* 0: a draft, in no record */
    int64_t sequence, log_time; /* ms; of the record */
    const char *channel, *author;
    const char *note; /* a line below the title: "2 overlaps ..."; NULL */
    /* Pointers of actions and members to channels (subject.h); NULL. */
    const struct json_t *audience;
    /* The same pointers to handlings, and the annexes (subject.h); NULL. */
    const struct json_t *handling, *annexes;
    const char *lang; /* only this one where a text has it; NULL: all */
};
/* Appended. The document need not be good: what has another type than it should
 * is shown as JSON. */
void plan_html (const struct json_t *document,
                const struct plan_html_meta *meta,
                const struct taxonomy *taxonomy, struct buf *out);

#endif
