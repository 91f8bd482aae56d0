/* roster_grant - whom the grantees of channels stand for, decided once, when a
 * roster is read (PROTOCOL.md sections 5.3 and 5.4). */
#include "identity/place.h"
#include "identity/roster_impl.h"

/* Each adds the delegations that `name` stands for; false: there is none. */
typedef bool grant_f (const struct roster *self, struct slice name,
                      struct bits *out);

static void entity_grant (const struct roster *self, size_t index,
                          struct bits *out) {
    const struct roster_entity *entity = &self->entities[index];
    for (size_t i = 0; i < entity->delegation_count; i++)
        bits_add (out, entity->first_delegation + i);
}

static bool by_role (const struct roster *self, struct slice name,
                     struct bits *out) {
    for (size_t i = 0; i < self->entity_count; i++)
        if (slice_is (name, self->entities[i].role))
            entity_grant (self, i, out);
    return channel_name_valid (name); /* a role may have no bearer */
}

static bool by_entity (const struct roster *self, struct slice name,
                       struct bits *out) {
    size_t index;
    if (!names_find (&self->entity_index, name, &index))
        return false;
    entity_grant (self, index, out);
    return true;
}

static bool by_delegation (const struct roster *self, struct slice name,
                           struct bits *out) {
    size_t index;
    if (!names_find (&self->delegation_index, name, &index))
        return false;
    bits_add (out, index);
    return true;
}

static bool by_group (const struct roster *self, struct slice name,
                      struct bits *out) {
    size_t index;
    if (!names_find (&self->group_index, name, &index))
        return false;
    for (size_t i = 0; i < self->groups[index].entity_count; i++)
        entity_grant (self, self->groups[index].entities[i], out);
    return true;
}

static const struct {
    const char *prefix, *refusal;
    grant_f *grant;
} kinds[] = {
    { "role:", "no name of a role, [a-z][a-z0-9-]{0,31}", by_role },
    { "entity:", "no such entity", by_entity },
    { "delegation:", "no such delegation", by_delegation },
    { "group:", "no such group", by_group },
};

static void grantee_read (const struct roster *self, const struct place *at,
                          struct bits *out) {
    const char *text = place_text (at, NULL, 1, ROSTER_GRANTEE_MAX);
    if (place_failed (at))
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen (kinds[i].prefix);
        if (strncmp (text, kinds[i].prefix, n) != 0)
            continue;
        if (!kinds[i].grant (self, slice_text (text + n), out))
            place_refuse (at, "%s", kinds[i].refusal);
        return;
    }
    place_refuse (at, "must be role:NAME, entity:ID, delegation:ENTITY/name "
                      "or group:ID");
}

static void grantees_read (const struct roster *self, const struct place *at,
                           struct bits *out) {
    size_t n = place_array (at, 0, ROSTER_GRANTEES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = place_item (at, i);
        grantee_read (self, &item, out);
    }
}

static void channel_grant (struct roster *self, const struct place *at,
                           struct grant *out) {
    struct place readers = place_need (at, "readers");
    struct place writers = place_need (at, "writers");
    grantees_read (self, &readers, &out->readers);
    grantees_read (self, &writers, &out->writers);
    for (size_t i = 0; i < self->delegation_count; i++)
        if (bits_has (&out->writers, i) && !bits_has (&out->readers, i))
            place_fail (&writers, ERR_MALFORMED,
                        "%s may write but not read: writers must be readers",
                        self->delegations[i].name);
    out->heard = bits_meet (&out->readers, &self->with_keys);
}

void roster_grant_channels (struct roster *self, const struct place *channels) {
    for (size_t i = 0; i < self->channel_count; i++) {
        if (place_failed (channels))
            return;
        struct place item = place_item (channels, i);
        channel_grant (self, &item, &self->grants[i]);
    }
}

void roster_grant_adhoc (struct roster *self, const struct place *adhoc) {
    grantees_read (self, adhoc, &self->openers);
    for (size_t i = 0; i < self->delegation_count; i++)
        if (bits_has (&self->openers, i))
            self->states[self->delegations[i].entity].opens = true;
}
