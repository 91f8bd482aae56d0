/* res_thread_files - a thread as files: the signed note, the text to be signed,
 * a page, a calendar. */
#include "api/http_impl.h"
#include "api/json_thread.h"
#include "api/problem.h"
#include "api/resources.h"
#include "api/thread_page.h"
#include "threads/communique.h"
#include "threads/meeting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define CALENDAR "text/calendar; charset=utf-8"
#define MEETINGS_MAX 2000 /* of a calendar: the newest */

static void named (struct request *r, const char *type, struct slice octets,
                   const char *name, const char *end) {
    char text[PLAN_ID_MAX + 96];
    reply_octets (r, type, octets);
    snprintf (text, sizeof text, "attachment; filename=\"%s.%s\"", name, end);
    reply_header (r, "Content-Disposition", text);
}

/* A communique's version */

static const struct thread *communique_need (struct request *r,
                                             const struct threads_view *view) {
    const struct thread *out = threads_need (r, view);
    if (!out)
        return NULL;
    if (out->place.kind == THREAD_COMMUNIQUE && out->version_count > 0)
        return out;
    problem_reply (r, PROBLEM_NOT_FOUND, "'%s' is no communique with a version",
                   r->segment);
    return NULL;
}

/* `asked` 0: the newest agreed one where `agreed`, else the current. */
static bool version_find (struct request *r, const struct threads_view *view,
                          const struct thread *thread, int64_t asked,
                          bool agreed, size_t *out) {
    *out = agreed ? thread_agreed (thread, view->now_ms) : SIZE_MAX;
    if (asked > 0)
        *out = (size_t) asked - 1;
    else if (*out == SIZE_MAX)
        *out = thread->version_count - 1;
    if (*out < thread->version_count)
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND,
                   "'%s' has %zu versions, and no version %" PRId64, r->segment,
                   thread->version_count, asked);
    return false;
}

struct writing {
    struct request *request;
    const struct threads_view *view;
    const struct thread *thread;
    size_t version;
    json_t *document;
    struct buf out;
};

/* false: answered. */
static bool text_write (struct writing *self, struct buf *out) {
    struct error e;
    if (!communique_text (
            out, self->request->http->options.dialogue, &self->thread->place,
            &self->thread->versions[self->version].entry->origin.id,
            self->document, &e))
        return true;
    problem_reply (self->request, PROBLEM_NOT_FOUND, "%s", e.text);
    return false;
}

static bool note_write (struct writing *self) {
    struct error e;
    struct buf text = { 0 };
    bool fine = text_write (self, &text);
    if (fine
        && communique_note (&self->out, buf_slice (&text), self->thread,
                            self->version, &e)) {
        problem_reply (self->request, PROBLEM_NOT_FOUND, "%s", e.text);
        fine = false;
    }
    buf_free (&text);
    return fine;
}

static bool plain_write (struct writing *self) {
    return text_write (self, &self->out);
}

static bool html_write (struct writing *self) {
    communique_html (&self->out, self->thread, self->version, self->document,
                     self->view->now_ms, self->view->plans.lang);
    return true;
}

static bool document_get (struct writing *self) {
    const struct origin *origin =
        &self->thread->versions[self->version].entry->origin;
    struct store *store = request_reader (self->request);
    self->document = store ? plans_load (store, origin) : NULL;
    if (store && !self->document)
        problem_reply (self->request, PROBLEM_NOT_FOUND,
                       "record %" PRId64 " has no body that can be shown",
                       origin->sequence);
    return self->document != NULL;
}

static void communique_answer (struct request *r, bool agreed,
                               bool (*write) (struct writing *self),
                               const char *type, const char *end) {
    struct threads_view view;
    struct writing self = { .request = r, .view = &view };
    int64_t asked;
    bool fine = false;
    if (!request_query_int (r, "version", 0, 1, INT32_MAX, &asked)
        || !threads_open (r, &view))
        return;
    self.thread = communique_need (r, &view);
    if (self.thread
        && version_find (r, &view, self.thread, asked, agreed, &self.version)
        && document_get (&self))
        fine = write (&self);
    plans_close (r);
    if (fine)
        named (r, type, buf_slice (&self.out), r->segment, end);
    json_decref (self.document);
    buf_free (&self.out);
}

void thread_note_get (struct request *r) {
    communique_answer (r, true, note_write, TEXT_PLAIN, "note");
}

