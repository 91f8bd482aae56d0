/* author - whose words a message's record holds, by the roster in force at its
 * place (PROTOCOL.md sections 5.4, 5.5, 6.3 and 6.4).
 *
 * For whoever judges a record: blocks, receipts, evidence. `root` is the
 * batch's root, `at` the log time (ms) that the keys have to be valid at.
 * Pure. */
#ifndef PARLEY_AUTHOR_H
#define PARLEY_AUTHOR_H

#include "format/record.h"
#include "identity/roster.h"

/* Its *sign* key alone. ERR_KEY: unknown, expired, revoked. */
enum err author_key (const struct message *message, const struct roster *roster,
                     int64_t at, const uint8_t **key, struct error *e)
    MUST_CHECK;
/* The batch signature too. ERR_KEY, ERR_SIGNATURE. */
enum err author_signed (const struct record *record,
                        const struct message *message, const struct hash *root,
                        const struct hash *dialogue,
                        const struct roster *roster, int64_t at,
                        struct error *e) MUST_CHECK;
/* The submitter's `via`, where there is one. ERR_KEY, ERR_SIGNATURE. */
enum err author_via (const struct record *record, const struct message *message,
                     const struct hash *root, const struct hash *dialogue,
                     const struct roster *roster, int64_t at, struct error *e)
    MUST_CHECK;
/* Dialogue, and a roster version that is not above. ERR_CHAIN. */
enum err author_place (const struct message *message,
                       const struct hash *dialogue, const struct roster *roster,
                       struct error *e) MUST_CHECK;
/* May the author write that channel? ERR_RIGHT. */
enum err author_right (const struct record *record,
                       const struct message *message,
                       const struct roster *roster, int64_t at, struct error *e)
    MUST_CHECK;

#endif
