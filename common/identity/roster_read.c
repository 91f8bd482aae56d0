/* roster_read - from a note to the table, strictly (PROTOCOL.md section 5.3).
 *
 * Each function reads one place of the document; place.h keeps the first
 * failure, so that nobody asks before the end. Tables get the size of the
 * document's arrays, which are bounded first. */
#include "identity/roster.h"

#include "base/clock.h"
#include "base/sock.h"
#include "identity/place.h"
#include "identity/roster_impl.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define ENDPOINT_MAX 255
#define REQUIRES_MAX 16
#define RETENTION_DAYS_MAX 36500
#define CONNECTIONS_MAX 64
#define REQUESTS_MAX 1024
#define LANES_MAX 1024

/* Grammars */

static bool endpoint_valid (struct slice s) {
    char text[ENDPOINT_MAX + 1];
    memcpy (text, s.data, s.size);
    text[s.size] = '\0';
    return sock_endpoint_check (text, NULL) == ERR_NONE;
}

static bool origin_valid (struct slice s) {
    for (size_t i = 0; i < s.size; i++)
        if (s.data[i] <= ' ' || s.data[i] > '~' || s.data[i] == '+')
            return false;
    return true;
}

static bool channel_id_valid (struct slice s) {
    return channel_name_valid (s) && !slice_is (s, "log");
}

const char *roster_read_name (const struct place *at, const char *name) {
    return place_grammar (at, name, ROSTER_NAME_MAX, channel_name_valid,
                          "a name, [a-z][a-z0-9-]{0,31}");
}

const char *roster_read_entity_name (const struct place *at, const char *name) {
    return place_grammar (at, name, ENTITY_MAX, entity_valid,
                          "an entity, [A-Z][A-Z0-9]{1,15}");
}

static const char *endpoint_read (const struct place *at, const char *name) {
    return place_grammar (at, name, ENDPOINT_MAX, endpoint_valid,
                          "an endpoint, tcp://HOST:PORT");
}

void *roster_table (size_t count, size_t size) {
    return count ? mem_alloc (count * size) : NULL;
}

void roster_distinct (struct names *index, const struct place *table,
                      const char *rule) {
    size_t row = names_sort (index);
    if (row == NAMES_DISTINCT || place_failed (table))
        return;
    struct place at = place_item (table, row);
    place_fail (&at, ERR_MALFORMED, "%s", rule);
}

/* Keys */

static const char *const KEY_NAMES[] = { "key", NULL };
static const char *const OLDER_KEY_NAMES[] = { "key", "until", NULL };

static void keys_read (const struct place *broker, const char *name,
                       struct roster_keys *out) {
    struct place at = place_need (broker, name);
    size_t n = place_array (&at, 1, 2);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        place_object (&item, i == 0 ? KEY_NAMES : OLDER_KEY_NAMES);
        place_key (&item, "key", out->key[i]);
        if (i == 1)
            out->older_until = place_date (&item, "until");
    }
    out->count = (int) n;
}

/* References to rows */

static size_t entity_find (const struct roster *self, const struct place *at,
                           const char *name) {
    size_t index = 0;
    struct place v = name ? place_need (at, name) : *at;
    const char *id = roster_read_entity_name (&v, NULL);
    if (!place_failed (&v)
        && !names_find (&self->entity_index, slice_text (id), &index))
        place_refuse (&v, "no such entity");
    return index;
}

static size_t delegation_find (const struct roster *self,
                               const struct place *at) {
    size_t index = 0;
    const char *name =
        place_grammar (at, NULL, DELEGATION_MAX, delegation_valid,
                       "a delegation, ENTITY/name");
    if (!place_failed (at)
        && !names_find (&self->delegation_index, slice_text (name), &index))
        place_refuse (at, "no such delegation");
    return index;
}

/* Whether `value` is among the ones before it. The tables are short. */
static bool stands_before (const size_t *values, size_t count, size_t value) {
    for (size_t i = 0; i < count; i++)
        if (values[i] == value)
            return true;
    return false;
}

static const char *const SIGNER_NAMES[] = { "entity", "key", NULL };

