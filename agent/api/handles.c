/* handles - the store's handles of the API's threads. */
#include "api/handles.h"

enum err handles_open (struct handles *self, const char *path,
                       const struct hash *dialogue, const char *delegation,
                       struct error *e) {
    *self = (struct handles){ .path = path };
    self->writer = store_open (path, dialogue, delegation, e);
    if (!self->writer)
        return e->code;
    self->idle[0] = store_open_reader (path, e);
    if (!self->idle[0]) {
        store_close (&self->writer);
        return e->code;
    }
    self->idle_count = 1;
    pthread_mutex_init (&self->lock, NULL);
    pthread_mutex_init (&self->write_lock, NULL);
    pthread_cond_init (&self->returned, NULL);
    return ERR_NONE;
}

void handles_close (struct handles *self) {
    if (!self->writer)
        return;
    while (self->idle_count > 0)
        store_close (&self->idle[--self->idle_count]);
    store_close (&self->writer);
    pthread_mutex_destroy (&self->lock);
    pthread_mutex_destroy (&self->write_lock);
    pthread_cond_destroy (&self->returned);
}

static void leave (struct handles *self) {
    pthread_mutex_lock (&self->lock);
    self->out--;
    pthread_cond_signal (&self->returned);
    pthread_mutex_unlock (&self->lock);
}

struct store *handles_take (struct handles *self, struct error *e) {
    pthread_mutex_lock (&self->lock);
    while (self->out == READERS_MAX)
        pthread_cond_wait (&self->returned, &self->lock);
    self->out++;
    struct store *store =
        self->idle_count > 0 ? self->idle[--self->idle_count] : NULL;
    pthread_mutex_unlock (&self->lock);
    if (store)
        return store;
    store = store_open_reader (self->path, e);
    if (!store)
        leave (self);
    return store;
}

void handles_give (struct handles *self, struct store **store_p) {
    if (!*store_p)
        return;
    pthread_mutex_lock (&self->lock);
    self->idle[self->idle_count++] = *store_p;
    self->out--;
    pthread_cond_signal (&self->returned);
    pthread_mutex_unlock (&self->lock);
    *store_p = NULL;
}

struct store *handles_take_writer (struct handles *self) {
    pthread_mutex_lock (&self->write_lock);
    return self->writer;
}

void handles_give_writer (struct handles *self) {
    pthread_mutex_unlock (&self->write_lock);
}
