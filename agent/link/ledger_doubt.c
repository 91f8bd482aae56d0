/* ledger_doubt - what doubt.c and fill.c found wrong with records, once a
 * checkpoint holds them: the files that prove it (PROTOCOL.md section 8.14). */
#include "format/author.h"
#include "ledger_impl.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A leaf of our tree with its record's octets, which are appended to `octets`.
 * ERR_NOT_FOUND: the record is not held. */
static enum err leaf_of (const struct ledger *self, struct slice note,
                         int64_t sequence, struct buf *octets,
                         struct evidence_leaf *out, struct error *e) {
    struct core *core = self->core;
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (core->store, sequence, &row, e);
    if (!cursor)
        return e->code;
    buf_add_slice (octets, row.record.octets);
    records_close (&cursor);
    enum err rc = evidence_leaf (core, &self->verified, note, sequence, out, e);
    out->record = buf_slice (octets);
    return rc;
}

/* Log times */

void ledger_times (struct ledger *self, int64_t first, int64_t second) {
    if (self->times_count < LEDGER_TIMES_MAX)
        self->times[self->times_count++] = (struct times){ first, second };
}

static enum err times_take (void *arg, int64_t first, int64_t second,
                            struct error *e) {
    struct ledger *self = arg;
    const struct roster_chain *chain = rosters_chain (self->core->rosters);
    const struct roster *a = roster_chain_at (chain, first);
    const struct roster *b = roster_chain_at (chain, second);
    (void) e;
    if (a && b && roster_epoch (a) == roster_epoch (b))
        ledger_times (self, first, second);
    return ERR_NONE;
}

enum err times_load (struct ledger *self, struct error *e) {
    self->times_count = 0;
    return records_times (self->core->store,
                          self->has_verified ? self->verified.size : 0,
                          2 * LEDGER_TIMES_MAX, times_take, self, e);
}

static enum err times_prove (struct ledger *self, const struct times *times,
                             struct slice note, struct error *e) {
    struct core *core = self->core;
    struct evidence evidence = { .kind = EVIDENCE_TIMES, .leaf_count = 2 };
    struct buf first = { 0 }, second = { 0 }, json = { 0 };
    struct error why;
    char text[200];
    enum err rc =
        leaf_of (self, note, times->first, &first, &evidence.leaves[0], &why);
    if (!rc)
        rc = leaf_of (self, note, times->second, &second, &evidence.leaves[1],
                      &why);
    snprintf (text, sizeof text,
              "log time goes back from record %" PRId64 " to record %" PRId64
              ": a checkpoint of %" PRId64 " records holds both",
              times->first, times->second, self->verified.size);
    if (!rc) {
        evidence_put (core, &evidence, self->verified.size - 1, &json);
        rc = core_notice (core, "LOG-TIME", true, text, buf_slice (&json), e);
    } else if (rc == ERR_NOT_FOUND) { /* its block was refused */
        rc = ERR_NONE;
    } else {
        *e = why;
    }
    buf_free (&first);
    buf_free (&second);
    buf_free (&json);
    return rc;
}

enum err evidence_times (struct ledger *self, struct slice note,
                         struct error *e) {
    enum err rc = ERR_NONE;
    size_t kept = 0;
    for (size_t i = 0; !rc && i < self->times_count; i++) {
        if (self->times[i].second >= self->verified.size)
            self->times[kept++] = self->times[i];
        else
            rc = times_prove (self, &self->times[i], note, e);
    }
    self->times_count = kept;
    return rc;
}

/* Records that nobody signed */

#define TRIES_MAX 4 /* of a block; each may take a second with many rosters */

/* Does it convince, with the record of the roster that it names or without? */
static bool record_proves (struct ledger *self, struct evidence *evidence,
                           const struct record *record, struct slice note,
                           struct buf *json) {
    const struct core *core = self->core;
    struct buf roster = { 0 }, said = { 0 };
    struct error why;
    bool proves = false;
    for (size_t count = 1; !proves && count <= 2; count++) {
        evidence->leaf_count = count;
        if (count == 2
            && leaf_of (self, note, record->roster, &roster,
                        &evidence->leaves[1], &why))
            break;
        buf_clear (json);
        evidence_put (core, evidence, self->verified.size - 1, json);
        struct evidence_file *file = evidence_read (buf_slice (json), &why);
        proves = file
                 && !evidence_check (evidence_of (file), &core->dialogue, &said,
                                     &why);
        evidence_free (&file);
    }
    buf_free (&roster);
    buf_free (&said);
    return proves;
}

/* As far as the rosters tell that we know. Without a file: there are all rosters
 * in it, and a block may hold thousands of records. */
