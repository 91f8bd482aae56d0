/* records_query - finding records by the index and reading them from their
 * blocks. The index says where a record stands; what it holds is read from the
 * octets that were verified. */
#include "records.h"

#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 256       /* places read ahead */
#define SCAN_MAX 16384 /* rows looked at in one reading transaction */

/* ?1 key of the row before, ?2 position above, ?3 ?4 sequences, ?5 ?6 times,
 * ?7 ?8 authors, ?9 channel, ?10 ?11 topics; NULL for any. Which index leads is
 * said here, since each gives its rows in the order wanted: a sort would begin
 * anew for each page. Only one topic by sequence is sorted: it is its history,
 * and short. */
#define ROWS                                                                   \
    "SELECT position, sequence, block, place, type, channel, topic"            \
    " FROM records "
#define BOUNDS                                                                 \
    " AND position > ?2 AND sequence BETWEEN ?3 AND ?4"                        \
    " AND log_time BETWEEN ?5 AND ?6"                                          \
    " AND (?7 IS NULL OR author BETWEEN ?7 AND ?8)"                            \
    " AND (?9 IS NULL OR channel = ?9)"                                        \
    " AND (?10 IS NULL OR topic BETWEEN ?10 AND ?11)"
static const char all_by_position[] =
    ROWS "NOT INDEXED WHERE position > ?1" BOUNDS " ORDER BY position";
static const char all_by_sequence[] =
    ROWS "INDEXED BY records_by_sequence WHERE sequence > ?1" BOUNDS
         " ORDER BY sequence";
static const char channel_by_position[] =
    ROWS "INDEXED BY records_by_channel WHERE channel = ?9"
         " AND position > ?1" BOUNDS " ORDER BY position";
static const char topic_by_position[] =
    ROWS "INDEXED BY records_by_topic WHERE topic = ?10"
         " AND position > ?1" BOUNDS " ORDER BY position";
static const char about_by_position[] =
    ROWS "INDEXED BY records_about_plans WHERE about = 1"
         " AND position > ?1" BOUNDS " ORDER BY position";
static const char topic_by_sequence[] =
    ROWS "INDEXED BY records_by_topic WHERE topic = ?10"
         " AND sequence > ?1" BOUNDS " ORDER BY sequence";

struct place {
    int64_t position, sequence, block;
    int64_t place; /* in the block */
};

struct records_cursor {
    struct store *store;
    struct records_query query; /* its texts are copies */
    char *filter, *author;
    const char *sql;
    char *author_low, *author_high; /* NULL: any */
    char *channel;                  /* NULL: any */
    char *topic_low, *topic_high;   /* NULL: any */
    int64_t key;   /* position or sequence of the last row looked at */
    int64_t given; /* to the caller */
    struct place page[PAGE];
    size_t count, next;
    /* The block of the last row, parsed: its neighbours come next. */
    int64_t block; /* 0: none */
    struct buf octets;
    struct block view;
    struct block_walk walk;
    char why[REFUSAL_TEXT_MAX];
};

static char *text_joined (const char *text, size_t size, const char *end) {
    struct buf out = { 0 };
    buf_add (&out, text, size);
    buf_add_text (&out, end);
    return buf_take_text (&out);
}

/* Opening */

/* The levels of a filter before the first wildcard, without a '/' at the end;
 * *levels of them. */
static size_t literal_part (const char *filter, size_t *levels) {
    size_t at = 0, end = 0;
    *levels = 0;
    while (filter[at]) {
        size_t n = strcspn (filter + at, "/");
        if (n == 1 && (filter[at] == '+' || filter[at] == '#'))
            return end;
        end = at + n;
        ++*levels;
        at = end + (filter[end] == '/');
    }
    return end;
}

/* Set what SQL can tell of the filter; the rest is filter_match's. Records
 * without a topic are asked for by `log`, whatever the filter says. */
