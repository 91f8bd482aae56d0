/* epoch - judged against the ledger as it is, then appended. In main's thread. */
#include "epoch.h"

#include "base/clock.h"
#include "commit.h"
#include "founding.h"
#include "identity/checkpoint.h"
#include "notary_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the operator needs to know to have the right roster made. */
static enum err base_check (const struct journal *journal,
                            const struct roster *next, struct error *e) {
    int64_t base = -1, size = journal_size (journal);
    struct hash root, own = tree_root (journal_tree (journal));
    char text[HASH_TEXT_MAX];
    if (roster_epoch_base (next, &base, &root) && base == size
        && hash_equal (&root, &own))
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "roster version %" PRId64
                      " opens no epoch here: the ledger has %" PRId64
                      " records with root %s, which its base_size and "
                      "base_root have to be",
                      roster_version (next), size, hash_text (text, &own));
}

static enum err keys_check (const struct ledger *ledger,
                            const struct roster *next, struct error *e) {
    enum err rc = broker_check (ledger->identity, next, clock_wall_ms(), e);
    if (!rc
        && memcmp (roster_log_key (next),
                   identity_public (ledger->identity, KEY_LOG), KEY_SIZE)
               != 0)
        rc = error_set (e, ERR_KEY,
                        "roster version %" PRId64
                        " names another log key than this broker's",
                        roster_version (next));
    return rc;
}

/* Agents would refuse it too. */
static enum err settled_check (const struct settings *settings, int64_t base,
                               struct error *e) {
    struct buf path = { 0 }, octets = { 0 };
    struct checkpoint cp;
    struct note note;
    buf_add_format (&path, "%s/checkpoints", settings->state);
    char *dir = buf_take_text (&path);
    enum err rc = notary_files_newest (dir, &octets, e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&octets), &cp, &note, e);
    if (!rc && cp.size > base)
        rc = error_set (e, ERR_STATE,
                        "%" PRId64 " records have settled (%s/settled), and "
                        "the base is %" PRId64,
                        cp.size, dir, base);
    free (dir);
    buf_free (&octets);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err epoch_judge (const struct ledger *ledger,
                             const struct settings *settings,
                             const struct roster *next, struct error *e) {
    const struct roster *last =
        roster_chain_last (ledger->counters->chain, NULL);
    if (roster_epoch (next) == roster_epoch (last))
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " is of epoch %" PRId64
                          ", as the one in force: SIGHUP records it",
                          roster_version (next), roster_epoch (next));
    enum err rc = roster_follows (last, next, e);
    if (!rc)
        rc = base_check (ledger->journal, next, e);
    if (!rc)
        rc = keys_check (ledger, next, e);
    return rc ? rc
              : settled_check (settings, journal_size (ledger->journal), e);
}

enum err ledger_epoch (const struct settings *settings,
                       struct epoch_opened *out, struct error *e) {
    struct ledger ledger = { .lock = -1 };
    struct roster *next = roster_file_read (settings->roster, e);
    if (!next)
        return e->code;
    struct hash root;
    *out = (struct epoch_opened){ .epoch = roster_epoch (next) };
    enum err rc = ledger_open (&ledger, settings, e);
    const struct roster *last =
        rc ? NULL : roster_chain_last (ledger.counters->chain, NULL);
    out->already = last
                   && hash_equal (roster_digest (last), roster_digest (next))
                   && roster_epoch_base (next, &out->base, &root);
    if (!rc && !out->already) {
        out->base = journal_size (ledger.journal);
        rc = epoch_judge (&ledger, settings, next, e);
        if (!rc)
            rc = commit_epoch (ledger.journal, ledger.identity, next,
                               counters_channel_next (ledger.counters,
                                                      slice_text (CHANNEL_LOG)),
                               clock_wall_ms(), e);
    }
    ledger_close (&ledger);
    roster_unref (&next);
    return rc;
}
