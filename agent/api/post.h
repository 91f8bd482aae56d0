/* post - what handing in a message and handing in a contribution have in
 * common: the key, the audience, the entry that is answered. */
#ifndef PARLEY_API_POST_H
#define PARLEY_API_POST_H

#include "api/request.h"
#include "identity/rights.h"

#define KEY_OCTETS_MAX 128

/* The Idempotency-Key: visible ASCII, 1 to 128; NULL: none. False: answered. */
bool post_key (struct request *r, const char **key) MUST_CHECK;

/* May `author` write the channel now, and is somebody there to read it? False:
 * answered with the rule. */
bool post_rights (struct request *r, const struct roster *roster,
                  struct slice author, struct slice channel) MUST_CHECK;

/* The same of our own delegation, by the roster in force. */
bool post_may_write (struct request *r, struct slice channel) MUST_CHECK;

/* The body as JSON, strict: the caller's; NULL: answered with the place. */
struct json_t *post_json (struct request *r) MUST_CHECK;

/* Around the reading of what takes many times its octets: one at a time, so
 * that memory is bounded. Nothing is waited for between them. */
void post_heavy_begin (void);
void post_heavy_end (void);

/* Answer after outbox_add or outbox_add_contribution said `rc`: 202 with the
 * entry, 200 where it was there already, or a problem. Wakes the link. */
void post_answer (struct request *r, enum err rc, int64_t number, bool repeated,
                  const struct error *e);

#endif
