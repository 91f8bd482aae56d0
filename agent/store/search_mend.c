/* search_mend - whether the text index fits together, and its end where not. */
#include "search_mend.h"

#include "store_impl.h"

/* A row of `docsize` is what FTS5 keeps of each text. */
static const char counts[] = "SELECT (SELECT COUNT (*) FROM texts)"
                             "  = (SELECT COUNT (*) FROM text_words_docsize)"
                             " AND (SELECT COUNT (*) FROM texts WHERE dense)"
                             "  = (SELECT COUNT (*) FROM text_runs_docsize)"
                             " AND NOT EXISTS (SELECT 1 FROM text_words_docsize"
                             "  WHERE id NOT IN (SELECT item FROM texts))";

bool search_is_whole (struct store *self) {
    struct error e;
    sqlite3_stmt *s = store_prepare (self, counts);
    bool whole = store_row (self, s, "texts", &e) == ERR_NONE
                 && sqlite3_column_int (s, 0) == 1;
    sqlite3_reset (s);
    return whole;
}

enum err search_empty (struct store *self, struct error *e) {
    static const char *const steps[] = {
        "INSERT INTO text_words (text_words) VALUES ('delete-all')",
        "INSERT INTO text_runs (text_runs) VALUES ('delete-all')",
        "DELETE FROM texts",
        "DELETE FROM text_plans",
        "DELETE FROM meta WHERE key = 'search_position'",
    };
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < sizeof steps / sizeof *steps; i++)
        rc = store_done (self, store_prepare (self, steps[i]), "texts", e);
    return rc;
}