static void signers_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "root_signers");
    size_t n = place_array (&at, 1, ROSTER_SIGNERS_MAX);
    size_t entities[ROSTER_SIGNERS_MAX];
    self->signers = roster_table (n, sizeof *self->signers);
    self->signer_count = n;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        place_object (&item, SIGNER_NAMES);
        entities[i] = entity_find (self, &item, "entity");
        if (place_failed (&at))
            return;
        if (stands_before (entities, i, entities[i]))
            place_fail (&item, ERR_MALFORMED, "%s has a root signer already",
                        self->entities[entities[i]].id);
        struct roster_signer *signer = &self->signers[i];
        signer->entity = self->entities[entities[i]].id;
        snprintf (signer->name, sizeof signer->name, "%s/root", signer->entity);
        place_key (&item, "key", signer->key);
    }
    self->threshold = (int) place_int (document, "threshold", 1, (int64_t) n);
}

static void witnesses_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "witnesses");
    size_t n = place_array (&at, 0, ROSTER_WITNESSES_MAX);
    self->witnesses = roster_table (n, sizeof *self->witnesses);
    self->witness_count = n;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        self->witnesses[i] = delegation_find (self, &item);
        if (stands_before (self->witnesses, i, self->witnesses[i]))
            place_refuse (&item, "stands twice");
    }
    self->quorum = (int) place_int (document, "quorum", n ? 1 : 0, (int64_t) n);
}

static const char *const GROUP_NAMES[] = { "id", "title", "entities", NULL };

static void group_read (struct roster *self, const struct place *at,
                        size_t index) {
    struct roster_group *group = &self->groups[index];
    place_object (at, GROUP_NAMES);
    group->id = roster_read_name (at, "id");
    group->title = place_text (at, "title", 1, ROSTER_TEXT_MAX);
    struct place list = place_need (at, "entities");
    size_t n = place_array (&list, 0, ROSTER_ENTITIES_MAX);
    size_t *entities = roster_table (n, sizeof *entities);
    group->entities = entities;
    group->entity_count = n;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&list, i);
        entities[i] = entity_find (self, &item, NULL);
        if (stands_before (entities, i, entities[i]))
            place_refuse (&item, "stands twice");
    }
    names_add (&self->group_index, group->id, index);
}

static void groups_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "groups");
    self->group_count = place_array (&at, 0, ROSTER_GROUPS_MAX);
    self->groups = roster_table (self->group_count, sizeof *self->groups);
    for (size_t i = 0; i < self->group_count; i++) {
        struct place item = place_item (&at, i);
        group_read (self, &item, i);
    }
    roster_distinct (&self->group_index, &at, "a group's id stands twice");
}

/* Brokers and proxies */

static const char *const BROKER_NAMES[] = { "id",   "desk",     "feed",
                                            "link", "desk_key", NULL };

static void brokers_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "brokers");
    self->broker_count = place_array (&at, 1, ROSTER_BROKERS_MAX);
    self->brokers = roster_table (self->broker_count, sizeof *self->brokers);
    for (size_t i = 0; i < self->broker_count; i++) {
        struct place item = place_item (&at, i);
        struct roster_broker *broker = &self->brokers[i];
        place_object (&item, BROKER_NAMES);
        broker->id = roster_read_name (&item, "id");
        broker->desk = endpoint_read (&item, "desk");
        broker->feed = endpoint_read (&item, "feed");
        keys_read (&item, "link", &broker->link);
        keys_read (&item, "desk_key", &broker->desk_key);
        names_add (&self->broker_index, broker->id, i);
    }
    roster_distinct (&self->broker_index, &at, "a broker's id stands twice");
}

static const char *const PROXY_NAMES[] = { "id", "feed", "link", NULL };

static void proxies_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "proxies");
    self->proxy_count = place_array (&at, 0, ROSTER_PROXIES_MAX);
    self->proxies = roster_table (self->proxy_count, sizeof *self->proxies);
    for (size_t i = 0; i < self->proxy_count; i++) {
        struct place item = place_item (&at, i);
        struct roster_proxy *proxy = &self->proxies[i];
        place_object (&item, PROXY_NAMES);
        proxy->id = roster_read_name (&item, "id");
        proxy->feed = endpoint_read (&item, "feed");
        place_key (&item, "link", proxy->link);
        names_add (&self->proxy_index, proxy->id, i);
    }
    roster_distinct (&self->proxy_index, &at, "a proxy's id stands twice");
}

/* Channels; whom their grantees stand for is roster_grant.c's */