void thread_text_get (struct request *r) {
    communique_answer (r, false, plain_write, TEXT_PLAIN, "txt");
}

/* A page, or all as it is answered */

static bool is_communique (struct request *r, bool *out) {
    struct threads_view view;
    if (!threads_open (r, &view))
        return false;
    const struct thread *thread = threads_need (r, &view);
    *out = thread && thread->place.kind == THREAD_COMMUNIQUE
           && thread->version_count > 0;
    plans_close (r);
    return thread != NULL;
}

static void page_answer (struct request *r) {
    struct buf out = { 0 };
    json_t *thread = thread_answer (r, -1, THREADS_LISTED_MAX);
    if (!thread)
        return;
    thread_page (&out, thread);
    named (r, "text/html; charset=utf-8", buf_slice (&out), r->segment, "html");
    buf_free (&out);
    json_decref (thread);
}

static void json_answer (struct request *r) {
    char name[PLAN_ID_MAX + 96];
    json_t *thread = thread_answer (r, -1, THREADS_LISTED_MAX);
    if (!thread)
        return;
    reply_json (r, 200, thread);
    snprintf (name, sizeof name, "attachment; filename=\"%s.json\"",
              r->segment);
    reply_header (r, "Content-Disposition", name);
}

void thread_export_get (struct request *r) {
    static const char *const forms[] = { "html", "json", NULL };
    int form;
    bool communique;
    if (!request_query_word (r, "format", forms, 0, &form)
        || !is_communique (r, &communique))
        return;
    if (form == 1)
        json_answer (r);
    else if (communique)
        communique_answer (r, true, html_write, "text/html; charset=utf-8",
                           "html");
    else
        page_answer (r);
}

/* Calendars */

void thread_calendar_get (struct request *r) {
    struct threads_view view;
    struct buf out = { 0 };
    if (!threads_open (r, &view))
        return;
    const struct thread *thread = threads_need (r, &view);
    bool meeting = thread && thread->place.kind == THREAD_MEETING
                   && thread->version_count > 0;
    if (meeting)
        meeting_ical (&out, &thread, 1, view.plans.lang);
    plans_close (r);
    if (meeting)
        named (r, CALENDAR, buf_slice (&out), r->segment, "ics");
    else if (thread)
        problem_reply (r, PROBLEM_NOT_FOUND, "'%s' is no meeting", r->segment);
    buf_free (&out);
}

static bool is_wanted (const struct thread *thread, const char *channel,
                       const char *series) {
    const struct thread_version *version = thread_current (thread);
    return thread->place.kind == THREAD_MEETING && version
           && (!channel || strcmp (thread->place.channel, channel) == 0)
           && (!series || strcmp (version->proposal->series, series) == 0);
}

static int by_time (const void *a, const void *b) {
    const struct thread *x = *(const struct thread *const *) a;
    const struct thread *y = *(const struct thread *const *) b;
    int64_t m = thread_current (x)->proposal->from.ms;
    int64_t n = thread_current (y)->proposal->from.ms;
    if (m != n)
        return m < n ? -1 : 1;
    m = x->versions[0].entry->origin.sequence;
    n = y->versions[0].entry->origin.sequence;
    return m < n ? -1 : m > n;
}

static void calendar_write (const struct threads_view *view,
                            const char *channel, const char *series,
                            struct buf *out) {
    size_t count = 0, all = threads_count (view->threads);
    const struct thread **at = mem_alloc ((all + 1) * sizeof (*at));
    for (size_t i = 0; i < all; i++)
        if (is_wanted (threads_at (view->threads, i), channel, series))
            at[count++] = threads_at (view->threads, i);
    qsort (at, count, sizeof *at, by_time);
    size_t from = count > MEETINGS_MAX ? count - MEETINGS_MAX : 0;
    meeting_ical (out, at + from, count - from, view->plans.lang);
    free (at);
}

void calendar_get (struct request *r) {
    struct threads_view view;
    struct buf out = { 0 };
    char *channel = request_query_topic (r, "channel");
    if (threads_open (r, &view)) {
        calendar_write (&view, channel, request_query (r, "series"), &out);
        plans_close (r);
        named (r, CALENDAR, buf_slice (&out), "meetings", "ics");
    }
    buf_free (&out);
    free (channel);
}
