/* publication - what a request says of a message: its shape and its content. */
#include "api/publication.h"

#include "api/http_impl.h"
#include "api/post.h"
#include "api/problem.h"
#include "base/topic.h"

#include <stdlib.h>

static struct slice text_of (const json_t *value) {
    return slice_of (json_string_value (value), json_string_length (value));
}

/* 422 by a rule with one text. */
static bool refuse (struct request *r, enum rule rule, const char *place,
                    const char *why) {
    struct refusal refusal;
    refusal_set (&refusal, rule);
    if (rule == RULE_MALFORMED)
        refusal_text (&refusal, "place", place);
    refusal_text (&refusal, "why", why);
    problem_refusal (r, &refusal);
    return false;
}

static bool refuse_size (struct request *r, const char *what, size_t size,
                         size_t limit) {
    struct refusal refusal;
    refusal_set (&refusal, RULE_LIMIT);
    refusal_text (&refusal, "what", what);
    refusal_int (&refusal, "size", (int64_t) size);
    refusal_int (&refusal, "limit", (int64_t) limit);
    problem_refusal (r, &refusal);
    return false;
}

/* The shape */

static bool shape_check (struct request *r, json_t *document) {
    static const char *const names[] = { "topic", "format", "content",
                                         "references", NULL };
    const char *name;
    json_t *value;
    if (!json_is_object (document)) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "the body is no JSON object");
        return false;
    }
    json_object_foreach (document, name, value) {
        size_t i = 0;
        while (names[i] && strcmp (names[i], name) != 0)
            i++;
        if (!names[i]) {
            problem_reply (r, PROBLEM_BAD_REQUEST, "unknown member '%.80s'",
                           name);
            return false;
        }
    }
    if (json_is_string (json_object_get (document, "topic"))
        && json_is_string (json_object_get (document, "format"))
        && json_object_get (document, "content"))
        return true;
    problem_reply (r, PROBLEM_BAD_REQUEST,
                   "topic and format have to be there, as text, and content");
    return false;
}

/* Content by format */

static bool content_map (struct request *r, const json_t *value,
                         struct publication *out) {
    struct error e;
    if (!json_is_object (value))
        return refuse (r, RULE_MALFORMED, "content",
                       "content of format json is an object");
    enum err rc = mp_from_json (&out->content, value, CONTENT_MAX, &e);
    if (rc == ERR_NONE)
        return true;
    if (rc != ERR_LIMIT)
        return refuse (r, RULE_MALFORMED, "content", e.text);
    struct refusal refusal;
    refusal_set (&refusal, RULE_LIMIT);
    refusal_text (&refusal, "what", e.text); /* octets or depth */
    refusal_int (&refusal, "limit", CONTENT_MAX);
    problem_refusal (r, &refusal);
    return false;
}

static bool content_base64 (struct request *r, struct slice text,
                            struct publication *out) {
    size_t room = text.size / 4 * 3, size;
    if (room > CONTENT_MAX + 2)
        return refuse_size (r, "content", room, CONTENT_MAX);
    buf_reserve (&out->content, room + 1);
    if (base64_decode_any (out->content.data, room, &size, text))
        return refuse (r, RULE_MALFORMED, "content",
                       "content of format octets is base64 with padding");
    out->content.size = size;
    return true;
}

static bool content_read (struct request *r, const json_t *value,
                          struct publication *out) {
    if (out->format == BODY_MAP)
        return content_map (r, value, out);
    if (!json_is_string (value))
        return refuse (r, RULE_MALFORMED, "content",
                       "content of this format is a string");
    if (out->format == BODY_TEXT)
        buf_add_slice (&out->content, text_of (value));
    else if (!content_base64 (r, text_of (value), out))
        return false;
    if (out->content.size == 0 || out->content.size > CONTENT_MAX)
        return refuse_size (r, "content", out->content.size, CONTENT_MAX);
    return true;
}

static bool format_read (struct request *r, const json_t *value,
                         struct publication *out) {
    struct slice name = text_of (value);
    if (slice_is (name, "json"))
        out->format = BODY_MAP;
    else if (slice_is (name, "text"))
        out->format = BODY_TEXT;
    else if (slice_is (name, "octets"))
        out->format = BODY_OCTETS;
    else {
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "format is json, text or octets");
        return false;
    }
    return true;
}

static bool references_read (struct request *r, const json_t *value,
                             struct publication *out) {
    if (!value)
        return true;
    if (!json_is_array (value))
        return refuse (r, RULE_MALFORMED, "references", "an array of ids");
    size_t count = json_array_size (value);
    if (count > REFERENCES_MAX)
        return refuse_size (r, "references", count, REFERENCES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value (json_array_get (value, i));
        if (!text || hash_parse (text, &out->references[i]))
            return refuse (r, RULE_MALFORMED, "references",
                           "an id is 64 lower-case hex digits");
        for (size_t j = 0; j < i; j++)
            if (hash_equal (&out->references[i], &out->references[j]))
                return refuse (r, RULE_MALFORMED, "references",
                               "an id stands there twice");
    }
    out->reference_count = count;
    return true;
}

static bool topic_read (struct request *r, const json_t *value,
                        struct publication *out) {
    struct error e;
    struct slice topic = text_of (value);
    if (topic_check (topic, &e))
        return refuse (r, RULE_TOPIC, "topic", e.text);
    memcpy (out->topic, topic.data, topic.size);
    return true;
}

static bool document_take (struct request *r, json_t *document,
                           struct publication *out) {
    return shape_check (r, document)
           && format_read (r, json_object_get (document, "format"), out)
           && topic_read (r, json_object_get (document, "topic"), out)
           && references_read (r, json_object_get (document, "references"), out)
           && content_read (r, json_object_get (document, "content"), out);
}

/* Small ones need not wait for each other: 64 connections of either socket with
 * 4 KiB each, of which JSON makes a hundred times as much, are 50 MiB. */
#define LIGHT_OCTETS 4096

bool publication_read (struct request *r, struct publication *out) {
    bool heavy = r->body.size > LIGHT_OCTETS;
    if (heavy)
        post_heavy_begin();
    json_t *document = post_json (r);
    bool fine = document && document_take (r, document, out);
    json_decref (document);
    if (heavy)
        post_heavy_end();
    return fine;
}

void publication_free (struct publication **self_p) {
    if (*self_p)
        buf_free (&(*self_p)->content);
    free (*self_p);
    *self_p = NULL;
}
