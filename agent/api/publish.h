/* publish - the one way of a message into the outbox, or among the drafts.
 *
 * Whatever publishes (its route has ROLE_PUBLISH and the parameter "draft")
 * makes a publication and ends with publish(). It is judged: the author's
 * rights, who reads the channel, and what its topic asks of its content. Then it
 * is given to the outbox (202), or, with draft=true, kept as a draft (201) that
 * a releaser sends. Who did it is kept in acts (store/acts.h). */
#ifndef PARLEY_API_PUBLISH_H
#define PARLEY_API_PUBLISH_H

#include "api/publication.h"

/* Answers. The Idempotency-Key is the request's. Where a user's function is
 * configured, a map that goes to the outbox gets it as its member "function":
 * p->content changes. */
void publish (struct request *r, struct publication *p);
/* The same for a draft that is released: judged again, given to the outbox, and
 * the draft is gone, in one step. `updated_ms`: as it was read; 409 where
 * somebody wrote since. */
void publish_release (struct request *r, struct publication *p, int64_t draft,
                      int64_t updated_ms);
/* May it be published, by all that is known here? false: answered. */
bool publish_judge (struct request *r, const struct publication *p) MUST_CHECK;
/* Was something accepted by that key before? Then it is not judged again, by what
 * is known now. NULL: no. */
bool publish_repeats (struct request *r, const char *key) MUST_CHECK;
/* The content of a map as JSON text, of others as it is: what drafts keep. */
bool publish_text (const struct publication *p, struct buf *out,
                   struct error *e) MUST_CHECK;

/* Notes in the store's acts who asked for what was just done: for a function of
 * handles_write. */
enum err publish_note (struct store *writer, const struct user *user,
                       const char *what, const char *subject, int64_t draft,
                       int64_t entry, struct error *e) MUST_CHECK;
/* The same for what is done already, and not in the store. */
void publish_act (struct request *r, const char *what, const char *subject);

#endif
