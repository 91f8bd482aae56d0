/* What the files of `complete` share: complete.c (what is asked when),
 * complete_claims.c (claims against what is held), complete_hidden.c (numbers
 * that we may not read), complete_handed.c (records handed in elsewhere). */
#ifndef PARLEY_COMPLETE_IMPL_H
#define PARLEY_COMPLETE_IMPL_H

#include "complete.h"

#include "format/mark.h"
#include "store/handed.h"
#include "store/streams.h"

#define COMPLETE_CLAIMS_MAX 512 /* streams of a roster; more are passed over */
#define COMPLETE_RETRY_MS 5000  /* after a refusal */

/* A mark that is held, with what it is judged by. */
struct mark_held {
    int64_t sequence; /* -1: none */
    int64_t time;
    const struct roster *roster; /* the chain's */
    bool behind_roster;
    bool has_root;
    struct hash root;
};

struct claim_held {
    struct mark_claim claim; /* its name points to `name` */
    char name[MARK_NAME_MAX];
};
struct claims_held {
    int64_t mark; /* -1: none */
    size_t count;
    struct claim_held *at; /* owned */
};

/* A stream that lacks something, for how long. Before its name, '?': of its
 * hidden numbers; '=': how many there may be; '+': their covers, however much
 * else of it comes; '!': it is not in the desk's list. */
#define LACK_HIDDEN '?'
#define LACK_TIMES '='
#define LACK_COVER '+'
#define LACK_UNLISTED '!'
struct lack {
    struct lack *next;
    char name[MARK_NAME_MAX + 1];
    int64_t count;  /* that it has to be held up to; 0: its claim is missing */
    int64_t upto;   /* when that was last looked at */
    int64_t waited; /* ms in ready without anything coming */
    bool newer;     /* it is us who can't read it */
    bool told;
    char what[128]; /* "members: numbers 3 to 5 of ..." */
};

/* One call at a time of each kind. */
struct asked {
    int64_t call;  /* 0: none */
    int64_t retry; /* monotonic: not before */
};

struct complete {
    struct core *core;
    struct follow *follow;
    bool ready, hurries;
    int64_t ticked;  /* monotonic */
    int64_t wait_ms; /* of this tick, in ready */
    int64_t judged;  /* monotonic */
    struct asked paths, cover, handed;
    int64_t paths_mark; /* asked for */
    struct mark_held newest;
    struct claims_held claims; /* of `newest`, when they are there */
    struct lack *lacks;
    char unproved[128];   /* of hidden numbers: what is waited for; "" */
    char unprovable[128]; /* what is not even that, since an epoch ended; "" */
    char unproved_stream[MARK_NAME_MAX]; /* whose claim was asked for last */
    char cover_stream[MARK_NAME_MAX];
    struct stream_span cover_span;
    struct handed_row handed_row;
    int64_t handed_asked; /* at which mark */
    int64_t handed_mark;  /* nothing is left to ask below it */
    int64_t uncover;      /* monotonic: covers are not doubted before */
    int uncovered;        /* times so far */
    int64_t mark, time;   /* proved */
};

/* The mark at this place, as it is held. ERR_NOT_FOUND: none. */
enum err mark_hold (struct complete *self, int64_t sequence,
                    struct mark_held *out, struct error *e) MUST_CHECK;
/* From which record on marks are of this epoch: of others a desk makes no claims
 * (PROTOCOL.md section 8.12). INT64_MAX: none is yet. */
int64_t marks_begin (const struct complete *self);
/* Asks for a mark's claims. */
enum err paths_ask (struct complete *self, int64_t mark, struct error *e)
    MUST_CHECK;
/* Says it, in a sentence of a printf format, with a claim as its proof (NULL:
 * none). The store's errors. */
enum err complete_alarm (struct complete *self, const char *kind,
                         const struct mark_claim *claim, struct error *e,
                         const char *format, ...) PRINTF_LIKE (5, 6) MUST_CHECK;
/* A signed mark says what the records contradict: MARK-WRONG, which stops
 * cosigning. Once of a stream until a mark is proved, and once of a mark behind a
 * roster: each later mark would say it again, whatever an operator decided. */
enum err complete_wrong (struct complete *self, const char *stream,
                         const struct mark_held *mark,
                         const struct mark_claim *claim, const char *why,
                         struct error *e) MUST_CHECK;

/* complete_claims.c */
enum err claims_read (struct slice frame, struct claims_held *out,
                      struct error *e) MUST_CHECK;
void claims_drop (struct claims_held *self);
const struct mark_claim *claims_find (const struct claims_held *self,
                                      const char *stream);
/* All of our streams against the newest mark's claims; `lacks` says what is
 * missing. *fine: nothing is. */
enum err claims_judge (struct complete *self, bool *fine, struct error *e)
    MUST_CHECK;
/* May we read the stream under the roster of that mark, and now? */
bool mark_reads (const struct complete *self, const struct roster *roster,
                 const char *stream);
/* Does an honest desk give the claim of that stream, of a mark with this roster?
 */
bool mark_owes (const struct complete *self, const struct roster *roster,
                const char *stream);
/* The mark is proved: kept. */
enum err claims_store (struct complete *self, struct error *e) MUST_CHECK;
/* The stream lacks something; "": not one stream's. Borrowed until it is
 * dropped. */
struct lack *lack_note (struct complete *self, const char *stream,
                        int64_t count, int64_t upto, bool newer,
                        const char *what);
void lack_drop (struct complete *self, const char *stream);
void lacks_drop (struct complete *self);
/* Those that lasted too long (PARLEY_TEST_PATIENCE_MS: less) become alarms. */
enum err lacks_tell (struct complete *self, struct error *e) MUST_CHECK;

/* complete_hidden.c: covers; and whether each hidden number was one of a time
 * when a roster hid it. *fine: all of them; else something is asked for, or
 * `unproved` says what. */
enum err cover_step (struct complete *self, int64_t now, struct error *e)
    MUST_CHECK;
enum err cover_reply (struct complete *self, const struct reply *reply,
                      struct error *e) MUST_CHECK;
/* A stream with covers has another tree than its mark says: they are asked for
 * once more, but not each moment. */
enum err cover_doubt (struct complete *self, const char *stream,
                      struct error *e) MUST_CHECK;
enum err hidden_prove (struct complete *self, int64_t now, bool *fine,
                       struct error *e) MUST_CHECK;
enum err hidden_claims (struct complete *self, const struct claims_held *claims,
                        struct error *e) MUST_CHECK;

/* The claim that hidden_prove asked for last is not given. */
void hidden_withheld (struct complete *self, const char *what);

/* complete_handed.c */
enum err handed_step (struct complete *self, int64_t now, struct error *e)
    MUST_CHECK;
enum err handed_reply (struct complete *self, const struct reply *reply,
                       struct error *e) MUST_CHECK;

#endif
