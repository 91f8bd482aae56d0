/* audit_trees - the ledger's root at each checkpoint and each epoch's base, from
 * the leaf hashes of all records; and of each stream that has a claim the root
 * at its mark, from those that are here (PROTOCOL.md sections 7.4, 7.5, 8.10).
 *
 * Records come in their order, so that trees stand at a mark as they did when it
 * was written. Memory does not grow with the records. */
#include "ledger/audit_impl.h"

#include "base/topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIMS_MAX 65536 /* some 600 octets each are kept */
#define STREAMS_MAX 1024 /* a roster has 512 */

/* Where a stream begins: behind `from` records that a cover stands for. */
struct beginning {
    int64_t from, count; /* count: the highest of its claims */
    struct tree tree;
};

struct watched {
    char name[MARK_NAME_MAX];
    struct beginning *beginnings; /* ascending */
    size_t count, next;
    bool begun; /* `tree` holds all from `from` to the last that was here */
    int64_t from;
    struct tree tree;
    int64_t last;              /* sequence of the last record here; -1 */
    struct audit_stream shown; /* by its newest claim */
};

struct kept_claim {
    int64_t mark, from;
    struct mark_claim claim; /* its name is the stream's */
    struct watched *stream;
};

struct audit_trees {
    struct tree tree; /* of the ledger, as far as all leaves were there */
    size_t next_point, next_base;
    struct watched **streams;
    size_t stream_count;
    struct kept_claim *claims;
    size_t claim_count, next_claim;
    /* Of the present block. */
    struct watched *carried[ADHOC_ENTITIES_MAX];
    int64_t numbers[ADHOC_ENTITIES_MAX]; /* of the next record; 0: not known */
    size_t carried_count;
};

/* Claims. */

static struct watched *watched_find (const struct audit_trees *self,
                                     struct slice name) {
    for (size_t i = 0; i < self->stream_count; i++)
        if (slice_is (name, self->streams[i]->name))
            return self->streams[i];
    return NULL;
}

static struct watched *watched_add (struct audit_trees *self,
                                    struct slice name) {
    struct watched *stream = mem_alloc (sizeof *stream);
    memcpy (stream->name, name.data, name.size); /* below MARK_NAME_MAX */
    stream->last = stream->shown.opening = stream->shown.opened = -1;
    self->streams = mem_resize (self->streams, (self->stream_count + 1)
                                                   * sizeof *self->streams);
    return self->streams[self->stream_count++] = stream;
}

/* One beginning for all claims of a stream, or another behind what they count:
 * so each record is added once. */
static enum err add_beginning (struct watched *stream,
                               const struct bundle_claim *claim,
                               struct error *e) {
    struct beginning *last =
        stream->count ? &stream->beginnings[stream->count - 1] : NULL;
    struct tree tree = { 0 };
    enum err rc = tree_add_cover (&tree, (uint64_t) claim->from, claim->cover,
                                  claim->cover_length, e);
    if (rc)
        return rc;
    int64_t count = claim->claim.stream.count;
    if (last && claim->from == last->from) {
        struct hash a = tree_root (&tree), b = tree_root (&last->tree);
        if (count < last->count || !hash_equal (&a, &b))
            return error_set (e, ERR_CHAIN,
                              "another cover, or a lower count, than at the "
                              "mark before");
        last->count = count;
        return ERR_NONE;
    }
    if (last && claim->from < last->count)
        return error_set (e, ERR_CHAIN,
                          "it begins at %" PRId64 ", and at the mark before at "
                          "%" PRId64 " with %" PRId64 " records",
                          claim->from, last->from, last->count);
    stream->beginnings = mem_resize (
        stream->beginnings, (stream->count + 1) * sizeof *stream->beginnings);
    stream->beginnings[stream->count++] =
        (struct beginning){ claim->from, count, tree };
    return ERR_NONE;
}

