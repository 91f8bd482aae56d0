#include "format/author.h"

#include "identity/rights.h"

#include <inttypes.h>

static enum err find_key (struct slice name, struct key_id id,
                          const struct roster *roster, int64_t at,
                          const uint8_t **key, struct error *e) {
    static const char *const faults[] = { "valid", "unknown", "expired",
                                          "revoked" };
    enum key_fault fault = rights_sign_key (roster, name, id, at, key);
    if (fault == KEY_FINE)
        return ERR_NONE;
    char hex[HEX_SIZE (KEY_ID_SIZE)];
    return error_set (e, ERR_KEY,
                      "sign key %s of %.*s is %s at log time %" PRId64,
                      hex_encode (hex, id.octets, KEY_ID_SIZE), (int) name.size,
                      (const char *) name.data, faults[fault], at);
}

static enum err bad_signature (struct error *e, const char *what,
                               struct slice name, size_t size) {
    return error_set (e, ERR_SIGNATURE,
                      "the %s of %.*s over %zu messages does not verify", what,
                      (int) name.size, (const char *) name.data, size);
}

enum err author_key (const struct message *message, const struct roster *roster,
                     int64_t at, const uint8_t **key, struct error *e) {
    return find_key (message->author, message->key_id, roster, at, key, e);
}

enum err author_signed (const struct record *record,
                        const struct message *message, const struct hash *root,
                        const struct hash *dialogue,
                        const struct roster *roster, int64_t at,
                        struct error *e) {
    const uint8_t *key;
    enum err rc = author_key (message, roster, at, &key, e);
    if (rc)
        return rc;
    if (!batch_signature_valid (key, dialogue, message->author, record->channel,
                                record->batch_size, root, record->signature))
        return bad_signature (e, "signature", message->author,
                              record->batch_size);
    return ERR_NONE;
}

enum err author_via (const struct record *record, const struct message *message,
                     const struct hash *root, const struct hash *dialogue,
                     const struct roster *roster, int64_t at, struct error *e) {
    const struct via *via = &record->via;
    const uint8_t *key;
    if (!via->present)
        return ERR_NONE;
    enum err rc = find_key (via->submitter, via->key_id, roster, at, &key, e);
    if (rc)
        return rc;
    if (!via_signature_valid (key, dialogue, via->submitter, message->author,
                              record->channel, record->batch_size, root,
                              via->signature))
        return bad_signature (e, "via", via->submitter, record->batch_size);
    return ERR_NONE;
}

enum err author_place (const struct message *message,
                       const struct hash *dialogue, const struct roster *roster,
                       struct error *e) {
    if (memcmp (message->dialogue, dialogue->octets, HASH_SIZE) != 0)
        return error_set (e, ERR_CHAIN, "a message of another dialogue");
    if (message->roster_version > roster_version (roster))
        return error_set (e, ERR_CHAIN,
                          "a message under roster version %" PRId64
                          ", in force is %" PRId64,
                          message->roster_version, roster_version (roster));
    return ERR_NONE;
}

enum err author_right (const struct record *record,
                       const struct message *message,
                       const struct roster *roster, int64_t at,
                       struct error *e) {
    const struct slice author = message->author;
    enum verdict verdict =
        rights_ask (roster, author, record->channel, RIGHT_WRITE, at);
    if (verdict == VERDICT_YES)
        return ERR_NONE;
    return error_set (
        e, ERR_RIGHT, "%.*s may not write %.*s: %s", (int) author.size,
        (const char *) author.data, (int) record->channel.size,
        (const char *) record->channel.data, verdict_name (verdict));
}
