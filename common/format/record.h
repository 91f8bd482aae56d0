/* record - one entry of the ledger (PROTOCOL.md section 7.1). Pure; reading
 * allocates nothing. */
#ifndef PARLEY_RECORD_H
#define PARLEY_RECORD_H

#include "format/batch.h"

#define RECORD_MAX 8192

enum record_type {
    RECORD_MESSAGE = 0,
    RECORD_ROSTER = 1,
    RECORD_MARK = 2,
    RECORD_ERASURE = 3,
};

struct record {
    struct slice octets; /* set by record_read */
    int64_t format;
    int64_t type; /* may be one that we do not know */
    int64_t sequence;
    int64_t log_time; /* ms */
    int64_t epoch;
    int64_t roster; /* sequence of the roster in force */
    struct slice channel;
    int64_t channel_sequence;
    int64_t previous; /* on the same topic; -1: nil */
    struct via via;
    struct slice payload;     /* a message's header, or the type's payload */
    size_t batch_size;        /* 0: nil */
    size_t batch_index;       /* where batch_size is not 0 */
    const uint8_t *signature; /* 64 octets or NULL */
    int64_t must_know;        /* lowest even extension key, 0 where none */
};

/* Append. The fields are ours: checked by assertion. Extension map: empty. */
void record_write (struct buf *out, const struct record *record);
/* ERR_MALFORMED, ERR_LIMIT. ERR_NEWER: a higher format, or a must_know key, or
 * an unknown type; elements 0 to 8 are filled then, and the leaf is good. What
 * the payload holds is not looked at. */
enum err record_read (struct slice octets, struct record *out, struct error *e)
    MUST_CHECK;
struct hash record_leaf (struct slice octets);
const char *record_type_name (int64_t type); /* "message"; "unknown" */

/* Payloads. */
struct roster_payload {
    int64_t version;
    struct hash digest;
    int64_t note_length;
    struct hash note_hash;
};
struct mark_payload {
    int64_t roster_version;
    struct hash roster_digest;
    bool has_root;
    struct hash root;
};
struct erasure_payload {
    struct hash digest;
    int64_t order_length;
    struct hash order_hash;
};
void roster_payload_write (struct buf *out, const struct roster_payload *p);
enum err roster_payload_read (struct slice octets, struct roster_payload *out,
                              struct error *e) MUST_CHECK;
void mark_payload_write (struct buf *out, const struct mark_payload *p);
enum err mark_payload_read (struct slice octets, struct mark_payload *out,
                            struct error *e) MUST_CHECK;
void erasure_payload_write (struct buf *out, const struct erasure_payload *p);
enum err erasure_payload_read (struct slice octets, struct erasure_payload *out,
                               struct error *e) MUST_CHECK;

/* The header of a message's record, as message_read_any. */
enum err record_message (const struct record *self, struct message *out,
                         struct error *e) MUST_CHECK;
/* Does the body of a record match what its payload says (length, digest)?
 * A message's header is read for it. ERR_DIGEST; or the payload's faults. */
enum err record_body_check (const struct record *self, struct slice body,
                            struct error *e) MUST_CHECK;
/* Octets that the body has according to the payload; 0 for marks. */
enum err record_body_length (const struct record *self, int64_t *length,
                             struct error *e) MUST_CHECK;

#endif
