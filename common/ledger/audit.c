/* audit - the second pass: every block under the roster of its place, and what
 * the records say of each other (PROTOCOL.md sections 5 to 7).
 *
 * Memory grows with the records: some 100 octets each. One thread. */
#include "ledger/audit_impl.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define PROGRESS_RECORDS 1024

/* What has to be remembered of the records before. */
struct past {
    struct audit *audit;
    struct seen *streams; /* by name: last number, its sequence, records then */
    struct seen *topics;  /* last sequence + 1 */
    struct seen *numbers; /* (author, lane, number): sequence + 1 */
    struct seen *authors;
    struct seen *newer; /* sequences that we can't judge */
    int64_t present;    /* records in blocks so far */
    int64_t last_time, last_epoch;
    int64_t mark_due;      /* where a mark has to stand; -1: nowhere */
    bool named;            /* what is wrong is of another file than blocks */
    struct bundle *leaves; /* read as far as the blocks are */
    int64_t leaf_sequence, leaf_last; /* of the next one; INT64_MAX: no more */
    struct hash leaf;
    audit_progress_fn *progress;
    void *arg;
    int64_t told; /* records at the last call of progress */
};

/* Numbers of a stream: consecutive where all records between are here; where
 * some are not, at most those can have carried the missing numbers. */
static enum err check_number (struct past *self, struct slice stream,
                              int64_t number, int64_t sequence, int64_t count,
                              struct error *e) {
    bool added;
    struct seen_value *v = seen_put (self->streams, &stream, 1, &added);
    int64_t last = added ? 0 : v->n[0], place = added ? -1 : v->n[1];
    int64_t unknown =
        (sequence - place - 1) - (self->present - (added ? 0 : v->n[2]));
    if (number <= last || number - last - 1 > unknown)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": number %" PRId64
                          " of stream %.*s follows %" PRId64 ", with %" PRId64
                          " records between that are not here",
                          sequence, number, (int) stream.size,
                          (const char *) stream.data, last, unknown);
    *v = (struct seen_value){ { number + count - 1, sequence + count - 1,
                                self->present + count } };
    return ERR_NONE;
}

/* Blocks. */

static enum err check_direct (struct past *self, const struct block *b,
                              const struct block_facts *facts,
                              int64_t direct_first, struct error *e) {
    if (direct_first == 0)
        return ERR_NONE;
    if (!channel_is_adhoc (facts->channel))
        return error_set (e, ERR_MALFORMED,
                          "record %" PRId64 ": a number in the direct stream, "
                          "but it is on channel %.*s",
                          b->first_sequence, (int) facts->channel.size,
                          (const char *) facts->channel.data);
    return check_number (self, slice_text ("@"), direct_first,
                         b->first_sequence, (int64_t) b->count, e);
}

static enum err check_times (struct past *self, const struct block *b,
                             const struct block_facts *facts, struct error *e) {
    bool behind =
        facts->epoch == self->last_epoch && facts->first_time < self->last_time;
    if (behind)
        return error_set (
            e, ERR_CHAIN,
            "record %" PRId64 ": log time %" PRId64 " behind %" PRId64,
            b->first_sequence, facts->first_time, self->last_time);
    self->last_epoch = facts->epoch;
    self->last_time = facts->last_time;
    return ERR_NONE;
}

/* The roster that the block names, if it was in force over all of it. */
static enum err find_roster (const struct past *self, const struct block *b,
                             const struct block_facts *facts,
                             const struct roster **out, struct error *e) {
    int64_t next, last = b->first_sequence + (int64_t) b->count - 1;
    const struct audit_roster *found =
        audit_roster_at (self->audit, facts->roster, &next);
    if (!found)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": it names the roster at record "
                          "%" PRId64 ", and that is not in the bundle",
                          b->first_sequence, facts->roster);
    if (next <= last)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": it names the roster at record "
                          "%" PRId64 ", which is not in force there",
                          b->first_sequence, facts->roster);
    *out = found->roster;
    return ERR_NONE;
}

