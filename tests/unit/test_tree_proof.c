#include "format/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL 600     /* sizes of which everything is tried */
#define MANY 200000 /* three levels of stored hashes */

/* Stored hashes in memory, as the levels are told; what lies below `from` is
 * not there (a reader that was admitted later). */
struct store {
    struct hash *levels[TREE_LEVELS];
    uint64_t counts[TREE_LEVELS];
    uint64_t from;
    size_t reads;
    bool fails;
};
static struct store store;
static struct hash *nodes;         /* leaves */
static struct hash roots[ALL + 1]; /* as the RFC writes them */

static void put (void *arg, unsigned level, const struct hash *root) {
    struct store *s = arg;
    s->levels[level][s->counts[level]++] = *root;
}

static enum err get (void *arg, unsigned level, uint64_t first, size_t count,
                     struct hash *out, struct error *e) {
    struct store *s = arg;
    assert_true (level < TREE_LEVELS && count > 0 && count <= TREE_TILE);
    assert_int_equal (first / TREE_TILE, (first + count - 1) / TREE_TILE);
    s->reads++;
    if (s->fails)
        return error_set (e, ERR_IO, "the store fails");
    if (first + count > s->counts[level] || first << 8 * level < s->from)
        return error_set (e, ERR_NOT_FOUND, "not there");
    memcpy (out, s->levels[level] + first, count * HASH_SIZE);
    return ERR_NONE;
}
static const struct tree_source source = { &store, get };

static struct hash plain_root (const struct hash *d, size_t n);

static int make_store (void **state) {
    (void) state;
    struct tree tree = { 0 };
    for (unsigned l = 0; l < TREE_LEVELS; l++)
        store.levels[l] =
            calloc ((size_t) ((uint64_t) MANY >> 8 * l) + 1, HASH_SIZE);
    nodes = store.levels[0];
    for (size_t i = 0; i < MANY; i++) {
        struct hash leaf = hash_leaf (slice_of (&i, sizeof i));
        put (&store, 0, &leaf);
        tree_add_levels (&tree, &leaf, put, &store);
    }
    for (size_t size = 0; size <= ALL; size++)
        roots[size] = plain_root (nodes, size);
    return 0;
}

static int drop_store (void **state) {
    (void) state;
    for (unsigned l = 0; l < TREE_LEVELS; l++)
        free (store.levels[l]);
    return 0;
}

/* RFC 6962 section 2.1 as it is written. */

