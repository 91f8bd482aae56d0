/* broker_public - the file that a broker gives to whoever drafts a roster. */
#include "identity/identity.h"

#include "base/sock.h"

#include <jansson.h>
#include <stdlib.h>

#define FILE_MAX 4096 /* two endpoints, three keys, and an editor's spaces */

/* A new JSON string; NULL only where memory or UTF-8 is wanting. */
static json_t *key_json (const struct identity *broker,
                         enum identity_key which) {
    char text[BASE64_SIZE (KEY_SIZE)];
    return json_string (
        base64_encode (text, identity_public (broker, which), KEY_SIZE));
}

void broker_public_write (const struct identity *broker, const char *desk,
                          const char *feed, struct buf *json) {
    json_t *root = json_pack (
        "{s:i, s:s, s:s, s:s, s:o, s:o, s:o}", "format", 1, "id",
        identity_name (broker), "desk", desk, "feed", feed, "link",
        key_json (broker, KEY_BROKER_LINK), "log", key_json (broker, KEY_LOG),
        "desk_key", key_json (broker, KEY_DESK));
    char *text = json_dumps (root, JSON_INDENT (1));
    buf_add_text (json, text ? text : "");
    buf_add_text (json, "\n");
    free (text);
    json_decref (root);
}

static enum err endpoint_read (const char *name, const char *text,
                               char out[256], struct error *e) {
    struct error why;
    const size_t size = strlen (text);
    if (size > 255)
        return error_set (e, ERR_LIMIT, "%s: %zu octets, at most 255", name,
                          size);
    if (sock_endpoint_check (text, &why))
        return error_set (e, ERR_MALFORMED, "%s: %s", name, why.text);
    memcpy (out, text, size + 1);
    return ERR_NONE;
}

static enum err key_read (const char *name, const char *text,
                          uint8_t out[KEY_SIZE], struct error *e) {
    if (base64_decode (out, KEY_SIZE, slice_text (text)))
        return error_set (e, ERR_MALFORMED, "%s: not base64 of %d octets", name,
                          KEY_SIZE);
    return ERR_NONE;
}

static enum err format_check (json_t *root, struct error *e) {
    const json_t *format = json_object_get (root, "format");
    if (!json_is_integer (format) || json_integer_value (format) < 1)
        return error_set (e, ERR_MALFORMED, "format: not 1");
    if (json_integer_value (format) > 1)
        return error_set (e, ERR_NEWER, "format: %jd, 1 is known",
                          (intmax_t) json_integer_value (format));
    return ERR_NONE;
}

static enum err members_read (json_t *root, struct broker_public *out,
                              struct error *e) {
    json_error_t why;
    int format;
    const char *id, *desk, *feed, *link, *log, *desk_key;
    if (json_unpack_ex (root, &why, JSON_STRICT,
                        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "format",
                        &format, "id", &id, "desk", &desk, "feed", &feed,
                        "link", &link, "log", &log, "desk_key", &desk_key))
        return error_set (e, ERR_MALFORMED, "%s", why.text);
    if (!identity_name_valid (IDENTITY_BROKER, slice_text (id)))
        return error_set (e, ERR_MALFORMED, "id: '%.64s' is no broker's", id);
    memcpy (out->id, id, strlen (id) + 1);
    enum err rc = endpoint_read ("desk", desk, out->desk, e);
    if (!rc)
        rc = endpoint_read ("feed", feed, out->feed, e);
    if (!rc)
        rc = key_read ("link", link, out->link, e);
    if (!rc)
        rc = key_read ("log", log, out->log, e);
    if (!rc)
        rc = key_read ("desk_key", desk_key, out->desk_key, e);
    return rc;
}

enum err broker_public_read (struct slice json, struct broker_public *out,
                             struct error *e) {
    struct broker_public read = { 0 };
    json_error_t why;
    if (json.size > FILE_MAX)
        return error_set (e, ERR_LIMIT,
                          "broker's public file: %zu octets, at most %d",
                          json.size, FILE_MAX);
    json_t *root = json_loadb (json.size ? (const char *) json.data : "",
                               json.size, JSON_REJECT_DUPLICATES, &why);
    enum err rc;
    if (!root)
        rc = error_set (e, ERR_MALFORMED, "line %d: %s", why.line, why.text);
    else
        rc = format_check (root, e);
    if (!rc)
        rc = members_read (root, &read, e);
    json_decref (root);
    if (rc)
        error_at (e, "broker's public file");
    else
        *out = read;
    return rc;
}