static bool is_good (const struct core *core, const struct record *record) {
    struct message m;
    struct error why;
    const uint8_t *key;
    const struct roster *roster =
        roster_chain_by_record (rosters_chain (core->rosters), record->roster);
    if (record->type != RECORD_MESSAGE || !roster)
        return true;
    enum err rc = record_message (record, &m, &why);
    if (rc)
        return rc == ERR_NEWER;
    return !author_place (&m, &core->dialogue, roster, &why)
           && !author_key (&m, roster, record->log_time, &key, &why)
           && !author_right (record, &m, roster, record->log_time, &why)
           && (record->batch_size != 1
               || batch_signature_valid (key, &core->dialogue, m.author,
                                         record->channel, 1, &m.id,
                                         record->signature));
}

static bool is_covered (const struct ledger *self, int64_t sequence) {
    return self->has_verified && sequence < self->compared
           && sequence < self->verified.size;
}

static enum err in_tree (const struct ledger *self, int64_t sequence,
                         struct slice octets, bool *yes, struct error *e) {
    struct hash leaf, own = record_leaf (octets);
    enum err rc = hashes_leaf (self->core->store, HASHES_LEDGER,
                               (uint64_t) sequence, &leaf, e);
    *yes = !rc && hash_equal (&leaf, &own);
    return rc;
}

static bool was_convicted (const struct ledger *self, int64_t sequence) {
    size_t room = sizeof self->convicted / sizeof *self->convicted;
    for (size_t i = 0; i < self->convicted_count; i++)
        if (self->convicted[i] == sequence)
            return true;
    return self->convicted_count == room; /* so many say enough */
}

/* A bad one that is in the tree: told once, since it is fetched again and again,
 * and an operator may want to go on in spite of it. */
static enum err convict (struct ledger *self, struct slice octets,
                         struct slice note, struct error *e) {
    struct core *core = self->core;
    struct evidence evidence = { .kind = EVIDENCE_RECORD };
    struct record record;
    struct buf json = { 0 };
    char text[160];
    bool before = false;
    enum err rc = record_read (octets, &record, e);
    if (!rc)
        rc = core_begin (core, e);
    if (!rc)
        rc =
            store_told (core->store, "BAD-RECORD", record.sequence, &before, e);
    if (!rc && before)
        self->convicted[self->convicted_count++] = record.sequence;
    if (!rc && !before)
        rc = evidence_leaf (core, &self->verified, note, record.sequence,
                            &evidence.leaves[0], e);
    if (rc || before)
        return rc;
    evidence.leaves[0].record = octets;
    bool proves = record_proves (self, &evidence, &record, note, &json);
    snprintf (text, sizeof text,
              "record %" PRId64 " of the ledger is one that no broker may take",
              record.sequence);
    rc = core_notice (core, "BAD-RECORD", true, text,
                      proves ? buf_slice (&json) : octets, e);
    if (!rc)
        self->convicted[self->convicted_count++] = record.sequence;
    self->alarmed = true;
    buf_free (&json);
    return rc;
}

static void suspect_add (struct ledger *self, int64_t sequence,
                         struct slice octets) {
    struct suspect *one = &self->suspects[self->next_suspect];
    self->next_suspect = (self->next_suspect + 1) % LEDGER_SUSPECTS;
    one->sequence = sequence;
    buf_clear (&one->octets);
    buf_add_slice (&one->octets, octets);
}

void suspects_end (struct ledger *self) {
    for (size_t i = 0; i < LEDGER_SUSPECTS; i++)
        buf_free (&self->suspects[i].octets);
}

enum err evidence_suspects (struct ledger *self, struct slice note,
                            struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < LEDGER_SUSPECTS; i++) {
        struct suspect *one = &self->suspects[i];
        struct slice octets = buf_slice (&one->octets);
        bool found = false;
        if (octets.size == 0 || !is_covered (self, one->sequence))
            continue;
        rc = in_tree (self, one->sequence, octets, &found, e);
        if (!rc && found && !was_convicted (self, one->sequence))
            rc = convict (self, octets, note, e);
        buf_free (&one->octets);
    }
    return rc;
}

/* *tries: how many of the block were suspect. */
static enum err record_judge (struct ledger *self, struct slice octets,
                              struct slice note, int *tries, struct error *e) {
    struct record record;
    bool found = true;
    if (record_read (octets, &record, NULL) || record.sequence < 0
        || was_convicted (self, record.sequence))
        return ERR_NONE;
    bool covered = is_covered (self, record.sequence);
    enum err rc =
        covered ? in_tree (self, record.sequence, octets, &found, e) : ERR_NONE;
    if (rc || !found || is_good (self->core, &record))
        return rc;
    ++*tries;
    if (covered)
        return convict (self, octets, note, e);
    suspect_add (self, record.sequence, octets);
    return ERR_NONE;
}

