/* router - the flat table of what the API has: method, path, who may, handler.
 *
 * Each operation has its role here, and nowhere else (api/access.h asks for it
 * before a body is read). One that publishes has ROLE_PUBLISH and a parameter
 * "draft" (api/publish.h); openapi.json says the same as "x-parley-role". */
#ifndef PARLEY_API_ROUTER_H
#define PARLEY_API_ROUTER_H

#include "api/users.h"

#include <stdbool.h>

struct request;

#define SEGMENT_MAX 81 /* octets that stand for {..}: a plan's id */

struct route {
    const char *method;
    const char *path;  /* at most one segment is {name} */
    const char *query; /* parameters, blanks between; "": none */
    enum role role;
    void (*handle) (struct request *);
    const char *type; /* media type of the body; NULL: it takes none */
    size_t body_max;
    /* Takes the body piece by piece as it comes; NULL: it is kept in the
     * request. What it answers stands; false: the connection is closed. */
    bool (*take) (struct request *, const char *data, size_t size);
};

/* In the order of openapi.json; the last has a NULL path. */
extern const struct route router_routes[];

/* NULL: *known says whether the path is there under other methods, which
 * `allow` lists ("GET, HEAD, POST"). HEAD is answered as GET. */
const struct route *router_find (const char *method, const char *path,
                                 char segment[SEGMENT_MAX + 1], bool *known,
                                 char allow[64]);
/* Is `name` one of the route's parameters? */
bool router_query (const struct route *route, const char *name);

#endif