static enum err add_claim (struct audit_trees *self,
                           const struct bundle_claim *claim, struct error *e) {
    struct slice name = claim->claim.stream.name;
    if (self->claim_count == CLAIMS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d claims", CLAIMS_MAX);
    if (self->claim_count > 0
        && claim->mark < self->claims[self->claim_count - 1].mark)
        return error_set (e, ERR_CHAIN, "mark %" PRId64 " behind %" PRId64,
                          claim->mark,
                          self->claims[self->claim_count - 1].mark);
    struct watched *stream = watched_find (self, name);
    if (!stream && self->stream_count == STREAMS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d streams", STREAMS_MAX);
    if (!stream)
        stream = watched_add (self, name);
    if (add_beginning (stream, claim, e))
        return error_at (e, "stream %s", stream->name);
    if ((self->claim_count & (self->claim_count - 1)) == 0)
        self->claims = mem_resize (self->claims, 2 * (self->claim_count + 1)
                                                     * sizeof *self->claims);
    struct kept_claim *kept = &self->claims[self->claim_count++];
    *kept =
        (struct kept_claim){ claim->mark, claim->from, claim->claim, stream };
    kept->claim.stream.name = slice_text (stream->name);
    return ERR_NONE;
}

static enum err read_claims (struct audit *self, struct error *e) {
    struct bundle_claim *claim = mem_alloc (sizeof *claim);
    struct bundle *bundle = bundle_open (self->dir, e);
    enum err rc = bundle ? ERR_NONE : e->code;
    while (!rc && !(rc = bundle_next_claim (bundle, claim, e)))
        if (add_claim (self->trees, claim, e))
            rc = error_at (e, "claims, number %zu",
                           self->trees->claim_count + 1);
    bundle_close (&bundle);
    free (claim);
    self->report->claims = (int64_t) self->trees->claim_count;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err audit_trees_begin (struct audit *self, struct error *e) {
    self->trees = mem_alloc (sizeof *self->trees);
    return read_claims (self, e);
}

void audit_trees_free (struct audit *self) {
    struct audit_trees *trees = self->trees;
    if (!trees)
        return;
    for (size_t i = 0; i < trees->stream_count; i++) {
        free (trees->streams[i]->beginnings);
        free (trees->streams[i]);
    }
    free (trees->streams);
    free (trees->claims);
    free (trees);
    self->trees = NULL;
}

/* The ledger. */

static enum err compare_root (struct audit_trees *self, const char *what,
                              const struct hash *wanted, struct error *e) {
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    struct hash root = tree_root (&self->tree);
    if (hash_equal (&root, wanted))
        return ERR_NONE;
    return error_set (
        e, ERR_DIGEST,
        "%s of size %" PRIu64 ": blocks and leaves have the root %s, not %s",
        what, self->tree.size, hash_text (a, &root), hash_text (b, wanted));
}

/* Each checkpoint of this size, and each epoch that begins here. */
static enum err compare_points (struct audit *self, struct error *e) {
    struct audit_trees *trees = self->trees;
    int64_t size = (int64_t) trees->tree.size, base;
    struct hash root;
    enum err rc = ERR_NONE;
    for (; !rc && trees->next_base < self->roster_count; trees->next_base++) {
        const struct roster *r = self->rosters[trees->next_base].roster;
        if (!roster_epoch_base (r, &base, &root) || base < size)
            continue; /* a later roster of that epoch */
        if (base > size)
            break;
        rc = compare_root (trees, "epoch's base", &root, e);
    }
    for (; !rc && trees->next_point < self->point_count; trees->next_point++) {
        const struct audit_point *point = &self->points[trees->next_point];
        if (point->size != size)
            break;
        rc = compare_root (trees, "checkpoint", &point->root, e);
        if (!rc && point->settled.size >= 0)
            self->report->settled = point->settled;
        if (!rc && point->logged)
            self->report->logged =
                (struct audit_logged){ point->size, point->root };
    }
    return rc;
}

enum err audit_trees_leaf (struct audit *self, int64_t sequence,
                           const struct hash *leaf, struct error *e) {
    struct audit_trees *trees = self->trees;
    if ((uint64_t) sequence != trees->tree.size)
        return ERR_NONE; /* behind a hole: no root can be known */
    tree_add (&trees->tree, leaf);
    return compare_points (self, e);
}

/* Streams. */

static void carry (struct audit_trees *self, struct slice name,
                   int64_t number) {
    struct watched *stream = watched_find (self, name);
    if (!stream)
        return;
    self->carried[self->carried_count] = stream;
    self->numbers[self->carried_count++] = number;
}

void audit_trees_block (struct audit *self, struct slice channel,
                        int64_t channel_first, int64_t direct_first) {
    struct audit_trees *trees = self->trees;
    const char *exporter = self->report->meta.exporter;
    struct slice own = slice_of (exporter, strcspn (exporter, "/")), entity;
    trees->carried_count = 0;
    if (trees->stream_count == 0)
        return;
    if (!channel_is_adhoc (channel)) {
        carry (trees, channel, channel_first);
        return;
    }
    for (size_t i = 0; i < ADHOC_ENTITIES_MAX
                       && (entity = channel_adhoc_entity (channel, i)).size;
         i++) {
        char name[MARK_NAME_MAX];
        snprintf (name, sizeof name, "@%.*s", (int) entity.size,
                  (const char *) entity.data);
        carry (trees, slice_text (name),
               slice_equal (entity, own) ? direct_first : 0);
    }
}

/* Where numbers are not told (the direct streams of others), records are taken
 * for consecutive: a claim shows whether they are. */
static void watched_add_leaf (struct watched *self, int64_t number,
                              int64_t sequence, const struct hash *leaf) {
    int64_t held = (int64_t) self->tree.size;
    if (number == 0)
        number = self->begun ? held + 1
                 : self->next < self->count
                     ? self->beginnings[self->next].from + 1
                     : 0;
    while (self->next < self->count
           && self->beginnings[self->next].from < number) {
        const struct beginning *b = &self->beginnings[self->next++];
        self->begun = b->from == number - 1;
        self->from = b->from;
        self->tree = b->tree;
    }
    self->begun = self->begun && (int64_t) self->tree.size == number - 1;
    if (self->begun)
        tree_add (&self->tree, leaf);
    self->last = sequence;
}

void audit_trees_record (struct audit *self, int64_t sequence,
                         const struct hash *leaf) {
    struct audit_trees *trees = self->trees;
    for (size_t i = 0; i < trees->carried_count; i++) {
        watched_add_leaf (trees->carried[i], trees->numbers[i], sequence, leaf);
        if (trees->numbers[i])
            trees->numbers[i]++;
    }
}

/* Marks. */

static const struct roster *marked (const struct audit *self,
                                    const struct mark_payload *p) {
    for (size_t i = 0; i < self->roster_count; i++)
        if (hash_equal (&self->rosters[i].digest, &p->roster_digest))
            return self->rosters[i].roster;
    return NULL;
}

static enum err compare_streams_root (const struct mark_stream *said,
                                      const struct tree *tree,
                                      struct error *e) {
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    struct hash root = tree_root (tree);
    if (hash_equal (&root, &said->root))
        return ERR_NONE;
    return error_set (e, ERR_DIGEST,
                      "the mark's root is %s, and these records have %s",
                      hash_text (a, &said->root), hash_text (b, &root));
}

/* Where it begins, if no record behind that was here yet. */
static const struct beginning *ahead (const struct watched *self,
                                      int64_t from) {
    for (size_t i = self->next; i < self->count; i++)
        if (self->beginnings[i].from == from)
            return &self->beginnings[i];
    return NULL;
}

/* What the bundle shows of the stream below the mark, against the claim. */
static enum err compare_stream (const struct kept_claim *claim,
                                struct error *e) {
    const struct mark_stream *said = &claim->claim.stream;
    const struct watched *stream = claim->stream;
    const struct beginning *beginning = ahead (stream, claim->from);
    if (said->count == claim->from && beginning) /* none is claimed */
        return compare_streams_root (said, &beginning->tree, e);
    int64_t held = stream->begun ? (int64_t) stream->tree.size : -1;
    if (!stream->begun || stream->from != claim->from || held != said->count
        || stream->last != said->last)
        return error_set (
            e, ERR_CHAIN,
            "the mark counts %" PRId64 " records to sequence %" PRId64
            ", and from number %" PRId64 " on the bundle has all to %" PRId64
            ", the last at %" PRId64,
            said->count, said->last, claim->from + 1, held, stream->last);
    return compare_streams_root (said, &stream->tree, e);
}

/* By its newest claim; and the first mark from which on all is here. */
static void show (struct kept_claim *claim, const struct record *mark) {
    struct audit_stream *shown = &claim->stream->shown;
    int64_t count = claim->claim.stream.count;
    bool opens = count == claim->from,
         goes_on = shown->opening >= 0 && shown->from == claim->from;
    *shown = (struct audit_stream){
        .from = claim->from,
        .count = count,
        .opening = goes_on ? shown->opening
                   : opens ? claim->mark
                           : -1,
        .opened = goes_on ? shown->opened
                  : opens ? mark->log_time
                          : -1,
        .mark = claim->mark,
        .time = mark->log_time,
    };
}

static enum err check_claim (struct audit *self, struct kept_claim *claim,
                             const struct record *mark, struct error *e) {
    struct mark_payload p;
    enum err rc = mark_payload_read (mark->payload, &p, e);
    const struct roster *roster = rc ? NULL : marked (self, &p);
    if (!rc && !roster)
        rc = error_set (e, ERR_CHAIN, "the mark's roster is not here");
    if (!rc && !p.has_root)
        rc = error_set (e, ERR_CHAIN, "the mark has no streams' root");
    if (!rc)
        rc = mark_claim_check (&claim->claim, roster, &p.root, e);
    if (!rc)
        rc = compare_stream (claim, e);
    if (rc)
        return error_at (e, "mark %" PRId64 ", stream %s", claim->mark,
                         claim->stream->name);
    show (claim, mark);
    return ERR_NONE;
}

/* Claims of marks below `sequence` whose record did not come. */
static enum err check_missed (const struct audit_trees *self, int64_t sequence,
                              struct error *e) {
    if (self->next_claim == self->claim_count
        || self->claims[self->next_claim].mark >= sequence)
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "claims, number %zu: record %" PRId64
                      " is no mark that can be read here",
                      self->next_claim + 1,
                      self->claims[self->next_claim].mark);
}

enum err audit_trees_mark (struct audit *self, const struct record *mark,
                           struct error *e) {
    struct audit_trees *trees = self->trees;
    enum err rc = check_missed (trees, mark->sequence, e);
    for (; !rc && trees->next_claim < trees->claim_count
           && trees->claims[trees->next_claim].mark == mark->sequence;
         trees->next_claim++) {
        rc = check_claim (self, &trees->claims[trees->next_claim], mark, e);
        if (rc)
            error_at (e, "claims, number %zu", trees->next_claim + 1);
    }
    return rc;
}

enum err audit_trees_newer (struct audit *self, int64_t sequence,
                            struct error *e) {
    struct audit_trees *trees = self->trees;
    enum err rc = check_missed (trees, sequence, e);
    size_t first = trees->next_claim;
    while (!rc && trees->next_claim < trees->claim_count
           && trees->claims[trees->next_claim].mark == sequence)
        trees->next_claim++;
    if (trees->next_claim > first)
        audit_unchecked (self->report,
                         "%zu claims of record %" PRId64
                         ": it is of a newer format.",
                         trees->next_claim - first, sequence);
    return rc;
}

/* The end. */

static int by_name (const void *a, const void *b) {
    const struct audit_stream *x = a, *y = b;
    return strcmp (x->name, y->name);
}

static void report_streams (struct audit *self) {
    const struct audit_trees *trees = self->trees;
    struct audit_report *report = self->report;
    if (trees->stream_count == 0)
        return;
    report->streams = mem_alloc (trees->stream_count * sizeof *report->streams);
    for (size_t i = 0; i < trees->stream_count; i++) {
        struct audit_stream *out = &report->streams[report->stream_count++];
        *out = trees->streams[i]->shown;
        memcpy (out->name, trees->streams[i]->name, sizeof out->name);
        out->settled = out->mark < report->settled.size;
    }
    qsort (report->streams, report->stream_count, sizeof *report->streams,
           by_name);
}

enum err audit_trees_end (struct audit *self, struct error *e) {
    const struct audit_trees *trees = self->trees;
    enum err rc = check_missed (trees, INT64_MAX, e);
    if (rc)
        return rc;
    report_streams (self);
    size_t left = self->point_count - trees->next_point;
    if (left > 0)
        audit_unchecked (
            self->report,
            "The root of %zu checkpoints from size %" PRId64
            " on: record %" PRIu64 " is here neither in blocks nor in leaves.",
            left, self->points[trees->next_point].size, trees->tree.size);
    return ERR_NONE;
}