static enum err verify (struct past *self, const struct block *b,
                        const struct block_facts *facts, struct error *e) {
    const struct roster *roster = NULL;
    enum err rc = find_roster (self, b, facts, &roster, e);
    if (!rc)
        rc = block_verify (b, &self->audit->dialogue, roster, e);
    if (rc)
        return rc;
    self->audit->report->signatures += (int64_t) b->runs;
    self->audit->report->newer += (int64_t) facts->newer;
    return ERR_NONE;
}

/* Records. */

static struct slice number_slice (const int64_t *number) {
    return slice_of (number, sizeof *number);
}

/* Element 8: the last earlier record on the topic; where that one is not here,
 * nothing here may stand between. */
static enum err check_topic (struct past *self, const struct record *r,
                             const struct message *m, struct error *e) {
    bool added;
    struct seen_value *v = seen_put (self->topics, &m->topic, 1, &added);
    int64_t last = added ? -1 : v->n[0];
    v->n[0] = r->sequence;
    if (r->previous == last)
        return ERR_NONE;
    struct slice key = number_slice (&r->previous);
    bool elsewhere = r->previous > last && r->previous < r->sequence
                     && (!audit_present (self->audit, r->previous)
                         || seen_get (self->newer, &key, 1));
    if (elsewhere)
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 ": it names record %" PRId64
                      " as the one before on topic %.*s, and that is %" PRId64,
                      r->sequence, r->previous, (int) m->topic.size,
                      (const char *) m->topic.data, last);
}

static enum err check_lane (struct past *self, const struct record *r,
                            const struct message *m, struct error *e) {
    bool added;
    const struct slice parts[] = { m->author,
                                   slice_of (&m->lane, sizeof m->lane),
                                   number_slice (&m->number) };
    struct seen_value *v = seen_put (self->numbers, parts, 3, &added);
    if (!added)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": number %" PRId64
                          " of lane %016" PRIx64 " of %.*s stands at record "
                          "%" PRId64 " already",
                          r->sequence, m->number, m->lane, (int) m->author.size,
                          (const char *) m->author.data, v->n[0]);
    v->n[0] = r->sequence;
    seen_put (self->authors, &m->author, 1, NULL);
    return ERR_NONE;
}

static void note_body (struct audit *self, const struct record *r,
                       const struct message *m, enum body_state state) {
    if (state != BODY_ABSENT || !bundle_takes (&self->report->meta, m))
        return;
    if (self->bodiless++ == 0)
        self->first_bodiless = r->sequence;
}

static enum err check_message (struct past *self, const struct record *r,
                               enum body_state state, const struct hash *leaf,
                               struct error *e) {
    struct message m;
    enum err rc = record_message (r, &m, e);
    if (rc)
        return rc;
    self->audit->report->messages++;
    note_body (self->audit, r, &m, state);
    rc = check_topic (self, r, &m, e);
    if (!rc)
        rc = check_lane (self, r, &m, e);
    if (!rc
        && (rc = audit_denied (self->audit, &m.id, r->epoch, r->log_time, e)))
        error_at (e, "record %" PRId64, r->sequence);
    return rc ? rc
              : audit_compare (self->audit, r->sequence, r->epoch, &m.id, leaf,
                               e);
}

/* Behind each roster stands its mark. */
static enum err check_type (struct past *self, const struct record *r,
                            struct error *e) {
    bool due = self->mark_due == r->sequence;
    if (r->type == RECORD_ROSTER)
        self->mark_due = r->sequence + 1;
    if (due && r->type != RECORD_MARK)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64
                          ": type %s where a mark has to stand",
                          r->sequence, record_type_name (r->type));
    self->audit->report->marks += r->type == RECORD_MARK;
    return ERR_NONE;
}

/* Its place among all records, and in its streams. */
static enum err place_record (struct past *self, const struct record *r,
                              const struct hash *leaf, bool newer,
                              struct error *e) {
    enum err rc = audit_trees_leaf (self->audit, r->sequence, leaf, e);
    audit_trees_record (self->audit, r->sequence, leaf);
    if (!rc && newer)
        rc = audit_trees_newer (self->audit, r->sequence, e);
    else if (!rc && r->type == RECORD_MARK)
        rc = audit_trees_mark (self->audit, r, e);
    self->named = rc != ERR_NONE;
    return rc;
}

