/* What the files of `ledger` share: ledger.c (beginning, timers, status),
 * ledger_cosign.c (which are cosigned), ledger_leaves.c (the tree's leaves), ledger_notes.c (checkpoints:
 * verified, settled), ledger_evidence.c (what contradicts them),
 * ledger_doubt.c (what is wrong with records that they hold),
 * ledger_inquiry.c (where two ledgers part). */
#ifndef PARLEY_LEDGER_IMPL_H
#define PARLEY_LEDGER_IMPL_H

#include "format/evidence.h"
#include "ledger.h"
#include "store/checkpoints.h"
#include "store/hashes.h"

#define LEDGER_RANGES 4 /* of leaves, unanswered at once */
#define LEDGER_UNSIGNED_MAX                                                    \
    1048576 /* leaves kept ahead of what the log signed (section 2.6): 32 MiB, \
               and five seconds of the fastest broker */
#define LEDGER_COMPARE 4096 /* records compared with their leaves in a turn */
#define LEDGER_INQUIRY_MAX                                                     \
    64 /* ranges of LEAVES_MAX that are looked through
                                 for where two ledgers part: 16 MiB of memory */

/* Leaves that were asked for. */
struct range {
    int64_t call; /* 0: free, or answered */
    int64_t from, count;
    bool answered;
    struct buf hashes;
};

/* A checkpoint that waits for leaves, for `$log`, or for records to be
 * compared. */
struct waiting {
    bool present;
    struct checkpoint cp;
    struct buf note;
};
enum note_source { NOTE_SIGNED, NOTE_COSIGNED, NOTE_HANDOVER };
#define NOTE_SOURCES 3

/* Where does the tree of this checkpoint part from ours? */
struct inquiry {
    bool active;
    struct checkpoint cp;
    struct buf note;
    int64_t low;   /* the other leaves are here from there to cp.size */
    int64_t call;  /* for those before, or 0 */
    int64_t retry; /* monotonic: not before */
    int tries;     /* that were refused */
    int64_t first; /* the lowest that differs; -1 */
    struct buf ranges[LEDGER_INQUIRY_MAX]; /* the last leaves first */
    size_t count;
};

/* Neighbours of which the second is earlier. */
#define LEDGER_TIMES_MAX 8
struct times {
    int64_t first, second;
};

/* A record that no broker may take, of which it is not known yet whether it
 * stands in the tree. */
#define LEDGER_SUSPECTS 16
struct suspect {
    int64_t sequence;
    struct buf octets; /* none: free */
};

struct ledger {
    struct core *core;
    bool ready;
    int64_t now; /* monotonic: of the last tick */

    /* Leaves: `size` of them, the last of which are in `tail` alone. */
    int64_t size;
    struct buf tail;
    struct range ranges[LEDGER_RANGES];
    int64_t next;        /* the next range begins there */
    int64_t heard;       /* the ledger has as many, somebody said */
    int64_t signed_size; /* the largest that the log signed; 0 */
    bool importing;      /* what was audited as a whole */
    bool unsigned_told;
    int64_t lack;  /* monotonic: since then leaves lack; 0: none */
    int64_t retry; /* monotonic: ranges not before */
    bool catching; /* up, since the link is ready: at once */

    /* Checkpoints */
    struct waiting notes[NOTE_SOURCES];
    bool has_verified;
    struct checkpoint verified;
    int64_t compared; /* records below are what the tree has */
    int64_t highest;  /* size that this run's feed signed */
    bool has_settled;
    struct checkpoint_row settled;
    int64_t mark_time;    /* ms: of the newest mark below it; 0: none is held */
    struct quorum quorum; /* of that one, as far as it is known */
    int64_t calls[NOTE_SOURCES]; /* request 11 in flight, or 0 */
    int64_t ask[NOTE_SOURCES];   /* monotonic: ask then; 0: not */
    int64_t reminded;            /* size that may be settled and is not yet */
    int64_t remind_at;           /* monotonic: ask for it then */
    int64_t handover;            /* version asked for, or to be; 0: none */
    int64_t handovers_at;        /* monotonic: not before */

    /* Cosigning */
    int64_t cosign_call;
    int64_t cosigned;  /* size, in the present origin; -1 */
    int64_t sent;      /* size that was cosigned in this connection; -1 */
    bool again;        /* in this connection the newest one may have to be */
    bool heard_own[2]; /* own lines of the newest two notes, in this
                          connection: NOTE_SIGNED, NOTE_COSIGNED */
    int64_t older;     /* ms: the memory was found to be behind; 0: it is not */
    bool older_told;
    char withheld[96]; /* why the newest was not cosigned; "" */

    /* Evidence */
    struct inquiry inquiry;
    bool parted;   /* in this connection the broker shows another ledger */
    int64_t based; /* the epoch whose base our tree has; 0: not known */
    bool alarmed;
    int64_t alarmed_at;                   /* monotonic: looked at last */
    struct times times[LEDGER_TIMES_MAX]; /* that no checkpoint holds yet */
    size_t times_count;
    struct suspect suspects[LEDGER_SUSPECTS]; /* a ring */
    size_t next_suspect;
    int64_t convicted[64]; /* bad records that were told */
    size_t convicted_count;
    int64_t settle_at, settle_after; /* the outbox: monotonic; outbox_settle */
    int proofs; /* files of broken promises that were made */
};

