/* json_say - what stands in messages of threads. */
#include "api/json_say.h"

#include "api/http_impl.h"
#include "api/json_record.h"

#include <stdlib.h>
#include <string.h>

/* Values */

json_t *json_instant (const struct instant *at) {
    char utc[INSTANT_TEXT_MAX], words[INSTANT_WORDS_MAX];
    return json_pack ("{ss ss ss}", "utc", instant_utc (utc, at->ms), "text",
                      at->text, "words", instant_words (words, at));
}

json_t *json_instant_or_null (bool has, const struct instant *at) {
    return has ? json_instant (at) : json_null();
}

json_t *json_names (const struct names *names) {
    json_t *out = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new (out, json_string (names->at[i]));
    return out;
}

json_t *json_said_text (const struct text *text, const char *lang) {
    return text->count ? json_text_in (text, lang) : json_null();
}

json_t *json_word (const char *word) {
    return *word ? json_slice (slice_text (word)) : json_null();
}

const char *json_says (enum thread_says says) {
    static const char *const names[] = { "for", "against", "neither" };
    return names[says];
}

json_t *json_tally (const struct tally *tally) {
    return json_pack (
        "{sI sI sI sI sI}", "members", (json_int_t) tally->members, "for",
        (json_int_t) tally->for_, "against", (json_int_t) tally->against,
        "neither", (json_int_t) tally->neither, "silent",
        (json_int_t) tally->silent);
}

json_t *json_decisions (const struct proposal *proposal, const char *lang) {
    json_t *out = json_array();
    for (size_t i = 0; i < proposal->decision_count; i++) {
        const struct decision *at = &proposal->decisions[i];
        json_array_append_new (
            out, json_pack ("{ss so so so}", "id", at->id, "text",
                            json_text_in (&at->text, lang), "owner",
                            json_word (at->owner), "by",
                            json_instant_or_null (at->has_by, &at->by)));
    }
    return out;
}

json_t *json_asks (const struct model *model,
                   const struct thread_version *version, int64_t since) {
    struct ask asks[SAY_REFS_MAX];
    char words[ASK_WORDS_MAX];
    json_t *out = json_array();
    size_t count = asks_changed (model, version, since, asks, SAY_REFS_MAX);
    for (size_t i = 0; i < count; i++)
        json_array_append_new (
            out, json_pack ("{ss ss so}", "ref", asks[i].about->ref, "words",
                            ask_words (words, &asks[i]), "sequence",
                            json_place_or_null (asks[i].sequence)));
    return out;
}

json_t *json_acks (struct request *r, const struct hash *message,
                   const char *channel) {
    struct ack_by by[ACK_DELEGATIONS_MAX];
    json_t *verified = json_array(), *seen = json_array();
    size_t count = acks_of (projector_acks (r->http->options.projector),
                            message, channel, by, ACK_DELEGATIONS_MAX);
    for (size_t i = 0; i < count; i++)
        json_array_append_new (by[i].state == ACK_SEEN ? seen : verified,
                               json_string (by[i].delegation));
    return json_pack ("{so so}", "verified", verified, "seen", seen);
}

/* Bodies */

void say_bodies_add (struct say_bodies *self, const struct origin *origin,
                     enum say_part part, json_t *into) {
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    self->at[self->count++] = (struct say_body){ *origin, part, into };
}