/* Larger batches */

/* A batch of which each message is in the block, so that its root is known. */
struct whole {
    struct record first;
    struct message message; /* of the first */
    struct hash ids[BATCH_MAX];
    size_t count;
    bool in_tree; /* all of them, under a checkpoint */
};

/* One more record of the run. ERR_MALFORMED: it is no whole batch. */
static enum err whole_add (const struct ledger *self, struct whole *whole,
                           struct slice octets, struct error *e) {
    struct record record;
    struct message message;
    bool found = false;
    if (record_read (octets, &record, NULL)
        || record_message (&record, &message, NULL)
        || record.batch_index != whole->count || record.sequence < 0
        || whole->count == BATCH_MAX)
        return ERR_MALFORMED;
    enum err rc = is_covered (self, record.sequence)
                      ? in_tree (self, record.sequence, octets, &found, e)
                      : ERR_NONE;
    if (whole->count == 0) {
        whole->first = record;
        whole->message = message;
        whole->in_tree = true;
    }
    whole->in_tree = whole->in_tree && found;
    whole->ids[whole->count++] = message.id;
    return rc;
}

/* Its author signed another root. */
static bool whole_forged (const struct ledger *self,
                          const struct whole *whole) {
    const struct core *core = self->core;
    const struct record *r = &whole->first;
    struct hash root = tree_root_of (whole->ids, whole->count);
    struct error why;
    const uint8_t *key;
    const struct roster *roster =
        roster_chain_by_record (rosters_chain (core->rosters), r->roster);
    return whole->in_tree && whole->count > 1 && whole->count == r->batch_size
           && roster
           && !author_key (&whole->message, roster, r->log_time, &key, &why)
           && !batch_signature_valid (key, &core->dialogue,
                                      whole->message.author, r->channel,
                                      whole->count, &root, r->signature);
}

static enum err whole_convict (struct ledger *self, const struct whole *whole,
                               struct slice block, struct error *e) {
    char text[160];
    bool before = false;
    int64_t sequence = whole->first.sequence;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = store_told (self->core->store, "BAD-RECORD", sequence, &before, e);
    if (rc || before)
        return rc;
    snprintf (text, sizeof text,
              "the batch of %zu messages from record %" PRId64
              " of the ledger on is one that its author did not sign",
              whole->count, sequence);
    self->alarmed = true;
    return core_notice (self->core, "BAD-RECORD", true, text, block, e);
}

static enum err run_judge (struct ledger *self, const struct block *block,
                           size_t run, struct whole *whole, struct error *e) {
    struct block_run_view view;
    struct block_walk walk;
    enum err rc = ERR_NONE;
    block_run_at (block, run, &view);
    if (view.kind != RUN_WHOLE || view.count < 2)
        return ERR_NONE;
    whole->count = 0;
    block_walk (block, &walk);
    while (!rc && block_next (&walk))
        if (walk.index >= view.first && walk.index < view.first + view.count)
            rc = whole_add (self, whole, walk.record, e);
    if (rc)
        return rc == ERR_MALFORMED ? ERR_NONE : rc;
    return whole_forged (self, whole)
               ? whole_convict (self, whole, block->octets, e)
               : ERR_NONE;
}

static enum err runs_judge (struct ledger *self, const struct block *block,
                            struct error *e) {
    struct whole *whole = mem_alloc (sizeof *whole);
    enum err rc = ERR_NONE;
    for (size_t run = 0; !rc && run < block->runs; run++)
        rc = run_judge (self, block, run, whole, e);
    free (whole);
    return rc;
}

enum err ledger_bad_block (struct ledger *self, struct slice octets,
                           struct error *e) {
    struct block block;
    struct block_walk walk;
    struct checkpoint cp;
    struct error why;
    struct buf note = { 0 };
    enum err rc = ERR_NONE;
    int tries = 0;
    if (block_read (octets, &block, &why))
        return ERR_NONE;
    if (self->has_verified)
        rc = checkpoints_verified (self->core->store, &cp, &note, e);
    block_walk (&block, &walk);
    while (!rc && tries < TRIES_MAX && block_next (&walk))
        rc = record_judge (self, walk.record, buf_slice (&note), &tries, e);
    buf_free (&note);
    if (!rc && tries == 0)
        rc = runs_judge (self, &block, e);
    return rc;
}
