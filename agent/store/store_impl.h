/* store_impl - what the files of this folder share, and nobody else. */
#ifndef PARLEY_STORE_IMPL_H
#define PARLEY_STORE_IMPL_H

#include "store.h"
#include "turn.h"

#include <sqlite3.h>

#define STORE_STATEMENTS 192

struct store {
    sqlite3 *db;
    struct turn *turn;    /* of the file's writers; NULL: a handle that reads */
    int wait_ms;          /* for it */
    bool mine;            /* it is this handle's turn */
    bool group;           /* what begins is a part of it */
    bool bulky;           /* the transaction writes pages that stay as they are */
    struct error lost;    /* why SQLite rolled all of it back; else code 0 */
    uint64_t lane;        /* as last read */
    int64_t direct_first; /* of the block that comes next; 0: none */
    int64_t floor;        /* positions below it were used; 0: not known */
    struct {
        const char *sql; /* a literal: found by its address */
        sqlite3_stmt *statement;
    } cache[STORE_STATEMENTS];
    size_t cached;
};

/* The SQL that makes an empty store, in three parts. */
extern const char store_schema[], store_schema_audit[], store_schema_text[];
/* What makes schema 2 of schema 1, 3 of 2, and so on; NULL ends them. */
extern const char *const store_schema_steps[];

/* SQLite's code as one of ours (store.h says which). */
enum err store_code (int code);

/* Step a statement that gives no rows, and reset it. */
enum err store_done (struct store *self, sqlite3_stmt *statement,
                     const char *what, struct error *e) MUST_CHECK;
/* Step to a row: the caller resets it after reading. ERR_NOT_FOUND (*e is left
 * alone): none, and it is reset, as after an error. */
enum err store_row (struct store *self, sqlite3_stmt *statement,
                    const char *what, struct error *e) MUST_CHECK;
/* An epoch took records away (epoch_cut): how many, and the last position that
 * was given until then. 0: none did. */
int64_t store_void_records (struct store *self);
int64_t store_void_floor (struct store *self);

#define STORE_MENDED "mended" /* meta: how many blocks were put there again */

/* What is bound has to live until the statement is reset. */
static inline void bind_slice (sqlite3_stmt *s, int at, struct slice octets) {
    if (octets.size == 0)
        sqlite3_bind_zeroblob (s, at, 0); /* NULL would be no blob */
    else
        sqlite3_bind_blob64 (s, at, octets.data, octets.size, SQLITE_STATIC);
}
static inline void bind_hash (sqlite3_stmt *s, int at, const struct hash *h) {
    bind_slice (s, at, slice_of (h->octets, HASH_SIZE));
}
/* Data NULL: SQL's NULL. */
static inline void bind_text (sqlite3_stmt *s, int at, struct slice text) {
    sqlite3_bind_text64 (s, at, (const char *) text.data, text.size,
                         SQLITE_STATIC, SQLITE_UTF8);
}
/* Of a blob or a text; borrowed until the next step. */
static inline struct slice column_slice (sqlite3_stmt *s, int at) {
    const void *data = sqlite3_column_blob (s, at);
    return slice_of (data, (size_t) sqlite3_column_bytes (s, at));
}
/* Zeros where it is no hash. */
static inline struct hash column_hash (sqlite3_stmt *s, int at) {
    struct hash out = { { 0 } };
    struct slice octets = column_slice (s, at);
    if (octets.size == HASH_SIZE)
        memcpy (out.octets, octets.data, HASH_SIZE);
    return out;
}

/* Each name that `sql` (a literal) gives behind the one it is asked for, in order;
 * `each` may use the store. `what` is for the error's text. */
enum err store_names (struct store *self, const char *sql, const char *what,
                      enum err (*each) (void *arg, const char *name,
                                        struct error *e),
                      void *arg, struct error *e) MUST_CHECK;

#endif
