#include "format/receipt.h"

#include "format/author.h"
#include "identity/roster_chain.h"

#include <inttypes.h>
#include <stdlib.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define EXTRA_NAME "parley/receipt/1"
#define BATCH_PATH_MAX 8 /* of a batch of 256 */
#define INDEX_DIGITS_MAX 16

/* Writing */

static void hash_line (struct buf *out, const struct hash *hash) {
    char base64[BASE64_SIZE (HASH_SIZE)];
    buf_add_text (out, base64_encode (base64, hash->octets, HASH_SIZE));
    buf_add_text (out, "\n");
}

static void extra_line (const struct receipt *self, struct buf *out) {
    struct buf extra = { 0 };
    mp_put_array (&extra, 2);
    mp_put_str (&extra, EXTRA_NAME);
    if (self->has_batch) {
        mp_put_array (&extra, self->batch_length);
        for (size_t i = 0; i < self->batch_length; i++)
            mp_put_bin (&extra, self->batch[i].octets, HASH_SIZE);
    } else {
        mp_put_nil (&extra);
    }
    char *base64 = mem_alloc (BASE64_SIZE (extra.size));
    buf_add_format (out, "extra %s\n",
                    base64_encode (base64, extra.data, extra.size));
    free (base64);
    buf_free (&extra);
}

void receipt_write (const struct receipt *self, struct buf *out) {
    buf_add_text (out, FIRST_LINE "\n");
    extra_line (self, out);
    buf_add_format (out, "index %" PRIu64 "\n", self->index);
    for (size_t i = 0; i < self->path_length; i++)
        hash_line (out, &self->path[i]);
    buf_add_text (out, "\n");
    buf_add_slice (out, self->checkpoint);
}

/* Reading */

struct lines {
    struct slice rest;
    size_t number; /* of the line taken last */
};

static enum err line_take (struct lines *self, struct slice *line,
                           struct error *e) {
    const struct slice rest = self->rest;
    const uint8_t *end = rest.size ? memchr (rest.data, '\n', rest.size) : NULL;
    self->number++;
    if (!end)
        return error_set (e, ERR_MALFORMED, "it ends in this line");
    *line = slice_of (rest.data, (size_t) (end - rest.data));
    self->rest = slice_of (end + 1, rest.size - line->size - 1);
    return ERR_NONE;
}

static bool take_head (struct slice *line, const char *head) {
    const size_t size = strlen (head);
    if (line->size < size || memcmp (line->data, head, size) != 0)
        return false;
    *line = slice_of (line->data + size, line->size - size);
    return true;
}

/* Nobody trusts it, so that what is not ours is nobody's fault. */
static void extra_read (struct slice octets, struct receipt *out) {
    struct mp in;
    struct receipt made = { 0 };
    mp_start (&in, octets);
    mp_array (&in, 2, 2);
    const bool ours = slice_is (mp_str (&in, 0, 64), EXTRA_NAME);
    if (!mp_try_nil (&in)) {
        made.has_batch = true;
        made.batch_length = mp_array (&in, 0, BATCH_PATH_MAX);
        for (size_t i = 0; i < made.batch_length; i++)
            mp_bin_exact (&in, made.batch[i].octets, HASH_SIZE);
    }
    if (mp_finish (&in, NULL) || !ours || !made.has_batch)
        return;
    out->has_batch = true;
    out->batch_length = made.batch_length;
    memcpy (out->batch, made.batch, sizeof made.batch);
}

static enum err extra_line_read (struct slice base64, struct receipt *out,
                                 struct error *e) {
    size_t size = 0;
    const size_t room = base64.size / 4 * 3; /* bounded by RECEIPT_MAX */
    uint8_t *octets = mem_alloc (room + 1);
    enum err rc = base64_decode_any (octets, room, &size, base64);
    if (!rc && size > 0)
        extra_read (slice_of (octets, size), out);
    free (octets);
    return rc || size == 0
               ? error_set (e, ERR_MALFORMED, "extra data that is not base64")
               : ERR_NONE;
}

static enum err index_read (struct slice text, uint64_t *out, struct error *e) {
    uint64_t n = 0;
    bool fine = text.size > 0 && text.size <= INDEX_DIGITS_MAX
                && (text.data[0] != '0' || text.size == 1);
    for (size_t i = 0; fine && i < text.size; i++) {
        fine = text.data[i] >= '0' && text.data[i] <= '9';
        n = n * 10 + (uint64_t) (text.data[i] - '0');
    }
    if (!fine || n > NUMBER_MAX)
        return error_set (e, ERR_MALFORMED, "an index that is no number");
    *out = n;
    return ERR_NONE;
}

