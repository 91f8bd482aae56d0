/* json_record - records as JSON. */
#include "api/json_record.h"

#include "base/clock.h"

#include <stdlib.h>

/* Small values */

json_t *json_time (int64_t ms) {
    char text[CLOCK_TEXT_MAX];
    return json_string (clock_text (text, ms));
}

json_t *json_time_or_null (int64_t ms) {
    return ms > 0 ? json_time (ms) : json_null();
}

json_t *json_place_or_null (int64_t sequence) {
    return sequence >= 0 ? json_integer (sequence) : json_null();
}

json_t *json_hash (const struct hash *h) {
    char hex[HASH_TEXT_MAX];
    return json_string (hash_text (hex, h));
}

json_t *json_base64 (struct slice octets) {
    char *text = mem_alloc (BASE64_SIZE (octets.size));
    json_t *out = json_string (base64_encode (text, octets.data, octets.size));
    free (text);
    return out;
}

json_t *json_slice (struct slice text) {
    json_t *out = mp_is_text (text)
                      ? json_stringn ((const char *) text.data, text.size)
                      : NULL;
    return out ? out : json_null();
}

const char *json_format_name (enum body_format format) {
    switch (format) {
    case BODY_MAP:
        return "json";
    case BODY_TEXT:
        return "text";
    case BODY_NOTE:
        return "note";
    case BODY_OCTETS:
        break;
    }
    return "octets";
}

/* Content */

json_t *json_content (enum body_format format, struct slice content,
                      struct error *e) {
    json_t *out;
    switch (format) {
    case BODY_MAP:
        return mp_to_json (content, e);
    case BODY_TEXT:
    case BODY_NOTE:
        out = json_slice (content);
        if (json_is_string (out))
            return out;
        json_decref (out);
        error_set (e, ERR_MALFORMED, "the text is no UTF-8");
        return NULL;
    case BODY_OCTETS:
        break;
    }
    return json_base64 (content);
}

static json_t *message_value (const struct record_row *row, struct error *e) {
    struct slice content;
    if (message_content (&row->message, row->body, &content, e))
        return NULL;
    return json_content (row->message.body_format, content, e);
}

static bool is_message (const struct record_row *row) {
    return row->message.octets.size > 0;
}

/* Rosters and erasures have notes. */
static bool is_note (const struct record_row *row) {
    return row->readable
           && (row->record.type == RECORD_ROSTER
               || row->record.type == RECORD_ERASURE);
}

static const char *body_name (const struct record_row *row) {
    switch (row->body_state) {
    case BODY_PRESENT:
        return "present";
    case BODY_ERASED:
        return "erased";
    case BODY_ABSENT:
        return "absent";
    case BODY_NONE:
        break;
    }
    return "none";
}

/* Octets of the content, as the header or payload states them. */
static int64_t content_octets (const struct record_row *row) {
    int64_t length = 0;
    if (is_message (row))
        return row->message.body_length - BODY_SALT;
    if (is_note (row) && record_body_length (&row->record, &length, NULL))
        return 0;
    return length;
}

static void put_content (json_t *out, const struct record_row *row) {
    struct error e = { 0 };
    json_t *content = NULL;
    bool fault = false;
    const char *format = NULL;
    if (is_message (row))
        format = json_format_name (row->message.body_format);
    else if (is_note (row))
        format = "note";
    if (format && row->body_state == BODY_PRESENT) {
        content = is_message (row) ? message_value (row, &e)
                                   : json_content (BODY_NOTE, row->body, &e);
        fault = !content;
    }
    const char *problem = fault ? e.text : row->readable ? NULL : row->why;
    json_object_set_new (out, "format",
                         format ? json_string (format) : json_null());
    json_object_set_new (out, "body",
                         json_string (fault ? "unreadable" : body_name (row)));
    json_object_set_new (out, "content", content ? content : json_null());
    json_object_set_new (out, "octets", json_integer (content_octets (row)));
    json_object_set_new (out, "problem",
                         problem ? json_slice (slice_text (problem))
                                 : json_null());
}

/* The record */

static json_t *references (const struct message *message) {
    json_t *out = json_array();
    struct hash id;
    for (size_t i = 0; i < message->reference_count; i++) {
        message_reference (message, i, &id);
        json_array_append_new (out, json_hash (&id));
    }
    return out;
}

static void put_message (json_t *out, const struct record_row *row) {
    const struct message *m = is_message (row) ? &row->message : NULL;
    const struct via *via = &row->record.via;
    json_object_set_new (out, "author",
                         m ? json_slice (m->author) : json_null());
    json_object_set_new (out, "via",
                         m && via->present ? json_slice (via->submitter)
                                           : json_null());
    json_object_set_new (out, "topic", m ? json_slice (m->topic) : json_null());
    json_object_set_new (out, "id", m ? json_hash (&m->id) : json_null());
    json_object_set_new (out, "author_time",
                         m ? json_time (m->author_time) : json_null());
    json_object_set_new (out, "references", m ? references (m) : json_array());
}

static void put_place (json_t *out, const struct record_row *row) {
    const struct record *r = &row->record;
    json_object_set_new (out, "position", json_integer (row->position));
    json_object_set_new (out, "sequence", json_integer (r->sequence));
    json_object_set_new (out, "type", json_string (record_type_name (r->type)));
    json_object_set_new (out, "time", json_time (r->log_time));
    json_object_set_new (out, "channel", json_slice (r->channel));
    json_object_set_new (out, "channel_sequence",
                         json_integer (r->channel_sequence));
    json_object_set_new (out, "previous", json_place_or_null (r->previous));
    json_object_set_new (out, "roster", json_integer (r->roster));
    json_object_set_new (out, "leaf", json_hash (&row->leaf));
    /* The store takes nothing else, but of a form that we don't know nobody can
     * tell who signed what. */
    bool known = row->readable || row->message.author.size > 0;
    json_object_set_new (out, "verified", json_boolean (known));
}

json_t *json_record (const struct record_row *row) {
    json_t *out = json_object();
    put_place (out, row);
    put_message (out, row);
    put_content (out, row);
    return out;
}

static int text_take (const char *text, size_t size, void *arg) {
    buf_add (arg, text, size);
    return 0;
}

enum err json_record_write (struct buf *out, const struct record_row *row) {
    json_t *json = json_record (row);
    int rc = json_dump_callback (json, text_take, out, JSON_COMPACT);
    json_decref (json);
    return rc == 0 ? ERR_NONE : ERR_MALFORMED;
}
