/* rule - the registry of PROTOCOL.md section 9.3, and refusals as the octets
 * that a promise signs (section 7.3). Off the hot path: one is made only where
 * something is wrong. Thread-safe. */
#include "format/rule.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Maps that we write keep msgpack's one-octet form; section 2.6 lets a peer
 * send one more pair. */
#define PAIRS_WRITTEN 15

static const struct {
    const char *name;
    enum rule_then then;
} registry[] = {
    [RULE_NONE] = { "NONE", THEN_FINAL },
    [RULE_MALFORMED] = { "MALFORMED", THEN_FINAL },
    [RULE_NEWER_FORMAT] = { "NEWER-FORMAT", THEN_FINAL },
    [RULE_LIMIT] = { "LIMIT", THEN_FINAL },
    [RULE_WRONG_DIALOGUE] = { "WRONG-DIALOGUE", THEN_FINAL },
    [RULE_MIXED_BATCH] = { "MIXED-BATCH", THEN_FINAL },
    [RULE_UNKNOWN_KEY] = { "UNKNOWN-KEY", THEN_FINAL },
    [RULE_EXPIRED_KEY] = { "EXPIRED-KEY", THEN_FINAL },
    [RULE_REVOKED] = { "REVOKED", THEN_FINAL },
    [RULE_BAD_SIGNATURE] = { "BAD-SIGNATURE", THEN_FINAL },
    [RULE_VIA_NEEDED] = { "VIA-NEEDED", THEN_FINAL },
    [RULE_VIA_NOT_WANTED] = { "VIA-NOT-WANTED", THEN_FINAL },
    [RULE_BAD_VIA] = { "BAD-VIA", THEN_FINAL },
    [RULE_BODY_LENGTH] = { "BODY-LENGTH", THEN_FINAL },
    [RULE_BODY_DIGEST] = { "BODY-DIGEST", THEN_FINAL },
    [RULE_EXTENSION] = { "EXTENSION", THEN_FINAL },
    [RULE_SEALING] = { "SEALING", THEN_FINAL },
    [RULE_TOPIC] = { "TOPIC", THEN_FINAL },
    [RULE_UNKNOWN_CHANNEL] = { "UNKNOWN-CHANNEL", THEN_FINAL },
    [RULE_EMPTY_AUDIENCE] = { "EMPTY-AUDIENCE", THEN_FINAL },
    [RULE_NOT_A_WRITER] = { "NOT-A-WRITER", THEN_FINAL },
    [RULE_STALE_ROSTER] = { "STALE-ROSTER", THEN_AGAIN },
    [RULE_ROSTER_AHEAD] = { "ROSTER-AHEAD", THEN_LATER },
    [RULE_USED_NUMBER] = { "USED-NUMBER", THEN_FINAL },
    [RULE_OLD_NUMBER] = { "OLD-NUMBER", THEN_FINAL },
    [RULE_NUMBER_JUMP] = { "NUMBER-JUMP", THEN_LATER },
    [RULE_LANES] = { "LANES", THEN_LATER },
    [RULE_TOPICS] = { "TOPICS", THEN_FINAL },
    [RULE_RATE] = { "RATE", THEN_LATER },
    [RULE_NO_SPACE] = { "NO-SPACE", THEN_LATER },
    [RULE_CLOCK] = { "CLOCK", THEN_LATER },
    [RULE_LEDGER_BEHIND] = { "LEDGER-BEHIND", THEN_LATER },
    [RULE_HELLO_FIRST] = { "HELLO-FIRST", THEN_LATER },
    [RULE_NOT_LISTED] = { "NOT-LISTED", THEN_LATER },
    [RULE_VERSION] = { "VERSION", THEN_FINAL },
    [RULE_CREDIT] = { "CREDIT", THEN_LATER },
    [RULE_BUSY] = { "BUSY", THEN_LATER },
    [RULE_UNKNOWN_REQUEST] = { "UNKNOWN-REQUEST", THEN_FINAL },
    [RULE_UNKNOWN_STREAM] = { "UNKNOWN-STREAM", THEN_FINAL },
    [RULE_NOT_FOUND] = { "NOT-FOUND", THEN_FINAL },
    [RULE_NOT_A_WITNESS] = { "NOT-A-WITNESS", THEN_FINAL },
    [RULE_BAD_COSIGNATURE] = { "BAD-COSIGNATURE", THEN_FINAL },
    [RULE_OTHER] = { "OTHER", THEN_FINAL },
};

