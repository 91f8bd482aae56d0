/* Blocks for the tests of the ledger, that pass block_check, and a folder of
 * the test's own. Signatures are no real ones. Include behind cmocka.h. */
#ifndef PARLEY_LEDGER_FIXTURE_H
#define PARLEY_LEDGER_FIXTURE_H

#include "format/block.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char ledger_dir[256];

static inline int ledger_dir_make (void) {
    const char *base = getenv ("TMPDIR");
    snprintf (ledger_dir, sizeof ledger_dir, "%s/parley-ledger-XXXXXX",
              base ? base : "/tmp");
    return mkdtemp (ledger_dir) ? 0 : -1;
}

/* A name in it; one of eight buffers. */
static inline const char *ledger_in (const char *name) {
    static char paths[8][640];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf (path, sizeof paths[0], "%s/%s", ledger_dir, name);
    return path;
}

/* All in `path`, and in its folders. */
static inline void ledger_empty (const char *path) {
    DIR *d = opendir (path);
    if (!d)
        return;
    for (struct dirent *one; (one = readdir (d)) != NULL;) {
        if (strcmp (one->d_name, ".") == 0 || strcmp (one->d_name, "..") == 0)
            continue;
        if (unlinkat (dirfd (d), one->d_name, 0) == 0)
            continue;
        struct buf inner = { 0 };
        buf_add_format (&inner, "%s/%s", path, one->d_name);
        char *folder = buf_take_text (&inner);
        ledger_empty (folder);
        free (folder);
        unlinkat (dirfd (d), one->d_name, AT_REMOVEDIR);
    }
    closedir (d);
}

static inline int ledger_dir_remove (void) {
    ledger_empty (ledger_dir);
    return rmdir (ledger_dir);
}

static inline struct hash ledger_dialogue (void) {
    struct hash h;
    memset (h.octets, 0xd1, sizeof h.octets);
    return h;
}

/* What one block is to hold. */
struct block_plan {
    const char *channel; /* "$log": marks, and a roster at sequence 0 */
    int64_t sequence;
    int64_t channel_sequence;
    size_t count;
    int64_t time;   /* of the first; one more each record */
    size_t content; /* octets in each message */
    uint32_t salt;  /* another gives other octets */
};

static inline struct record plan_record (const struct block_plan *plan,
                                         size_t i) {
    return (struct record){
        .format = 1,
        .sequence = plan->sequence + (int64_t) i,
        .log_time = plan->time + (int64_t) i,
        .epoch = 1,
        .channel = slice_text (plan->channel),
        .channel_sequence = plan->channel_sequence + (int64_t) i,
        .previous = -1,
    };
}

static inline void plan_log (struct block_writer *writer,
                             const struct block_plan *plan) {
    block_no_run (writer);
    for (size_t i = 0; i < plan->count; i++) {
        struct record record = plan_record (plan, i);
        struct buf payload = { 0 }, octets = { 0 };
        struct slice body = slice_text ("a roster's note");
        if (record.sequence == 0) {
            struct roster_payload p = { .version = 1,
                                        .note_length = (int64_t) body.size,
                                        .note_hash = hash_blake2b (body) };
            record.type = RECORD_ROSTER;
            roster_payload_write (&payload, &p);
        } else {
            struct mark_payload p = { .roster_version = 1 + plan->salt };
            record.type = RECORD_MARK;
            mark_payload_write (&payload, &p);
            body = slice_of (NULL, 0);
        }
        record.payload = buf_slice (&payload);
        record_write (&octets, &record);
        assert_true (block_add (writer, buf_slice (&octets), body,
                                body.size ? BODY_PRESENT : BODY_NONE));
        buf_free (&payload);
        buf_free (&octets);
    }
}

static inline void plan_messages (struct block_writer *writer,
                                  const struct block_plan *plan) {
    static const uint8_t signature[SIGNATURE_SIZE] = "no signature";
    struct hash dialogue = ledger_dialogue();
    char topic[TOPIC_MAX + 1];
    snprintf (topic, sizeof topic, "%s/plan", plan->channel);
    struct buf content = { 0 };
    buf_add_zeros (&content, plan->content);
    for (size_t i = 0; i < plan->count; i++) {
        if (i % BATCH_MAX == 0)
            block_run (writer, RUN_WHOLE, NULL, 0);
        struct message_draft draft = { .dialogue = &dialogue,
                                       .author = "EUROPOL/hq",
                                       .roster_version = 1,
                                       .lane = 7 + plan->salt,
                                       .topic = slice_text (topic),
                                       .body_format = BODY_OCTETS };
        draft.number = 1 + plan->sequence + (int64_t) i;
        struct buf header = { 0 }, body = { 0 }, octets = { 0 };
        struct error why;
        assert_int_equal (
            message_write_body (BODY_OCTETS, buf_slice (&content), &body, &why),
            0);
        if (message_write_header (&draft, buf_slice (&body), &header, &why))
            fail_msg ("%s", why.text);
        struct record record = plan_record (plan, i);
        size_t left = plan->count - i / BATCH_MAX * BATCH_MAX;
        record.payload = buf_slice (&header);
        record.batch_size = left < BATCH_MAX ? left : BATCH_MAX;
        record.batch_index = i % BATCH_MAX;
        record.signature = signature;
        record_write (&octets, &record);
        assert_true (block_add (writer, buf_slice (&octets), buf_slice (&body),
                                BODY_PRESENT));
        buf_free (&header);
        buf_free (&body);
        buf_free (&octets);
    }
    buf_free (&content);
}

/* Append the block to *out. */
static inline void plan_write (const struct block_plan *plan, struct buf *out) {
    struct block_writer *writer = block_writer_new();
    block_begin (writer, plan->sequence);
    if (strcmp (plan->channel, CHANNEL_LOG) == 0)
        plan_log (writer, plan);
    else
        plan_messages (writer, plan);
    block_finish (writer, out);
    block_writer_destroy (&writer);
}

/* As its reader sees it; the view is of `octets`. */
static inline void plan_read (struct slice octets, struct block *block,
                              struct block_facts *facts) {
    struct error why;
    if (block_read (octets, block, &why) || block_check (block, facts, &why))
        fail_msg ("%s", why.text);
}

#endif
