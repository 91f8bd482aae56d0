/* rosters - pins by version, and the chain that `$log` brings. */
#include "rosters.h"

#include <inttypes.h>
#include <stdlib.h>

struct rosters {
    struct hash dialogue;
    struct roster_chain *chain; /* of `$log`, from the first */
    struct roster *newest;      /* trusted: configured, or follows it */
    struct roster *lowest;      /* of those reached from it going back */
    struct hash *pins;          /* digests of lowest.version .. newest.version,
                                   by version - 1; 0 where an epoch skipped */
    size_t room;
    bool asked_newer; /* the desk has none that is newer */
    int64_t skipped;  /* versions below `lowest` that the desk has none of */
    bool ask_force;   /* the next version is none: which one is in force? */
    int64_t ahead;    /* that one, where it is newer; else 0 */
    int64_t missed;   /* versions above `newest` that the desk has none of */
    rosters_enter *enter;
    void *enter_arg;
};

#define GAP_MAX 1000 /* versions that an epoch may leave out */

static void roster_swap (struct roster **at, struct roster *to) {
    roster_ref (to);
    roster_unref (at);
    *at = to;
}

static enum err pin (struct rosters *self, const struct roster *roster,
                     struct error *e) {
    int64_t version = roster_version (roster);
    if (version > ROSTERS_MAX)
        return error_set (e, ERR_LIMIT,
                          "roster version %" PRId64 "; at most %d are followed",
                          version, ROSTERS_MAX);
    if ((size_t) version > self->room) {
        size_t before = self->room;
        self->room = 2 * (size_t) version;
        self->pins = mem_resize (self->pins, self->room * sizeof *self->pins);
        memset (self->pins + before, 0,
                (self->room - before) * sizeof *self->pins);
    }
    self->pins[version - 1] = *roster_digest (roster);
    return ERR_NONE;
}

static bool pinned (const struct rosters *self, int64_t version) {
    return version >= roster_version (self->lowest)
           && version <= roster_version (self->newest);
}

/* Of the chain's last roster; a new epoch may skip some. 0: it is empty. */
static int64_t chain_version (const struct rosters *self) {
    struct roster *last = roster_chain_last (self->chain, NULL);
    return last ? roster_version (last) : 0;
}

/* Does the chain of `$log` or the dialogue id hold the lower end? */
static enum err lower_end_check (const struct rosters *self, struct error *e) {
    int64_t version = roster_version (self->lowest);
    if (version == 1
        && !hash_equal (roster_digest (self->lowest), &self->dialogue))
        return error_set (e, ERR_CHAIN,
                          "the first roster's digest is not the dialogue id");
    struct roster *below = roster_chain_last (self->chain, NULL);
    if (below && roster_version (below) == version - 1)
        return roster_precedes (below, self->lowest, e);
    return ERR_NONE;
}

static bool whole (const struct rosters *self) {
    int64_t version = roster_version (self->lowest);
    struct roster *last = roster_chain_last (self->chain, NULL);
    struct error e;
    return version == 1 || version <= chain_version (self)
           || (last && !roster_precedes (last, self->lowest, &e));
}

static enum err configured_check (const struct hash *dialogue,
                                  const struct roster *configured,
                                  struct error *e) {
    char want[HASH_TEXT_MAX], have[HASH_TEXT_MAX];
    if (!hash_equal (roster_dialogue (configured), dialogue))
        return error_set (e, ERR_CONFIG,
                          "the roster is of dialogue %s; configured is %s",
                          hash_text (have, roster_dialogue (configured)),
                          hash_text (want, dialogue));
    return roster_self_signed (configured, NULL, NULL, e);
}

struct rosters *rosters_new (const struct hash *dialogue,
                             struct roster *configured, struct error *e) {
    if (configured_check (dialogue, configured, e))
        return NULL;
    struct rosters *self = mem_alloc (sizeof *self);
    self->dialogue = *dialogue;
    self->chain = roster_chain_new();
    self->newest = roster_ref (configured);
    self->lowest = roster_ref (configured);
    enum err rc = pin (self, configured, e);
    if (!rc)
        rc = lower_end_check (self, e);
    if (rc)
        rosters_destroy (&self);
    return self;
}

