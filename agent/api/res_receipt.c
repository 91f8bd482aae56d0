/* res_receipt - GET /receipts/{sequence}: the parts of a receipt (PROTOCOL.md
 * section 8.13), made of what this agent holds. Needs no broker. */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "format/receipt.h"
#include "store/checkpoints.h"
#include "store/hashes.h"

#include <inttypes.h>

/* What is gathered for the one record. */
struct making {
    int64_t sequence;
    int64_t roster; /* the sequence of the one in force there */
    struct receipt receipt;
    struct buf note, roster_note, roster_record;
    int64_t roster_version;
    struct receipt of_roster;
};

static enum err batch_take (void *arg, int64_t direct_first,
                            struct slice octets, struct error *e) {
    struct making *self = arg;
    struct block block;
    (void) direct_first;
    enum err rc = block_read (octets, &block, e);
    int64_t place = self->sequence - block.first_sequence;
    if (rc || place < 0 || place >= (int64_t) block.count)
        return rc;
    struct hash path[TREE_PATH_MAX];
    size_t length;
    rc = block_batch_path (&block, (size_t) place, path, &length, e);
    if (rc == ERR_NOT_FOUND || rc == ERR_NEWER) /* of no batch that we know */
        return ERR_NONE;
    if (!rc) {
        self->receipt.has_batch = true;
        self->receipt.batch_length = length;
        memcpy (self->receipt.batch, path, length * sizeof *path);
    }
    return rc;
}

/* That of the roster's own record, under the same checkpoint. */
static enum err roster_record_take (struct making *self, struct store *store,
                                    int64_t size,
                                    const struct tree_source *source,
                                    struct error *e) {
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (store, self->roster, &row, e);
    if (!cursor)
        return e->code;
    buf_add_slice (&self->roster_record, row.record.octets);
    records_close (&cursor);
    self->of_roster.index = (uint64_t) self->roster;
    self->of_roster.checkpoint = self->receipt.checkpoint;
    return tree_inclusion (source, self->of_roster.index, (uint64_t) size,
                           self->of_roster.path, &self->of_roster.path_length,
                           e);
}

static enum err roster_take (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *e) {
    struct making *self = arg;
    (void) e;
    if (sequence == self->roster) {
        self->roster_version = version;
        buf_clear (&self->roster_note);
        buf_add_slice (&self->roster_note, note);
    }
    return ERR_NONE;
}

/* ERR_STATE: no settled checkpoint covers it yet. */
static enum err make (struct making *self, struct store *store,
                      struct checkpoint_row *row, struct error *e) {
    struct hashes_source place;
    struct tree_source source = hashes_source (&place, store, HASHES_LEDGER);
    struct receipt *receipt = &self->receipt;
    enum err rc =
        checkpoints_covering (store, self->sequence, row, &self->note, e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, ERR_STATE,
                          "record %" PRId64 " is not settled yet: no quorum of "
                          "witnesses has cosigned a checkpoint that covers it",
                          self->sequence);
    receipt->index = (uint64_t) self->sequence;
    receipt->checkpoint = buf_slice (&self->note);
    if (!rc)
        rc = tree_inclusion (&source, receipt->index,
                             (uint64_t) row->checkpoint.size, receipt->path,
                             &receipt->path_length, e);
    if (!rc)
        rc = records_blocks (store, self->sequence, self->sequence, batch_take,
                             self, e);
    if (!rc)
        rc = store_rosters (store, roster_take, self, e);
    if (!rc)
        rc = roster_record_take (self, store, row->checkpoint.size, &source, e);
    if (!rc && self->roster_note.size == 0)
        rc = error_set (e, ERR_DAMAGED,
                        "the roster of record %" PRId64 " is not held",
                        self->roster);
    return rc;
}

static json_t *text_of (const struct receipt *receipt) {
    struct buf text = { 0 };
    receipt_write (receipt, &text);
    json_t *out = json_slice (buf_slice (&text));
    buf_free (&text);
    return out;
}

static json_t *receipt_json (const struct making *self,
                             const struct record_row *row,
                             const struct checkpoint_row *checkpoint) {
    return json_pack (
        "{sI sI so so so so sI so so so}", "sequence",
        (json_int_t) self->sequence, "size",
        (json_int_t) checkpoint->checkpoint.size, "settled",
        json_time_or_null (checkpoint->time), "proof", text_of (&self->receipt),
        "record", json_base64 (row->record.octets), "body",
        row->body_state == BODY_PRESENT ? json_base64 (row->body) : json_null(),
        "roster_version", (json_int_t) self->roster_version, "roster",
        json_slice (buf_slice (&self->roster_note)), "roster_record",
        json_base64 (buf_slice (&self->roster_record)), "roster_proof",
        text_of (&self->of_roster));
}

void receipt_get (struct request *r) {
    struct making self = { 0 };
    struct record_row row;
    struct checkpoint_row checkpoint;
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    if (!decimal_read (r->segment, &self.sequence)) {
        problem_reply (r, PROBLEM_NOT_FOUND, "no sequence: %s", r->segment);
        return;
    }
    struct records_cursor *cursor =
        records_by_sequence (store, self.sequence, &row, &e);
    enum err rc = cursor ? ERR_NONE : e.code;
    if (!rc) {
        self.roster = row.record.roster;
        rc = make (&self, store, &checkpoint, &e);
    }
    if (!rc)
        reply_json (r, 200, receipt_json (&self, &row, &checkpoint));
    else if (rc == ERR_STATE)
        problem_reply (r, PROBLEM_NOT_SETTLED, "%s", e.text);
    else
        problem_error (r, &e);
    records_close (&cursor);
    buf_free (&self.note);
    buf_free (&self.roster_note);
    buf_free (&self.roster_record);
}
