/* watches - saved filters. */
#include "watches.h"

#include "base/clock.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>

const char *const watch_kinds[WATCH_KINDS + 1] = {
    "plan",     "annex",  "report",     "hidden",  "overlap",
    "taxonomy", "align",  "communique", "meeting", "consultation",
    "practice", "notice", "capability", "request", "file",
    "other",    NULL,
};

static struct slice second_level (struct slice topic) {
    const uint8_t *slash =
        topic.size ? memchr (topic.data, '/', topic.size) : NULL;
    if (!slash)
        return (struct slice){ 0 };
    size_t left = topic.size - (size_t) (slash + 1 - topic.data);
    const uint8_t *end = left ? memchr (slash + 1, '/', left) : NULL;
    return slice_of (slash + 1, end ? (size_t) (end - slash - 1) : left);
}

size_t watch_kind (struct slice topic) {
    struct slice level = second_level (topic);
    if (slice_is (level, "ack"))
        return WATCH_KINDS;
    for (size_t i = 0; i < WATCH_KINDS - 1; i++)
        if (slice_is (level, watch_kinds[i]))
            return i;
    return WATCH_KINDS - 1;
}

bool watch_wants (const struct watch *self, struct slice topic,
                  struct slice author) {
    size_t kind = watch_kind (topic);
    return kind < WATCH_KINDS && (self->kinds & 1U << kind)
           && filter_match (slice_text (self->filter), topic)
           && (!*self->entity
               || slice_is (delegation_entity (author), self->entity));
}

/* Writing */

static bool name_valid (const char *name) {
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen (name);
    return size > 0 && size <= WATCH_NAME_MAX && strspn (name, good) == size;
}

static enum err check (const struct watch *watch, struct error *e) {
    if (!name_valid (watch->name))
        return error_set (e, ERR_MALFORMED,
                          "name: 1 to %d letters, digits, '.', '_' and '-'",
                          WATCH_NAME_MAX);
    if (!*watch->user)
        return error_set (e, ERR_MALFORMED, "user: a watch is somebody's");
    if (filter_check (slice_text (watch->filter), e))
        return error_at (e, "filter");
    if (watch->kinds == 0 || (watch->kinds & ~WATCH_ALL))
        return error_set (e, ERR_MALFORMED, "kinds: there is none");
    if (*watch->entity && !entity_valid (slice_text (watch->entity)))
        return error_set (e, ERR_MALFORMED, "entity: '%s' is none",
                          watch->entity);
    return ERR_NONE;
}

/* Is there room, and is the name free? */
static enum err room_check (struct store *self, const struct watch *watch,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT COUNT (*), COUNT (*) FILTER (WHERE user = ?1),"
              " COUNT (*) FILTER (WHERE user = ?1 AND name = ?2) FROM watches");
    bind_text (s, 1, slice_text (watch->user));
    bind_text (s, 2, slice_text (watch->name));
    enum err rc = store_row (self, s, "watches", e);
    if (rc)
        return rc;
    int64_t all = sqlite3_column_int64 (s, 0);
    int64_t his = sqlite3_column_int64 (s, 1);
    bool taken = sqlite3_column_int64 (s, 2) > 0;
    sqlite3_reset (s);
    if (taken)
        return error_set (e, ERR_EXISTS, "a watch '%s' is there already",
                          watch->name);
    if (his >= WATCHES_A_USER_MAX || all >= WATCHES_MAX)
        return error_set (e, ERR_FULL,
                          "%" PRId64 " watches, of which %" PRId64
                          " are yours; at most %d and %d",
                          all, his, WATCHES_MAX, WATCHES_A_USER_MAX);
    return ERR_NONE;
}

