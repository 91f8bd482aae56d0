/* tiles: C2SP tlog-tiles, by its own examples; another tree is never written,
 * nor over another one; an export that ends early is finished by the next. */
#include "ledger/tiles.h"

#include "base/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledger_fixture.h"

#define LEAVES 70300

static struct error e;
static struct hash leaves[LEAVES];
static char dir[320];
static bool other; /* the source has another leaf at 1,000 */

static int make_leaves (void **state) {
    (void) state;
    for (uint64_t i = 0; i < LEAVES; i++)
        leaves[i] = hash_leaf (slice_of (&i, sizeof i));
    return 0;
}

static int setup (void **state) {
    (void) state;
    other = false;
    if (ledger_dir_make())
        return -1;
    snprintf (dir, sizeof dir, "%s/tiles", ledger_dir);
    return 0;
}

static int teardown (void **state) {
    (void) state;
    return ledger_dir_remove();
}

/* Leaves alone: what is above them is nobody's word. */
static enum err read_leaves (void *arg, unsigned level, uint64_t first,
                             size_t count, struct hash *out,
                             struct error *why) {
    (void) arg;
    assert_int_equal (level, 0);
    assert_true (count >= 1 && count <= TREE_TILE);
    if (first + count > LEAVES)
        return error_set (why, ERR_NOT_FOUND, "no such leaves");
    memcpy (out, leaves + first, count * HASH_SIZE);
    if (other && first <= 1000 && 1000 < first + count)
        out[1000 - first].octets[0] ^= 1;
    return ERR_NONE;
}

static enum err export_to (const char *to, int64_t size, int64_t *files) {
    struct tree_source source = { NULL, read_leaves };
    struct checkpoint cp = { .origin = "example.org/1", .size = size };
    cp.root = tree_root_of (leaves, (size_t) (size < LEAVES ? size : 0));
    char note[64];
    snprintf (note, sizeof note, "note of %lld", (long long) size);
    return tiles_export (to, &source, &cp, slice_text (note), files, &e);
}

static struct slice file_octets (const char *path, struct buf *out) {
    struct buf name = { 0 };
    buf_add_format (&name, "%s/%s", dir, path);
    char *full = buf_take_text (&name);
    buf_clear (out);
    if (disk_read_file (full, 1 << 20, out, &e))
        fail_msg ("%s", e.text);
    free (full);
    return buf_slice (out);
}

static bool is_there (const char *path) {
    char full[512];
    snprintf (full, sizeof full, "%s/%s", dir, path);
    return access (full, F_OK) == 0;
}

static int64_t count_files (const char *path) {
    DIR *d = opendir (path);
    int64_t n = 0;
    if (!d)
        return 1;
    for (struct dirent *one; (one = readdir (d)) != NULL;) {
        struct buf inner = { 0 };
        buf_add_format (&inner, "%s/%s", path, one->d_name);
        char *text = buf_take_text (&inner);
        if (one->d_name[0] != '.')
            n += count_files (text);
        free (text);
    }
    closedir (d);
    return n;
}

