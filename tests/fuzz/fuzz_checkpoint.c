/* Checkpoints and verifier keys. The first octet says which; what is read must
 * be written again as it was, and nobody has signed it. */
#include "identity/checkpoint.h"
#include "identity/vkey.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void check (bool fine) {
    if (!fine)
        abort();
}

static void try_checkpoint (struct slice octets) {
    static const uint8_t key[KEY_SIZE] = { 9 };
    struct checkpoint cp;
    struct note note;
    struct error e = { 0 };
    struct buf text = { 0 };
    int64_t time = 1;
    if (checkpoint_read (octets, &cp, &note, &e)) {
        check (e.code == ERR_MALFORMED || e.code == ERR_LIMIT);
        return;
    }
    check (octets.size <= CHECKPOINT_NOTE_MAX && cp.size >= 0
           && cp.size <= NUMBER_MAX);
    checkpoint_text (&cp, &text);
    check (slice_equal (buf_slice (&text), note.text));
    buf_free (&text);
    check (checkpoint_check_log (&cp, &note, cp.origin, key, &e)
           == ERR_SIGNATURE);
    for (size_t i = 0; i < note.count; i++) {
        char name[NOTE_NAME_MAX + 1] = { 0 };
        check (note.lines[i].name.size < sizeof name);
        memcpy (name, note.lines[i].name.data, note.lines[i].name.size);
        enum err rc = checkpoint_cosigned (&cp, &note, name, key, &time, &e);
        check ((rc == ERR_NONE || rc == ERR_SIGNATURE) && time == 0);
    }
}

static void try_vkey (struct slice text) {
    struct vkey vkey;
    struct error e = { 0 };
    struct buf again = { 0 };
    if (vkey_read (text, &vkey, &e)) {
        check (e.code == ERR_MALFORMED);
        return;
    }
    if (vkey.type == NOTE_ED25519)
        checkpoint_log_vkey (vkey.name, vkey.key, &again);
    else if (vkey.type == NOTE_COSIGNATURE)
        checkpoint_witness_vkey (vkey.name, vkey.key, &again);
    check (again.size == 0 || slice_equal (buf_slice (&again), text));
    buf_free (&again);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const struct slice rest = slice_of (data + 1, size - 1);
    if (data[0] % 4 == 0)
        try_vkey (rest);
    else
        try_checkpoint (rest);
    return 0;
}
