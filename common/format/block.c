/* block - writing, and reading without trust (PROTOCOL.md section 7.2).
 *
 * Both are on hot paths. A record and its body are copied once into the
 * writer's content, table and batches grow beside it, and block_finish joins
 * the three. A reader looks at each octet once, for its checksum. */
#include "format/block.h"

#include "identity/note.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define FORMAT 1
#define NO_RUN 0xffff
#define RUN_HEADER 8
#define RUN_HASHES_MAX (BATCH_MAX * 8) /* a path in a batch has at most 8 */

static const uint8_t magic[4] = "PLYB";

/* Places in the header, a table entry and a batch. */
enum {
    AT_SIZE = 4,
    AT_FORMAT = 8,
    AT_COUNT = 10,
    AT_RUNS = 12,
    AT_ZERO = 14,
    AT_FIRST = 16,
    AT_CHECKSUM = 24
};
enum {
    AT_BODY_SIZE = 4,
    AT_STATE = 8,
    AT_ZERO_1 = 9,
    AT_RUN = 10,
    AT_ZERO_4 = 12,
    AT_RECORD_SUM = 16,
    AT_BODY_SUM = 24
};
enum { AT_RUN_COUNT = 2, AT_RUN_OCTETS = 4 };

/* Writing. */

struct block_writer {
    int64_t first_sequence;
    struct buf table, batches, content;
    size_t count; /* records */
    size_t runs;  /* that have a record */
    bool in_run;
    size_t run_at;      /* place in batches of the run that is open */
    size_t run_records; /* of that run so far */
};

struct block_writer *block_writer_new (void) {
    return mem_alloc (sizeof (struct block_writer));
}

void block_writer_destroy (struct block_writer **self_p) {
    struct block_writer *self = *self_p;
    if (!self)
        return;
    buf_free (&self->table);
    buf_free (&self->batches);
    buf_free (&self->content);
    free (self);
    *self_p = NULL;
}

void block_begin (struct block_writer *self, int64_t first_sequence) {
    assert (first_sequence >= 0);
    self->first_sequence = first_sequence;
    buf_clear (&self->table);
    buf_clear (&self->batches);
    buf_clear (&self->content);
    self->count = self->runs = self->run_records = 0;
    self->in_run = false;
}

void block_no_run (struct block_writer *self) {
    if (self->in_run && self->run_records == 0)
        self->batches.size = self->run_at; /* no record came: no run */
    self->in_run = false;
}

void block_run (struct block_writer *self, enum run_kind kind,
                const struct hash *hashes, size_t count) {
    assert (kind == RUN_WHOLE ? count == 0 : count <= RUN_HASHES_MAX);
    assert (kind != RUN_MISSING || (count >= 1 && count < BATCH_MAX));
    block_no_run (self);
    self->in_run = true;
    self->run_at = self->batches.size;
    self->run_records = 0;
    buf_add_u16 (&self->batches, (uint16_t) kind);
    buf_add_u16 (&self->batches, 0);
    buf_add_u32 (&self->batches, (uint32_t) (count * HASH_SIZE));
    buf_add (&self->batches, hashes, count * HASH_SIZE);
}

/* The batches' octets up to here: without a run that has no record yet. */
static size_t batches_used (const struct block_writer *self) {
    bool empty = self->in_run && self->run_records == 0;
    return empty ? self->run_at : self->batches.size;
}

size_t block_count (const struct block_writer *self) {
    return self->count;
}

size_t block_octets (const struct block_writer *self) {
    return BLOCK_HEADER + self->table.size + batches_used (self)
           + self->content.size;
}

static size_t octets_max (size_t records) {
    return records > 1 ? BLOCK_OCTETS_MAX : BLOCK_OCTETS_MAX_SINGLE;
}

static uint16_t next_run (struct block_writer *self) {
    if (!self->in_run)
        return NO_RUN;
    assert (self->run_records < BATCH_MAX);
    if (self->run_records++ == 0)
        self->runs++;
    put_u16 (self->batches.data + self->run_at + AT_RUN_COUNT,
             (uint16_t) self->run_records);
    return (uint16_t) (self->runs - 1);
}

