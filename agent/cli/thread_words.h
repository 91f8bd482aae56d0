/* thread_words - what bodies work out together, in words: moments, states, who
 * says what; and the thread that a person means by an id. */
#ifndef PARLEY_THREAD_WORDS_H
#define PARLEY_THREAD_WORDS_H

#include "client.h"
#include "json.h"

/* Moments: in the reader's zone (TZ), and in UTC. */

/* "2026-12-01T17:00+01:00" (seconds may be left out) or "2026-12-01" as messages
 * have it, the caller's; all else ends the process with `usage`. */
json_t *instant_argument (const char *text, const char *option,
                          const char *usage);
/* "1 Dec 2026, 17:00 (+01:00) = 16:00 UTC" of an RFC 3339 time. */
void moment_words (struct buf *out, const char *time);
/* {"utc", "text"} so, a bare date as "end of 1 Dec 2026 (UTC)". */
void instant_said (struct buf *out, json_t *instant);
/* "in 5 days", "2 hours ago", by the answer's mark. */
void instant_distance (struct buf *out, json_t *instant, json_t *answer);

/* States. Of a line of a list, or of a thread as it is shown. */

/* "agreed, not yet carried out: 2 of 3 undertakings open". */
void thread_state_words (struct buf *out, json_t *thread);
/* "endorses", "does not come": what a body does that says that word. */
const char *thread_says_words (const char *word);
/* "not agreed"; a state or an outcome. */
const char *thread_outcome_words (const char *state);
/* May it still be answered? */
bool thread_is_open (json_t *thread);
/* "alignment", "request for support". */
const char *thread_kind_words (const char *kind);

/* Which one. */

struct thread_ref {
    const char *id;      /* as typed: an id, its end or beginning, a topic */
    const char *kind;    /* that it has to be; NULL: any */
    const char *channel; /* NULL: any */
    const char *lang;    /* NULL */
};
/* What the agent knows of it; *out is the caller's. ERR_NOT_FOUND; ERR_RIGHT:
 * several are meant. */
enum err thread_get (struct client *client, const struct thread_ref *ref,
                     json_t **out, struct error *e) MUST_CHECK;
/* Octets of a file that stands below a thread: to `out`, or standard output.
 * `query`: further names and their values (NULL: left out), up to a NULL. The exit code. */
int thread_save (struct cli *cli, const struct thread_ref *ref,
                 const char *rest, const char *const *query, const char *out,
                 bool replace);
/* /api/v1/threads/ID and `rest`, with the query that says which, of a thread
 * that was got. */
void thread_path (struct buf *path, json_t *thread, const char *rest);

#endif