static size_t grantees_read (const struct place *channel, const char *name,
                             const char *const **out) {
    struct place at = place_need (channel, name);
    size_t n = place_array (&at, 0, ROSTER_GRANTEES_MAX);
    const char **list = roster_table (n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        list[i] = place_text (&item, NULL, 1, ROSTER_GRANTEE_MAX);
    }
    *out = list;
    return n;
}

static const char *const CHANNEL_NAMES[] = {
    "id", "title", "readers", "writers", "retention_days", NULL
};

static void channel_read (struct roster *self, const struct place *at,
                          size_t index) {
    struct roster_channel *channel = &self->channels[index];
    place_object (at, CHANNEL_NAMES);
    channel->index = index;
    channel->id = place_grammar (at, "id", ROSTER_NAME_MAX, channel_id_valid,
                                 "a name, [a-z][a-z0-9-]{0,31}, not log");
    channel->title = place_text (at, "title", 1, ROSTER_TEXT_MAX);
    channel->reader_count = grantees_read (at, "readers", &channel->readers);
    channel->writer_count = grantees_read (at, "writers", &channel->writers);
    struct place days;
    if (place_try (at, "retention_days", &days))
        channel->retention_days =
            place_int (&days, NULL, 1, RETENTION_DAYS_MAX);
    names_add (&self->channel_index, channel->id, index);
}

static void channels_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "channels");
    self->channel_count = place_array (&at, 0, ROSTER_CHANNELS_MAX);
    self->channels = roster_table (self->channel_count, sizeof *self->channels);
    self->grants = roster_table (self->channel_count, sizeof *self->grants);
    for (size_t i = 0; i < self->channel_count; i++) {
        struct place item = place_item (&at, i);
        channel_read (self, &item, i);
    }
    roster_distinct (&self->channel_index, &at, "a channel's id stands twice");
    roster_grant_channels (self, &at);
    struct place adhoc = place_need (document, "adhoc");
    roster_grant_adhoc (self, &adhoc);
}

/* The document itself */

static const char *const LIMIT_NAMES[] = {
    "messages_a_minute",    "octets_a_minute", "connections",
    "requests_outstanding", "lanes_a_day",     NULL
};

static void limits_read (struct roster *self, const struct place *document) {
    struct roster_limits *limits = &self->limits;
    struct place at = place_need (document, "limits");
    place_object (&at, LIMIT_NAMES);
    limits->messages_a_minute =
        place_int (&at, "messages_a_minute", 1, CLOCK_MS_MAX);
    limits->octets_a_minute =
        place_int (&at, "octets_a_minute", 1, CLOCK_MS_MAX);
    limits->connections = place_int (&at, "connections", 1, CONNECTIONS_MAX);
    limits->requests_outstanding =
        place_int (&at, "requests_outstanding", 1, REQUESTS_MAX);
    limits->lanes_a_day = place_int (&at, "lanes_a_day", 1, LANES_MAX);
}

/* Before any other rule, since a newer format has other ones. */
static void format_read (const struct place *document) {
    struct place at = place_need (document, "format");
    if (place_int (&at, NULL, 1, CLOCK_MS_MAX) > 1)
        place_fail (&at, ERR_NEWER, "%jd: this program knows 1",
                    (intmax_t) json_integer_value (at.value));
    struct place requires = place_need (document, "requires");
    size_t n = place_array (&requires, 0, REQUIRES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&requires, i);
        const char *feature = roster_read_name (&item, NULL);
        place_fail (&item, ERR_NEWER, "%s: this program does not know it",
                    feature);
    }
}

static const char *const EPOCH_NAMES[] = { "number", "base_size", "base_root",
                                           NULL };
static const char *const EPOCH_ONE_NAMES[] = { "number", NULL };

static void epoch_read (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "epoch");
    self->epoch = place_int (&at, "number", 1, CLOCK_MS_MAX);
    place_object (&at, self->epoch == 1 ? EPOCH_ONE_NAMES : EPOCH_NAMES);
    if (place_failed (&at))
        return;
    if (self->epoch > self->version) {
        struct place number = place_need (&at, "number");
        place_refuse (&number, "must not be above the version");
    }
    if (self->epoch > 1) {
        self->base_size = place_int (&at, "base_size", 1, CLOCK_MS_MAX);
        place_hash (&at, "base_root", &self->base_root);
    }
}

