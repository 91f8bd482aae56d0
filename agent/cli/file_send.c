/* file_send - a file is given to the agent, which sends it; and one is fetched
 * from it, checked, and saved. */
#include "file.h"

#include "audience.h"
#include "files.h"
#include "publishing.h"
#include "threads/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* Sending */

static const char usage_send[] =
    "usage: parley file send FILE --channel C [--name NAME] [--type TYPE]\n"
    "           [--text TEXT] [--wait done [--timeout SECONDS]] [--yes]\n"
    "           [--draft]\n"
    "\n"
    "Send a file of up to 16 MiB to a channel. It goes in parts, behind all\n"
    "messages, and goes on after a break by itself; the same file on the same\n"
    "channel again is one file. NAME is what readers see, FILE's own name\n"
    "without it; TYPE a media type, which FILE's ending tells where it can.\n"
    "--wait done waits until all of it is settled. --draft keeps it until\n"
    "another releases it (parley file release).\n"
    "\n"
    "Example: parley file send assessment.pdf --channel members --wait done\n";

struct send {
    const char *file, *channel, *name, *type, *text, *wait;
    bool yes, draft;
    struct file_wait time;
};

static const char *type_of (const char *name) {
    static const char *const types[][2] = {
        { ".pdf", "application/pdf" },
        { ".txt", "text/plain" },
        { ".csv", "text/csv" },
        { ".json", "application/json" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".jpeg", "image/jpeg" },
        { ".zip", "application/zip" },
        { ".docx", "application/vnd.openxmlformats-officedocument."
                   "wordprocessingml.document" },
        { ".xlsx",
          "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { ".odt", "application/vnd.oasis.opendocument.text" },
    };
    const char *dot = strrchr (name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp (dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static void send_check (struct send *self) {
    const char *slash = strrchr (self->file, '/');
    if (!self->channel)
        options_refuse (usage_send, "--channel is missing: whom it is for");
    if (!self->name)
        self->name = slash ? slash + 1 : self->file;
    if (strcmp (self->file, "-") == 0 && self->name == self->file)
        options_refuse (usage_send, "standard input has no name: give --name");
    if (!file_name_valid (slice_text (self->name)))
        options_refuse (usage_send,
                        "'%s' is no name that a file may have; give --name",
                        self->name);
    if (!self->type)
        self->type = type_of (self->name);
    if (self->wait && strcmp (self->wait, "done") != 0)
        options_refuse (usage_send, "--wait '%s' is not done", self->wait);
    if (self->wait && self->draft)
        options_refuse (usage_send, "a draft is not sent: no --wait");
    if (self->time.timeout && !self->wait)
        options_refuse (usage_send, "--timeout needs --wait");
    file_wait_check (&self->time, usage_send);
}

/* Who will read it is said, and asked, before the octets go. */
static enum err confirm (struct client *client, const struct send *self,
                         struct error *e) {
    static const struct hash none;
    char id[FILE_ID_SIZE + 1];
    struct buf topic = { 0 };
    char *entity = publishing_entity (client, e);
    if (!entity)
        return e->code;
    file_id_of (id, &none);
    buf_add_format (&topic, "%s/file/%s/%s", self->channel, entity, id);
    char *text = buf_take_text (&topic);
    enum err rc = audience_confirm (client, text, true, self->yes, e);
    free (text);
    free (entity);
    return rc;
}

static enum err post (struct client *client, const struct send *self,
                      json_t **file, struct error *e) {
    struct buf path = { 0 }, data = { 0 };
    client_path (&path, "/api/v1/files");
    client_query (&path, "channel", self->channel);
    client_query (&path, "name", self->name);
    client_query (&path, "type", self->type);
    client_query (&path, "text", self->text);
    client_query (&path, "draft", self->draft ? "true" : NULL);
    enum err rc = file_read (self->file, FILE_SIZE_MAX, &data, e);
    if (!rc && data.size == 0)
        rc = error_set (e, ERR_LIMIT, "%s is empty", self->file);
    if (!rc)
        rc = client_post (client, &path, "application/octet-stream",
                          buf_slice (&data), NULL, file, e);
    buf_free (&path);
    buf_free (&data);
    return rc;
}

static enum err wait_done (struct client *client, const struct send *self,
                           json_t **file, struct error *e) {
    const struct file_which which = { json_text_or (*file, "file", ""),
                                      json_text_or (*file, "channel", ""),
                                      json_text_or (*file, "entity", "") };
    json_t *later = NULL;
    enum err rc = file_ask (client, &which, self->wait, &self->time, &later, e);
    if (later) {
        json_decref (*file);
        *file = later;
    }
    return rc;
}

static bool was_refused (json_t *file) {
    const char *state =
        json_text_or (json_object_get (file, "sending"), "state", "");
    return strcmp (state, "refused") == 0 || strcmp (state, "stopped") == 0;
}

int command_file_send (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct send self = { 0 };
    const struct option_spec specs[] = {
        { "channel", OPTION_TEXT, &self.channel },
        { "name", OPTION_TEXT, &self.name },
        { "type", OPTION_TEXT, &self.type },
        { "text", OPTION_TEXT, &self.text },
        { "wait", OPTION_TEXT, &self.wait },
        { "timeout", OPTION_TEXT, &self.time.timeout },
        { "yes", OPTION_FLAG, &self.yes },
        { "draft", OPTION_FLAG, &self.draft },
        { 0 }
    };
    struct error e;
    json_t *file = NULL;
    options_read (cli, argc, argv, usage_send, specs, &words, 1, 1);
    self.file = words.at[0];
    send_check (&self);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? confirm (client, &self, &e) : e.code;
    if (!rc)
        rc = post (client, &self, &file, &e);
    if (!rc && self.wait)
        rc = wait_done (client, &self, &file, &e);
    if (file)
        file_print (cli, file);
    int code = rc ? cli_fail (&e) : was_refused (file) ? CLI_REFUSED : CLI_FINE;
    json_decref (file);
    client_destroy (&client);
    return code;
}

/* Fetching */

static const char usage_get[] =
    "usage: parley file get ID [--out FILE] [--channel C] [--entity ENTITY]\n"
    "           [--wait complete [--timeout SECONDS]]\n"
    "\n"
    "Save a file, checked against its SHA-256. Without --out its octets go to\n"
    "standard output, unless that is a terminal. The name that its sender "
    "gave\n"
    "it is never taken by itself, and no file that is there is replaced. "
    "Where\n"
    "parts of it are not here yet that is said; --wait complete waits for "
    "them.\n"
    "\n"
    "Example: parley file get 2cf24dba5fb0a30e26e83b2ac5b9e29e --out "
    "assessment.pdf\n";

/* Where it goes has to be known before anything is asked. */
static void out_check (const char *out) {
    if (!out && isatty (STDOUT_FILENO))
        options_refuse (usage_get, "standard output is a terminal: give --out");
}

static enum err complete_check (json_t *file, struct error *e) {
    json_t *parts = json_object_get (file, "parts");
    const char *state = json_text_or (file, "state", "?");
    if (strcmp (state, "complete") == 0)
        return ERR_NONE;
    if (strcmp (state, "withdrawn") == 0)
        return error_set (e, ERR_RIGHT, "%s withdrew it",
                          json_text_or (file, "entity", "its owner"));
    return error_set (e, ERR_RIGHT,
                      "%" PRId64 " of its %" PRId64
                      " parts are here; --wait complete waits for the others",
                      json_int (parts, "held", 0), json_int (parts, "of", 0));
}

static enum err content_get (struct client *client, json_t *file,
                             struct buf *data, struct error *e) {
    struct buf path = { 0 };
    char hex[HASH_TEXT_MAX];
    client_path (&path, "/api/v1/files/%s/content",
                 json_text_or (file, "file", ""));
    client_query (&path, "channel", json_text (file, "channel"));
    client_query (&path, "entity", json_text (file, "entity"));
    enum err rc = client_get_octets (client, &path, FILE_SIZE_MAX, data, e);
    buf_free (&path);
    if (rc)
        return rc;
    struct hash found = hash_sha256 (buf_slice (data));
    return strcmp (hash_text (hex, &found), json_text_or (file, "sha256", ""))
                   == 0
               ? ERR_NONE
               : error_set (e, ERR_DAMAGED,
                            "what the agent gave has another SHA-256: %s", hex);
}

static void say_saved (const struct cli *cli, json_t *file, const char *out,
                       size_t size) {
    char text[FILE_SIZE_TEXT];
    if (!out)
        return;
    if (cli->json) {
        cli_print_json (json_pack ("{ss ss sI ss*}", "file",
                                   json_text_or (file, "file", ""), "out", out,
                                   "octets", (json_int_t) size, "sha256",
                                   json_text (file, "sha256")));
        return;
    }
    struct buf line = { 0 };
    buf_add_format (&line, "%s is written: %s, %s by %s, its SHA-256 is right",
                    out, json_text_or (file, "name", "?"),
                    file_size_text (text, (int64_t) size),
                    json_text_or (file, "author", "?"));
    print_text (stdout, (const char *) line.data, line.size);
    buf_free (&line);
}

int command_file_get (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct file_which which = { 0 };
    struct file_wait time = { 0 };
    const char *out = NULL, *wait = NULL;
    const struct option_spec specs[] = { FILE_OPTIONS (which),
                                         { "out", OPTION_TEXT, &out },
                                         { "wait", OPTION_TEXT, &wait },
                                         { "timeout", OPTION_TEXT,
                                           &time.timeout },
                                         { 0 } };
    struct error e;
    struct buf data = { 0 };
    json_t *file = NULL;
    options_read (cli, argc, argv, usage_get, specs, &words, 1, 1);
    which.id = words.at[0];
    file_which_check (&which, usage_get);
    if (wait && strcmp (wait, "complete") != 0)
        options_refuse (usage_get, "--wait '%s' is not complete", wait);
    if (time.timeout && !wait)
        options_refuse (usage_get, "--timeout needs --wait");
    file_wait_check (&time, usage_get);
    out_check (out);
    struct client *client = client_new (cli, &e);
    enum err rc =
        client ? file_ask (client, &which, wait, &time, &file, &e) : e.code;
    if (!rc)
        rc = complete_check (file, &e);
    if (!rc)
        rc = content_get (client, file, &data, &e);
    if (!rc)
        rc = file_write (out, buf_slice (&data), false, &e);
    if (!rc)
        say_saved (cli, file, out, data.size);
    buf_free (&data);
    json_decref (file);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
