/* message - a header, its id, and the body it stands for
 * (PROTOCOL.md sections 6.1 and 6.2).
 *
 * Reading allocates nothing: all slices are of the octets given. */
#ifndef PARLEY_MESSAGE_H
#define PARLEY_MESSAGE_H

#include "base/hash.h"
#include "base/topic.h"
#include "format/rule.h"
#include "identity/identity.h"

#define HEADER_MAX 6144
#define BODY_SALT 16
#define BODY_MIN 17      /* salt and one octet */
#define BODY_MAX 262144  /* with the salt */
#define CONTENT_MAX (BODY_MAX - BODY_SALT)
#define REFERENCES_MAX 64
#define EXTENSION_MAX 1024

enum body_format { BODY_MAP = 1, BODY_TEXT = 2, BODY_OCTETS = 3, BODY_NOTE = 4 };

struct message {
    struct slice octets; /* the header */
    struct hash id;
    const uint8_t *dialogue; /* 32 octets */
    struct slice author;
    struct key_id key_id;
    int64_t roster_version;
    uint64_t lane; /* its 8 octets as a big-endian number */
    int64_t number;
    int64_t author_time; /* ms */
    struct slice topic;
    struct slice channel;    /* first level of topic */
    struct slice references; /* 34 octets each; message_reference */
    size_t reference_count;
    enum body_format body_format;
    const uint8_t *sealing; /* 32 octets or NULL */
    int64_t must_know;      /* lowest even extension key, 0 where none */
    int64_t body_length;
    const uint8_t *body_digest; /* 32 octets */
};

/* Sets out->octets and out->id always. ERR_MALFORMED, ERR_LIMIT, ERR_NEWER
 * with *why filled; *why may be NULL. Where several apply the first is told: a
 * header that is too long (LIMIT), NEWER-FORMAT (nothing behind the format is
 * judged), MALFORMED or LIMIT as they stand in the octets, TOPIC (all of its
 * grammar, lengths too), EXTENSION, SEALING. All other fields are zero but for
 * the last two. */
enum err message_read (struct slice header, struct message *out,
                       struct refusal *why) MUST_CHECK;
/* For readers of the ledger, where an even key or a seal is no fault of the
 * form: like message_read, but EXTENSION and SEALING are left to the caller. */
enum err message_read_any (struct slice header, struct message *out,
                           struct refusal *why) MUST_CHECK;
/* Its two parts, for batches: the form, where what equals `like` (NULL, or one
 * that was read so without a fault; its octets still there) is not checked
 * again; then EXTENSION and SEALING, both ERR_NEWER. */
enum err message_read_like (struct slice header, const struct message *like,
                            struct message *out, struct refusal *why)
    MUST_CHECK;
/* As message_read_like, for those who do not ask for the id: it is zeros. */
enum err message_read_form (struct slice header, const struct message *like,
                            struct message *out, struct refusal *why)
    MUST_CHECK;
enum err message_version_check (const struct message *self,
                                struct refusal *why) MUST_CHECK;
void message_reference (const struct message *self, size_t n, struct hash *out);

/* BODY-LENGTH, BODY-DIGEST; both ERR_DIGEST. *why may be NULL. */
enum err message_body_check (const struct message *self, struct slice body,
                             struct refusal *why) MUST_CHECK;
/* The content of a body, checked against its format: msgpack map, UTF-8, note
 * (note_read). ERR_MALFORMED, ERR_LIMIT; *content is set on success only. */
enum err message_content (const struct message *self, struct slice body,
                          struct slice *content, struct error *e) MUST_CHECK;

/* What an author decides. */
struct message_draft {
    const struct hash *dialogue;
    const char *author;
    struct key_id key_id;
    int64_t roster_version;
    uint64_t lane;
    int64_t number;
    int64_t author_time;
    struct slice topic;
    const struct hash *references;
    size_t reference_count;
    enum body_format body_format;
};
/* Append salt and content to *body; random salt. ERR_LIMIT, ERR_MALFORMED
 * (content against format). */
enum err message_write_body (enum body_format format, struct slice content,
                             struct buf *body, struct error *e) MUST_CHECK;
/* Append the header for that body. Refuses what message_read would. */
enum err message_write_header (const struct message_draft *draft,
                               struct slice body, struct buf *header,
                               struct error *e) MUST_CHECK;

#endif
