/* roster - the table: its rows, its indexes and who holds it. Immutable once
 * roster_read.c has filled it; the count of references is atomic. */
#include "identity/roster.h"

#include "identity/roster_impl.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

const struct keyset_member keyset_members[KEYSET_KEYS] = {
    { "sign", KEY_SIGN, offsetof (struct keyset, sign) },
    { "note", KEY_NOTE, offsetof (struct keyset, note) },
    { "witness", KEY_WITNESS, offsetof (struct keyset, witness) },
    { "seal", KEY_SEAL, offsetof (struct keyset, seal) },
    { "link", KEY_LINK, offsetof (struct keyset, link) },
};

/* References */

struct roster *roster_ref (struct roster *self) {
    atomic_fetch_add_explicit (&self->references, 1, memory_order_relaxed);
    return self;
}

static void lists_free (struct roster *self) {
    for (size_t i = 0; self->entities && i < self->entity_count; i++)
        free ((void *) (uintptr_t) self->entities[i].regions);
    for (size_t i = 0; self->groups && i < self->group_count; i++)
        free ((void *) (uintptr_t) self->groups[i].entities);
    for (size_t i = 0; self->channels && i < self->channel_count; i++) {
        free ((void *) (uintptr_t) self->channels[i].readers);
        free ((void *) (uintptr_t) self->channels[i].writers);
    }
}

static void destroy (struct roster *self) {
    lists_free (self);
    free (self->entity_index.rows);
    free (self->delegation_index.rows);
    free (self->group_index.rows);
    free (self->channel_index.rows);
    free (self->broker_index.rows);
    free (self->proxy_index.rows);
    free (self->keys);
    free (self->signers);
    free (self->brokers);
    free (self->proxies);
    free (self->entities);
    free (self->delegations);
    free (self->delegation_names);
    free (self->groups);
    free (self->channels);
    free (self->witnesses);
    free (self->grants);
    free (self->states);
    json_decref (self->document);
    free (self->octets);
    free (self);
}

void roster_unref (struct roster **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    /* Who lets go last has to see what the others did before they let go. */
    if (atomic_fetch_sub_explicit (&(*self_p)->references, 1,
                                   memory_order_acq_rel)
        == 1)
        destroy (*self_p);
    *self_p = NULL;
    errno = saved;
}

/* Names */

