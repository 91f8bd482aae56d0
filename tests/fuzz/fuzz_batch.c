/* Publish requests and contributions. The first four octets cut the input into
 * a batch head, headers and bodies; all of it is also read as a contribution,
 * whose three parts are then read as a batch. */
#include "format/batch.h"
#include "format/tree.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void check_items (const struct batch *batch) {
    struct hash ids[BATCH_MAX], root;
    must (batch->size <= BATCH_MAX);
    for (size_t i = 0; i < batch->size; i++) {
        ids[i] = hash_leaf (batch->items[i].message.octets);
        must (hash_equal (&ids[i], &batch->items[i].message.id));
    }
    root = tree_root_of (ids, batch->size);
    must (batch->size == 0 || hash_equal (&root, &batch->root));
}

static void check_good (const struct batch *batch) {
    struct refusal why;
    for (size_t i = 0; i < batch->size; i++) {
        const struct batch_item *item = &batch->items[i];
        if (item->refusal)
            continue;
        must (slice_equal (item->message.author, batch->author));
        must (slice_equal (item->message.channel, batch->channel));
        must (message_body_check (&item->message, item->body, &why)
              == ERR_NONE);
    }
}

static void try_batch (struct slice head, struct slice headers,
                       struct slice bodies) {
    static struct batch batch;
    static const struct hash dialogue;
    static const uint8_t key[KEY_SIZE] = { 9 };
    struct refusal why;
    enum err rc = batch_read (head, headers, bodies, &dialogue, &batch, &why);
    check_items (&batch);
    if (!rc) {
        check_good (&batch);
        must (!batch_signed (&batch, &dialogue, key));
        must (!batch_via_signed (&batch, &dialogue, key));
    }
    batch_clear (&batch);
}

static void try_contribution (struct slice octets) {
    struct slice head, headers, bodies;
    struct error e;
    if (contribution_read (octets, &head, &headers, &bodies, &e))
        return;
    struct buf again = { 0 };
    contribution_write (head, headers, bodies, &again);
    must (slice_equal (buf_slice (&again), octets));
    buf_free (&again);
    try_batch (head, headers, bodies);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    try_contribution (slice_of (data, size));
    if (size < 4)
        return 0;
    size_t head = get_u16 (data), headers = get_u16 (data + 2);
    data += 4;
    size -= 4;
    head = head < size ? head : size;
    headers = headers < size - head ? headers : size - head;
    try_batch (slice_of (data, head), slice_of (data + head, headers),
               slice_of (data + head + headers, size - head - headers));
    return 0;
}
