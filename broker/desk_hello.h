/* desk_hello - the answer to a hello (PROTOCOL.md section 8.2). Of the desk's
 * thread. */
#ifndef PARLEY_DESK_HELLO_H
#define PARLEY_DESK_HELLO_H

#include "commit.h"
#include "notary.h"
#include "session.h"
#include "timekeeper.h"

struct hello_parts {
    struct state *state;
    struct timekeeper *time;
    struct commit *commit;
    struct notary *notary; /* judges their checkpoints; NULL: nobody does */
};

/* VERSION, which names our range of versions and theirs. */
void hello_refuse_version (struct refusal *why, int64_t lowest,
                           int64_t highest);
/* Fill the job's reply with the welcome and its signature; the session has said
 * hello then. Otherwise nothing is changed, and *why and *e say it: ERR_NEWER
 * (VERSION), ERR_MALFORMED, ERR_LIMIT. A promise or a
 * checkpoint of ours that the ledger does not bear out closes the state for the
 * rest of the run. */
enum err hello_answer (const struct hello_parts *parts, struct job *job,
                       struct session *session, struct refusal *why,
                       struct error *e) MUST_CHECK;

#endif
