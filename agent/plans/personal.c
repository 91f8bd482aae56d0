/* personal - texts of a document that look like somebody's data. What each kind
 * looks like stands in one table of regular expressions; what a form alone
 * can't tell (checksums, years) in a check beside it. */
#include "personal.h"

#include "base/buf.h"
#include "faults.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *words;
} kinds[PERSONAL_KINDS] = {
    [PERSONAL_BIRTH] = { "birth-date", "a date of birth" },
    [PERSONAL_DOCUMENT] = { "document-number", "the number of a document" },
    [PERSONAL_PHONE] = { "phone-number", "a phone number" },
    [PERSONAL_PLATE] = { "plate", "a vehicle's plate" },
    [PERSONAL_MAIL] = { "mail-address", "a mail address" },
    [PERSONAL_ACCOUNT] = { "bank-account", "a bank account" },
};

const char *personal_kind_name (enum personal_kind kind) {
    return kinds[kind].name;
}

const char *personal_kind_words (enum personal_kind kind) {
    return kinds[kind].words;
}

/* Checks. Each may shorten the match, and says whether it is one. */

static size_t digit_count (struct slice text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += isdigit (text.data[i]) != 0;
    return count;
}

/* A group of four digits that reads as a year: "2025-2030" is no number. */
static bool has_year (struct slice text) {
    for (size_t i = 0; i + 4 <= text.size; i++) {
        const uint8_t *at = text.data + i;
        bool bounded = (i == 0 || !isdigit (at[-1]))
                       && (i + 4 == text.size || !isdigit (at[4]));
        if (bounded && digit_count (slice_of (at, 4)) == 4
            && (!memcmp (at, "19", 2) || !memcmp (at, "20", 2)))
            return true;
    }
    return false;
}

/* Large round numbers have signs too: "+200 000 000 euro". */
static bool is_phone (struct slice *text) {
    size_t digits = digit_count (*text);
    bool round = text->size > 4 && !isdigit (text->data[text->size - 4])
                 && !memcmp (text->data + text->size - 3, "000", 3);
    return digits >= 9 && digits <= 15 && !round;
}

static bool is_numbered (struct slice *text) {
    return digit_count (*text) >= 6 && !has_year (*text);
}

static bool is_plate (struct slice *text) {
    size_t upper = 0, lower = 0, digits = digit_count (*text);
    for (size_t i = 0; i < text->size; i++) {
        upper += isupper (text->data[i]) != 0;
        lower += islower (text->data[i]) != 0;
    }
    return upper >= 1 && !lower && digits >= 2 && upper + digits >= 5
           && upper + digits <= 9 && !has_year (*text);
}

static bool is_document (struct slice *text) {
    return digit_count (*text) >= 5 && !has_year (*text);
}

/* ISO 7064, modulo 97: of the first `size` octets, blanks left out; the first
 * four characters go to the end. */
