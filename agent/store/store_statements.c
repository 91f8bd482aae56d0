/* store_statements - statements from a handle's cache, stepped, and what SQLite
 * says where it can't. */
#include "store_impl.h"

#include "base/topic.h"

#include <stdio.h>
#include <stdlib.h>

enum err store_code (int code) {
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ERR_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_TIMEOUT;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    default:
        return ERR_IO;
    }
}

enum err store_error (struct store *self, struct error *e, const char *what) {
    enum err code = store_code (sqlite3_extended_errcode (self->db));
    const char *text = sqlite3_errmsg (self->db);
    if (self->group && !self->lost.code && sqlite3_get_autocommit (self->db))
        error_set (&self->lost, code, "store: %s: %s", what, text);
    return error_set (e, code, "store: %s: %s", what, text);
}

struct sqlite3_stmt *store_prepare (struct store *self, const char *sql) {
    for (size_t i = 0; i < self->cached; i++)
        if (self->cache[i].sql == sql) {
            sqlite3_reset (self->cache[i].statement);
            sqlite3_clear_bindings (self->cache[i].statement);
            return self->cache[i].statement;
        }
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v3 (self->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                 &statement, NULL);
    if (rc != SQLITE_OK) {
        /* Our own literals against our own schema: the file lacks a table. */
        fprintf (stderr, "parley-agent: store: %s: %s\n", sql,
                 sqlite3_errmsg (self->db));
        abort();
    }
    if (self->cached
        == STORE_STATEMENTS) /* more literals than that: raise it */
        abort();
    self->cache[self->cached].sql = sql;
    self->cache[self->cached++].statement = statement;
    return statement;
}

enum err store_done (struct store *self, sqlite3_stmt *statement,
                     const char *what, struct error *e) {
    int rc = sqlite3_step (statement);
    enum err code = rc == SQLITE_DONE ? ERR_NONE : store_error (self, e, what);
    sqlite3_reset (statement);
    return code;
}

enum err store_row (struct store *self, sqlite3_stmt *statement,
                    const char *what, struct error *e) {
    int rc = sqlite3_step (statement);
    if (rc == SQLITE_ROW)
        return ERR_NONE;
    enum err code =
        rc == SQLITE_DONE ? ERR_NOT_FOUND : store_error (self, e, what);
    sqlite3_reset (statement);
    return code;
}

enum err store_names (struct store *self, const char *sql, const char *what,
                      enum err (*each) (void *arg, const char *name,
                                        struct error *e),
                      void *arg, struct error *e) {
    char name[CHANNEL_MAX + 1] = "";
    enum err rc = ERR_NONE;
    while (!rc) {
        sqlite3_stmt *s = store_prepare (self, sql);
        bind_text (s, 1, slice_text (name));
        rc = store_row (self, s, what, e);
        if (rc)
            break;
        struct slice next = column_slice (s, 0);
        snprintf (name, sizeof name, "%.*s", (int) next.size,
                  (const char *) next.data);
        sqlite3_reset (s);
        rc = each (arg, name, e);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
