/* fuzz_wire - hostile octets as each frame of the desk, in both directions
 * (PROTOCOL.md sections 8.1 to 8.6, 8.11 and 8.12): no fault, and what is read is written
 * again the same. The first octet says which frame. */
#include "wire/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void demand (bool good) {
    if (!good)
        abort();
}

/* What a reader says of a frame that it does not take. */
static bool refused (enum err rc, const struct error *e) {
    demand (rc == ERR_NONE || (e->code == rc && e->text[0]));
    return rc != ERR_NONE;
}

static void try_head (struct slice in, struct buf *again) {
    struct wire_head head;
    struct error e;
    if (refused (wire_head_read (in, &head, &e), &e))
        return;
    demand (wire_request_frames (head.type) < WIRE_FRAMES_MAX);
    wire_head_write (again, &head);
}

static void try_error (struct slice in, struct buf *again) {
    struct refusal refusal;
    struct slice text;
    struct error e;
    if (refused (wire_error_read (in, &refusal, &text, &e), &e))
        return;
    char print[REFUSAL_TEXT_MAX];
    demand (strlen (refusal_print (&refusal, print)) < sizeof print);
    char *copy = mem_alloc (text.size + 1);
    if (text.size > 0)
        memcpy (copy, text.data, text.size);
    if (strlen (copy) == text.size) /* the writer takes C's texts */
        wire_error_write (again, &refusal, copy);
    free (copy);
}

static void try_hello (struct slice in, struct buf *again) {
    struct wire_hello hello;
    struct error e;
    if (!refused (wire_hello_read (in, &hello, &e), &e))
        wire_hello_write (again, &hello);
}

static void try_welcome (struct slice in, struct buf *again) {
    struct wire_welcome welcome;
    struct error e;
    if (refused (wire_welcome_read (in, &welcome, &e), &e))
        return;
    demand ((welcome.closed == RULE_NONE) == (welcome.closed_name[0] == '\0'));
    wire_welcome_write (again, &welcome);
}

static void try_streams (struct slice in, struct buf *again) {
    int64_t generation;
    struct wire_stream *streams = NULL;
    size_t count;
    struct error e;
    if (refused (wire_streams_read (in, &generation, &streams, &count, &e), &e))
        return;
    wire_streams_write (again, generation, streams, count);
    free (streams);
}

static void try_fetch (struct slice in, struct buf *again) {
    struct wire_fetch fetch;
    struct error e;
    if (refused (wire_fetch_read (in, &fetch, &e), &e))
        return;
    demand (fetch.last == -1 || fetch.last >= fetch.first);
    wire_fetch_write (again, &fetch);
}

static void try_items (struct slice in, struct buf *again) {
    struct slice stream;
    int64_t last;
    struct wire_item *items = NULL;
    size_t count;
    struct error e;
    if (refused (wire_items_read (in, &stream, &last, &items, &count, &e), &e))
        return;
    for (size_t i = 0; i < count; i++) {
        demand (items[i].first <= items[i].last && items[i].last <= last);
        demand (i == 0 || items[i].first == items[i - 1].last + 1);
    }
    wire_items_write (again, stream, last, items, count);
    free (items);
}

static void try_roster (struct slice in, struct buf *again) {
    int64_t version;
    struct error e;
    if (!refused (wire_roster_read (in, &version, &e), &e))
        wire_roster_write (again, version);
}

static void try_roster_found (struct slice in, struct buf *again) {
    int64_t version, sequence;
    struct error e;
    if (!refused (wire_roster_found_read (in, &version, &sequence, &e), &e))
        wire_roster_found_write (again, version, sequence);
}

static void try_range (struct slice in, struct buf *again) {
    int64_t from, count;
    struct error e;
    if (refused (wire_range_read (in, REFUSALS_MAX, &from, &count, &e), &e))
        return;
    demand (count >= 1 && count <= REFUSALS_MAX);
    wire_range_write (again, from, count);
}

static void one_refusal (void *arg, const struct wire_refusal *refusal) {
    wire_refusal_put (arg, refusal);
}

