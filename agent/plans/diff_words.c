/* diff_words - one member's change as a sentence. */
#include "diff_impl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMES_TOLD 8

/* Values in words. */

static void value_words (struct buf *out, const json_t *value) {
    char text[SHOWN_MAX];
    if (json_is_string (value)) {
        buf_add_format (out, "'%s'", shown (text, string_slice (value)));
        return;
    }
    char *dump =
        json_dumps (value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    buf_add_text (out, dump ? shown (text, slice_text (dump)) : "?");
    free (dump);
}

void tell_value (struct differ *self, const struct diff_member *member,
                 const json_t *before, const json_t *after) {
    struct buf old = { 0 }, new = { 0 };
    value_words (&old, before ? before : json_null());
    value_words (&new, after ? after : json_null());
    char *was = buf_take_text (&old), *is = buf_take_text (&new);
    if (!before)
        diff_add (self, member->kind, false, "%s added: %s", member->one, is);
    else if (!after)
        diff_add (self, member->kind, true, "%s removed: %s", member->one, was);
    else
        diff_add (self, member->kind, false, "%s is %s, was %s", member->one,
                  is, was);
    free (was);
    free (is);
}

/* Texts */

char *diff_title (const struct differ *self, char out[SHOWN_MAX],
                  const json_t *text) {
    const json_t *found = text;
    if (json_is_object (text)) {
        void *first = json_object_iter ((json_t *) (uintptr_t) text);
        found = json_object_get (text, self->lang);
        if (!found && first)
            found = json_object_iter_value (first);
    }
    return shown (out, string_slice (found));
}

/* From some octets before the first difference, at the border of a word. */
static struct slice from_difference (struct slice text, struct slice other) {
    size_t at = 0;
    while (at < text.size && at < other.size && text.data[at] == other.data[at])
        at++;
    size_t start = at < SHOWN_MAX / 2 ? 0 : at;
    while (start > 0 && at - start < SHOWN_MAX / 2
           && (text.data[start - 1] != ' ' || at - start < 8))
        start--;
    while (start > 0 && start < text.size && (text.data[start] & 0xc0) == 0x80)
        start--;
    return slice_of (text.data + start, text.size - start);
}

static const char *dots (struct slice part, struct slice whole) {
    return part.size < whole.size ? "..." : "";
}

static void tell_texts (struct differ *self, const struct diff_member *member,
                        const char *label, const json_t *before,
                        const json_t *after) {
    char is[SHOWN_MAX], was[SHOWN_MAX];
    struct slice old = string_slice (before), new = string_slice (after);
    if (!old.data || !new.data) {
        struct diff_member labelled = *member;
        labelled.one = label;
        tell_value (self, &labelled, before, after);
        return;
    }
    struct slice old_part = from_difference (old, new);
    struct slice new_part = from_difference (new, old);
    diff_add (self, member->kind, false, "%s is '%s%s', was '%s%s'", label,
              dots (new_part, new), shown (is, new_part), dots (old_part, old),
              shown (was, old_part));
}

/* Plain text counts as of the document's language. */
static const json_t *in_language (const struct differ *self, const json_t *text,
                                  const char *lang) {
    if (json_is_object (text))
        return json_object_get (text, lang);
    return strcmp (lang, self->lang) == 0 ? text : NULL;
}

static void tell_languages (struct differ *self,
                            const struct diff_member *member,
                            const json_t *list, const json_t *before,
                            const json_t *after, bool gone) {
    json_t *iterated = (json_t *) (uintptr_t) list;
    for (void *at = json_object_iter (iterated); at;
         at = json_object_iter_next (iterated, at)) {
        const char *lang = json_object_iter_key (at);
        const json_t *old = in_language (self, before, lang);
        const json_t *new = in_language (self, after, lang);
        char label[2 * SHOWN_MAX], text[SHOWN_MAX];
        if (diff_same (old, new) || (gone && new))
            continue;
        snprintf (label, sizeof label, "%s (%s)", member->one,
                  shown (text, slice_text (lang)));
        tell_texts (self, member, label, old, new);
    }
}

static bool is_text (const json_t *value) {
    return json_is_string (value) || json_is_object (value);
}

void tell_text (struct differ *self, const struct diff_member *member,
                const json_t *before, const json_t *after) {
    if (!is_text (before) || !is_text (after)
        || (json_is_string (before) && json_is_string (after))) {
        tell_texts (self, member, member->one, before, after);
        return;
    }
    json_t *plain = json_object();
    json_object_set_new_nocheck (plain, self->lang, json_null());
    tell_languages (self, member, json_is_object (after) ? after : plain,
                    before, after, false);
    tell_languages (self, member, json_is_object (before) ? before : plain,
                    before, after, true);
    json_decref (plain);
}

/* Sets */

typedef void name_fn (const struct differ *self, const json_t *item,
                      struct buf *out);

static bool is_plain (struct slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    return text.size > 0 && text.size < SHOWN_MAX;
}

static void name_item (const struct differ *self, const json_t *item,
                       struct buf *out) {
    char text[SHOWN_MAX];
    if (slice_is (string_slice (item), "*"))
        buf_add_text (out, "anybody");
    else if (is_plain (string_slice (item)))
        buf_add_slice (out, string_slice (item));
    else if (json_is_object (item)
             && json_is_string (json_object_get (item, self->lang)))
        buf_add_format (out, "'%s'", diff_title (self, text, item));
    else
        value_words (out, item);
}

static void name_priority (const struct differ *self, const json_t *item,
                           struct buf *out) {
    int number = taxonomy_priority (self->taxonomy, string_slice (item));
    if (number < 0)
        value_words (out, item);
    else
        buf_add_format (out, "'%s'",
                        taxonomy_priority_title (self->taxonomy, number));
}

static void name_region (const struct differ *self, const json_t *item,
                         struct buf *out) {
    int number = taxonomy_region (self->taxonomy, string_slice (item));
    if (number < 0)
        value_words (out, item);
    else
        buf_add_format (out, "'%s'",
                        taxonomy_region_title (self->taxonomy, number));
}

/* An item as what it is compared by; the caller's. */
static char *key_of (const json_t *item) {
    char *key =
        json_dumps (item, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    return key ? key : mem_copy_text ("");
}

static json_t *keys_of (const json_t *list) {
    json_t *out = json_object();
    for (size_t i = 0; i < json_array_size (list); i++) {
        char *key = key_of (json_array_get (list, i));
        json_object_set_new_nocheck (out, key, json_true());
        free (key);
    }
    return out;
}

/* What `list` has and `other` has not. */
static void tell_missing (struct differ *self, const struct diff_member *member,
                          const json_t *list, const json_t *other,
                          name_fn *name, bool gone) {
    json_t *keys = keys_of (other);
    struct buf names = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        char *key = key_of (item);
        if (!json_object_get (keys, key) && count++ < NAMES_TOLD) {
            buf_add_text (&names, names.size ? ", " : "");
            name (self, item, &names);
        }
        free (key);
    }
    if (count > NAMES_TOLD)
        buf_add_format (&names, " and %zu more", count - NAMES_TOLD);
    char *text = buf_take_text (&names);
    if (count > 0)
        diff_add (self, member->kind, gone && !other, "%s %s %s",
                  count > 1 ? member->many : member->one, text,
                  gone ? "removed" : "added");
    free (text);
    json_decref (keys);
}

static void tell_lists (struct differ *self, const struct diff_member *member,
                        const json_t *before, const json_t *after,
                        name_fn *name) {
    if ((before && !json_is_array (before))
        || (after && !json_is_array (after))) {
        tell_value (self, member, before, after);
        return;
    }
    tell_missing (self, member, after, before, name, false);
    tell_missing (self, member, before, after, name, true);
}

void tell_set (struct differ *self, const struct diff_member *member,
               const json_t *before, const json_t *after) {
    tell_lists (self, member, before, after, name_item);
}

void tell_priorities (struct differ *self, const struct diff_member *member,
                      const json_t *before, const json_t *after) {
    tell_lists (self, member, before, after, name_priority);
}

void tell_regions (struct differ *self, const struct diff_member *member,
                   const json_t *before, const json_t *after) {
    tell_lists (self, member, before, after, name_region);
}

/* Dates */

static bool date_of (const json_t *value, struct date *out) {
    struct slice text = string_slice (value);
    return text.data && date_read (text, out, NULL) == 0;
}

static int64_t months_of (const struct date *date) {
    char text[DATE_TEXT_MAX];
    date_text (text, date);
    text[4] = text[7] = '\0';
    return strtol (text, NULL, 10) * 12 + strtol (text + 5, NULL, 10);
}

/* How far, in the unit of both; false: they are not of one precision. */
static bool shift_of (const struct date *from, const struct date *to,
                      int64_t *count, const char **unit) {
    static const char *const units[] = { [PRECISION_YEAR] = "year",
                                         [PRECISION_MONTH] = "month",
                                         [PRECISION_DAY] = "day" };
    char a[DATE_TEXT_MAX], b[DATE_TEXT_MAX];
    if (from->precision != to->precision)
        return false;
    *unit = units[from->precision];
    if (from->precision == PRECISION_DAY)
        *count = (int64_t) to->first - from->first;
    else if (from->precision == PRECISION_MONTH)
        *count = months_of (to) - months_of (from);
    else
        *count = strtol (date_text (b, to), NULL, 10)
                 - strtol (date_text (a, from), NULL, 10);
    return true;
}

/* ", 40 days later"; "" where the precision is another. */
static char *later (char out[48], const struct date *from,
                    const struct date *to) {
    int64_t count;
    const char *unit;
    out[0] = '\0';
    if (shift_of (from, to, &count, &unit))
        snprintf (out, 48, ", %lld %s%s %s", (long long) llabs (count), unit,
                  llabs (count) == 1 ? "" : "s",
                  count < 0 ? "earlier" : "later");
    return out;
}

static void tell_dates (struct differ *self, enum diff_kind kind,
                        const char *label, const struct date *old,
                        const struct date *new) {
    char a[DATE_WORDS_MAX], b[DATE_WORDS_MAX], shift[48];
    diff_add (self, kind, false, "%s %s%s (was %s)", label, date_words (b, new),
              later (shift, old, new), date_words (a, old));
}

void tell_date (struct differ *self, const struct diff_member *member,
                const json_t *before, const json_t *after) {
    struct date old, new;
    char words[DATE_WORDS_MAX];
    bool had = date_of (before, &old), has = date_of (after, &new);
    if (had && has)
        tell_dates (self, member->kind, member->one, &old, &new);
    else if (had && !after)
        diff_add (self, member->kind, true, "%s removed (was %s)", member->one,
                  date_words (words, &old));
    else if (has && !before)
        diff_add (self, member->kind, false, "%s %s (was not given)",
                  member->one, date_words (words, &new));
    else
        tell_value (self, member, before, after);
}

static const char *on (const struct date *date) {
    return date->precision == PRECISION_DAY ? "on" : "in";
}

void tell_done (struct differ *self, const struct diff_member *member,
                const json_t *before, const json_t *after) {
    struct date old, new;
    char a[DATE_WORDS_MAX], b[DATE_WORDS_MAX];
    bool had = date_of (before, &old), has = date_of (after, &new);
    if (had && has)
        diff_add (self, member->kind, false, "done %s %s (was %s)", on (&new),
                  date_words (b, &new), date_words (a, &old));
    else if (has)
        diff_add (self, member->kind, false, "is done (%s)",
                  date_words (b, &new));
    else if (had && !after)
        diff_add (self, member->kind, true, "is not done any more (was %s)",
                  date_words (a, &old));
    else
        tell_value (self, member, before, after);
}

/* An action's days. */
struct days {
    const json_t *from_value, *to_value;
    struct date from, to;
    bool good, open;
};

static struct days days_of (const json_t *action) {
    struct days out = { .from_value = json_object_get (action, "from"),
                        .to_value = json_object_get (action, "to") };
    out.open = !out.to_value || json_is_null (out.to_value);
    out.good = date_of (out.from_value, &out.from)
               && (out.open || date_of (out.to_value, &out.to));
    return out;
}

/* Both ends by the same. */
static bool tell_moved (struct differ *self, const struct days *old,
                        const struct days *new) {
    int64_t start, end;
    const char *unit, *end_unit;
    char a[DATE_WORDS_MAX], b[DATE_WORDS_MAX];
    if (old->open || new->open
        || !shift_of (&old->from, &new->from, &start, &unit)
        || !shift_of (&old->to, &new->to, &end, &end_unit) || unit != end_unit
        || start != end || start == 0)
        return false;
    struct diff_mark mark = diff_step (self, "from");
    diff_add (self, DIFF_DATES, false, "moved by %lld %s%s%s (%s to %s)",
              (long long) llabs (start), unit, llabs (start) == 1 ? "" : "s",
              start < 0 ? ", earlier" : "", date_words (a, &old->from),
              date_words (b, &new->from));
    diff_back (self, mark);
    return true;
}

static void tell_end (struct differ *self, const struct days *old,
                      const struct days *new) {
    char words[DATE_WORDS_MAX];
    struct diff_mark mark = diff_step (self, "to");
    if (!old->open && !new->open)
        tell_dates (self, DIFF_DATES, "ends", &old->to, &new->to);
    else if (old->open)
        diff_add (self, DIFF_DATES, false, "ends %s (was ongoing)",
                  date_words (words, &new->to));
    else
        diff_add (self, DIFF_DATES, !new->to_value,
                  "is ongoing (was to end %s)", date_words (words, &old->to));
    diff_back (self, mark);
}

static void tell_raw (struct differ *self, const char *name,
                      const json_t *before, const json_t *after) {
    struct diff_member member = { name, DIFF_DATES, tell_value, name, NULL };
    struct diff_mark mark = diff_step (self, name);
    if (!diff_same (before, after))
        tell_value (self, &member, before, after);
    diff_back (self, mark);
}

void tell_span (struct differ *self, const json_t *before,
                const json_t *after) {
    struct days old = days_of (before), new = days_of (after);
    if (!old.good || !new.good) {
        tell_raw (self, "from", old.from_value, new.from_value);
        tell_raw (self, "to", old.to_value, new.to_value);
        return;
    }
    if (tell_moved (self, &old, &new))
        return;
    if (!diff_same (old.from_value, new.from_value)) {
        struct diff_mark mark = diff_step (self, "from");
        tell_dates (self, DIFF_DATES, "starts", &old.from, &new.from);
        diff_back (self, mark);
    }
    if (old.open != new.open
        || (!old.open && !diff_same (old.to_value, new.to_value)))
        tell_end (self, &old, &new);
}

/* Values of indicators. */

static void point_words (struct buf *out, const json_t *point) {
    struct date at;
    char words[DATE_WORDS_MAX];
    const json_t *value = json_object_get (point, "value");
    if (json_is_number (value) && date_of (json_object_get (point, "at"), &at))
        buf_add_format (out, "%.15g (%s)", json_number_value (value),
                        date_words (words, &at));
    else
        value_words (out, point);
}

void tell_point (struct differ *self, const struct diff_member *member,
                 const json_t *before, const json_t *after) {
    struct buf old = { 0 }, new = { 0 };
    if (!before || !after) {
        tell_value (self, member, before, after);
        return;
    }
    point_words (&old, before);
    point_words (&new, after);
    char *was = buf_take_text (&old), *is = buf_take_text (&new);
    diff_add (self, member->kind, false, "%s is %s, was %s", member->one, is,
              was);
    free (was);
    free (is);
}

static void name_point (const struct differ *self, const json_t *item,
                        struct buf *out) {
    (void) self;
    point_words (out, item);
}

void tell_points (struct differ *self, const struct diff_member *member,
                  const json_t *before, const json_t *after) {
    tell_lists (self, member, before, after, name_point);
}