static enum err insert (struct store *self, struct watch *watch,
                        struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO watches (user, name, filter, kinds, entity, daily,"
              " created, position, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)");
    watch->created_ms = clock_wall_ms();
    watch->told_ms = 0;
    bind_text (s, 1, slice_text (watch->user));
    bind_text (s, 2, slice_text (watch->name));
    bind_text (s, 3, slice_text (watch->filter));
    sqlite3_bind_int64 (s, 4, watch->kinds);
    bind_text (s, 5, slice_text (watch->entity));
    sqlite3_bind_int (s, 6, watch->daily);
    sqlite3_bind_int64 (s, 7, watch->created_ms);
    sqlite3_bind_int64 (s, 8, watch->position);
    enum err rc = store_done (self, s, "watch", e);
    watch->number = sqlite3_last_insert_rowid (self->db);
    return rc;
}

enum err watches_add (struct store *self, struct watch *watch,
                      struct error *e) {
    enum err rc = check (watch, e);
    if (!rc)
        rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = room_check (self, watch, e);
    if (!rc)
        rc = insert (self, watch, e);
    return store_end (self, rc, e);
}

enum err watches_remove (struct store *self, int64_t number, const char *user,
                         struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "DELETE FROM watches WHERE watch = ?1"
                             " AND (?2 IS NULL OR user = ?2)");
    sqlite3_bind_int64 (s, 1, number);
    if (user)
        bind_text (s, 2, slice_text (user));
    enum err rc = store_done (self, s, "watch", e);
    if (!rc && sqlite3_changes (self->db) == 0)
        rc = error_set (e, ERR_NOT_FOUND, "there is no watch %" PRId64, number);
    return rc;
}

enum err watches_told (struct store *self, int64_t number, int64_t position,
                       int64_t told_ms, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE watches SET position = ?2, told = MAX (told, ?3)"
              " WHERE watch = ?1");
    sqlite3_bind_int64 (s, 1, number);
    sqlite3_bind_int64 (s, 2, position);
    sqlite3_bind_int64 (s, 3, told_ms);
    return store_done (self, s, "watch", e);
}

/* Reading */

static void text_take (sqlite3_stmt *s, int at, char *out, size_t room) {
    const char *text = (const char *) sqlite3_column_text (s, at);
    snprintf (out, room, "%s", text ? text : "");
}

static void row_read (sqlite3_stmt *s, struct watch *out) {
    *out = (struct watch){
        .number = sqlite3_column_int64 (s, 0),
        .kinds = (unsigned) sqlite3_column_int64 (s, 4) & WATCH_ALL,
        .daily = sqlite3_column_int (s, 6) != 0,
        .created_ms = sqlite3_column_int64 (s, 7),
        .position = sqlite3_column_int64 (s, 8),
        .told_ms = sqlite3_column_int64 (s, 9),
    };
    text_take (s, 1, out->user, sizeof out->user);
    text_take (s, 2, out->name, sizeof out->name);
    text_take (s, 3, out->filter, sizeof out->filter);
    text_take (s, 5, out->entity, sizeof out->entity);
}

#define ROWS                                                                   \
    "SELECT watch, user, name, filter, kinds, entity, daily, created,"         \
    " position, told FROM watches "

enum err watches_list (struct store *self, const char *user,
                       void (*each) (void *arg, const struct watch *),
                       void *arg, struct error *e) {
    enum err rc;
    struct watch watch;
    sqlite3_stmt *s = store_prepare (
        self, ROWS "WHERE ?1 IS NULL OR user = ?1 ORDER BY watch");
    if (user)
        bind_text (s, 1, slice_text (user));
    while ((rc = store_row (self, s, "watches", e)) == ERR_NONE) {
        row_read (s, &watch);
        each (arg, &watch);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err watches_get (struct store *self, int64_t number, const char *user,
                      struct watch *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, ROWS "WHERE watch = ?1 AND (?2 IS NULL OR user = ?2)");
    sqlite3_bind_int64 (s, 1, number);
    if (user)
        bind_text (s, 2, slice_text (user));
    enum err rc = store_row (self, s, "watches", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "there is no watch %" PRId64, number);
    if (rc)
        return rc;
    row_read (s, out);
    sqlite3_reset (s);
    return ERR_NONE;
}