const char *rule_name (enum rule rule) {
    assert (rule <= RULE_OTHER);
    return registry[rule].name;
}

enum rule rule_of (struct slice name) {
    /* The two ends of the enum are no names of the registry. */
    for (unsigned i = RULE_NONE + 1; i < RULE_OTHER; i++)
        if (slice_is (name, registry[i].name))
            return (enum rule) i;
    return RULE_OTHER;
}

enum rule_then rule_then (enum rule rule) {
    assert (rule <= RULE_OTHER);
    return registry[rule].then;
}

/* Making one */

static void set_name (struct refusal *self, struct slice name) {
    assert (name.size <= RULE_NAME_MAX);
    memcpy (self->name, name.data, name.size);
    self->name[name.size] = '\0';
}

void refusal_set (struct refusal *self, enum rule rule) {
    self->rule = rule;
    set_name (self, slice_text (rule_name (rule)));
    self->values[0] = 0x80; /* an empty map */
    self->size = 1;
}

/* The canonical order of section 2.3. */
static bool key_below (struct slice a, struct slice b) {
    int order = memcmp (a.data, b.data, a.size < b.size ? a.size : b.size);
    return order < 0 || (order == 0 && a.size < b.size);
}

/* Where among the values a pair with this key belongs. */
static size_t place_of (const struct refusal *self, struct slice key) {
    struct mp in;
    mp_start (&in, refusal_values (self));
    size_t pairs = mp_map (&in, 0, PAIRS_WRITTEN);
    for (size_t i = 0; i < pairs; i++) {
        const uint8_t *before = in.at;
        struct slice other = mp_str (&in, 0, SIZE_MAX);
        assert (!slice_equal (other, key));
        if (key_below (key, other))
            return (size_t) (before - self->values);
        (void) mp_any (&in);
    }
    return self->size;
}

static void insert (struct refusal *self, const char *key,
                    const struct buf *pair) {
    bool full = (self->values[0] & 0x0f) == PAIRS_WRITTEN;
    if (full || pair->size > REFUSAL_VALUES_MAX - (size_t) self->size)
        return;
    size_t place = place_of (self, slice_text (key));
    uint8_t *at = self->values + place;
    memmove (at + pair->size, at, self->size - place);
    memcpy (at, pair->data, pair->size);
    self->size = (uint16_t) (self->size + pair->size);
    self->values[0]++;
}

void refusal_int (struct refusal *self, const char *key, int64_t value) {
    struct buf pair = { 0 };
    mp_put_str (&pair, key);
    mp_put_int (&pair, value);
    insert (self, key, &pair);
    buf_free (&pair);
}

/* What a text may have, beside its key and the octets before both. */
static size_t text_room (const struct refusal *self, const char *key) {
    size_t used = self->size + strlen (key) + 2 * 3;
    return used < REFUSAL_VALUES_MAX ? REFUSAL_VALUES_MAX - used : 0;
}

void refusal_slice (struct refusal *self, const char *key, struct slice text) {
    char shown[ERROR_TEXT_MAX];
    size_t room = text_room (self, key) + 1;
    if (room < 4)
        return;
    struct buf pair = { 0 };
    /* Also makes UTF-8 of what a peer sent instead. */
    size_t size = text_printable (
        shown, room < sizeof shown ? room : sizeof shown, text.data, text.size);
    mp_put_str (&pair, key);
    mp_put_str_slice (&pair, slice_of (shown, size));
    insert (self, key, &pair);
    buf_free (&pair);
}

