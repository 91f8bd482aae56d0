/* outbox_settle - messages whose place is known, against the ledger's tree
 * (PROTOCOL.md sections 7.5 and 8.9). */
#include "outbox.h"

#include "store_impl.h"

#include <stdlib.h>

typedef enum err judge_fn (void *arg, const struct outbox_place *place,
                           bool *stands, struct error *e);

/* A row that is promised, copied: judging it may use the store. */
struct row {
    int64_t number;
    bool contribution;
    struct outbox_place place;
    char topic[TOPIC_MAX + 1];
};

static enum err next_row (struct store *store, int64_t size, int64_t sequence,
                          int64_t number, struct row *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, contribution IS NOT NULL, id, leaf, sequence,"
               " topic FROM outbox WHERE state = 2 AND sequence < ?1"
               " AND (sequence, number) > (?2, ?3)"
               " ORDER BY sequence, number LIMIT 1");
    sqlite3_bind_int64 (s, 1, size);
    sqlite3_bind_int64 (s, 2, sequence);
    sqlite3_bind_int64 (s, 3, number);
    enum err rc = store_row (store, s, "outbox", e);
    if (rc)
        return rc;
    out->number = sqlite3_column_int64 (s, 0);
    out->contribution = sqlite3_column_int (s, 1) != 0;
    out->place =
        (struct outbox_place){ .id = column_hash (s, 2),
                               .leaf = column_hash (s, 3),
                               .sequence = sqlite3_column_int64 (s, 4) };
    struct slice topic = column_slice (s, 5);
    size_t octets = topic.size < TOPIC_MAX ? topic.size : TOPIC_MAX;
    memcpy (out->topic, topic.data, octets);
    sqlite3_reset (s);
    if (!out->contribution)
        out->place.topic = slice_of (out->topic, octets);
    return ERR_NONE;
}

static enum err next_form (struct store *store, int64_t number,
                           const struct hash *after, bool first,
                           struct outbox_place *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT id, leaf, sequence FROM forms"
               " WHERE number = ?1 AND (?3 OR id > ?2) ORDER BY id LIMIT 1");
    sqlite3_bind_int64 (s, 1, number);
    bind_hash (s, 2, after);
    sqlite3_bind_int (s, 3, first);
    enum err rc = store_row (store, s, "forms", e);
    if (rc)
        return rc;
    *out = (struct outbox_place){ .id = column_hash (s, 0),
                                  .leaf = column_hash (s, 1),
                                  .sequence = sqlite3_column_int64 (s, 2) };
    sqlite3_reset (s);
    return ERR_NONE;
}

/* Do all messages of a contribution stand where they have to? */
static enum err judge_forms (struct store *store, int64_t number, int64_t size,
                             judge_fn *judge, void *arg, bool *stands,
                             struct error *e) {
    struct outbox_place place = { .sequence = -1 };
    enum err rc = ERR_NONE;
    bool first = true;
    for (*stands = true; !rc && *stands; first = false) {
        struct hash before = place.id;
        rc = next_form (store, number, &before, first, &place, e);
        if (rc)
            break;
        *stands = place.sequence >= 0 && place.sequence < size;
        if (*stands)
            rc = judge (arg, &place, stands, e);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* What is not needed any more goes. The forms of a contribution stay, empty as
 * they are: a promise of one may come late. */
static enum err done (struct store *store, const struct row *row,
                      struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE outbox SET state = 3, body = NULL, contribution ="
               " CASE WHEN contribution IS NULL THEN NULL ELSE x'' END"
               " WHERE number = ?");
    sqlite3_bind_int64 (s, 1, row->number);
    enum err rc = store_done (store, s, "outbox", e);
    if (rc || row->contribution)
        return rc;
    s = store_prepare (store, "DELETE FROM forms WHERE number = ?");
    sqlite3_bind_int64 (s, 1, row->number);
    return store_done (store, s, "forms", e);
}

enum err outbox_settle (struct store *store, int64_t size, int64_t *after,
                        int limit, judge_fn *judge, void *arg,
                        struct error *e) {
    /* One message stands at a place; the others that a broker promised the same
     * wait for the next round, however many they are. */
    struct row row = { .number = *after < 0 ? 0 : INT64_MAX };
    enum err rc = ERR_NONE;
    int64_t sequence = *after;
    for (int i = 0; i < limit; i++) {
        bool stands = false;
        rc = next_row (store, size, sequence, row.number, &row, e);
        if (rc)
            break;
        sequence = row.place.sequence;
        rc = row.contribution
                 ? judge_forms (store, row.number, size, judge, arg, &stands, e)
                 : judge (arg, &row.place, &stands, e);
        if (!rc && stands)
            rc = done (store, &row, e);
        if (rc)
            break;
    }
    *after = rc ? -1 : sequence;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err outbox_promises (struct store *store, int64_t epoch, int64_t from,
                          int64_t to,
                          enum err (*each) (void *arg,
                                            const struct outbox_place *place,
                                            struct error *e),
                          void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT id, leaf, sequence FROM promises WHERE epoch = ?"
               " AND sequence >= ? AND sequence < ? ORDER BY sequence");
    sqlite3_bind_int64 (s, 1, epoch);
    sqlite3_bind_int64 (s, 2, from);
    sqlite3_bind_int64 (s, 3, to);
    enum err rc = ERR_NONE;
    while (!rc && (rc = store_row (store, s, "promise", e)) == ERR_NONE) {
        struct outbox_place place = { .id = column_hash (s, 0),
                                      .leaf = column_hash (s, 1),
                                      .sequence = sqlite3_column_int64 (s, 2) };
        rc = each (arg, &place, e);
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
