/* handed - promises of records that are not here. */
#include "handed.h"

#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DONE "handed" /* meta: promises up to this number are seen to */

/* Promises up to here can be looked at: the first whose place is above, or in
 * another ledger than this epoch's, stops all behind it. */
static enum err ready_end (struct store *self, int64_t epoch, int64_t done,
                           int64_t sequence, int64_t *end, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT IFNULL ((SELECT number - 1 FROM promises"
              "  WHERE number > ?1 AND epoch = ?2 AND sequence >= ?3"
              "  ORDER BY number LIMIT 1),"
              " (SELECT IFNULL (MAX (number), 0) FROM promises))");
    sqlite3_bind_int64 (s, 1, done);
    sqlite3_bind_int64 (s, 2, epoch);
    sqlite3_bind_int64 (s, 3, sequence);
    enum err rc = store_row (self, s, "promises", e);
    if (rc)
        return rc;
    *end = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err find (struct store *self, int64_t epoch, int64_t done,
                      int64_t end, struct handed_row *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT number, sequence, id, leaf,"
              " (SELECT topic FROM outbox WHERE outbox.id IN"
              "  (SELECT id FROM promises b WHERE b.reply = p.reply AND"
              "   b.number BETWEEN p.number - 256 AND p.number + 256) LIMIT 1)"
              " FROM promises p WHERE number > ? AND number <= ? AND epoch = ?"
              " AND NOT EXISTS (SELECT 1 FROM records"
              "  WHERE records.sequence = p.sequence) ORDER BY number LIMIT 1");
    sqlite3_bind_int64 (s, 1, done);
    sqlite3_bind_int64 (s, 2, end);
    sqlite3_bind_int64 (s, 3, epoch);
    enum err rc = store_row (self, s, "promises", e);
    if (rc)
        return rc;
    *out = (struct handed_row){ .number = sqlite3_column_int64 (s, 0),
                                .sequence = sqlite3_column_int64 (s, 1),
                                .id = column_hash (s, 2),
                                .leaf = column_hash (s, 3) };
    struct slice topic = column_slice (s, 4);
    if (topic.size > 0 && topic.size <= TOPIC_MAX)
        memcpy (out->topic, topic.data, topic.size);
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err handed_next (struct store *self, int64_t epoch, int64_t sequence,
                      struct handed_row *out, struct error *e) {
    char *text = store_meta (self, DONE);
    int64_t end = 0, done = text ? strtoll (text, NULL, 10) : 0;
    free (text);
    enum err rc = ready_end (self, epoch, done, sequence, &end, e);
    if (!rc && end > done)
        rc = find (self, epoch, done, end, out, e);
    else if (!rc)
        rc = ERR_NOT_FOUND;
    /* All the others are held. */
    if (rc == ERR_NOT_FOUND && end > done && handed_done (self, end, e))
        rc = e->code;
    return rc;
}

enum err handed_done (struct store *self, int64_t number, struct error *e) {
    char text[24];
    snprintf (text, sizeof text, "%" PRId64, number);
    return store_set_meta (self, DONE, text, e);
}
