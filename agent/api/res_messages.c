/* res_messages - POST /messages: a message is judged as the broker will, as far
 * as that is known here, before it is accepted for good. */
#include "api/publish.h"
#include "api/resources.h"

#include <stdlib.h>

void messages_post (struct request *r) {
    struct publication *posted = mem_alloc (sizeof *posted);
    if (publication_read (r, posted))
        publish (r, posted);
    publication_free (&posted);
}
