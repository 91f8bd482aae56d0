/* lanes - what stands at the last 1,024 numbers of each lane (PROTOCOL.md
 * section 6.5). The reason why a retry never makes a second record.
 *
 * Places only: whose id stands there is asked of the ledger. One owner. */
#ifndef PARLEY_LANES_H
#define PARLEY_LANES_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define LANE_WINDOW 1024

struct lanes;
struct lanes *lanes_new (void) MUST_CHECK;
void lanes_destroy (struct lanes **self_p);

enum lane_answer { LANE_FREE, LANE_USED, LANE_OLD, LANE_JUMP };
/* LANE_USED: *sequence says what stands there. *highest: of the lane, 0: new. */
enum lane_answer lanes_ask (const struct lanes *self, struct slice author,
                            uint64_t lane, int64_t number, int64_t *sequence,
                            int64_t *highest);
/* The number is used by the record at `sequence` (asked before: LANE_FREE). A
 * lane's first use counts as opened on the day (UTC) of `log_time`. */
void lanes_take (struct lanes *self, struct slice author, uint64_t lane,
                 int64_t number, int64_t sequence, int64_t log_time);
int64_t lanes_highest (const struct lanes *self, struct slice author,
                       uint64_t lane);
/* Lanes that the author opened on the day of `log_time`; log time goes on, so of
 * a day before the last one on which it opened any, 0. */
int64_t lanes_opened (const struct lanes *self, struct slice author,
                      int64_t log_time);

/* For the snapshot. Private form, checked on reading: ERR_DAMAGED. */
void lanes_write (const struct lanes *self, struct buf *out);
enum err lanes_read (struct lanes *self, struct slice octets, struct error *e)
    MUST_CHECK; /* replaces what it holds, on success only */

#endif