static unsigned account_rest (const uint8_t *text, size_t size,
                              size_t *letters) {
    uint8_t compact[64];
    size_t count = 0;
    unsigned rest = 0;
    for (size_t i = 0; i < size && count < sizeof compact; i++)
        if (text[i] != ' ')
            compact[count++] = text[i];
    *letters = count;
    for (size_t i = 0; i < count; i++) {
        uint8_t letter = compact[(i + 4) % count];
        unsigned value =
            isdigit (letter) ? (unsigned) letter - '0' : letter - 'A' + 10u;
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return rest;
}

/* A word in capitals behind it may have been taken along. */
static bool is_account (struct slice *text) {
    for (size_t size = text->size; size >= 15; size--) {
        size_t letters;
        bool ends = size == text->size || text->data[size] == ' ';
        if (ends && account_rest (text->data, size, &letters) == 1
            && letters >= 15 && letters <= 34
            && digit_count (slice_of (text->data, size)) >= 8) {
            text->size = size;
            return true;
        }
    }
    return false;
}

/* "Operation NEPTUNE (12.05.1999)" is nobody's name. */
static bool is_named (struct slice *text) {
    static const char *const things[] = { "Operation", "Project", "Action",
                                          "Task",      "Joint",   "Decision",
                                          "Council",   "Treaty",  "Agreement",
                                          "Regulation" };
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        if (memmem (text->data, text->size, things[i], strlen (things[i])))
            return false;
    return true;
}

/* Forms. */

#define YEAR "(19|20)[0-9]{2}"
#define DATE                                                                   \
    "([0-9]{1,2}[./-][0-9]{1,2}[./-]" YEAR "|" YEAR "-[0-9]{2}-[0-9]{2}"       \
    "|[0-9]{1,2}(st|nd|rd|th|er|\\.)? [^ 0-9]{3,20} " YEAR                     \
    "|[A-Za-z]{3,9} [0-9]{1,2},? " YEAR ")"
#define NUMBER_WORD                                                            \
    "( ?(number|no\\.?|nr\\.?|n\xc2\xb0|num\xc3\xa9ro|n\xc3\xbamero"           \
    "|\xe2\x84\x96|\xd8\xb1\xd9\x82\xd9\x85))?[ :.#]{1,3}"
#define START "(^|[^A-Za-z0-9])"
#define NUMBER_START "(^ ?|[^A-Za-z0-9 ]|[^0-9] )" /* no number before it */

enum { ANY_CASE = REG_ICASE };

static const struct form {
    int kind; /* -1: none, and nothing else is looked for there */
    int flags;
    size_t group; /* of the expression: what is somebody's */
    bool (*check) (struct slice *text);
    const char *expression;
} forms[] = {
    { -1, ANY_CASE, 0, NULL, "(https?://|www\\.)[^ \t\r\n<>\"]+" },
    { PERSONAL_MAIL, 0, 0, NULL,
      "[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}\\.)+[A-Za-z]{2,24}" },
    { PERSONAL_ACCOUNT, 0, 2, is_account,
      START "([A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,4})?)" },
    { PERSONAL_DOCUMENT, 0, 0, NULL, /* lines that machines read */
      "[A-Z0-9<]{2,44}<<[A-Z0-9<]{5,}" },
    { PERSONAL_DOCUMENT, ANY_CASE, 6, is_document,
      START "(passport|passeport|pasaporte|passaporto|reisepass|pass"
            "|id[ -]card|identity (card|document)|carte d'identit\xc3\xa9"
            "|personalausweis|dni|driving licen[cs]e|driver'?s licen[cs]e"
            "|national id|social security|ssn"
            "|\xd0\xbf\xd0\xb0\xd1\x81\xd0\xbf\xd0\xbe\xd1\x80\xd1\x82"
            "|\xd8\xac\xd9\x88\xd8\xa7\xd8\xb2 "
            "\xd8\xb3\xd9\x81\xd8\xb1)" NUMBER_WORD
            "([A-Z0-9]{1,3}[ -]?[A-Z0-9]{5,12})" },
    { PERSONAL_BIRTH, ANY_CASE, 6, NULL,
      START "(born|date of birth|birth ?date|dob|d\\.o\\.b\\.|n\xc3\xa9"
            "e?|geboren|geb\\.|geburtsdatum|date de naissance|nacid[oa]"
            "|fecha de nacimiento|nat[oa] il|data di nascita"
            "|\xd1\x80\xd0\xbe\xd0\xb4\\.|\xd1\x80\xd0\xbe\xd0\xb4\xd0\xb8\xd0"
            "\xbb(\xd1\x81\xd1\x8f|\xd0\xb0\xd1\x81\xd1\x8c)"
            "|\xd0\xb4\xd0\xb0\xd1\x82\xd0\xb0 "
            "\xd1\x80\xd0\xbe\xd0\xb6\xd0\xb4\xd0\xb5\xd0\xbd\xd0\xb8\xd1\x8f"
            "|\xd9\x85\xd9\x88\xd8\xa7\xd9\x84\xd9\x8a\xd8\xaf|\\*)"
            "[ :,(]{0,3}((on|am|le|el|il) )?" DATE },
    { PERSONAL_BIRTH, 0, 2, is_named, /* surnames in capitals */
      START "(([A-Z][a-z]+ [A-Z]{3,}|[A-Z]{3,} [A-Z][a-z]+),? ?[(*]{0,2}"
            "([0-9]{1,2}[./-][0-9]{1,2}[./-]19[0-9]{2}|19[0-9]{2}-[0-9]{2}"
            "-[0-9]{2}))" },
    { PERSONAL_PLATE, 0, 2, NULL, START "([A-Z]{2}-[0-9]{3}-[A-Z]{2})" },
    { PERSONAL_PLATE, ANY_CASE, 5, is_plate,
      START "(plates?|kennzeichen|immatriculation|matr\xc3\xad"
            "cula|targa|vehicle registration"
            "|registration number)" NUMBER_WORD
            "([A-Z0-9]{1,4}[ -]?[A-Z0-9]{1,5}([ -]?[A-Z0-9]{1,4})?)" },
    { PERSONAL_PHONE, 0, 2, is_phone,
      START "(\\+[1-9][0-9 ()./-]{6,22}[0-9])" },
    { PERSONAL_PHONE, 0, 2, is_phone,
      NUMBER_START "(00[1-9][0-9 ()./-]{6,22}[0-9])" },
    { PERSONAL_PHONE, 0, 2, is_phone,
      NUMBER_START "(0[1-9][0-9]{1,4}[ /-][0-9 -]{4,14}[0-9])" },
    { PERSONAL_PHONE, 0, 2, is_phone,
      NUMBER_START "(0[1-9]([ .][0-9]{2}){4})" },
    { PERSONAL_PHONE, ANY_CASE, 5, is_numbered,
      START "(tel|t\xc3\xa9l|phone|telephone|telefon|tel\xc3\xa9"
            "fono|gsm|msisdn|whatsapp)\\.?" NUMBER_WORD
            "([0-9(][0-9 ()/-]{5,18}[0-9])" },
};
#define FORMS (sizeof forms / sizeof *forms)
#define GROUPS_MAX 8

static regex_t compiled[FORMS];

static void compile (void) {
    for (size_t i = 0; i < FORMS; i++) {
        int rc = regcomp (&compiled[i], forms[i].expression,
                          REG_EXTENDED | forms[i].flags);
        assert (!rc && forms[i].group < GROUPS_MAX
                && forms[i].group <= compiled[i].re_nsub);
    }
}

/* The list. */

/* The first two characters and the last stay, and what is no letter or digit;
 * so do whole characters of other scripts' first octets. */
static char *mask (struct slice text) {
    struct buf out = { 0 };
    for (size_t i = 0, n = 0; i < text.size; n++) {
        size_t size = utf8_size (text.data + i, text.size - i);
        size = size ? size : 1;
        bool hidden = n >= 2 && i + size < text.size
                      && (size > 1 || isalnum (text.data[i]));
        if (hidden)
            buf_add_u8 (&out, '*');
        else
            buf_add (&out, text.data + i, size);
        i += size;
    }
    return buf_take_text (&out);
}

static void found (struct personal *self, const struct path *path,
                   enum personal_kind kind, struct slice text) {
    self->count++;
    if (self->kept < PERSONAL_MAX)
        self->at[self->kept++] =
            (struct personal_find){ mem_copy_text (path->text), kind,
                                    mask (text) };
}

/* What was found is blanked, so that one number is not found twice. */
static void form_find (struct personal *self, const struct path *path, size_t n,
                       char *text) {
    const struct form *form = &forms[n];
    regmatch_t groups[GROUPS_MAX];
    char *at = text;
    while (!regexec (&compiled[n], at, GROUPS_MAX, groups,
                     at == text ? 0 : REG_NOTBOL)) {
        regmatch_t group = groups[form->group];
        struct slice run =
            slice_of (at + group.rm_so, (size_t) (group.rm_eo - group.rm_so));
        assert (group.rm_so >= 0 && run.size);
        bool is_one = !form->check || form->check (&run);
        if (is_one && form->kind >= 0)
            found (self, path, (enum personal_kind) form->kind, run);
        if (is_one)
            memset (at + group.rm_so, '\n', run.size);
        at += is_one ? group.rm_so + (regoff_t) run.size : group.rm_so + 1;
    }
}

static void text_find (struct personal *self, const struct path *path,
                       const json_t *value) {
    char *text = mem_copy_text (json_string_value (value));
    for (size_t i = 0; i < FORMS; i++)
        form_find (self, path, i, text);
    free (text);
}

static void value_find (struct personal *self, struct path *path,
                        const json_t *value, unsigned depth) {
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_string (value))
        text_find (self, path, value);
    if (!json_is_object (value) && !json_is_array (value))
        return;
    if (depth == 0)
        return; /* deeper than a document may be */
    json_object_foreach ((json_t *) (uintptr_t) value, name, member) {
        size_t mark = path_member (path, name);
        bool is_function = !strncmp (path->text, "/contacts/", 10)
                           && !strcmp (name, "address");
        if (!is_function)
            value_find (self, path, member, depth - 1);
        path_back (path, mark);
    }
    json_array_foreach (value, i, member) {
        size_t mark = path_index (path, i);
        value_find (self, path, member, depth - 1);
        path_back (path, mark);
    }
}

void personal_find (const json_t *document, struct personal *out) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct path path = { { 0 }, 0 };
    pthread_once (&once, compile);
    value_find (out, &path, document, 32);
}

void personal_clear (struct personal *self) {
    for (size_t i = 0; i < self->kept; i++) {
        free (self->at[i].pointer);
        free (self->at[i].excerpt);
    }
    self->kept = self->count = 0;
}

json_t *personal_json (const struct personal *self) {
    json_t *out = json_array();
    for (size_t i = 0; i < self->kept; i++) {
        const struct personal_find *find = &self->at[i];
        json_array_append_new (out, json_pack ("{ss ss ss}", "pointer",
                                               find->pointer, "kind",
                                               personal_kind_name (find->kind),
                                               "excerpt", find->excerpt));
    }
    return out;
}
