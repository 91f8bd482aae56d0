/* mark - the tree over streams whose root stands in a mark: what each reader
 * has to hold, told to no other (PROTOCOL.md section 7.4).
 *
 * Pure functions. */
#ifndef PARLEY_MARK_H
#define PARLEY_MARK_H

#include "base/mp.h"
#include "format/tree.h"
#include "identity/identity.h"
#include "identity/roster.h"

#define MARK_PATH_MAX 9 /* 256 channels and 256 entities */

/* The streams of a roster that marks speak of: its channels, then each entity's
 * direct stream, in its order. */
size_t mark_streams (const struct roster *roster);
/* Stream n's name; `out` has room for a NUL. */
#define MARK_NAME_MAX 40
void mark_stream_name (const struct roster *roster, size_t n,
                       char out[MARK_NAME_MAX]);
int mark_stream_find (const struct roster *roster, struct slice name); /* -1 */

/* What a mark says of one stream: its records below the mark. */
struct mark_stream {
    struct slice name;
    struct hash salt;
    int64_t last; /* sequence of its last record; -1: none */
    int64_t count;
    struct hash root; /* over the leaf hashes of its records, by number */
};
/* BLAKE2b-256 under the epoch's veil key. */
struct hash mark_salt (const uint8_t veil[KEY_SIZE], struct slice name,
                       int64_t mark);
/* The entry's leaf hash. */
struct hash mark_leaf (const struct mark_stream *self);

/* A mark's claim of one stream, provable with the mark alone: as requests 12
 * and 13 give it. */
struct mark_claim {
    struct mark_stream stream;
    int64_t index; /* among the mark's streams */
    size_t path_length;
    struct hash path[MARK_PATH_MAX];
};
void mark_claim_write (struct buf *out, const struct mark_claim *self);
/* The name is of the octets. Errors are `in`'s (mp.h). */
void mark_claim_take (struct mp *in, struct mark_claim *out);
/* Is it what a mark with this root, under this roster, says? Index, path and
 * name are judged. ERR_DIGEST; ERR_MALFORMED. */
enum err mark_claim_check (const struct mark_claim *self,
                           const struct roster *roster, const struct hash *root,
                           struct error *e) MUST_CHECK;

#endif
