/* roster_write - the text of a roster from what the members bring (PROTOCOL.md
 * section 5.3). Members go in the order of the protocol's table and the rest
 * behind them, so that two versions can be compared line by line; what is wrong
 * in the result is the strict reader's to say. */
#include "identity/roster_write.h"

#include "identity/place.h"
#include "identity/roster_impl.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const order[] = {
    "format",   "requires", "version",   "previous",  "nonce",
    "name",     "origin",   "epoch",     "threshold", "root_signers",
    "log",      "brokers",  "proxies",   "entities",  "groups",
    "channels", "adhoc",    "witnesses", "quorum",    "limits",
};

/* JSON pieces. jansson fails only without memory, or for text that is no
 * UTF-8; all text here was parsed by it, or is ASCII. */
static json_t *made (json_t *value) {
    assert (value);
    return value;
}

static void put (json_t *object, const char *name, json_t *value) {
    int rc = json_object_set_new (object, name, value);
    assert (rc == 0);
    (void) rc;
}

static void append (json_t *array, json_t *value) {
    int rc = json_array_append_new (array, value);
    assert (rc == 0);
    (void) rc;
}

static json_t *key_json (const uint8_t key[KEY_SIZE]) {
    char text[BASE64_SIZE (KEY_SIZE)];
    return made (json_string (base64_encode (text, key, KEY_SIZE)));
}

static json_t *hex_json (const uint8_t octets[HASH_SIZE]) {
    char text[HEX_SIZE (HASH_SIZE)];
    return made (json_string (hex_encode (text, octets, HASH_SIZE)));
}

/* {"key": K}, and the same as the only item of KEYS. */
static json_t *key_object (const uint8_t key[KEY_SIZE]) {
    return made (json_pack ("{s:o}", "key", key_json (key)));
}

static json_t *keys_json (const uint8_t key[KEY_SIZE]) {
    return made (json_pack ("[o]", key_object (key)));
}

static json_t *keyset_json (const struct keyset *keys) {
    json_t *set = made (json_object());
    for (size_t i = 0; i < KEYSET_KEYS; i++)
        put (set, keyset_members[i].name,
             key_json (keyset_key (keys, &keyset_members[i])));
    return set;
}

/* Members of `from` that `to` does not have yet, behind those it has. */
static void add_rest (json_t *to, json_t *from) {
    const char *name;
    json_t *value;
    json_object_foreach (from, name, value) {
        if (!json_object_get (to, name))
            put (to, name, json_incref (value));
    }
}

/* The members in order, taken from `from`; takes the reference. */
static json_t *arranged (json_t *from) {
    json_t *to = made (json_object());
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        json_t *value = json_object_get (from, order[i]);
        if (value)
            put (to, order[i], json_incref (value));
    }
    add_rest (to, from);
    json_decref (from);
    return to;
}

static void text_write (json_t *document, const char *dialogue,
                        struct buf *out) {
    char *json = json_dumps (document, JSON_INDENT (1));
    assert (json);
    buf_add_format (out, "parley/roster/1\n%s\n", dialogue);
    buf_add_text (out, json);
    buf_add_text (out, "\n");
    free (json);
}

/* The first roster */

struct draft {
    const struct card *cards;
    size_t card_count;
    bool *used; /* a card each */
    const struct broker_public *brokers;
    size_t broker_count;
    const uint8_t *nonce;
    struct buf warnings;
};

static const struct card *card_find (struct draft *self, const char *name) {
    for (size_t i = 0; i < self->card_count; i++)
        if (strcmp (self->cards[i].name, name) == 0) {
            self->used[i] = true;
            return &self->cards[i];
        }
    return NULL;
}

static void signers_join (struct draft *self, const struct place *founding,
                          json_t *out) {
    struct place at = place_need (founding, "root_signers");
    json_t *signers = made (json_array());
    size_t n = place_array (&at, 1, ROSTER_SIGNERS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        const char *entity =
            place_grammar (&item, NULL, ENTITY_MAX, entity_valid, "an entity");
        char name[IDENTITY_NAME_MAX + 1];
        snprintf (name, sizeof name, "%s/root", entity);
        const struct card *card = card_find (self, name);
        if (!card || !card->is_root) {
            place_fail (&item, ERR_NOT_FOUND, "no card of %s", name);
            continue;
        }
        append (signers, made (json_pack ("{s:s, s:o}", "entity", entity, "key",
                                          key_json (card->root))));
    }
    put (out, "root_signers", signers);
}

