/* repair - a ledger that has lost its end (an old copy was brought back) or has a
 * damaged block gets it back from what agents of several bodies export. For
 * `parley-broker repair`, on a stopped broker; it takes the folder's lock.
 *
 * Each bundle is audited. The ledger is read from its first record, and compared
 * with all of them; damaged blocks are replaced by the same ones (mend.h). What
 * is missing behind its end is put together from all bundles up to the newest
 * checkpoint that our log key signed, and judged as a replay does, block by block,
 * by the rosters at its place. The root must be the checkpoint's. Nothing is
 * written before all of that holds; then records are appended as they were
 * promised, with their places and times.
 *
 * Behind the checkpoint it goes on to the last record that a promise of ours
 * proves. What lies between promised ones has to be promised too, or to have the
 * same leaf hash in the bundles of two bodies; what one body alone tells of is not
 * taken, nor anything behind it. */
#ifndef PARLEY_REPAIR_H
#define PARLEY_REPAIR_H

#include "settings.h"

#include <stdio.h>

struct repair_range {
    int64_t first, end; /* records */
    char place[256];    /* of damage; "": missing behind the end */
};
#define REPAIR_RANGES_MAX 32

struct repair_lost {
    int64_t sequence;  /* promised */
    char exporter[64]; /* to it */
    bool held;         /* some bundle has it: what lies in front of it lacks */
};
#define REPAIR_LOST_MAX 32

struct repair_source {
    char exporter[64];
    const char *path;      /* the caller's */
    int64_t settled;       /* size of its newest checkpoint; -1 */
    int64_t added, mended; /* records taken from it */
};

struct repair_report {
    int64_t size;     /* records that the ledger had */
    int64_t covered;  /* size of the newest checkpoint above it; -1: none */
    int64_t target;   /* size that it was brought to; -1: nothing is above */
    int64_t promised, /* records of those behind `covered`: by promises, */
        agreed;       /* and by the word of two bodies */
    int64_t stopped;  /* where promises wanted more; -1 */
    char why[ERROR_TEXT_MAX];                 /* and it ended there */
    struct repair_lost lost[REPAIR_LOST_MAX]; /* the first of them */
    int64_t lost_count;                       /* in all */
    int64_t added, mended; /* records that came back, or would */
    int64_t held;          /* the highest record in any bundle; -1 */
    struct repair_range lacks[REPAIR_RANGES_MAX]; /* that nobody brought */
    size_t lack_count;    /* the first so many are in lacks */
    int64_t lack_records; /* in all */
    bool open_end;        /* of the last damage nobody knows the end */
    char asides[8][256];  /* segments as they were */
    size_t aside_count;
    char rebuilt[ERROR_TEXT_MAX]; /* why the journal is written anew; "": not */
    bool written_blocks, written_end;
    char absent[16][32]; /* bodies of the roster whose bundle is not here */
    size_t absent_count;
    struct repair_source *sources; /* owned */
    size_t source_count;
};
void repair_report_begin (struct repair_report *self); /* of nothing */
void repair_report_free (struct repair_report *self);
/* Everything but the errors, in sentences. */
void repair_report_print (const struct repair_report *self, bool dry,
                          FILE *out);

/* `dry`: nothing is written. 0: the ledger holds all that it should (or would).
 * ERR_NOT_FOUND: something is lacking still, as the report says. ERR_CHAIN: a
 * bundle has another record at a place that this ledger has; nothing is written.
 * ERR_DIGEST: another root than the checkpoint's. Others name file or bundle. */
enum err ledger_repair (const struct settings *settings, char *const *bundles,
                        size_t count, bool dry, struct repair_report *report,
                        struct error *e) MUST_CHECK;

#endif
