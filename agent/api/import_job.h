/* import_job - takes a bundle in (PROTOCOL.md section 8.10): audits it whole,
 * then hands it to the link's thread part by part. One at a time, in a thread of
 * its own. Thread-safe. */
#ifndef PARLEY_API_IMPORT_JOB_H
#define PARLEY_API_IMPORT_JOB_H

#include "base/hash.h"
#include "ledger/audit.h"
#include "link/link.h"

enum import_state {
    IMPORT_NONE,     /* since the agent started */
    IMPORT_CHECKING, /* the bundle is audited; nothing is taken yet */
    IMPORT_TAKING,
    IMPORT_DONE,
    IMPORT_FAILED, /* `why`; what was taken before is good, and stays */
};
struct import_status {
    enum import_state state;
    char folder[512];
    int64_t done;                        /* records audited, or handed on */
    int64_t total;                       /* 0: not known yet */
    int64_t records, held, others, gaps; /* link.h */
    int64_t settled; /* size of the newest checkpoint taken in; -1 */
    char why[ERROR_TEXT_MAX];
};

struct import_job;
/* Borrows the link for its life. */
struct import_job *import_job_new (struct link *link,
                                   const struct hash *dialogue) MUST_CHECK;
/* Waits until the link refuses parts (link_destroy was called, or is done), or
 * the job ends. */
void import_job_destroy (struct import_job **self_p);

/* ERR_EXISTS: one runs. The folder is read while it does: it must not change. */
enum err import_job_start (struct import_job *self, const char *folder,
                           struct error *e) MUST_CHECK;
void import_job_status (struct import_job *self, struct import_status *out);

#endif