static enum err path_line (struct slice line, struct receipt *out,
                           struct error *e) {
    if (out->path_length == TREE_PATH_MAX)
        return error_set (e, ERR_LIMIT, "a path of more than %d hashes",
                          TREE_PATH_MAX);
    if (base64_decode (out->path[out->path_length].octets, HASH_SIZE, line))
        return error_set (e, ERR_MALFORMED, "not base64 of a hash");
    out->path_length++;
    return ERR_NONE;
}

static enum err head_read (struct lines *lines, struct receipt *out,
                           struct error *e) {
    struct slice line = { 0 };
    enum err rc = line_take (lines, &line, e);
    if (!rc && !slice_is (line, FIRST_LINE))
        rc = error_set (e, ERR_MALFORMED, "not '" FIRST_LINE "'");
    if (!rc)
        rc = line_take (lines, &line, e);
    if (!rc && take_head (&line, "extra ")) {
        rc = extra_line_read (line, out, e);
        if (!rc)
            rc = line_take (lines, &line, e);
    }
    if (!rc && !take_head (&line, "index "))
        rc = error_set (e, ERR_MALFORMED, "not 'index NUMBER'");
    if (!rc)
        rc = index_read (line, &out->index, e);
    return rc;
}

enum err receipt_read (struct slice text, struct receipt *out,
                       struct error *e) {
    struct lines lines = { .rest = text };
    struct receipt made = { 0 };
    struct slice line = { 0 };
    if (text.size > RECEIPT_MAX)
        return error_set (e, ERR_LIMIT, "receipt: %zu octets, at most %d",
                          text.size, RECEIPT_MAX);
    enum err rc = head_read (&lines, &made, e);
    while (!rc && !(rc = line_take (&lines, &line, e)) && line.size > 0)
        rc = path_line (line, &made, e);
    if (rc) {
        error_at (e, "receipt, line %zu", lines.number);
        return rc;
    }
    made.checkpoint = lines.rest;
    *out = made;
    return ERR_NONE;
}

/* Judging */

static enum err inclusion_check (const struct receipt *self,
                                 struct slice record,
                                 const struct checkpoint *cp, struct error *e) {
    struct hash root, leaf = record_leaf (record);
    enum err rc = tree_path_root (&leaf, self->index, (uint64_t) cp->size,
                                  self->path, self->path_length, &root);
    if (rc)
        return error_set (e, rc,
                          "a path of %zu hashes, of record %" PRIu64
                          " in a ledger of %" PRId64,
                          self->path_length, self->index, cp->size);
    if (!hash_equal (&root, &cp->root))
        return error_set (e, ERR_DIGEST,
                          "the record is not what the ledger has at %" PRIu64
                          ": its path leads to another root",
                          self->index);
    return ERR_NONE;
}

/* ERR_NEWER is no fault: its place is known. */
static enum err place_read (const struct receipt *self, struct slice octets,
                            struct record *out, bool *newer, struct error *e) {
    struct error why;
    enum err rc = record_read (octets, out, &why);
    *newer = rc == ERR_NEWER;
    if (rc && !*newer)
        return error_set (e, rc, "%s", why.text);
    if (out->sequence != (int64_t) self->index)
        return error_set (e, ERR_CHAIN,
                          "the record at %" PRIu64 " says that it is %" PRId64,
                          self->index, out->sequence);
    return ERR_NONE;
}

/* A message that we know, or zeros. */
static enum err message_take (const struct record *record, struct message *out,
                              struct error *e) {
    struct message made;
    struct error why;
    enum err rc = record_message (record, &made, &why);
    if (!rc)
        *out = made;
    return rc == ERR_NONE || rc == ERR_NEWER
               ? ERR_NONE
               : error_set (e, rc, "%s", why.text);
}

