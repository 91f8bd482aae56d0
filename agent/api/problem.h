/* problem - what is answered where something can't be done: RFC 9457's
 * application/problem+json.
 *
 * Its type is urn:parley:problem:NAME. NAME is one of the API's own, below, or
 * a rule of PROTOCOL.md section 9.3, with the rule's values as members beside
 * the four. */
#ifndef PARLEY_API_PROBLEM_H
#define PARLEY_API_PROBLEM_H

#include "api/request.h"
#include "format/rule.h"

enum problem {
    PROBLEM_BAD_REQUEST,   /* 400: no JSON, or not of the shape */
    PROBLEM_BAD_PARAMETER, /* 400: `parameter`: unknown, twice, or its value */
    PROBLEM_UNAUTHORIZED,  /* 401: no token, or another one */
    PROBLEM_FORBIDDEN,     /* 403: `needs` a role that `you` have not */
    PROBLEM_HOST,          /* 403: called by a name that is not loopback's */
    PROBLEM_NOT_FOUND,     /* 404 */
    PROBLEM_METHOD,        /* 405 */
    PROBLEM_AMBIGUOUS,     /* 409: `topics`, of which one is meant */
    PROBLEM_DRAFT_CHANGED, /* 409: somebody wrote at it since it was read */
    PROBLEM_KEY_REUSED,    /* 409: an Idempotency-Key with other content */
    PROBLEM_NAME_TAKEN,    /* 409: a token of that name is or was there */
    PROBLEM_TOO_LATE,      /* 409: sent already */
    PROBLEM_NOT_SETTLED,   /* 409: no quorum has cosigned it yet */
    PROBLEM_FILE_INCOMPLETE, /* 409: `missing` of its parts are not here */
    PROBLEM_FILE_WITHDRAWN,  /* 409 */
    PROBLEM_FILE_BROKEN,     /* 409: its parts are not what its manifest says */
    PROBLEM_TOO_LARGE,       /* 413: `limit` octets */
    PROBLEM_MEDIA_TYPE,      /* 415 */
    PROBLEM_NOT_A_PLAN,      /* 422: `problems` */
    PROBLEM_NOT_FOR_THREAD,  /* 422: `problems` */
    PROBLEM_INTERNAL,        /* 500: the agent's log says more */
    PROBLEM_OUTBOX_FULL,     /* 503 */
    PROBLEM_BUSY,            /* 503: too many wait, or the store is locked */
    PROBLEM_NO_ROSTER,       /* 503: none is known yet */
    PROBLEM_STORE_FULL,      /* 507: the disk */
};

/* Answer with it; the text is for a person. */
void problem_reply (struct request *request, enum problem problem,
                    const char *format, ...) PRINTF_LIKE (3, 4);
/* The same with a member of its own. */
void problem_reply_int (struct request *request, enum problem problem,
                        const char *name, int64_t value, const char *format,
                        ...) PRINTF_LIKE (5, 6);
void problem_reply_text (struct request *request, enum problem problem,
                         const char *name, const char *value,
                         const char *format, ...) PRINTF_LIKE (5, 6);
/* The same with members of its own, which are taken. */
void problem_reply_with (struct request *request, enum problem problem,
                         json_t *members, const char *format, ...)
    PRINTF_LIKE (4, 5);
/* 422 by a rule's name. */
void problem_refusal (struct request *request, const struct refusal *refusal);
/* 422 by what is wrong with a body about plans, or of a thread: "problems":
 * [{"pointer", "text"}], and "kind" ("plan", "report", "align", ...). */
struct faults;
void problem_faults (struct request *request, enum problem problem,
                     const char *kind, const struct faults *faults);
/* What the store says: its own faults are logged. */
void problem_error (struct request *request, const struct error *e);

#endif
