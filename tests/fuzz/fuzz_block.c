/* fuzz_block - hostile octets as a block (PROTOCOL.md section 7.2): read, walk,
 * check, cut. Once as they are, and once with all checksums made good, since
 * whoever writes a block can. */
#include "format/block.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void demand (bool good) {
    if (!good)
        abort();
}

static void try_cut (const struct block *b, bool checked) {
    static struct block_writer *writer;
    struct buf out = { 0 };
    struct block part;
    struct block_facts facts;
    struct error e;
    if (!writer)
        writer = block_writer_new();
    for (size_t from = 0; from < b->count && from < 4; from++) {
        buf_clear (&out);
        enum err rc =
            block_cut (b, from, (b->count - from + 1) / 2, writer, &out, &e);
        if (rc) {
            demand (e.code == rc && out.size == 0);
            demand (!checked);
            continue;
        }
        demand (block_read (buf_slice (&out), &part, &e) == ERR_NONE);
        if (checked)
            demand (block_check (&part, &facts, &e) == ERR_NONE);
    }
    buf_free (&out);
}

static void try_block (struct slice input) {
    struct block b;
    struct block_walk w;
    struct block_run_view view;
    struct block_facts facts;
    struct error e;
    enum err rc = block_read (input, &b, &e);
    demand (rc == ERR_NONE || (e.code == rc && e.text[0]));
    if (rc)
        return;
    size_t seen = 0, in_runs = 0, of_runs = 0;
    block_walk (&b, &w);
    while (block_next (&w)) {
        seen++;
        in_runs += w.run >= 0;
    }
    for (size_t i = 0; i < b.runs; i++) {
        block_run_at (&b, i, &view);
        of_runs += view.count;
    }
    demand (seen == b.count && in_runs == of_runs);
    rc = block_check (&b, &facts, &e);
    demand (rc == ERR_NONE || (e.code == rc && e.text[0]));
    /* Runs with newer records can't all be cut. */
    try_cut (&b, rc == ERR_NONE && facts.newer == 0);
}

/* As far as the octets go. */
static void mend (uint8_t *p, size_t size) {
    size_t n = get_u16 (p + 10), at = 32 + 32 * n;
    memcpy (p, "PLYB", 4);
    put_u32 (p + 4, (uint32_t) size);
    for (unsigned m = get_u16 (p + 12); m > 0 && at + 8 <= size; m--)
        at += 8 + (size_t) get_u32 (p + at + 4);
    if (at > size)
        return;
    size_t content = at;
    for (size_t i = 0; i < n; i++) {
        uint8_t *entry = p + 32 + 32 * i;
        size_t record = get_u32 (entry), body = get_u32 (entry + 4);
        if (record > size - content)
            break;
        put_u64 (entry + 16, hash_xxh3 (slice_of (p + content, record), 0));
        content += record;
        if (entry[8] == BODY_ABSENT)
            continue;
        if (body > size - content)
            break;
        if (entry[8] == BODY_PRESENT)
            put_u64 (entry + 24, hash_xxh3 (slice_of (p + content, body), 0));
        content += body;
    }
    struct slice parts[] = { slice_of (p, 24), slice_of (p + 32, at - 32) };
    put_u64 (p + 24, hash_xxh3_parts (parts, 2, 0));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    try_block (slice_of (data, size));
    if (size < BLOCK_HEADER)
        return 0;
    uint8_t *copy = mem_copy (data, size);
    mend (copy, size);
    try_block (slice_of (copy, size));
    free (copy);
    return 0;
}
