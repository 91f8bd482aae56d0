/* A header that is good, in its parts (PROTOCOL.md section 6.1). */
#ifndef PARLEY_MESSAGE_FIXTURE_H
#define PARLEY_MESSAGE_FIXTURE_H

#include "format/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format_vectors.h"

/* A header in its parts: two arrays' heads, the 13 elements of the prefix,
 * body length, digest, and what may follow. */
enum part {
    OUTER,
    PREFIX,
    FORMAT,
    DIALOGUE,
    AUTHOR,
    KEY,
    ROSTER,
    LANE,
    NUMBER,
    TIME,
    TOPIC,
    REFERENCES,
    BODY,
    SEALING,
    EXTENSION,
    LENGTH,
    DIGEST,
    END,
    PARTS
};

#define HEX8 "0102030405060708"
#define HEX32 HEX8 HEX8 HEX8 HEX8
#define REF(n) "c420" n "02030405060708" HEX8 HEX8 HEX8

static const char *const good_parts[PARTS] = {
    [OUTER] = "93",
    [PREFIX] = "9d",
    [FORMAT] = "01",
    [DIALOGUE] = "c420" HEX32,
    [AUTHOR] = "a8554e4f44432f6871", /* UNODC/hq */
    [KEY] = "c408" HEX8,
    [ROSTER] = "03",
    [LANE] = "c408" HEX8,
    [NUMBER] = "cd0400",
    [TIME] = "cf0000018bcfe56800",
    [TOPIC] = "a96d656d626572732f78", /* members/x */
    [REFERENCES] = "92" REF ("01") REF ("02"),
    [BODY] = "02",
    [SEALING] = "c0",
    [EXTENSION] = "80",
    [LENGTH] = "11",
    [DIGEST] = "c420" HEX32,
    [END] = "",
};

static void add_hex (struct buf *out, const char *hex) {
    size_t size = strlen (hex) / 2;
    if (size > 0)
        assert_int_equal (hex_decode (buf_extend (out, size), size, hex), 0);
}

/* The good header with one part replaced by `part`. */
static struct buf with (enum part where, struct slice part) {
    struct buf out = { 0 };
    for (size_t i = 0; i < PARTS; i++)
        if (i == where)
            buf_add_slice (&out, part);
        else
            add_hex (&out, good_parts[i]);
    return out;
}

static struct buf with_hex (enum part where, const char *hex) {
    struct buf part = { 0 };
    add_hex (&part, hex);
    struct buf out = with (where, buf_slice (&part));
    buf_free (&part);
    return out;
}

static struct buf good_header (void) {
    return with_hex (END, "");
}

static void assert_told (const struct refusal *why, enum rule rule,
                         const char *word, const char *what) {
    char text[REFUSAL_TEXT_MAX];
    refusal_print (why, text);
    if (why->rule != rule || !strstr (text, word))
        fail_msg ("%s: \"%s\" is not %s with \"%s\"", what, text,
                  rule_name (rule), word);
}

#endif
