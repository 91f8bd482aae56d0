/* What the files of the roster share: the table as it lies in memory. Only for
 * roster*.c and rights.c. */
#ifndef PARLEY_ROSTER_IMPL_H
#define PARLEY_ROSTER_IMPL_H

#include "base/topic.h"
#include "identity/roster.h"

#include <stdatomic.h>

struct json_t;

#define ROSTER_GRANTEE_MAX 64 /* octets: "delegation:" and 49 */
#define ROSTER_GRANTEES_MAX                                                    \
    1024 /* of one list: all entities, delegations,
                                    groups of the largest roster */

/* A set of delegations, by index. */
#define BITS_WORDS (ROSTER_DELEGATIONS_MAX / 64)
struct bits {
    uint64_t words[BITS_WORDS];
};
static inline void bits_add (struct bits *self, size_t n) {
    self->words[n / 64] |= UINT64_C (1) << (n % 64);
}
static inline bool bits_has (const struct bits *self, size_t n) {
    return self->words[n / 64] >> (n % 64) & 1;
}
static inline bool bits_meet (const struct bits *a, const struct bits *b) {
    uint64_t both = 0;
    for (size_t i = 0; i < BITS_WORDS; i++)
        both |= a->words[i] & b->words[i];
    return both != 0;
}

/* Rows of one table by name. */
struct names {
    struct named {
        struct slice name; /* borrowed from the row */
        size_t index;
    } * rows; /* ascending; owned */
    size_t count, room;
};

/* Where a key stands. `set` counts within its row. */
enum key_row { ROW_SIGNER, ROW_LOG, ROW_BROKER, ROW_PROXY, ROW_DELEGATION };
struct key_place {
    uint8_t key[KEY_SIZE];
    enum key_row row;
    enum identity_key which;
    int set;
    size_t index;
};

/* What the grantees of a channel stand for. */
struct grant {
    struct bits readers, writers;
    bool heard; /* a reader has keys */
};

struct entity_state {
    bool opens;    /* ad-hoc channels */
    bool has_keys; /* one of its delegations has */
};

struct roster {
    atomic_size_t references;

    uint8_t *octets; /* owned; text alone for a draft */
    struct note note;
    struct hash digest, dialogue, previous;
    bool is_first;
    struct json_t *document; /* owned: the text in the tables is its */

    int64_t version, epoch, base_size;
    struct hash base_root;
    const char *name, *origin;
    int threshold, quorum;
    uint8_t log_key[KEY_SIZE];
    struct roster_limits limits;

    /* Tables, owned, in the document's order. */
    size_t signer_count, broker_count, proxy_count, entity_count;
    size_t delegation_count, group_count, channel_count, witness_count;
    struct roster_signer *signers;
    struct roster_broker *brokers;
    struct roster_proxy *proxies;
    struct roster_entity *entities;
    struct roster_delegation *delegations;
    char (*delegation_names)[DELEGATION_MAX + 1];
    struct roster_group *groups;
    struct roster_channel *channels;
    size_t *witnesses; /* delegations */

    struct names entity_index, delegation_index, group_index;
    struct names channel_index, broker_index, proxy_index;
    struct key_place *keys; /* ascending by key */
    size_t key_count;

    struct bits with_keys;
    struct bits openers;         /* of ad-hoc channels */
    struct grant *grants;        /* a channel's */
    struct entity_state *states; /* an entity's */
};

/* The names of a set's keys in JSON, and their places. */
#define KEYSET_KEYS 5
extern const struct keyset_member {
    const char *name;
    enum identity_key which;
    size_t offset; /* in struct keyset */
} keyset_members[KEYSET_KEYS];
static inline const uint8_t *keyset_key (const struct keyset *self,
                                         const struct keyset_member *member) {
    return (const uint8_t *) self + member->offset;
}

/* An entry of an index; names_sort once, before the first find. It returns the
 * later row of two with one name, or NAMES_DISTINCT. */
#define NAMES_DISTINCT SIZE_MAX
void names_add (struct names *self, const char *name, size_t index);
size_t names_sort (struct names *self);
bool names_find (const struct names *self, struct slice name, size_t *index);

/* Fill `keys` from the tables. Two places with one key: false, and they are
 * written to *text as paths. */
bool roster_index_keys (struct roster *self, struct buf *text) MUST_CHECK;

/* What the readers share. A table of zeroed rows, NULL for none; the grammars
 * of names; a failure at the later row where two have one name. */
#define ROSTER_TEXT_MAX 200 /* octets: name, title, sector */
struct place;
void *roster_table (size_t count, size_t size) MUST_CHECK;
const char *roster_read_name (const struct place *at, const char *name);
const char *roster_read_entity_name (const struct place *at, const char *name);
void roster_distinct (struct names *index, const struct place *table,
                      const char *rule);

/* roster_entities.c: fills entities, states, delegations and their indexes. */
void roster_read_entities (struct roster *self, const struct place *document);

/* roster_grant.c: grantees to bit sets, under the place of `channels` and of
 * `adhoc`. Failures are kept in their reading. */
void roster_grant_channels (struct roster *self, const struct place *channels);
void roster_grant_adhoc (struct roster *self, const struct place *adhoc);

/* roster_follows without its signatures (roster_chain.c). */
enum err roster_links (const struct roster *self, const struct roster *next,
                       struct error *e) MUST_CHECK;

#endif
