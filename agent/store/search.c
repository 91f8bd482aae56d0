/* search - the text index: writing it, and asking (search_terms.c reads what
 * people type).
 *
 * `texts` has each text once; two FTS5 tables over it have its words, and, of
 * texts in scripts without spaces (`dense`), all runs of three characters. They
 * keep no text of their own, and so have to be told what goes. */
#include "search.h"

#include "base/topic.h"
#include "search_terms.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSITION "search_position" /* meta: "BASIS POSITION" */

static const char *const kind_names[] = { "plan", "annex", "report", "message",
                                          "thread" };

const char *search_kind_name (enum search_kind kind) {
    return kind_names[kind];
}

bool search_kind_read (struct slice text, enum search_kind *out) {
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++)
        if (slice_is (text, kind_names[i])) {
            *out = (enum search_kind) i;
            return true;
        }
    return false;
}

/* Writing */

static enum err index_add (struct store *self, const char *sql, int64_t item,
                           const char *text, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, sql);
    sqlite3_bind_int64 (s, 1, item);
    bind_text (s, 2, slice_text (text));
    return store_done (self, s, "texts", e);
}

enum err search_add (struct store *self, const struct search_item *item,
                     struct error *e) {
    bool dense = text_is_dense (slice_text (item->text));
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO texts (kind, sequence, plan, action, channel,"
              " author, topic, lang, dense, text)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sqlite3_bind_int64 (s, 1, item->kind);
    sqlite3_bind_int64 (s, 2, item->sequence);
    bind_text (s, 3, slice_text (item->plan));
    bind_text (s, 4, slice_text (item->action));
    bind_text (s, 5, slice_text (item->channel));
    bind_text (s, 6, slice_text (item->author));
    bind_text (s, 7, slice_text (item->topic));
    bind_text (s, 8, slice_text (item->lang));
    sqlite3_bind_int64 (s, 9, dense);
    bind_text (s, 10, slice_text (item->text));
    enum err rc = store_done (self, s, "texts", e);
    int64_t at = sqlite3_last_insert_rowid (self->db);
    if (!rc)
        rc = index_add (self,
                        "INSERT INTO text_words (rowid, text) VALUES (?, ?)",
                        at, item->text, e);
    if (!rc && dense)
        rc = index_add (self,
                        "INSERT INTO text_runs (rowid, text) VALUES (?, ?)", at,
                        item->text, e);
    return rc;
}

bool search_plan_state (struct store *self, const char *plan,
                        struct hash *out) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT state FROM text_plans WHERE plan = ?");
    bind_text (s, 1, slice_text (plan));
    struct error e;
    if (store_row (self, s, "texts", &e))
        return false;
    *out = column_hash (s, 0);
    sqlite3_reset (s);
    return true;
}

static enum err run_one (struct store *self, const char *sql, const char *plan,
                         struct error *e) {
    sqlite3_stmt *s = store_prepare (self, sql);
    if (plan)
        bind_text (s, 1, slice_text (plan));
    return store_done (self, s, "texts", e);
}

/* Texts of a plan, or (NULL) all messages: kinds behind a plan's. */
static enum err texts_drop (struct store *self, const char *plan,
                            struct error *e) {
#define OF_PLAN " FROM texts WHERE plan = ?1 AND kind < 3"
#define OF_MESSAGES " FROM texts WHERE kind >= 3"
    static const char *const of_plan[] = {
        "INSERT INTO text_words (text_words, rowid, text)"
        " SELECT 'delete', item, text" OF_PLAN,
        "INSERT INTO text_runs (text_runs, rowid, text)"
        " SELECT 'delete', item, text" OF_PLAN " AND dense",
        ("DELETE" OF_PLAN),
    };
    static const char *const of_messages[] = {
        "INSERT INTO text_words (text_words, rowid, text)"
        " SELECT 'delete', item, text" OF_MESSAGES,
        "INSERT INTO text_runs (text_runs, rowid, text)"
        " SELECT 'delete', item, text" OF_MESSAGES " AND dense",
        ("DELETE" OF_MESSAGES),
    };
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < 3; i++)
        rc = run_one (self, plan ? of_plan[i] : of_messages[i], plan, e);
    return rc;
}

enum err search_plan_drop (struct store *self, const char *plan,
                           const struct hash *state, struct error *e) {
    enum err rc = texts_drop (self, plan, e);
    if (!rc)
        rc = run_one (self, "DELETE FROM text_plans WHERE plan = ?", plan, e);
    if (rc || !state)
        return rc;
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO text_plans (plan, state) VALUES (?, ?)");
    bind_text (s, 1, slice_text (plan));
    bind_hash (s, 2, state);
    return store_done (self, s, "texts", e);
}

