/* unsettled - reading the outbox by topic, row by row. */
#include "unsettled.h"

#include "format/message.h"
#include "store_impl.h"

enum err unsettled_list (struct store *self, const char *topic,
                         void (*each) (void *arg, const struct hash *id,
                                       struct slice content),
                         void *arg, struct error *e) {
    /* Waiting, sent, promised. Those that are settled stay for ever: never look
     * at them. */
    sqlite3_stmt *s = store_prepare (
        self, "SELECT id, body FROM outbox INDEXED BY outbox_by_state"
              " WHERE state IN (0, 1, 2) AND topic = ? AND body IS NOT NULL"
              " ORDER BY number");
    bind_text (s, 1, slice_text (topic));
    enum err rc;
    while ((rc = store_row (self, s, "outbox", e)) == ERR_NONE) {
        struct hash id = column_hash (s, 0);
        struct slice body = column_slice (s, 1);
        if (body.size > BODY_SALT)
            each (arg, &id,
                  slice_of (body.data + BODY_SALT, body.size - BODY_SALT));
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
