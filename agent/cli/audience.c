/* audience - from the agent, which judges by the roster in force. */
#include "audience.h"

#include "base/buf.h"
#include "json.h"
#include "table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static enum err check (json_t *audience, const char *topic, bool own,
                       struct error *e) {
    static const char look[] = "parley roster show --agent";
    const char *rule = json_text (audience, "rule");
    const char *channel = json_text_or (audience, "channel", topic);
    json_t *entities = json_object_get (audience, "entities");
    bool writer = json_is_true (json_object_get (audience, "may_write"));
    if (rule && strcmp (rule, "UNKNOWN-CHANNEL") == 0)
        return error_set (e, ERR_RIGHT,
                          "%s: the roster has no channel '%s'; %s lists them",
                          rule, channel, look);
    if (!json_is_array (entities) || json_array_size (entities) == 0)
        return error_set (e, ERR_RIGHT, "%s: nobody may read %s",
                          rule ? rule : "EMPTY-AUDIENCE", topic);
    if (own && !writer && (!rule || strcmp (rule, "NOT-A-WRITER") == 0))
        return error_set (e, ERR_RIGHT,
                          "NOT-A-WRITER: this delegation may not write on "
                          "'%s'; %s says who may",
                          channel, look);
    if (own && rule)
        return error_set (e, ERR_RIGHT,
                          "%s: this delegation may not write on '%s' now", rule,
                          channel);
    return ERR_NONE;
}

static void say (json_t *audience, const char *topic) {
    static const char *const heads[] = { "", "", "", "", NULL };
    json_t *entities = json_object_get (audience, "entities"), *entity;
    size_t i;
    struct table *table = table_new (heads);
    fprintf (stderr, "%s can be read by %zu %s:\n", topic,
             json_array_size (entities),
             json_array_size (entities) == 1 ? "entity" : "entities");
    json_array_foreach (entities, i, entity) {
        struct buf names = { 0 };
        json_join (&names, json_object_get (entity, "delegations"));
        table_cell (table, "");
        table_cell (table, json_text_or (entity, "id", "?"));
        table_slice (table, buf_slice (&names));
        table_cell (table, json_text_or (entity, "name", ""));
        buf_free (&names);
    }
    table_print (table, stderr);
    table_destroy (&table);
}

/* "dialogue, members": what the agent follows, without its log and inbox. */
static bool reads_channel (json_t *streams, const char *channel, size_t size,
                           struct buf *names) {
    size_t i;
    bool found = false;
    json_t *stream;
    json_array_foreach (streams, i, stream) {
        const char *name = json_text_or (stream, "name", "$");
        found =
            found
            || (strlen (name) == size && strncmp (name, channel, size) == 0);
        if (name[0] != '$' && name[0] != '@')
            buf_add_format (names, "%s%s", names->size ? ", " : "", name);
    }
    return found;
}

void audience_warn (json_t *status, const char *filter) {
    struct buf names = { 0 };
    size_t size = strcspn (filter, "/");
    bool known = strcspn (filter, "+#$@") < size
                 || reads_channel (json_object_get (status, "streams"), filter,
                                   size, &names);
    if (!known && names.size > 0)
        fprintf (
            stderr, "parley: this agent reads no channel '%.*s', but: %.*s\n",
            (int) size, filter, (int) names.size, (const char *) names.data);
    else if (known && names.size > 0 && filter[size] == '\0')
        fprintf (stderr,
                 "parley: '%s' is a channel and no topic; all of it is "
                 "'%s/#'\n",
                 filter, filter);
    buf_free (&names);
}

enum err audience_ask (bool yes, struct error *e) {
    char answer[16] = "";
    if (yes || !isatty (STDERR_FILENO))
        return ERR_NONE;
    /* Standard input may be what is published. */
    FILE *terminal = fopen ("/dev/tty", "re");
    if (!terminal)
        return error_set (e, ERR_RIGHT,
                          "no terminal to ask at: say --yes if you agree");
    fputs ("Publish? [y/N] ", stderr);
    fflush (stderr);
    bool read = fgets (answer, sizeof answer, terminal) != NULL;
    fclose (terminal);
    answer[strcspn (answer, "\n")] = '\0';
    if (read
        && (strcasecmp (answer, "y") == 0 || strcasecmp (answer, "yes") == 0))
        return ERR_NONE;
    return error_set (e, ERR_RIGHT, "not published");
}

enum err audience_confirm (struct client *client, const char *topic, bool own,
                           bool yes, struct error *e) {
    struct buf path = { 0 };
    json_t *audience = NULL;
    client_path (&path, "/api/v1/audience");
    client_query (&path, "topic", topic);
    enum err rc = client_get (client, &path, 0, &audience, e);
    buf_free (&path);
    if (!rc)
        rc = check (audience, topic, own, e);
    if (!rc) {
        say (audience, topic);
        rc = audience_ask (yes, e);
    }
    json_decref (audience);
    return rc;
}
