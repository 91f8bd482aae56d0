/* wire - the desk's requests and replies (PROTOCOL.md sections 8.1 to 8.6,
 * 8.11 and 8.12).
 *
 * Octets of frames only; sockets are sock.h's, and what to answer is the
 * broker's. Readers are strict; slices are of the frame given. Pure. */
#ifndef PARLEY_WIRE_H
#define PARLEY_WIRE_H

#include "format/mark.h"
#include "format/promise.h"
#include "wire/feedkey.h"

#define WIRE_VERSION 1
#define WIRE_FRAMES_MAX 8
#define WIRE_REPLY 128  /* added to a request's type */
#define WIRE_ERROR 255
#define HELLO_LANES_MAX 64
#define HELLO_FEATURES_MAX 32
#define PROGRAM_MAX 64
#define FETCH_OCTETS_MAX 4194304
#define LEAVES_MAX 8192
#define REFUSALS_MAX 256

enum wire_type {
    WIRE_HELLO = 1, WIRE_PUBLISH = 2, WIRE_FETCH = 3, WIRE_STREAMS = 4,
    WIRE_ROSTER = 5, WIRE_REFUSALS = 6, WIRE_STATUS = 7, WIRE_LEAVES = 8,
    WIRE_ERASE = 9, WIRE_COSIGN = 10, WIRE_CHECKPOINT = 11, WIRE_PATHS = 12,
    WIRE_HANDED = 13, WIRE_COVER = 14,
};

/* Frame 0 of both directions. */
struct wire_head {
    int64_t version; /* read; written is ours */
    int type;
    int64_t id;   /* the agent's choice, echoed */
    bool has_run; /* requests: may be nil */
    uint8_t run[RUN_SIZE];
};
void wire_head_write (struct buf *out, const struct wire_head *head);
/* ERR_MALFORMED; ERR_NEWER: another protocol version (head->type and id are
 * set, and head->version). */
enum err wire_head_read (struct slice frame, struct wire_head *out,
                         struct error *e) MUST_CHECK;
/* Frames behind frame 0 that a request has; -1: no such request. */
int wire_request_frames (int type);

/* Frame 1 of an error. */
void wire_error_write (struct buf *out, const struct refusal *refusal,
                       const char *text);
enum err wire_error_read (struct slice frame, struct refusal *refusal,
                          struct slice *text, struct error *e) MUST_CHECK;

/* 8.2 */
struct wire_lane {
    uint64_t lane;
    int64_t highest;
};
struct wire_features {
    struct slice names[HELLO_FEATURES_MAX];
    size_t count;
};
struct wire_hello {
    int64_t lowest, highest; /* protocol versions */
    struct wire_features features;
    struct slice program;
    uint8_t nonce[32];
    int64_t time; /* ms, the agent's clock */
    int64_t roster_version;
    struct hash roster_digest;
    struct wire_lane lanes[HELLO_LANES_MAX];
    size_t lane_count;
    bool has_promise;
    struct promise_proof promise; /* the highest it holds */
    struct slice checkpoint;      /* a note; empty: nil */
};
void wire_hello_write (struct buf *out, const struct wire_hello *hello);
enum err wire_hello_read (struct slice frame, struct wire_hello *out,
                          struct error *e) MUST_CHECK;

struct wire_welcome {
    struct hash dialogue;
    uint8_t nonce[32];
    uint8_t run[RUN_SIZE];
    struct slice delegation;
    int64_t lowest, highest;
    struct wire_features features;
    int64_t epoch;
    int64_t roster_version;
    struct hash roster_digest;
    int64_t roster_sequence;
    int64_t size;
    int64_t log_time;
    int64_t time;           /* the broker's clock */
    enum rule closed;       /* RULE_NONE: open for messages */
    char closed_name[RULE_NAME_MAX + 1];
    int64_t generation;
    struct wire_lane lanes[HELLO_LANES_MAX]; /* highest held, 0: none */
    size_t lane_count;
};
void wire_welcome_write (struct buf *out, const struct wire_welcome *welcome);
enum err wire_welcome_read (struct slice frame, struct wire_welcome *out,
                            struct error *e) MUST_CHECK;
/* Frame 2: key id and signature over label `hello` || frame 1. */
void wire_welcome_sign (struct buf *out, const struct identity *broker,
                        struct slice frame1);
enum err wire_welcome_check (struct slice frame1, struct slice frame2,
                             const struct roster *roster, int64_t at,
                             struct error *e) MUST_CHECK;

/* 8.3; names are of the frame on reading. */
struct wire_stream {
    struct slice name;
    struct feed_key key;
    int64_t last;
    int64_t readable_from;
};
void wire_streams_write (struct buf *out, int64_t generation,
                         const struct wire_stream *streams, size_t count);
/* *streams is allocated; free(). */
enum err wire_streams_read (struct slice frame, int64_t *generation,
                            struct wire_stream **streams, size_t *count,
                            struct error *e) MUST_CHECK;