enum err search_plans (struct store *self,
                       void (*each) (void *arg, const char *plan), void *arg,
                       struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT plan FROM text_plans ORDER BY plan");
    enum err rc;
    while ((rc = store_row (self, s, "texts", e)) == ERR_NONE)
        each (arg, (const char *) sqlite3_column_text (s, 0));
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err search_position (struct store *self, int64_t basis, int64_t *position,
                          struct error *e) {
    char fresh[32];
    char *text = store_meta (self, POSITION);
    int64_t had = -1;
    *position = 0;
    if (text && sscanf (text, "%" SCNd64 " %" SCNd64, &had, position) == 2
        && had == basis) {
        free (text);
        return ERR_NONE;
    }
    free (text);
    *position = 0;
    enum err rc = texts_drop (self, NULL, e);
    snprintf (fresh, sizeof fresh, "%" PRId64 " 0", basis);
    return rc ? rc : store_set_meta (self, POSITION, fresh, e);
}

enum err search_set_position (struct store *self, int64_t position,
                              struct error *e) {
    char fresh[64];
    char *text = store_meta (self, POSITION);
    snprintf (fresh, sizeof fresh, "%" PRId64 " %" PRId64,
              text ? (int64_t) strtoll (text, NULL, 10) : 0, position);
    free (text);
    return store_set_meta (self, POSITION, fresh, e);
}

/* Asking */

#define COLUMNS                                                                \
    "SELECT t.kind, t.sequence, t.plan, t.action, t.channel, t.author,"        \
    " t.topic, t.lang, t.text, "
#define FILTERS                                                                \
    " (?3 = 0 OR (1 << t.kind) & ?3)"                                          \
    " AND (?4 IS NULL OR t.author BETWEEN ?4 AND ?5)"                          \
    " AND (?6 IS NULL OR t.plan = ?6)"
/* ?1 words, ?2 runs of three; NULL: none of these. */
static const char by_words[] =
    COLUMNS "snippet (text_words, 0, char (2), char (3), '...', 24)"
            " FROM text_words JOIN texts t ON t.item = text_words.rowid"
            " WHERE text_words MATCH ?1 AND (?2 IS NULL OR t.item IN"
            " (SELECT rowid FROM text_runs WHERE text_runs MATCH ?2))"
            " AND" FILTERS " ORDER BY rank, t.sequence DESC, t.item";
static const char by_runs[] =
    COLUMNS "snippet (text_runs, 0, char (2), char (3), '...', 24)"
            " FROM text_runs JOIN texts t ON t.item = text_runs.rowid"
            " WHERE text_runs MATCH ?2 AND ?1 IS NULL"
            " AND" FILTERS " ORDER BY rank, t.sequence DESC, t.item";
static const char by_eye[] =
    COLUMNS "NULL FROM texts t WHERE t.dense AND ?1 IS NULL AND ?2 IS NULL"
            " AND" FILTERS " ORDER BY t.sequence DESC, t.item";

static const char *text_at (sqlite3_stmt *s, int at) {
    const char *text = (const char *) sqlite3_column_text (s, at);
    return text ? text : "";
}

static void item_read (sqlite3_stmt *s, struct search_item *out) {
    *out = (struct search_item){
        .kind = (enum search_kind) sqlite3_column_int (s, 0),
        .sequence = sqlite3_column_int64 (s, 1),
        .plan = text_at (s, 2),
        .action = text_at (s, 3),
        .channel = text_at (s, 4),
        .author = text_at (s, 5),
        .topic = text_at (s, 6),
        .lang = text_at (s, 7),
        .text = text_at (s, 8),
    };
}

static void bind_or_null (sqlite3_stmt *s, int at, const char *text) {
    bind_text (s, at, text && *text ? slice_text (text) : (struct slice){ 0 });
}

struct author_bounds {
    char low[ENTITY_MAX + 4], high[ENTITY_MAX + 4];
};

static sqlite3_stmt *statement (struct store *self,
                                const struct search_query *query,
                                const struct search_terms *terms,
                                struct author_bounds *bounds) {
    sqlite3_stmt *s = store_prepare (self, *terms->words  ? by_words
                                           : *terms->runs ? by_runs
                                                          : by_eye);
    bind_or_null (s, 1, terms->words);
    bind_or_null (s, 2, terms->runs);
    sqlite3_bind_int64 (s, 3, query->kinds);
    if (query->entity) {
        /* '~' is above all that a delegation's name may hold. */
        snprintf (bounds->low, sizeof bounds->low, "%.16s/", query->entity);
        snprintf (bounds->high, sizeof bounds->high, "%.16s/~", query->entity);
        bind_or_null (s, 4, bounds->low);
        bind_or_null (s, 5, bounds->high);
    }
    bind_or_null (s, 6, query->plan);
    return s;
}

enum err search_find (struct store *self, const struct search_query *query,
                      bool (*each) (void *arg, const struct search_hit *),
                      void *arg, struct error *e) {
    struct search_terms terms;
    struct author_bounds bounds;
    enum err rc = search_terms_read (query->text, &terms, e);
    if (rc)
        return rc;
    struct buf snippet = { 0 };
    sqlite3_stmt *s = statement (self, query, &terms, &bounds);
    bool on = true;
    while (on && (rc = store_row (self, s, "search", e)) == ERR_NONE) {
        struct search_hit hit;
        item_read (s, &hit.item);
        if (!search_terms_short (&terms, hit.item.text))
            continue;
        hit.snippet = text_at (s, 9);
        buf_clear (&snippet);
        if (!*hit.snippet)
            hit.snippet =
                search_terms_snippet (&terms, hit.item.text, &snippet);
        on = each (arg, &hit);
    }
    sqlite3_reset (s);
    buf_free (&snippet);
    search_terms_free (&terms);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
