/* communique - the text that bodies adopt, as a note that they sign (THREADS.md
 * section 7). */
#ifndef PARLEY_COMMUNIQUE_H
#define PARLEY_COMMUNIQUE_H

#include "identity/note.h"
#include "thread.h"

/* Append the note's text for that version: `document` is its message's body,
 * which was read without a fault. ERR_LIMIT: longer than a note may be. */
enum err communique_text (struct buf *out, const struct hash *dialogue,
                          const struct thread_place *place,
                          const struct hash *version,
                          const struct json_t *document, struct error *e)
    MUST_CHECK;
/* The signature line over that text, without its line feed. */
enum err communique_sign (const struct identity *identity, struct slice text,
                          struct buf *line, struct error *e) MUST_CHECK;
/* Is `line` that delegation's, by one of the note keys that it has then?
 * ERR_SIGNATURE, ERR_MALFORMED. */
enum err communique_check (struct slice text, const char *line,
                           const char *delegation,
                           const uint8_t (*keys)[KEY_SIZE], size_t key_count,
                           struct error *e) MUST_CHECK;
/* The whole note: the text and the lines of the adoptions that count, by
 * delegation's name. ERR_NOT_FOUND: nobody adopted. */
enum err communique_note (struct buf *out, struct slice text,
                          const struct thread *thread, size_t version,
                          struct error *e) MUST_CHECK;
/* Printable (plans/paper.h): the text in all languages, who adopted with which
 * reservation, who did not, state, and the record. */
void communique_html (struct buf *out, const struct thread *thread,
                      size_t version, const struct json_t *document,
                      int64_t now_ms, const char *lang);

#endif
