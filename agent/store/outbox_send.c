/* outbox_send - what becomes of a message: sent, promised, refused, seen
 * (PROTOCOL.md sections 7.3 and 8.9).
 *
 * Of an own message any form that is recorded is its place. Of a contribution,
 * whose forms are its messages, each has its own. */
#include "outbox.h"

#include "base/clock.h"
#include "outbox_reply.h"
#include "store_impl.h"

#include <inttypes.h>

/* States of a form in `forms`. */
enum form_state { FORM_OPEN, FORM_PROMISED, FORM_SEEN, FORM_REFUSED };

/* Who is meant by an id. */
struct held {
    int64_t number;
    enum outbox_state state;
    bool contribution, newest; /* the id is the row's own one */
    enum form_state form;
    int64_t sequence; /* promised or seen, -1 */
    struct hash leaf;
};

/* Sending */

static enum err not_sent (struct store *store, int64_t number,
                          struct error *e) {
    sqlite3_stmt *s =
        store_prepare (store, "SELECT state FROM outbox WHERE number = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = store_row (store, s, "outbox", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "no message %" PRId64 " in the outbox",
                          number);
    if (rc)
        return rc;
    enum outbox_state state = (enum outbox_state) sqlite3_column_int (s, 0);
    sqlite3_reset (s);
    return error_set (e, ERR_STATE, "message %" PRId64 " is %s: not sent",
                      number, outbox_state_name (state));
}

static enum err keep_form (struct store *store, const struct outbox_form *form,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "INSERT INTO forms (id, number, header) VALUES (?, ?, ?)"
               " ON CONFLICT (id) DO NOTHING");
    bind_hash (s, 1, &form->id);
    sqlite3_bind_int64 (s, 2, form->number);
    bind_slice (s, 3, form->header);
    return store_done (store, s, "forms", e);
}

static enum err note_signed (struct store *store, int64_t number,
                             struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE lanes SET signed = MAX (signed, o.lane_number)"
               " FROM outbox o WHERE o.number = ? AND lanes.lane = o.lane");
    sqlite3_bind_int64 (s, 1, number);
    return store_done (store, s, "lane", e);
}

static enum err sending (struct store *store, const struct outbox_form *form,
                         int64_t now, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE outbox SET state = 1, sent = ?, attempts = attempts + 1,"
               " id = CASE WHEN contribution IS NULL THEN ? ELSE id END"
               " WHERE number = ? AND state IN (0, 1)");
    sqlite3_bind_int64 (s, 1, now);
    bind_hash (s, 2, &form->id);
    sqlite3_bind_int64 (s, 3, form->number);
    enum err rc = store_done (store, s, "outbox", e);
    if (rc)
        return rc;
    if (sqlite3_changes (store->db) == 0)
        return not_sent (store, form->number, e);
    rc = keep_form (store, form, e);
    return rc ? rc : note_signed (store, form->number, e);
}

enum err outbox_sending (struct store *store, const struct outbox_form *forms,
                         size_t count, struct error *e) {
    int64_t now = clock_wall_ms();
    enum err rc = store_begin (store, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < count; i++)
        rc = sending (store, &forms[i], now, e);
    return store_end (store, rc, e);
}

/* Whose id is it? */

/* Forms first. The form that settled an own message is gone with the others;
 * its row has the id then. */
static enum err find (struct store *store, const struct hash *id,
                      struct held *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT o.number, o.state, o.contribution IS NOT NULL,"
               " o.id = f.id, f.state, f.sequence, f.leaf"
               " FROM forms f JOIN outbox o ON o.number = f.number"
               " WHERE f.id = ?1");
    bind_hash (s, 1, id);
    enum err rc = store_row (store, s, "forms", e);
    if (rc == ERR_NOT_FOUND) {
        s = store_prepare (store, "SELECT number, state, 0, 1, 2, sequence,"
                                  " leaf FROM outbox WHERE id = ? LIMIT 1");
        bind_hash (s, 1, id);
        rc = store_row (store, s, "outbox", e);
    }
    char text[HASH_TEXT_MAX];
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "no message of the outbox has the id %s",
                          hash_text (text, id));
    if (rc)
        return rc;
    *out = (struct held){
        .number = sqlite3_column_int64 (s, 0),
        .state = (enum outbox_state) sqlite3_column_int (s, 1),
        .contribution = sqlite3_column_int (s, 2) != 0,
        .newest = sqlite3_column_int (s, 3) != 0,
        .form = (enum form_state) sqlite3_column_int (s, 4),
        .sequence = sqlite3_column_int64 (s, 5),
        .leaf = column_hash (s, 6),
    };
    sqlite3_reset (s);
    return ERR_NONE;
}

