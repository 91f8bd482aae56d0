/* publishing - what is the same for all that is published. */
#include "publishing.h"

#include "audience.h"
#include "base/topic.h"
#include "files.h"
#include "format/message.h"
#include "identity/place.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

/* What is published. */

static json_t *octets_content (struct slice data) {
    size_t room = BASE64_SIZE (data.size);
    char *text = mem_alloc (room);
    json_t *value = json_string (base64_encode (text, data.data, data.size));
    free (text);
    return value;
}

static json_t *content_of (const char *format, struct slice data,
                           struct error *e) {
    if (strcmp (format, "json") == 0)
        return place_parse (data, PUBLISHING_FILE_MAX, e);
    if (data.size == 0 || data.size > CONTENT_MAX) {
        error_set (e, ERR_LIMIT, "%zu octets; a message has 1 to %d", data.size,
                   CONTENT_MAX);
        return NULL;
    }
    if (strcmp (format, "octets") == 0)
        return octets_content (data);
    json_t *text = json_stringn ((const char *) data.data, data.size);
    if (!text)
        error_set (e, ERR_MALFORMED,
                   "is no UTF-8 text; --as octets takes it as it is");
    return text;
}

/* What a file holds, in that format. */
json_t *publishing_read (const char *file, const char *format,
                         struct error *e) {
    struct buf data = { 0 };
    json_t *content = NULL;
    if (!file_read (file, PUBLISHING_FILE_MAX, &data, e)) {
        content = content_of (format, buf_slice (&data), e);
        if (!content)
            error_at (e, "%s", file);
    }
    buf_free (&data);
    return content;
}

/* Takes content's reference. */
static json_t *body_of (const struct publishing *self, json_t *content) {
    json_t *ids = json_array();
    for (size_t i = 0; i < self->references.count; i++)
        json_array_append_new (ids, json_string (self->references.at[i]));
    return json_pack ("{s:s,s:s,s:o,s:o}", "topic", self->topic, "format",
                      self->format, "content", content, "references", ids);
}

static enum err send (struct client *client, const struct publishing *self,
                      struct buf *path, json_t *body, json_t **entry,
                      struct error *e) {
    char *text = json_dumps (body, JSON_COMPACT);
    if (!text)
        return error_set (e, ERR_MALFORMED, "the content can't be written");
    client_query (path, "draft", self->draft ? "true" : NULL);
    enum err rc = client_post (client, path, "application/json",
                               slice_text (text), self->key, entry, e);
    free (text);
    return rc;
}

void problems_print (json_t *problems, FILE *out) {
    static const char *const heads[] = { "", "", "", NULL };
    struct table *table = table_new (heads);
    json_t *one;
    size_t i;
    json_array_foreach (problems, i, one) {
        const char *pointer = json_text_or (one, "pointer", "");
        table_cell (table, "");
        table_cell (table, *pointer ? pointer : "(all of it)");
        table_cell (table, json_text (one, "text"));
    }
    table_print (table, out);
    table_destroy (&table);
}

static int fail (struct client *client, const struct error *e) {
    int code = cli_fail (e);
    json_t *problems = client_problems (client);
    if (json_array_size (problems) > 1) /* *e has the first */
        problems_print (problems, stderr);
    return code;
}

int publishing_kept (const struct cli *cli, json_t *draft) {
    int64_t number = json_int (draft, "number", -1);
    if (cli->json)
        cli_print_json (json_incref (draft));
    else
        printf ("draft %" PRId64 " is kept; a releaser sends it: parley draft "
                "release %" PRId64 "\n",
                number, number);
    json_decref (draft);
    return CLI_FINE;
}

int publishing_post (const struct cli *cli, struct client *client,
                     const struct publishing *self, const char *topic,
                     struct buf *path, json_t *body) {
    struct error e;
    json_t *entry = NULL;
    enum err rc =
        audience_confirm (client, topic, true, self->yes || self->draft, &e);
    if (!rc)
        rc = send (client, self, path, body, &entry, &e);
    json_decref (body);
    buf_free (path);
    if (rc)
        return fail (client, &e);
    if (self->draft)
        return publishing_kept (cli, entry);
    return entry_finish (cli, client, entry, &self->wait);
}

int publishing_send (const struct cli *cli, struct client *client,
                     const struct publishing *self, json_t *content) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/messages");
    return publishing_post (cli, client, self, self->topic, &path,
                            body_of (self, content));
}

int publishing_send_on (const struct cli *cli, struct client *client,
                        struct publishing *self, json_t *content,
                        const char *channel, const char *rest) {
    struct buf topic = { 0 };
    struct error e;
    buf_add_format (&topic, "%s/%s", channel, rest);
    char *text = buf_take_text (&topic);
    int code;
    self->topic = text;
    self->format = "json";
    if (strchr (channel, '/') || topic_check (slice_text (text), &e)) {
        json_decref (content);
        code = cli_refuse (CLI_REFUSED, "'%s' is no topic of a channel", text);
    } else
        code = publishing_send (cli, client, self, content);
    free (text);
    return code;
}

char *publishing_entity (struct client *client, struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    char *entity =
        rc ? NULL : mem_copy_text (json_text_or (status, "entity", "?"));
    json_decref (status);
    buf_free (&path);
    return entity;
}

/* Words. */

static void check_references (const struct words *words, const char *help) {
    struct hash id;
    if (words->count > REFERENCES_MAX)
        options_refuse (help, "%zu references, at most %d", words->count,
                        REFERENCES_MAX);
    for (size_t i = 0; i < words->count; i++)
        if (hash_parse (words->at[i], &id))
            options_refuse (help, "--ref '%s' is no message id", words->at[i]);
}

void publishing_check (struct publishing *self, const char *usage) {
    entry_wait_check (&self->wait, usage);
    if (self->draft && self->wait.state)
        options_refuse (usage, "--wait is for what is sent: a draft is not");
    check_references (&self->references, usage);
}

int publishing_command (struct cli *cli, int argc, char **argv,
                        const char *usage, const char *whom,
                        publishing_job *job) {
    static struct publishing self;
    static struct words words;
    const char *channel = NULL;
    const struct option_spec specs[] = { { "channel", OPTION_TEXT, &channel },
                                         PUBLISHING_OPTIONS (self),
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    publishing_check (&self, usage);
    if (!channel)
        options_refuse (usage, "--channel is missing: %s", whom);
    struct client *client = client_new (cli, &e);
    int code =
        client ? job (cli, client, &self, words.at[0], channel) : cli_fail (&e);
    client_destroy (&client);
    return code;
}
