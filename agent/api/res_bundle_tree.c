/* res_bundle_tree - the files of an export that prove what is missing from it
 * (PROTOCOL.md section 8.10): leaf hashes of what is not shown, checkpoints,
 * claims. */
#include "api/bundle.h"
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/log.h"
#include "base/topic.h"
#include "ledger/bundle.h"
#include "link/link.h"
#include "store/checkpoints.h"
#include "store/claims.h"
#include "store/hashes.h"
#include "store/streams.h"

#include <stdlib.h>

#define OCTETS "application/octet-stream"
#define LEAVES_A_STEP 4096

/* Leaves: of all sequences that no block of the same export holds */

struct leaves {
    struct http *http;
    char *filter;
    int64_t next, last;       /* sequences */
    int64_t shown, shown_end; /* the next block that is given: [shown, end) */
    struct buf ready;
    size_t sent;
};

static enum err shown_take (void *arg, int64_t direct_first,
                            struct slice octets, struct error *e) {
    struct leaves *self = arg;
    struct block b;
    (void) direct_first;
    enum err rc = block_read (octets, &b, e);
    int64_t end = rc ? 0 : b.first_sequence + (int64_t) b.count;
    if (rc || end <= self->next || !bundle_wants (self->filter, &b))
        return rc;
    self->shown = b.first_sequence;
    self->shown_end = end;
    return ERR_STATE;
}

/* What is shown next, from `next` on. */
static enum err shown_find (struct leaves *self, struct store *store,
                            struct error *e) {
    if (self->shown_end > self->next)
        return ERR_NONE;
    self->shown = self->shown_end = INT64_MAX;
    enum err rc =
        records_blocks (store, self->next, self->last, shown_take, self, e);
    return rc == ERR_STATE ? ERR_NONE : rc;
}

static enum err leaves_put (struct leaves *self, struct store *store,
                            int64_t count, struct error *e) {
    static _Thread_local struct hash leaves[LEAVES_A_STEP];
    enum err rc = hashes_leaves (store, HASHES_LEDGER, (uint64_t) self->next,
                                 (size_t) count, leaves, e);
    for (int64_t i = 0; !rc && i < count; i++) {
        buf_add_u64 (&self->ready, (uint64_t) (self->next + i));
        buf_add (&self->ready, &leaves[i], HASH_SIZE);
    }
    self->next += count;
    return rc;
}

static enum err leaves_step (struct leaves *self, struct store *store,
                             struct error *e) {
    enum err rc = shown_find (self, store, e);
    if (rc)
        return rc;
    if (self->next >= self->shown) {
        self->next = self->shown_end;
        return ERR_NONE;
    }
    int64_t end = self->shown <= self->last ? self->shown : self->last + 1;
    int64_t count = end - self->next;
    return leaves_put (self, store,
                       count < LEAVES_A_STEP ? count : LEAVES_A_STEP, e);
}

static ssize_t leaves_room (void *cls, uint64_t at, char *out, size_t room) {
    struct leaves *self = cls;
    struct error e = { 0 };
    enum err rc = ERR_NONE;
    (void) at;
    if (self->sent == self->ready.size && self->next <= self->last) {
        buf_clear (&self->ready);
        self->sent = 0;
        struct store *store = handles_take (&self->http->handles, &e);
        rc = store ? ERR_NONE : e.code;
        while (!rc && self->ready.size == 0 && self->next <= self->last)
            rc = leaves_step (self, store, &e);
        handles_give (&self->http->handles, &store);
    }
    if (rc) {
        log_limited (LOG_ERROR, "API-BUNDLE", "", "why=%s", log_text (e.text));
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return bundle_give (&self->ready, &self->sent, out, room);
}

static void leaves_gone (void *cls) {
    struct leaves *self = cls;
    buf_free (&self->ready);
    free (self->filter);
    free (self);
}

void bundle_leaves_get (struct request *r) {
    char *filter;
    struct tree tree;
    struct error e;
    int64_t last;
    struct store *store = request_reader (r);
    if (!store
        || !request_query_int (r, "last", NUMBER_MAX, 0, NUMBER_MAX, &last))
        return;
    if (hashes_tree (store, HASHES_LEDGER, &tree, &e)) {
        problem_error (r, &e);
        return;
    }
    if (!request_query_filter (r, "filter", &filter))
        return;
    struct leaves *self = mem_alloc (sizeof *self);
    self->http = r->http;
    self->filter = filter;
    self->last = last < (int64_t) tree.size ? last : (int64_t) tree.size - 1;
    reply_response (r, 200, OCTETS,
                    MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, 65536,
                                                       leaves_room, self,
                                                       leaves_gone));
}