static void add_entry (struct block_writer *self, struct slice record,
                       struct slice body, enum body_state state) {
    uint8_t *entry = buf_extend (&self->table, BLOCK_ENTRY);
    put_u32 (entry, (uint32_t) record.size);
    put_u32 (entry + AT_BODY_SIZE, (uint32_t) body.size);
    entry[AT_STATE] = (uint8_t) state;
    entry[AT_ZERO_1] = 0;
    put_u16 (entry + AT_RUN, next_run (self));
    put_u32 (entry + AT_ZERO_4, 0);
    put_u64 (entry + AT_RECORD_SUM, hash_xxh3 (record, 0));
    put_u64 (entry + AT_BODY_SUM,
             state == BODY_PRESENT ? hash_xxh3 (body, 0) : 0);
}

bool block_add (struct block_writer *self, struct slice record,
                struct slice body, enum body_state state) {
    assert (record.size >= 1 && record.size <= RECORD_MAX);
    assert ((body.size == 0) == (state == BODY_NONE) && body.size <= NOTE_MAX);
    size_t stands = state == BODY_ABSENT ? 0 : body.size;
    size_t size = BLOCK_HEADER + self->table.size + BLOCK_ENTRY
                  + self->batches.size + self->content.size + record.size
                  + stands;
    if (self->count == BLOCK_RECORDS_MAX || size > octets_max (self->count + 1))
        return false;
    add_entry (self, record, body, state);
    buf_reserve (&self->content, record.size + stands);
    buf_add_slice (&self->content, record);
    if (state == BODY_PRESENT)
        buf_add_slice (&self->content, body);
    else
        buf_add_zeros (&self->content, stands);
    self->count++;
    return true;
}

void block_finish (struct block_writer *self, struct buf *out) {
    assert (self->count >= 1);
    block_no_run (self);
    size_t size = block_octets (self);
    buf_reserve (out, size);
    uint8_t *head = buf_extend (out, BLOCK_HEADER);
    memcpy (head, magic, sizeof magic);
    put_u32 (head + AT_SIZE, (uint32_t) size);
    put_u16 (head + AT_FORMAT, FORMAT);
    put_u16 (head + AT_COUNT, (uint16_t) self->count);
    put_u16 (head + AT_RUNS, (uint16_t) self->runs);
    put_u16 (head + AT_ZERO, 0);
    put_u64 (head + AT_FIRST, (uint64_t) self->first_sequence);
    struct slice parts[] = { slice_of (head, AT_CHECKSUM),
                             buf_slice (&self->table),
                             buf_slice (&self->batches) };
    put_u64 (head + AT_CHECKSUM, hash_xxh3_parts (parts, 3, 0));
    buf_add_slice (out, parts[1]);
    buf_add_slice (out, parts[2]);
    buf_add_slice (out, buf_slice (&self->content));
    block_begin (self, 0);
}

/* Reading. */

enum err block_size (struct slice octets, size_t *size, struct error *e) {
    if (octets.size < BLOCK_HEADER
        || memcmp (octets.data, magic, sizeof magic) != 0)
        return error_set (e, ERR_MALFORMED, "no block begins here");
    size_t stated = get_u32 (octets.data + AT_SIZE);
    if (stated > BLOCK_OCTETS_MAX_SINGLE)
        return error_set (e, ERR_LIMIT, "a block of %zu octets, limit %d",
                          stated, BLOCK_OCTETS_MAX_SINGLE);
    if (stated < BLOCK_HEADER)
        return error_set (e, ERR_MALFORMED,
                          "a block of %zu octets, its header has %d", stated,
                          BLOCK_HEADER);
    *size = stated;
    return ERR_NONE;
}

static enum err read_header (struct slice octets, struct block *out,
                             struct error *e) {
    const uint8_t *head = octets.data;
    unsigned format = get_u16 (head + AT_FORMAT);
    if (format > FORMAT)
        return error_set (e, ERR_NEWER, "a block of format %u, known is %d",
                          format, FORMAT);
    uint64_t first = get_u64 (head + AT_FIRST);
    *out = (struct block){ .octets = octets,
                           .first_sequence = (int64_t) first,
                           .count = get_u16 (head + AT_COUNT),
                           .runs = get_u16 (head + AT_RUNS),
                           .table = head + BLOCK_HEADER };
    if (out->count > BLOCK_RECORDS_MAX || octets.size > octets_max (out->count))
        return error_set (e, ERR_LIMIT,
                          "a block of %zu records and %zu octets, limits %d "
                          "and %zu",
                          out->count, octets.size, BLOCK_RECORDS_MAX,
                          octets_max (out->count));
    if (format < FORMAT || out->count == 0 || out->runs > out->count
        || get_u16 (head + AT_ZERO) != 0 || first > (uint64_t) NUMBER_MAX + 1 - out->count)
        return error_set (e, ERR_MALFORMED,
                          "a block's header with format %u, %zu records, %zu "
                          "batches, %u for zero, first sequence %" PRIu64,
                          format, out->count, out->runs,
                          (unsigned) get_u16 (head + AT_ZERO), first);
    return ERR_NONE;
}

