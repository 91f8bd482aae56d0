/* api_server - the API over the fixtures' store, for tests in other languages:
 *
 *     api_server --routes   prints the table: METHOD PATH PARAMETERS..., a line
 *                           each
 *     api_server --roles    prints METHOD PATH ROLE, a line each
 *     api_server            prints "SOCKET PORT TOKEN", serves until standard
 *                           input ends; a line there is a change (news)
 */
#include "api/router.h"
#include "api_fixture.h"

#include <string.h>

static int routes_print (void) {
    for (const struct route *r = router_routes; r->path; r++)
        printf ("%s %s %s\n", r->method, r->path, r->query);
    return 0;
}

static int roles_print (void) {
    for (const struct route *r = router_routes; r->path; r++)
        printf ("%s %s %s\n", r->method, r->path,
                r->role == ROLE_PUBLISH ? "publish" : role_name (r->role));
    return 0;
}

static int serve (void) {
    struct http_options options = api_options();
    api_token_write (API_TOKEN "\n", 0600);
    fake_link_begin();
    options.link = &fake_link;
    struct http *http = http_new (&options, &e);
    if (!http) {
        fprintf (stderr, "%s\n", e.text);
        return 1;
    }
    printf ("%s %u %s\n", api_socket, http_port (http), API_TOKEN);
    fflush (stdout);
    for (int c; (c = getchar()) != EOF;)
        if (c == '\n')
            http_changed (http);
    http_destroy (&http);
    return 0;
}

int main (int argc, char **argv) {
    if (argc == 2 && strcmp (argv[1], "--routes") == 0)
        return routes_print();
    if (argc == 2 && strcmp (argv[1], "--roles") == 0)
        return roles_print();
    if (sodium_init() < 0 || cast_begin_tests (NULL) || store_begin_test (NULL))
        return 1;
    api_fill();
    int rc = serve();
    char folder[300];
    snprintf (folder, sizeof folder, "%s/run", store_dir);
    rmdir (folder);
    store_end_test (NULL);
    cast_end_tests (NULL);
    return rc;
}
