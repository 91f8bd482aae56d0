/* records - taking verified blocks in (PROTOCOL.md section 7.2), and what the
 * store holds of them. Reading is in records_query.c. */
#include "records.h"

#include "attached.h"
#include "store_impl.h"

#include <assert.h>
#include <inttypes.h>

/* Streams */

int64_t records_stream_upto (struct store *self, const char *stream) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT upto FROM positions WHERE stream = ?");
    bind_text (s, 1, slice_text (stream));
    struct error e;
    if (store_row (self, s, "stream", &e))
        return 0;
    int64_t upto = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return upto;
}

enum err records_set_upto (struct store *self, const char *stream,
                           int64_t number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO positions (stream, upto) VALUES (?, ?)"
              " ON CONFLICT (stream) DO UPDATE SET upto = excluded.upto");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, number);
    return store_done (self, s, "stream", e);
}

void records_direct_first (struct store *self, int64_t number) {
    self->direct_first = number;
}

/* What is held already */

/* Has the block, at a record that is held, what we hold? */
static enum err compare (struct block_walk *walk, int64_t sequence,
                         const struct hash *leaf, struct error *e) {
    size_t place = (size_t) (sequence - walk->block->first_sequence);
    while (walk->record.data == NULL || walk->index < place)
        if (!block_next (walk))
            return error_set (e, ERR_DAMAGED, "record %" PRId64 " is no more",
                              sequence);
    struct hash found = record_leaf (walk->record);
    if (hash_equal (&found, leaf))
        return ERR_NONE;
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 " has leaf %s, held is one with %s",
                      sequence, hash_text (a, &found), hash_text (b, leaf));
}

static enum err find_held (struct store *self, const struct block *block,
                           bool held[], struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sequence, leaf FROM records"
              " WHERE sequence BETWEEN ? AND ? ORDER BY sequence");
    sqlite3_bind_int64 (s, 1, block->first_sequence);
    sqlite3_bind_int64 (s, 2,
                        block->first_sequence + (int64_t) block->count - 1);
    struct block_walk walk;
    block_walk (block, &walk);
    enum err rc = ERR_NONE;
    while (!rc && (rc = store_row (self, s, "records", e)) == ERR_NONE) {
        int64_t sequence = sqlite3_column_int64 (s, 0);
        struct hash leaf = column_hash (s, 1);
        rc = compare (&walk, sequence, &leaf, e);
        held[sequence - block->first_sequence] = true;
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err records_compare (struct store *self, const struct block *block,
                          bool *other, struct error *e) {
    bool held[BLOCK_RECORDS_MAX] = { false };
    enum err rc = find_held (self, block, held, e);
    size_t count = 0;
    for (size_t i = 0; i < block->count; i++)
        count += held[i];
    *other = *other && count < block->count;
    return rc;
}

/* Taking in */

/* What the index says of a record. The slices are of its octets. */
struct entry {
    struct record record;
    struct slice topic, author; /* empty where there is none to read */
    bool has_id;
    struct hash id;
    struct message message; /* where `topic` is */
};

/* ERR_NEWER is no fault here: such a record is held and counted. */
static enum err entry_read (struct slice octets, struct entry *out,
                            struct error *e) {
    *out = (struct entry){ 0 };
    enum err rc = record_read (octets, &out->record, e);
    if (rc || out->record.type != RECORD_MESSAGE)
        return rc == ERR_NEWER ? ERR_NONE : rc;
    struct message *message = &out->message;
    rc = record_message (&out->record, message, e);
    out->has_id = true;
    out->id = message->id;
    if (rc)
        return rc == ERR_NEWER ? ERR_NONE : rc;
    out->topic = message->topic;
    out->author = message->author;
    return ERR_NONE;
}

/* Is it one of those that plans (plans/CONTENTS.md section 1), threads
 * (threads/THREADS.md section 1) and acknowledgements are made of? By the topic's
 * second level. */
static bool about_plans (struct slice topic) {
    static const char *const kinds[] = {
        "plan",     "annex",  "report",     "hidden",  "overlap",
        "taxonomy", "align",  "communique", "meeting", "consultation",
        "practice", "notice", "capability", "request", "ack",
    };
    const uint8_t *slash =
        topic.size ? memchr (topic.data, '/', topic.size) : NULL;
    if (!slash)
        return false;
    size_t left = topic.size - (size_t) (slash + 1 - topic.data);
    const uint8_t *end = memchr (slash + 1, '/', left);
    struct slice level =
        slice_of (slash + 1, end ? (size_t) (end - slash - 1) : left);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is (level, kinds[i]))
            return true;
    return false;
}

