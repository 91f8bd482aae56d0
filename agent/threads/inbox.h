/* inbox - what waits for a body (THREADS.md section 9). */
#ifndef PARLEY_INBOX_H
#define PARLEY_INBOX_H

#include "asks.h"

enum inbox_kind {
    INBOX_STANCE,      /* on an alignment or communique */
    INBOX_ASKED_AGAIN, /* an action changed */
    INBOX_REPLY,       /* to a consultation */
    INBOX_INVITATION,  /* to a meeting */
    INBOX_REQUEST,     /* for support */
    INBOX_UNDERTAKING, /* of its own */
    INBOX_CLAIM,       /* a partnership that only the other body names */
    INBOX_SUGGESTION,  /* on its own current proposal, not taken up */
    INBOX_KINDS,
};
const char *inbox_kind_name (enum inbox_kind kind);

struct inbox_item {
    enum inbox_kind kind;
    bool has_due;
    int64_t due_ms;
    int64_t since;               /* sequence of what asked; of a claim -1 */
    const struct thread *thread; /* NULL: a claim */
    const struct undertaking *undertaking; /* NULL */
    const struct overlap
        *overlap; /* a claim: copied, freed with the list; NULL */
};
struct inbox {
    struct inbox_item *at; /* by due instant (none: last), then since */
    size_t count;
    size_t of[INBOX_KINDS];
    struct overlap_answer claims; /* what their items point into */
};
/* Claims are looked for among so many overlaps, narrow ones first. */
#define INBOX_CLAIMS_MAX 1000
void inbox_make (struct inbox *out, const struct threads *threads,
                 const struct model *model, const char *entity, int64_t now_ms);
void inbox_free (struct inbox *self);

#endif
