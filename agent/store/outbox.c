/* outbox - accepting messages, cancelling and listing them. What the sender
 * does with them is in outbox_send.c, what is shown of answers in
 * outbox_proofs.c (PROTOCOL.md sections 6.5 and 8.9). */
#include "outbox.h"

#include "base/clock.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdlib.h>

const char *outbox_state_name (enum outbox_state state) {
    static const char *const names[] = { "waiting", "sent",    "promised",
                                         "done",    "refused", "cancelled" };
    return state <= OUTBOX_CANCELLED ? names[state] : "unknown";
}

/* Accepting */

/* What an Idempotency-Key stands for. No topic begins like a contribution, so
 * neither can stand for the other. */
static struct hash digest_of (struct slice topic, enum body_format format,
                              struct slice content,
                              const struct hash *references, size_t count) {
    uint8_t fixed[6] = { 0, (uint8_t) format };
    put_u32 (fixed + 2, (uint32_t) count);
    struct slice parts[] = { topic, slice_of (fixed, sizeof fixed),
                             slice_of (references, count * HASH_SIZE),
                             content };
    return hash_sha256_parts (parts, 4);
}

bool outbox_has_key (struct store *store, const char *key) {
    struct error e;
    sqlite3_stmt *s =
        store_prepare (store, "SELECT 1 FROM outbox WHERE key = ?");
    bind_text (s, 1, slice_text (key));
    bool known = store_row (store, s, "outbox", &e) == ERR_NONE;
    if (known)
        sqlite3_reset (s);
    return known;
}

/* *number: 0 where the key is new, or NULL. */
static enum err find_key (struct store *store, const char *key,
                          const struct hash *digest, int64_t *number,
                          struct error *e) {
    *number = 0;
    if (!key)
        return ERR_NONE;
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, digest FROM outbox WHERE key = ?");
    bind_text (s, 1, slice_text (key));
    enum err rc = store_row (store, s, "outbox", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    int64_t held = sqlite3_column_int64 (s, 0);
    struct hash other = column_hash (s, 1);
    sqlite3_reset (s);
    if (!hash_equal (&other, digest))
        return error_set (e, ERR_EXISTS,
                          "the key '%s' was used for message %" PRId64
                          ", which says something else",
                          key, held);
    *number = held;
    return ERR_NONE;
}

static enum err check_room (struct store *store, size_t octets,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT SUM(count), SUM(octets) FROM totals WHERE state <= ?");
    sqlite3_bind_int (s, 1, OUTBOX_PROMISED);
    enum err rc = store_row (store, s, "outbox", e);
    if (rc)
        return rc;
    int64_t messages = sqlite3_column_int64 (s, 0);
    int64_t sum = sqlite3_column_int64 (s, 1);
    sqlite3_reset (s);
    if (messages >= OUTBOX_MESSAGES_MAX)
        return error_set (e, ERR_FULL,
                          "%" PRId64 " messages are not settled, at most %d",
                          messages, OUTBOX_MESSAGES_MAX);
    if (sum + (int64_t) octets > OUTBOX_OCTETS_MAX)
        return error_set (e, ERR_FULL,
                          "%" PRId64 " octets are not settled, with these %zu"
                          " more than %d",
                          sum, octets, OUTBOX_OCTETS_MAX);
    return ERR_NONE;
}

/* The next number of a lane, taken. */
static enum err take_number (struct store *store, uint64_t lane,
                             int64_t *number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "INSERT INTO lanes (lane, used) VALUES (?, 1)"
               " ON CONFLICT (lane) DO UPDATE SET used = used + 1"
               " RETURNING used");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    enum err rc = store_row (store, s, "lane", e);
    if (rc)
        return rc;
    *number = sqlite3_column_int64 (s, 0);
    return store_done (store, s, "lane", e);
}

/* Of an own message or a contribution; what the other has is empty. */
struct entry {
    const char *key;
    struct hash digest;
    struct slice topic;
    enum body_format format;
    struct slice references, body, contribution;
    const struct hash *body_digest; /* of a body */
    const struct hash *id;          /* of a contribution */
    uint64_t lane;
    int64_t lane_number;
};

