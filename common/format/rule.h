/* rule - why something was refused: a name of the registry and the values
 * (PROTOCOL.md sections 7.3 and 9.3). Pure. */
#ifndef PARLEY_RULE_H
#define PARLEY_RULE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/mp.h"

/* In the registry's order. */
enum rule {
    RULE_NONE,
    RULE_MALFORMED, RULE_NEWER_FORMAT, RULE_LIMIT, RULE_WRONG_DIALOGUE,
    RULE_MIXED_BATCH, RULE_UNKNOWN_KEY, RULE_EXPIRED_KEY, RULE_REVOKED,
    RULE_BAD_SIGNATURE, RULE_VIA_NEEDED, RULE_VIA_NOT_WANTED, RULE_BAD_VIA,
    RULE_BODY_LENGTH, RULE_BODY_DIGEST, RULE_EXTENSION, RULE_SEALING,
    RULE_TOPIC, RULE_UNKNOWN_CHANNEL, RULE_EMPTY_AUDIENCE, RULE_NOT_A_WRITER,
    RULE_STALE_ROSTER, RULE_ROSTER_AHEAD, RULE_USED_NUMBER, RULE_OLD_NUMBER,
    RULE_NUMBER_JUMP, RULE_LANES, RULE_TOPICS, RULE_RATE, RULE_NO_SPACE,
    RULE_CLOCK, RULE_LEDGER_BEHIND, RULE_HELLO_FIRST, RULE_NOT_LISTED,
    RULE_VERSION, RULE_CREDIT, RULE_BUSY, RULE_UNKNOWN_REQUEST,
    RULE_UNKNOWN_STREAM, RULE_NOT_FOUND, RULE_NOT_A_WITNESS,
    RULE_BAD_COSIGNATURE,
    RULE_OTHER, /* read from a peer, not in our registry: final */
};

enum rule_then { THEN_FINAL, THEN_AGAIN /* sign anew */, THEN_LATER };

const char *rule_name (enum rule rule); /* "STALE-ROSTER"; static */
enum rule rule_of (struct slice name);  /* RULE_OTHER where unknown */
enum rule_then rule_then (enum rule rule);

#define RULE_NAME_MAX 32
#define REFUSAL_VALUES_MAX 1024 /* octets of the values' map */
#define REFUSAL_PAIRS_MAX 16 /* read; one less is written */

struct refusal {
    enum rule rule;
    char name[RULE_NAME_MAX + 1]; /* as sent; set for RULE_OTHER too */
    uint16_t size;                /* of values; at least 1: the empty map */
    uint8_t values[REFUSAL_VALUES_MAX]; /* canonical msgpack map */
};

/* Start over with `rule` and no values; then add. Keys are ours, each once
 * (asserted), in any order. Texts go through text_printable; what would pass
 * the limits is cut (text) or left out. */
void refusal_set (struct refusal *self, enum rule rule);
void refusal_text (struct refusal *self, const char *key, const char *text);
void refusal_slice (struct refusal *self, const char *key, struct slice text);
void refusal_int (struct refusal *self, const char *key, int64_t value);
void refusal_hex (struct refusal *self, const char *key, const void *data,
                  size_t size); /* up to 64 octets */
/* MALFORMED from a decoder's error: place and why. */
void refusal_malformed (struct refusal *self, const char *place,
                        const struct error *why);

/* rule and values as the next two elements. */
void refusal_put (struct buf *out, const struct refusal *self);
/* Reads those two, or fails the cursor; *out is RULE_NONE then. Values: texts
 * and integers only. */
void refusal_take (struct mp *in, struct refusal *out);
struct slice refusal_values (const struct refusal *self);
/* "NOT-A-WRITER author=UNODC/hq channel=members", for logs and people. */
#define REFUSAL_TEXT_MAX 1400
const char *refusal_print (const struct refusal *self,
                           char out[REFUSAL_TEXT_MAX]);

#endif
