/* search_terms - words, "phrases" and beginnings*, of which nothing is FTS5's
 * syntax: each is quoted. */
#include "search_terms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RUN_MIN 3 /* characters that the trigram table needs */
#define AROUND 60 /* octets of a snippet before and behind a match */

/* The character at `at`, of valid UTF-8; octets that are none count as one. */
static uint32_t character (struct slice text, size_t at, size_t *size) {
    const uint8_t *p = text.data + at;
    *size = utf8_size (p, text.size - at);
    switch (*size) {
    case 0:
        *size = 1;
        return 0;
    case 1:
        return *p;
    case 2:
        return (uint32_t) (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    case 3:
        return (uint32_t) (p[0] & 0x0f) << 12 | (uint32_t) (p[1] & 0x3f) << 6
               | (p[2] & 0x3f);
    default:
        return (uint32_t) (p[0] & 0x07) << 18 | (uint32_t) (p[1] & 0x3f) << 12
               | (uint32_t) (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    }
}

static bool is_dense (uint32_t c) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x0e00, 0x0fff },   /* Thai, Lao, Tibetan */
        { 0x1000, 0x109f },   /* Myanmar */
        { 0x1780, 0x17ff },   /* Khmer */
        { 0x3040, 0x312f },   /* kana, bopomofo */
        { 0x3400, 0x4dbf },   /* Han */
        { 0x4e00, 0x9fff },   /* Han */
        { 0xac00, 0xd7af },   /* Hangul: endings are glued on */
        { 0xf900, 0xfaff },   /* Han */
        { 0xff66, 0xff9f },   /* kana, narrow */
        { 0x20000, 0x3ffff }, /* Han */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

bool text_is_dense (struct slice text) {
    for (size_t at = 0, size; at < text.size; at += size)
        if (is_dense (character (text, at, &size)))
            return true;
    return false;
}

/* Terms */

static size_t characters (struct slice text) {
    size_t count = 0;
    for (size_t at = 0, size; at < text.size; at += size, count++)
        (void) character (text, at, &size);
    return count;
}

/* Anything that a tokenizer could take for a letter or digit. */
static bool has_letters (struct slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= 0x80 || isalnum (text.data[i]))
            return true;
    return false;
}

static void quote (struct buf *out, struct slice term, bool prefix) {
    if (out->size)
        buf_add_u8 (out, ' ');
    buf_add_u8 (out, '"');
    buf_add_slice (out, term); /* term_next leaves no quotes in it */
    buf_add_text (out, prefix ? "\"*" : "\"");
}

struct reading {
    struct search_terms *terms;
    struct buf words, runs;
    size_t count;
};

static void term_take (struct reading *self, struct slice term, bool prefix) {
    if (!has_letters (term) || self->count == SEARCH_TERMS_MAX)
        return;
    self->count++;
    if (!text_is_dense (term))
        quote (&self->words, term, prefix);
    else if (characters (term) >= RUN_MIN)
        quote (&self->runs, term, false);
    else {
        struct buf text = { 0 };
        buf_add_slice (&text, term);
        self->terms->few[self->terms->few_count++] = buf_take_text (&text);
    }
}

static bool is_space (uint8_t c) {
    return c <= ' ' || c == 0x7f;
}

/* The next term at `at`; returns where to go on. */
static size_t term_next (struct reading *self, struct slice text, size_t at) {
    bool phrase = text.data[at] == '"';
    size_t from = at + phrase, to = from;
    while (to < text.size
           && (phrase ? text.data[to] != '"'
                      : !is_space (text.data[to]) && text.data[to] != '"'))
        to++;
    size_t next = to + (phrase && to < text.size);
    bool prefix = false;
    if (phrase)
        prefix = next < text.size && text.data[next] == '*';
    else if (to > from && text.data[to - 1] == '*') {
        prefix = true;
        to--;
    }
    term_take (self, slice_of (text.data + from, to - from), prefix);
    return next + (phrase && prefix);
}

enum err search_terms_read (const char *text, struct search_terms *out,
                            struct error *e) {
    struct slice whole = slice_text (text);
    *out = (struct search_terms){ 0 };
    if (whole.size > SEARCH_QUERY_MAX)
        return error_set (e, ERR_LIMIT,
                          "a search of %zu octets; it may have %d", whole.size,
                          SEARCH_QUERY_MAX);
    struct reading reading = { .terms = out };
    for (size_t at = 0; at < whole.size;)
        if (is_space (whole.data[at]))
            at++;
        else
            at = term_next (&reading, whole, at);
    out->words = buf_take_text (&reading.words);
    out->runs = buf_take_text (&reading.runs);
    if (reading.count > 0)
        return ERR_NONE;
    search_terms_free (out);
    return error_set (e, ERR_MALFORMED,
                      "there is no word in it that could be looked for");
}

void search_terms_free (struct search_terms *self) {
    free (self->words);
    free (self->runs);
    for (size_t i = 0; i < self->few_count; i++)
        free (self->few[i]);
    *self = (struct search_terms){ 0 };
}

bool search_terms_short (const struct search_terms *self, const char *text) {
    for (size_t i = 0; i < self->few_count; i++)
        if (!strstr (text, self->few[i]))
            return false;
    return true;
}

static bool inside (char c) {
    return ((uint8_t) c & 0xc0) == 0x80;
}

const char *search_terms_snippet (const struct search_terms *self,
                                  const char *text, struct buf *out) {
    const char *term = self->few_count ? self->few[0] : "";
    const char *found = strstr (text, term);
    if (!found)
        return text;
    const char *from = found - text > AROUND ? found - AROUND : text;
    while (from > text && inside (*from))
        from--;
    const char *end = found + strlen (term), *to = end;
    while (*to && (to - end < AROUND || inside (*to)))
        to++;
    buf_add_text (out, from > text ? "..." : "");
    buf_add (out, from, (size_t) (found - from));
    buf_add_u8 (out, SEARCH_BEGIN);
    buf_add_text (out, term);
    buf_add_u8 (out, SEARCH_END);
    buf_add (out, end, (size_t) (to - end));
    buf_add_text (out, *to ? "..." : "");
    buf_add_u8 (out, '\0');
    return (const char *) out->data;
}
