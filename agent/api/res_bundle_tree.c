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
    struct bundle_choice *choice;
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
    if (rc || end <= self->next || !bundle_shows (self->choice, &b))
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
    bundle_choice_free (&self->choice);
    free (self);
}

void bundle_leaves_get (struct request *r) {
    struct tree tree;
    struct error e;
    struct store *store = request_reader (r);
    if (!store)
        return;
    if (hashes_tree (store, HASHES_LEDGER, &tree, &e)) {
        problem_error (r, &e);
        return;
    }
    struct bundle_choice *choice = bundle_choice_read (r, store);
    if (!choice)
        return;
    struct leaves *self = mem_alloc (sizeof *self);
    int64_t last = bundle_choice_last (choice);
    self->http = r->http;
    self->choice = choice;
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

/* Entries, to be sorted by mark: of a stream at most two. */
struct claim_entry {
    int64_t mark;
    struct buf octets;
};
struct wholes {
    struct store *store;
    const struct bundle_choice *choice;
    struct claim_entry entries[2 * LINK_STREAMS_MAX];
    size_t count;
};

static void entry_add (struct wholes *self, const struct bundle_claim *claim) {
    struct claim_entry *entry = &self->entries[self->count++];
    entry->mark = claim->mark;
    bundle_claim_write (&entry->octets, claim);
}

static enum err claim_read (struct slice octets, struct bundle_claim *out,
                            struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mark_claim_take (&in, &out->claim);
    return mp_finish (&in, e);
}

/* The claim at the mark where what is shown begins, if nothing that we may not
 * read is behind it. */
static enum err claim_open (struct wholes *self, const char *stream,
                            int64_t mark, const struct bundle_claim *last,
                            struct error *e) {
    struct bundle_claim *claim = mem_alloc (sizeof *claim);
    struct buf octets = { 0 };
    *claim = *last;
    claim->mark = mark;
    enum err rc = claims_get (self->store, stream, mark, &octets, e);
    if (!rc)
        rc = claim_read (buf_slice (&octets), claim, e);
    if (!rc && claim->claim.stream.count == last->from)
        entry_add (self, claim);
    buf_free (&octets);
    free (claim);
    return rc;
}

/* How many records stand in front of what is shown. */
static enum err claim_from (struct wholes *self, const char *stream,
                            int64_t mark, struct bundle_claim *claim,
                            struct error *e) {
    struct buf octets = { 0 };
    struct bundle_claim *opening = mem_alloc (sizeof *opening);
    struct tree cover = { 0 };
    enum err rc = hidden_below (self->store, stream, claim->claim.stream.count,
                                &claim->from, e);
    if (!rc && mark >= 0)
        rc = claims_get (self->store, stream, mark, &octets, e);
    if (!rc && mark >= 0)
        rc = claim_read (buf_slice (&octets), opening, e);
    if (!rc && opening->claim.stream.count > claim->from)
        claim->from = opening->claim.stream.count;
    if (!rc)
        rc = hashes_tree_at (self->store, stream, (uint64_t) claim->from,
                             &cover, e);
    claim->cover_length = rc ? 0 : tree_cover_length (0, cover.size);
    memcpy (claim->cover, cover.stack,
            claim->cover_length * sizeof *claim->cover);
    buf_free (&octets);
    free (opening);
    return rc;
}

/* The newest claim of a stream that the export shows, and the one that it begins
 * with. */
static enum err claim_make (struct wholes *self, const struct bundle_span *span,
                            const char *stream, struct error *e) {
    int64_t last = bundle_choice_last (self->choice);
    struct bundle_claim *claim = mem_alloc (sizeof *claim);
    struct buf octets = { 0 };
    enum err rc = claims_newest (self->store, stream,
                                 span->before < last ? span->before : last,
                                 &claim->mark, &octets, e);
    if (!rc)
        rc = claim_read (buf_slice (&octets), claim, e);
    if (!rc)
        rc = claim_from (self, stream, span->after, claim, e);
    if (!rc && span->after >= 0 && span->after < claim->mark)
        rc = claim_open (self, stream, span->after, claim, e);
    if (!rc)
        entry_add (self, claim);
    buf_free (&octets);
    free (claim);
    return rc;
}

static enum err stream_put (void *arg, const char *stream, struct error *e) {
    struct wholes *self = arg;
    struct bundle_span span;
    if (strcmp (stream, CHANNEL_LOG) == 0
        || !bundle_shows_all (self->choice, stream, &span))
        return ERR_NONE;
    if (self->count + 2 > 2 * LINK_STREAMS_MAX)
        return ERR_NONE;
    enum err rc = claim_make (self, &span, stream, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static int by_mark (const void *a, const void *b) {
    const struct claim_entry *x = a, *y = b;
    return (x->mark > y->mark) - (x->mark < y->mark);
}

void bundle_claims_get (struct request *r) {
    struct store *store = request_reader (r);
    struct bundle_choice *choice = store ? bundle_choice_read (r, store) : NULL;
    struct buf out = { 0 };
    struct error e;
    if (!choice)
        return;
    struct wholes *self = mem_alloc (sizeof *self);
    self->store = store;
    self->choice = choice;
    if (claims_streams (store, stream_put, self, &e)) {
        problem_error (r, &e);
    } else {
        qsort (self->entries, self->count, sizeof *self->entries, by_mark);
        for (size_t i = 0; i < self->count; i++)
            (void) entry_put (&out, buf_slice (&self->entries[i].octets), &e);
        reply_octets (r, OCTETS, buf_slice (&out));
    }
    for (size_t i = 0; i < self->count; i++)
        buf_free (&self->entries[i].octets);
    bundle_choice_free (&choice);
    buf_free (&out);
    free (self);
}
