/* answer - what a refusal means for a message of the outbox (PROTOCOL.md
 * sections 6.5, 8.9 and 9.3). Pure. */
#ifndef PARLEY_ANSWER_H
#define PARLEY_ANSWER_H

#include "base/hash.h"
#include "format/rule.h"

enum answer_act {
    ANSWER_FINAL, /* refused for good */
    ANSWER_ANEW,  /* signed anew, under roster version `in_force` */
    ANSWER_LATER, /* the same again after `wait_ms` */
    ANSWER_HELD,  /* its number holds `id` at `sequence` with `leaf` */
    ANSWER_OLD,   /* its number is below what the broker looks at: look among
                      own records */
    ANSWER_JUMP,  /* its number is too high: later, or in a new lane */
};

#define ANSWER_WAIT_MS 1000      /* where no time is said */
#define ANSWER_WAIT_MAX_MS 60000 /* whatever is said */

struct answer {
    enum answer_act act;
    int64_t wait_ms;
    int64_t in_force; /* 0: not said */
    struct hash id, leaf;
    int64_t sequence;
};

/* USED-NUMBER without values that can be read is ANSWER_FINAL: it proves
 * nothing of ours. */
void answer_read (const struct refusal *refusal, struct answer *out);

#endif
