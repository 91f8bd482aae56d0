/* lines - records as they are read, one JSON object a line (NDJSON): all that
 * a query finds, however much, in one answer. */
#ifndef PARLEY_API_LINES_H
#define PARLEY_API_LINES_H

#include "api/request.h"
#include "store/records.h"

#define LINES_TYPE "application/x-ndjson"

/* Does the request ask for them first of all? */
bool lines_wanted (struct request *r);

/* Answer with them. The query's texts are copied. Memory is bounded, and no
 * handle is kept while the client is slow. What fails on the way cuts the
 * answer off without its end. */
void lines_reply (struct request *r, const struct records_query *query);

#endif
