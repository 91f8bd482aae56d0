/* note - text that people sign: C2SP signed notes, and the card
 * (PROTOCOL.md section 5.2).
 *
 * A note is read without trust first, then its signatures are judged against
 * keys that the caller has from elsewhere. Checkpoints are read so too, and are
 * signed by keys that sign nothing else (checkpoint.h). Pure functions. */
#ifndef PARLEY_NOTE_H
#define PARLEY_NOTE_H

#include "identity/identity.h"

#define NOTE_MAX 1048576 /* octets, with its signatures */
#define NOTE_SIGNATURES_MAX 64
#define NOTE_NAME_MAX 255 /* octets of a key name that is passed over */

enum note_kind { NOTE_CARD, NOTE_ROSTER, NOTE_COMMUNIQUE, NOTE_ERASURE };

/* Slices are of the octets that were read. */
struct note {
    struct slice text;      /* with its last newline */
    struct slice octets;    /* all of it */
    struct {
        struct slice name;
        struct slice base64; /* id4 || signature */
    } lines[NOTE_SIGNATURES_MAX];
    size_t count;
};

/* The form only: UTF-8, no control characters but newline, a text, an empty
 * line, 1 to 64 signature lines. ERR_MALFORMED, ERR_LIMIT. */
enum err note_read (struct slice octets, struct note *out, struct error *e)
    MUST_CHECK;

/* Its first two lines. *has_dialogue says whether the second is an id; '-'
 * (cards, always, and the first roster) gives zeros. *rest: the text behind
 * them. ERR_MALFORMED; ERR_NEWER: our kind in a format above 1; ERR_LIMIT. */
enum err note_head (struct slice text, enum note_kind *kind,
                    struct hash *dialogue, bool *has_dialogue,
                    struct slice *rest, struct error *e) MUST_CHECK;

struct note_key {
    const char *name; /* borrowed */
    const uint8_t *key;
};
/* good[i] says whether keys[i] signed; no key stands twice in `keys`. Unknown
 * keys are passed over; a signature by a known one that does not verify, or two
 * by one, give ERR_SIGNATURE and refuse the note. */
enum err note_verify (const struct note *self, const struct note_key *keys,
                      size_t count, bool *good, struct error *e) MUST_CHECK;

/* SHA-256 of the text. */
struct hash note_digest (struct slice text);

/* Append "— NAME BASE64\n" over `text` to *line. ERR_RIGHT: a text that this
 * identity must not sign (its kind; not one of ours; a delegation's key and a
 * roster; a root key and a communique; a card that is not its own).
 * ERR_MALFORMED, ERR_LIMIT: no text of a note at all. */
enum err note_sign (const struct identity *self, struct slice text,
                    struct buf *line, struct error *e) MUST_CHECK;
/* text, an empty line; signature lines are appended behind it by the caller. */
void note_begin (struct buf *out, struct slice text);

/* The parts of signature lines that checkpoints share with notes: C2SP's types
 * of signatures, the id of a key under a name, and a line. `mark` is the id and
 * what stands behind it. */
#define NOTE_ID_SIZE 4
#define NOTE_ED25519 1
#define NOTE_COSIGNATURE 4
void note_key_id (struct slice name, uint8_t type, const uint8_t key[KEY_SIZE],
                  uint8_t out[NOTE_ID_SIZE]);
void note_add_line (struct buf *out, struct slice name, const void *mark,
                    size_t size);
/* Can a key have this name in a signature line? ERR_MALFORMED, ERR_LIMIT. */
enum err note_name_check (struct slice name, struct error *e) MUST_CHECK;

/* A card: a delegation's public keys, or a root signer's one. */
struct card {
    char name[IDENTITY_NAME_MAX + 1]; /* EUROPOL/hq, EUROPOL/root */
    bool is_root;
    struct keyset keys;      /* a delegation's */
    uint8_t root[KEY_SIZE];  /* a root signer's */
};
/* A card's text, without its signature; not for brokers (asserted). */
void card_text (const struct identity *self, struct buf *out);
/* ERR_RIGHT for a broker. */
enum err card_write (const struct identity *self, struct buf *out,
                     struct error *e) MUST_CHECK;
/* Checks the grammar and the signature by its own key. ERR_MALFORMED,
 * ERR_LIMIT, ERR_NEWER, ERR_SIGNATURE. */
enum err card_read (struct slice octets, struct card *out, struct error *e)
    MUST_CHECK;

#endif
