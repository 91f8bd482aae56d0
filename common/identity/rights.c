/* rights - may X read or write channel C, and with which keys (PROTOCOL.md
 * sections 5.4 and 5.5). Pure; asked for each message, so it allocates nothing
 * and looks names up in the roster's indexes. */
#include "identity/rights.h"

#include "identity/roster_impl.h"

#include <assert.h>

const char *verdict_name (enum verdict v) {
    static const char *const verdicts[] = {
        [VERDICT_YES] = "YES",
        [VERDICT_NO] = "NO",
        [VERDICT_NOT_LISTED] = "NOT-LISTED",
        [VERDICT_EXPIRED] = "EXPIRED",
        [VERDICT_REVOKED] = "REVOKED",
        [VERDICT_UNKNOWN_CHANNEL] = "UNKNOWN-CHANNEL",
        [VERDICT_EMPTY_AUDIENCE] = "EMPTY-AUDIENCE",
    };
    size_t n = (size_t) v;
    return n < sizeof verdicts / sizeof *verdicts ? verdicts[n] : "UNKNOWN";
}

/* Delegations */

static bool expired (const struct roster_delegation *d, int64_t at) {
    return d->expires != 0 && at >= d->expires;
}

/* `d` may be NULL. */
static enum verdict takes_part (const struct roster_delegation *d) {
    if (!d || d->key_count == 0)
        return VERDICT_NOT_LISTED;
    return d->revoked ? VERDICT_REVOKED : VERDICT_YES;
}

static enum verdict takes_part_at (const struct roster_delegation *d,
                                   int64_t at) {
    enum verdict v = takes_part (d);
    return v == VERDICT_YES && expired (d, at) ? VERDICT_EXPIRED : v;
}

/* Channels: found once, then asked about delegations. */
struct audience {
    enum { AUDIENCE_LOG, AUDIENCE_CHANNEL, AUDIENCE_ADHOC } kind;
    const struct roster *roster;
    const struct grant *grant; /* a roster channel's */
    struct slice adhoc;        /* its name, checked */
};

/* The grammar says nothing of the roster: every entity must be there, and one
 * of them be an opener. */
static enum verdict adhoc_find (struct audience *self, struct slice channel) {
    if (channel_adhoc_check (channel, NULL))
        return VERDICT_UNKNOWN_CHANNEL;
    bool opens = false, has_keys = false;
    struct slice entity;
    for (size_t n = 0; (entity = channel_adhoc_entity (channel, n)).size > 0;
         n++) {
        size_t index;
        if (!names_find (&self->roster->entity_index, entity, &index))
            return VERDICT_UNKNOWN_CHANNEL;
        opens |= self->roster->states[index].opens;
        has_keys |= self->roster->states[index].has_keys;
    }
    if (!opens)
        return VERDICT_UNKNOWN_CHANNEL;
    self->kind = AUDIENCE_ADHOC;
    self->adhoc = channel;
    return has_keys ? VERDICT_YES : VERDICT_EMPTY_AUDIENCE;
}

static enum verdict audience_find (struct audience *self,
                                   const struct roster *roster,
                                   struct slice channel) {
    *self = (struct audience){ .kind = AUDIENCE_LOG, .roster = roster };
    if (slice_is (channel, CHANNEL_LOG))
        return VERDICT_YES;
    if (channel_is_adhoc (channel))
        return adhoc_find (self, channel);
    size_t index;
    if (!names_find (&roster->channel_index, channel, &index))
        return VERDICT_UNKNOWN_CHANNEL;
    self->kind = AUDIENCE_CHANNEL;
    self->grant = &roster->grants[index];
    return self->grant->heard ? VERDICT_YES : VERDICT_EMPTY_AUDIENCE;
}

/* Whether the channel is for `d`, which takes part. */
static bool audience_has (const struct audience *self,
                          const struct roster_delegation *d, enum right right) {
    switch (self->kind) {
    case AUDIENCE_CHANNEL:
        return bits_has (right == RIGHT_READ ? &self->grant->readers
                                             : &self->grant->writers,
                         d->index);
    case AUDIENCE_ADHOC:
        return channel_adhoc_names (
            self->adhoc, slice_text (self->roster->entities[d->entity].id));
    case AUDIENCE_LOG:
        break;
    }
    return right == RIGHT_READ;
}

static enum verdict channel_ask (const struct roster *roster,
                                 const struct roster_delegation *d,
                                 struct slice channel, enum right right) {
    struct audience audience;
    enum verdict v = audience_find (&audience, roster, channel);
    if (v != VERDICT_YES)
        return v;
    return audience_has (&audience, d, right) ? VERDICT_YES : VERDICT_NO;
}

enum verdict rights_ask (const struct roster *roster, struct slice delegation,
                         struct slice channel, enum right right, int64_t at) {
    const struct roster_delegation *d = roster_delegation (roster, delegation);
    enum verdict v = takes_part_at (d, at);
    return v == VERDICT_YES ? channel_ask (roster, d, channel, right) : v;
}