static enum err insert (struct store *store, const struct entry *entry,
                        int64_t *number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "INSERT INTO outbox (key, state, lane, lane_number, created,"
               " topic, format, refs, body, digest, octets, id, contribution,"
               " body_digest)"
               " VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind_text (s, 1,
               entry->key ? slice_text (entry->key) : (struct slice){ 0 });
    sqlite3_bind_int64 (s, 2, (int64_t) entry->lane);
    sqlite3_bind_int64 (s, 3, entry->lane_number);
    sqlite3_bind_int64 (s, 4, clock_wall_ms());
    bind_text (s, 5, entry->topic);
    sqlite3_bind_int (s, 6, (int) entry->format);
    bind_slice (s, 7, entry->references);
    if (entry->body.size > 0) {
        bind_slice (s, 8, entry->body);
        bind_hash (s, 13, entry->body_digest);
    }
    bind_hash (s, 9, &entry->digest);
    sqlite3_bind_int64 (
        s, 10, (int64_t) (entry->body.size + entry->contribution.size));
    if (entry->id) {
        bind_hash (s, 11, entry->id);
        bind_slice (s, 12, entry->contribution);
    }
    enum err rc = store_done (store, s, "outbox", e);
    *number = sqlite3_last_insert_rowid (store->db);
    return rc;
}

static enum err check_key (const char *key, struct error *e) {
    size_t size = key ? strlen (key) : 1;
    if (size == 0 || size > OUTBOX_KEY_MAX
        || (key && !mp_is_text (slice_text (key))))
        return error_set (e, ERR_ARGUMENT,
                          "a key of %zu octets; it has 1 to %d, in UTF-8", size,
                          OUTBOX_KEY_MAX);
    return ERR_NONE;
}

static enum err add (struct store *store, struct entry *entry, int64_t *number,
                     bool *repeated, struct error *e) {
    int64_t held = 0;
    enum err rc = find_key (store, entry->key, &entry->digest, &held, e);
    *repeated = held != 0;
    if (rc || held) {
        *number = held;
        return rc;
    }
    rc = check_room (store, entry->body.size, e);
    entry->lane = store_lane (store);
    if (!rc)
        rc = take_number (store, entry->lane, &entry->lane_number, e);
    return rc ? rc : insert (store, entry, number, e);
}

enum err outbox_draft_make (struct outbox_draft *out, const char *key,
                            struct slice topic, enum body_format format,
                            struct slice content, const struct hash *references,
                            size_t reference_count, struct error *e) {
    *out =
        (struct outbox_draft){ .key = key, .topic = topic, .format = format };
    enum err rc = check_key (key, e);
    if (!rc)
        rc = topic_check (topic, e);
    if (!rc && reference_count > REFERENCES_MAX)
        rc = error_set (e, ERR_LIMIT, "%zu references, at most %d",
                        reference_count, REFERENCES_MAX);
    if (!rc)
        rc = message_write_body (format, content, &out->body, e);
    if (rc)
        return rc;
    out->references = slice_of (references, reference_count * HASH_SIZE);
    out->digest =
        digest_of (topic, format, content, references, reference_count);
    out->body_digest = hash_blake2b (buf_slice (&out->body));
    return ERR_NONE;
}

void outbox_draft_free (struct outbox_draft *self) {
    buf_free (&self->body);
}

enum err outbox_add_draft (struct store *store,
                           const struct outbox_draft *draft, int64_t *number,
                           bool *repeated, struct error *e) {
    struct entry entry = { .key = draft->key,
                           .digest = draft->digest,
                           .topic = draft->topic,
                           .format = draft->format,
                           .references = draft->references,
                           .body = buf_slice (&draft->body),
                           .body_digest = &draft->body_digest };
    enum err rc = store_begin (store, e);
    return rc ? rc
              : store_end (store, add (store, &entry, number, repeated, e), e);
}

enum err outbox_add (struct store *store, const char *key, struct slice topic,
                     enum body_format format, struct slice content,
                     const struct hash *references, size_t reference_count,
                     int64_t *number, bool *repeated, struct error *e) {
    struct outbox_draft draft;
    enum err rc = outbox_draft_make (&draft, key, topic, format, content,
                                     references, reference_count, e);
    if (!rc)
        rc = outbox_add_draft (store, &draft, number, repeated, e);
    outbox_draft_free (&draft);
    return rc;
}

/* Contributions */