void rosters_destroy (struct rosters **self_p) {
    if (!self_p || !*self_p)
        return;
    struct rosters *self = *self_p;
    *self_p = NULL;
    roster_chain_destroy (&self->chain);
    roster_unref (&self->newest);
    roster_unref (&self->lowest);
    free (self->pins);
    free (self);
}

void rosters_guard (struct rosters *self, rosters_enter *enter, void *arg) {
    self->enter = enter;
    self->enter_arg = arg;
}

/* Epochs */

/* What opens an epoch follows the last roster below its base: those at or above
 * it are void. One that `$log` has not shown yet may stand below. */
static struct roster *predecessor (const struct rosters *self,
                                   const struct roster *next) {
    int64_t base, sequence;
    struct hash root;
    struct error e;
    struct roster *below = NULL;
    if (!roster_epoch_base (next, &base, &root))
        return NULL;
    bool placed = rosters_newest_sequence (self) >= 0;
    for (size_t n = roster_chain_count (self->chain); n-- > 0 && !below;) {
        struct roster *held = roster_chain_nth (self->chain, n, &sequence);
        below = sequence < base ? held : NULL;
    }
    return placed || (below && !roster_precedes (below, next, &e))
               ? below
               : self->newest;
}

static bool opens_epoch (const struct rosters *self,
                         const struct roster *next) {
    return self->enter && roster_epoch (next) > roster_epoch (self->newest);
}

/* The pins of void versions say nothing any more. */
static enum err epoch_enter (struct rosters *self, struct roster *next,
                             struct error *e) {
    int64_t base, before = roster_version (self->newest);
    struct hash root;
    struct roster *below = predecessor (self, next);
    if (!below || !roster_epoch_base (next, &base, &root))
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " opens an epoch, and no "
                          "roster stands below its base",
                          roster_version (next));
    enum err rc = roster_follows (below, next, e);
    if (!rc)
        rc = self->enter (self->enter_arg, next, e);
    if (rc)
        return rc;
    int64_t last = roster_version (below);
    if (before > last)
        memset (self->pins + last, 0,
                (size_t) (before - last) * sizeof *self->pins);
    roster_chain_cut (self->chain, base);
    if (roster_version (self->lowest) > last)
        roster_swap (&self->lowest, next);
    return ERR_NONE;
}

/* Learning from `$log` */

static enum err known_check (const struct rosters *self,
                             const struct roster *roster, int64_t sequence,
                             struct error *e) {
    int64_t version = roster_version (roster), place = -1;
    const struct roster *held =
        roster_chain_by_version (self->chain, version, &place);
    if (!held)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 " brings roster version %" PRId64
                          ", which an epoch has skipped",
                          sequence, version);
    if (place != sequence
        || !hash_equal (roster_digest (held), roster_digest (roster)))
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 " brings roster version %" PRId64
                          " again, which stands at %" PRId64,
                          sequence, version, place);
    return ERR_NONE;
}

static enum err next_add (struct rosters *self, struct roster *roster,
                          int64_t sequence, struct error *e) {
    int64_t version = roster_version (roster);
    if (pinned (self, version)
        && !hash_equal (&self->pins[version - 1], roster_digest (roster)))
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 " brings a roster version %" PRId64
                          " of another branch than the roster that is trusted",
                          sequence, version);
    if (opens_epoch (self, roster))
        return error_set (e, ERR_STATE,
                          "record %" PRId64 " brings roster version %" PRId64
                          ", which opens epoch %" PRId64
                          ": it is asked of the desk first",
                          sequence, version, roster_epoch (roster));
    bool first = roster_chain_count (self->chain) == 0;
    if (first && !hash_equal (roster_digest (roster), &self->dialogue))
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 " brings the first roster of "
                          "another dialogue",
                          sequence);
    enum err rc = roster_chain_add (self->chain, roster, sequence, e);
    if (!rc && version > roster_version (self->newest)) {
        rc = pin (self, roster, e);
        if (!rc)
            roster_swap (&self->newest, roster);
    }
    return rc;
}

enum err rosters_learn (struct rosters *self, struct slice note,
                        int64_t sequence, struct error *e) {
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e->code;
    enum err rc;
    if (roster_version (roster) <= chain_version (self))
        rc = known_check (self, roster, sequence, e);
    else
        rc = next_add (self, roster, sequence, e);
    /* The chain of a store may end just below what was configured. */
    if (!rc)
        rc = lower_end_check (self, e);
    roster_unref (&roster);
    return rc;
}

