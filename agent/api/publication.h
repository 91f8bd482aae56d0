/* publication - a message that somebody wants to publish, as a request says it. */
#ifndef PARLEY_API_PUBLICATION_H
#define PARLEY_API_PUBLICATION_H

#include "api/request.h"
#include "base/topic.h"
#include "format/message.h"

struct publication {
    char topic[TOPIC_MAX + 1];
    enum body_format format;
    struct buf content; /* of BODY_MAP: msgpack */
    struct hash references[REFERENCES_MAX];
    size_t reference_count;
};

/* Of a body with topic, format, content and references (openapi.json's
 * MessageDraft). *out is zeros before. false: answered. */
bool publication_read (struct request *r, struct publication *out) MUST_CHECK;
/* For one of mem_alloc. */
void publication_free (struct publication **self_p);

#endif