/* 8.5 */
struct wire_fetch {
    struct slice stream;
    int64_t first;
    int64_t last; /* -1: nil */
    int64_t octets;
};
void wire_fetch_write (struct buf *out, const struct wire_fetch *fetch);
enum err wire_fetch_read (struct slice frame, struct wire_fetch *out,
                          struct error *e) MUST_CHECK;
struct wire_item {
    bool readable; /* a block follows, one frame each */
    int64_t first, last;
};
#define FETCH_ITEMS_MAX 4096
void wire_items_write (struct buf *out, struct slice stream, int64_t last,
                       const struct wire_item *items, size_t count);
/* Consecutive from `first`; *items is allocated; free(). */
enum err wire_items_read (struct slice frame, struct slice *stream,
                          int64_t *last, struct wire_item **items,
                          size_t *count, struct error *e) MUST_CHECK;

/* 8.6 */
void wire_roster_write (struct buf *out, int64_t version); /* 0: in force */
enum err wire_roster_read (struct slice frame, int64_t *version,
                           struct error *e) MUST_CHECK;
void wire_roster_found_write (struct buf *out, int64_t version,
                              int64_t sequence);
enum err wire_roster_found_read (struct slice frame, int64_t *version,
                                 int64_t *sequence, struct error *e)
    MUST_CHECK;

/* From/count pairs: refusals and leaves. */
void wire_range_write (struct buf *out, int64_t from, int64_t count);
enum err wire_range_read (struct slice frame, int64_t most, int64_t *from,
                          int64_t *count, struct error *e) MUST_CHECK;
struct wire_refusal {
    int64_t number;
    int64_t log_time;
    struct slice author;
    struct hash id;
    struct refusal refusal;
    struct slice proof; /* as refusal_proof_write */
};
void wire_refusals_begin (struct buf *out, size_t count);
void wire_refusal_put (struct buf *out, const struct wire_refusal *refusal);
/* Calls back for each. */
enum err wire_refusals_read (struct slice frame,
                             void (*each) (void *arg,
                                           const struct wire_refusal *),
                             void *arg, struct error *e) MUST_CHECK;
void wire_leaves_from_write (struct buf *out, int64_t from);
enum err wire_leaves_from_read (struct slice frame, int64_t *from,
                                struct error *e) MUST_CHECK;

/* 8.11: checkpoints. Cosign: the request's frame is a note; the reply: the size
 * of the newest settled one, -1: nil. */
void wire_settled_write (struct buf *out, int64_t size);
enum err wire_settled_read (struct slice frame, int64_t *size, struct error *e)
    MUST_CHECK;
enum wire_which {
    WIRE_NEWEST = 0,   /* as the log signed it, with what cosignatures it has */
    WIRE_SETTLED = 1,  /* the newest that a quorum cosigned */
    WIRE_HANDOVER = 2, /* the first that settled with the roster of `version` */
};
void wire_checkpoint_write (struct buf *out, enum wire_which which,
                            int64_t version /* 0: nil */);
enum err wire_checkpoint_read (struct slice frame, enum wire_which *which,
                               int64_t *version, struct error *e) MUST_CHECK;

/* 8.12: what marks say. Paths: the request, and its reply. */
void wire_paths_write (struct buf *out, int64_t mark);
enum err wire_paths_read (struct slice frame, int64_t *mark, struct error *e)
    MUST_CHECK;
void wire_claims_begin (struct buf *out, int64_t mark, size_t count);
/* then mark_claim_write for each */
/* Calls back for each; the claim's name is of the frame. */
enum err wire_claims_read (struct slice frame, int64_t *mark,
                           void (*each) (void *arg, const struct mark_claim *),
                           void *arg, struct error *e) MUST_CHECK;
/* Handed: where a record that one handed in stands in each stream. */
void wire_handed_write (struct buf *out, int64_t mark, int64_t sequence);
enum err wire_handed_read (struct slice frame, int64_t *mark, int64_t *sequence,
                           struct error *e) MUST_CHECK;
struct wire_handed {
    struct mark_claim claim;
    int64_t number; /* of the record in the stream, from 1 */
    size_t path_length;
    struct hash path[TREE_PATH_MAX]; /* in the stream's tree at the mark */
};
void wire_handed_begin (struct buf *out, int64_t mark, size_t count);
void wire_handed_put (struct buf *out, const struct wire_handed *one);
enum err wire_handed_each (struct slice frame, int64_t *mark,
                           void (*each) (void *arg, const struct wire_handed *),
                           void *arg, struct error *e) MUST_CHECK;
/* Cover: the roots of the subtrees of a stream's records [from, to). The reply:
 * its hashes, joined. */
void wire_cover_write (struct buf *out, struct slice stream, int64_t from,
                       int64_t to);
enum err wire_cover_read (struct slice frame, struct slice *stream,
                          int64_t *from, int64_t *to, struct error *e)
    MUST_CHECK;

#endif
