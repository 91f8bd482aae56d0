/* roster_chain - from one roster to the next, and back (PROTOCOL.md section
 * 5.3, "Chain"). One owner, not thread-safe. */
#include "identity/roster_chain.h"

#include "identity/roster_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Signatures */

/* How many of `by`'s root signers have signed `note`. */
static enum err signed_count (const struct roster *by, const struct note *note,
                              int *have, struct error *e) {
    struct note_key keys[ROSTER_SIGNERS_MAX];
    bool good[ROSTER_SIGNERS_MAX] = { false };
    for (size_t i = 0; i < by->signer_count; i++)
        keys[i] = (struct note_key){ by->signers[i].name, by->signers[i].key };
    *have = 0;
    enum err rc = note_verify (note, keys, by->signer_count, good, e);
    for (size_t i = 0; !rc && i < by->signer_count; i++)
        *have += good[i];
    return rc;
}

/* `whose` names the threshold for a person. */
static enum err threshold_check (const struct roster *by,
                                 const struct roster *what, const char *whose,
                                 int *have, struct error *e) {
    enum err rc = signed_count (by, &what->note, have, e);
    if (rc) {
        error_at (e, "roster version %" PRId64, what->version);
        return rc;
    }
    if (*have < by->threshold)
        return error_set (e, ERR_SIGNATURE,
                          "roster version %" PRId64 ": %d of %zu root signers "
                          "of %s have signed, %d needed",
                          what->version, *have, by->signer_count, whose,
                          by->threshold);
    return ERR_NONE;
}

enum err roster_self_signed (const struct roster *self, int *have, int *need,
                             struct error *e) {
    int count = 0;
    enum err rc = threshold_check (self, self, "its own", &count, e);
    if (have)
        *have = count;
    if (need)
        *need = self->threshold;
    return rc;
}

enum err roster_founds (const struct roster *self, struct error *e) {
    if (!self->is_first)
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " is not a first roster",
                          self->version);
    return roster_self_signed (self, NULL, NULL, e);
}

/* Links */

static enum err broken (struct error *e, const struct roster *self,
                        const struct roster *next, const char *why) {
    return error_set (e, ERR_CHAIN,
                      "roster version %" PRId64 " does not follow version "
                      "%" PRId64 ": %s",
                      next->version, self->version, why);
}

/* A log key stands for one epoch's log: whoever holds its checkpoints of one
 * tree must never see it sign another. */
static enum err epoch_check (const struct roster *self,
                             const struct roster *next, struct error *e) {
    bool same_key = memcmp (self->log_key, next->log_key, KEY_SIZE) == 0;
    if (next->epoch == self->epoch + 1)
        return same_key ? broken (e, self, next,
                                  "a new epoch with the log key of the old")
                        : ERR_NONE;
    if (next->epoch != self->epoch)
        return broken (e, self, next,
                       "its epoch is not the same or one higher");
    if (next->base_size != self->base_size
        || !hash_equal (&next->base_root, &self->base_root))
        return broken (e, self, next, "another base of the same epoch");
    if (!same_key)
        return broken (e, self, next, "another log key in the same epoch");
    return ERR_NONE;
}

enum err roster_links (const struct roster *self, const struct roster *next,
                       struct error *e) {
    if (!hash_equal (&next->dialogue, &self->dialogue))
        return broken (e, self, next, "it is of another dialogue");
    if (next->version <= self->version)
        return broken (e, self, next, "it is not newer");
    if (next->epoch == self->epoch && next->version != self->version + 1)
        return broken (e, self, next, "versions between are missing");
    if (strcmp (next->origin, self->origin) != 0)
        return broken (e, self, next, "another origin");
    if (!hash_equal (&next->previous, &self->digest))
        return broken (e, self, next,
                       "it is of another branch, its predecessor has another "
                       "digest");
    return epoch_check (self, next, e);
}

enum err roster_follows (const struct roster *self, const struct roster *next,
                         struct error *e) {
    int have;
    enum err rc = roster_links (self, next, e);
    if (!rc)
        rc = threshold_check (self, next, "its predecessor", &have, e);
    if (!rc)
        rc = threshold_check (next, next, "its own", &have, e);
    return rc;
}