/* A delegation of the founding with its card's keys, in the table's order. */
static json_t *delegation_join (struct draft *self, const struct place *at,
                                const char *entity) {
    json_t *out = made (json_object());
    json_t *keys = made (json_array());
    struct place present;
    if (place_try (at, "keys", &present))
        place_fail (&present, ERR_MALFORMED, "keys come from cards");
    struct place id = place_need (at, "id");
    const char *text = place_text (&id, NULL, 1, ROSTER_NAME_MAX);
    char name[ENTITY_MAX + ROSTER_NAME_MAX + 2];
    snprintf (name, sizeof name, "%s/%s", entity, text);
    const struct card *card = card_find (self, name);
    if (card && !card->is_root)
        append (keys, keyset_json (&card->keys));
    else if (!place_failed (at))
        buf_add_format (&self->warnings,
                        "%s has no card: it gets no keys and takes no part\n",
                        name);
    put (out, "id", made (json_string (text)));
    put (out, "keys", keys);
    if (!place_failed (at))
        add_rest (out, at->value);
    return out;
}

static json_t *entity_join (struct draft *self, const struct place *at) {
    const char *id = place_text (at, "id", 1, ENTITY_MAX);
    struct place list = place_need (at, "delegations");
    json_t *delegations = made (json_array());
    size_t n = place_array (&list, 0, ROSTER_DELEGATIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&list, i);
        append (delegations, delegation_join (self, &item, id));
    }
    json_t *out = made (json_object());
    if (!place_failed (at)) {
        add_rest (out, at->value);
        put (out, "delegations", delegations);
    } else
        json_decref (delegations);
    return out;
}

static void entities_join (struct draft *self, const struct place *founding,
                           json_t *out) {
    struct place at = place_need (founding, "entities");
    json_t *entities = made (json_array());
    size_t n = place_array (&at, 1, ROSTER_ENTITIES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        append (entities, entity_join (self, &item));
    }
    put (out, "entities", entities);
}

static void brokers_join (struct draft *self, json_t *out) {
    json_t *list = made (json_array());
    for (size_t i = 0; i < self->broker_count; i++) {
        const struct broker_public *b = &self->brokers[i];
        append (list, made (json_pack ("{s:s, s:s, s:s, s:o, s:o}", "id", b->id,
                                       "desk", b->desk, "feed", b->feed, "link",
                                       keys_json (b->link), "desk_key",
                                       keys_json (b->desk_key))));
        if (memcmp (b->log, self->brokers[0].log, KEY_SIZE) != 0)
            buf_add_format (&self->warnings,
                            "the log key is that of %s: the one of %s is left "
                            "out\n",
                            self->brokers[0].id, b->id);
    }
    put (out, "brokers", list);
    put (out, "log", key_object (self->brokers[0].log));
}

/* What a founding must not bring, since it is made here. */
static void made_here (const struct place *founding) {
    static const char *const names[] = { "format", "version", "previous",
                                         "nonce",  "epoch",   "log",
                                         "brokers" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct place at;
        if (place_try (founding, names[i], &at))
            place_fail (&at, ERR_MALFORMED, "no part of a founding");
    }
}

static json_t *founding_join (struct draft *self,
                              const struct place *founding) {
    made_here (founding);
    json_t *out = made (json_pack ("{s:i, s:[], s:i, s:n, s:o, s:{s:i}, s:[]}",
                                   "format", 1, "requires", "version", 1,
                                   "previous", "nonce", hex_json (self->nonce),
                                   "epoch", "number", 1, "proxies"));
    signers_join (self, founding, out);
    entities_join (self, founding, out);
    brokers_join (self, out);
    struct place given;
    static const char *const optional[] = { "requires", "proxies" };
    for (size_t i = 0; i < 2; i++)
        if (place_try (founding, optional[i], &given))
            put (out, optional[i], json_incref (given.value));
    add_rest (out, founding->value);
    return arranged (out);
}