void refusal_text (struct refusal *self, const char *key, const char *text) {
    refusal_slice (self, key, slice_text (text));
}

void refusal_hex (struct refusal *self, const char *key, const void *data,
                  size_t size) {
    char text[HEX_SIZE (64)];
    assert (size <= 64);
    refusal_text (self, key, hex_encode (text, data, size));
}

void refusal_malformed (struct refusal *self, const char *place,
                        const struct error *why) {
    refusal_set (self, RULE_MALFORMED);
    refusal_text (self, "place", place);
    refusal_text (self, "why", why->text);
}

/* As octets */

struct slice refusal_values (const struct refusal *self) {
    return slice_of (self->values, self->size);
}

void refusal_put (struct buf *out, const struct refusal *self) {
    mp_put_str (out, self->name);
    buf_add_slice (out, refusal_values (self));
}

static bool name_valid (struct slice name) {
    bool good = name.size > 0 && name.data[0] >= 'A' && name.data[0] <= 'Z';
    for (size_t i = 1; i < name.size; i++) {
        uint8_t c = name.data[i];
        good =
            good
            && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-');
    }
    return good;
}

/* Of a map that is canonical: are all values texts or integers? */
static bool values_plain (struct slice values) {
    struct mp in;
    mp_start (&in, values);
    size_t pairs = mp_map (&in, 0, REFUSAL_PAIRS_MAX);
    for (size_t i = 0; i < pairs; i++) {
        (void) mp_str (&in, 0, SIZE_MAX);
        if (mp_peek (&in) == MP_INT)
            (void) mp_int (&in, -NUMBER_MAX, NUMBER_MAX);
        else
            (void) mp_str (&in, 0, SIZE_MAX);
    }
    return mp_finish (&in, NULL) == ERR_NONE;
}

void refusal_take (struct mp *in, struct refusal *out) {
    refusal_set (out, RULE_NONE);
    struct slice name = mp_str (in, 1, RULE_NAME_MAX);
    if (!in->failed && !name_valid (name))
        mp_fail (in, ERR_MALFORMED, "a rule's name is [A-Z][A-Z0-9-]*");
    struct slice values = mp_any (in);
    if (in->failed)
        return;
    if (values.size > REFUSAL_VALUES_MAX)
        mp_fail (in, ERR_LIMIT, "a refusal's values of %zu octets, at most %d",
                 values.size, REFUSAL_VALUES_MAX);
    else if (!values_plain (values))
        mp_fail (in, ERR_MALFORMED,
                 "a refusal's values are a map of at most %d texts and "
                 "integers",
                 REFUSAL_PAIRS_MAX);
    if (in->failed)
        return;
    out->rule = rule_of (name);
    set_name (out, name);
    memcpy (out->values, values.data, values.size);
    out->size = (uint16_t) values.size;
}

/* For people */

static void show (char *out, size_t *size, const char *between,
                  struct slice text) {
    size_t room = REFUSAL_TEXT_MAX - *size;
    if (room < 8) /* the separator, and what text_printable wants */
        return;
    size_t n = strlen (between);
    memcpy (out + *size, between, n);
    *size +=
        n + text_printable (out + *size + n, room - n, text.data, text.size);
}

const char *refusal_print (const struct refusal *self,
                           char out[REFUSAL_TEXT_MAX]) {
    size_t size = 0;
    show (out, &size, "", slice_text (self->name));
    struct mp in;
    mp_start (&in, refusal_values (self));
    size_t pairs = mp_map (&in, 0, REFUSAL_PAIRS_MAX);
    for (size_t i = 0; i < pairs; i++) {
        show (out, &size, " ", mp_str (&in, 0, SIZE_MAX));
        char number[24];
        struct slice value;
        if (mp_peek (&in) == MP_INT) {
            snprintf (number, sizeof number, "%" PRId64,
                      mp_int (&in, INT64_MIN, INT64_MAX));
            value = slice_text (number);
        } else
            value = mp_str (&in, 0, SIZE_MAX);
        show (out, &size, "=", value);
    }
    return out;
}