/* Newest first; one body's places together. */
static int by_place (const void *a, const void *b) {
    const struct say_body *x = a, *y = b;
    if (x->origin.sequence != y->origin.sequence)
        return x->origin.sequence > y->origin.sequence ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

/* Plain, or in that language, or the first by name, as text_in has it. */
static json_t *text_of (const json_t *value, const char *lang) {
    const json_t *one = value;
    if (json_is_object (value)) {
        json_t *map = (json_t *) (uintptr_t) value;
        const char *name, *first = NULL;
        json_t *at;
        size_t size = strcspn (lang, "-");
        one = json_object_get (value, lang);
        json_object_foreach (map, name, at) {
            if (!one && size > 0 && strlen (name) == size
                && strncmp (name, lang, size) == 0)
                one = at;
            first = !first || strcmp (name, first) < 0 ? name : first;
        }
        one = one || !first ? one : json_object_get (value, first);
    }
    return json_is_string (one) ? json_incref ((json_t *) (uintptr_t) one)
                                : json_null();
}

static json_t *said (const json_t *body, const char *member, const char *lang) {
    return text_of (json_object_get (body, member), lang);
}

/* What a person reads of it first. */
static json_t *main_text (const json_t *body, const char *lang) {
    static const char *const names[] = { "text", "title", "reason" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_get (body, names[i]))
            return said (body, names[i], lang);
    return json_null();
}

static json_t *proposal_of (const json_t *body) {
    static const char *const not [] = { "format", "thread", "does", "function",
                                        NULL };
    json_t *out = json_copy ((json_t *) (uintptr_t) body);
    for (size_t i = 0; not [i]; i++)
        json_object_del (out, not [i]);
    return out;
}

static void body_put (const struct say_body *at, json_t *body,
                      const char *lang) {
    switch (at->part) {
    case SAY_ALL:
        json_object_set (at->into, "content", body);
        json_object_set_new (at->into, "text", main_text (body, lang));
        break;
    case SAY_SUGGESTION:
        json_object_set_new (at->into, "text", said (body, "text", lang));
        json_object_set_new (at->into, "put", said (body, "put", lang));
        break;
    case SAY_CONTRIBUTION:
    case SAY_DONE:
        json_object_set_new (at->into, "text", said (body, "text", lang));
        break;
    case SAY_PROPOSAL:
        json_object_set_new (at->into, "proposal", proposal_of (body));
        json_object_set_new (at->into, "text", said (body, "text", lang));
        break;
    }
}

void say_bodies_fill (struct say_bodies *self, struct store *store,
                      const char *lang) {
    size_t octets = 0;
    json_t *body = NULL;
    int64_t of = -1;
    qsort (self->at, self->count, sizeof *self->at, by_place);
    for (size_t i = 0; i < self->count; i++) {
        const struct say_body *at = &self->at[i];
        if (at->origin.sequence != of) {
            json_decref (body);
            body = octets < SAY_OCTETS_MAX ? plans_load (store, &at->origin)
                                           : NULL;
            of = at->origin.sequence;
            octets += body ? json_dumpb (body, NULL, 0, JSON_COMPACT) : 0;
        }
        if (body)
            body_put (at, body, lang);
    }
    json_decref (body);
    free (self->at);
    *self = (struct say_bodies){ 0 };
}

/* Messages */

bool say_unread (struct request *r, const struct thread_entry *entry,
                 int64_t read) {
    return entry->origin.sequence > read
           && strcmp (entry->origin.author, r->http->options.delegation) != 0;
}

json_t *json_message (struct request *r, const struct thread_entry *entry,
                      int64_t read, struct say_bodies *bodies) {
    char entity[ENTITY_MAX + 1];
    const struct say *say = entry->say;
    const struct origin *origin = &entry->origin;
    json_t *out = json_pack (
        "{sI so so ss ss so so so so sb sb so sb sn sn}", "sequence",
        (json_int_t) origin->sequence, "id", json_hash (&origin->id), "does",
        say ? json_string (thread_does_name (say->does)) : json_null(),
        "author", origin->author, "entity", origin_entity (entity, origin),
        "handed_in_by", json_word (entry->via), "function",
        json_word (say ? say->function : ""), "time",
        json_time (origin->log_time), "problems",
        entry->faults ? faults_json (entry->faults) : json_null(), "newer",
        entry->newer, "absent", entry->absent, "acks",
        json_acks (r, &origin->id, origin->channel), "unread",
        say_unread (r, entry, read), "text", "content");
    json_object_set_new (out, "written", json_time (entry->author_time));
    say_bodies_add (bodies, origin, SAY_ALL, out);
    return out;
}
