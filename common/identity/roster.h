/* roster - who takes part, in which channels, with which keys, in one version
 * (PROTOCOL.md section 5.3).
 *
 * Immutable and counted: a thread that holds a reference may read it without
 * locks while another swaps the roster in force. All returned pointers are
 * borrowed and live as long as the roster. Reading it says nothing about who
 * signed it: roster_chain.h does. */
#ifndef PARLEY_ROSTER_H
#define PARLEY_ROSTER_H

#include "identity/note.h"

#include <stdint.h>

#define ROSTER_JSON_MAX 1000000 /* octets */
#define ROSTER_SIGNERS_MAX 64
#define ROSTER_ENTITIES_MAX 256
#define ROSTER_DELEGATIONS_MAX 512
/* A checkpoint that hands over has lines of the old and of the new ones, and the
 * log's: NOTE_SIGNATURES_MAX. */
#define ROSTER_WITNESSES_MAX 31
#define ROSTER_CHANNELS_MAX 256
#define ROSTER_GROUPS_MAX 256
#define ROSTER_BROKERS_MAX 8
#define ROSTER_PROXIES_MAX 64
#define ROSTER_NAME_MAX 32 /* roles, groups, broker ids, channels */

struct roster;

struct roster_entity {
    const char *id, *name, *role, *sector;
    const char *const *regions; /* codes */
    size_t region_count;
    size_t first_delegation, delegation_count; /* neighbours in the table */
};

/* A delegation with key_count 0 takes no part yet. Set 0 is the present one. */
struct roster_delegation {
    const char *name; /* EUROPOL/hq */
    size_t entity;    /* index */
    size_t index;     /* own */
    struct keyset keys[2];
    struct key_id sign_id[2];
    int key_count;
    int64_t older_until; /* of set 1: valid before this time (ms) */
    int64_t expires;     /* ms; 0: never */
    bool revoked;
};

struct roster_channel {
    const char *id, *title;
    const char *const *readers; /* grantees as written */
    const char *const *writers;
    size_t reader_count, writer_count;
    int64_t retention_days; /* 0: kept */
    size_t index;
};

struct roster_group {
    const char *id, *title;
    const size_t *entities; /* indexes */
    size_t entity_count;
};

/* A broker's key with its predecessor. */
struct roster_keys {
    uint8_t key[2][KEY_SIZE];
    int count;
    int64_t older_until; /* of key 1 */
};
struct roster_broker {
    const char *id, *desk, *feed; /* endpoints */
    struct roster_keys link, desk_key;
};
struct roster_proxy {
    const char *id, *feed;
    uint8_t link[KEY_SIZE];
};
struct roster_signer {
    const char *entity;
    char name[IDENTITY_NAME_MAX + 1]; /* ENTITY/root */
    uint8_t key[KEY_SIZE];
};
struct roster_limits {
    int64_t messages_a_minute, octets_a_minute;
    int64_t connections, requests_outstanding, lanes_a_day;
};

/* Read a roster's note strictly (copied). NULL and *e: ERR_MALFORMED with the
 * JSON path and the rule, ERR_LIMIT, ERR_NEWER for a `requires` or format that
 * this build does not know. Signatures are not judged. One reference. */
struct roster *roster_read (struct slice note, struct error *e) MUST_CHECK;
/* The same of a text that nobody signed yet; it ends with a newline. */
struct roster *roster_read_draft (struct slice text, struct error *e)
    MUST_CHECK;
struct roster *roster_ref (struct roster *self); /* returns self */
void roster_unref (struct roster **self_p);

struct slice roster_octets (const struct roster *self); /* the whole note */
const struct note *roster_note (const struct roster *self);
const struct hash *roster_digest (const struct roster *self); /* of its text */
/* The first roster's digest; a first roster's own. */
const struct hash *roster_dialogue (const struct roster *self);
int64_t roster_version (const struct roster *self);
bool roster_is_first (const struct roster *self);
const struct hash *roster_previous (const struct roster *self); /* or NULL */
const char *roster_name (const struct roster *self);
const char *roster_origin (const struct roster *self);
int64_t roster_epoch (const struct roster *self);
/* false: epoch 1 of the founding, which has no base. */
bool roster_epoch_base (const struct roster *self, int64_t *size,
                        struct hash *root);
int roster_threshold (const struct roster *self);
const uint8_t *roster_log_key (const struct roster *self);
const struct roster_limits *roster_limits (const struct roster *self);
int roster_quorum (const struct roster *self);

/* Tables, in the order of the document. _at asserts the index. */
size_t roster_signers (const struct roster *self);
const struct roster_signer *roster_signer_at (const struct roster *, size_t);
size_t roster_entities (const struct roster *self);
const struct roster_entity *roster_entity_at (const struct roster *, size_t);
size_t roster_delegations (const struct roster *self);
const struct roster_delegation *roster_delegation_at (const struct roster *,
                                                      size_t);
size_t roster_channels (const struct roster *self);
const struct roster_channel *roster_channel_at (const struct roster *, size_t);
size_t roster_groups (const struct roster *self);
const struct roster_group *roster_group_at (const struct roster *, size_t);
size_t roster_brokers (const struct roster *self);
const struct roster_broker *roster_broker_at (const struct roster *, size_t);
size_t roster_proxies (const struct roster *self);
const struct roster_proxy *roster_proxy_at (const struct roster *, size_t);
size_t roster_witnesses (const struct roster *self);
const struct roster_delegation *roster_witness_at (const struct roster *,
                                                   size_t);

/* By name; NULL where there is none. Constant or logarithmic time. */
const struct roster_entity *roster_entity (const struct roster *self,
                                           struct slice id);
const struct roster_delegation *roster_delegation (const struct roster *self,
                                                   struct slice name);
const struct roster_channel *roster_channel (const struct roster *self,
                                             struct slice id);
const struct roster_broker *roster_broker (const struct roster *self,
                                           struct slice id);
/* Whose link key this is, either of two sets, whatever their dates say. NULL. */
const struct roster_delegation *roster_by_link (const struct roster *self,
                                                const uint8_t key[KEY_SIZE],
                                                int *set);
const struct roster_proxy *roster_proxy_by_link (const struct roster *self,
                                                 const uint8_t key[KEY_SIZE]);

/* Bit sets over delegations, decided when the roster was read: whom the
 * grantees of a channel, or of `adhoc`, stand for (with or without keys). */
bool roster_channel_reader (const struct roster *,
                            const struct roster_channel *,
                            const struct roster_delegation *);
bool roster_channel_writer (const struct roster *,
                            const struct roster_channel *,
                            const struct roster_delegation *);
bool roster_adhoc_opener (const struct roster *,
                          const struct roster_delegation *);

#endif
