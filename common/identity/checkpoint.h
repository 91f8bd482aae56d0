/* checkpoint - the ledger's size and root, signed by the log key, and the
 * witnesses' cosignatures (C2SP tlog-checkpoint and tlog-cosignature;
 * PROTOCOL.md section 7.5).
 *
 * Pure functions. */
#ifndef PARLEY_CHECKPOINT_H
#define PARLEY_CHECKPOINT_H

#include "base/mp.h"
#include "identity/note.h"
#include "identity/roster.h"

#define CHECKPOINT_NOTE_MAX 65536 /* with its signatures */
#define ORIGIN_MAX 217            /* a roster's origin, '/', an epoch */

struct checkpoint {
    char origin[ORIGIN_MAX + 1];
    int64_t size;
    struct hash root;
};
bool checkpoint_equal (const struct checkpoint *a, const struct checkpoint *b);

/* `ORIGIN/EPOCH` of a roster. */
void checkpoint_origin (const struct roster *roster, char out[ORIGIN_MAX + 1]);

/* The text, and the whole note as the log signs it. `broker` signs with *log*
 * under the origin's name. Appended. Origins that are no key name and sizes
 * outside 0 to 2^53-1 are our own mistakes (asserted). */
void checkpoint_text (const struct checkpoint *self, struct buf *out);
void checkpoint_sign (const struct checkpoint *self,
                      const struct identity *broker, struct buf *note);
/* What a cosignature signs: two lines with the time, then the text. */
#define COSIGNATURE_TIME_MAX (NUMBER_MAX / 1000) /* s; a time in ms fits */
void checkpoint_cosignature_text (const struct checkpoint *self, int64_t time,
                                  struct buf *out);
/* A cosignature's line, "— NAME BASE64\n": `witness` signs with *witness* under
 * its own name at `time` (Unix seconds). Nothing else is ever signed by that
 * key. */
void checkpoint_cosign (const struct checkpoint *self,
                        const struct identity *witness, int64_t time,
                        struct buf *line);

/* The form: three lines without extension lines, an origin that can be a key's
 * name, and signature lines that are not judged. ERR_MALFORMED, ERR_LIMIT (text
 * above, or a size above 2^53-1). */
enum err checkpoint_read (struct slice octets, struct checkpoint *out,
                          struct note *note, struct error *e) MUST_CHECK;

/* Is it signed by this log? The origin is compared too. ERR_SIGNATURE: another
 * origin, no line of it, one that does not verify, two; or `note` is of another
 * checkpoint. */
enum err checkpoint_check_log (const struct checkpoint *self,
                               const struct note *note, const char *origin,
                               const uint8_t log_key[KEY_SIZE], struct error *e)
    MUST_CHECK;
/* The time (s) at which this witness cosigned, by a line of the note; 0: it did
 * not. A line under its name and key id that does not verify, or two of them:
 * ERR_SIGNATURE (C2SP signed-note refuses the note; a gatherer refuses the
 * line). A time of 0 or above COSIGNATURE_TIME_MAX does not verify. *time is 0
 * then. */
enum err checkpoint_cosigned (const struct checkpoint *self,
                              const struct note *note, const char *name,
                              const uint8_t witness_key[KEY_SIZE],
                              int64_t *time, struct error *e) MUST_CHECK;
/* The vkeys (signed-note) of a log and of a witness. */
void checkpoint_log_vkey (const char *origin, const uint8_t key[KEY_SIZE],
                          struct buf *out);
void checkpoint_witness_vkey (const char *name, const uint8_t key[KEY_SIZE],
                              struct buf *out);

#endif
