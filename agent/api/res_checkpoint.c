/* res_checkpoint - GET /checkpoints/{which} and /leaves: what this agent knows of
 * the ledger's tree (PROTOCOL.md section 7.5). */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "store/checkpoints.h"
#include "store/hashes.h"

#include <stdlib.h>

#define LEAVES_A_REQUEST 65536

/* The note, as it is: "settled", the newest that a quorum cosigned; "verified",
 * the newest that our own tree bears out. */
void checkpoint_get (struct request *r) {
    struct buf note = { 0 };
    struct checkpoint_row row;
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    enum err rc = ERR_NOT_FOUND;
    if (strcmp (r->segment, "settled") == 0)
        rc = checkpoints_newest (store, &row, &note, &e);
    else if (strcmp (r->segment, "verified") == 0)
        rc = checkpoints_verified (store, &row.checkpoint, &note, &e);
    if (rc == ERR_NOT_FOUND)
        problem_reply (r, PROBLEM_NOT_FOUND, "no checkpoint '%s' is here",
                       r->segment);
    else if (rc)
        problem_error (r, &e);
    else
        reply_octets (r, "text/plain; charset=utf-8", buf_slice (&note));
    buf_free (&note);
}

static enum err leaves_read (struct store *store, int64_t from, int64_t count,
                             struct buf *out, struct error *e) {
    struct hashes_source place;
    struct tree_source source = hashes_source (&place, store, HASHES_LEDGER);
    struct hash tile[TREE_TILE];
    enum err rc = ERR_NONE;
    for (int64_t done = 0; !rc && done < count;) {
        int64_t at = from + done, n = TREE_TILE - at % TREE_TILE;
        if (n > count - done)
            n = count - done;
        rc = source.read (source.arg, 0, (uint64_t) at, (size_t) n, tile, e);
        if (!rc)
            buf_add (out, tile, (size_t) n * sizeof *tile);
        done += n;
    }
    return rc;
}

/* Leaf hashes, joined: up to `count` from `from`, fewer where the tree ends. */
void leaves_get (struct request *r) {
    int64_t from, count;
    struct tree tree;
    struct buf out = { 0 };
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store || !request_query_int (r, "from", 0, 0, NUMBER_MAX, &from)
        || !request_query_int (r, "count", LEAVES_A_REQUEST, 1,
                               LEAVES_A_REQUEST, &count))
        return;
    enum err rc = hashes_tree (store, HASHES_LEDGER, &tree, &e);
    int64_t left = rc ? 0 : (int64_t) tree.size - from;
    if (!rc)
        rc = leaves_read (store, from,
                          left < 0       ? 0
                          : left < count ? left
                                         : count,
                          &out, &e);
    if (rc)
        problem_error (r, &e);
    else
        reply_octets (r, "application/octet-stream", buf_slice (&out));
    buf_free (&out);
}
