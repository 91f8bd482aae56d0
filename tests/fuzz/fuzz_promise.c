/* fuzz_promise - hostile octets as a publish reply, as a place's proof and as a
 * refusal's (PROTOCOL.md sections 8.2, 8.4 and 8.6). What is taken is written
 * again the same. The first octet says how many messages were sent. */
#include "format/promise.h"

#include "format/batch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Replies name refused messages by these ids, so that some can be right. */
static const struct hash ids[BATCH_MAX];

static void demand (bool good) {
    if (!good)
        abort();
}

static void try_reply (struct slice input, size_t count) {
    struct promise p;
    struct promise_accepted *accepted;
    struct promise_refused *refused;
    size_t accepted_count, refused_count;
    struct error e;
    enum err rc =
        promise_reply_read (input, ids, count, &p, &accepted, &accepted_count,
                            &refused, &refused_count, &e);
    demand (rc == ERR_NONE || (e.code == rc && !accepted && !refused));
    if (rc)
        return;
    struct buf again = { 0 };
    promise_reply_write (&again, &p, accepted, accepted_count, refused,
                         refused_count);
    demand (slice_equal (input, buf_slice (&again)));
    buf_free (&again);
    free (accepted);
    free (refused);
}

static void try_proof (struct slice input) {
    struct promise_proof proof;
    struct mp in;
    struct error e;
    static const uint8_t key[KEY_SIZE];
    mp_start (&in, input);
    promise_proof_take (&in, &proof);
    if (mp_finish (&in, &e))
        return;
    struct buf again = { 0 };
    promise_proof_write (&again, &proof);
    demand (slice_equal (input, buf_slice (&again)));
    demand (promise_proof_check (&proof, ids, key, &e) != ERR_NONE);
    buf_free (&again);
}

static void try_refusal (struct slice input) {
    struct promise p;
    struct promise_refused *refused;
    size_t count;
    if (refusal_proof_read (input, &p, &refused, &count, NULL)) {
        demand (!refused);
        return;
    }
    struct buf again = { 0 };
    refusal_proof_write (&again, &p, refused, count);
    demand (slice_equal (input, buf_slice (&again)));
    buf_free (&again);
    free (refused);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct slice input = slice_of (data + 1, size - 1);
    try_reply (input, 1 + (size_t) data[0]);
    try_proof (input);
    try_refusal (input);
    return 0;
}