static enum err cards_check (const struct card *cards, size_t count,
                             struct error *e) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp (cards[i].name, cards[k].name) == 0)
                return error_set (e, ERR_EXISTS, "two cards of %s",
                                  cards[i].name);
    return ERR_NONE;
}

static void unused_warn (struct draft *self) {
    for (size_t i = 0; i < self->card_count; i++)
        if (!self->used[i])
            buf_add_format (&self->warnings,
                            "%s is not in the founding: its card is left out\n",
                            self->cards[i].name);
}

/* Into *text only what the strict reader takes. */
static enum err draft_finish (struct slice draft, const struct roster *previous,
                              struct buf *text, struct error *e) {
    struct roster *read = roster_read_draft (draft, e);
    if (!read)
        return e->code;
    enum err rc = previous ? roster_links (previous, read, e) : ERR_NONE;
    roster_unref (&read);
    if (!rc)
        buf_add_slice (text, draft);
    return rc;
}

enum err roster_draft_first (struct slice founding, const struct card *cards,
                             size_t card_count,
                             const struct broker_public *brokers,
                             size_t broker_count, const uint8_t nonce[32],
                             struct buf *text, struct buf *warnings,
                             struct error *e) {
    struct error own;
    e = e ? e : &own;
    if (broker_count < 1 || broker_count > ROSTER_BROKERS_MAX)
        return error_set (e, ERR_ARGUMENT, "%zu brokers, 1 to %d are needed",
                          broker_count, ROSTER_BROKERS_MAX);
    if (cards_check (cards, card_count, e))
        return e->code;
    json_t *parsed = place_parse (founding, ROSTER_JSON_MAX, e);
    if (!parsed)
        return error_at (e, "founding");

    struct draft draft = {
        .cards = cards,
        .card_count = card_count,
        .used = mem_alloc (card_count + 1),
        .brokers = brokers,
        .broker_count = broker_count,
        .nonce = nonce,
    };
    struct buf out = { 0 };
    struct reading reading;
    struct place at = place_start (&reading, parsed);
    json_t *document = founding_join (&draft, &at);
    enum err rc = reading.why.code;
    if (rc)
        error_set (e, rc, "founding: %s", reading.why.text);
    else {
        text_write (document, "-", &out);
        rc = draft_finish (buf_slice (&out), NULL, text, e);
    }
    if (!rc) {
        unused_warn (&draft);
        buf_add_slice (warnings, buf_slice (&draft.warnings));
    }
    buf_free (&draft.warnings);
    buf_free (&out);
    free (draft.used);
    json_decref (document);
    json_decref (parsed);
    return rc;
}

/* The next one */

static json_t *epoch_json (const struct roster *previous) {
    int64_t size;
    struct hash root;
    if (!roster_epoch_base (previous, &size, &root))
        return made (json_pack ("{s:i}", "number", 1));
    return made (json_pack (
        "{s:I, s:I, s:o}", "number", (json_int_t) previous->epoch, "base_size",
        (json_int_t) size, "base_root", hex_json (root.octets)));
}

/* A person who opens the next epoch writes its base; else it goes on. */
static bool opens_next (const struct roster *previous, const json_t *edited) {
    const json_t *epoch = json_object_get (edited, "epoch");
    return json_integer_value (json_object_get (epoch, "number"))
           == (json_int_t) previous->epoch + 1;
}

enum err roster_draft_next (const struct roster *previous,
                            struct slice document, struct buf *text,
                            struct error *e) {
    struct error own;
    e = e ? e : &own;
    json_t *edited = place_parse (document, ROSTER_JSON_MAX, e);
    if (!edited)
        return error_at (e, "roster");
    put (edited, "version",
         made (json_integer ((json_int_t) previous->version + 1)));
    put (edited, "previous", hex_json (previous->digest.octets));
    if (!opens_next (previous, edited))
        put (edited, "epoch", epoch_json (previous));
    json_object_del (edited, "nonce");
    edited = arranged (edited);

    char dialogue[HASH_TEXT_MAX];
    struct buf out = { 0 };
    text_write (edited, hash_text (dialogue, &previous->dialogue), &out);
    enum err rc = draft_finish (buf_slice (&out), previous, text, e);
    buf_free (&out);
    json_decref (edited);
    return rc;
}
