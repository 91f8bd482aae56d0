/* audit - check a bundle offline, from the dialogue id alone (DESIGN section
 * 8, "Audit").
 *
 * Rosters chain to the dialogue id; every block decodes and is signed by keys
 * valid at its place, by authors who had the right; digests, sequences,
 * channel and direct-stream numbers, topic back-links and log times agree;
 * promises and refusals are signed by the desk and contradict neither each other
 * nor the records that are there. Checkpoints are signed by the log and by a
 * quorum of its witnesses, and have the root that records and leaves give; each
 * claim stands in its mark, and is what the bundle shows of its stream. Ends at
 * the first thing that is wrong and names it. What a bundle does not have is not
 * wrong: the report says what could not be checked. */
#ifndef PARLEY_AUDIT_H
#define PARLEY_AUDIT_H

#include "identity/checkpoint.h"
#include "ledger/bundle.h"

/* A stream of which every record from number from + 1 to number `count` is
 * here, and no other was below the mark. */
struct audit_stream {
    char name[MARK_NAME_MAX]; /* "all", "@EUROPOL" */
    int64_t from, count;
    int64_t opening, opened; /* a mark that counts `from`: place, log time; so
                                that all behind it is here. -1: none is here */
    int64_t mark,
        time;     /* of the newest claim: the mark's place, log time (ms) */
    bool settled; /* the mark is below the settled size */
};

/* The largest checkpoint that all was checked of: log, quorum, root. */
struct audit_settled {
    int64_t size;                       /* -1: there is none */
    int64_t roster_version;             /* in force at its end */
    size_t witnesses, cosigned, needed; /* by that roster */
    int64_t time;  /* s: when the quorum was whole; 0: without witnesses */
    int64_t bound; /* s: existed by then, whichever of the witnesses that the
                      quorum allows for lied; 0: not known */
    struct checkpoint checkpoint;
};

/* A checkpoint above the settled ones that the log signed, and no quorum yet. */
struct audit_logged {
    int64_t size; /* -1: there is none */
    struct hash root;
};

struct audit_report {
    struct bundle_meta meta;
    int64_t rosters, blocks, records, messages, marks, newer;
    int64_t signatures; /* batch signatures verified */
    int64_t promises, refusals;
    int64_t leaves;  /* records present by their hash alone */
    int64_t holes;   /* sequences between first and last that are neither */
    int64_t authors; /* different ones */
    int64_t first_time, last_time;
    int64_t checkpoints; /* in the bundle, none of them wrong */
    int64_t claims;      /* the same */
    struct audit_settled settled;
    struct audit_logged logged;
    struct audit_stream *streams; /* with a claim, by name */
    size_t stream_count;
    char **unchecked; /* sentences: what could not be checked, and why */
    size_t unchecked_count;
};
/* Empty again. */
void audit_report_free (struct audit_report *self);

/* Called now and then with records done; may be NULL. */
typedef void audit_progress_fn (void *arg, int64_t records);

/* `dialogue` NULL: the bundle's own word is taken, and the report's reader
 * must compare it. 0: all holds. Otherwise *e names the first wrong thing:
 * file, sequence, rule, values. The report is overwritten, and the caller's to
 * free in any case. */
enum err audit_check (const char *dir, const struct hash *dialogue,
                      audit_progress_fn *progress, void *arg,
                      struct audit_report *report, struct error *e) MUST_CHECK;

/* Could everything be checked that a bundle with these limits is there for? No:
 * a root that can't be recomputed, a signer who is not known, what is of a newer
 * format, a part of what it is limited to that is not proved to be all; `unchecked`
 * names it. What rests on somebody's word in each bundle does not count. */
bool audit_whole (const struct audit_report *report);
/* Sentences that say what rests on the broker's word in that bundle, and what
 * could not be checked in it; NULL behind the last. The report's. */
const char *audit_caveat (const struct audit_report *report, size_t n);

#endif
