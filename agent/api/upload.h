/* upload - a file that a program hands in: hashed and kept part by part as it
 * comes, so that it never is in memory as a whole (store/sendings.h). */
#ifndef PARLEY_API_UPLOAD_H
#define PARLEY_API_UPLOAD_H

#include "api/request.h"

#define UPLOADS_MAX 4 /* at once: half a megabyte each */

struct upload;

/* POST /files' octets (struct route's `take`). false: close the connection. */
bool upload_take (struct request *r, const char *data, size_t size);
/* What was not finished is dropped. NULL is fine. */
void upload_free (struct request *r, struct upload **self_p);

#endif
