/* batch - messages of one author and one channel under one signature
 * (PROTOCOL.md sections 6.3, 6.4 and 8.4).
 *
 * A batch is read from three runs of octets (head, headers, bodies) without
 * copying. `struct batch` is large: it is pooled, not put on a stack. */
#ifndef PARLEY_BATCH_H
#define PARLEY_BATCH_H

#include "format/message.h"

#define BATCH_MAX 256
#define BATCH_OCTETS_MAX 1048576 /* of headers and bodies */
#define BATCH_HEAD_MAX 512

struct via {
    bool present;
    struct slice submitter;
    struct key_id key_id;
    const uint8_t *signature; /* 64 octets */
};

struct batch_item {
    struct message message;
    struct slice body;
    struct refusal *refusal; /* owned; NULL where nothing is wrong so far */
};

struct batch {
    struct slice head_octets;
    struct slice author;
    struct slice channel;
    size_t size; /* 1..BATCH_MAX */
    struct key_id key_id;
    const uint8_t *signature; /* 64 octets */
    struct via via;
    struct hash root;
    struct batch_item items[BATCH_MAX];
};

/* Cuts and checks: message faults (MALFORMED, LIMIT, TOPIC, NEWER-FORMAT,
 * EXTENSION, SEALING, WRONG-DIALOGUE, BODY-LENGTH, BODY-DIGEST) go to their
 * item's refusal; MALFORMED, LIMIT and MIXED-BATCH refuse the batch, in *why.
 * On a fault of the batch `size` says how many items have an id (0: it could
 * not be cut, and it has the id of batch_id). Ends with batch_clear. */
enum err batch_read (struct slice head, struct slice headers,
                     struct slice bodies, const struct hash *dialogue,
                     struct batch *out, struct refusal *why) MUST_CHECK;
void batch_clear (struct batch *self); /* frees refusals */
/* LEAF(head || headers): the id of what cannot be cut (section 7.3). */
struct hash batch_id (struct slice head, struct slice headers);

/* Does the author's key sign this batch; the submitter's its `via`? */
bool batch_signed (const struct batch *self, const struct hash *dialogue,
                   const uint8_t key[KEY_SIZE]);
bool batch_via_signed (const struct batch *self, const struct hash *dialogue,
                       const uint8_t key[KEY_SIZE]);
/* The same two from parts, for those who have only records. */
bool batch_signature_valid (const uint8_t key[KEY_SIZE],
                            const struct hash *dialogue, struct slice author,
                            struct slice channel, size_t size,
                            const struct hash *root,
                            const uint8_t signature[SIGNATURE_SIZE]);
bool via_signature_valid (const uint8_t key[KEY_SIZE],
                          const struct hash *dialogue, struct slice submitter,
                          struct slice author, struct slice channel,
                          size_t size, const struct hash *root,
                          const uint8_t signature[SIGNATURE_SIZE]);
/* via as a record's element 9 and a head's last: nil or an array. */
void via_put (struct buf *out, const struct via *via);
void via_take (struct mp *in, struct via *out);

/* An author's side: frames for messages whose headers and bodies are ready.
 * All of one channel and signed by the identity's *sign* key (asserted). */
struct batch_part {
    struct slice header;
    struct slice body;
};
enum err batch_write (const struct identity *author,
                      const struct hash *dialogue, struct slice channel,
                      const struct batch_part *parts, size_t count,
                      struct buf *head, struct buf *headers,
                      struct buf *bodies, struct error *e) MUST_CHECK;
/* Rewrite a head with the submitter's `via` (a contribution handed in). The
 * batch must have been read without a fault of the batch. */
void batch_write_via (const struct batch *self, const struct identity *submitter,
                      const struct hash *dialogue, struct buf *head);

/* A written contribution's file (section 6.4). Slices are of `octets`. */
#define CONTRIBUTION_MAX (BATCH_OCTETS_MAX + 4096)
void contribution_write (struct slice head, struct slice headers,
                         struct slice bodies, struct buf *out);
enum err contribution_read (struct slice octets, struct slice *head,
                            struct slice *headers, struct slice *bodies,
                            struct error *e) MUST_CHECK;

#endif
