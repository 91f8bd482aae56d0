/* bundle - what somebody takes out of the ledger to check it elsewhere: a
 * folder of files (PROTOCOL.md section 8.10). */
#ifndef PARLEY_BUNDLE_H
#define PARLEY_BUNDLE_H

#include "format/block.h"
#include "format/mark.h"
#include "format/promise.h"

struct bundle_meta {
    struct hash dialogue;
    char exporter[IDENTITY_NAME_MAX + 1];
    int64_t made;        /* ms */
    int64_t first, last; /* sequences that blocks and leaves cover; last -1:
                            nothing */
    /* What the blocks were limited to: */
    char filter[256];                   /* over topics; "#": all */
    char author[IDENTITY_NAME_MAX + 1]; /* delegation or entity; "": any */
    int64_t since, until;               /* log times, ms; 0: no limit */
};
/* Limited to anything? */
bool bundle_limited (const struct bundle_meta *self);
/* Is this message what it is limited to, by author and topic? Such a one has its
 * body in the bundle; the others of a block stand there without (BODY_ABSENT). */
bool bundle_takes (const struct bundle_meta *self,
                   const struct message *message);
/* Can a message of this stream be such a one? Direct streams: "@EUROPOL". */
bool bundle_touches (const struct bundle_meta *self, const char *stream);
/* Is each? */
bool bundle_takes_all (const struct bundle_meta *self, const char *stream);

/* A bundle that has checkpoints has a leaf for every record below the newest one
 * that is not in blocks: then its reader recomputes the ledger's root, `first` is
 * 0 and `last` not below the newest checkpoint's last record.
 *
 * bundle.json. Read is strict: ERR_MALFORMED with the member and the rule,
 * ERR_NEWER for a format above 1. */
#define BUNDLE_META_MAX 65536
void bundle_meta_write (const struct bundle_meta *self, struct buf *json);
enum err bundle_meta_read (struct slice json, struct bundle_meta *out,
                           struct error *e) MUST_CHECK;

#define BUNDLE_REFUSAL_MAX 1048576 /* octets of an entry: a reply's refusals */

/* A mark's claim of one stream, for a bundle that shows all of the stream's
 * records with numbers from + 1 to the claim's count, in blocks. The `from`
 * records before those stand as a cover, of tree_cover_length (0, from) nodes.
 * All of $log is there, so the mark is too. Claims of one stream at several marks
 * have one `from` and cover; another `from` is not below the count of the claim
 * before (the stream begins anew behind a gap). */
struct bundle_claim {
    int64_t mark; /* its sequence */
    struct mark_claim claim;
    int64_t from;
    size_t cover_length;
    struct hash cover[TREE_COVER_MAX];
};
/* An entry of `claims`, without its length. */
void bundle_claim_write (struct buf *out, const struct bundle_claim *claim);

/* Writing. Entries come in the order of their file (ascending; ERR_CHAIN;
 * claims: of one mark in any order). Each call's octets may stay in memory until
 * bundle_finish, which writes bundle.json last: a folder without it is
 * unfinished. */
struct bundle_writer;
/* ERR_EXISTS: `dir` is there and not empty. */
struct bundle_writer *bundle_create (const char *dir,
                                     const struct bundle_meta *meta,
                                     struct error *e) MUST_CHECK;
enum err bundle_add_roster (struct bundle_writer *self, int64_t version,
                            struct slice note, struct error *e) MUST_CHECK;
enum err bundle_add_block (struct bundle_writer *self, int64_t direct_first,
                           struct slice block, struct error *e) MUST_CHECK;
enum err bundle_add_leaf (struct bundle_writer *self, int64_t sequence,
                          const struct hash *leaf, struct error *e) MUST_CHECK;
/* Settled ones, by size: the newest, and each that hands over to a roster with
 * other witnesses. ERR_MALFORMED, ERR_LIMIT: no checkpoint. */
enum err bundle_add_checkpoint (struct bundle_writer *self, struct slice note,
                                struct error *e) MUST_CHECK;
/* One that the log alone signed so far, above the newest settled one. */
enum err bundle_add_verified (struct bundle_writer *self, struct slice note,
                              struct error *e) MUST_CHECK;
enum err bundle_add_claim (struct bundle_writer *self,
                           const struct bundle_claim *claim, struct error *e)
    MUST_CHECK;
enum err bundle_add_promise (struct bundle_writer *self,
                             const struct promise_proof *proof, struct error *e)
    MUST_CHECK;
enum err bundle_add_refusal (struct bundle_writer *self, struct slice proof,
                             struct error *e) MUST_CHECK;
enum err bundle_finish (struct bundle_writer *self, struct error *e) MUST_CHECK;
void bundle_writer_destroy (struct bundle_writer **self_p);

/* Reading. The folder is hostile: names and sizes are judged here, the order of
 * entries and what their octets say is the caller's to check. ERR_NOT_FOUND: no
 * bundle.json. ERR_MALFORMED names the file and the octet. */
struct bundle;
struct bundle *bundle_open (const char *dir, struct error *e) MUST_CHECK;
void bundle_close (struct bundle **self_p);
const struct bundle_meta *bundle_meta (const struct bundle *self);
/* Each gives the next of its file; ERR_NOT_FOUND at the end; borrowed until
 * the next call of the same function. */
enum err bundle_next_roster (struct bundle *self, struct slice *note,
                             struct error *e) MUST_CHECK;
enum err bundle_next_block (struct bundle *self, int64_t *direct_first,
                            struct slice *block, struct error *e) MUST_CHECK;
enum err bundle_next_leaf (struct bundle *self, int64_t *sequence,
                           struct hash *leaf, struct error *e) MUST_CHECK;
enum err bundle_next_checkpoint (struct bundle *self, struct slice *note,
                                 struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND: there is none. Borrowed until the bundle is closed. */
enum err bundle_verified (struct bundle *self, struct slice *note,
                          struct error *e) MUST_CHECK;
/* The stream's name is borrowed. */
enum err bundle_next_claim (struct bundle *self, struct bundle_claim *out,
                            struct error *e) MUST_CHECK;
enum err bundle_next_promise (struct bundle *self, struct promise_proof *out,
                              struct error *e) MUST_CHECK;
enum err bundle_next_refusal (struct bundle *self, struct slice *proof,
                              struct error *e) MUST_CHECK;

#endif
