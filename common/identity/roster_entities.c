/* roster_entities - the part of a roster's document that says who takes part:
 * entities, their delegations and the delegations' keys. */
#include "identity/place.h"
#include "identity/roster_impl.h"

#include "base/clock.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#define REGIONS_MAX 64
#define REGION_MAX 16

static bool region_valid (struct slice s) {
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.data[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')
            && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

static bool local_name_valid (struct slice s) {
    return channel_name_valid (s) && !slice_is (s, "root");
}

/* Keys */

static const char *const SET_NAMES[] = { "sign", "note", "witness",
                                         "seal", "link", NULL };
static const char *const OLDER_SET_NAMES[] = { "sign", "note", "witness",
                                               "seal", "link", "until",
                                               NULL };

static void sets_read (const struct place *delegation,
                       struct roster_delegation *d) {
    struct place at = place_need (delegation, "keys");
    size_t n = place_array (&at, 0, 2);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        place_object (&item, i == 0 ? SET_NAMES : OLDER_SET_NAMES);
        for (size_t k = 0; k < KEYSET_KEYS; k++)
            place_key (&item, keyset_members[k].name,
                       (uint8_t *) &d->keys[i] + keyset_members[k].offset);
        if (i == 1)
            d->older_until = place_date (&item, "until");
        d->sign_id[i] = key_id_of (KEY_TYPE_ED25519, d->keys[i].sign);
    }
    d->key_count = (int) n;
}

/* Entities and delegations */

static const char *const DELEGATION_NAMES[] = { "id", "keys", "expires",
                                                "revoked", NULL };

static void revoked_read (const struct place *at, struct roster_delegation *d) {
    struct place v;
    if (!place_try (at, "revoked", &v))
        return;
    d->revoked = true;
    int64_t ms;
    const char *date = json_string_value (v.value);
    if (!json_is_true (v.value) && (!date || clock_parse (date, &ms)))
        place_refuse (&v, "must be true or an RFC 3339 date");
}

static void delegation_read (struct roster *self, const struct place *at,
                             size_t entity, size_t index) {
    struct roster_delegation *d = &self->delegations[index];
    char *name = self->delegation_names[index];
    place_object (at, DELEGATION_NAMES);
    snprintf (name, DELEGATION_MAX + 1, "%s/%s", self->entities[entity].id,
              place_grammar (at, "id", ROSTER_NAME_MAX, local_name_valid,
                             "a name, [a-z][a-z0-9-]{0,31}, not root"));
    d->name = name;
    d->entity = entity;
    d->index = index;
    sets_read (at, d);
    struct place expires;
    if (place_try (at, "expires", &expires))
        d->expires = place_date (&expires, NULL);
    revoked_read (at, d);
    if (d->key_count > 0)
        bits_add (&self->with_keys, index);
    names_add (&self->delegation_index, name, index);
}

static void regions_read (const struct place *entity,
                          struct roster_entity *out) {
    struct place at = place_need (entity, "regions");
    size_t n = place_array (&at, 0, REGIONS_MAX);
    const char **regions = roster_table (n, sizeof *regions);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        regions[i] = place_grammar (&item, NULL, REGION_MAX, region_valid,
                                    "a region, [A-Za-z0-9-]{1,16}");
    }
    out->regions = regions;
    out->region_count = n;
}

static const char *const ENTITY_NAMES[] = { "id",     "name",    "role",
                                            "sector", "regions", "delegations",
                                            NULL };

static void entity_read (struct roster *self, const struct place *at,
                         size_t index, size_t *next) {
    struct roster_entity *entity = &self->entities[index];
    place_object (at, ENTITY_NAMES);
    entity->id = roster_read_entity_name (at, "id");
    entity->name = place_text (at, "name", 1, ROSTER_TEXT_MAX);
    entity->role = roster_read_name (at, "role");
    entity->sector = place_text (at, "sector", 1, ROSTER_TEXT_MAX);
    regions_read (at, entity);
    names_add (&self->entity_index, entity->id, index);

    struct place list = place_need (at, "delegations");
    entity->first_delegation = *next;
    entity->delegation_count = place_array (&list, 0, ROSTER_DELEGATIONS_MAX);
    for (size_t i = 0; i < entity->delegation_count; i++) {
        struct place item = place_item (&list, i);
        assert (*next < self->delegation_count);
        delegation_read (self, &item, index, (*next)++);
        self->states[index].has_keys |=
            self->delegations[*next - 1].key_count > 0;
    }
}

/* All entities', before any is read: what is no array counts as none. */
static size_t delegations_count (const struct place *entities, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (entities, i);
        count += json_array_size (json_object_get (item.value, "delegations"));
    }
    if (count > ROSTER_DELEGATIONS_MAX)
        place_fail (entities, ERR_LIMIT, "%zu delegations, at most %d", count,
                    ROSTER_DELEGATIONS_MAX);
    return place_failed (entities) ? 0 : count;
}

static void delegations_distinct (struct roster *self,
                                  const struct place *entities) {
    size_t row = names_sort (&self->delegation_index);
    if (row == NAMES_DISTINCT || place_failed (entities))
        return;
    const struct roster_delegation *d = &self->delegations[row];
    place_fail (entities, ERR_MALFORMED,
                "%s stands twice, again as [%zu].delegations"
                "[%zu]",
                d->name, d->entity,
                row - self->entities[d->entity].first_delegation);
}

void roster_read_entities (struct roster *self, const struct place *document) {
    struct place at = place_need (document, "entities");
    size_t n = place_array (&at, 1, ROSTER_ENTITIES_MAX);
    size_t count = delegations_count (&at, n), next = 0;
    if (place_failed (&at))
        return;
    self->entities = roster_table (n, sizeof *self->entities);
    self->states = roster_table (n, sizeof *self->states);
    self->entity_count = n;
    self->delegations = roster_table (count, sizeof *self->delegations);
    self->delegation_names =
        roster_table (count, sizeof *self->delegation_names);
    self->delegation_count = count;
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (&at, i);
        entity_read (self, &item, i, &next);
    }
    roster_distinct (&self->entity_index, &at, "an entity's id stands twice");
    delegations_distinct (self, &at);
}