/* Asking the desk */

int64_t rosters_wanted (const struct rosters *self) {
    if (self->ask_force)
        return ROSTERS_IN_FORCE;
    if (!self->asked_newer)
        return roster_version (self->newest) + 1 + self->missed;
    return whole (self) ? 0 : roster_version (self->lowest) - 1 - self->skipped;
}

void rosters_ask_again (struct rosters *self) {
    self->asked_newer = self->ask_force = false;
    self->ahead = self->missed = 0;
}

static enum err newer_answer (struct rosters *self, struct roster *roster,
                              struct error *e) {
    enum err rc = opens_epoch (self, roster)
                      ? epoch_enter (self, roster, e)
                      : roster_follows (self->newest, roster, e);
    if (!rc)
        rc = pin (self, roster, e);
    if (rc)
        return rc;
    roster_swap (&self->newest, roster);
    self->missed = 0;
    return ERR_NONE;
}

/* No such version: the one in force says whether there is any above. */
static void newer_missing (struct rosters *self) {
    int64_t asked = roster_version (self->newest) + 1 + self->missed;
    if (self->ask_force || (self->ahead > 0 && asked >= self->ahead)
        || !self->enter) {
        self->ask_force = false;
        self->asked_newer = true;
    } else if (self->ahead == 0) {
        self->ask_force = true;
    } else {
        self->missed++;
    }
}

/* Its version alone is of use: what stands between has to be followed. */
static enum err in_force_answer (struct rosters *self, struct roster *roster,
                                 struct error *e) {
    int64_t version = roster_version (roster);
    int64_t newest = roster_version (self->newest);
    self->ask_force = false;
    if (version > newest + GAP_MAX)
        return error_set (e, ERR_LIMIT,
                          "roster version %" PRId64 " is in force, %" PRId64
                          " is known, and version %" PRId64 " is not to be had",
                          version, newest, newest + 1);
    if (version == newest + 1) /* it came meanwhile */
        return newer_answer (self, roster, e);
    self->ahead = version;
    self->asked_newer = version <= newest;
    self->missed = self->asked_newer ? 0 : 1;
    return ERR_NONE;
}

static enum err older_answer (struct rosters *self, struct roster *roster,
                              struct error *e) {
    int64_t version = roster_version (self->lowest) - 1 - self->skipped;
    enum err rc = roster_precedes (roster, self->lowest, e);
    if (!rc && roster_version (roster) != version)
        rc = error_set (e, ERR_CHAIN,
                        "roster version %" PRId64 " instead of "
                        "%" PRId64,
                        roster_version (roster), version);
    if (!rc)
        rc = pin (self, roster, e);
    if (rc)
        return rc;
    roster_swap (&self->lowest, roster);
    self->skipped = 0;
    return lower_end_check (self, e);
}

/* A later epoch's first roster may be more than one above its predecessor. What
 * the chain has is not asked for. */
static bool may_skip (const struct rosters *self) {
    return roster_epoch (self->lowest) > 1
           && rosters_wanted (self) - 1 > chain_version (self);
}

enum err rosters_answer (struct rosters *self, struct slice note,
                         struct error *e) {
    if (note.size == 0 && !self->asked_newer) {
        newer_missing (self);
        return ERR_NONE;
    }
    if (note.size == 0 && may_skip (self)) {
        self->skipped++;
        return ERR_NONE;
    }
    if (note.size == 0)
        return error_set (e, ERR_NOT_FOUND,
                          "the broker does not hold roster version %" PRId64
                          ", without which the way back to the first is open",
                          rosters_wanted (self));
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e->code;
    enum err rc = self->ask_force     ? in_force_answer (self, roster, e)
                  : self->asked_newer ? older_answer (self, roster, e)
                                      : newer_answer (self, roster, e);
    roster_unref (&roster);
    return rc;
}

const struct roster_chain *rosters_chain (const struct rosters *self) {
    return self->chain;
}

struct roster *rosters_newest (const struct rosters *self) {
    return self->newest;
}

int64_t rosters_newest_sequence (const struct rosters *self) {
    int64_t sequence = -1;
    const struct roster *held = roster_chain_by_version (
        self->chain, roster_version (self->newest), &sequence);
    return held ? sequence : -1;
}
