/* tags - one generation of the feed's tags and keys (PROTOCOL.md sections 8.3
 * and 8.7). Immutable after tags_new; counted; thread-safe. */
#include "tags.h"

#include "base/topic.h"
#include "identity/rights.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct stream {
    char name[ROSTER_NAME_MAX + 1]; /* also "@" and an entity */
    struct feed_key key;
};

struct tags {
    atomic_int references;
    int64_t generation;
    struct roster *roster; /* owned reference */
    size_t count;          /* $log, channels, entities, in roster order */
    struct stream streams[];
};

static void stream_make (struct stream *out, const char *prefix,
                         const char *name) {
    size_t before = strlen (prefix), size = strlen (name);
    assert (before + size < sizeof out->name);
    memcpy (out->name, prefix, before);
    memcpy (out->name + before, name, size + 1);
    feed_key_draw (&out->key);
}

struct tags *tags_new (struct roster *roster, int64_t generation) {
    assert (roster && generation > 0);
    size_t channels = roster_channels (roster);
    size_t entities = roster_entities (roster);
    size_t count = 1 + channels + entities;
    struct tags *self =
        mem_alloc (sizeof *self + count * sizeof self->streams[0]);
    atomic_init (&self->references, 1);
    self->generation = generation;
    self->roster = roster_ref (roster);
    self->count = count;
    struct stream *at = self->streams;
    stream_make (at++, "", CHANNEL_LOG);
    for (size_t i = 0; i < channels; i++)
        stream_make (at++, "", roster_channel_at (roster, i)->id);
    for (size_t i = 0; i < entities; i++)
        stream_make (at++, "@", roster_entity_at (roster, i)->id);
    return self;
}

struct tags *tags_ref (struct tags *self) {
    atomic_fetch_add (&self->references, 1);
    return self;
}

void tags_unref (struct tags **self_p) {
    if (!self_p || !*self_p)
        return;
    struct tags *self = *self_p;
    *self_p = NULL;
    if (atomic_fetch_sub (&self->references, 1) > 1)
        return;
    roster_unref (&self->roster);
    free (self);
}

int64_t tags_generation (const struct tags *self) {
    return self->generation;
}

size_t tags_count (const struct tags *self) {
    return self->count;
}

const char *tags_name (const struct tags *self, size_t n) {
    assert (n < self->count);
    return self->streams[n].name;
}

const struct feed_key *tags_key (const struct tags *self, size_t n) {
    assert (n < self->count);
    return &self->streams[n].key;
}

int tags_find (const struct tags *self, struct slice name) {
    for (size_t i = 0; i < self->count; i++)
        if (slice_is (name, self->streams[i].name))
            return (int) i;
    return -1;
}

int tags_of_tag (const struct tags *self, const uint8_t tag[TAG_SIZE]) {
    for (size_t i = 0; i < self->count; i++)
        if (memcmp (self->streams[i].key.tag, tag, TAG_SIZE) == 0)
            return (int) i;
    return -1;
}

bool tags_allowed (const struct tags *self, size_t n, struct slice delegation,
                   int64_t at) {
    assert (n < self->count);
    const char *name = self->streams[n].name;
    /* A direct stream is its entity's; that the delegation may connect at all
     * is the same question as whether it may read $log. */
    if (rights_ask (self->roster, delegation, slice_text (CHANNEL_LOG),
                    RIGHT_READ, at)
        != VERDICT_YES)
        return false;
    if (name[0] == '@')
        return slice_is (delegation_entity (delegation), name + 1);
    return rights_ask (self->roster, delegation, slice_text (name), RIGHT_READ,
                       at)
           == VERDICT_YES;
}

int64_t tags_until (const struct tags *self, int64_t at) {
    int64_t until = INT64_MAX;
    for (size_t i = 0; i < roster_delegations (self->roster); i++) {
        const struct roster_delegation *d =
            roster_delegation_at (self->roster, i);
        if (d->expires > at && d->expires < until)
            until = d->expires;
    }
    return until;
}

struct roster *tags_roster (const struct tags *self) {
    return self->roster;
}
