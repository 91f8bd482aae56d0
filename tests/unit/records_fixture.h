/* Blocks of the cast at any place of the ledger, put into the store. */
#ifndef PARLEY_RECORDS_FIXTURE_H
#define PARLEY_RECORDS_FIXTURE_H

#include "store_fixture.h"

#include "store/records.h"

FIXTURE_UNUSED static enum err try_add (const struct block *block,
                                        int64_t *added) {
    struct block_facts facts;
    FINE (block_check (block, &facts, &e));
    FINE (store_begin (store, &e));
    enum err rc = records_add (store, block, &facts, added, &e);
    return store_end (store, rc, &e);
}

/* Take a block in; how many of its records were new. */
FIXTURE_UNUSED static int64_t add_block (const struct block *block) {
    int64_t added;
    FINE (try_add (block, &added));
    return added;
}

/* The fixture numbers from BUILD_FIRST; other places by writing anew. */
static void place_at (struct build *build, int64_t sequence, int64_t time) {
    for (size_t i = 0; i < build->count; i++) {
        struct record r;
        struct buf old = build->items[i].record;
        FINE (record_read (buf_slice (&old), &r, &e));
        r.sequence = sequence + (int64_t) i;
        r.log_time = time;
        r.previous = -1;
        build->items[i].record = (struct buf){ 0 };
        if (r.type == RECORD_ROSTER)
            r.roster = r.sequence;
        record_write (&build->items[i].record, &r);
        buf_free (&old);
    }
}

/* As build_finish, from that sequence on; the build is freed. */
FIXTURE_UNUSED static int64_t add_build (struct build *build, int64_t sequence,
                                         int64_t time) {
    struct buf octets = { 0 };
    struct block block;
    struct block_writer *writer = block_writer_new();
    place_at (build, sequence, time);
    block_begin (writer, sequence);
    int run = -1;
    for (size_t i = 0; i < build->count; i++) {
        const struct item *item = &build->items[i];
        if (item->run < 0)
            block_no_run (writer);
        else if (item->run != run)
            block_run (writer, build->runs[item->run].kind,
                       build->runs[item->run].hashes,
                       build->runs[item->run].count);
        run = item->run;
        assert_true (block_add (writer, buf_slice (&item->record),
                                buf_slice (&item->body), item->state));
    }
    block_finish (writer, &octets);
    block_writer_destroy (&writer);
    FINE (block_read (buf_slice (&octets), &block, &e));
    int64_t added = add_block (&block);
    buf_free (&octets);
    build_free (build);
    return added;
}

/* One message of that format and body (with its salt), right or wrong. */
FIXTURE_UNUSED static void build_body (struct build *self, const char *topic,
                                       enum body_format format,
                                       struct slice body) {
    struct buf header = { 0 };
    struct message_draft draft = {
        .dialogue = &cast.dialogue,
        .author = "FRONTEX/hq",
        .key_id = identity_key_id (cast.frontex, LABEL_BATCH),
        .roster_version = 1,
        .lane = 9,
        .number = 1 + (int64_t) self->count,
        .author_time = BUILD_TIME,
        .topic = slice_text (topic),
        .body_format = format,
    };
    static const uint8_t signature[SIGNATURE_SIZE];
    FINE (message_write_header (&draft, body, &header, &e));
    struct record r = build_place (self, RECORD_MESSAGE);
    r.payload = buf_slice (&header);
    r.batch_size = 1;
    r.signature = signature;
    build_item (self, &r, body, self->run_count);
    self->runs[self->run_count++].kind = RUN_WHOLE;
    buf_free (&header);
}

#endif
