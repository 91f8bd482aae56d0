/* thread_say - a message of a thread. */
#include "thread_say.h"

#include <stdlib.h>

void content_text (json_t *content, const char *name, const char *text) {
    if (text)
        json_object_set_new (content, name, json_string (text));
}

static int post (const struct cli *cli, struct client *client,
                 const struct thread_saying *self, json_t *thread,
                 json_t *content) {
    struct buf path = { 0 };
    thread_path (&path, thread, "/messages");
    client_query (&path, "anyway", self->anyway ? "true" : NULL);
    return publishing_post (cli, client, &self->publishing,
                            json_text_or (thread, "topic", ""), &path, content);
}

int thread_say (struct cli *cli, struct thread_saying *self, const char *id,
                thread_content_fn *content, void *arg) {
    struct error e;
    json_t *thread = NULL, *made = NULL;
    const struct thread_ref ref = { id, self->kind, self->channel, NULL };
    struct client *client = client_new (cli, &e);
    if (client && !thread_get (client, &ref, &thread, &e))
        made = content (thread, arg, &e);
    int code = made ? post (cli, client, self, thread, made) : cli_fail (&e);
    json_decref (thread);
    client_destroy (&client);
    return code;
}

static json_t *ready (json_t *thread, void *arg, struct error *e) {
    (void) thread;
    (void) e;
    return json_incref (arg);
}

int thread_say_ready (struct cli *cli, struct thread_saying *self,
                      const char *id, json_t *content) {
    int code = thread_say (cli, self, id, ready, content);
    json_decref (content);
    return code;
}

/* Where it will be; without an id, how the topic begins. */
static char *topic_of (const struct thread_saying *self, const char *entity,
                       const char *id) {
    struct buf topic = { 0 };
    buf_add_format (&topic, "%s/%s/%s%s%s", self->channel, self->kind, entity,
                    id ? "/" : "", id ? id : "");
    return buf_take_text (&topic);
}

int thread_open (struct cli *cli, struct client *client,
                 const struct thread_saying *self, const char *id,
                 json_t *proposal) {
    struct error e;
    struct buf path = { 0 };
    char *entity = publishing_entity (client, &e);
    if (!entity) {
        json_decref (proposal);
        return cli_fail (&e);
    }
    char *topic = topic_of (self, entity, id);
    json_t *body = json_pack ("{s:s,s:s,s:o}", "channel", self->channel, "kind",
                              self->kind, "proposal", proposal);
    content_text (body, "id", id);
    client_path (&path, "/api/v1/threads");
    int code =
        publishing_post (cli, client, &self->publishing, topic, &path, body);
    free (topic);
    free (entity);
    return code;
}
