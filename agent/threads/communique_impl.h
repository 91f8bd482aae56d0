/* communique_impl - texts of a communique, for its note and its page. */
#ifndef PARLEY_COMMUNIQUE_IMPL_H
#define PARLEY_COMMUNIQUE_IMPL_H

#include "communique.h"

/* Languages of the document's paragraphs: the binding one, then by octets. Names
 * are borrowed, the list is the caller's. */
const char **communique_languages (const struct json_t *document, size_t *count)
    MUST_CHECK;
/* A text in that language, else in its first by octets. Borrowed. */
const char *communique_text_in (const struct json_t *text, const char *lang);
/* A member's text; "" where there is none. Borrowed. */
const char *communique_word (const struct json_t *object, const char *name);
/* What the party said that counts; NULL: nothing. */
const struct thread_stance *communique_stance (
    const struct thread *thread, const struct thread_party *party);

#endif