static enum err roster_fits (const struct receipt_facts *facts,
                             const struct roster *roster, struct error *e) {
    const struct message *m = &facts->message;
    char origin[ORIGIN_MAX + 1];
    const char *epoch = strrchr (facts->checkpoint.origin, '/');
    const size_t size = epoch ? (size_t) (epoch - facts->checkpoint.origin) : 0;
    struct hash dialogue;
    memcpy (dialogue.octets, m->dialogue, HASH_SIZE);
    memcpy (origin, facts->checkpoint.origin, size);
    origin[size] = '\0';
    if (!hash_equal (&dialogue, roster_dialogue (roster)))
        return error_set (e, ERR_CHAIN,
                          "the roster is of another dialogue than the message");
    if (strcmp (origin, roster_origin (roster)) != 0)
        return error_set (e, ERR_CHAIN, "the roster's log is '%s', not '%s'",
                          roster_origin (roster), origin);
    if (roster_epoch (roster) != facts->record.epoch)
        return error_set (e, ERR_CHAIN,
                          "the roster is of epoch %" PRId64
                          ", the record of %" PRId64,
                          roster_epoch (roster), facts->record.epoch);
    enum err rc = author_place (m, &dialogue, roster, e);
    return rc ? rc : roster_self_signed (roster, NULL, NULL, e);
}

static enum err author_check (const struct receipt *self, struct slice note,
                              struct receipt_facts *facts, struct error *e) {
    const struct record *r = &facts->record;
    struct roster *roster = roster_read (note, e);
    struct hash root;
    if (!roster)
        return e->code;
    enum err rc = roster_fits (facts, roster, e);
    if (!rc
        && tree_path_root (&facts->message.id, r->batch_index, r->batch_size,
                           self->batch, self->batch_length, &root))
        rc = error_set (e, ERR_MALFORMED,
                        "a path of %zu hashes to the root that its author "
                        "signed, of message %zu of %zu",
                        self->batch_length, r->batch_index, r->batch_size);
    if (!rc)
        rc = author_signed (r, &facts->message, &root, roster_dialogue (roster),
                            roster, r->log_time, e);
    roster_unref (&roster);
    return rc;
}

/* What the record is, behind its place in the ledger. */
static enum err words_check (const struct receipt *self, struct slice body,
                             struct slice roster, struct receipt_facts *facts,
                             struct error *e) {
    struct record *r = &facts->record;
    bool newer;
    enum err rc = ERR_NONE;
    if (r->type == RECORD_MESSAGE)
        rc = message_take (r, &facts->message, e);
    newer = r->type == RECORD_MESSAGE && facts->message.octets.size == 0;
    if (!rc && body.size > 0 && !newer) {
        rc = record_body_check (r, body, e);
        facts->body_good = rc == ERR_NONE;
    }
    if (!rc && roster.size > 0 && facts->message.octets.size > 0) {
        rc = author_check (self, roster, facts, e);
        facts->author_good = rc == ERR_NONE;
    }
    return rc;
}

enum err receipt_check (const struct receipt *self, struct slice record,
                        struct slice body, struct slice roster,
                        const struct policy *policy, struct receipt_facts *out,
                        struct error *e) {
    struct error own;
    struct note note;
    struct record read;
    bool newer = false;
    e = e ? e : &own;
    memset (out, 0, sizeof *out);
    struct checkpoint cp;
    enum err rc = checkpoint_read (self->checkpoint, &cp, &note, e);
    if (!rc)
        rc = policy_check (policy, &cp, &note, &out->witnesses, e);
    if (rc)
        return rc;
    out->checkpoint = cp;
    if (record.size > RECORD_MAX)
        return error_set (e, ERR_LIMIT, "record of %zu octets, at most %d",
                          record.size, RECORD_MAX);
    rc = inclusion_check (self, record, &cp, e);
    if (!rc)
        rc = place_read (self, record, &read, &newer, e);
    if (rc)
        return rc;
    out->record = read;
    return newer ? ERR_NONE : words_check (self, body, roster, out, e);
}

enum err receipt_check_roster (const struct receipt *self, struct slice record,
                               struct slice note, const struct policy *policy,
                               const struct record *of, struct error *e) {
    struct receipt_facts facts;
    struct error own;
    e = e ? e : &own;
    enum err rc = receipt_check (self, record, note, (struct slice){ 0 },
                                 policy, &facts, e);
    if (rc)
        return error_at (e, "the roster's own receipt");
    if (facts.record.type != RECORD_ROSTER
        || facts.record.sequence != of->roster)
        return error_set (e, ERR_CHAIN,
                          "the roster's own receipt is of record %" PRId64
                          ", the roster in force there is record %" PRId64,
                          facts.record.sequence, of->roster);
    return facts.body_good
               ? ERR_NONE
               : error_set (e, ERR_DIGEST, "the roster's note is missing");
}