/* The ids of its messages, in order. */
static enum err contribution_ids (struct store *store, struct slice octets,
                                  struct hash ids[BATCH_MAX], size_t *count,
                                  struct error *e) {
    struct slice head, headers, bodies;
    enum err rc = contribution_read (octets, &head, &headers, &bodies, e);
    if (rc)
        return rc;
    struct hash dialogue;
    char *text = store_meta (store, "dialogue");
    bool known = text && hash_parse (text, &dialogue) == ERR_NONE;
    free (text);
    if (!known)
        return error_set (e, ERR_DAMAGED, "the store has no dialogue");
    struct batch *batch = mem_alloc (sizeof *batch);
    struct refusal why;
    char print[REFUSAL_TEXT_MAX];
    rc = batch_read (head, headers, bodies, &dialogue, batch, &why);
    if (rc)
        error_set (e, rc, "contribution: %s", refusal_print (&why, print));
    *count = rc ? 0 : batch->size;
    for (size_t i = 0; i < *count; i++)
        ids[i] = batch->items[i].message.id;
    batch_clear (batch);
    free (batch);
    return rc;
}

/* The same contribution handed in again is there, unless it failed. */
static enum err find_contribution (struct store *store, const struct hash *id,
                                   int64_t *number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT o.number FROM forms f JOIN outbox o"
               " ON o.number = f.number WHERE f.id = ? AND o.state < ?");
    bind_hash (s, 1, id);
    sqlite3_bind_int (s, 2, OUTBOX_REFUSED);
    enum err rc = store_row (store, s, "outbox", e);
    *number = rc ? 0 : sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Each of its messages is answered for itself. */
static enum err insert_forms (struct store *store, int64_t number,
                              const struct hash *ids, size_t count,
                              struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++) {
        sqlite3_stmt *s = store_prepare (
            store, "INSERT OR REPLACE INTO forms (id, number, header)"
                   " VALUES (?, ?, x'')");
        bind_hash (s, 1, &ids[i]);
        sqlite3_bind_int64 (s, 2, number);
        rc = store_done (store, s, "forms", e);
    }
    return rc;
}

static enum err add_contribution (struct store *store,
                                  const struct entry *entry,
                                  const struct hash *ids, size_t count,
                                  int64_t *number, bool *repeated,
                                  struct error *e) {
    enum err rc = find_key (store, entry->key, &entry->digest, number, e);
    if (!rc && *number == 0)
        rc = find_contribution (store, entry->id, number, e);
    *repeated = *number != 0;
    if (rc || *repeated)
        return rc;
    rc = check_room (store, entry->contribution.size, e);
    if (!rc)
        rc = insert (store, entry, number, e);
    return rc ? rc : insert_forms (store, *number, ids, count, e);
}

enum err outbox_add_contribution (struct store *store, const char *key,
                                  struct slice octets, const char *topic,
                                  const struct hash *id, int64_t *number,
                                  bool *repeated, struct error *e) {
    struct hash ids[BATCH_MAX];
    size_t count = 0;
    enum err rc = check_key (key, e);
    if (!rc)
        rc = contribution_ids (store, octets, ids, &count, e);
    if (!rc && !hash_equal (&ids[0], id))
        rc = error_set (e, ERR_ARGUMENT,
                        "that id is not of the contribution's first message");
    if (rc)
        return rc;
    struct entry entry = { .key = key,
                           .digest = hash_sha256 (octets),
                           .topic = slice_text (topic),
                           .contribution = octets,
                           .id = id };
    rc = store_begin (store, e);
    return rc ? rc
              : store_end (store,
                           add_contribution (store, &entry, ids, count, number,
                                             repeated, e),
                           e);
}

/* Cancelling */

static enum err not_cancelled (struct store *store, int64_t number,
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
    return error_set (e, ERR_STATE, "message %" PRId64 " is %s already", number,
                      outbox_state_name (state));
}

enum err outbox_cancel (struct store *store, int64_t number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "UPDATE outbox SET state = ?, body = NULL WHERE number = ?"
               " AND state = ?");
    sqlite3_bind_int (s, 1, OUTBOX_CANCELLED);
    sqlite3_bind_int64 (s, 2, number);
    sqlite3_bind_int (s, 3, OUTBOX_WAITING);
    enum err rc = store_done (store, s, "outbox", e);
    if (rc)
        return rc;
    return sqlite3_changes (store->db) == 1 ? ERR_NONE
                                            : not_cancelled (store, number, e);
}

void outbox_counts (struct store *store, int64_t counts[6]) {
    memset (counts, 0, 6 * sizeof *counts);
    sqlite3_stmt *s = store_prepare (store, "SELECT state, count FROM totals");
    struct error e;
    while (store_row (store, s, "outbox", &e) == ERR_NONE) {
        int64_t state = sqlite3_column_int64 (s, 0);
        if (state >= 0 && state < 6)
            counts[state] = sqlite3_column_int64 (s, 1);
    }
}