static void restrict_topics (struct records_cursor *self) {
    const char *filter = self->filter;
    bool by_sequence = self->query.by_sequence;
    self->sql = by_sequence ? all_by_sequence : all_by_position;
    if (!filter || self->query.log)
        return;
    size_t levels, literal = literal_part (filter, &levels);
    if (levels == 0)
        return;
    self->channel = text_joined (filter, strcspn (filter, "/"), "");
    if (!by_sequence)
        self->sql = channel_by_position;
    if (filter[literal] == '\0') {
        self->topic_low = mem_copy_text (filter);
        self->topic_high = mem_copy_text (filter);
        self->sql = by_sequence ? topic_by_sequence : topic_by_position;
    } else if (levels > 1) {
        /* "a/b" itself and all that begins with "a/b/": '0' follows '/'. */
        self->topic_low = text_joined (filter, literal, "");
        self->topic_high = text_joined (filter, literal, "0");
    }
}

static void restrict_author (struct records_cursor *self) {
    const char *author = self->author;
    if (!author)
        return;
    bool one = strchr (author, '/') != NULL;
    /* '~' is above all that a delegation's name may hold. */
    self->author_low = text_joined (author, strlen (author), one ? "" : "/");
    self->author_high = text_joined (author, strlen (author), one ? "" : "/~");
}

/* Log times hardly ever fall, so what is newer than `from_ms` begins late: the
 * scan need not begin before. */
