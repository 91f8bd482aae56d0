/* json_ledger - what is settled, and what is complete, as JSON (PROTOCOL.md
 * sections 7.4 and 7.5). */
#ifndef PARLEY_API_JSON_LEDGER_H
#define PARLEY_API_JSON_LEDGER_H

#include "link/audit_status.h"
#include "store/store.h"

#include <jansson.h>

/* {size, verified, settled, current, stale, witness, cosigned, stopped, alarms}
 * where settled is {size, time, cosigned, quorum, witnesses} or null; `alarms`:
 * those that nobody acknowledged. */
json_t *json_ledger (const struct ledger_status *status, int64_t alarms);
/* {sequence, time} of the newest proved mark, or null; and what lacks, or null.
 */
json_t *json_complete (const struct complete_status *status);
json_t *json_lacks (const struct complete_status *status);
/* The first settled checkpoint that is kept and covers the record: {size, time,
 * roster, quorum, witnesses, cosigned: [{witness, time}]}; null: not settled as
 * far as this store knows. */
json_t *json_settled (struct store *store, int64_t sequence);

#endif