/* What the first one has and no other, and the reverse. */
static void place_in_chain_read (struct roster *self,
                                 const struct place *document) {
    struct place version = place_need (document, "version");
    self->version = place_int (&version, NULL, 1, CLOCK_MS_MAX);
    if (self->is_first != (self->version == 1))
        place_refuse (&version, "must be 1 exactly where line 2 is '-'");
    struct place previous = place_need (document, "previous");
    if (!self->is_first)
        place_hash (&previous, NULL, &self->previous);
    else if (!place_failed (&previous) && !json_is_null (previous.value))
        place_refuse (&previous, "must be null in the first roster");
    struct place nonce;
    struct hash octets;
    if (self->is_first)
        place_hash (document, "nonce", &octets);
    else if (place_try (document, "nonce", &nonce))
        place_fail (&nonce, ERR_MALFORMED, "only the first roster has one");
    epoch_read (self, document);
}

static const char *const DOCUMENT_NAMES[] = {
    "format",  "requires", "version",   "previous",     "nonce", "name",
    "origin",  "epoch",    "threshold", "root_signers", "log",   "brokers",
    "proxies", "entities", "groups",    "channels",     "adhoc", "witnesses",
    "quorum",  "limits",   NULL,
};

static void document_read (struct roster *self, const struct place *document) {
    format_read (document);
    place_object (document, DOCUMENT_NAMES);
    place_in_chain_read (self, document);
    self->name = place_text (document, "name", 1, ROSTER_TEXT_MAX);
    self->origin =
        place_grammar (document, "origin", ROSTER_TEXT_MAX, origin_valid,
                       "a key name: ASCII without spaces and '+'");
    roster_read_entities (self, document);
    signers_read (self, document);
    struct place log = place_need (document, "log");
    place_object (&log, KEY_NAMES);
    place_key (&log, "key", self->log_key);
    brokers_read (self, document);
    proxies_read (self, document);
    groups_read (self, document);
    channels_read (self, document);
    witnesses_read (self, document);
    limits_read (self, document);
    struct buf twice = { 0 };
    if (!place_failed (document) && !roster_index_keys (self, &twice))
        place_fail (document, ERR_MALFORMED, "%.*s: no key may stand twice",
                    (int) twice.size, (const char *) twice.data);
    buf_free (&twice);
}

/* The note */

static enum err text_read (struct roster *self, struct error *e) {
    enum note_kind kind;
    struct slice json;
    bool has_dialogue;
    enum err rc = note_head (self->note.text, &kind, &self->dialogue,
                             &has_dialogue, &json, e);
    if (rc)
        return rc;
    if (kind != NOTE_ROSTER)
        return error_set (e, ERR_MALFORMED, "a note, but no roster");
    self->digest = note_digest (self->note.text);
    self->is_first = !has_dialogue;
    if (self->is_first)
        self->dialogue = self->digest;
    self->document = place_parse (json, ROSTER_JSON_MAX, e);
    if (!self->document)
        return e->code;
    struct reading reading;
    struct place document = place_start (&reading, self->document);
    document_read (self, &document);
    if (place_failed (&document))
        *e = reading.why;
    return reading.why.code;
}

static struct roster *roster_new (struct slice octets) {
    struct roster *self = mem_alloc (sizeof *self);
    atomic_init (&self->references, 1);
    self->octets = mem_copy (octets.data, octets.size);
    return self;
}

/* `failed` is the caller's own part; the other is read here. */
static struct roster *finish (struct roster *self, enum err failed,
                              struct error *why, struct error *e) {
    if (!failed)
        failed = text_read (self, why);
    if (failed) {
        error_set (e, failed, "roster: %s", why->text);
        roster_unref (&self);
    }
    return self;
}

struct roster *roster_read (struct slice note, struct error *e) {
    if (note.size > NOTE_MAX || note.size == 0) {
        error_set (e, note.size ? ERR_LIMIT : ERR_MALFORMED,
                   "roster: note of %zu octets, 1 to %d", note.size, NOTE_MAX);
        return NULL;
    }
    struct error why;
    struct roster *self = roster_new (note);
    enum err rc =
        note_read (slice_of (self->octets, note.size), &self->note, &why);
    return finish (self, rc, &why, e);
}

struct roster *roster_read_draft (struct slice text, struct error *e) {
    assert (text.size > 0 && text.data[text.size - 1] == '\n');
    struct error why;
    struct roster *self = roster_new (text);
    self->note.text = slice_of (self->octets, text.size);
    return finish (self, ERR_NONE, &why, e);
}
