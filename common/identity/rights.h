/* rights - the one answer to "may X read or write channel C"
 * (PROTOCOL.md sections 5.4 and 5.5).
 *
 * Live feed, fetch, export, search, page and audit all ask here. Pure. */
#ifndef PARLEY_RIGHTS_H
#define PARLEY_RIGHTS_H

#include "identity/roster.h"

enum right { RIGHT_READ, RIGHT_WRITE };

enum verdict {
    VERDICT_YES,
    VERDICT_NO,              /* the channel is there, the right is not */
    VERDICT_NOT_LISTED,      /* delegation unknown, or without keys */
    VERDICT_EXPIRED,
    VERDICT_REVOKED,
    VERDICT_UNKNOWN_CHANNEL, /* none of that name; an ad-hoc one that names an
                                unknown entity or no opener; outside grammar */
    VERDICT_EMPTY_AUDIENCE,  /* its readers stand for nobody with keys */
};
const char *verdict_name (enum verdict v); /* for logs and JSON */

/* `channel`: a roster channel, "$log" or an ad-hoc name. `at`: log time, ms. */
enum verdict rights_ask (const struct roster *roster, struct slice delegation,
                         struct slice channel, enum right right, int64_t at)
    MUST_CHECK;

/* May it read a record of `author` on `channel`, recorded under `then`, now
 * that `now` is in force? An author always its own; $log always. `at` is the
 * present time, asked of `now` alone: a date put off opens the past again. */
bool rights_record (const struct roster *then, const struct roster *now,
                    struct slice delegation, struct slice channel,
                    struct slice author, int64_t at);

/* The same of all that was recorded under `then` on a stream: a channel's, or an
 * entity's direct one ("@EUROPOL", section 8.3), which carries many channels: of
 * that one, false says that some of them may be hidden. */
bool rights_stream (const struct roster *then, const struct roster *now,
                    struct slice delegation, struct slice stream, int64_t at);

/* Who can read: delegations with keys, neither expired nor revoked at `at`, in
 * the roster's order. `out` has room for roster_delegations; *count is set.
 * VERDICT_YES, or why there is no audience. */
enum verdict rights_audience (const struct roster *roster, struct slice channel,
                              int64_t at, const struct roster_delegation **out,
                              size_t *count) MUST_CHECK;

/* Are the readers of the channel (with their seal keys) the same under both?
 * `removed_only`: whether none of `then`'s readers is missing in `now` (for
 * what was handed in by another delegation). Without a time: readers are those
 * not revoked, and one whose `expires` moved is not the same. False where the
 * channel is unknown or unheard under either. */
bool rights_same_readers (const struct roster *then, const struct roster *now,
                          struct slice channel, bool removed_only);

/* The *sign* key of `delegation` that `id` names, valid at log time `at`.
 * ERR_NONE and *key (borrowed); otherwise ERR_KEY, and *why says which. */
enum key_fault {
    KEY_FINE,
    KEY_UNKNOWN, /* no such delegation, or no such key of it */
    KEY_EXPIRED, /* delegation's expiry or the older set's `until` is past */
    KEY_REVOKED,
};
enum key_fault rights_sign_key (const struct roster *roster,
                                struct slice delegation, struct key_id id,
                                int64_t at, const uint8_t **key) MUST_CHECK;

/* May the holder of this link key connect at time `at`? The delegation, or
 * NULL. */
const struct roster_delegation *rights_link (const struct roster *roster,
                                             const uint8_t key[KEY_SIZE],
                                             int64_t at);

#endif