/* Checkpoints and claims: few, so at once */

static enum err entry_put (void *arg, struct slice octets, struct error *e) {
    struct buf *out = arg;
    (void) e;
    buf_add_u32 (out, (uint32_t) octets.size);
    buf_add_slice (out, octets);
    return ERR_NONE;
}

void bundle_checkpoints_get (struct request *r) {
    struct buf out = { 0 };
    struct error e;
    int64_t last;
    struct store *store = request_reader (r);
    if (!store
        || !request_query_int (r, "last", NUMBER_MAX - 1, 0, NUMBER_MAX - 1,
                               &last))
        return;
    if (checkpoints_each (store, last + 1, entry_put, &out, &e))
        problem_error (r, &e);
    else
        reply_octets (r, OCTETS, buf_slice (&out));
    buf_free (&out);
}

/* The greatest number below `count` that we may not read; 0: none. */
static enum err hidden_below (struct store *store, const char *stream,
                              int64_t count, int64_t *out, struct error *e) {
    struct stream_span span;
    enum err rc = ERR_NONE;
    *out = 0;
    for (int64_t after = 0;; after = span.last) {
        rc = streams_hidden (store, stream, after, &span, e);
        if (rc || span.first > count)
            break;
        *out = span.last < count ? span.last : count;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Entries, to be sorted by mark. */
struct claim_entry {
    int64_t mark;
    struct buf octets;
};
struct wholes {
    struct store *store;
    const char *filter; /* NULL: all */
    int64_t last;
    struct claim_entry entries[LINK_STREAMS_MAX];
    size_t count;
};

/* The newest claim of a stream that the export shows from `from` on. */
static enum err claim_make (struct wholes *self, const char *stream,
                            struct error *e) {
    struct store *store = self->store;
    struct bundle_claim claim = { 0 };
    struct buf octets = { 0 };
    struct tree cover = { 0 };
    struct mp in;
    enum err rc =
        claims_newest (store, stream, self->last, &claim.mark, &octets, e);
    if (!rc) {
        mp_start (&in, buf_slice (&octets));
        mark_claim_take (&in, &claim.claim);
        rc = mp_finish (&in, e);
    }
    if (!rc)
        rc = hidden_below (store, stream, claim.claim.stream.count, &claim.from,
                           e);
    if (!rc)
        rc = hashes_tree_at (store, stream, (uint64_t) claim.from, &cover, e);
    if (!rc) {
        claim.cover_length = tree_cover_length (0, cover.size);
        memcpy (claim.cover, cover.stack,
                claim.cover_length * sizeof *claim.cover);
        struct claim_entry *entry = &self->entries[self->count++];
        entry->mark = claim.mark;
        bundle_claim_write (&entry->octets, &claim);
    }
    buf_free (&octets);
    return rc;
}

/* Does the filter take in the whole stream? "#" does, and "CHANNEL/#". */
static bool is_whole (const char *filter, const char *stream) {
    size_t size = strlen (stream);
    return !filter || strcmp (filter, "#") == 0
           || (strncmp (filter, stream, size) == 0
               && strcmp (filter + size, "/#") == 0);
}

static enum err stream_put (void *arg, const char *stream, struct error *e) {
    struct wholes *self = arg;
    if (strcmp (stream, CHANNEL_LOG) == 0 || !is_whole (self->filter, stream))
        return ERR_NONE;
    if (self->count == LINK_STREAMS_MAX)
        return ERR_NONE;
    enum err rc = claim_make (self, stream, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static int by_mark (const void *a, const void *b) {
    const struct claim_entry *x = a, *y = b;
    return (x->mark > y->mark) - (x->mark < y->mark);
}

void bundle_claims_get (struct request *r) {
    struct wholes *self = mem_alloc (sizeof *self);
    struct buf out = { 0 };
    struct error e;
    char *filter = NULL;
    self->store = request_reader (r);
    bool good =
        self->store
        && request_query_int (r, "last", NUMBER_MAX, 0, NUMBER_MAX, &self->last)
        && request_query_filter (r, "filter", &filter);
    self->filter = filter;
    if (good && claims_streams (self->store, stream_put, self, &e)) {
        problem_error (r, &e);
    } else if (good) {
        qsort (self->entries, self->count, sizeof *self->entries, by_mark);
        for (size_t i = 0; i < self->count; i++)
            (void) entry_put (&out, buf_slice (&self->entries[i].octets), &e);
        reply_octets (r, OCTETS, buf_slice (&out));
    }
    for (size_t i = 0; i < self->count; i++)
        buf_free (&self->entries[i].octets);
    buf_free (&out);
    free (filter);
    free (self);
}