static bool run_fits (unsigned kind, size_t records, size_t octets) {
    size_t hashes = octets / HASH_SIZE;
    if (octets % HASH_SIZE != 0 || records == 0 || records > BATCH_MAX)
        return false;
    switch (kind) {
    case RUN_WHOLE:
        return hashes == 0;
    case RUN_MISSING:
        return hashes > 0 && hashes + records <= BATCH_MAX;
    case RUN_PATHS:
        return hashes <= records * 8;
    default:
        return false;
    }
}

/* Where table and batches end, before anything in them is believed. */
static enum err read_batches (struct block *self, struct error *e) {
    size_t left = self->octets.size - BLOCK_HEADER;
    if (self->count * BLOCK_ENTRY > left)
        return error_set (e, ERR_MALFORMED, "a table of %zu in %zu octets",
                          self->count, left);
    left -= self->count * BLOCK_ENTRY;
    self->batches = self->table + self->count * BLOCK_ENTRY;
    const uint8_t *at = self->batches;
    for (size_t i = 0; i < self->runs; i++) {
        size_t size = left < RUN_HEADER ? 0 : get_u32 (at + AT_RUN_OCTETS);
        if (left < RUN_HEADER || size > left - RUN_HEADER)
            return error_set (e, ERR_MALFORMED, "batch %zu is cut short", i);
        if (!run_fits (get_u16 (at), get_u16 (at + AT_RUN_COUNT), size))
            return error_set (e, ERR_MALFORMED,
                              "batch %zu has kind %u, %u records, %zu octets",
                              i, (unsigned) get_u16 (at),
                              (unsigned) get_u16 (at + AT_RUN_COUNT), size);
        at += RUN_HEADER + size;
        left -= RUN_HEADER + size;
    }
    self->batches_size = (size_t) (at - self->batches);
    self->content = at;
    struct slice parts[] = { slice_of (self->octets.data, AT_CHECKSUM),
                             slice_of (self->table,
                                       (size_t) (at - self->table)) };
    if (hash_xxh3_parts (parts, 2, 0)
        != get_u64 (self->octets.data + AT_CHECKSUM))
        return error_set (e, ERR_DIGEST,
                          "header, table and batches have another checksum");
    return ERR_NONE;
}

static const uint8_t *entry_of (const struct block *self, size_t index) {
    return self->table + index * BLOCK_ENTRY;
}

static size_t body_stands (const uint8_t *entry) {
    return entry[AT_STATE] == BODY_ABSENT ? 0 : get_u32 (entry + AT_BODY_SIZE);
}

static enum err read_entry (const uint8_t *entry, struct error *e) {
    size_t record = get_u32 (entry), body = get_u32 (entry + AT_BODY_SIZE);
    unsigned state = entry[AT_STATE];
    if (record > RECORD_MAX || body > NOTE_MAX)
        return error_set (e, ERR_LIMIT,
                          "%zu octets and a body of %zu, limits %d and %d",
                          record, body, RECORD_MAX, NOTE_MAX);
    if (record == 0 || state > BODY_ABSENT
        || (body == 0) != (state == BODY_NONE) || entry[AT_ZERO_1] != 0
        || get_u32 (entry + AT_ZERO_4) != 0
        || (state != BODY_PRESENT && get_u64 (entry + AT_BODY_SUM) != 0))
        return error_set (e, ERR_MALFORMED,
                          "a table entry of %zu octets, a body of %zu in state "
                          "%u, or no zeros where they stand",
                          record, body, state);
    return ERR_NONE;
}

/* Runs stand in order, each over as many neighbours as it says. */
struct cover {
    const uint8_t *run; /* in batches; of the next one to begin */
    size_t begun;       /* runs */
    size_t left;        /* records that the last one has to have yet */
};

static bool cover_next (struct cover *self, const struct block *block,
                        const uint8_t *entry) {
    size_t run = get_u16 (entry + AT_RUN);
    if (self->left == 0 && run == NO_RUN)
        return true;
    if (self->left == 0) {
        if (run != self->begun || run >= block->runs)
            return false;
        self->left = get_u16 (self->run + AT_RUN_COUNT);
        self->run += RUN_HEADER + get_u32 (self->run + AT_RUN_OCTETS);
        self->begun++;
    }
    self->left--;
    return run == self->begun - 1;
}