static void paths_are_those_of_the_specification (void **state) {
    (void) state;
    static const struct {
        int level;
        uint64_t n;
        unsigned width;
        const char *want;
    } rows[] = {
        { 0, 0, 256, "tile/0/000" },
        { 0, 0, 1, "tile/0/000.p/1" },
        { 1, 7, 255, "tile/1/007.p/255" },
        { 0, 999, 256, "tile/0/999" },
        { 0, 1000, 256, "tile/0/x001/000" },
        { 0, 1234067, 256, "tile/0/x001/x234/067" },
        { 63, 1234067, 112, "tile/63/x001/x234/067.p/112" },
        { -1, 0, 3, "tile/entries/000.p/3" },
        { -1, 273, 256, "tile/entries/273" },
        { -1, 1000000, 256, "tile/entries/x001/x000/000" },
        { -1, UINT64_MAX, 255,
          "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[TILES_PATH_MAX];
        tiles_path (rows[i].level, rows[i].n, rows[i].width, path);
        assert_string_equal (path, rows[i].want);
    }
}

/* "a tree of size 70,000 will be represented by 273 full level 0 tiles, one
 * partial level 0 tile of width 112, one full level 1 tile, one partial level 1
 * tile of width 17, and one partial level 2 tile of width 1" */
static void the_example_of_70000_holds (void **state) {
    (void) state;
    int64_t files;
    struct buf octets = { 0 };
    assert_int_equal (export_to (dir, 70000, &files), 0);
    assert_int_equal (files, 273 + 1 + 1 + 1 + 1);
    assert_int_equal (count_files (dir), files + 1);
    static const char *const there[] = { "tile/0/000",       "tile/0/272",
                                         "tile/0/273.p/112", "tile/1/000",
                                         "tile/1/001.p/17",  "tile/2/000.p/1" };
    static const size_t sizes[] = { 256, 256, 112, 256, 17, 1 };
    for (size_t i = 0; i < 6; i++)
        assert_int_equal (file_octets (there[i], &octets).size,
                          sizes[i] * HASH_SIZE);
    assert_memory_equal (file_octets ("tile/0/272", &octets).data,
                         leaves + 272 * 256, 8192);
    assert_memory_equal (file_octets ("tile/0/273.p/112", &octets).data,
                         leaves + 273 * 256, 112 * HASH_SIZE);
    struct hash root = tree_root_of (leaves + 256 * 270, 256);
    assert_memory_equal (file_octets ("tile/1/001.p/17", &octets).data
                             + 14 * HASH_SIZE,
                         root.octets, HASH_SIZE);
    root = tree_root_of (leaves, 65536);
    assert_memory_equal (file_octets ("tile/2/000.p/1", &octets).data,
                         root.octets, HASH_SIZE);
    assert_true (
        slice_is (file_octets ("checkpoint", &octets), "note of 70000"));
    /* Again, nothing is written; and for more, only what is new. */
    assert_int_equal (export_to (dir, 70000, &files), 0);
    assert_int_equal (files, 0);
    assert_int_equal (export_to (dir, 70200, &files), 0);
    assert_int_equal (files, 3); /* 0/273, 0/274.p/56, 1/001.p/18 */
    assert_true (is_there ("tile/0/274.p/56"));
    assert_true (is_there ("tile/0/273.p/112"));
    assert_true (
        slice_is (file_octets ("checkpoint", &octets), "note of 70200"));
    buf_free (&octets);
}

static void borders_of_tiles (void **state) {
    (void) state;
    static const struct {
        int64_t size, files;
    } rows[] = { { 0, 0 },
                 { 1, 1 },
                 { 255, 1 },
                 { 256, 2 },
                 { 257, 3 },
                 { 512, 3 },
                 { 65536, 256 + 1 + 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t files;
        snprintf (dir, sizeof dir, "%s/%zu", ledger_dir, i);
        assert_int_equal (export_to (dir, rows[i].size, &files), 0);
        assert_int_equal (files, rows[i].files);
        assert_int_equal (count_files (dir), files + 1);
    }
}

static void another_tree_is_not_written (void **state) {
    (void) state;
    int64_t files;
    struct tree_source source = { NULL, read_leaves };
    struct checkpoint cp = { .size = 2000 };
    cp.root = tree_root_of (leaves, 1999);
    assert_int_equal (
        tiles_export (dir, &source, &cp, slice_text ("note"), &files, &e),
        ERR_DIGEST);
    assert_non_null (strstr (e.text, "2000"));
    other = true;
    assert_int_equal (export_to (dir, 2000, &files), ERR_DIGEST);
    other = false;
    assert_int_equal (export_to (dir, LEAVES + 1, &files), ERR_NOT_FOUND);
    assert_int_equal (
        tiles_export (dir, &source, &cp, slice_text ("note"), &files, NULL),
        ERR_DIGEST);
    assert_false (is_there ("tile"));
    assert_false (is_there ("checkpoint"));
    /* And what is there of another is seen, whatever its size. */
    assert_int_equal (export_to (dir, 2000, &files), 0);
    static const char *const spoilt[] = { "tile/0/003", "tile/0/007.p/208",
                                          "tile/1/000.p/7" };
    for (size_t i = 0; i < 3; i++)
        for (int how = 0; how < 2; how++) {
            struct buf good = { 0 };
            char full[512];
            snprintf (full, sizeof full, "%s/%s", dir, spoilt[i]);
            file_octets (spoilt[i], &good);
            good.data[good.size - 1] ^= 1;
            size_t size = how == 0 ? good.size : good.size - HASH_SIZE;
            assert_int_equal (
                disk_write_file (full, slice_of (good.data, size), true, &e),
                0);
            assert_int_equal (export_to (dir, 2000, &files), ERR_DIGEST);
            assert_non_null (strstr (e.text, spoilt[i]));
            good.data[good.size - 1] ^= 1;
            assert_int_equal (
                disk_write_file (full, buf_slice (&good), true, &e), 0);
            buf_free (&good);
        }
    assert_int_equal (export_to (dir, 2000, &files), 0);
}

static int steps_left;

static enum disk_fault fail_one (void *arg, enum disk_step step,
                                 const char *path) {
    (void) arg;
    (void) step;
    (void) path;
    return steps_left-- == 0 ? DISK_FAIL_HALF : DISK_FINE;
}

/* At each step: no checkpoint without its tiles, and the next try ends it. */
static void an_export_that_fails_is_finished (void **state) {
    (void) state;
    bool failed = true;
    int64_t files;
    for (int step = 0; failed; step++) {
        snprintf (dir, sizeof dir, "%s/%d", ledger_dir, step);
        steps_left = step;
        disk_set_fault (fail_one, NULL);
        failed = export_to (dir, 520, &files) != ERR_NONE;
        disk_set_fault (NULL, NULL);
        if (failed)
            assert_true (!is_there ("checkpoint") || count_files (dir) == 5);
        assert_int_equal (export_to (dir, 520, &files), 0);
        assert_true (is_there ("checkpoint"));
        assert_true (is_there ("tile/0/002.p/8"));
        assert_true (is_there ("tile/1/000.p/2"));
    }
}

static void entries_have_their_lengths (void **state) {
    (void) state;
    struct buf octets = { 0 };
    uint8_t *large = calloc (1, 65536);
    struct slice records[TREE_TILE] = { slice_text ("one"),
                                        { 0 },
                                        { large, 65535 } };
    assert_int_equal (tiles_entries (dir, 1000, records, 3, &e), 0);
    struct slice got = file_octets ("tile/entries/x001/000.p/3", &octets);
    assert_int_equal (got.size, 2 + 3 + 2 + 2 + 65535);
    assert_memory_equal (got.data, "\0\3one\0\0\xff\xff", 9);
    assert_int_equal (tiles_entries (dir, 1000, records, 3, &e), 0);
    records[0] = slice_text ("two");
    assert_int_equal (tiles_entries (dir, 1000, records, 3, &e), ERR_DIGEST);
    records[2].size++;
    assert_int_equal (tiles_entries (dir, 1001, records, 3, &e), ERR_LIMIT);
    assert_int_equal (tiles_entries (dir, 1001, records, 3, NULL), ERR_LIMIT);
    assert_false (is_there ("tile/entries/x001/001.p/3"));
    records[2].size = 0;
    for (size_t i = 0; i < TREE_TILE; i++)
        records[i] = slice_of (&leaves[i], 5);
    assert_int_equal (tiles_entries (dir, 0, records, TREE_TILE, &e), 0);
    got = file_octets ("tile/entries/000", &octets);
    assert_int_equal (got.size, 256 * 7);
    assert_memory_equal (got.data + 255 * 7 + 2, &leaves[255], 5);
    buf_free (&octets);
    free (large);
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (paths_are_those_of_the_specification),
        TEST (another_tree_is_not_written),
        TEST (borders_of_tiles),
        TEST (the_example_of_70000_holds),
        TEST (an_export_that_fails_is_finished),
        TEST (entries_have_their_lengths),
    };
    return cmocka_run_group_tests (tests, make_leaves, NULL);
}
