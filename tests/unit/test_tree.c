#include "format/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "format_vectors.h"

#define LEAVES 300

static struct hash leaves[LEAVES];

/* RFC 6962 section 2.1 as it is written. */
static struct hash plain_root (const struct hash *d, size_t n) {
    if (n == 0)
        return hash_sha256 ((struct slice){ 0 });
    if (n == 1)
        return d[0];
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    struct hash left = plain_root (d, k), right = plain_root (d + k, n - k);
    return hash_node (&left, &right);
}

static size_t plain_path (const struct hash *d, size_t n, size_t m,
                          struct hash *out) {
    if (n == 1)
        return 0;
    size_t k = 1, length;
    while (2 * k < n)
        k *= 2;
    if (m < k) {
        length = plain_path (d, k, m, out);
        out[length] = plain_root (d + k, n - k);
    } else {
        length = plain_path (d + k, n - k, m - k, out);
        out[length] = plain_root (d, k);
    }
    return length + 1;
}

static int make_leaves (void **state) {
    (void) state;
    for (size_t i = 0; i < LEAVES; i++)
        leaves[i] = hash_leaf (slice_of (&i, sizeof i));
    return 0;
}

static void assert_hash (const struct hash *a, const struct hash *b) {
    assert_memory_equal (a->octets, b->octets, HASH_SIZE);
}

static void assert_text (const struct hash *h, const char *hex) {
    char text[HASH_TEXT_MAX];
    assert_string_equal (hash_text (text, h), hex);
}

static void a_path_of_another_length_is_refused (void **state) {
    (void) state;
    struct hash path[TREE_PATH_MAX] = { 0 }, root = leaves[7];
    for (uint64_t size = 0; size < 70; size++)
        for (uint64_t index = 0; index < size + 2; index++)
            for (size_t length = 0; length <= 8; length++) {
                bool good =
                    index < size && length == tree_path_length (index, size);
                assert_int_equal (tree_path_root (&leaves[0], index, size, path,
                                                  length, &root),
                                  good ? ERR_NONE : ERR_MALFORMED);
                if (!good)
                    assert_hash (&root, &leaves[7]); /* as it was */
                root = leaves[7];
            }
}

static void any_other_octet_gives_another_root (void **state) {
    (void) state;
    enum { SIZE = 37, INDEX = 19 };
    struct hash path[TREE_PATH_MAX], got, root = tree_root_of (leaves, SIZE);
    size_t length = tree_path (leaves, SIZE, INDEX, path);
    for (size_t i = 0; i < length * HASH_SIZE; i++) {
        path[i / HASH_SIZE].octets[i % HASH_SIZE] ^= 1;
        assert_int_equal (
            tree_path_root (&leaves[INDEX], INDEX, SIZE, path, length, &got),
            0);
        assert_false (hash_equal (&root, &got));
        path[i / HASH_SIZE].octets[i % HASH_SIZE] ^= 1;
    }
    assert_int_equal (
        tree_path_root (&leaves[INDEX + 1], INDEX, SIZE, path, length, &got),
        0);
    assert_false (hash_equal (&root, &got));
}

/* The largest sizes can't be built; their lengths can be said. */
static void lengths_to_the_end_of_64_bits (void **state) {
    (void) state;
    static const struct {
        uint64_t index, size;
        size_t length;
    } rows[] = {
        { 0, 1, 0 },           { 0, 2, 1 },
        { 2, 3, 1 },           { 255, 256, 8 },
        { 256, 257, 1 },       { 0, UINT64_C (1) << 63, 63 },
        { 0, UINT64_MAX, 64 }, { UINT64_MAX - 1, UINT64_MAX, 63 },
    };
    struct hash path[TREE_PATH_MAX] = { 0 }, root;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal (tree_path_length (rows[i].index, rows[i].size),
                          rows[i].length);
        assert_int_equal (tree_path_root (&leaves[0], rows[i].index,
                                          rows[i].size, path, rows[i].length,
                                          &root),
                          0);
    }
}