static size_t split (size_t n) {
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static struct hash plain_root (const struct hash *d, size_t n) {
    if (n == 0)
        return hash_sha256 ((struct slice){ 0 });
    if (n == 1)
        return d[0];
    size_t k = split (n);
    struct hash left = plain_root (d, k), right = plain_root (d + k, n - k);
    return hash_node (&left, &right);
}

static size_t plain_subproof (size_t m, const struct hash *d, size_t n,
                              bool whole, struct hash *out) {
    if (m == n) {
        if (!whole)
            out[0] = plain_root (d, n);
        return !whole;
    }
    size_t k = split (n), length;
    if (m <= k) {
        length = plain_subproof (m, d, k, whole, out);
        out[length] = plain_root (d + k, n - k);
    } else {
        length = plain_subproof (m - k, d + k, n - k, false, out);
        out[length] = plain_root (d, k);
    }
    return length + 1;
}

static void assert_hash (const struct hash *a, const struct hash *b) {
    assert_memory_equal (a->octets, b->octets, HASH_SIZE);
}

static uint64_t drawn (uint64_t below) {
    static uint64_t state = 7;
    state = state * UINT64_C (6364136223846793005) + 1442695040888963407u;
    return (state >> 20) % below;
}

/* All places of small trees and of those about a tile's end; of others some. */
static size_t step_of (size_t size) {
    return size <= 70 || size % 256 <= 1 || size == ALL ? 1 : 11 + size % 3;
}

/* Tests */

static void what_a_source_says_is_passed_on (void **state) {
    (void) state;
    struct hash out[TREE_COVER_MAX], root;
    size_t length;
    struct error e;
    struct tree tree = { 0 };
    tree_add (&tree, &nodes[0]);
    struct tree before = tree;
    store.fails = true;
    assert_int_equal (tree_grow (&tree, 5, &source, &e), ERR_IO);
    assert_int_equal (tree_source_root (&source, 5, &root, &e), ERR_IO);
    assert_int_equal (tree_inclusion (&source, 2, 5, out, &length, &e), ERR_IO);
    assert_int_equal (tree_consistency (&source, 2, 5, out, &length, &e),
                      ERR_IO);
    assert_int_equal (tree_consistency (&source, 3, 5, out, &length, &e),
                      ERR_IO);
    assert_int_equal (tree_cover (&source, 3, 5, out, &length, &e), ERR_IO);
    store.fails = false;
    assert_int_equal (tree_grow (&tree, MANY + 1, &source, &e), ERR_NOT_FOUND);
    assert_memory_equal (&tree, &before, sizeof before);
    assert_int_equal (tree_inclusion (&source, 0, MANY + 1, out, &length, &e),
                      ERR_NOT_FOUND);
}

static void proofs_of_no_sizes_are_refused (void **state) {
    (void) state;
    struct error e;
    struct hash proof[TREE_PATH_MAX] = { 0 };
    static const struct {
        uint64_t older, size;
    } rows[] = { { 0, 0 }, { 0, 5 }, { 6, 5 }, { UINT64_MAX, 5 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t length = 0; length < 5; length++)
            assert_int_equal (tree_consistency_check (rows[i].older, &nodes[0],
                                                      rows[i].size, &nodes[0],
                                                      proof, length, &e),
                              ERR_MALFORMED);
    /* The largest sizes are read to the end. */
    assert_int_equal (tree_consistency_check (1, &nodes[0], UINT64_MAX,
                                              &nodes[0], proof, 64, &e),
                      ERR_DIGEST);
    assert_int_equal (tree_consistency_check (UINT64_C (1) << 63, &nodes[0],
                                              UINT64_MAX, &nodes[0], proof, 1,
                                              &e),
                      ERR_DIGEST);
    assert_int_equal (tree_consistency_check (UINT64_MAX, &nodes[0], UINT64_MAX,
                                              &nodes[1], proof, 0, &e),
                      ERR_DIGEST);
}

static void hostile_consistency (size_t older, size_t size) {
    struct error e;
    struct hash proof[TREE_PATH_MAX + 1] = { 0 };
    struct hash old = plain_root (nodes, older), new = plain_root (nodes, size);
    size_t length;
    assert_int_equal (
        tree_consistency (&source, older, size, proof, &length, &e), 0);
    for (size_t bit = 0; bit < length * HASH_SIZE * 8; bit++) {
        uint8_t *octet = &proof[bit / 256].octets[bit % 256 / 8];
        *octet ^= (uint8_t) (1 << bit % 8);
        assert_int_equal (
            tree_consistency_check (older, &old, size, &new, proof, length, &e),
            ERR_DIGEST);
        *octet ^= (uint8_t) (1 << bit % 8);
    }
    for (size_t other = 0; other <= length + 1; other++)
        if (other != length)
            assert_int_equal (tree_consistency_check (older, &old, size, &new,
                                                      proof, other, &e),
                              ERR_MALFORMED);
    for (size_t other = 0; other <= size + 2; other++)
        assert_int_equal (
            tree_consistency_check (other, &old, size, &new, proof, length, &e)
                == 0,
            other == older);
    old.octets[9] ^= 1;
    assert_int_equal (
        tree_consistency_check (older, &old, size, &new, proof, length, &e),
        ERR_DIGEST);
    old.octets[9] ^= 1;
    new.octets[9] ^= 1;
    assert_int_equal (
        tree_consistency_check (older, &old, size, &new, proof, length, &e),
        ERR_DIGEST);
}

static void any_other_proof_is_refused (void **state) {
    (void) state;
    static const struct {
        size_t older, size;
    } rows[] = { { 1, 2 },  { 1, 7 },  { 3, 4 },  { 4, 7 },   { 6, 8 },
                 { 5, 11 }, { 8, 13 }, { 7, 64 }, { 64, 65 }, { 77, 300 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        hostile_consistency (rows[i].older, rows[i].size);
}

static void roots_and_inclusion_of_all_sizes (void **state) {
    (void) state;
    struct error e;
    for (size_t size = 0; size <= ALL; size++) {
        struct hash root, plain = roots[size];
        assert_int_equal (tree_source_root (&source, size, &root, &e), 0);
        assert_hash (&root, &plain);
        for (size_t i = 0; i < size; i += step_of (size)) {
            struct hash path[TREE_PATH_MAX];
            size_t length;
            assert_int_equal (
                tree_inclusion (&source, i, size, path, &length, &e), 0);
            assert_int_equal (
                tree_path_root (&nodes[i], i, size, path, length, &root), 0);
            assert_hash (&root, &plain);
        }
    }
}

static void growth_from_all_sizes (void **state) {
    (void) state;
    struct error e;
    struct tree tree = { 0 };
    for (size_t from = 0; from <= ALL; from++) {
        for (size_t to = from; to <= ALL; to += 1 + to % 13) {
            struct tree grown = tree;
            assert_int_equal (tree_grow (&grown, to, &source, &e), 0);
            struct hash a = tree_root (&grown), b = roots[to];
            assert_int_equal (grown.size, to);
            assert_hash (&a, &b);
        }
        tree_add (&tree, &nodes[from]);
    }
}

static void consistency_as_the_rfc_writes_it (void **state) {
    (void) state;
    struct error e;
    for (size_t size = 1; size <= ALL; size++)
        for (size_t older = 1; older <= size; older += step_of (size)) {
            struct hash proof[TREE_PATH_MAX], plain[TREE_PATH_MAX];
            size_t length;
            assert_int_equal (
                tree_consistency (&source, older, size, proof, &length, &e), 0);
            assert_int_equal (tree_consistency_check (older, &roots[older],
                                                      size, &roots[size], proof,
                                                      length, &e),
                              0);
            if (size > 100 && older % 61 != size % 61)
                continue; /* the RFC's way is slow */
            assert_int_equal (length,
                              plain_subproof (older, nodes, size, true, plain));
            if (length > 0)
                assert_memory_equal (proof, plain, length * HASH_SIZE);
        }
}

static void covers_of_all_ranges (void **state) {
    (void) state;
    struct error e;
    struct hash cover[TREE_COVER_MAX];
    struct tree tree = { 0 };
    for (size_t from = 0; from <= ALL; from++) {
        for (size_t to = from; to <= ALL; to += 1 + to % 13) {
            struct tree grown = tree;
            size_t length;
            store.from = from; /* nothing below may be asked for */
            assert_int_equal (
                tree_cover (&source, from, to, cover, &length, &e), 0);
            assert_int_equal (length, tree_cover_length (from, to));
            assert_int_equal (
                tree_add_cover (&grown, to, cover, length + 1, &e),
                ERR_MALFORMED);
            if (from > 0)
                assert_int_equal (
                    tree_add_cover (&grown, from - 1, cover, 0, &e),
                    ERR_MALFORMED);
            assert_int_equal (grown.size, from);
            assert_int_equal (tree_add_cover (&grown, to, cover, length, &e),
                              0);
            struct hash a = tree_root (&grown), b = roots[to];
            assert_int_equal (grown.size, to);
            assert_hash (&a, &b);
        }
        tree_add (&tree, &nodes[from]);
    }
    store.from = 0;
}

static void covers_are_the_fewest_subtrees (void **state) {
    (void) state;
    static const struct {
        uint64_t from, to;
        size_t length;
    } rows[] = {
        { 0, 0, 0 },           { 7, 7, 0 },
        { 0, 1, 1 },           { 0, 8, 1 },
        { 1, 8, 3 },           { 1, 9, 4 },
        { 3, 5, 2 },           { 5, 6, 1 },
        { 0, 7, 3 },           { 256, 512, 1 },
        { 255, 513, 3 },       { 6, 10, 2 },
        { 0, UINT64_MAX, 64 }, { 1, UINT64_MAX, 126 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal (tree_cover_length (rows[i].from, rows[i].to),
                          rows[i].length);
}

static void large_trees_read_two_tiles_a_level (void **state) {
    (void) state;
    struct error e;
    for (size_t round = 0; round < 12; round++) {
        size_t size = round ? 2 + (size_t) drawn (MANY - 1) : MANY;
        size_t older = 1 + (size_t) drawn (size);
        size_t index = (size_t) drawn (size), length;
        struct hash root = tree_root_of (nodes, size), got;
        struct hash old = tree_root_of (nodes, older);
        struct hash proof[TREE_COVER_MAX];
        store.reads = 0;
        assert_int_equal (tree_source_root (&source, size, &got, &e), 0);
        assert_hash (&got, &root);
        assert_true (store.reads <= 6);
        store.reads = 0;
        assert_int_equal (
            tree_inclusion (&source, index, size, proof, &length, &e), 0);
        assert_true (store.reads <= 9);
        assert_int_equal (
            tree_path_root (&nodes[index], index, size, proof, length, &got),
            0);
        assert_hash (&got, &root);
        assert_int_equal (
            tree_consistency (&source, older, size, proof, &length, &e), 0);
        assert_int_equal (tree_consistency_check (older, &old, size, &root,
                                                  proof, length, &e),
                          0);
        struct tree tree = { 0 };
        assert_int_equal (tree_grow (&tree, older, &source, &e), 0);
        assert_int_equal (tree_cover (&source, older, size, proof, &length, &e),
                          0);
        assert_int_equal (tree_add_cover (&tree, size, proof, length, &e), 0);
        got = tree_root (&tree);
        assert_hash (&got, &root);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_a_source_says_is_passed_on),
        cmocka_unit_test (proofs_of_no_sizes_are_refused),
        cmocka_unit_test (any_other_proof_is_refused),
        cmocka_unit_test (roots_and_inclusion_of_all_sizes),
        cmocka_unit_test (growth_from_all_sizes),
        cmocka_unit_test (consistency_as_the_rfc_writes_it),
        cmocka_unit_test (covers_of_all_ranges),
        cmocka_unit_test (covers_are_the_fewest_subtrees),
        cmocka_unit_test (large_trees_read_two_tiles_a_level),
    };
    return cmocka_run_group_tests (tests, make_store, drop_store);
}