enum err roster_precedes (const struct roster *older,
                          const struct roster *newer, struct error *e) {
    if (newer->is_first)
        return error_set (e, ERR_CHAIN, "a first roster has no predecessor");
    if (!hash_equal (&newer->previous, &older->digest))
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " names another "
                          "predecessor than this version %" PRId64,
                          newer->version, older->version);
    return ERR_NONE;
}

/* The chain: versions and sequences both ascend along the links. */

struct roster_chain {
    struct link {
        struct roster *roster; /* a reference */
        int64_t sequence;
    } * links;
    size_t count, room;
};

struct roster_chain *roster_chain_new (void) {
    return mem_alloc (sizeof (struct roster_chain));
}

void roster_chain_destroy (struct roster_chain **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct roster_chain *self = *self_p;
    for (size_t i = 0; i < self->count; i++)
        roster_unref (&self->links[i].roster);
    free (self->links);
    free (self);
    *self_p = NULL;
    errno = saved;
}

static enum err place_check (const struct roster_chain *self,
                             const struct roster *next, int64_t sequence,
                             struct error *e) {
    const struct link *last = &self->links[self->count - 1];
    if (sequence <= last->sequence)
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " at record %" PRId64
                          ", but version %" PRId64 " stands at %" PRId64,
                          next->version, sequence, last->roster->version,
                          last->sequence);
    if (next->epoch != last->roster->epoch && sequence != next->base_size)
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " opens an epoch at its "
                          "base %" PRId64 ", but stands at record %" PRId64,
                          next->version, next->base_size, sequence);
    return ERR_NONE;
}

enum err roster_chain_add (struct roster_chain *self, struct roster *next,
                           int64_t sequence, struct error *e) {
    assert (sequence >= 0);
    enum err rc;
    if (self->count == 0)
        rc = roster_founds (next, e);
    else
        rc = roster_follows (self->links[self->count - 1].roster, next, e);
    if (!rc && self->count > 0)
        rc = place_check (self, next, sequence, e);
    if (rc)
        return rc;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 8;
        self->links =
            mem_resize (self->links, self->room * sizeof *self->links);
    }
    self->links[self->count++] = (struct link){ roster_ref (next), sequence };
    return ERR_NONE;
}

void roster_chain_cut (struct roster_chain *self, int64_t sequence) {
    while (self->count > 0 && self->links[self->count - 1].sequence >= sequence)
        roster_unref (&self->links[--self->count].roster);
}

size_t roster_chain_count (const struct roster_chain *self) {
    return self->count;
}

static struct roster *link_roster (const struct link *link, int64_t *sequence) {
    if (!link)
        return NULL;
    if (sequence)
        *sequence = link->sequence;
    return link->roster;
}

struct roster *roster_chain_last (const struct roster_chain *self,
                                  int64_t *sequence) {
    return link_roster (self->count ? &self->links[self->count - 1] : NULL,
                        sequence);
}

/* A new epoch may leave versions out. */
struct roster *roster_chain_by_version (const struct roster_chain *self,
                                        int64_t version, int64_t *sequence) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->links[middle].roster->version < version)
            low = middle + 1;
        else
            high = middle;
    }
    bool there =
        low < self->count && self->links[low].roster->version == version;
    return link_roster (there ? &self->links[low] : NULL, sequence);
}

struct roster *roster_chain_nth (const struct roster_chain *self, size_t n,
                                 int64_t *sequence) {
    return link_roster (n < self->count ? &self->links[n] : NULL, sequence);
}

static const struct link *link_at (const struct roster_chain *self,
                                   int64_t sequence) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->links[middle].sequence <= sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &self->links[low - 1] : NULL;
}

struct roster *roster_chain_by_record (const struct roster_chain *self,
                                       int64_t sequence) {
    const struct link *link = link_at (self, sequence);
    return link && link->sequence == sequence ? link->roster : NULL;
}

struct roster *roster_chain_at (const struct roster_chain *self,
                                int64_t sequence) {
    return link_roster (link_at (self, sequence), NULL);
}
