/* search_terms - what people type into a search, as FTS5 asks for it. */
#ifndef PARLEY_SEARCH_TERMS_H
#define PARLEY_SEARCH_TERMS_H

#include "search.h"

/* Has it characters of a script that puts no spaces between words? */
bool text_is_dense (struct slice text);

struct search_terms {
    char *words, *runs; /* FTS5 expressions: each term quoted; "" for none */
    /* Terms of dense scripts with less than three characters, which are in no
     * index: the text has to hold them. */
    char *few[SEARCH_TERMS_MAX];
    size_t few_count;
};
/* ERR_MALFORMED, ERR_LIMIT, as search_find. */
enum err search_terms_read (const char *text, struct search_terms *out,
                            struct error *e) MUST_CHECK;
void search_terms_free (struct search_terms *self);
/* Does the text hold all of `few`? */
bool search_terms_short (const struct search_terms *self, const char *text);
/* A text around the first of `few`, marked; *out keeps it. */
const char *search_terms_snippet (const struct search_terms *self,
                                  const char *text, struct buf *out);

#endif
