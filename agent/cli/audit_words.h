/* audit_words - what an audit found, in words that its table and its page
 * share. */
#ifndef PARLEY_CLI_AUDIT_WORDS_H
#define PARLEY_CLI_AUDIT_WORDS_H

#include "ledger/audit.h"

/* What the bundle is limited to: "all that the exporter may read"; "by FRONTEX,
 * on members/#, from TIME". Appended, as below. */
void audit_words_limits (struct buf *out, const struct bundle_meta *meta);
/* Which records of a stream are proved to be here: "all 7 records",
 * "every record by FRONTEX, and the headers of all 7". */
void audit_words_stream (struct buf *out, const struct bundle_meta *meta,
                         const struct audit_stream *stream);
/* "from TIME (record 3) " where a mark opens it, else nothing. */
void audit_words_opening (struct buf *out, const struct audit_stream *stream);

#endif
