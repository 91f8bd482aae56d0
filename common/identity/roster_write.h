/* roster_write - the text of a roster, made from what the members bring
 * (PROTOCOL.md section 5.3; founding.json as in deploy/sample).
 *
 * A draft is text without signatures; note_sign makes each signer's line. */
#ifndef PARLEY_ROSTER_WRITE_H
#define PARLEY_ROSTER_WRITE_H

#include "identity/roster.h"

/* The first roster. `founding` is JSON: name, origin, threshold, root_signers
 * (entities), adhoc, entities (with delegations), groups, channels, witnesses
 * (delegations), quorum, limits; `nonce` is drawn by the caller. Each
 * delegation needs its card (one without gets no keys and takes no part; a
 * warning line is appended to *warnings), each root signer its own. The text
 * is read back with the strict reader before it is returned. */
enum err roster_draft_first (struct slice founding, const struct card *cards,
                             size_t card_count,
                             const struct broker_public *brokers,
                             size_t broker_count, const uint8_t nonce[32],
                             struct buf *text, struct buf *warnings,
                             struct error *e) MUST_CHECK;

/* The next one: `document` is the JSON object of a roster as edited by a
 * person; version, previous and nonce are set here from `previous`, and so is
 * the epoch where the document does not open the next one (number one higher,
 * base_size and base_root, another log key). */
enum err roster_draft_next (const struct roster *previous,
                            struct slice document, struct buf *text,
                            struct error *e) MUST_CHECK;

#endif