/* The same by its body, which has a salt that nobody draws twice. *number_too:
 * it has the number of that row in its lane. */
static enum err find_body (struct store *store, const struct message *message,
                           struct held *out, bool *number_too,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, state, sequence, leaf, lane = ? AND"
               " lane_number = ? FROM outbox WHERE body_digest = ?");
    sqlite3_bind_int64 (s, 1, (int64_t) message->lane);
    sqlite3_bind_int64 (s, 2, message->number);
    bind_slice (s, 3, slice_of (message->body_digest, HASH_SIZE));
    enum err rc = store_row (store, s, "outbox", e);
    if (rc)
        return rc;
    *out = (struct held){
        .number = sqlite3_column_int64 (s, 0),
        .state = (enum outbox_state) sqlite3_column_int (s, 1),
        .sequence = sqlite3_column_int64 (s, 2),
        .leaf = column_hash (s, 3),
    };
    *number_too = sqlite3_column_int (s, 4) != 0;
    sqlite3_reset (s);
    return ERR_NONE;
}

static bool elsewhere (const struct held *held, int64_t sequence,
                       const struct hash *leaf) {
    return held->sequence >= 0
           && (held->sequence != sequence || !hash_equal (&held->leaf, leaf));
}

/* Places */

static enum err set_form (struct store *store, const struct hash *id,
                          enum form_state state, int64_t sequence,
                          const struct hash *leaf, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE forms SET state = ?, sequence = ?, leaf = ?"
               " WHERE id = ?");
    sqlite3_bind_int (s, 1, (int) state);
    sqlite3_bind_int64 (s, 2, sequence);
    bind_hash (s, 3, leaf);
    bind_hash (s, 4, id);
    return store_done (store, s, "forms", e);
}

static enum err set_state (struct store *store, int64_t number,
                           enum outbox_state state, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (store, "UPDATE outbox SET state = ?1 WHERE number = ?2");
    sqlite3_bind_int (s, 1, (int) state);
    sqlite3_bind_int64 (s, 2, number);
    return store_done (store, s, "outbox", e);
}

/* The row takes the form that is recorded for its own. */
static enum err set_place (struct store *store, int64_t number,
                           const struct hash *id, int64_t sequence,
                           const struct hash *leaf, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE outbox SET id = ?, sequence = ?, leaf = ?,"
               " refusal = NULL WHERE number = ?");
    bind_hash (s, 1, id);
    sqlite3_bind_int64 (s, 2, sequence);
    bind_hash (s, 3, leaf);
    sqlite3_bind_int64 (s, 4, number);
    return store_done (store, s, "outbox", e);
}

/* The state of a contribution from those of its messages. */
static enum err contribution_state (struct store *store,
                                    const struct held *held,
                                    enum outbox_state *out, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (store, "SELECT SUM (state = 0), SUM (state = 3)"
                              " FROM forms WHERE number = ?");
    sqlite3_bind_int64 (s, 1, held->number);
    enum err rc = store_row (store, s, "forms", e);
    if (rc)
        return rc;
    *out = sqlite3_column_int (s, 0) > 0   ? held->state
           : sqlite3_column_int (s, 1) > 0 ? OUTBOX_REFUSED
                                           : OUTBOX_PROMISED;
    sqlite3_reset (s);
    return ERR_NONE;
}

/* A form has its place, by promise or by its record. A message that is done
 * stays so. */
static enum err place (struct store *store, const struct held *held,
                       const struct hash *id, enum form_state form,
                       int64_t sequence, const struct hash *leaf,
                       struct error *e) {
    enum outbox_state state = OUTBOX_PROMISED;
    enum err rc = set_form (store, id, form, sequence, leaf, e);
    if (rc || held->state == OUTBOX_DONE)
        return rc;
    if (!held->contribution || held->newest)
        rc = set_place (store, held->number, id, sequence, leaf, e);
    if (!rc && held->contribution)
        rc = contribution_state (store, held, &state, e);
    return rc ? rc : set_state (store, held->number, state, e);
}

