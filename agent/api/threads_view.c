/* threads_view - now, and which thread is meant. */
#include "api/threads_view.h"

#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "base/clock.h"
#include "identity/rights.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SAME_ID_MAX 64 /* threads of one id that are looked at */

void threads_of (const struct plans_view *plans, struct threads_view *out) {
    *out = (struct threads_view){ .plans = *plans,
                                  .threads = plans->threads,
                                  .now_ms = plans->settled_ms };
    out->plans.mark = plans->settled;
    out->plans.mark_ms = plans->settled_ms;
    out->plans.today = day_of_ms (plans->settled_ms);
}

static void fill (struct request *self, struct threads_view *out) {
    struct plans_view plans = out->plans;
    threads_of (&plans, out);
    plans_own_entity (self, out->entity);
}

bool threads_open (struct request *self, struct threads_view *out) {
    if (!plans_open (self, &out->plans))
        return false;
    fill (self, out);
    return true;
}

bool threads_look (struct request *self, struct threads_view *out) {
    if (!plans_look (self, &out->plans))
        return false;
    fill (self, out);
    return true;
}

json_t *threads_head (const struct threads_view *view) {
    return json_pack ("{s{so so} sI}", "mark", "sequence",
                      json_place_or_null (view->plans.mark), "time",
                      json_time_or_null (view->plans.mark_ms), "generation",
                      (json_int_t) threads_generation (view->threads));
}

char *threads_state (char out[THREADS_STATE_MAX],
                     const struct threads_view *view) {
    snprintf (out, THREADS_STATE_MAX, "%" PRId64 " %" PRId64 " %" PRId64,
              threads_generation (view->threads),
              model_generation (view->plans.model), view->plans.mark);
    return out;
}

/* Which one */

static bool kind_number (struct slice word, int *number) {
    enum thread_kind kind;
    bool known = thread_kind_read (word, &kind);
    *number = known ? (int) kind : 0;
    return known;
}

bool threads_query_kinds (struct request *self, unsigned *out) {
    return plans_query_bits (self, "kind", kind_number, out);
}

static bool is_meant (const struct thread *thread, unsigned kinds,
                      const char *channel) {
    return (!kinds || (kinds & 1U << thread->place.kind))
           && (!channel || strcmp (thread->place.channel, channel) == 0);
}

static void answer_many (struct request *self,
                         const struct thread *const *found, size_t count) {
    json_t *topics = json_array();
    char topic[TOPIC_MAX + 1];
    for (size_t i = 0; i < count; i++)
        json_array_append_new (
            topics, json_string (thread_topic (topic, &found[i]->place)));
    problem_reply_with (self, PROBLEM_AMBIGUOUS,
                        json_pack ("{so}", "topics", topics),
                        "%zu threads have the id '%s': say which by channel "
                        "and kind",
                        count, self->segment);
}

static const struct thread *find (struct request *self,
                                  const struct threads_view *view,
                                  unsigned kinds, const char *channel) {
    const struct thread *found[SAME_ID_MAX], *at;
    size_t count = 0;
    for (size_t n = 0; count < SAME_ID_MAX
                       && (at = threads_find (view->threads, self->segment, n));
         n++)
        if (is_meant (at, kinds, channel))
            found[count++] = at;
    if (count == 1)
        return found[0];
    if (count > 1)
        answer_many (self, found, count);
    else
        problem_reply (self, PROBLEM_NOT_FOUND,
                       "no thread '%s' can be read here", self->segment);
    return NULL;
}

const struct thread *threads_need (struct request *self,
                                   const struct threads_view *view) {
    unsigned kinds;
    if (!threads_query_kinds (self, &kinds))
        return NULL;
    char *channel = request_query_topic (self, "channel");
    const struct thread *out = find (self, view, kinds, channel);
    free (channel);
    return out;
}

bool threads_entity_may (const struct roster *roster, const char *entity,
                         const char *channel, bool write) {
    const struct roster_entity *found =
        roster_entity (roster, slice_text (entity));
    for (size_t i = 0; found && i < found->delegation_count; i++) {
        const struct roster_delegation *at =
            roster_delegation_at (roster, found->first_delegation + i);
        if (rights_ask (roster, slice_text (at->name), slice_text (channel),
                        write ? RIGHT_WRITE : RIGHT_READ, clock_wall_ms())
            == VERDICT_YES)
            return true;
    }
    return false;
}