static void one_counted (void *arg, const struct wire_refusal *refusal) {
    (void) refusal;
    ++*(size_t *) arg;
}

static void try_refusals (struct slice in, struct buf *again) {
    size_t count = 0;
    struct error e;
    if (refused (wire_refusals_read (in, one_counted, &count, &e), &e)) {
        demand (count == 0); /* all or none */
        return;
    }
    wire_refusals_begin (again, count);
    demand (wire_refusals_read (in, one_refusal, again, &e) == ERR_NONE);
}

static void try_leaves_from (struct slice in, struct buf *again) {
    int64_t from;
    struct error e;
    if (!refused (wire_leaves_from_read (in, &from, &e), &e))
        wire_leaves_from_write (again, from);
}

static void try_settled (struct slice in, struct buf *again) {
    int64_t size;
    struct error e;
    if (!refused (wire_settled_read (in, &size, &e), &e))
        wire_settled_write (again, size);
}

static void try_checkpoint (struct slice in, struct buf *again) {
    enum wire_which which;
    int64_t version;
    struct error e;
    if (!refused (wire_checkpoint_read (in, &which, &version, &e), &e))
        wire_checkpoint_write (again, which, version);
}

static void try_paths (struct slice in, struct buf *again) {
    int64_t mark;
    struct error e;
    if (!refused (wire_paths_read (in, &mark, &e), &e))
        wire_paths_write (again, mark);
}

static void one_claim (void *arg, const struct mark_claim *claim) {
    mark_claim_write (arg, claim);
}

static void count_claim (void *arg, const struct mark_claim *claim) {
    (void) claim;
    ++*(size_t *) arg;
}

static void try_claims (struct slice in, struct buf *again) {
    size_t count = 0;
    int64_t mark;
    struct error e;
    if (refused (wire_claims_read (in, &mark, count_claim, &count, &e), &e)) {
        demand (count == 0);
        return;
    }
    wire_claims_begin (again, mark, count);
    demand (wire_claims_read (in, &mark, one_claim, again, &e) == ERR_NONE);
}

static void try_handed (struct slice in, struct buf *again) {
    int64_t mark, sequence;
    struct error e;
    if (!refused (wire_handed_read (in, &mark, &sequence, &e), &e))
        wire_handed_write (again, mark, sequence);
}

static void one_handed (void *arg, const struct wire_handed *one) {
    demand (one->number <= one->claim.stream.count);
    wire_handed_put (arg, one);
}

static void count_handed (void *arg, const struct wire_handed *one) {
    (void) one;
    ++*(size_t *) arg;
}

static void try_handed_each (struct slice in, struct buf *again) {
    size_t count = 0;
    int64_t mark;
    struct error e;
    if (refused (wire_handed_each (in, &mark, count_handed, &count, &e), &e)) {
        demand (count == 0);
        return;
    }
    wire_handed_begin (again, mark, count);
    demand (wire_handed_each (in, &mark, one_handed, again, &e) == ERR_NONE);
}

static void try_cover (struct slice in, struct buf *again) {
    struct slice stream;
    int64_t from, to;
    struct error e;
    if (refused (wire_cover_read (in, &stream, &from, &to, &e), &e))
        return;
    demand (from < to);
    wire_cover_write (again, stream, from, to);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static void (*const readers[]) (struct slice, struct buf *) = {
        try_head,    try_error,       try_hello,        try_welcome,
        try_streams, try_fetch,       try_items,        try_roster,
        try_range,   try_leaves_from, try_roster_found, try_refusals,
        try_settled, try_checkpoint,  try_paths,        try_claims,
        try_handed,  try_handed_each, try_cover,
    };
    if (size == 0)
        return 0;
    struct slice input = slice_of (data + 1, size - 1);
    struct buf again = { 0 };
    readers[data[0] % (sizeof readers / sizeof *readers)](input, &again);
    demand (again.size == 0 || slice_equal (input, buf_slice (&again)));
    buf_free (&again);
    return 0;
}