/* Leaves */
void leaves_begin (struct ledger *self, int64_t size);
void leaves_end (struct ledger *self);
/* What was heard goes into the store. */
enum err leaves_flush (struct ledger *self, struct error *e) MUST_CHECK;
enum err leaves_hear (struct ledger *self, struct slice content,
                      struct error *e) MUST_CHECK;
/* *mine: it was one of these ranges. */
enum err leaves_reply (struct ledger *self, const struct reply *reply,
                       bool *mine, struct error *e) MUST_CHECK;
enum err leaves_tick (struct ledger *self, int64_t now, struct error *e)
    MUST_CHECK;
enum err leaves_ask (struct core *core, int64_t from, int64_t count,
                     int64_t *call, struct error *e) MUST_CHECK;
/* The hashes of a reply to leaves_ask. ERR_MALFORMED. */
enum err leaves_read (const struct reply *reply, int64_t from, int64_t count,
                      struct slice *hashes, struct error *e) MUST_CHECK;

/* Once our tree reaches the base of the newest epoch: is it that? Where not, the
 * alarm, and nothing of this broker is judged. */
enum err ledger_base (struct ledger *self, struct error *e) MUST_CHECK;

/* Checkpoints */
enum err notes_hear (struct ledger *self, enum feed_kind kind,
                     struct slice note, struct error *e) MUST_CHECK;
enum err notes_reply (struct ledger *self, const struct reply *reply,
                      bool *mine, struct error *e) MUST_CHECK;
/* Judges what can be judged now. */
enum err notes_judge (struct ledger *self, struct error *e) MUST_CHECK;
/* Asks for those that are due. */
enum err notes_tick (struct ledger *self, int64_t now, struct error *e)
    MUST_CHECK;
void notes_end (struct ledger *self);
/* The roster in force at the checkpoint's end; NULL: not known. Borrowed. */
struct roster *notes_roster (const struct ledger *self,
                             const struct checkpoint *cp);

/* Of the newest mark that is held below it, ms; 0: none. */
int64_t ledger_mark_time (const struct ledger *self,
                          const struct checkpoint *cp);
/* Cosigning */
/* Is this delegation a witness by this roster (NULL: none), or by that of the
 * newest settled checkpoint? */
bool cosign_by_us (const struct ledger *self, const struct roster *roster);
/* A checkpoint was verified: cosign it, if this delegation may. */
enum err ledger_cosign (struct ledger *self, const struct checkpoint *cp,
                        struct error *e) MUST_CHECK;
/* The newest verified one again, where it has to be. */
enum err cosign_again (struct ledger *self, struct error *e) MUST_CHECK;
void cosign_reply (struct ledger *self, const struct reply *reply);
/* A note that the log signed: if our own line is on it, we did cosign that. */
enum err cosign_recall (struct ledger *self, const struct checkpoint *cp,
                        const struct note *note, struct error *e) MUST_CHECK;
/* One settled: a memory that was behind may be no danger any more. */
enum err cosign_passed (struct ledger *self, const struct checkpoint *cp,
                        const struct note *note, const struct roster *roster,
                        struct error *e) MUST_CHECK;

/* Evidence */
/* A leaf of our own tree, under a checkpoint that it bears out; `note` is
 * borrowed. */
enum err evidence_leaf (const struct core *core, const struct checkpoint *cp,
                        struct slice note, int64_t index,
                        struct evidence_leaf *out, struct error *e) MUST_CHECK;
/* With dialogue, maker, and all rosters up to the one in force at `sequence`. */
void evidence_put (const struct core *core, struct evidence *evidence,
                   int64_t sequence, struct buf *json);
/* Our tree has another root there: begin to look for the place. */
enum err inquiry_begin (struct ledger *self, const struct checkpoint *cp,
                        struct slice note, struct error *e) MUST_CHECK;
enum err inquiry_reply (struct ledger *self, const struct reply *reply,
                        bool *mine, struct error *e) MUST_CHECK;
enum err inquiry_tick (struct ledger *self, struct error *e) MUST_CHECK;
void inquiry_end (struct ledger *self);
/* Records and promises from `compared` on, below the checkpoint, against the
 * leaves; some at a time. *done: all of them. */
enum err evidence_compare (struct ledger *self, const struct checkpoint *cp,
                           struct slice note, bool *done, struct error *e)
    MUST_CHECK;
/* A promise of another leaf than the tree has there, under this checkpoint. Told
 * once of a place. */
enum err evidence_promise (struct ledger *self, const struct checkpoint *cp,
                           struct slice note, int64_t sequence,
                           const struct hash *leaf, struct error *e) MUST_CHECK;
/* A record that is not its leaf, by what was given out. */
enum err evidence_record (struct ledger *self, int64_t sequence,
                          struct slice octets, struct error *e) MUST_CHECK;
/* Pairs of records held whose times go back, that no verified checkpoint holds
 * yet: as the store has them. */
enum err times_load (struct ledger *self, struct error *e) MUST_CHECK;
/* A checkpoint was verified, by this note: pairs of records that it holds. */
enum err evidence_times (struct ledger *self, struct slice note,
                         struct error *e) MUST_CHECK;
/* And records that no broker may take. */
enum err evidence_suspects (struct ledger *self, struct slice note,
                            struct error *e) MUST_CHECK;
void suspects_end (struct ledger *self);
/* A note smaller than one before. */
enum err evidence_shrunk (struct ledger *self, const struct checkpoint *cp,
                          struct slice note, struct error *e) MUST_CHECK;

#endif
