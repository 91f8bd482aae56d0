/* Headers, refusals and content: whatever is read lies within the octets, and
 * all readers of a header say the same of it. */
#include "format/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static bool inside (const uint8_t *at, size_t size, struct slice whole) {
    return at >= whole.data && at + size <= whole.data + whole.size;
}

static void check_fields (const struct message *m, struct slice octets) {
    must (inside (m->dialogue, HASH_SIZE, octets));
    must (inside (m->body_digest, HASH_SIZE, octets));
    must (inside (m->author.data, m->author.size, octets));
    must (inside (m->topic.data, m->topic.size, octets));
    must (inside (m->channel.data, m->channel.size, octets));
    must (m->channel.size < m->topic.size);
    must (!m->sealing || inside (m->sealing, HASH_SIZE, octets));
    must (m->reference_count <= REFERENCES_MAX);
    must (m->body_length >= BODY_MIN && m->body_length <= BODY_MAX);
    for (size_t i = 0; i < m->reference_count; i++) {
        struct hash ref;
        message_reference (m, i, &ref);
    }
}

static void try_header (struct slice octets) {
    struct message m, like;
    struct refusal why, again;
    enum err any = message_read_any (octets, &m, &why);
    enum err rc = message_read (octets, &m, &again);
    must (any == ERR_NONE || rc == any);
    char text[REFUSAL_TEXT_MAX];
    if (rc)
        must (strlen (refusal_print (&again, text)) < REFUSAL_TEXT_MAX);
    if (any)
        return;
    check_fields (&m, octets);
    must (message_read_like (octets, &m, &like, NULL) == ERR_NONE);
    must (slice_equal (like.channel, m.channel));
    (void) !message_body_check (&m, octets, &why);
}

static void try_refusal (struct slice octets) {
    struct mp in;
    struct refusal r;
    char text[REFUSAL_TEXT_MAX];
    mp_start (&in, octets);
    refusal_take (&in, &r);
    if (mp_finish (&in, NULL))
        return;
    struct buf out = { 0 };
    refusal_put (&out, &r);
    must (slice_equal (buf_slice (&out), octets));
    must (strlen (refusal_print (&r, text)) < REFUSAL_TEXT_MAX);
    buf_free (&out);
}

static void try_content (struct slice octets) {
    for (int format = BODY_MAP; format <= BODY_NOTE; format++) {
        struct message m = { .body_format = (enum body_format) format };
        struct slice content;
        if (message_content (&m, octets, &content, NULL) == ERR_NONE)
            must (inside (content.data, content.size, octets)
                  && content.size + BODY_SALT == octets.size);
    }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct slice octets = slice_of (data, size);
    try_header (octets);
    try_refusal (octets);
    try_content (octets);
    return 0;
}