static enum err restrict_time (struct records_cursor *self, struct error *e) {
    struct records_query *q = &self->query;
    if (q->from_ms <= 0)
        return ERR_NONE;
    sqlite3_stmt *s = store_prepare (
        self->store, "SELECT MIN(position), MIN(sequence) FROM records"
                     " INDEXED BY records_by_time WHERE log_time >= ?");
    sqlite3_bind_int64 (s, 1, q->from_ms);
    enum err rc = store_row (self->store, s, "records", e);
    if (rc)
        return rc;
    if (sqlite3_column_type (s, 0) != SQLITE_NULL) {
        int64_t position = sqlite3_column_int64 (s, 0);
        int64_t sequence = sqlite3_column_int64 (s, 1);
        if (q->after < position - 1)
            q->after = position - 1;
        if (q->from_sequence < sequence)
            q->from_sequence = sequence;
    }
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err query_check (const struct records_query *q, struct error *e) {
    if (q->filter) {
        enum err rc = filter_check (slice_text (q->filter), e);
        if (rc)
            return rc;
    }
    if (q->author && !entity_valid (slice_text (q->author))
        && !delegation_valid (slice_text (q->author)))
        return error_set (e, ERR_MALFORMED,
                          "'%s' is neither an entity nor a delegation",
                          q->author);
    return ERR_NONE;
}

static struct records_cursor *cursor_new (struct store *store) {
    struct records_cursor *self = mem_alloc (sizeof *self);
    self->store = store;
    return self;
}

struct records_cursor *records_open (struct store *self,
                                     const struct records_query *query,
                                     struct error *e) {
    if (query_check (query, e))
        return NULL;
    struct records_cursor *cursor = cursor_new (self);
    struct records_query *q = &cursor->query;
    *q = *query;
    if (q->filter && strcmp (q->filter, "#") != 0)
        cursor->filter = mem_copy_text (q->filter);
    if (q->author)
        cursor->author = mem_copy_text (q->author);
    q->filter = cursor->filter;
    q->author = cursor->author;
    restrict_topics (cursor);
    restrict_author (cursor);
    if (restrict_time (cursor, e))
        records_close (&cursor);
    else
        cursor->key = q->by_sequence ? q->from_sequence - 1 : q->after;
    return cursor;
}

struct records_cursor *records_about_plans (struct store *self,
                                            const char *channel, int64_t after,
                                            struct error *e) {
    struct buf filter = { 0 };
    if (channel)
        buf_add_format (&filter, "%s/#", channel);
    char *text = channel ? buf_take_text (&filter) : NULL;
    struct records_query query = {
        .filter = text, .after = after, .to_sequence = -1, .to_ms = -1
    };
    struct records_cursor *cursor = records_open (self, &query, e);
    if (cursor)
        cursor->sql = about_by_position;
    free (text);
    return cursor;
}

void records_close (struct records_cursor **self_p) {
    if (!self_p || !*self_p)
        return;
    struct records_cursor *self = *self_p;
    *self_p = NULL;
    free (self->filter);
    free (self->author);
    free (self->author_low);
    free (self->author_high);
    free (self->channel);
    free (self->topic_low);
    free (self->topic_high);
    buf_free (&self->octets);
    free (self);
}

/* Finding */

static void bind_any (sqlite3_stmt *s, int at, const char *text) {
    bind_text (s, at, text ? slice_text (text) : (struct slice){ 0 });
}

static sqlite3_stmt *rows_after (struct records_cursor *self) {
    const struct records_query *q = &self->query;
    sqlite3_stmt *s = store_prepare (self->store, self->sql);
    sqlite3_bind_int64 (s, 1, self->key);
    sqlite3_bind_int64 (s, 2, q->after);
    sqlite3_bind_int64 (s, 3, q->from_sequence);
    sqlite3_bind_int64 (s, 4, q->to_sequence < 0 ? INT64_MAX : q->to_sequence);
    sqlite3_bind_int64 (s, 5, q->from_ms);
    sqlite3_bind_int64 (s, 6, q->to_ms < 0 ? INT64_MAX : q->to_ms);
    bind_any (s, 7, self->author_low);
    bind_any (s, 8, self->author_high);
    bind_any (s, 9, self->channel);
    bind_any (s, 10, self->topic_low);
    bind_any (s, 11, self->topic_high);
    return s;
}

/* Rosters, marks and erasures, and whatever else stands on $log, are given by
 * `log` alone. What has no topic that we can read is given where the filter
 * takes in all of its channel. */
static bool wanted (const struct records_query *q, int64_t type,
                    struct slice channel, struct slice topic) {
    bool of_log = type == RECORD_ROSTER || type == RECORD_MARK
                  || type == RECORD_ERASURE || slice_is (channel, CHANNEL_LOG);
    if (of_log)
        return q->log;
    return !q->filter
           || filter_match (slice_text (q->filter),
                            topic.size ? topic : channel);
}

/* Look at the next rows, in one short transaction; *more where it stopped by
 * a bound of its own. */
static enum err page_scan (struct records_cursor *self, bool *more,
                           struct error *e) {
    sqlite3_stmt *s = rows_after (self);
    const struct records_query *q = &self->query;
    int64_t left = q->limit > 0 ? q->limit - self->given : PAGE;
    size_t room = left < PAGE ? (size_t) left : PAGE;
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && i < SCAN_MAX && self->count < room; i++) {
        rc = store_row (self->store, s, "records", e);
        if (rc)
            break;
        struct place *place = &self->page[self->count];
        *place = (struct place){ sqlite3_column_int64 (s, 0),
                                 sqlite3_column_int64 (s, 1),
                                 sqlite3_column_int64 (s, 2),
                                 sqlite3_column_int64 (s, 3) };
        self->key = q->by_sequence ? place->sequence : place->position;
        if (wanted (q, sqlite3_column_int64 (s, 4), column_slice (s, 5),
                    column_slice (s, 6)))
            self->count++;
    }
    *more = rc == ERR_NONE;
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err page_fill (struct records_cursor *self, struct error *e) {
    bool more = true;
    enum err rc = ERR_NONE;
    self->count = self->next = 0;
    while (!rc && more && self->count == 0)
        rc = page_scan (self, &more, e);
    return rc;
}

/* Reading */

static enum err block_load (struct records_cursor *self, int64_t block,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self->store, "SELECT octets FROM blocks WHERE block = ?");
    sqlite3_bind_int64 (s, 1, block);
    self->block = 0;
    enum err rc = store_row (self->store, s, "block", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, ERR_DAMAGED, "store: block %" PRId64 " is gone",
                          block);
    if (rc)
        return rc;
    buf_clear (&self->octets);
    buf_add_slice (&self->octets, column_slice (s, 0));
    sqlite3_reset (s);
    struct error why;
    if (block_read (buf_slice (&self->octets), &self->view, &why))
        return error_set (e, ERR_DAMAGED, "store: block %" PRId64 ": %s", block,
                          why.text);
    block_walk (&self->view, &self->walk);
    self->block = block;
    return ERR_NONE;
}

