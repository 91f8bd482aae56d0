/* Receipts. The first octet says what follows: a receipt's text, or a record
 * (u16 length in front) and its body, whose place in a ledger is proved. */
#include "format/receipt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void check (bool fine) {
    if (!fine)
        abort();
}

static struct identity *broker;
static struct policy *policy;

static void ledger_make (void) {
    struct buf text = { 0 };
    struct error e;
    if (broker)
        return;
    broker = identity_new (IDENTITY_BROKER, "lyon", &e);
    buf_add_text (&text, "log ");
    checkpoint_log_vkey ("o/1", identity_public (broker, KEY_LOG), &text);
    buf_add_text (&text, "\nquorum none\n");
    policy = policy_read (buf_slice (&text), &e);
    check (policy != NULL);
    buf_free (&text);
}

/* What is read is written so that it is read the same. */
static void try_text (struct slice text) {
    struct receipt first, second;
    struct error e = { 0 };
    struct buf again = { 0 }, third = { 0 };
    if (receipt_read (text, &first, &e)) {
        check (e.code == ERR_MALFORMED || e.code == ERR_LIMIT);
        return;
    }
    receipt_write (&first, &again);
    if (again.size <= RECEIPT_MAX) {
        check (receipt_read (buf_slice (&again), &second, &e) == ERR_NONE);
        receipt_write (&second, &third);
        check (slice_equal (buf_slice (&again), buf_slice (&third)));
    }
    buf_free (&again);
    buf_free (&third);
    struct receipt_facts facts; /* nobody signed that */
    check (receipt_check (&first, (struct slice){ 0 }, (struct slice){ 0 },
                          (struct slice){ 0 }, policy, &facts, &e)
           != ERR_NONE);
}

static void try_record (struct slice record, struct slice body) {
    struct checkpoint cp = { .origin = "o/1", .size = 1 };
    struct receipt receipt = { 0 };
    struct receipt_facts facts;
    struct buf note = { 0 };
    struct error e = { 0 };
    cp.root = record_leaf (record);
    checkpoint_sign (&cp, broker, &note);
    receipt.checkpoint = buf_slice (&note);
    enum err rc = receipt_check (&receipt, record, body, (struct slice){ 0 },
                                 policy, &facts, &e);
    check (rc != ERR_SIGNATURE && rc != ERR_RIGHT && !facts.author_good);
    if (rc == ERR_NONE)
        check (facts.record.sequence == 0 && facts.checkpoint.size == 1);
    buf_free (&note);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    ledger_make();
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0) {
        try_text (slice_of (data + 1, size - 1));
    } else if (size >= 3) {
        size_t length = get_u16 (data + 1);
        length = length < size - 3 ? length : size - 3;
        try_record (slice_of (data + 3, length),
                    slice_of (data + 3 + length, size - 3 - length));
    }
    return 0;
}
