/* audit_status - how it stands with what the broker says, for whoever asks:
 * ledger.h (is it settled?) and complete.h (is it all?) fill these in, link.h
 * hands them on. */
#ifndef PARLEY_AUDIT_STATUS_H
#define PARLEY_AUDIT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_status {
    int64_t size;         /* leaves held */
    int64_t verified;     /* size of the newest checkpoint that our tree bears
                              out; -1 */
    int64_t settled;      /* size; -1: none yet */
    int64_t settled_time; /* ms */
    size_t cosigned, needed, witnesses; /* of the newest settled one */
    bool witness;                       /* this delegation is one */
    int64_t cosigned_size;              /* by us; -1 */
    bool current;  /* settled within LEDGER_FRESH_S, nothing wrong */
    bool alarmed;  /* evidence is held: nothing is cosigned */
    bool older;    /* this store is older than what it cosigned: the same */
    char why[128]; /* it is not current; "" */
};

struct complete_status {
    int64_t mark;    /* sequence of the newest proved mark; -1 */
    int64_t time;    /* its log time; 0 */
    char lacks[128]; /* "members: numbers 3 to 5 of ..."; "" */
};

#endif
