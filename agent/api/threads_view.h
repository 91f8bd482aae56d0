/* threads_view - threads as a request sees them: the plans beside them, the own
 * body, and now, which is the newest settled mark (THREADS.md). */
#ifndef PARLEY_API_THREADS_VIEW_H
#define PARLEY_API_THREADS_VIEW_H

#include "api/plans_view.h"
#include "threads/asks.h"

/* Of each list in an answer about one thread, the newest. */
#define THREADS_LISTED_MAX 500

struct threads_view {
    struct plans_view plans; /* mark, mark_ms, today: of that mark */
    const struct threads *threads;
    int64_t now_ms;              /* that mark's time; 0: none is settled yet */
    char entity[ENTITY_MAX + 1]; /* ours */
};
/* As plans_open and plans_look; both are closed by plans_close. */
bool threads_open (struct request *self, struct threads_view *out) MUST_CHECK;
bool threads_look (struct request *self, struct threads_view *out) MUST_CHECK;

/* The same of plans that are looked at; without an entity. */
void threads_of (const struct plans_view *plans, struct threads_view *out);

/* {"mark": {"sequence", "time"}, "generation"}: what an answer is of. */
json_t *threads_head (const struct threads_view *view) MUST_CHECK;
/* What an answer is a function of, beside who asks. Returns out. */
#define THREADS_STATE_MAX 96
char *threads_state (char out[THREADS_STATE_MAX],
                     const struct threads_view *view);

/* The thread that the path and the query's `channel` and `kind` name; NULL:
 * answered with NOT-FOUND, or AMBIGUOUS and the topics. */
const struct thread *threads_need (struct request *self,
                                   const struct threads_view *view) MUST_CHECK;
/* The query's kinds or channel; each answers BAD-PARAMETER. */
bool threads_query_kinds (struct request *self, unsigned *out) MUST_CHECK;

/* Has who asks a delegation of that entity that may read, or write, there? */
bool threads_entity_may (const struct roster *roster, const char *entity,
                         const char *channel, bool write);

#endif
