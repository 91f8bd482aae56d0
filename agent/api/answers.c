/* answers - by path, parameters and state. */
#include "api/answers.h"

#include "api/problem.h"

#include <stdlib.h>
#include <string.h>

void answers_open (struct answers *self) {
    pthread_mutex_init (&self->lock, NULL);
}

void answers_close (struct answers *self) {
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        free (self->at[i].key);
        buf_free (&self->at[i].text);
    }
    pthread_mutex_destroy (&self->lock);
}

static enum MHD_Result parameter_add (void *arg, enum MHD_ValueKind kind,
                                      const char *name, const char *value) {
    struct buf *key = arg;
    (void) kind;
    buf_add_format (key, "&%zu:%s=%zu:%s", strlen (name), name,
                    value ? strlen (value) : 0, value ? value : "");
    return MHD_YES;
}

static char *key_make (struct request *request, const char *state) {
    struct buf key = { 0 };
    buf_add_format (&key, "%s %s %s", request->route->path, request->segment,
                    state);
    MHD_get_connection_values (request->connection, MHD_GET_ARGUMENT_KIND,
                               parameter_add, &key);
    buf_add_u8 (&key, 0);
    return (char *) key.data;
}

bool answers_reply (struct answers *self, struct request *request,
                    const char *state) {
    char *key = key_make (request, state);
    struct buf text = { 0 };
    bool found = false;
    pthread_mutex_lock (&self->lock);
    for (size_t i = 0; i < ANSWERS_MAX && !found; i++)
        if (self->at[i].key && strcmp (self->at[i].key, key) == 0) {
            self->at[i].used = ++self->clock;
            buf_add_slice (&text, buf_slice (&self->at[i].text));
            found = true;
        }
    pthread_mutex_unlock (&self->lock);
    if (found)
        reply_octets (request, "application/json", buf_slice (&text));
    buf_free (&text);
    free (key);
    return found;
}

/* The key is taken. */
static void keep (struct answers *self, char *key, struct slice text) {
    size_t oldest = 0;
    pthread_mutex_lock (&self->lock);
    for (size_t i = 1; i < ANSWERS_MAX; i++)
        if (self->at[i].used < self->at[oldest].used)
            oldest = i;
    free (self->at[oldest].key);
    self->at[oldest].key = key;
    self->at[oldest].used = ++self->clock;
    buf_clear (&self->at[oldest].text);
    buf_add_slice (&self->at[oldest].text, text);
    pthread_mutex_unlock (&self->lock);
}

void answers_make (struct answers *self, struct request *request,
                   const char *state, json_t *json) {
    char *text = json ? json_dumps (json, JSON_COMPACT) : NULL;
    json_decref (json);
    if (!text) {
        problem_reply (request, PROBLEM_INTERNAL, "the answer is no JSON");
        return;
    }
    reply_octets (request, "application/json", slice_text (text));
    if (strlen (text) <= ANSWERS_OCTETS_MAX)
        keep (self, key_make (request, state), slice_text (text));
    free (text);
}