static enum err insert_record (struct store *self, const struct entry *entry,
                               int64_t block, size_t place, struct error *e) {
    /* Below the floor are positions that an epoch has taken away. */
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO records (sequence, block, place, type, log_time,"
              " channel, topic, author, id, leaf, position, about)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, MAX (?, IFNULL ("
              "(SELECT MAX (position) FROM records), 0)) + 1, ?)");
    const struct record *r = &entry->record;
    if (self->floor == 0)
        self->floor = store_void_floor (self) + 1;
    sqlite3_bind_int64 (s, 11, self->floor - 1);
    sqlite3_bind_int64 (s, 12, about_plans (entry->topic));
    struct hash leaf = record_leaf (r->octets);
    sqlite3_bind_int64 (s, 1, r->sequence);
    sqlite3_bind_int64 (s, 2, block);
    sqlite3_bind_int64 (s, 3, (int64_t) place);
    sqlite3_bind_int64 (s, 4, r->type);
    sqlite3_bind_int64 (s, 5, r->log_time);
    bind_text (s, 6, r->channel);
    bind_text (s, 7, entry->topic);
    bind_text (s, 8, entry->author);
    if (entry->has_id)
        bind_hash (s, 9, &entry->id);
    bind_hash (s, 10, &leaf);
    return store_done (self, s, "record", e);
}

static enum err insert_block (struct store *self, const struct block *block,
                              int64_t direct_first, int64_t *number,
                              struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO blocks (first_sequence, count, direct_first,"
              " octets) VALUES (?, ?, ?, ?)");
    sqlite3_bind_int64 (s, 1, block->first_sequence);
    sqlite3_bind_int64 (s, 2, (int64_t) block->count);
    sqlite3_bind_int64 (s, 3, direct_first);
    bind_slice (s, 4, block->octets);
    enum err rc = store_done (self, s, "block", e);
    *number = sqlite3_last_insert_rowid (self->db);
    return rc;
}

/* Keep a block, and index its records [from, to). */
static enum err take (struct store *self, const struct block *block,
                      int64_t direct_first, size_t from, size_t to,
                      struct error *e) {
    int64_t number;
    struct entry entry;
    struct block_walk walk;
    enum err rc = insert_block (self, block, direct_first, &number, e);
    block_walk (block, &walk);
    while (!rc && block_next (&walk) && walk.index < to) {
        if (walk.index < from)
            continue;
        rc = entry_read (walk.record, &entry, e);
        if (!rc)
            rc = insert_record (self, &entry, number, walk.index, e);
        if (!rc && attached_wanted (entry.topic))
            rc = attached_add (self, &entry.record, &entry.message, walk.state,
                               walk.body, e);
    }
    return rc;
}

/* The stretch [from, to) alone, so that no octets are kept twice. */
static enum err take_cut (struct store *self, const struct block *block,
                          int64_t direct_first, size_t from, size_t to,
                          struct error *e) {
    struct buf octets = { 0 };
    struct block part;
    struct block_writer *writer = block_writer_new();
    enum err rc = block_cut (block, from, to - from, writer, &octets, e);
    bool newer = rc == ERR_NEWER;
    if (!rc)
        rc = block_read (buf_slice (&octets), &part, e);
    if (!rc)
        rc =
            take (self, &part, direct_first ? direct_first + (int64_t) from : 0,
                  0, part.count, e);
    else if (newer) /* a batch that this build can't cut stays as it came */
        rc = take (self, block, direct_first, from, to, e);
    block_writer_destroy (&writer);
    buf_free (&octets);
    return rc;
}

enum err records_add (struct store *self, const struct block *block,
                      const struct block_facts *facts, int64_t *added,
                      struct error *e) {
    bool held[BLOCK_RECORDS_MAX] = { false };
    int64_t direct_first = self->direct_first;
    self->direct_first = 0;
    *added = 0;
    assert (block->count <= BLOCK_RECORDS_MAX);
    assert (facts->channel.size > 0); /* block_check was fine */
    enum err rc = find_held (self, block, held, e);
    for (size_t from = 0, to; !rc && from < block->count; from = to) {
        for (to = from + 1; to < block->count && held[to] == held[from];)
            to++;
        if (held[from])
            continue;
        rc = to - from == block->count
                 ? take (self, block, direct_first, from, to, e)
                 : take_cut (self, block, direct_first, from, to, e);
        *added += (int64_t) (to - from);
    }
    return rc;
}