/* Answers */

/* Another form of it is recorded: two records under one number. */
static bool second_form (const struct held *held) {
    return !held->contribution && !held->newest
           && (held->state == OUTBOX_PROMISED || held->state == OUTBOX_DONE);
}

static enum err promised (struct store *store, struct reply_keeper *keeper,
                          size_t which, bool *contradiction, struct error *e) {
    const struct promise_accepted *a = &keeper->accepted[which];
    struct held held;
    bool other = false;
    enum err rc = find (store, &a->id, &held, e);
    if (!rc)
        rc = reply_keep (keeper, which, &other, e);
    if (rc)
        return rc;
    if (other || second_form (&held)
        || (held.form == FORM_SEEN && elsewhere (&held, a->sequence, &a->leaf)))
        *contradiction = true;
    else if (held.form != FORM_SEEN)
        rc = place (store, &held, &a->id, FORM_PROMISED, a->sequence, &a->leaf,
                    e);
    return rc;
}

static enum err contradicted (struct error *e) {
    return error_set (e, ERR_CHAIN,
                      "a message was promised at another place "
                      "before, or stands there");
}

enum err outbox_promised (struct store *store, const struct promise *promise,
                          const struct promise_accepted *accepted, size_t count,
                          struct error *e) {
    struct reply_keeper keeper = { store, promise, accepted, count, 0 };
    bool contradiction = false;
    enum err rc = store_begin (store, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < count; i++)
        rc = promised (store, &keeper, i, &contradiction, e);
    rc = store_end (store, rc, e);
    return !rc && contradiction ? contradicted (e) : rc;
}

enum err outbox_found (struct store *store, const struct hash *id,
                       int64_t sequence, const struct hash *leaf,
                       struct error *e) {
    struct held held;
    enum err rc = store_begin (store, e);
    if (rc)
        return rc;
    rc = find (store, id, &held, e);
    bool other =
        !rc && (second_form (&held) || elsewhere (&held, sequence, leaf));
    if (!rc && !other && held.form != FORM_SEEN)
        rc = place (store, &held, id, FORM_PROMISED, sequence, leaf, e);
    rc = store_end (store, rc, e);
    return !rc && other ? contradicted (e) : rc;
}

