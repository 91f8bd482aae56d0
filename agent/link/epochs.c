/* epochs - base, cut, and what a start makes of a roster file. */
#include "epochs.h"

#include "base/log.h"
#include "store/checkpoints.h"
#include "store/epoch.h"
#include "store/hashes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROSTER "epoch_roster" /* meta: the digest of the one that was entered */

/* The base */

enum err epochs_refuse (struct core *core, const struct roster *roster,
                        const char *why, struct error *e) {
    struct buf evidence = { 0 };
    struct checkpoint cp;
    struct error none;
    buf_add_slice (&evidence, roster_octets (roster));
    if (!checkpoints_verified (core->store, &cp, NULL, &none)) {
        buf_add_text (&evidence, "\n");
        (void) !checkpoints_verified (core->store, &cp, &evidence, &none);
    }
    enum err rc = core_notice (core, "EPOCH-REFUSED", true, why,
                               buf_slice (&evidence), e);
    buf_free (&evidence);
    return rc;
}

enum err epochs_base (const struct core *core, const struct roster *roster,
                      bool *reached, struct error *e) {
    int64_t base;
    struct hash want, have;
    struct tree tree;
    *reached = true;
    if (!roster_epoch_base (roster, &base, &want))
        return ERR_NONE;
    enum err rc = hashes_tree (core->store, HASHES_LEDGER, &tree, e);
    *reached = !rc && tree.size >= (uint64_t) base;
    if (rc || !*reached)
        return rc;
    rc = hashes_root (core->store, HASHES_LEDGER, (uint64_t) base, &have, e);
    if (rc || hash_equal (&have, &want))
        return rc;
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    return error_set (e, ERR_CHAIN,
                      "roster version %" PRId64 " opens epoch %" PRId64
                      " at a base of %" PRId64 " records with root %s; this "
                      "agent's own ledger has root %s there",
                      roster_version (roster), roster_epoch (roster), base,
                      hash_text (a, &want), hash_text (b, &have));
}

static enum err settled_check (const struct core *core,
                               const struct roster *next, struct error *e) {
    struct checkpoint_row row;
    struct error why;
    int64_t base;
    struct hash root;
    enum err rc = checkpoints_newest (core->store, &row, NULL, &why);
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (rc) {
        *e = why;
        return rc;
    }
    if (!roster_epoch_base (next, &base, &root) || row.checkpoint.size <= base)
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "roster version %" PRId64 " opens epoch %" PRId64
                      " at a base of %" PRId64 " records, below the %" PRId64
                      " that have settled",
                      roster_version (next), roster_epoch (next), base,
                      row.checkpoint.size);
}

static enum err base_judge (struct core *core, const struct roster *next,
                            struct error *e) {
    struct error why;
    bool reached;
    enum err rc = settled_check (core, next, &why);
    if (!rc)
        rc = epochs_base (core, next, &reached, &why);
    if (!rc)
        return ERR_NONE;
    if (rc == ERR_CHAIN && epochs_refuse (core, next, why.text, e))
        return e->code;
    *e = why;
    return rc;
}

/* Entering */

static bool was_entered (const struct core *core, const struct roster *next) {
    char hex[HASH_TEXT_MAX];
    char *held = store_meta (core->store, ROSTER);
    bool same =
        held && strcmp (held, hash_text (hex, roster_digest (next))) == 0;
    free (held);
    return same;
}

static enum err say (struct core *core, const struct roster *next,
                     const struct epoch_void *gone, struct error *e) {
    char text[ERROR_TEXT_MAX];
    int64_t base = 0;
    struct hash root;
    roster_epoch_base (next, &base, &root);
    snprintf (text, sizeof text,
              "epoch %" PRId64 " begins at record %" PRId64 ": %" PRId64
              " records that this agent held are put aside, what stands above "
              "is void; %" PRId64 " messages wait again",
              roster_epoch (next), base, gone->records, gone->messages);
    return core_notice (core, "EPOCH", false, text, roster_octets (next), e);
}

enum err epochs_enter (struct core *core, const struct roster *next,
                       struct error *e) {
    char hex[HASH_TEXT_MAX];
    struct epoch_void gone;
    int64_t base;
    struct hash root;
    if (!roster_epoch_base (next, &base, &root) || was_entered (core, next))
        return ERR_NONE;
    enum err rc = base_judge (core, next, e);
    if (!rc)
        rc = core_begin (core, e);
    if (!rc)
        rc = epoch_cut (core->store, roster_epoch (next), base, &gone, e);
    if (!rc)
        rc = store_set_meta (core->store, ROSTER,
                             hash_text (hex, roster_digest (next)), e);
    /* Its log key is another: what is held against the old one is of no use. */
    if (!rc)
        rc = checkpoints_resume (core->store, e);
    return rc ? rc : say (core, next, &gone, e);
}

/* At a start */

/* The store's last roster, and its last below the base. */
struct known {
    int64_t base;
    struct roster *last, *below;
};

static enum err known_take (void *arg, int64_t version, int64_t sequence,
                            struct slice note, struct error *e) {
    struct known *self = arg;
    (void) version;
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e->code;
    roster_unref (&self->last);
    self->last = roster;
    if (sequence < self->base) {
        roster_unref (&self->below);
        self->below = roster_ref (roster);
    }
    return ERR_NONE;
}

/* ERR_CHAIN, ERR_SIGNATURE: not by what this store has. */
static enum err start_enter (struct core *core, const struct known *known,
                             struct roster *configured, struct error *e) {
    struct error why;
    enum err rc;
    if (known->last) {
        rc = known->below ? roster_precedes (known->below, configured, &why)
                          : ERR_CHAIN;
        if (rc) /* the desk may lead there, one by one */
            return error_set (e, ERR_NOT_FOUND,
                              "the roster file opens epoch %" PRId64
                              ", and is not the next one to what this store "
                              "has: the desk is asked for those between",
                              roster_epoch (configured));
        rc = roster_follows (known->below, configured, e);
    } else {
        rc = roster_self_signed (configured, NULL, NULL, e);
    }
    if (!rc)
        return epochs_enter (core, configured, e);
    why = *e;
    return epochs_refuse (core, configured, why.text, e) ? e->code : rc;
}

enum err epochs_start (struct core *core, struct roster *configured,
                       struct roster **out, struct error *e) {
    struct known known = { 0 };
    struct hash root;
    int64_t epoch = roster_epoch (configured);
    *out = roster_ref (configured);
    if (epoch < epoch_entered (core->store) || was_entered (core, configured)
        || !roster_epoch_base (configured, &known.base, &root)
        || !hash_equal (roster_dialogue (configured), &core->dialogue))
        return ERR_NONE;
    enum err rc = store_rosters (core->store, known_take, &known, e);
    /* Where no roster of that epoch has come by `$log`, another one may open it
     * than was entered: the members have thought better of it. */
    bool known_epoch = known.last && roster_epoch (known.last) >= epoch;
    if (!rc && !known_epoch)
        rc = start_enter (core, &known, configured, e);
    if (!rc)
        rc = core_commit (core, e);
    else if (!core_store_failed (rc) && known.last) {
        log_error ("ROSTER-FILE", "why=%s kept=store", log_text (e->text));
        roster_unref (out);
        *out = roster_ref (known.last);
        rc = ERR_NONE;
    }
    roster_unref (&known.last);
    roster_unref (&known.below);
    if (rc)
        roster_unref (out);
    return rc;
}
