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
    self->end = &self->first;
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

/* Writing */

struct handles_job {
    struct handles_job *next;
    handles_write_fn *write;
    void *arg;
    struct error *e;
    enum err rc;
    bool done, leads;
    pthread_cond_t told; /* of either */
};

/* The first ones, taken out of the queue. */
static struct handles_job *jobs_take (struct handles *self) {
    pthread_mutex_lock (&self->write_lock);
    struct handles_job *first = self->first, **at = &self->first;
    for (int i = 0; i < WRITES_MAX && *at; i++)
        at = &(*at)->next;
    self->first = *at;
    *at = NULL;
    if (!self->first)
        self->end = &self->first;
    pthread_mutex_unlock (&self->write_lock);
    return first;
}

static void jobs_tell (struct handles *self, struct handles_job *jobs) {
    pthread_mutex_lock (&self->write_lock);
    while (jobs) {
        struct handles_job *job = jobs;
        jobs = job->next; /* it is its thread's, which leaves now */
        job->done = true;
        pthread_cond_signal (&job->told);
    }
    self->led = self->first != NULL;
    if (self->first) {
        self->first->leads = true;
        pthread_cond_signal (&self->first->told);
    }
    pthread_mutex_unlock (&self->write_lock);
}

/* All that is there once the link has let the writers' turn go. */
static void lead (struct handles *self) {
    struct error e = { 0 };
    enum err rc = store_group_begin (self->writer, &e);
    struct handles_job *jobs = jobs_take (self);
    for (struct handles_job *job = jobs; !rc && job; job = job->next)
        job->rc = job->write (self->writer, job->arg, job->e);
    bool begun = !rc;
    if (begun)
        rc = store_group_end (self->writer, &e);
    for (struct handles_job *job = jobs; rc && job; job = job->next)
        if (!begun || !job->rc) {
            *job->e = e;
            job->rc = rc;
        }
    jobs_tell (self, jobs);
}

enum err handles_write (struct handles *self, handles_write_fn *write,
                        void *arg, struct error *e) {
    struct handles_job me = { .write = write, .arg = arg, .e = e };
    pthread_cond_init (&me.told, NULL);
    pthread_mutex_lock (&self->write_lock);
    *self->end = &me;
    self->end = &me.next;
    me.leads = !self->led;
    self->led = true;
    while (!me.leads && !me.done)
        pthread_cond_wait (&me.told, &self->write_lock);
    pthread_mutex_unlock (&self->write_lock);
    if (!me.done)
        lead (self);
    pthread_cond_destroy (&me.told);
    return me.rc;
}

int handles_waiting (struct handles *self) {
    int count = 0;
    pthread_mutex_lock (&self->write_lock);
    for (const struct handles_job *job = self->first; job; job = job->next)
        count++;
    pthread_mutex_unlock (&self->write_lock);
    return count;
}
