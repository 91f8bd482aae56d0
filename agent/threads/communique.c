/* communique - the note's text of a version, and signatures over it. */
#include "communique_impl.h"

#include "plans/plan_impl.h"

#include <jansson.h>
#include <stdlib.h>

/* "— ", a delegation's name, a space, 68 octets as base64, a line feed. */
#define LINE_MAX (4 + DELEGATION_MAX + 1 + BASE64_SIZE (68) - 1 + 1)
/* A text leaves room for all signatures that a note may have. */
#define TEXT_MAX (NOTE_MAX - 1 - NOTE_SIGNATURES_MAX * LINE_MAX)

/* Languages: the binding one, then by octets. */

static int name_order (const void *a, const void *b) {
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Names of a text's languages, sorted; borrowed, the list the caller's. */
static const char **language_names (const json_t *text, size_t *count) {
    json_t *map = (json_t *) (uintptr_t) text; /* iterators change nothing */
    *count = 0;
    const char **out = mem_alloc ((json_object_size (text) + 1) * sizeof *out);
    for (void *at = json_object_iter (map); at;
         at = json_object_iter_next (map, at))
        out[(*count)++] = json_object_iter_key (at);
    if (*count > 1)
        qsort (out, *count, sizeof *out, name_order);
    return out;
}

const char *communique_word (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

const char *communique_text_in (const json_t *text, const char *lang) {
    if (json_is_string (text))
        return json_string_value (text);
    size_t count;
    if (json_object_get (text, lang))
        return communique_word (text, lang);
    const char **names = language_names (text, &count);
    const char *out = count > 0 ? communique_word (text, names[0]) : "";
    free (names);
    return out;
}

const char **communique_languages (const json_t *document, size_t *count) {
    const char *binding = communique_word (document, "binding");
    const json_t *first =
        json_array_get (json_object_get (document, "paragraphs"), 0);
    const char **out = language_names (json_object_get (first, "text"), count);
    if (*count == 0) /* plain: there is room for one */
        out[(*count)++] = binding;
    for (size_t i = 1; i < *count; i++)
        if (strcmp (out[i], binding) == 0) {
            memmove (out + 1, out, i * sizeof *out);
            out[0] = binding;
        }
    return out;
}

/* Text */

struct writing {
    struct buf *out;
    size_t start;
    const json_t *document;
    bool full; /* longer than a note may be; nothing is added any more */
};

static void put (struct writing *self, const char *text) {
    if (self->out->size - self->start + strlen (text) > TEXT_MAX)
        self->full = true;
    if (!self->full)
        buf_add_text (self->out, text);
}

/* An empty line and that text. */
static void put_block (struct writing *self, const char *text) {
    put (self, "\n");
    put (self, text);
    put (self, "\n");
}

static void put_brackets (struct writing *self, const char *owner,
                          const char *by) {
    if (!*owner && !*by)
        return;
    put (self, " [");
    put (self, owner);
    put (self, *owner && *by ? ", " : "");
    put (self, *by ? "by " : "");
    put (self, by);
    put (self, "]");
}

static void put_decisions (struct writing *self, const char *lang) {
    const json_t *list = json_object_get (self->document, "decisions");
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        put (self, "\nDecision ");
        put (self, communique_word (item, "id"));
        put (self, ": ");
        put (self, communique_text_in (json_object_get (item, "text"), lang));
        put_brackets (self, communique_word (item, "owner"),
                      communique_word (item, "by"));
        put (self, "\n");
    }
}

static void put_undertakings (struct writing *self, const char *lang) {
    const json_t *list = json_object_get (self->document, "undertakings");
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        put (self, "\nUndertaking ");
        put (self, communique_word (item, "id"));
        put (self, ": ");
        put (self, communique_word (item, "who"));
        put (self, ": ");
        put (self, communique_text_in (json_object_get (item, "what"), lang));
        put_brackets (self, "", communique_word (item, "by"));
        put (self, "\n");
    }
}

static void put_language (struct writing *self, const char *lang) {
    const json_t *text = json_object_get (self->document, "text");
    const json_t *list = json_object_get (self->document, "paragraphs");
    put (self, "\n== ");
    put (self, lang);
    put (self, " ==\n");
    put_block (self, communique_text_in (
                         json_object_get (self->document, "title"), lang));
    if (text)
        put_block (self, communique_text_in (text, lang));
    for (size_t i = 0; i < json_array_size (list) && !self->full; i++)
        put_block (self, communique_text_in (
                             json_object_get (json_array_get (list, i), "text"),
                             lang));
}

