/* claims - proved claims of marks, thinned out as they grow old. */
#include "claims.h"

#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS 3600000
#define DAY_MS (24 * (int64_t) HOUR_MS)
#define PRUNED "claims_pruned" /* meta: up to which time */

enum err claims_keep (struct store *self, int64_t mark, int64_t time,
                      bool behind_roster, const struct mark_claim *claim,
                      struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO claims (stream, mark, time, roster, octets)"
              " VALUES (?, ?, ?, ?, ?)"
              " ON CONFLICT (stream, mark) DO NOTHING");
    struct buf octets = { 0 };
    mark_claim_write (&octets, claim);
    bind_text (s, 1, claim->stream.name);
    sqlite3_bind_int64 (s, 2, mark);
    sqlite3_bind_int64 (s, 3, time);
    sqlite3_bind_int (s, 4, behind_roster);
    bind_slice (s, 5, buf_slice (&octets));
    enum err rc = store_done (self, s, "claim", e);
    buf_free (&octets);
    return rc;
}

/* The hour before what was looked at last is looked at again: the first of an
 * hour may be there. */
enum err claims_prune (struct store *self, int64_t time, struct error *e) {
    char *text = store_meta (self, PRUNED), now[24];
    int64_t from = text ? strtoll (text, NULL, 10) - HOUR_MS : 0;
    free (text);
    sqlite3_stmt *s = store_prepare (
        self, "DELETE FROM claims WHERE roster = 0 AND time >= ?1 AND time < ?2"
              " AND (SELECT b.time / 3600000 FROM claims b"
              "  WHERE b.stream = claims.stream AND b.mark < claims.mark"
              "  AND b.roster = 0 ORDER BY b.mark DESC LIMIT 1)"
              " = time / 3600000");
    sqlite3_bind_int64 (s, 1, from);
    sqlite3_bind_int64 (s, 2, time - DAY_MS);
    enum err rc = store_done (self, s, "claims", e);
    snprintf (now, sizeof now, "%" PRId64,
              time - DAY_MS > from ? time - DAY_MS : from);
    return rc ? rc : store_set_meta (self, PRUNED, now, e);
}

enum err claims_get (struct store *self, const char *stream, int64_t mark,
                     struct buf *claim, struct error *e) {
    int64_t found;
    size_t before = claim->size;
    enum err rc = claims_newest (self, stream, mark, &found, claim, e);
    if (!rc && found != mark) {
        claim->size = before;
        rc = ERR_NOT_FOUND;
    }
    return rc;
}

static enum err take_row (struct store *self, sqlite3_stmt *s, int64_t *mark,
                          struct buf *claim, struct error *e) {
    enum err rc = store_row (self, s, "claims", e);
    if (rc)
        return rc;
    *mark = sqlite3_column_int64 (s, 0);
    buf_add_slice (claim, column_slice (s, 1));
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err claims_newest (struct store *self, const char *stream, int64_t upto,
                        int64_t *mark, struct buf *claim, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT mark, octets FROM claims WHERE stream = ? AND mark <= ?"
              " ORDER BY mark DESC LIMIT 1");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, upto);
    return take_row (self, s, mark, claim, e);
}

enum err claims_around (struct store *self, const char *stream, int64_t time,
                        bool later, int64_t upto, int64_t *mark,
                        struct buf *claim, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, later ? "SELECT mark, octets FROM claims WHERE stream = ?1"
                      " AND mark <= ?2 AND time > ?3 ORDER BY mark LIMIT 1"
                    : "SELECT mark, octets FROM claims WHERE stream = ?1"
                      " AND mark <= ?2 AND time < ?3"
                      " ORDER BY mark DESC LIMIT 1");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, upto);
    sqlite3_bind_int64 (s, 3, time);
    return take_row (self, s, mark, claim, e);
}

/* The next one behind (*mark, *stream), both set; the octets are copied, so that
 * `each` may use the store. */
static enum err next (struct store *self, int64_t to, int64_t *mark,
                      struct buf *stream, struct buf *claim, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT mark, stream, octets FROM claims"
                             " WHERE (mark, stream) > (?1, ?2) AND mark <= ?3"
                             " ORDER BY mark, stream LIMIT 1");
    sqlite3_bind_int64 (s, 1, *mark);
    bind_text (s, 2, buf_slice (stream));
    sqlite3_bind_int64 (s, 3, to);
    enum err rc = store_row (self, s, "claims", e);
    if (rc)
        return rc;
    *mark = sqlite3_column_int64 (s, 0);
    buf_clear (claim);
    buf_add_slice (claim, column_slice (s, 2));
    struct buf name = { 0 };
    buf_add_slice (&name, column_slice (s, 1));
    sqlite3_reset (s);
    buf_free (stream);
    *stream = name;
    return ERR_NONE;
}

enum err claims_each (struct store *self, int64_t from, int64_t to,
                      enum err (*each) (void *arg, int64_t mark,
                                        struct slice claim, struct error *e),
                      void *arg, struct error *e) {
    int64_t mark = from;
    struct buf stream = { 0 }, claim = { 0 };
    enum err rc = ERR_NONE;
    buf_reserve (&stream, 1); /* "", not NULL */
    while (!rc) {
        rc = next (self, to < 0 ? INT64_MAX : to, &mark, &stream, &claim, e);
        if (!rc)
            rc = each (arg, mark, buf_slice (&claim), e);
        else if (rc == ERR_NOT_FOUND) {
            rc = ERR_NONE;
            break;
        }
    }
    buf_free (&stream);
    buf_free (&claim);
    return rc;
}

enum err claims_streams (struct store *self,
                         enum err (*each) (void *arg, const char *stream,
                                           struct error *e),
                         void *arg, struct error *e) {
    return store_names (self,
                        "SELECT stream FROM claims WHERE stream > ?"
                        " ORDER BY stream LIMIT 1",
                        "claims", each, arg, e);
}
