/* res_threads - GET /threads and GET /threads/{thread}. */
#include "api/http_impl.h"
#include "api/json_thread.h"
#include "api/problem.h"
#include "api/resources.h"
#include "identity/roster.h"
#include "store/read_marks.h"
#include "threads/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for */

#define STATE_THERE 31 /* a bit beside those of enum thread_status */

struct asked {
    unsigned kinds, states;
    const char *entity, *with, *about, *text, *series;
    char *channel; /* owned */
    bool waiting, unread;
    size_t offset, limit;
};

static bool state_number (struct slice word, int *number) {
    *number = 0;
    if (slice_is (word, "there")) {
        *number = STATE_THERE;
        return true;
    }
    for (int i = STATUS_OPEN; i <= STATUS_EMPTY; i++)
        if (i != STATUS_REPLACED
            && slice_is (word, thread_status_name (THREAD_ALIGN,
                                                   (enum thread_status) i))) {
            *number = i;
            return true;
        }
    return false;
}

static bool asked_read (struct request *r, struct asked *out) {
    *out = (struct asked){ .about = request_query (r, "about"),
                           .text = request_query (r, "text"),
                           .series = request_query (r, "series") };
    if (!threads_query_kinds (r, &out->kinds)
        || !plans_query_bits (r, "state", state_number, &out->states)
        || !plans_query_entity (r, "entity", &out->entity)
        || !plans_query_entity (r, "with", &out->with)
        || !plans_query_flag (r, "waiting", &out->waiting)
        || !plans_query_flag (r, "unread", &out->unread)
        || !plans_query_page (r, &out->offset, &out->limit))
        return false;
    out->channel = request_query_topic (r, "channel");
    return true;
}

/* Which fit */

struct listing {
    struct asked asked;
    struct thread_reader reader;
    struct read_marks marks;
    const struct thread **waiting; /* sorted by address */
    size_t waiting_count;
    struct listed {
        const struct thread *thread;
        bool unread;
    } * at;
    size_t count, unread;
};

static bool is_about (const struct thread *thread, const char *wanted) {
    const struct thread_version *version = thread_current (thread);
    size_t size = strlen (wanted);
    bool part = strchr (wanted, '#') != NULL;
    for (size_t i = 0; version && i < version->proposal->about_count; i++) {
        const char *ref = version->proposal->about[i].ref;
        if (strcmp (ref, wanted) == 0
            || (!part && strncmp (ref, wanted, size) == 0 && ref[size] == '#'))
            return true;
    }
    return false;
}

static bool title_has (const struct thread *thread, const char *wanted) {
    const struct thread_version *version = thread_current (thread);
    const struct text *title = version ? &version->proposal->title : NULL;
    if (strcasestr (thread->place.id, wanted))
        return true;
    for (size_t i = 0; title && i < title->count; i++)
        if (strcasestr (title->at[i].text, wanted))
            return true;
    return false;
}

static bool has_state (const struct threads_view *view,
                       const struct thread *thread, unsigned wanted) {
    struct thread_state state;
    enum thread_kind kind = thread->place.kind;
    thread_state (thread, view->now_ms, &state);
    unsigned bit = (unsigned) state.status;
    if (state.status == STATUS_OPEN
        && strcmp (thread_status_name (kind, state.status), "there") == 0)
        bit = STATE_THERE;
    return wanted & 1U << bit;
}

static bool is_with (const struct thread *thread, const char *entity) {
    return strcmp (thread->place.entity, entity) == 0
           || thread_party_of (thread_current (thread), entity);
}

static bool is_of_series (const struct thread *thread, const char *series) {
    const struct thread_version *version = thread_current (thread);
    return version && thread->place.kind == THREAD_MEETING
           && strcmp (version->proposal->series, series) == 0;
}

static int by_address (const void *a, const void *b) {
    const struct thread *x = *(const struct thread *const *) a;
    const struct thread *y = *(const struct thread *const *) b;
    return (x > y) - (x < y);
}

static bool waits (const struct listing *self, const struct thread *thread) {
    return self->waiting_count > 0
           && bsearch (&thread, self->waiting, self->waiting_count,
                       sizeof *self->waiting, by_address);
}

static bool fits (const struct listing *self, const struct thread *thread) {
    const struct asked *asked = &self->asked;
    return (!asked->kinds || asked->kinds & 1U << thread->place.kind)
           && (!asked->channel
               || strcmp (thread->place.channel, asked->channel) == 0)
           && (!asked->entity
               || strcmp (thread->place.entity, asked->entity) == 0)
           && (!asked->with || is_with (thread, asked->with))
           && (!asked->series || is_of_series (thread, asked->series))
           && (!asked->about || is_about (thread, asked->about))
           && (!asked->text || title_has (thread, asked->text))
           && (!asked->states
               || has_state (self->reader.view, thread, asked->states))
           && (!asked->waiting || waits (self, thread));
}

static void waiting_find (struct listing *self) {
    const struct threads_view *view = self->reader.view;
    struct inbox inbox;
    inbox_make (&inbox, view->threads, view->plans.model, view->entity,
                view->now_ms);
    self->waiting = mem_alloc ((inbox.count + 1) * sizeof *self->waiting);
    for (size_t i = 0; i < inbox.count; i++)
        if (inbox.at[i].thread)
            self->waiting[self->waiting_count++] = inbox.at[i].thread;
    qsort (self->waiting, self->waiting_count, sizeof *self->waiting,
           by_address);
    inbox_free (&inbox);
}

