/* json_outbox - the outbox as JSON. */
#include "api/json_outbox.h"

#include "api/json_record.h"

json_t *json_refusal (const struct refusal *refusal) {
    char text[REFUSAL_TEXT_MAX];
    json_t *values = mp_to_json (refusal_values (refusal), NULL);
    return json_pack ("{ss so ss}", "rule", refusal->name, "values",
                      values ? values : json_object(), "text",
                      refusal_print (refusal, text));
}

/* What is known of the promise: zeros stand for nothing. */
static json_t *hash_or_null (const struct hash *h) {
    static const struct hash zeros;
    return hash_equal (h, &zeros) ? json_null() : json_hash (h);
}

static json_t *references (const struct outbox_message *m) {
    json_t *out = json_array();
    for (size_t i = 0; i < m->reference_count; i++)
        json_array_append_new (out, json_hash (&m->references[i]));
    return out;
}

static json_t *refusal_or_null (const struct outbox_message *m) {
    if (!m->has_refusal)
        return json_null();
    json_t *out = json_refusal (&m->refusal);
    json_object_set_new (out, "final",
                         json_boolean (m->state == OUTBOX_REFUSED));
    return out;
}

/* A contribution has neither lane nor format of ours. */
static void put_own (json_t *out, const struct outbox_message *m, bool own) {
    uint8_t octets[8];
    char lane[HEX_SIZE (8)];
    put_u64 (octets, m->lane);
    hex_encode (lane, octets, sizeof octets);
    json_object_set_new (out, "lane", own ? json_string (lane) : json_null());
    json_object_set_new (out, "lane_number",
                         own ? json_integer (m->lane_number) : json_null());
    json_object_set_new (out, "format",
                         own ? json_string (json_format_name (m->format))
                             : json_null());
}

json_t *json_outbox (const struct outbox_message *m) {
    bool own = m->lane_number > 0;
    json_t *out = json_pack (
        "{sI ss ss sI so so sI so so so so so sb}", "number",
        (json_int_t) m->number, "state", outbox_state_name (m->state), "topic",
        m->topic, "octets", (json_int_t) (m->octets - (own ? BODY_SALT : 0)),
        "created", json_time (m->created_ms), "sent",
        json_time_or_null (m->sent_ms), "attempts", (json_int_t) m->attempts,
        "id", hash_or_null (&m->id), "sequence",
        json_place_or_null (m->sequence), "leaf",
        m->sequence >= 0 ? hash_or_null (&m->leaf) : json_null(), "references",
        references (m), "refusal", refusal_or_null (m), "contribution", !own);
    if (out)
        put_own (out, m, own);
    return out;
}

json_t *json_promise (const struct promise_proof *proof) {
    const struct promise *p = &proof->promise;
    char key[HEX_SIZE (KEY_ID_SIZE)];
    json_t *path = json_array();
    for (size_t i = 0; i < proof->path_length; i++)
        json_array_append_new (path, json_hash (&proof->path[i]));
    return json_pack (
        "{sI ss so so sI so sI sI so so so}", "epoch", (json_int_t) p->epoch,
        "desk_key", hex_encode (key, p->key_id.octets, KEY_ID_SIZE), "log_time",
        json_time (p->log_time), "id", json_hash (&proof->id), "sequence",
        (json_int_t) proof->sequence, "leaf", json_hash (&proof->leaf), "index",
        (json_int_t) proof->index, "count", (json_int_t) p->accepted_count,
        "root", json_hash (&p->accepted_root), "path", path, "signature",
        json_base64 (slice_of (p->signature, SIGNATURE_SIZE)));
}

struct got {
    json_t *json;
    enum outbox_state state;
};

static enum err got_keep (void *arg, const struct outbox_message *m,
                          struct error *e) {
    struct got *self = arg;
    (void) e;
    self->state = m->state;
    self->json = json_outbox (m);
    return ERR_NONE;
}

json_t *json_outbox_get (struct store *store, int64_t number,
                         enum outbox_state *state, struct error *e) {
    struct got got = { 0 };
    if (!outbox_get (store, number, got_keep, &got, e) && !got.json)
        error_set (e, ERR_DAMAGED, "message %lld has text that is no UTF-8",
                   (long long) number);
    if (state)
        *state = got.state;
    return got.json;
}
