/* What the notary's files share. Only for notary*.c, and repair_write.c for
 * what is kept. */
#ifndef PARLEY_NOTARY_IMPL_H
#define PARLEY_NOTARY_IMPL_H

#include "identity/quorum.h"
#include "notary.h"

#define NOTARY_RECENT 64 /* checkpoints that cosignatures are taken for */

/* notary_reader: what stands in the journal against what its index has. Of one
 * thread. */
struct notary_reader {
    struct journal *journal; /* borrowed */
    struct buf octets, stored;
    struct hash leaves[BLOCK_RECORDS_MAX];
    int64_t first; /* sequence of leaves[0] */
    size_t count;
    int64_t place; /* after an error: the record that it is about */
};
/* Read back the block that holds `sequence`, and compare the leaf hashes of its
 * records from there on, which are in leaves. ERR_DAMAGED; others (ERR_IO) say
 * that it can't be known now. */
enum err notary_read (struct notary_reader *self, int64_t sequence,
                      struct error *e) MUST_CHECK;
void notary_reader_free (struct notary_reader *self);

/* Going through all of it again, a little at a time. */
struct notary_scrub {
    int64_t at, end;  /* the round's next record; what it goes up to */
    struct tree tree; /* of what it read back */
    bool holes;       /* and what it could not, so that the root says nothing */
    int64_t due_ms;   /* monotonic */
};
/* One block, and what is wrong with it in the log. `size`: what the notary
 * itself has read back, where a new round ends. */
void notary_scrub_step (struct notary_scrub *self, struct notary_reader *reader,
                        int64_t size, int64_t now_ms, int64_t pause_ms);

/* notary_notes: checkpoints, and who cosigned them. The caller holds a lock. */
struct notary_entry {
    struct checkpoint checkpoint; /* size 0: none */
    struct roster *roster;        /* in force at its end; a reference */
    struct buf note;              /* with all lines that are known */
    size_t lines;                 /* in it */
    size_t cosigned;              /* witnesses of `roster` among them */
    bool kept;                    /* of an earlier run */
    bool handover;      /* settled: the first with its roster at the end */
    int64_t settled_ms; /* wall clock, when its quorum was whole; 0: not yet,
                           or not known */
};
void notary_entry_free (struct notary_entry *self);
/* What a settled one has to go out as, in order. */
struct notary_out {
    struct buf note;
    int64_t version; /* of its roster */
    int64_t size;
    bool handover;
    bool kept; /* as it is here, in both files */
};
struct notary_notes {
    struct notary_entry recent[NOTARY_RECENT]; /* a ring; none is settled */
    size_t next;
    struct notary_entry settled; /* the newest */
    int64_t signed_size;         /* the highest of this run or settled */
    int64_t signed_ms;           /* wall clock, of this run's; 0: none yet */
    int64_t settled_ms;          /* wall clock, when its quorum was whole */
    int64_t again_ms; /* monotonic: from then on it goes out once more, where
                         other lines came; 0: it did, or need not */
    size_t lines_out; /* in it when it went out */
    struct notary_out *out; /* owned */
    size_t out_count, out_room;
    /* The first one, and each that hands over, has to be kept before anybody
     * hears that it settled: with the one before alone, the next run would let
     * others settle, or the new witnesses without the old. What can't be kept
     * does not settle; a later one may. NULL: nothing is kept. */
    bool (*keep) (void *arg, const struct notary_entry *entry);
    void *keep_arg;
};
void notary_notes_free (struct notary_notes *self);
/* One that the log signed now: takes note and the reference. It may be settled
 * at once. `now_ms` here and below is monotonic. */
void notary_notes_signed (struct notary_notes *self,
                          const struct checkpoint *checkpoint,
                          struct roster *roster, struct buf *note,
                          int64_t now_ms);
/* As notary_cosign; what has to go out then is in `out`. */
enum err notary_notes_cosign (struct notary_notes *self, const char *delegation,
                              struct slice note, int64_t now_ms,
                              struct error *e) MUST_CHECK;
/* Puts the settled one into `out` once more where that is due. */
void notary_notes_tick (struct notary_notes *self, int64_t now_ms);
/* When it will be, monotonic; INT64_MAX: nothing is. */
int64_t notary_notes_due (const struct notary_notes *self);
/* The newest that was signed; NULL. */
const struct notary_entry *notary_notes_newest (
    const struct notary_notes *self);

/* notary_files: what is kept in a folder of its own. */

/* `settled` into *out (all zero where there is none), judged by the state's
 * rosters. ERR_DAMAGED: not what this program wrote. */
enum err notary_files_load (const char *dir, struct state *state,
                            struct notary_entry *out, struct error *e)
    MUST_CHECK;
/* The folder is made where it is missing. */
enum err notary_files_settled (const char *dir, struct slice note,
                               struct error *e) MUST_CHECK;
enum err notary_files_handover (const char *dir, int64_t version,
                                struct slice note, struct error *e) MUST_CHECK;
/* `settled` as it is. ERR_NOT_FOUND. */
enum err notary_files_newest (const char *dir, struct buf *out,
                              struct error *e) MUST_CHECK;
/* `roster-VERSION`. ERR_NOT_FOUND. */
enum err notary_files_read (const char *dir, int64_t version, struct buf *out,
                            struct error *e) MUST_CHECK;

#endif
