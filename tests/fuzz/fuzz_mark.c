/* fuzz_mark - hostile octets as the claim of a stream (PROTOCOL.md section 7.4).
 * What is taken is written again the same. */
#include "format/mark.h"

#include "base/mp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void demand (bool good) {
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct mark_claim claim;
    struct mp in;
    struct error e;
    mp_start (&in, slice_of (data, size));
    mark_claim_take (&in, &claim);
    if (mp_finish (&in, &e))
        return 0;
    demand (claim.path_length <= MARK_PATH_MAX);
    demand (claim.stream.name.size < MARK_NAME_MAX);
    demand (claim.stream.count <= claim.stream.last + 1);
    struct buf again = { 0 };
    mark_claim_write (&again, &claim);
    demand (slice_equal (slice_of (data, size), buf_slice (&again)));
    buf_free (&again);
    return 0;
}
