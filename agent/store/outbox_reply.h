/* outbox_reply - the broker's answers as they are kept: a promise once, with
 * all that it names; a refusal's proof once. Of this folder only. */
#ifndef PARLEY_OUTBOX_REPLY_H
#define PARLEY_OUTBOX_REPLY_H

#include "format/promise.h"
#include "store.h"

/* One promise, while its entries are kept one by one. */
struct reply_keeper {
    struct store *store;
    const struct promise *promise;
    const struct promise_accepted *accepted;
    size_t count;
    int64_t reply; /* its row; 0 before the first entry that is new */
};
/* In the caller's transaction. The same place promised again is passed over.
 * *other: the same epoch promised another place before; both are kept. */
enum err reply_keep (struct reply_keeper *self, size_t which, bool *other,
                     struct error *e) MUST_CHECK;

/* For outbox_refusals. In the caller's transaction. */
enum err refusal_keep (struct store *store, int64_t number,
                       const struct hash *id, const struct refusal *refusal,
                       struct slice proof, struct error *e) MUST_CHECK;

#endif
