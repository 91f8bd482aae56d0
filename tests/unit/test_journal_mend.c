/* journal_mend: three segments of three groups, and damage anywhere in them. */
#include "ledger/mend.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "journal_fixture.h"

#define PER_SEGMENT 3 /* groups */

/* A visitor that has all blocks but some, and counts. */
struct visit {
    int64_t next, holes_first, holes_end;
    int lost, holes;
    unsigned without; /* bit: this block nobody has */
    char place[ERROR_TEXT_MAX];
};

static enum err on_block (void *arg, const struct block *block,
                          const struct block_facts *facts, bool lost,
                          struct error *why) {
    (void) why;
    struct visit *self = arg;
    assert_int_equal (block->first_sequence, self->next);
    assert_true (facts->channel.size > 0);
    self->next += (int64_t) block->count;
    self->lost += lost;
    return ERR_NONE;
}

static enum err on_lost (void *arg, int64_t sequence, size_t room,
                         struct slice *out, struct error *why) {
    struct visit *self = arg;
    for (int i = 0; i < 2 * GROUPS; i++)
        if (plan_of (i).sequence == sequence && !(self->without & 1u << i)
            && blocks[i].size <= room) {
            *out = buf_slice (&blocks[i]);
            return ERR_NONE;
        }
    return error_set (why, ERR_NOT_FOUND, "nobody");
}

static enum err on_hole (void *arg, int64_t first, int64_t end,
                         const char *place, struct error *why) {
    (void) why;
    struct visit *self = arg;
    assert_int_equal (first, self->next);
    self->holes++;
    self->holes_first = first;
    self->holes_end = end;
    self->next = end;
    strcpy (self->place, place);
    return ERR_NONE;
}

static struct visit visit;

static struct mend *try_mend (unsigned without) {
    static const struct mend_visitor visitor = { &visit, on_block, on_lost,
                                                 on_hole };
    visit = (struct visit){ .without = without };
    return mend_read (ledger_dir, &dialogue, &visitor, &e);
}

