/* html - pages of text and tables for a person, to be printed: no scripts, nothing
 * from elsewhere, and everything that is not ours escaped. */
#ifndef PARLEY_HTML_H
#define PARLEY_HTML_H

#include "base/buf.h"

struct html_head {
    const char *lang;
    const char *title;
    const char *line;     /* below the title; "": none */
    const char *handling; /* on each page; "": none */
    const char *foot;     /* on each page; "": none */
};
void html_begin (struct buf *out, const struct html_head *head);
void html_end (struct buf *out);
/* Escaped, its direction its own; nothing for "". */
void html_text (struct buf *out, const char *text);
/* <TAG>text</TAG> */
void html_element (struct buf *out, const char *tag, const char *text);

#endif