/* Under `then` the expiry is not asked: `at` is now, and a date that `now` has
 * put off must not close what could be read in its time. */
bool rights_record (const struct roster *then, const struct roster *now,
                    struct slice delegation, struct slice channel,
                    struct slice author, int64_t at) {
    if (slice_equal (delegation, author))
        return true;
    if (rights_ask (now, delegation, channel, RIGHT_READ, at) != VERDICT_YES)
        return false;
    if (then == now || slice_is (channel, CHANNEL_LOG))
        return true;
    const struct roster_delegation *d = roster_delegation (then, delegation);
    return takes_part (d) == VERDICT_YES
           && channel_ask (then, d, channel, RIGHT_READ) == VERDICT_YES;
}

/* Is each ad-hoc channel that there could be under `then` one under `now`? */
static bool adhoc_stays (const struct roster *then, const struct roster *now) {
    for (size_t i = 0; i < roster_entities (then); i++) {
        size_t index;
        if (!names_find (&now->entity_index,
                         slice_text (roster_entity_at (then, i)->id), &index)
            || (then->states[i].opens && !now->states[index].opens))
            return false;
    }
    return true;
}

bool rights_stream (const struct roster *then, const struct roster *now,
                    struct slice delegation, struct slice stream, int64_t at) {
    struct slice none = { 0 };
    if (stream.size == 0 || stream.data[0] != '@')
        return rights_record (then, now, delegation, stream, none, at);
    return takes_part (roster_delegation (then, delegation)) == VERDICT_YES
           && takes_part_at (roster_delegation (now, delegation), at)
                  == VERDICT_YES
           && (then == now || adhoc_stays (then, now));
}

enum verdict rights_audience (const struct roster *roster, struct slice channel,
                              int64_t at, const struct roster_delegation **out,
                              size_t *count) {
    *count = 0;
    struct audience audience;
    enum verdict v = audience_find (&audience, roster, channel);
    if (v != VERDICT_YES)
        return v;
    for (size_t i = 0; i < roster->delegation_count; i++) {
        const struct roster_delegation *d = &roster->delegations[i];
        if (takes_part_at (d, at) == VERDICT_YES
            && audience_has (&audience, d, RIGHT_READ))
            out[(*count)++] = d;
    }
    return *count ? VERDICT_YES : VERDICT_EMPTY_AUDIENCE;
}

/* Readers under two rosters */

/* NULL where `name` does not read. Expiry is a matter of the moment: its date
 * is compared, not asked. */
static const struct roster_delegation *reader_find (
    const struct audience *audience, const char *name) {
    const struct roster_delegation *d =
        roster_delegation (audience->roster, slice_text (name));
    return takes_part (d) == VERDICT_YES
                   && audience_has (audience, d, RIGHT_READ)
               ? d
               : NULL;
}

static bool same_reader (const struct roster_delegation *a,
                         const struct roster_delegation *b) {
    return a->expires == b->expires
           && memcmp (a->keys[0].seal, b->keys[0].seal, KEY_SIZE) == 0;
}

/* Whether every reader of `a` is one of `b`. */
static bool readers_within (const struct audience *a, const struct audience *b,
                            bool exactly) {
    for (size_t i = 0; i < a->roster->delegation_count; i++) {
        const char *name = a->roster->delegations[i].name;
        const struct roster_delegation *d = reader_find (a, name);
        if (!d)
            continue;
        const struct roster_delegation *other = reader_find (b, name);
        if (!other || (exactly && !same_reader (d, other)))
            return false;
    }
    return true;
}

bool rights_same_readers (const struct roster *then, const struct roster *now,
                          struct slice channel, bool removed_only) {
    struct audience a, b;
    if (audience_find (&a, then, channel) != VERDICT_YES
        || audience_find (&b, now, channel) != VERDICT_YES)
        return false;
    if (removed_only)
        return readers_within (&a, &b, false);
    return readers_within (&a, &b, true) && readers_within (&b, &a, true);
}

/* Keys */

static bool set_valid (const struct roster_delegation *d, int set, int64_t at) {
    return set == 0 || at < d->older_until;
}

enum key_fault rights_sign_key (const struct roster *roster,
                                struct slice delegation, struct key_id id,
                                int64_t at, const uint8_t **key) {
    const struct roster_delegation *d = roster_delegation (roster, delegation);
    *key = NULL;
    int set = 0;
    while (d && set < d->key_count && !key_id_equal (d->sign_id[set], id))
        set++;
    if (!d || set == d->key_count)
        return KEY_UNKNOWN;
    if (d->revoked)
        return KEY_REVOKED;
    if (expired (d, at) || !set_valid (d, set, at))
        return KEY_EXPIRED;
    *key = d->keys[set].sign;
    return KEY_FINE;
}

const struct roster_delegation *rights_link (const struct roster *roster,
                                             const uint8_t key[KEY_SIZE],
                                             int64_t at) {
    int set;
    const struct roster_delegation *d = roster_by_link (roster, key, &set);
    if (!d || takes_part_at (d, at) != VERDICT_YES || !set_valid (d, set, at))
        return NULL;
    return d;
}
