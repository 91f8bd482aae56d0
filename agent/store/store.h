/* store - the agent's one SQLite file.
 *
 * Holds rosters, blocks as they were received, an index of their records, the
 * outbox, refusals, and what was noticed. WAL, synchronous=FULL: what a call
 * reports as done survives a power cut. A handle belongs to one thread at a
 * time; each thread opens its own (writers wait for each other up to 10 s).
 * Never creates a file unless asked: an agent whose store is gone must say so,
 * since a new store means a new lane.
 *
 * An older schema is raised where a handle that writes is opened.
 *
 * Tables: meta, rosters, blocks, records (+ indexes), positions,
 * lanes, outbox, totals, forms, replies, promises, proofs, refusals, notices,
 * told, stream_places, stream_leaves, stream_spans, claims, trees, tiles, covers,
 * checkpoints, verified, cosigned, runs, drafts, tokens, acts, attached,
 * sendings (+ sending_parts), read_marks, watches, texts (+ text_plans,
 * text_words, text_runs). store_schema.c makes them. */
#ifndef PARLEY_STORE_H
#define PARLEY_STORE_H

#include "base/error.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct sqlite3;
struct sqlite3_stmt;

/* Make a new one, 0600, for this dialogue and delegation, with a fresh lane.
 * ERR_EXISTS. */
enum err store_create (const char *path, const struct hash *dialogue,
                       const char *delegation, struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND; ERR_DAMAGED (not SQLite, failed quick_check, our tables
 * missing); ERR_NEWER: a schema above ours; ERR_CONFIG: another dialogue or
 * delegation. */
struct store *store_open (const char *path, const struct hash *dialogue,
                          const char *delegation, struct error *e) MUST_CHECK;
/* For reading only (API threads). */
struct store *store_open_reader (const char *path, struct error *e) MUST_CHECK;
void store_close (struct store **self_p);

/* The lane that new messages use; read anew, since another handle may have
 * drawn one. store_new_lane draws another one (a store
 * that is older than what the broker holds, or a full window). */
uint64_t store_lane (struct store *self);
enum err store_new_lane (struct store *self, uint64_t *lane, struct error *e)
    MUST_CHECK;

/* Transactions; they do not nest, but as parts of a group. commit: durable when 0. Writers of this
 * process go in the order in which they came; ERR_TIMEOUT after 10 s. */
enum err store_begin (struct store *self, struct error *e) MUST_CHECK;
enum err store_commit (struct store *self, struct error *e) MUST_CHECK;
void store_rollback (struct store *self);
/* End what store_begin began: commit where rc is 0, else roll back and return
 * rc. */
enum err store_end (struct store *self, enum err rc, struct error *e)
    MUST_CHECK;

/* A group: one transaction, of which each that is begun meanwhile is a part:
 * kept or rolled back for itself, seen by those behind it, and durable when
 * store_group_end is 0. Where that fails nothing of any part is there. */
enum err store_group_begin (struct store *self, struct error *e) MUST_CHECK;
enum err store_group_end (struct store *self, struct error *e) MUST_CHECK;
void store_group_drop (struct store *self);

/* For the modules of this folder: a statement from the handle's cache, reset
 * and unbound; sql must be a literal. ERR_* for sqlite3's code with its text:
 * SQLITE_FULL is ERR_NO_SPACE, SQLITE_CORRUPT and NOTADB ERR_DAMAGED, IOERR
 * ERR_IO, BUSY ERR_TIMEOUT. */
struct sqlite3_stmt *store_prepare (struct store *self, const char *sql);
enum err store_error (struct store *self, struct error *e, const char *what);

/* Small texts: "roster", "started", ... NULL value: not there. The caller
 * frees. */
char *store_meta (struct store *self, const char *key);
enum err store_set_meta (struct store *self, const char *key, const char *value,
                         struct error *e) MUST_CHECK;

/* Rosters, verified by the caller; by version. Appended; `notes` in order of
 * version, each given to `each`. */
enum err store_add_roster (struct store *self, int64_t version,
                           int64_t sequence, struct slice note, struct error *e)
    MUST_CHECK;
enum err store_rosters (struct store *self,
                        enum err (*each) (void *arg, int64_t version,
                                          int64_t sequence, struct slice note,
                                          struct error *e),
                        void *arg, struct error *e) MUST_CHECK;

/* A cursor that outlives the process: whoever resumes at a position says of
 * which run it is, since a store that was put back gives positions anew. Begin:
 * a run of its own from here on; its name is hex. */
#define STORE_RUN_MAX 17 /* octets with the NUL */
enum err store_begin_run (struct store *self, char run[STORE_RUN_MAX],
                          struct error *e) MUST_CHECK;
/* Up to where what was read in that run, up to `position`, is what this store
 * holds: `position`, or the run's end below it, or 0 for a run that it does not
 * know, since nobody can tell what it shares with this one. */
int64_t store_common (struct store *self, const char *run, int64_t position);

/* What was noticed and must not be lost: evidence, quarantine, a restored
 * store. Shown by status. `kind` is a stable id like "BAD-BLOCK". The same kind
 * and text again only counts up. Of one kind so many are kept, with their
 * evidence: what a broker says wrong may be new each time. */
#define STORE_NOTICES_A_KIND 32
enum err store_notice (struct store *self, const char *kind, bool alarm,
                       const char *text, struct slice evidence, struct error *e)
    MUST_CHECK;
/* Of that record, for that alarm: was it told before? It is from now on, also
 * over a restart: what an operator has looked at is no news. */
enum err store_told (struct store *self, const char *kind, int64_t sequence,
                     bool *before, struct error *e) MUST_CHECK;
/* All kinds that match this GLOB pattern are news again. */
enum err store_untell (struct store *self, const char *kinds, struct error *e)
    MUST_CHECK;
struct store_notice {
    int64_t number, ms;
    const char *kind, *text; /* borrowed for the call */
    bool alarm;
    int64_t count;
    int64_t acknowledged_ms; /* 0: nobody has said that he looked */
};
enum err store_notices (struct store *self,
                        void (*each) (void *arg, const struct store_notice *),
                        void *arg, struct error *e) MUST_CHECK;
/* An operator has looked at it: it stays, and alarms no more. Again is fine, the
 * first time stands. ERR_NOT_FOUND. */
enum err store_acknowledge (struct store *self, int64_t number, struct error *e)
    MUST_CHECK;
/* What a notice rests on, appended; nothing where there is nothing.
 * ERR_NOT_FOUND. */
enum err store_evidence (struct store *self, int64_t number, struct buf *out,
                         struct error *e) MUST_CHECK;
/* Alarms that nobody acknowledged. */
int64_t store_alarms (struct store *self);

#endif