/* Let the walk stand at a record. */
static enum err record_find (struct records_cursor *self,
                             const struct place *place, struct error *e) {
    if (place->block != self->block) {
        enum err rc = block_load (self, place->block, e);
        if (rc)
            return rc;
    }
    struct block_walk *walk = &self->walk;
    size_t at = (size_t) place->place;
    if (walk->record.data && walk->index > at)
        block_walk (&self->view, walk);
    while (!walk->record.data || walk->index < at)
        if (!block_next (walk))
            return error_set (e, ERR_DAMAGED,
                              "store: block %" PRId64 " has no record %zu",
                              place->block, at);
    return ERR_NONE;
}

static enum err message_decode (struct records_cursor *self,
                                struct record_row *out, struct error *e) {
    struct refusal refusal;
    enum err rc =
        message_read_any (out->record.payload, &out->message, &refusal);
    if (!rc)
        rc = message_version_check (&out->message, &refusal);
    if (rc == ERR_NONE)
        return rc;
    refusal_print (&refusal, self->why);
    if (rc != ERR_NEWER)
        return error_set (e, ERR_DAMAGED, "store: record %" PRId64 ": %s",
                          out->record.sequence, self->why);
    out->readable = false;
    return ERR_NONE;
}

static enum err row_decode (struct records_cursor *self,
                            const struct place *place, struct record_row *out,
                            struct error *e) {
    const struct block_walk *walk = &self->walk;
    *out = (struct record_row){ .position = place->position,
                                .leaf = record_leaf (walk->record),
                                .body_state = walk->state,
                                .readable = true,
                                .why = self->why };
    if (walk->state == BODY_PRESENT)
        out->body = walk->body;
    self->why[0] = '\0';
    struct error why;
    enum err rc = record_read (walk->record, &out->record, &why);
    if ((rc && rc != ERR_NEWER) || out->record.sequence != place->sequence)
        return error_set (e, ERR_DAMAGED, "store: record %" PRId64 ": %s",
                          place->sequence,
                          rc ? why.text : "another one stands there");
    if (rc == ERR_NONE)
        return out->record.type == RECORD_MESSAGE
                   ? message_decode (self, out, e)
                   : ERR_NONE;
    snprintf (self->why, sizeof self->why, "%s", why.text);
    out->readable = false;
    return ERR_NONE;
}

enum err records_next (struct records_cursor *self, struct record_row *out,
                       struct error *e) {
    enum err rc = ERR_NONE;
    const struct records_query *q = &self->query;
    bool enough = q->limit > 0 && self->given >= q->limit;
    if (!enough && self->next == self->count)
        rc = page_fill (self, e);
    if (rc)
        return rc;
    if (enough || self->next == self->count)
        return error_set (e, ERR_NOT_FOUND, "no more records");
    const struct place *place = &self->page[self->next];
    rc = record_find (self, place, e);
    if (!rc)
        rc = row_decode (self, place, out, e);
    if (rc)
        return rc;
    self->next++;
    self->given++;
    return ERR_NONE;
}

/* One record */

/* By a statement that gives its place. */
static struct records_cursor *open_one (struct store *self, sqlite3_stmt *s,
                                        struct record_row *out,
                                        struct error *e) {
    enum err rc = store_row (self, s, "record", e);
    if (rc == ERR_NOT_FOUND)
        error_set (e, ERR_NOT_FOUND, "no such record is held");
    if (rc)
        return NULL;
    struct records_cursor *cursor = cursor_new (self);
    cursor->page[0] = (struct place){ sqlite3_column_int64 (s, 0),
                                      sqlite3_column_int64 (s, 1),
                                      sqlite3_column_int64 (s, 2),
                                      sqlite3_column_int64 (s, 3) };
    cursor->count = 1;
    cursor->query.limit = 1;
    sqlite3_reset (s);
    if (records_next (cursor, out, e))
        records_close (&cursor);
    return cursor;
}

struct records_cursor *records_by_sequence (struct store *self,
                                            int64_t sequence,
                                            struct record_row *out,
                                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT position, sequence, block, place FROM records"
              " WHERE sequence = ?");
    sqlite3_bind_int64 (s, 1, sequence);
    return open_one (self, s, out, e);
}

struct records_cursor *records_by_id (struct store *self, const struct hash *id,
                                      struct record_row *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT position, sequence, block, place FROM records"
              " WHERE id = ? LIMIT 1");
    bind_hash (s, 1, id);
    return open_one (self, s, out, e);
}
