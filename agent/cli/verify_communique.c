/* verify_communique - who signed a communique, by a roster (THREADS.md
 * section 7). */
#include "verify_impl.h"

#include "base/clock.h"
#include "base/topic.h"
#include "files.h"
#include "identity/roster.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* Its lines, and what the roster knows of each. */
struct adoptions {
    struct note note;
    const struct roster *roster; /* borrowed */
    struct hash dialogue;
    struct slice body; /* behind the first two lines */
    /* Note keys of those that signed, by their names; two at most of each. */
    char names[NOTE_SIGNATURES_MAX][IDENTITY_NAME_MAX + 1];
    struct note_key keys[2 * NOTE_SIGNATURES_MAX];
    bool good[2 * NOTE_SIGNATURES_MAX];
    size_t name_count, key_count, good_count;
};

static bool is_there (const struct adoptions *self, struct slice name) {
    for (size_t i = 0; i < self->name_count; i++)
        if (slice_is (name, self->names[i]))
            return true;
    return false;
}

static void keys_add (struct adoptions *self, struct slice name) {
    const struct roster_delegation *found =
        delegation_valid (name) ? roster_delegation (self->roster, name) : NULL;
    if (!found || is_there (self, name))
        return;
    char *own = self->names[self->name_count++];
    memcpy (own, name.data, name.size);
    own[name.size] = '\0';
    for (int i = 0; i < found->key_count; i++)
        if (i == 0
            || memcmp (found->keys[0].note, found->keys[i].note, KEY_SIZE) != 0)
            self->keys[self->key_count++] =
                (struct note_key){ own, found->keys[i].note };
}

static enum err adoptions_read (struct adoptions *self, struct slice octets,
                                struct error *e) {
    enum note_kind kind;
    bool has_dialogue;
    enum err rc = note_read (octets, &self->note, e);
    if (!rc)
        rc = note_head (self->note.text, &kind, &self->dialogue, &has_dialogue,
                        &self->body, e);
    if (!rc && !hash_equal (&self->dialogue, roster_dialogue (self->roster)))
        rc = error_set (e, ERR_RIGHT,
                        "the communique and the roster are of two dialogues");
    for (size_t i = 0; !rc && i < self->note.count; i++)
        keys_add (self, self->note.lines[i].name);
    if (!rc)
        rc = note_verify (&self->note, self->keys, self->key_count, self->good,
                          e);
    for (size_t i = 0; !rc && i < self->key_count; i++)
        self->good_count += self->good[i];
    if (!rc && self->good_count == 0)
        rc = error_set (e, ERR_SIGNATURE,
                        "none of its %zu signatures is by a key of roster "
                        "version %" PRId64,
                        self->note.count, roster_version (self->roster));
    return rc;
}

static bool is_good (const struct adoptions *self, struct slice name) {
    for (size_t i = 0; i < self->key_count; i++)
        if (self->good[i] && slice_is (name, self->keys[i].name))
            return true;
    return false;
}

/* What the roster says beside the key. */
static void state_add (struct buf *out,
                       const struct roster_delegation *delegation) {
    char time[CLOCK_TEXT_MAX];
    if (delegation->revoked)
        buf_add_text (out, ", which that roster says is revoked");
    else if (delegation->expires > 0)
        buf_add_format (out, ", whose keys expire at %s",
                        clock_text (time, delegation->expires));
}

static void say_signer (const struct adoptions *self, struct verifying *out,
                        json_t *list, struct slice name) {
    bool good = is_good (self, name);
    struct buf text = { 0 };
    const struct roster_delegation *delegation =
        good ? roster_delegation (self->roster, name) : NULL;
    if (delegation)
        state_add (&text, delegation);
    else
        buf_add_text (&text, " (not checked: that key is not in this roster)");
    char *more = buf_take_text (&text);
    table_cell (out->table, good ? "adopted by" : "unknown");
    table_format (out->table, "%.*s%s", (int) name.size,
                  (const char *) name.data, more);
    json_array_append_new (
        list, json_pack ("{s:o s:b}", "name",
                         json_stringn ((const char *) name.data, name.size),
                         "known", good));
    free (more);
}

/* "thread ...", "version ...", "binding ...", as they stand. */
static void say_head (struct verifying *out, struct slice rest) {
    static const char *const names[] = { "thread", "version", "binding" };
    struct slice value;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (field_take (&rest, names[i], &value))
            verify_say (out, names[i], "%.*s", (int) value.size,
                        (const char *) value.data);
}

static int adoptions_say (const struct adoptions *self,
                          const struct asked *asked) {
    struct verifying out;
    char text[HASH_TEXT_MAX];
    json_t *list = json_array();
    struct hash digest = note_digest (self->note.text);
    verify_begin (&out, "communique");
    verify_say (&out, "dialogue", "%s%s", hash_text (text, &self->dialogue),
                asked->dialogue ? "" : " (compare it with the one you know)");
    say_head (&out, self->body);
    verify_say (&out, "digest", "%s", hash_text (text, &digest));
    verify_say (&out, "roster", "version %" PRId64,
                roster_version (self->roster));
    for (size_t i = 0; i < self->note.count; i++)
        say_signer (self, &out, list, self->note.lines[i].name);
    json_object_set_new (out.object, "signatures", list);
    return verify_end (
        &out, asked,
        self->good_count == self->note.count
            ? "All of its signatures verify, by keys of this roster. What they "
              "sign is the text itself."
            : "The signatures by keys of this roster verify; those of others "
              "are not known here.");
}

static struct roster *roster_load (const struct asked *asked, struct error *e) {
    struct buf note = { 0 };
    struct roster *out = NULL;
    if (!file_read (asked->roster, NOTE_MAX, &note, e))
        out = roster_read (buf_slice (&note), e);
    if (out && asked->dialogue
        && !hash_equal (asked->dialogue, roster_dialogue (out))) {
        (void) error_set (e, ERR_RIGHT, "the roster is of another dialogue");
        roster_unref (&out);
    }
    buf_free (&note);
    return out;
}

int verify_communique (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    if (!asked->roster)
        verify_refuse ("a communique needs --roster: whose keys signed it");
    struct roster *roster = roster_load (asked, &e);
    if (!roster)
        return verify_fail (asked, &e);
    struct adoptions *self = mem_alloc (sizeof *self);
    self->roster = roster;
    int code = adoptions_read (self, octets, &e) ? verify_fail (asked, &e)
                                                 : adoptions_say (self, asked);
    free (self);
    roster_unref (&roster);
    return code;
}