enum err outbox_seen (struct store *store, const struct hash *id,
                      int64_t sequence, const struct hash *leaf,
                      bool *contradiction, struct error *e) {
    struct held held;
    *contradiction = false;
    enum err rc = find (store, id, &held, e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    *contradiction = second_form (&held) || elsewhere (&held, sequence, leaf);
    if (held.form == FORM_SEEN)
        return ERR_NONE;
    return place (store, &held, id, FORM_SEEN, sequence, leaf, e);
}

enum err outbox_seen_own (struct store *store, const struct message *message,
                          int64_t sequence, const struct hash *leaf,
                          bool *contradiction, struct error *e) {
    struct held held;
    bool number_too;
    *contradiction = false;
    enum err rc = find (store, &message->id, &held, e);
    if (rc != ERR_NOT_FOUND)
        return rc ? rc
                  : outbox_seen (store, &message->id, sequence, leaf,
                                 contradiction, e);
    rc = find_body (store, message, &held, &number_too, e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    if (second_form (&held)) {
        *contradiction = number_too; /* else two stores of ours have sent it */
        return ERR_NONE;
    }
    return place (store, &held, &message->id, FORM_SEEN, sequence, leaf, e);
}

enum err outbox_knows (struct store *store, const struct message *message,
                       bool *known, struct error *e) {
    struct held held;
    bool number_too;
    enum err rc = find (store, &message->id, &held, e);
    if (rc == ERR_NOT_FOUND)
        rc = find_body (store, message, &held, &number_too, e);
    *known = rc == ERR_NONE;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Refusals */

static enum err note_refusal (struct store *store, const struct held *held,
                              const struct refusal *refusal,
                              enum outbox_state state, struct error *e) {
    struct buf octets = { 0 };
    refusal_put (&octets, refusal);
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE outbox SET state = ?, refusal = ? WHERE number = ?");
    sqlite3_bind_int (s, 1, (int) state);
    bind_slice (s, 2, buf_slice (&octets));
    sqlite3_bind_int64 (s, 3, held->number);
    enum err rc = store_done (store, s, "outbox", e);
    buf_free (&octets);
    return rc;
}

static enum err refused_for_good (struct store *store, const struct held *held,
                                  const struct hash *id,
                                  const struct refusal *refusal,
                                  struct error *e) {
    static const struct hash none;
    enum outbox_state state = OUTBOX_REFUSED;
    enum err rc = set_form (store, id, FORM_REFUSED, -1, &none, e);
    if (!rc && held->contribution)
        rc = contribution_state (store, held, &state, e);
    return rc ? rc : note_refusal (store, held, refusal, state, e);
}

static enum err refused (struct store *store, const struct hash *id,
                         const struct refusal *refusal, bool final,
                         struct slice proof, struct error *e) {
    struct held held;
    enum err rc = find (store, id, &held, e);
    if (rc)
        return rc;
    bool open = held.state <= OUTBOX_SENT
                && (held.form == FORM_OPEN || held.form == FORM_REFUSED);
    if (!final)
        return open ? note_refusal (store, &held, refusal, OUTBOX_WAITING, e)
                    : ERR_NONE;
    /* A newer form is on its way, and will have its own answer. */
    if (open && !held.newest && !held.contribution)
        return ERR_NONE;
    rc = refusal_keep (store, held.number, id, refusal, proof, e);
    return rc || !open ? rc : refused_for_good (store, &held, id, refusal, e);
}

enum err outbox_refused (struct store *store, const struct hash *id,
                         const struct refusal *refusal, bool final,
                         struct slice proof, struct error *e) {
    enum err rc = store_begin (store, e);
    return rc ? rc
              : store_end (store, refused (store, id, refusal, final, proof, e),
                           e);
}

/* Lanes */

/* How many numbers of it are taken; a row for it where there is none. */
static enum err lane_begin (struct store *store, uint64_t lane, int64_t *used,
                            struct error *e) {
    sqlite3_stmt *s =
        store_prepare (store, "INSERT INTO lanes (lane, used) VALUES (?, 0)"
                              " ON CONFLICT (lane) DO NOTHING");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    enum err rc = store_done (store, s, "lane", e);
    if (rc)
        return rc;
    s = store_prepare (store, "SELECT used FROM lanes WHERE lane = ?");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    rc = store_row (store, s, "lane", e);
    if (rc)
        return rc;
    *used = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err move (struct store *store, uint64_t lane, struct error *e) {
    int64_t used;
    enum err rc = lane_begin (store, lane, &used, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (
        store, "DELETE FROM forms WHERE number IN (SELECT number FROM outbox"
               " WHERE state IN (0, 1) AND contribution IS NULL"
               " AND lane <> ?)");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    rc = store_done (store, s, "forms", e);
    if (rc)
        return rc;
    s = store_prepare (
        store, "UPDATE outbox SET state = 0, id = NULL, lane = ?1,"
               " lane_number = ?2 + moved.place"
               " FROM (SELECT number, ROW_NUMBER () OVER (ORDER BY number)"
               "   AS place FROM outbox WHERE state IN (0, 1)"
               "   AND contribution IS NULL AND lane <> ?1) AS moved"
               " WHERE moved.number = outbox.number");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    sqlite3_bind_int64 (s, 2, used);
    rc = store_done (store, s, "outbox", e);
    if (rc)
        return rc;
    used += sqlite3_changes (store->db);
    s = store_prepare (store, "UPDATE lanes SET used = ? WHERE lane = ?");
    sqlite3_bind_int64 (s, 1, used);
    sqlite3_bind_int64 (s, 2, (int64_t) lane);
    return store_done (store, s, "lane", e);
}

enum err outbox_move_lane (struct store *store, uint64_t lane,
                           struct error *e) {
    enum err rc = store_begin (store, e);
    return rc ? rc : store_end (store, move (store, lane, e), e);
}

enum err outbox_new_lane (struct store *store, uint64_t *lane,
                          struct error *e) {
    enum err rc = store_begin (store, e);
    if (rc)
        return rc;
    rc = store_new_lane (store, lane, e);
    return store_end (store, rc ? rc : move (store, *lane, e), e);
}
