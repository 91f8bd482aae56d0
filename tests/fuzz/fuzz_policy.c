/* Trust policies. The input is a policy's text, in which "\1" to "\4" stand for
 * verifier keys that are right (of a log and of three witnesses), so that
 * groups and quorums get reached. Behind the last "\5" each octet is a witness
 * that cosigns. */
#include "identity/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void check (bool fine) {
    if (!fine)
        abort();
}

static struct identity *broker, *witnesses[3];

static void people_make (void) {
    static const char *const names[] = { "W0/hq", "W1/hq", "W2/hq" };
    struct error e;
    if (broker)
        return;
    broker = identity_new (IDENTITY_BROKER, "lyon", &e);
    for (int i = 0; i < 3; i++)
        witnesses[i] = identity_new (IDENTITY_DELEGATION, names[i], &e);
}

static void expand (struct slice text, struct buf *out) {
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (c == 1)
            checkpoint_log_vkey ("o/1", identity_public (broker, KEY_LOG), out);
        else if (c >= 2 && c <= 4)
            checkpoint_witness_vkey (
                identity_name (witnesses[c - 2]),
                identity_public (witnesses[c - 2], KEY_WITNESS), out);
        else
            buf_add_u8 (out, c);
    }
}

static void try_check (const struct policy *self, struct slice who) {
    const struct checkpoint made = { .origin = "o/1", .size = 3 };
    struct checkpoint cp;
    struct note note;
    struct buf octets = { 0 };
    struct policy_verdict out = { 0 };
    struct error e = { 0 };
    size_t lines = 0;
    checkpoint_sign (&made, broker, &octets);
    for (size_t i = 0; i < who.size && i < 3; i++, lines++)
        checkpoint_cosign (&made, witnesses[who.data[i] % 3],
                           1 + who.data[i] / 3, &octets);
    check (checkpoint_read (buf_slice (&octets), &cp, &note, &e) == ERR_NONE);
    enum err rc = policy_check (self, &cp, &note, &out, &e);
    check (rc == ERR_NONE || rc == ERR_SIGNATURE || rc == ERR_RIGHT);
    check (out.cosigned <= lines && out.cosigned <= out.witnesses);
    check (out.first <= out.last && out.bound <= out.last);
    buf_free (&octets);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct buf text = { 0 };
    struct error e = { 0 };
    size_t cut = size;
    people_make();
    for (size_t i = 0; i < size; i++)
        if (data[i] == 5)
            cut = i;
    expand (slice_of (data, cut), &text);
    struct policy *self = policy_read (buf_slice (&text), &e);
    if (self)
        try_check (self, cut < size ? slice_of (data + cut + 1, size - cut - 1)
                                    : (struct slice){ 0 });
    else
        check (e.code == ERR_MALFORMED || e.code == ERR_LIMIT);
    policy_destroy (&self);
    buf_free (&text);
    return 0;
}
