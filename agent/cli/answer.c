/* answer - one question, one answer. */
#include "answer.h"

#include "files.h"

#include <inttypes.h>
#include <stdlib.h>

void answer_query (struct buf *path, const struct option_spec *specs,
                   size_t count) {
    for (size_t i = 0; i < count; i++)
        if (specs[i].kind == OPTION_TEXT)
            client_query (path, specs[i].name,
                          *(const char *const *) specs[i].out);
        else if (specs[i].kind == OPTION_FLAG && *(const bool *) specs[i].out)
            client_query (path, specs[i].name, "true");
}

int answer_print (struct cli *cli, struct buf *path, answer_say_fn *say,
                  const void *arg) {
    struct error e;
    json_t *answer = NULL;
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_get (client, path, 0, &answer, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_incref (answer));
    else if (!rc)
        say (arg, answer);
    json_decref (answer);
    buf_free (path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

void answer_more (const char *offset, size_t shown, int64_t total) {
    int64_t first = offset ? strtoll (offset, NULL, 10) : 0;
    int64_t next = first + (int64_t) shown;
    if (next < total && shown > 0)
        printf ("\n%zu of %" PRId64 " are shown; the next: --offset %" PRId64
                "\n",
                shown, total, next);
}

int answer_save (struct cli *cli, struct buf *path, const char *out,
                 bool replace) {
    struct error e;
    struct buf octets = { 0 };
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_get_octets (client, path, CLIENT_ANSWER_MAX,
                                              &octets, &e)
                         : e.code;
    if (!rc)
        rc = file_write (out, buf_slice (&octets), replace, &e);
    if (!rc && out)
        fprintf (stderr, "%s: %zu octets written\n", out, octets.size);
    buf_free (&octets);
    buf_free (path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

const char *answer_format (const char *given, const char *out,
                           const char *usage) {
    static const char *const known[] = { "json", "csv", "html", NULL };
    const char *dot = out ? strrchr (out, '.') : NULL;
    const char *wanted = given ? given : dot ? dot + 1 : NULL;
    for (size_t i = 0; wanted && known[i]; i++)
        if (strcmp (wanted, known[i]) == 0)
            return known[i];
    if (given)
        options_refuse (usage, "--format '%s' is not json, csv or html", given);
    options_refuse (usage, "--format json, csv or html?");
}
