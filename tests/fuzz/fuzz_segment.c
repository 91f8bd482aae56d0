/* Any file: scanned to its end, or to a place that is named, and the search for
 * a header behind it ends. Checksums would keep the fuzzer out, so the input
 * is also scanned with headers and ends mended. */
#include "ledger/segment.h"
#include "ledger/segment_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void scan_file (const char *path) {
    struct error e = { 0 };
    struct segment_scan *scan = segment_scan_open (path, &e);
    if (!scan) {
        must (e.code == ERR_DAMAGED && e.text[0]);
        return;
    }
    struct slice blocks;
    uint64_t offset, group, at = SEGMENT_HEADER;
    enum err rc;
    must (segment_scan_at (scan) == at);
    while (!(rc = segment_scan_next (scan, &blocks, &offset, &group, &e))) {
        must (offset == at + GROUP_HEADER && blocks.size > 0);
        must (blocks.size <= GROUP_OCTETS_MAX);
        at = offset + blocks.size + GROUP_END;
        must (at == segment_scan_at (scan) && at <= segment_scan_size (scan));
    }
    must (rc == ERR_NOT_FOUND || rc == ERR_DAMAGED);
    must (at == segment_scan_at (scan));
    bool behind;
    must (segment_scan_header_behind (scan, &behind, &offset, &e) == 0);
    must (!behind || (offset >= at && offset < segment_scan_size (scan)));
    segment_scan_close (&scan);
}

/* Checksums that fit what is there. */
static void mend (uint8_t *data, size_t size) {
    struct segment_header header = { .first_group = 1, .seed = 42 };
    if (size < SEGMENT_HEADER)
        return;
    segment_header_put (data, &header);
    uint64_t group = 1;
    size_t start = SEGMENT_HEADER + GROUP_HEADER;
    for (size_t i = SEGMENT_HEADER; i + GROUP_HEADER <= size; i++) {
        if (memcmp (data + i, "PLYG", 4) == 0) {
            group_header_put (data + i, group++, i, header.seed);
            start = i + GROUP_HEADER;
        } else if (memcmp (data + i, "PLYE", 4) == 0 && i >= start) {
            struct slice blocks = slice_of (data + start, i - start);
            struct group_end end = { get_u32 (data + i + 4), blocks.size,
                                     hash_xxh3 (blocks, header.seed) };
            group_end_put (data + i, &end, header.seed);
        }
    }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    char path[64];
    snprintf (path, sizeof path, "/tmp/parley-fuzz-segment-%d", (int) getpid());
    uint8_t *copy = mem_alloc (size + 1);
    if (size > 0)
        memcpy (copy, data, size);
    for (int mended = 0; mended < 2; mended++) {
        FILE *f = fopen (path, "w");
        must (f && fwrite (copy, 1, size, f) == size);
        fclose (f);
        scan_file (path);
        mend (copy, size);
    }
    unlink (path);
    free (copy);
    return 0;
}
