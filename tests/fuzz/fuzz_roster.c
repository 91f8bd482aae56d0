/* Any octets as a roster's note, or as its JSON under our own two lines: what
 * is refused has a reason; what is read can be asked everything. */
#include "identity/rights.h"
#include "identity/roster_chain.h"
#include "identity/roster_write.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool condition) {
    if (!condition)
        abort();
}

static void delegation_ask (const struct roster *roster,
                            const struct roster_delegation *d) {
    struct slice name = slice_text (d->name);
    must (roster_delegation (roster, name) == d);
    must (roster_entity_at (roster, d->entity)->first_delegation <= d->index);
    for (int set = 0; set < d->key_count; set++) {
        const uint8_t *key;
        int found;
        must (roster_by_link (roster, d->keys[set].link, &found) == d);
        must (found == set);
        enum key_fault fault =
            rights_sign_key (roster, name, d->sign_id[set], 1, &key);
        must (fault != KEY_UNKNOWN && (fault == KEY_FINE) == (key != NULL));
    }
    for (size_t i = 0; i < roster_channels (roster); i++) {
        const struct roster_channel *c = roster_channel_at (roster, i);
        struct slice id = slice_text (c->id);
        /* Every writer is a reader. */
        must (rights_ask (roster, name, id, RIGHT_WRITE, 1) != VERDICT_YES
              || rights_ask (roster, name, id, RIGHT_READ, 1) == VERDICT_YES);
        must (!roster_channel_writer (roster, c, d)
              || roster_channel_reader (roster, c, d));
    }
    must (rights_ask (roster, name, slice_text ("$log"), RIGHT_WRITE, 1)
          != VERDICT_YES);
}

static void read_one (struct slice note) {
    struct error e = { 0 };
    struct roster *roster = roster_read (note, &e);
    if (!roster) {
        must (e.code != ERR_NONE && e.text[0] != '\0');
        return;
    }
    must (slice_equal (roster_octets (roster), note));
    for (size_t i = 0; i < roster_delegations (roster); i++)
        delegation_ask (roster, roster_delegation_at (roster, i));
    must (roster_follows (roster, roster, &e) == ERR_CHAIN);
    must (roster_founds (roster, &e) != ERR_NONE || roster_is_first (roster));
    roster_unref (&roster);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static const char head[] = "parley/roster/1\n-\n";
    static const char tail[] = "\n\n\xe2\x80\x94 A/root AAAAAAA=\n";
    read_one (slice_of (data, size));
    struct buf note = { 0 };
    buf_add_text (&note, head);
    buf_add (&note, data, size);
    buf_add_text (&note, tail);
    read_one (buf_slice (&note));
    buf_free (&note);

    struct error e;
    struct broker_public broker = { .id = "b",
                                    .desk = "tcp://b:1",
                                    .feed = "tcp://b:2" };
    uint8_t nonce[32] = { 0 };
    struct buf text = { 0 }, warnings = { 0 };
    enum err rc = roster_draft_first (slice_of (data, size), NULL, 0, &broker,
                                      1, nonce, &text, &warnings, &e);
    must ((rc == ERR_NONE) == (text.size > 0));
    buf_free (&text);
    buf_free (&warnings);
    return 0;
}
