/* paper - pages that are read on a screen or printed: one file, without scripts
 * and without anything from elsewhere; a policy in it says so to the browser.
 *
 * Title, handling and the page's lines stand on every printed page. */
#ifndef PARLEY_PAPER_H
#define PARLEY_PAPER_H

#include "base/buf.h"

struct paper {        /* all text is escaped here; NULL is "" */
    const char *lang; /* BCP 47 */
    const char *title;
    const char *handling; /* "TLP:AMBER" */
    const char *line;     /* beside the title: "revision 3, record 4711" */
    const char *foot;     /* below */
};
/* Between the two stands the body, in elements. */
void paper_begin (struct buf *out, const struct paper *page);
void paper_end (struct buf *out);

/* Escaped for text and for attributes in quotes; controls but tabs and line
 * ends as U+FFFD. */
void paper_text (struct buf *out, const char *text);
/* <NAME class="CLASS" dir="auto" lang="LANG">TEXT</NAME>: somebody's text, in
 * the direction of its own letters. class and lang: NULL for none. name and
 * class are ours. */
void paper_element (struct buf *out, const char *name, const char *class,
                    const char *lang, const char *text);

#endif