static enum err read_table (const struct block *self, struct error *e) {
    struct cover cover = { .run = self->batches };
    uint64_t size = 0; /* 4,096 times 1 MiB do not fit 32 bits */
    for (size_t i = 0; i < self->count; i++) {
        const uint8_t *entry = entry_of (self, i);
        enum err rc = read_entry (entry, e);
        if (rc)
            return rc;
        if (!cover_next (&cover, self, entry))
            return error_set (e, ERR_MALFORMED,
                              "record %zu of the block is out of its batch", i);
        size += get_u32 (entry) + body_stands (entry);
    }
    if (cover.left > 0 || cover.begun != self->runs)
        return error_set (e, ERR_MALFORMED, "a batch without its records");
    const uint8_t *end = self->octets.data + self->octets.size;
    if (size != (uint64_t) (end - self->content))
        return error_set (e, ERR_MALFORMED,
                          "records and bodies of %" PRIu64
                          " octets, %zu are there",
                          size, (size_t) (end - self->content));
    return ERR_NONE;
}

static bool all_zero (struct slice s) {
    return s.size == 0
           || (s.data[0] == 0 && memcmp (s.data, s.data + 1, s.size - 1) == 0);
}

static enum err read_content (const struct block *self, struct error *e) {
    struct block_walk w;
    block_walk (self, &w);
    while (block_next (&w)) {
        const uint8_t *entry = entry_of (self, w.index);
        if (hash_xxh3 (w.record, 0) != get_u64 (entry + AT_RECORD_SUM))
            return error_set (e, ERR_DIGEST,
                              "record %zu of the block has another checksum",
                              w.index);
        if (w.state == BODY_PRESENT
            && hash_xxh3 (w.body, 0) != get_u64 (entry + AT_BODY_SUM))
            return error_set (e, ERR_DIGEST,
                              "body %zu of the block has another checksum",
                              w.index);
        if (w.state == BODY_ERASED && !all_zero (w.body))
            return error_set (e, ERR_MALFORMED,
                              "body %zu of the block is erased and not zero",
                              w.index);
    }
    return ERR_NONE;
}

enum err block_read (struct slice octets, struct block *out, struct error *e) {
    size_t size;
    enum err rc = block_size (octets, &size, e);
    if (rc)
        return rc;
    if (size != octets.size)
        return error_set (e, ERR_MALFORMED,
                          "a block of %zu octets, %zu are there", size,
                          octets.size);
    rc = read_header (octets, out, e);
    if (!rc)
        rc = read_batches (out, e);
    if (!rc)
        rc = read_table (out, e);
    return rc ? rc : read_content (out, e);
}

/* Walking. */

void block_walk (const struct block *block, struct block_walk *out) {
    *out = (struct block_walk){ .block = block, .run = -1 };
}

bool block_next (struct block_walk *self) {
    const struct block *block = self->block;
    bool begun = self->record.data != NULL;
    if (self->index + begun >= block->count)
        return false;
    self->index += begun;
    const uint8_t *entry = entry_of (block, self->index);
    unsigned run = get_u16 (entry + AT_RUN);
    self->record = slice_of (block->content + self->next_at, get_u32 (entry));
    self->next_at += self->record.size;
    self->body = slice_of (block->content + self->next_at, body_stands (entry));
    self->next_at += self->body.size;
    self->body_size = get_u32 (entry + AT_BODY_SIZE);
    self->state = (enum body_state) entry[AT_STATE];
    self->run = run == NO_RUN ? -1 : (int) run;
    return true;
}

void block_run_at (const struct block *self, size_t run,
                   struct block_run_view *out) {
    assert (run < self->runs);
    const uint8_t *at = self->batches;
    for (size_t i = 0; i < run; i++)
        at += RUN_HEADER + get_u32 (at + AT_RUN_OCTETS);
    out->kind = (enum run_kind) get_u16 (at);
    out->count = get_u16 (at + AT_RUN_COUNT);
    out->hashes = slice_of (at + RUN_HEADER, get_u32 (at + AT_RUN_OCTETS));
    out->first = 0;
    while (get_u16 (entry_of (self, out->first) + AT_RUN) != run)
        out->first++;
}
