/* What the files of `follow` share: follow.c (streams and timers), fill.c
 * (fetch and storing), hidden.c (numbers that are not ours), doubt.c (what is
 * wrong with good blocks), live.c (the feed). */
#ifndef PARLEY_FOLLOW_IMPL_H
#define PARLEY_FOLLOW_IMPL_H

#include "follow.h"
#include "verify.h"

#define STREAM_NAME_ROOM 64
#define STREAM_PROBLEM_ROOM 96

/* A frame that came before what stands before it. */
struct pending {
    struct pending *next;
    int64_t first; /* number in the stream */
    size_t size;
    uint8_t octets[];
};

struct stream {
    struct stream *next;
    char name[STREAM_NAME_ROOM];
    struct feed_key key;
    bool listed; /* in the streams reply in hand */
    int64_t upto, last;
    int64_t held;     /* in the store when the list was asked for */
    int64_t sequence; /* of the record at `upto`; -1: not known */
    int64_t doubted;  /* first number that was hidden, as no roster does; 0 */
    uint64_t frame;   /* newest heard of this tag; 0: none yet */
    int64_t quiet;    /* monotonic: since then nothing was heard or asked */
    int64_t heard;    /* wall clock; 0: never */
    int64_t call;     /* the fetch in flight, or 0 */
    int64_t asked;    /* its first number */
    int64_t asked_at; /* monotonic */
    int64_t retry;    /* monotonic: not before */
    int tries;        /* in a row that failed */
    bool check;       /* ask, though nothing is known to lack */
    bool waits;       /* for a roster */
    bool newer;       /* for a newer version of this program */
    int64_t asked_version; /* of the newest roster when it was asked for */
    uint64_t asked_order;  /* of all fetches */
    int64_t hidden_last;   /* numbers up to it are hidden, it is said; 0 */
    int64_t hidden_version;
    uint64_t hidden_order; /* fetches sent until then */
    struct pending *pending, **pending_end;
    char problem[STREAM_PROBLEM_ROOM];
};

struct follow {
    struct core *core;
    void *feed; /* SUB */
    struct stream *streams;
    size_t count;
    int64_t generation, wanted; /* of tags: had, and heard of */
    int again;                  /* lists in a row that were not of `wanted` */
    int64_t streams_call;       /* in flight, or 0 */
    int64_t streams_at;         /* ask then; -1: not */
    int64_t streams_asked;      /* monotonic */
    int64_t heard;              /* monotonic, any frame */
    size_t fetches, pending_octets;
    uint64_t order;   /* of the fetch that was sent last */
    struct buf plain; /* of the frame in hand */
    /* Own records of before this store, until they are listed. */
    int64_t earlier, earlier_first, earlier_last;
    int64_t earlier_at; /* monotonic: the last one came */
};

/* Store the blocks from `first` on, if they are next and good. *done: they are
 * in the store (or were); otherwise the stream says what is wrong. */
enum err fill_block (struct follow *self, struct stream *stream, int64_t first,
                     int64_t count, struct slice octets, bool *done,
                     struct error *e) MUST_CHECK;
/* What was waiting, as far as it is next now. */
enum err fill_pending (struct follow *self, struct stream *stream,
                       struct error *e) MUST_CHECK;
void fill_pending_drop (struct follow *self, struct stream *stream);
enum err fill_fetch (struct follow *self, struct stream *stream,
                     struct error *e) MUST_CHECK;
enum err fill_reply (struct follow *self, const struct reply *reply,
                     struct error *e) MUST_CHECK;
/* All that is not committed is undone: numbers as in the store. */
void fill_reload (struct follow *self);

/* hidden.c: a fetch of the stream goes out now; it is said that we may not read
 * its numbers up to `last`; pass over those of which that is certain, when `$log`
 * has all. */
void hidden_asked (struct follow *self, struct stream *stream);
void hidden_note (struct follow *self, struct stream *stream, int64_t last);
enum err hidden_try (struct follow *self, const struct stream *log,
                     struct error *e) MUST_CHECK;

/* doubt.c: of blocks that verify. Each raises its alarm; none stops a stream.
 * May numbers of this stream be hidden from us, by the rosters known? */
bool doubt_may_hide (const struct core *core, const struct stream *stream);
/* A block brought a roster, when `known` were held before: did records behind
 * its place come already? */
enum err doubt_late (struct follow *self, struct slice octets, int64_t sequence,
                     size_t known, struct error *e) MUST_CHECK;
/* Is it later than what stands before, earlier than what stands behind? */
enum err doubt_times (struct follow *self, const struct block *block,
                      const struct block_facts *facts, struct error *e)
    MUST_CHECK;
/* Under numbers that are held: is it what is held? */
enum err doubt_again (struct follow *self, struct stream *stream,
                      const struct block *block,
                      const struct block_facts *facts, struct error *e)
    MUST_CHECK;

/* Is all of `$log` here, as far as anybody said? Noted in core. */
void log_whole_note (struct follow *self);

/* A message that our own key signed: did this store send it? What was signed
 * before it was made, or put back, is listed once, when no more come. */
enum err doubt_own (struct follow *self, const struct record *record,
                    const struct message *message, struct error *e) MUST_CHECK;
enum err doubt_own_tick (struct follow *self, int64_t now, struct error *e)
    MUST_CHECK;

/* The stream can't go on: tried again after a back-off. */
void stream_stop (struct stream *self, int64_t least_ms, const char *why);
struct stream *stream_by_name (struct follow *self, struct slice name);
/* The same, made where it is not there: for what comes by no feed. */
struct stream *stream_open (struct follow *self, struct slice name);
struct stream *stream_by_tag (struct follow *self, const uint8_t *tag);

#endif