/* Figures */

static int64_t figure (struct store *self, sqlite3_stmt *s, int64_t none,
                       int64_t *second) {
    struct error e;
    if (second)
        *second = 0;
    if (store_row (self, s, "records", &e))
        return none;
    int64_t out = sqlite3_column_type (s, 0) == SQLITE_NULL
                      ? none
                      : sqlite3_column_int64 (s, 0);
    if (second)
        *second = sqlite3_column_int64 (s, 1); /* NULL reads as 0 */
    sqlite3_reset (s);
    return out;
}

int64_t records_last_position (struct store *self) {
    int64_t floor = store_void_floor (self);
    int64_t last =
        figure (self, store_prepare (self, "SELECT MAX(position) FROM records"),
                0, NULL);
    return last > floor ? last : floor;
}

int64_t records_newest_mark (struct store *self) {
    return figure (self,
                   store_prepare (self, "SELECT sequence FROM records"
                                        " WHERE channel = '$log' AND type = 2"
                                        " ORDER BY position DESC LIMIT 1"),
                   -1, NULL);
}

int64_t records_count (struct store *self) {
    /* From 1, without other holes. */
    return records_last_position (self) - store_void_records (self);
}

int64_t records_highest (struct store *self, int64_t *log_time) {
    return figure (self,
                   store_prepare (self,
                                  "SELECT (SELECT MAX(sequence) FROM records),"
                                  " (SELECT MAX(log_time) FROM records)"),
                   -1, log_time);
}

static int64_t neighbour (struct store *self, sqlite3_stmt *s, int64_t sequence,
                          int64_t *log_time) {
    int64_t time;
    sqlite3_bind_int64 (s, 1, sequence);
    int64_t found = figure (self, s, -1, &time);
    if (found >= 0)
        *log_time = time;
    return found;
}

int64_t records_below (struct store *self, int64_t sequence,
                       int64_t *log_time) {
    return neighbour (self,
                      store_prepare (self,
                                     "SELECT sequence, log_time FROM records"
                                     " WHERE sequence < ?"
                                     " ORDER BY sequence DESC LIMIT 1"),
                      sequence, log_time);
}

int64_t records_above (struct store *self, int64_t sequence,
                       int64_t *log_time) {
    return neighbour (self,
                      store_prepare (self,
                                     "SELECT sequence, log_time FROM records"
                                     " WHERE sequence > ?"
                                     " ORDER BY sequence LIMIT 1"),
                      sequence, log_time);
}

/* Blocks */

/* The next block behind (*first, *number) that has a record in [from, to];
 * sets both. Its octets are copied: `each` may use the store, and no reading
 * transaction stays open while it works. */
static enum err next_block (struct store *self, int64_t from, int64_t to,
                            int64_t *first, int64_t *number, int64_t *direct,
                            struct buf *octets, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT first_sequence, block, direct_first, octets FROM blocks"
              " WHERE (first_sequence, block) > (?1, ?2)"
              " AND first_sequence <= ?4 AND first_sequence + count > ?3"
              " ORDER BY first_sequence, block LIMIT 1");
    sqlite3_bind_int64 (s, 1, *first);
    sqlite3_bind_int64 (s, 2, *number);
    sqlite3_bind_int64 (s, 3, from);
    sqlite3_bind_int64 (s, 4, to);
    enum err rc = store_row (self, s, "blocks", e);
    if (rc)
        return rc;
    *first = sqlite3_column_int64 (s, 0);
    *number = sqlite3_column_int64 (s, 1);
    *direct = sqlite3_column_int64 (s, 2);
    buf_clear (octets);
    buf_add_slice (octets, column_slice (s, 3));
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err records_blocks (struct store *self, int64_t from, int64_t to,
                         enum err (*each) (void *arg, int64_t direct_first,
                                           struct slice block, struct error *e),
                         void *arg, struct error *e) {
    /* No block that begins lower reaches `from`. */
    int64_t first = from - BLOCK_RECORDS_MAX, number = INT64_MAX, direct;
    struct buf octets = { 0 };
    enum err rc = ERR_NONE;
    while (!rc) {
        rc = next_block (self, from, to < 0 ? INT64_MAX : to, &first, &number,
                         &direct, &octets, e);
        if (rc == ERR_NOT_FOUND) {
            rc = ERR_NONE;
            break;
        }
        if (!rc)
            rc = each (arg, direct, buf_slice (&octets), e);
    }
    buf_free (&octets);
    return rc;
}
