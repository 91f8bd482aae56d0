/* Files of evidence: what is read is written so that it is read the same, and
 * is judged without harm. */
#include "format/evidence.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void check (bool fine) {
    if (!fine)
        abort();
}

static struct buf written (const struct evidence_file *file) {
    struct buf out = { 0 };
    evidence_write (evidence_of (file), &out);
    return out;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct error e = { 0 };
    struct buf said = { 0 };
    struct evidence_file *file = evidence_read (slice_of (data, size), &e);
    if (!file) {
        check (e.code == ERR_MALFORMED || e.code == ERR_LIMIT
               || e.code == ERR_NEWER);
        return 0;
    }
    struct buf first = written (file);
    struct evidence_file *again = evidence_read (buf_slice (&first), &e);
    check (again != NULL);
    struct buf second = written (again);
    check (slice_equal (buf_slice (&first), buf_slice (&second)));
    enum err rc = evidence_check (evidence_of (again), NULL, &said, &e);
    check ((rc == ERR_NONE) == (said.size > 0) && (rc == 0 || e.code == rc));
    evidence_free (&again);
    evidence_free (&file);
    buf_free (&first);
    buf_free (&second);
    buf_free (&said);
    return 0;
}