static int slice_order (struct slice a, struct slice b) {
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n ? memcmp (a.data, b.data, n) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int named_order (const void *a_p, const void *b_p) {
    const struct named *a = a_p, *b = b_p;
    int order = slice_order (a->name, b->name);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

void names_add (struct names *self, const char *name, size_t index) {
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->rows = mem_resize (self->rows, self->room * sizeof *self->rows);
    }
    self->rows[self->count++] = (struct named){ slice_text (name), index };
}

size_t names_sort (struct names *self) {
    if (self->count == 0)
        return NAMES_DISTINCT;
    qsort (self->rows, self->count, sizeof *self->rows, named_order);
    for (size_t i = 1; i < self->count; i++)
        if (slice_equal (self->rows[i - 1].name, self->rows[i].name))
            return self->rows[i].index;
    return NAMES_DISTINCT;
}

bool names_find (const struct names *self, struct slice name, size_t *index) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_order (self->rows[middle].name, name);
        if (order == 0) {
            *index = self->rows[middle].index;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Keys */

static void key_add (struct roster *self, const uint8_t *key, enum key_row row,
                     size_t index, enum identity_key which, int set) {
    struct key_place *place = &self->keys[self->key_count++];
    memcpy (place->key, key, KEY_SIZE);
    place->row = row;
    place->index = index;
    place->which = which;
    place->set = set;
}

static void delegation_keys_add (struct roster *self, size_t index) {
    const struct roster_delegation *d = &self->delegations[index];
    for (int set = 0; set < d->key_count; set++)
        for (size_t i = 0; i < KEYSET_KEYS; i++)
            key_add (self, keyset_key (&d->keys[set], &keyset_members[i]),
                     ROW_DELEGATION, index, keyset_members[i].which, set);
}

static void broker_keys_add (struct roster *self, size_t index) {
    const struct roster_broker *b = &self->brokers[index];
    for (int set = 0; set < b->link.count; set++)
        key_add (self, b->link.key[set], ROW_BROKER, index, KEY_BROKER_LINK,
                 set);
    for (int set = 0; set < b->desk_key.count; set++)
        key_add (self, b->desk_key.key[set], ROW_BROKER, index, KEY_DESK, set);
}

static void path_write (const struct roster *self,
                        const struct key_place *place, struct buf *out) {
    const struct roster_delegation *d;
    switch (place->row) {
    case ROW_DELEGATION:
        d = &self->delegations[place->index];
        buf_add_format (
            out, "entities[%zu].delegations[%zu].keys[%d].%s", d->entity,
            d->index - self->entities[d->entity].first_delegation, place->set,
            keyset_members[place->which - KEY_SIGN].name);
        break;
    case ROW_BROKER:
        buf_add_format (out, "brokers[%zu].%s[%d].key", place->index,
                        place->which == KEY_DESK ? "desk_key" : "link",
                        place->set);
        break;
    case ROW_PROXY:
        buf_add_format (out, "proxies[%zu].link", place->index);
        break;
    case ROW_SIGNER:
        buf_add_format (out, "root_signers[%zu].key", place->index);
        break;
    case ROW_LOG:
        buf_add_text (out, "log.key");
        break;
    }
}

static int key_order (const void *a, const void *b) {
    return memcmp (((const struct key_place *) a)->key,
                   ((const struct key_place *) b)->key, KEY_SIZE);
}

/* Equal keys by their places, so that two readers refuse with one text. */
static int place_order (const void *a_p, const void *b_p) {
    const struct key_place *a = a_p, *b = b_p;
    int order = key_order (a, b);
    if (order == 0)
        order = (a->row > b->row) - (a->row < b->row);
    if (order == 0)
        order = (a->index > b->index) - (a->index < b->index);
    return order ? order : (a->set > b->set) - (a->set < b->set);
}

bool roster_index_keys (struct roster *self, struct buf *text) {
    size_t room = 2 * KEYSET_KEYS * self->delegation_count
                  + 4 * self->broker_count + self->proxy_count
                  + self->signer_count + 1;
    self->keys = mem_alloc (room * sizeof *self->keys);
    for (size_t i = 0; i < self->signer_count; i++)
        key_add (self, self->signers[i].key, ROW_SIGNER, i, KEY_ROOT, 0);
    key_add (self, self->log_key, ROW_LOG, 0, KEY_LOG, 0);
    for (size_t i = 0; i < self->broker_count; i++)
        broker_keys_add (self, i);
    for (size_t i = 0; i < self->proxy_count; i++)
        key_add (self, self->proxies[i].link, ROW_PROXY, i, KEY_LINK, 0);
    for (size_t i = 0; i < self->delegation_count; i++)
        delegation_keys_add (self, i);
    assert (self->key_count <= room);
    qsort (self->keys, self->key_count, sizeof *self->keys, place_order);
    for (size_t i = 1; i < self->key_count; i++) {
        if (key_order (&self->keys[i - 1], &self->keys[i]) != 0)
            continue;
        path_write (self, &self->keys[i - 1], text);
        buf_add_text (text, " and ");
        path_write (self, &self->keys[i], text);
        return false;
    }
    return true;
}

static const struct key_place *key_find (const struct roster *self,
                                         const uint8_t key[KEY_SIZE]) {
    struct key_place wanted;
    memcpy (wanted.key, key, KEY_SIZE);
    return bsearch (&wanted, self->keys, self->key_count, sizeof *self->keys,
                    key_order);
}

const struct roster_delegation *roster_by_link (const struct roster *self,
                                                const uint8_t key[KEY_SIZE],
                                                int *set) {
    const struct key_place *place = key_find (self, key);
    if (!place || place->row != ROW_DELEGATION || place->which != KEY_LINK)
        return NULL;
    if (set)
        *set = place->set;
    return &self->delegations[place->index];
}

const struct roster_proxy *roster_proxy_by_link (const struct roster *self,
                                                 const uint8_t key[KEY_SIZE]) {
    const struct key_place *place = key_find (self, key);
    return place && place->row == ROW_PROXY ? &self->proxies[place->index]
                                            : NULL;
}

/* The document */

struct slice roster_octets (const struct roster *self) {
    return self->note.octets;
}
const struct note *roster_note (const struct roster *self) {
    return &self->note;
}
const struct hash *roster_digest (const struct roster *self) {
    return &self->digest;
}
const struct hash *roster_dialogue (const struct roster *self) {
    return &self->dialogue;
}
int64_t roster_version (const struct roster *self) {
    return self->version;
}
bool roster_is_first (const struct roster *self) {
    return self->is_first;
}
const struct hash *roster_previous (const struct roster *self) {
    return self->is_first ? NULL : &self->previous;
}
const char *roster_name (const struct roster *self) {
    return self->name;
}
const char *roster_origin (const struct roster *self) {
    return self->origin;
}
int64_t roster_epoch (const struct roster *self) {
    return self->epoch;
}
bool roster_epoch_base (const struct roster *self, int64_t *size,
                        struct hash *root) {
    if (self->epoch == 1)
        return false;
    *size = self->base_size;
    *root = self->base_root;
    return true;
}
int roster_threshold (const struct roster *self) {
    return self->threshold;
}
const uint8_t *roster_log_key (const struct roster *self) {
    return self->log_key;
}
const struct roster_limits *roster_limits (const struct roster *self) {
    return &self->limits;
}
int roster_quorum (const struct roster *self) {
    return self->quorum;
}

/* Rows */

size_t roster_signers (const struct roster *self) {
    return self->signer_count;
}
const struct roster_signer *roster_signer_at (const struct roster *self,
                                              size_t n) {
    assert (n < self->signer_count);
    return &self->signers[n];
}
size_t roster_entities (const struct roster *self) {
    return self->entity_count;
}
const struct roster_entity *roster_entity_at (const struct roster *self,
                                              size_t n) {
    assert (n < self->entity_count);
    return &self->entities[n];
}
size_t roster_delegations (const struct roster *self) {
    return self->delegation_count;
}
const struct roster_delegation *roster_delegation_at (const struct roster *self,
                                                      size_t n) {
    assert (n < self->delegation_count);
    return &self->delegations[n];
}
size_t roster_channels (const struct roster *self) {
    return self->channel_count;
}
const struct roster_channel *roster_channel_at (const struct roster *self,
                                                size_t n) {
    assert (n < self->channel_count);
    return &self->channels[n];
}
size_t roster_groups (const struct roster *self) {
    return self->group_count;
}
const struct roster_group *roster_group_at (const struct roster *self,
                                            size_t n) {
    assert (n < self->group_count);
    return &self->groups[n];
}
size_t roster_brokers (const struct roster *self) {
    return self->broker_count;
}
const struct roster_broker *roster_broker_at (const struct roster *self,
                                              size_t n) {
    assert (n < self->broker_count);
    return &self->brokers[n];
}
size_t roster_proxies (const struct roster *self) {
    return self->proxy_count;
}
const struct roster_proxy *roster_proxy_at (const struct roster *self,
                                            size_t n) {
    assert (n < self->proxy_count);
    return &self->proxies[n];
}
size_t roster_witnesses (const struct roster *self) {
    return self->witness_count;
}
const struct roster_delegation *roster_witness_at (const struct roster *self,
                                                   size_t n) {
    assert (n < self->witness_count);
    return &self->delegations[self->witnesses[n]];
}

const struct roster_entity *roster_entity (const struct roster *self,
                                           struct slice id) {
    size_t n;
    return names_find (&self->entity_index, id, &n) ? &self->entities[n] : NULL;
}
const struct roster_delegation *roster_delegation (const struct roster *self,
                                                   struct slice name) {
    size_t n;
    return names_find (&self->delegation_index, name, &n)
               ? &self->delegations[n]
               : NULL;
}
const struct roster_channel *roster_channel (const struct roster *self,
                                             struct slice id) {
    size_t n;
    return names_find (&self->channel_index, id, &n) ? &self->channels[n]
                                                     : NULL;
}
const struct roster_broker *roster_broker (const struct roster *self,
                                           struct slice id) {
    size_t n;
    return names_find (&self->broker_index, id, &n) ? &self->brokers[n] : NULL;
}

/* Rights as the grantees have them; rights.h adds time and revocation. */

bool roster_channel_reader (const struct roster *self,
                            const struct roster_channel *channel,
                            const struct roster_delegation *d) {
    return bits_has (&self->grants[channel->index].readers, d->index);
}
bool roster_channel_writer (const struct roster *self,
                            const struct roster_channel *channel,
                            const struct roster_delegation *d) {
    return bits_has (&self->grants[channel->index].writers, d->index);
}
bool roster_adhoc_opener (const struct roster *self,
                          const struct roster_delegation *d) {
    return bits_has (&self->openers, d->index);
}
