/* fuzz_record - hostile octets as a record and as each payload (PROTOCOL.md
 * section 7.1). What is taken without an extension is written again the same. */
#include "format/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void demand (bool good) {
    if (!good)
        abort();
}

static void try_record (struct slice input) {
    struct record r;
    struct error e;
    enum err rc = record_read (input, &r, &e);
    demand (rc == ERR_NONE || (e.code == rc && e.text[0]));
    if (rc)
        return;
    int64_t length;
    if (record_body_length (&r, &length, &e) == ERR_NONE)
        demand (length >= 0 && length <= 1048576);
    demand (record_body_check (&r, input, &e) != ERR_NONE);
    struct buf again = { 0 };
    record_write (&again, &r);
    if (again.size < input.size) /* odd extension keys, which we pass over */
        demand (memcmp (again.data, input.data, again.size - 1) == 0);
    else
        demand (slice_equal (input, buf_slice (&again)));
    buf_free (&again);
}

static void try_payloads (struct slice input) {
    struct roster_payload roster;
    struct mark_payload mark;
    struct erasure_payload erasure;
    struct buf again = { 0 };
    if (roster_payload_read (input, &roster, NULL) == ERR_NONE)
        roster_payload_write (&again, &roster);
    else if (mark_payload_read (input, &mark, NULL) == ERR_NONE)
        mark_payload_write (&again, &mark);
    else if (erasure_payload_read (input, &erasure, NULL) == ERR_NONE)
        erasure_payload_write (&again, &erasure);
    demand (again.size == 0 || slice_equal (input, buf_slice (&again)));
    buf_free (&again);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    try_record (slice_of (data, size));
    try_payloads (slice_of (data, size));
    return 0;
}