static enum err check_record (struct past *self, struct slice octets,
                              enum body_state state, struct error *e) {
    struct record r;
    struct hash leaf = record_leaf (octets);
    enum err rc = record_read (octets, &r, e);
    bool newer = rc == ERR_NEWER;
    if (rc && !newer)
        return rc;
    rc = check_type (self, &r, e);
    if (!rc && !newer && r.type == RECORD_MESSAGE)
        rc = check_message (self, &r, state, &leaf, e);
    else if (!rc)
        rc = audit_compare (self->audit, r.sequence, r.epoch, NULL, &leaf, e);
    if (!rc && newer) {
        struct slice key = number_slice (&r.sequence);
        seen_put (self->newer, &key, 1, NULL);
    }
    return rc ? rc : place_record (self, &r, &leaf, newer, e);
}

static enum err check_records (struct past *self, const struct block *b,
                               struct error *e) {
    struct block_walk w;
    block_walk (b, &w);
    while (block_next (&w)) {
        enum err rc = check_record (self, w.record, w.state, e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

static void tell (struct past *self, bool now) {
    if (!self->progress
        || (!now && self->present - self->told < PROGRESS_RECORDS))
        return;
    self->told = self->present;
    self->progress (self->arg, self->present);
}

static void count_block (struct past *self, const struct block *b,
                         const struct block_facts *facts) {
    struct audit_report *report = self->audit->report;
    if (report->blocks++ == 0)
        report->first_time = facts->first_time;
    report->last_time = facts->last_time;
    self->present += (int64_t) b->count;
    report->records = self->present;
    tell (self, false);
}

static enum err judge_block (struct past *self, const struct block *b,
                             int64_t direct_first, struct error *e) {
    struct block_facts facts;
    enum err rc = block_check (b, &facts, e);
    if (!rc)
        rc = check_times (self, b, &facts, e);
    if (!rc)
        rc = check_number (self, facts.channel, facts.first_channel_sequence,
                           b->first_sequence, (int64_t) b->count, e);
    if (!rc)
        rc = check_direct (self, b, &facts, direct_first, e);
    if (!rc)
        rc = verify (self, b, &facts, e);
    if (rc)
        return rc;
    audit_trees_block (self->audit, facts.channel, facts.first_channel_sequence,
                       direct_first);
    rc = check_records (self, b, e);
    if (!rc)
        count_block (self, b, &facts);
    return rc;
}

/* Leaves. */

static enum err check_leaf (struct audit *self, int64_t sequence, int64_t last,
                            const struct hash *leaf, struct error *e) {
    const struct bundle_meta *meta = &self->report->meta;
    if (sequence <= last)
        return error_set (e, ERR_CHAIN, "record %" PRId64 " behind %" PRId64,
                          sequence, last);
    if (sequence < meta->first || sequence > meta->last)
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": outside of the bundle's %" PRId64
                          " to %" PRId64,
                          sequence, meta->first, meta->last);
    if (audit_present (self, sequence))
        return error_set (e, ERR_CHAIN,
                          "record %" PRId64 ": it stands in blocks too",
                          sequence);
    return audit_compare (self, sequence, audit_epoch_at (self, sequence), NULL,
                          leaf, e);
}

static enum err next_leaf (struct past *self, struct error *e) {
    enum err rc =
        bundle_next_leaf (self->leaves, &self->leaf_sequence, &self->leaf, e);
    if (rc == ERR_NOT_FOUND)
        self->leaf_sequence = INT64_MAX;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* All that stand before a record. */
static enum err take_leaves (struct past *self, int64_t before,
                             struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && self->leaf_sequence < before) {
        rc = check_leaf (self->audit, self->leaf_sequence, self->leaf_last,
                         &self->leaf, e);
        if (rc)
            return error_at (e, "leaves");
        rc =
            audit_trees_leaf (self->audit, self->leaf_sequence, &self->leaf, e);
        self->leaf_last = self->leaf_sequence;
        self->audit->report->leaves++;
        if (!rc)
            rc = next_leaf (self, e);
    }
    return rc;
}

static enum err check_block (struct past *self, struct slice octets,
                             int64_t direct_first, struct error *e) {
    struct block b;
    enum err rc = block_read (octets, &b, e);
    if (rc)
        return error_at (e, "blocks");
    rc = take_leaves (self, b.first_sequence, e);
    if (rc)
        return rc;
    rc = judge_block (self, &b, direct_first, e);
    return rc && !self->named ? error_at (e, "blocks") : rc;
}

static enum err check_blocks (struct past *self, struct error *e) {
    struct slice octets;
    int64_t direct;
    struct bundle *bundle = bundle_open (self->audit->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_block (bundle, &direct, &octets, e)))
        rc = check_block (self, octets, direct, e);
    bundle_close (&bundle);
    tell (self, true);
    return rc == ERR_NOT_FOUND ? take_leaves (self, INT64_MAX, e) : rc;
}

static enum err audit_blocks (struct audit *self, audit_progress_fn *progress,
                              void *arg, struct error *e) {
    struct past past = { .audit = self,
                         .streams = seen_new(),
                         .topics = seen_new(),
                         .numbers = seen_new(),
                         .authors = seen_new(),
                         .newer = seen_new(),
                         .mark_due = -1,
                         .leaves = bundle_open (self->dir, e),
                         .leaf_last = -1,
                         .progress = progress,
                         .arg = arg };
    enum err rc = past.leaves ? next_leaf (&past, e) : e->code;
    if (!rc)
        rc = check_blocks (&past, e);
    bundle_close (&past.leaves);
    self->report->authors = (int64_t) seen_count (past.authors);
    seen_destroy (&past.streams);
    seen_destroy (&past.topics);
    seen_destroy (&past.numbers);
    seen_destroy (&past.authors);
    seen_destroy (&past.newer);
    return rc;
}

/* All of it. */

static enum err read_meta (struct audit *self, const struct hash *dialogue,
                           struct error *e) {
    char found[HASH_TEXT_MAX], wanted[HASH_TEXT_MAX];
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    self->report->meta = *bundle_meta (bundle);
    bundle_close (&bundle);
    self->dialogue = self->report->meta.dialogue;
    if (dialogue && !hash_equal (dialogue, &self->dialogue))
        return error_set (
            e, ERR_CHAIN, "bundle.json: it is of the dialogue %s, not of %s",
            hash_text (found, &self->dialogue), hash_text (wanted, dialogue));
    return ERR_NONE;
}

static void count_holes (struct audit_report *report) {
    const struct bundle_meta *meta = &report->meta;
    int64_t covered = meta->last < 0 ? 0 : meta->last - meta->first + 1;
    report->holes = covered - report->records - report->leaves;
}

static void audit_free (struct audit *self) {
    for (size_t i = 0; i < self->roster_count; i++)
        roster_unref (&self->rosters[i].roster);
    free (self->rosters);
    free (self->placed);
    free (self->ranges);
    free (self->claims);
    free (self->claims_by_id);
    free (self->points);
    seen_destroy (&self->denials);
    audit_trees_free (self);
}

enum err audit_check (const char *dir, const struct hash *dialogue,
                      audit_progress_fn *progress, void *arg,
                      struct audit_report *report, struct error *e) {
    struct error own;
    struct audit audit = { .dir = dir, .report = report };
    if (!e)
        e = &own;
    *report = (struct audit_report){ .settled = { .size = -1 },
                                     .logged = { .size = -1 } };
    enum err rc = read_meta (&audit, dialogue, e);
    if (!rc)
        rc = audit_scan (&audit, e);
    if (!rc)
        rc = audit_rosters (&audit, e);
    if (!rc)
        rc = audit_promises (&audit, e);
    if (!rc)
        rc = audit_refusals (&audit, e);
    if (!rc)
        rc = audit_checkpoints (&audit, e);
    if (!rc)
        rc = audit_trees_begin (&audit, e);
    if (!rc)
        rc = audit_blocks (&audit, progress, arg, e);
    if (!rc)
        rc = audit_trees_end (&audit, e);
    if (!rc) {
        count_holes (report);
        audit_limits (&audit);
    }
    audit_free (&audit);
    return rc;
}
