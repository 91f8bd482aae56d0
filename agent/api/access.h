/* access - who asks, found before anything else of a request is looked at; and
 * the one place where he is turned away for want of a role. */
#ifndef PARLEY_API_ACCESS_H
#define PARLEY_API_ACCESS_H

#include "api/request.h"

struct http_door;

/* By the token that the request brings or, on the Unix socket and without one,
 * by the account at its other end. Fills request->user. false: answered. */
bool access_ask (struct request *r, const struct http_door *door) MUST_CHECK;
/* What the route needs; a publishing one less for a draft, and with two-person
 * nothing but a draft. false: answered. */
bool access_route (struct request *r) MUST_CHECK;
/* Has who asks that role? false: answered with FORBIDDEN, which says who has
 * it and what can be done instead. For what depends on more than the route. */
bool access_may (struct request *r, enum role role) MUST_CHECK;
/* Answers with FORBIDDEN: it is another person's to do. `why`: what is to be
 * done instead. */
void access_two_persons (struct request *r, const char *why);
/* Is a draft wanted of a publishing operation ("draft=true")? */
bool access_draft (struct request *r);

/* {"name", "roles": ["reader", ...], "function"}: null where there is none. */
json_t *access_json (const struct user *user);
json_t *access_roles (unsigned roles);

#endif
