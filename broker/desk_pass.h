/* desk_pass - what the desk hands on: publishes to intake, reads to fetch, and
 * how much of each is in hand. Of the desk's thread. */
#ifndef PARLEY_DESK_PASS_H
#define PARLEY_DESK_PASS_H

#include "fetch.h"
#include "intake.h"
#include "session.h"

struct pass {
    struct session_table *sessions; /* borrowed, these three */
    struct intake *intake;
    struct fetch *fetch;
    size_t reads, reader_reads; /* jobs for reads: of all, of a delegation */
    size_t publishes;           /* in hand */
    uint64_t tickets;           /* given so far */
};

/* Shares of so many jobs for reads. */
void pass_begin (struct pass *self, size_t jobs);
/* Takes the job, or ERR_FULL. A publish gets its ticket, and what its rate has
 * to say of it. */
enum err pass_on (struct pass *self, const struct session *session,
                  const struct roster *roster, struct job *job) MUST_CHECK;
/* One that was taken has its reply. */
void pass_back (struct pass *self, const struct job *job);

#endif