static void put_languages (struct writing *self) {
    size_t count;
    const char **names = communique_languages (self->document, &count);
    for (size_t i = 0; i < count && !self->full; i++) {
        put_language (self, names[i]);
        if (i > 0)
            continue;
        put_decisions (self, names[i]);
        put_undertakings (self, names[i]);
    }
    free (names);
}

enum err communique_text (struct buf *out, const struct hash *dialogue,
                          const struct thread_place *place,
                          const struct hash *version, const json_t *document,
                          struct error *e) {
    char topic[TOPIC_MAX + 1], id[HASH_TEXT_MAX], message[HASH_TEXT_MAX];
    struct writing writing = { .out = out,
                               .start = out->size,
                               .document = document };
    buf_add_format (out,
                    "parley/communique/1\n%s\nthread %s\nversion %s\n"
                    "binding %s\n",
                    hash_text (id, dialogue), thread_topic (topic, place),
                    hash_text (message, version),
                    communique_word (document, "binding"));
    put_languages (&writing);
    if (!writing.full)
        return ERR_NONE;
    out->size = writing.start;
    return error_set (e, ERR_LIMIT,
                      "the communique's text is longer than a note may be: "
                      "%d octets",
                      TEXT_MAX);
}

/* Signatures */

enum err communique_sign (const struct identity *identity, struct slice text,
                          struct buf *line, struct error *e) {
    enum err rc = note_sign (identity, text, line, e);
    if (!rc)
        line->size--;
    return rc;
}

/* One signature, and nothing that would move the text's end. */
static enum err line_check (struct slice octets, struct slice text,
                            const char *delegation, struct note *out,
                            struct error *e) {
    enum err rc = note_read (octets, out, e);
    if (rc)
        return ERR_MALFORMED;
    if (out->count != 1 || out->text.size != text.size)
        return error_set (e, ERR_MALFORMED,
                          "note: not one signature's line but others beside");
    if (!slice_is (out->lines[0].name, delegation))
        return error_set (e, ERR_SIGNATURE, "note: '%.*s' signed, not '%s'",
                          (int) out->lines[0].name.size,
                          (const char *) out->lines[0].name.data, delegation);
    return ERR_NONE;
}

enum err communique_check (struct slice text, const char *line,
                           const char *delegation,
                           const uint8_t (*keys)[KEY_SIZE], size_t key_count,
                           struct error *e) {
    struct buf octets = { 0 };
    struct note note;
    bool good = false;
    note_begin (&octets, text);
    buf_add_text (&octets, line);
    buf_add_text (&octets, "\n");
    enum err rc = line_check (buf_slice (&octets), text, delegation, &note, e);
    /* One by one: the older key may be the newer one again. */
    for (size_t i = 0; !rc && !good && i < key_count; i++) {
        struct note_key key = { delegation, keys[i] };
        rc = note_verify (&note, &key, 1, &good, e);
    }
    if (!rc && !good)
        rc = error_set (e, ERR_SIGNATURE,
                        "note: '%s' has no such note key there", delegation);
    buf_free (&octets);
    return rc;
}

const struct thread_stance *communique_stance (
    const struct thread *thread, const struct thread_party *party) {
    return party->stance == SIZE_MAX ? NULL : &thread->stances[party->stance];
}

/* NULL: it did not adopt, or that does not count. */
static const char *adoption (const struct thread *thread,
                             const struct thread_party *party) {
    const struct thread_stance *stance = communique_stance (thread, party);
    if (!stance || stance->state != STANCE_COUNTS
        || stance->entry->say->stance.says != THREAD_FOR)
        return NULL;
    return stance->entry->say->stance.signature;
}

/* Parties are by entity, and that is by delegation: '/' is below all of a
 * name's characters. */
enum err communique_note (struct buf *out, struct slice text,
                          const struct thread *thread, size_t version,
                          struct error *e) {
    const struct thread_version *at = &thread->versions[version];
    size_t start = out->size, count = 0;
    note_begin (out, text);
    for (size_t i = 0; i < at->party_count; i++) {
        const char *line = adoption (thread, &at->parties[i]);
        if (!line)
            continue;
        buf_add_text (out, line);
        buf_add_text (out, "\n");
        count++;
    }
    if (count > 0)
        return ERR_NONE;
    out->size = start;
    return error_set (e, ERR_NOT_FOUND,
                      "nobody has adopted version %lld: it has no signature",
                      (long long) at->number);
}
