/* fuzz_bundle - hostile octets as each file of a bundle (PROTOCOL.md section
 * 8.10): read to the end, then audited. The first octet says which file. */
#include "ledger/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const files[] = { "bundle.json", "blocks",
                                     "leaves",      "promises",
                                     "refusals",    "rosters/00000001.note",
                                     "checkpoints", "claims" };
#define FILES (sizeof files / sizeof *files)

static const char good_meta[] =
    "{\"format\":1,\"dialogue\":\"0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef\",\"exporter\":\"EUROPOL/hq\","
    "\"made\":1,\"first\":0,\"last\":9007199254740991,\"filter\":\"#\","
    "\"program\":\"fuzz\"}";

static char dir[] = "/tmp/parley-fuzz-XXXXXX";

static void demand (bool good) {
    if (!good)
        abort();
}

static void path_of (char out[100], const char *name) {
    snprintf (out, 100, "%s/%s", dir, name);
}

static void put (const char *name, const void *data, size_t size) {
    char path[100];
    path_of (path, name);
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    demand (fd >= 0 && write (fd, data, size) == (ssize_t) size);
    close (fd);
}

static void drop (void) {
    char path[100];
    for (size_t i = 0; i < FILES; i++) {
        path_of (path, files[i]);
        unlink (path);
    }
    path_of (path, "rosters");
    rmdir (path);
    rmdir (dir);
}

static void begin (void) {
    static bool begun;
    char path[100];
    if (begun)
        return;
    begun = true;
    demand (mkdtemp (dir) != NULL);
    path_of (path, "rosters");
    demand (mkdir (path, 0700) == 0);
    atexit (drop);
}

/* The first failure of a file is its last answer. */
static void demand_end (enum err rc, const struct error *e) {
    demand (e->code == rc && e->text[0]);
}

static void read_all (void) {
    struct error e;
    struct slice octets;
    struct promise_proof proof;
    struct hash leaf;
    struct bundle_claim claim;
    int64_t number;
    enum err rc;
    struct bundle *bundle = bundle_open (dir, &e);
    demand (bundle || e.text[0]);
    if (!bundle)
        return;
    while (!(rc = bundle_next_block (bundle, &number, &octets, &e)))
        demand (number >= 0 && octets.size > 0);
    demand_end (rc, &e);
    while (!(rc = bundle_next_leaf (bundle, &number, &leaf, &e)))
        demand (number >= 0);
    demand_end (rc, &e);
    while (!(rc = bundle_next_promise (bundle, &proof, &e)))
        demand (proof.path_length <= 8);
    demand_end (rc, &e);
    while (!(rc = bundle_next_refusal (bundle, &octets, &e)))
        demand (octets.size > 0);
    demand_end (rc, &e);
    while (!(rc = bundle_next_checkpoint (bundle, &octets, &e)))
        demand (octets.size > 0);
    demand_end (rc, &e);
    rc = bundle_verified (bundle, &octets, &e);
    demand (rc || octets.size > 0);
    while (!(rc = bundle_next_claim (bundle, &claim, &e)))
        demand (claim.cover_length <= TREE_COVER_MAX
                && claim.from <= claim.claim.stream.count);
    demand_end (rc, &e);
    bundle_close (&bundle);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct audit_report report;
    struct error e;
    char path[100];
    if (size == 0)
        return 0;
    begin();
    const char *name = files[data[0] % FILES];
    put (files[0], good_meta, sizeof good_meta - 1);
    put (name, data + 1, size - 1);
    read_all();
    demand (audit_check (dir, NULL, NULL, NULL, &report, &e) != ERR_NONE);
    demand (e.text[0]);
    audit_report_free (&report);
    path_of (path, name);
    unlink (path);
    return 0;
}