/* The test data of Certificate Transparency's first implementation. */
static void known_roots (void **state) {
    (void) state;
    static const char *const inputs[] = {
        "",
        "\x00",
        "\x10",
        "\x20\x21",
        "\x30\x31",
        "\x40\x41\x42\x43",
        "\x50\x51\x52\x53\x54\x55\x56\x57",
        "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    };
    static const size_t sizes[] = { 0, 1, 1, 2, 2, 4, 8, 16 };
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct tree tree = { 0 };
    for (size_t i = 0; i <= 8; i++) {
        struct hash root = tree_root (&tree);
        assert_text (&root, roots[i]);
        if (i == 8)
            break;
        struct hash leaf = hash_leaf (slice_of (inputs[i], sizes[i]));
        tree_add (&tree, &leaf);
    }
}

static void roots_as_the_rfc_writes_them (void **state) {
    (void) state;
    struct tree tree = { 0 };
    for (size_t n = 0; n < LEAVES; n++) {
        struct hash grown = tree_root (&tree);
        struct hash whole = tree_root_of (leaves, n);
        struct hash plain = plain_root (leaves, n);
        assert_hash (&grown, &plain);
        assert_hash (&whole, &plain);
        assert_int_equal (tree.size, n);
        tree_add (&tree, &leaves[n]);
    }
}

struct told {
    size_t count;
    unsigned level;
    struct hash root;
};

static void tell (void *arg, unsigned level, const struct hash *root) {
    struct told *told = arg;
    *told = (struct told){ told->count + 1, level, *root };
}

static void levels_are_told_when_they_are_whole (void **state) {
    (void) state;
    enum { MANY = 65536 };
    struct tree plain = { 0 }, tree = { 0 }, tops = { 0 };
    struct told told = { 0 };
    for (size_t i = 0; i < MANY; i++) {
        const struct hash *leaf = &leaves[i % LEAVES];
        size_t before = told.count;
        tree_add (&plain, leaf);
        tree_add_levels (&tree, leaf, tell, &told);
        size_t now = (i + 1) % 256 ? 0 : (i + 1) % MANY ? 1 : 2;
        assert_int_equal (told.count - before, now);
        if (now == 1) {
            assert_int_equal (told.level, 1);
            tree_add_full (&tops, 8, &told.root);
            assert_int_equal (tops.size, i + 1);
            struct hash a = tree_root (&tops), b = tree_root (&plain);
            assert_hash (&a, &b);
        }
    }
    assert_int_equal (told.level, 2);
    struct hash a = tree_root (&tree), b = tree_root (&plain);
    assert_hash (&a, &b);
    assert_hash (&told.root, &a);
}

static void full_subtrees_of_any_height (void **state) {
    (void) state;
    for (size_t n = 0; n < LEAVES; n++) {
        struct tree tree = { 0 };
        /* From the left: as large as the place allows, then what is left. */
        for (unsigned height = 8; tree.size < n;) {
            size_t width = (size_t) 1 << height;
            if (tree.size % width || tree.size + width > n) {
                height--;
                continue;
            }
            struct hash root = plain_root (leaves + tree.size, width);
            tree_add_full (&tree, height, &root);
        }
        struct hash grown = tree_root (&tree), plain = plain_root (leaves, n);
        assert_hash (&grown, &plain);
    }
}

static void paths_as_the_rfc_writes_them (void **state) {
    (void) state;
    static const size_t sizes[] = { 1,  2,  3,  4,   5,   7,   8,  9,
                                    31, 32, 33, 100, 255, 256, 257 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t size = sizes[s];
        struct hash root = tree_root_of (leaves, size), got;
        for (size_t i = 0; i < size; i++) {
            struct hash path[TREE_PATH_MAX], plain[TREE_PATH_MAX];
            size_t length = tree_path (leaves, size, i, path);
            assert_int_equal (length, plain_path (leaves, size, i, plain));
            assert_int_equal (length, tree_path_length (i, size));
            assert_memory_equal (path, plain, length * HASH_SIZE);
            assert_int_equal (
                tree_path_root (&leaves[i], i, size, path, length, &got), 0);
            assert_hash (&got, &root);
        }
    }
}

/* Vectors */

static size_t hashes_of (const json_t *array, struct hash *out) {
    size_t count = json_array_size (array);
    for (size_t i = 0; i < count; i++)
        assert_int_equal (
            hash_parse (json_string_value (json_array_get (array, i)), &out[i]),
            0);
    return count;
}

static void check_tree (const json_t *in, const json_t *out) {
    const json_t *entries = json_object_get (in, "entries");
    const json_t *paths = json_object_get (out, "paths");
    struct hash want[64], path[TREE_PATH_MAX];
    size_t count = hashes_of (json_object_get (out, "leaves"), want);
    assert_int_equal (count, json_array_size (entries));
    for (size_t i = 0; i < count; i++) {
        struct slice entry = vector_hex (json_array_get (entries, i));
        struct hash leaf = hash_leaf (entry);
        assert_hash (&leaf, &want[i]);
        size_t length = tree_path (want, count, i, path);
        const json_t *nodes = json_array_get (paths, i);
        assert_int_equal (length, json_array_size (nodes));
        for (size_t n = 0; n < length; n++)
            assert_text (&path[n],
                         json_string_value (json_array_get (nodes, n)));
        vector_drop (entry);
    }
    struct hash root = tree_root_of (want, count);
    assert_text (&root, json_string_value (json_object_get (out, "root")));
}

static void check_path (const json_t *in) {
    struct hash path[TREE_PATH_MAX], leaf, root;
    size_t length = hashes_of (json_object_get (in, "path"), path);
    const char *text = json_string_value (json_object_get (in, "leaf"));
    json_int_t index = json_integer_value (json_object_get (in, "index"));
    json_int_t size = json_integer_value (json_object_get (in, "size"));
    assert_int_equal (hash_parse (text, &leaf), 0);
    assert_int_equal (tree_path_root (&leaf, (uint64_t) index, (uint64_t) size,
                                      path, length, &root),
                      ERR_MALFORMED);
}

static void vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("tree");
    if (!all)
        skip();
    for (size_t i = 0; i < json_array_size (all); i++) {
        const json_t *v = json_array_get (all, i);
        if (vector_is (v, "tree"))
            check_tree (json_object_get (v, "in"), json_object_get (v, "out"));
        else if (vector_is (v, "path"))
            check_path (json_object_get (v, "in"));
    }
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_path_of_another_length_is_refused),
        cmocka_unit_test (any_other_octet_gives_another_root),
        cmocka_unit_test (lengths_to_the_end_of_64_bits),
        cmocka_unit_test (known_roots),
        cmocka_unit_test (roots_as_the_rfc_writes_them),
        cmocka_unit_test (levels_are_told_when_they_are_whole),
        cmocka_unit_test (full_subtrees_of_any_height),
        cmocka_unit_test (paths_as_the_rfc_writes_them),
        cmocka_unit_test (vectors),
    };
    return cmocka_run_group_tests (tests, make_leaves, NULL);
}
