/* outbox_list - reading the outbox, row by row. Each row is copied, so that no
 * reading transaction is open while it is looked at, and whoever looks at it
 * may use the store. */
#include "outbox.h"

#include "store_impl.h"

#include <inttypes.h>

#define MESSAGES                                                               \
    "SELECT o.number, o.state, o.lane, o.lane_number, o.created, o.sent,"      \
    " o.attempts, o.format, o.sequence, o.id, o.leaf, o.topic, o.refs,"        \
    " o.body, o.contribution, f.header, o.refusal, o.octets"                   \
    " FROM outbox o LEFT JOIN forms f ON f.id = o.id "
enum column {
    NUMBER,
    STATE,
    LANE,
    LANE_NUMBER,
    CREATED,
    SENT,
    ATTEMPTS,
    FORMAT,
    SEQUENCE,
    ID,
    LEAF,
    TOPIC,
    REFS,
    BODY,
    CONTRIBUTION,
    HEADER,
    REFUSAL,
    OCTETS
};

typedef enum err each_fn (void *arg, const struct outbox_message *,
                          struct error *);

/* Copy a column behind the others; the room is there. */
static struct slice keep (struct buf *octets, sqlite3_stmt *s, int column) {
    struct slice from = column_slice (s, column);
    size_t at = octets->size;
    buf_add_slice (octets, from);
    return slice_of (octets->data + at, from.size);
}

static enum err refusal_decode (struct slice octets, struct outbox_message *out,
                                struct error *e) {
    if (octets.size == 0)
        return ERR_NONE;
    struct mp in;
    mp_start (&in, octets);
    refusal_take (&in, &out->refusal);
    struct error why;
    if (mp_finish (&in, &why))
        return error_set (e, ERR_DAMAGED,
                          "store: refusal of message %" PRId64 ": %s",
                          out->number, why.text);
    out->has_refusal = true;
    return ERR_NONE;
}

static void numbers_read (sqlite3_stmt *s, struct outbox_message *out) {
    *out = (struct outbox_message){
        .number = sqlite3_column_int64 (s, NUMBER),
        .state = (enum outbox_state) sqlite3_column_int (s, STATE),
        .lane = (uint64_t) sqlite3_column_int64 (s, LANE),
        .lane_number = sqlite3_column_int64 (s, LANE_NUMBER),
        .created_ms = sqlite3_column_int64 (s, CREATED),
        .sent_ms = sqlite3_column_int64 (s, SENT),
        .attempts = sqlite3_column_int64 (s, ATTEMPTS),
        .format = (enum body_format) sqlite3_column_int (s, FORMAT),
        .sequence = sqlite3_column_int64 (s, SEQUENCE),
        .octets = sqlite3_column_int64 (s, OCTETS),
        .id = column_hash (s, ID),
        .leaf = column_hash (s, LEAF),
    };
}

/* Takes the row and resets the statement. */
static enum err message_take (sqlite3_stmt *s, struct buf *octets,
                              struct outbox_message *out, struct error *e) {
    size_t size = 1;
    for (int i = TOPIC; i <= HEADER; i++)
        size += column_slice (s, i).size;
    buf_clear (octets);
    buf_reserve (octets, size); /* no move while slices are taken */
    numbers_read (s, out);
    struct slice references = keep (octets, s, REFS);
    out->references = (const struct hash *) references.data;
    out->reference_count = references.size / HASH_SIZE;
    out->body = keep (octets, s, BODY);
    out->contribution = keep (octets, s, CONTRIBUTION);
    out->header = keep (octets, s, HEADER);
    out->topic = (const char *) keep (octets, s, TOPIC).data;
    buf_add_u8 (octets, '\0');
    enum err rc = refusal_decode (column_slice (s, REFUSAL), out, e);
    sqlite3_reset (s);
    return rc;
}

static enum err give (struct store *store, sqlite3_stmt *s, struct buf *octets,
                      int64_t *number, each_fn *each, void *arg, bool *stop,
                      struct error *e) {
    struct outbox_message message;
    enum err rc = store_row (store, s, "outbox", e);
    if (!rc)
        rc = message_take (s, octets, &message, e);
    if (rc)
        return rc;
    *number = message.number;
    rc = each (arg, &message, e);
    *stop = rc == ERR_STATE;
    return *stop ? ERR_NONE : rc;
}

static sqlite3_stmt *next_after (struct store *store, int state,
                                 int64_t after) {
    sqlite3_stmt *s = store_prepare (
        store, state < 0 ? MESSAGES
                   "WHERE o.number > ?1 ORDER BY o.number LIMIT 1"
                         : MESSAGES "WHERE o.state = ?2 AND o.number > ?1"
                                    " ORDER BY o.number LIMIT 1");
    sqlite3_bind_int64 (s, 1, after);
    if (state >= 0)
        sqlite3_bind_int (s, 2, state);
    return s;
}

enum err outbox_list (struct store *store, int state, int64_t after,
                      int64_t limit, each_fn *each, void *arg,
                      struct error *e) {
    struct buf octets = { 0 };
    enum err rc = ERR_NONE;
    bool stop = false;
    bool end = false;
    for (int64_t n = 0; !rc && !stop && (limit <= 0 || n < limit); n++) {
        int64_t before = after;
        rc = give (store, next_after (store, state, after), &octets, &after,
                   each, arg, &stop, e);
        end = after == before;
    }
    buf_free (&octets);
    return rc == ERR_NOT_FOUND && end ? ERR_NONE : rc;
}

enum err outbox_get (struct store *store, int64_t number, each_fn *each,
                     void *arg, struct error *e) {
    struct buf octets = { 0 };
    bool stop;
    int64_t found = 0;
    sqlite3_stmt *s = store_prepare (store, MESSAGES "WHERE o.number = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = give (store, s, &octets, &found, each, arg, &stop, e);
    buf_free (&octets);
    return rc == ERR_NOT_FOUND && found == 0 ? error_set (
               e, rc, "no message %" PRId64 " in the outbox", number)
                                             : rc;
}
