/* json_thread - threads as JSON: a line of a list, and all that is known of
 * one. */
#ifndef PARLEY_API_JSON_THREAD_H
#define PARLEY_API_JSON_THREAD_H

#include "api/json_say.h"

/* Who asks, and how far he has read. */
struct thread_reader {
    struct request *request;
    const struct threads_view *view;
    const struct roster *roster; /* NULL: not asked */
    int64_t read;                /* -1 */
};

/* The newest message that is good and of another delegation: is it unread? */
bool thread_unread (const struct thread_reader *reader,
                    const struct thread *thread);
/* A line of GET /threads. */
json_t *json_thread_line (const struct thread_reader *reader,
                          const struct thread *thread) MUST_CHECK;
/* {"id", "kind", "channel", "title", "entity", "state"} */
json_t *json_thread_name (const struct threads_view *view,
                          const struct thread *thread) MUST_CHECK;
/* The state's word. */
const char *thread_state_word (const struct threads_view *view,
                               const struct thread *thread);
const struct thread_party *thread_party_of (const struct thread_version *at,
                                            const char *entity);
/* What the own body may do now: ["stance", "comment", "done:U1", ...]. */
json_t *json_thread_actions (const struct thread_reader *reader,
                             const struct thread *thread) MUST_CHECK;

/* Members of GET /threads/{id} beside those of threads_head; what bodies say is
 * wanted of `bodies`. Messages: the newest `limit` below `before`. */
void json_thread_whole (const struct thread_reader *reader,
                        const struct thread *thread, int64_t before,
                        size_t limit, struct say_bodies *bodies, json_t *out);
/* All of GET /threads/{thread}'s answer; NULL: answered. */
json_t *thread_answer (struct request *r, int64_t before, size_t limit)
    MUST_CHECK;
/* Its parts: json_thread_parts.c. */
json_t *json_thread_parties (const struct thread_reader *reader,
                             const struct thread *thread) MUST_CHECK;
json_t *json_thread_others (const struct thread_reader *reader,
                            const struct thread *thread) MUST_CHECK;
json_t *json_thread_closes (const struct thread *thread) MUST_CHECK;
json_t *json_thread_about (const struct threads_view *view,
                           const struct thread *thread) MUST_CHECK;
json_t *json_thread_undertakings (const struct threads_view *view,
                                  const struct thread *thread,
                                  struct say_bodies *bodies) MUST_CHECK;
json_t *json_undertaking (const struct threads_view *view,
                          const struct undertaking *undertaking) MUST_CHECK;
json_t *json_thread_suggestions (const struct thread *thread,
                                 struct say_bodies *bodies) MUST_CHECK;
json_t *json_thread_contributions (const struct threads_view *view,
                                   const struct thread *thread,
                                   struct say_bodies *bodies) MUST_CHECK;
/* json_thread_meeting.c */
json_t *json_thread_attendance (const struct threads_view *view,
                                const struct thread *thread) MUST_CHECK;
json_t *json_thread_meeting (const struct threads_view *view,
                             const struct thread *thread) MUST_CHECK;
/* How many overlaps the agreed version of an alignment covers. */
size_t thread_covers (const struct threads_view *view,
                      const struct thread *thread);

#endif