/* The list */

static int newest_first (const void *a, const void *b) {
    const struct listed *x = a, *y = b;
    if (x->thread->last != y->thread->last)
        return x->thread->last > y->thread->last ? -1 : 1;
    return by_address (&x->thread, &y->thread);
}

static struct thread_reader reader_of (const struct listing *self,
                                       const struct thread *thread) {
    char topic[TOPIC_MAX + 1];
    struct thread_reader out = self->reader;
    out.read =
        read_marks_of (&self->marks, thread_topic (topic, &thread->place));
    return out;
}

static void collect (struct listing *self) {
    const struct threads *threads = self->reader.view->threads;
    self->at = mem_alloc ((threads_count (threads) + 1) * sizeof *self->at);
    for (size_t i = 0; i < threads_count (threads); i++) {
        const struct thread *thread = threads_at (threads, i);
        if (!fits (self, thread))
            continue;
        struct thread_reader reader = reader_of (self, thread);
        bool unread = thread_unread (&reader, thread);
        if (self->asked.unread && !unread)
            continue;
        self->unread += unread;
        self->at[self->count++] = (struct listed){ thread, unread };
    }
    qsort (self->at, self->count, sizeof *self->at, newest_first);
}

static json_t *page (const struct listing *self) {
    json_t *out = json_array();
    for (size_t i = self->asked.offset;
         i < self->count && i - self->asked.offset < self->asked.limit; i++) {
        struct thread_reader reader = reader_of (self, self->at[i].thread);
        json_array_append_new (out,
                               json_thread_line (&reader, self->at[i].thread));
    }
    return out;
}

static json_t *list_json (struct listing *self) {
    if (self->asked.waiting)
        waiting_find (self);
    collect (self);
    json_t *out = threads_head (self->reader.view);
    json_object_set_new (out, "total", json_integer ((json_int_t) self->count));
    json_object_set_new (out, "unread",
                         json_integer ((json_int_t) self->unread));
    json_object_set_new (out, "threads", page (self));
    free (self->waiting);
    free (self->at);
    return out;
}

/* What the user has read changes an answer, too. */
static char *state_of (const struct listing *self) {
    char text[THREADS_STATE_MAX];
    struct buf all = { 0 }, out = { 0 };
    for (size_t i = 0; i < self->marks.count; i++) {
        buf_add_text (&all, self->marks.at[i].topic);
        buf_add_u64 (&all, (uint64_t) self->marks.at[i].sequence);
    }
    buf_add_format (&out, "%s %s %zu %016llx",
                    threads_state (text, self->reader.view),
                    self->reader.request->user.name, self->marks.count,
                    (unsigned long long) hash_xxh3 (buf_slice (&all), 0));
    buf_free (&all);
    return buf_take_text (&out);
}

static void list_answer (struct request *r, struct listing *self) {
    struct threads_view view;
    if (!threads_open (r, &view))
        return;
    self->reader.view = &view;
    char *state = state_of (self);
    if (!answers_reply (&r->http->answers, r, state))
        answers_make (&r->http->answers, r, state, list_json (self));
    free (state);
    plans_close (r);
}

void threads_get (struct request *r) {
    struct error e = { 0 };
    struct listing self = { .reader = { .request = r, .read = -1 } };
    if (!asked_read (r, &self.asked))
        return;
    struct store *store = request_reader (r);
    if (store && read_marks_load (store, r->user.name, &self.marks, &e))
        problem_error (r, &e);
    else if (store) {
        request_release (r);
        list_answer (r, &self);
    }
    read_marks_free (&self.marks);
    free (self.asked.channel);
}

/* One */

static json_t *one_json (struct request *r, struct store *store,
                         struct thread_reader *reader,
                         const struct read_marks *marks, int64_t before,
                         size_t limit) {
    struct threads_view view;
    struct say_bodies bodies = { 0 };
    char topic[TOPIC_MAX + 1];
    if (!threads_open (r, &view))
        return NULL;
    reader->view = &view;
    const struct thread *thread = threads_need (r, &view);
    json_t *out = NULL;
    if (thread) {
        reader->read =
            read_marks_of (marks, thread_topic (topic, &thread->place));
        out = threads_head (&view);
        json_thread_whole (reader, thread, before, limit, &bodies, out);
    }
    plans_close (r);
    if (out)
        say_bodies_fill (&bodies, store, view.plans.lang);
    return out;
}

json_t *thread_answer (struct request *r, int64_t before, size_t limit) {
    struct error e = { 0 };
    struct read_marks marks = { 0 };
    int64_t sequence;
    json_t *out = NULL;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (!roster)
        return NULL;
    struct thread_reader reader = { .request = r, .roster = roster };
    if (read_marks_load (store, r->user.name, &marks, &e))
        problem_error (r, &e);
    else
        out = one_json (r, store, &reader, &marks, before, limit);
    read_marks_free (&marks);
    roster_unref (&roster);
    return out;
}

void thread_get (struct request *r) {
    int64_t before, limit;
    if (!request_query_int (r, "before", -1, 0, INT64_MAX, &before)
        || !request_query_int (r, "limit", THREADS_LISTED_MAX, 1,
                               THREADS_LISTED_MAX, &limit))
        return;
    json_t *out = thread_answer (r, before, (size_t) limit);
    if (out)
        reply_json (r, 200, out);
}