static struct mend *mend (unsigned without) {
    struct mend *self = try_mend (without);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

/* Files as they were made. */
static char *paths[3];
static struct buf files[3];

static void write_file (int n, struct slice octets) {
    if (disk_write_file (paths[n], octets, true, &e))
        fail_msg ("%s", e.text);
}

/* In place and not synced: it is done at each octet of three files. */
static void put_octet (int n, uint64_t at, uint8_t octet) {
    int fd = open (paths[n], O_WRONLY);
    assert_int_equal (pwrite (fd, &octet, 1, (off_t) at), 1);
    close (fd);
}

static void flip (int n, uint64_t at) {
    put_octet (n, at, files[n].data[at] ^ 0x10);
}

static int setup_files (void **state) {
    if (setup (state))
        return -1;
    struct journal *journal = open_journal (0);
    for (int g = 0; g < GROUPS; g++) {
        if (g > 0 && g % PER_SEGMENT == 0)
            roll (journal);
        if (append_group (journal, g))
            fail_msg ("%s", e.text);
    }
    journal_close (&journal);
    for (int n = 0; n < 3; n++) {
        paths[n] =
            segment_path (ledger_in ("journal"), records_of (n * PER_SEGMENT));
        if (disk_read_file (paths[n], 1 << 20, &files[n], &e))
            fail_msg ("%s", e.text);
    }
    return 0;
}

static int teardown_files (void **state) {
    for (int n = 0; n < 3; n++) {
        free (paths[n]);
        buf_free (&files[n]);
    }
    return teardown (state);
}

static void test_whole (void **state) {
    (void) state;
    struct mend *self = mend (0);
    assert_int_equal (mend_size (self), records_of (GROUPS));
    assert_int_equal (visit.next, records_of (GROUPS));
    assert_int_equal (mend_patches (self), 0);
    assert_int_equal (visit.lost + visit.holes, 0);
    assert_int_equal (mend_write (self, &e), 0);
    mend_destroy (&self);
    mend_destroy (&self);
    dialogue.octets[0] ^= 1;
    assert_null (try_mend (0));
    assert_int_equal (e.code, ERR_DAMAGED);
    dialogue = ledger_dialogue();
}

/* The patch holds what stood there. */
static void check_patch (const struct mend *self, int n, uint64_t at) {
    assert_int_equal (mend_patches (self), 1);
    const struct mend_patch *patch = mend_patch_at (self, 0);
    assert_int_equal (patch->segment, records_of (n * PER_SEGMENT));
    assert_true (patch->offset <= at);
    assert_true (at < patch->offset + patch->octets.size);
    assert_memory_equal (patch->octets.data, files[n].data + patch->offset,
                         patch->octets.size);
}

/* Each octet of each segment. */
static void test_any_octet (void **state) {
    (void) state;
    for (int n = 0; n < 3; n++) {
        for (uint64_t at = 0; at < files[n].size; at++) {
            flip (n, at);
            struct mend *self = try_mend (0);
            put_octet (n, at, files[n].data[at]);
            bool open = n == 2 && at >= files[n].size - GROUP_HEADER;
            if (at < SEGMENT_HEADER) {
                assert_null (self);
                assert_int_equal (e.code, ERR_DAMAGED);
                continue;
            }
            if (!self)
                fail_msg ("segment %d at %d: %s", n, (int) at, e.text);
            assert_int_equal (visit.next, records_of (GROUPS));
            assert_true (visit.lost <= 1);
            if (open)
                assert_int_equal (mend_patches (self), 0);
            else
                check_patch (self, n, at);
            mend_destroy (&self);
        }
    }
}

/* Two octets: in groups side by side, with the header between, in two segments.
 */
static void test_more (void **state) {
    (void) state;
    struct buf octets = { 0 };
    buf_add_slice (&octets, buf_slice (&files[1]));
    size_t size = octets.size;
    for (size_t at = SEGMENT_HEADER + 40; at < size; at += 100)
        octets.data[at] ^= 1;
    octets.data[size - 1] ^= 1;
    write_file (1, buf_slice (&octets));
    flip (0, 700);
    struct mend *self = mend (0);
    assert_int_equal (visit.next, records_of (GROUPS));
    assert_true (mend_patches (self) >= 2);
    if (mend_write (self, &e))
        fail_msg ("%s", e.text);
    struct buf now = { 0 };
    for (int n = 0; n < 3; n++) {
        assert_int_equal (disk_read_file (paths[n], 1 << 20, &now, &e), 0);
        assert_true (slice_equal (buf_slice (&now), buf_slice (&files[n])));
    }
    assert_int_equal (
        disk_read_file (mend_patch_at (self, 1)->aside, 1 << 20, &now, &e), 0);
    assert_true (slice_equal (buf_slice (&now), buf_slice (&octets)));
    buf_free (&now);
    buf_free (&octets);
    mend_destroy (&self);
    struct journal *journal = open_journal (0);
    check_all (journal, 2 * GROUPS);
    journal_close (&journal);
}

/* What nobody has is told, and what is behind it read. */
static void test_holes (void **state) {
    (void) state;
    const struct {
        int file, block; /* damaged, and lacking */
    } rows[] = { { 0, 2 }, { 0, 5 }, { 1, 6 }, { 1, 11 }, { 2, 12 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t *found =
            memmem (files[rows[i].file].data, files[rows[i].file].size,
                    blocks[rows[i].block].data, blocks[rows[i].block].size);
        assert_non_null (found);
        flip (rows[i].file, (uint64_t) (found - files[rows[i].file].data) + 40);
        struct mend *self = mend (1u << rows[i].block);
        assert_int_equal (visit.holes, 1);
        assert_int_equal (visit.holes_first, plan_of (rows[i].block).sequence);
        assert_int_equal (visit.holes_end,
                          plan_of (rows[i].block + 1).sequence);
        assert_non_null (strstr (visit.place, ".seg' at "));
        assert_int_equal (visit.next, records_of (GROUPS));
        assert_int_equal (mend_patches (self), 0);
        mend_destroy (&self);
        write_file (rows[i].file, buf_slice (&files[rows[i].file]));
    }
}

static uint64_t offset_of (int file, int block) {
    const uint8_t *found = memmem (files[file].data, files[file].size,
                                   blocks[block].data, blocks[block].size);
    assert_non_null (found);
    return (uint64_t) (found - files[file].data);
}

/* Where not even the block's size is known, the rest of its group lacks too. */
static void test_wide_hole (void **state) {
    (void) state;
    flip (1, offset_of (1, 8) + 6);
    struct mend *self = mend (1u << 8);
    assert_int_equal (visit.holes, 1);
    assert_int_equal (visit.holes_end, records_of (5));
    assert_int_equal (mend_patches (self), 0);
    mend_destroy (&self);
}

/* Of damage side by side what somebody has is put back, in the same group and in
 * the next one; the other comes when somebody brings it. */
static void test_hole_beside (void **state) {
    (void) state;
    const int lacking[] = { 8, 9 };
    for (int i = 0; i < 2; i++) {
        for (int block = 8; block < 12; block++)
            flip (1, offset_of (1, block) + 40);
        struct mend *self = mend (1u << lacking[i]);
        assert_int_equal (visit.holes, 1);
        assert_int_equal (visit.holes_end - visit.holes_first, 3);
        assert_int_equal (visit.next, records_of (GROUPS));
        assert_int_equal (visit.lost, 3);
        assert_int_equal (mend_patches (self), 2);
        assert_int_equal (mend_write (self, &e), 0);
        mend_destroy (&self);
        self = mend (0);
        assert_int_equal (visit.lost, 1);
        assert_int_equal (mend_patches (self), 1);
        assert_int_equal (mend_write (self, &e), 0);
        mend_destroy (&self);
        struct buf now = { 0 };
        assert_int_equal (disk_read_file (paths[1], 1 << 20, &now, &e), 0);
        assert_true (slice_equal (buf_slice (&now), buf_slice (&files[1])));
        buf_free (&now);
    }
}

/* In the last group nothing tells how far it goes. */
static void test_open_hole (void **state) {
    (void) state;
    flip (2, files[2].size - 500);
    struct mend *self = mend (1u << (2 * GROUPS - 1));
    assert_int_equal (visit.holes, 1);
    assert_int_equal (visit.holes_end, -1);
    assert_int_equal (mend_size (self), plan_of (2 * GROUPS - 1).sequence);
    mend_destroy (&self);
}

/* A torn end is none of ours. */
static void test_torn (void **state) {
    (void) state;
    write_file (2, slice_of (files[2].data, files[2].size - 100));
    struct mend *self = mend (0);
    assert_int_equal (mend_patches (self), 0);
    assert_int_equal (mend_size (self), records_of (GROUPS - 1));
    mend_destroy (&self);
}

/* Without headers and sizes: segments_check, segments_walk. */

static enum err walk_block (void *arg, const struct block *block,
                            const struct block_facts *facts,
                            struct error *why) {
    for (int i = 0; i < 2 * GROUPS; i++)
        if (plan_of (i).sequence == block->first_sequence)
            assert_true (slice_equal (block->octets, buf_slice (&blocks[i])));
    return on_block (arg, block, facts, false, why);
}

static enum err walk_hole (void *arg, int64_t first, int64_t end,
                           struct error *why) {
    return on_hole (arg, first, end, "", why);
}

/* How many records it has, up to its last segment's end. */
static int64_t walk (void) {
    static const struct segments_visitor visitor = { &visit, walk_block,
                                                     walk_hole };
    int64_t next;
    visit = (struct visit){ 0 };
    if (segments_walk (ledger_dir, &visitor, &next, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (next, visit.next);
    return next;
}

/* What comes is as it was; what can't be read of a closed segment is a hole to
 * its end. */
static void test_walk (void **state) {
    (void) state;
    int64_t all = records_of (GROUPS);
    assert_int_equal (segments_check (ledger_dir, &dialogue, &e), 0);
    assert_int_equal (walk(), all);
    assert_int_equal (visit.holes, 0);
    for (int n = 0; n < 3; n++)
        for (uint64_t at = 0; at < files[n].size; at++) {
            flip (n, at);
            if (at < SEGMENT_HEADER)
                assert_int_equal (segments_check (ledger_dir, &dialogue, &e),
                                  ERR_DAMAGED);
            int64_t found = walk();
            assert_true (n == 2 ? found <= all : found == all);
            if (visit.holes > (n < 2)
                || (visit.holes
                    && visit.holes_end != records_of ((n + 1) * PER_SEGMENT)))
                fail_msg ("%d at %" PRIu64, n, at);
            if (at < SEGMENT_HEADER && (found != all || visit.holes))
                fail_msg ("%d at %" PRIu64 ": a header", n, at);
            put_octet (n, at, files[n].data[at]);
        }
}

static void test_walk_missing (void **state) {
    (void) state;
    for (int n = 0; n < 3; n++) {
        write_file (n, slice_of (files[n].data, files[n].size - 1));
        assert_int_equal (segments_check (ledger_dir, &dialogue, &e),
                          n < 2 ? ERR_DAMAGED : ERR_NONE);
        assert_int_equal (walk(), records_of (GROUPS));
        unlink (paths[n]);
        assert_int_equal (segments_check (ledger_dir, &dialogue, &e),
                          n < 2 ? ERR_DAMAGED : ERR_NONE);
        assert_int_equal (walk(),
                          records_of (n < 2 ? GROUPS : 2 * PER_SEGMENT));
        assert_int_equal (visit.holes, n < 2);
        write_file (n, buf_slice (&files[n]));
    }
    for (int n = 0; n < 3; n++)
        unlink (paths[n]);
    assert_int_equal (segments_check (ledger_dir, &dialogue, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (walk(), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup_files, teardown_files)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_whole),     CASE (test_any_octet),
        CASE (test_more),      CASE (test_holes),
        CASE (test_wide_hole), CASE (test_hole_beside),
        CASE (test_open_hole), CASE (test_torn),
        CASE (test_walk),      CASE (test_walk_missing),
    };
    return cmocka_run_group_tests (tests, make_blocks, free_blocks);
}
