/* wire_hello - hello and its reply (PROTOCOL.md section 8.2). Pure. */
#include "wire/wire.h"

#include "base/clock.h"
#include "base/topic.h"
#include "format/message.h"

#define FEATURE_MAX 32
#define CHECKPOINT_MAX 65536

static void features_put (struct buf *out, const struct wire_features *f) {
    mp_put_array (out, f->count);
    for (size_t i = 0; i < f->count; i++)
        mp_put_str_slice (out, f->names[i]);
}

static void features_take (struct mp *in, struct wire_features *out) {
    out->count = mp_array (in, 0, HELLO_FEATURES_MAX);
    for (size_t i = 0; i < out->count; i++)
        out->names[i] = mp_str (in, 1, FEATURE_MAX);
}

static void versions_put (struct buf *out, int64_t lowest, int64_t highest) {
    mp_put_array (out, 2);
    mp_put_int (out, lowest);
    mp_put_int (out, highest);
}

static void versions_take (struct mp *in, int64_t *lowest, int64_t *highest) {
    mp_array (in, 2, 2);
    *lowest = mp_int (in, 1, NUMBER_MAX);
    *highest = mp_int (in, *lowest, NUMBER_MAX);
}

static void lanes_put (struct buf *out, const struct wire_lane *lanes,
                       size_t count) {
    mp_put_array (out, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t lane[8];
        put_u64 (lane, lanes[i].lane);
        mp_put_array (out, 2);
        mp_put_bin (out, lane, sizeof lane);
        mp_put_int (out, lanes[i].highest);
    }
}

static size_t lanes_take (struct mp *in, struct wire_lane *out) {
    size_t count = mp_array (in, 0, HELLO_LANES_MAX);
    for (size_t i = 0; i < count; i++) {
        uint8_t lane[8];
        mp_array (in, 2, 2);
        mp_bin_exact (in, lane, sizeof lane);
        out[i].lane = get_u64 (lane);
        out[i].highest = mp_int (in, 0, NUMBER_MAX);
    }
    return in->failed ? 0 : count;
}

void wire_hello_write (struct buf *out, const struct wire_hello *hello) {
    mp_put_array (out, 10);
    versions_put (out, hello->lowest, hello->highest);
    features_put (out, &hello->features);
    mp_put_str_slice (out, hello->program);
    mp_put_bin (out, hello->nonce, sizeof hello->nonce);
    mp_put_int (out, hello->time);
    mp_put_int (out, hello->roster_version);
    mp_put_bin (out, hello->roster_digest.octets, HASH_SIZE);
    lanes_put (out, hello->lanes, hello->lane_count);
    if (hello->has_promise)
        promise_proof_write (out, &hello->promise);
    else
        mp_put_nil (out);
    if (hello->checkpoint.size > 0)
        mp_put_bin (out, hello->checkpoint.data, hello->checkpoint.size);
    else
        mp_put_nil (out);
}

enum err wire_hello_read (struct slice frame, struct wire_hello *out,
                          struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 10, 10);
    versions_take (&in, &out->lowest, &out->highest);
    features_take (&in, &out->features);
    out->program = mp_str (&in, 0, PROGRAM_MAX);
    mp_bin_exact (&in, out->nonce, sizeof out->nonce);
    out->time = mp_int (&in, 0, CLOCK_MS_MAX);
    out->roster_version = mp_int (&in, 1, NUMBER_MAX);
    mp_bin_exact (&in, out->roster_digest.octets, HASH_SIZE);
    out->lane_count = lanes_take (&in, out->lanes);
    out->has_promise = !mp_try_nil (&in);
    if (out->has_promise)
        promise_proof_take (&in, &out->promise);
    out->checkpoint = slice_of (NULL, 0);
    if (!mp_try_nil (&in))
        out->checkpoint = mp_bin (&in, 1, CHECKPOINT_MAX);
    return mp_finish (&in, e);
}

void wire_welcome_write (struct buf *out, const struct wire_welcome *w) {
    mp_put_array (out, 16);
    mp_put_bin (out, w->dialogue.octets, HASH_SIZE);
    mp_put_bin (out, w->nonce, sizeof w->nonce);
    mp_put_bin (out, w->run, RUN_SIZE);
    mp_put_str_slice (out, w->delegation);
    versions_put (out, w->lowest, w->highest);
    features_put (out, &w->features);
    mp_put_int (out, w->epoch);
    mp_put_int (out, w->roster_version);
    mp_put_bin (out, w->roster_digest.octets, HASH_SIZE);
    mp_put_int (out, w->roster_sequence);
    mp_put_int (out, w->size);
    mp_put_int (out, w->log_time);
    mp_put_int (out, w->time);
    mp_put_array (out, w->closed == RULE_NONE ? 1 : 2);
    mp_put_int (out, w->closed == RULE_NONE ? 0 : 1);
    if (w->closed != RULE_NONE)
        mp_put_str (out, w->closed_name);
    mp_put_int (out, w->generation);
    lanes_put (out, w->lanes, w->lane_count);
}

/* [0], or [1, rule]. */
static void closed_take (struct mp *in, struct wire_welcome *out) {
    out->closed = RULE_NONE;
    out->closed_name[0] = 0;
    size_t count = mp_array (in, 1, 2);
    int64_t state = mp_int (in, 0, 1);
    if (!in->failed && (size_t) state + 1 != count)
        mp_fail (in, ERR_MALFORMED, "state %d has %zu elements", (int) state,
                 count);
    if (in->failed || state == 0)
        return;
    struct slice name = mp_str (in, 1, RULE_NAME_MAX);
    if (in->failed || memchr (name.data, 0, name.size)) {
        mp_fail (in, ERR_MALFORMED, "a rule's name holds a NUL");
        return;
    }
    out->closed = rule_of (name);
    memcpy (out->closed_name, name.data, name.size);
    out->closed_name[name.size] = 0;
}

enum err wire_welcome_read (struct slice frame, struct wire_welcome *out,
                            struct error *e) {
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 16, 16);
    mp_bin_exact (&in, out->dialogue.octets, HASH_SIZE);
    mp_bin_exact (&in, out->nonce, sizeof out->nonce);
    mp_bin_exact (&in, out->run, RUN_SIZE);
    out->delegation = mp_str (&in, 1, DELEGATION_MAX);
    versions_take (&in, &out->lowest, &out->highest);
    features_take (&in, &out->features);
    out->epoch = mp_int (&in, 1, NUMBER_MAX);
    out->roster_version = mp_int (&in, 1, NUMBER_MAX);
    mp_bin_exact (&in, out->roster_digest.octets, HASH_SIZE);
    out->roster_sequence = mp_int (&in, 0, NUMBER_MAX);
    out->size = mp_int (&in, 0, NUMBER_MAX);
    out->log_time = mp_int (&in, 0, CLOCK_MS_MAX);
    out->time = mp_int (&in, 0, CLOCK_MS_MAX);
    closed_take (&in, out);
    out->generation = mp_int (&in, 1, NUMBER_MAX);
    out->lane_count = lanes_take (&in, out->lanes);
    return mp_finish (&in, e);
}

void wire_welcome_sign (struct buf *out, const struct identity *broker,
                        struct slice frame1) {
    uint8_t signature[SIGNATURE_SIZE];
    struct key_id id = identity_key_id (broker, LABEL_HELLO);
    identity_sign (broker, LABEL_HELLO, frame1, signature);
    mp_put_array (out, 2);
    mp_put_bin (out, id.octets, KEY_ID_SIZE);
    mp_put_bin (out, signature, sizeof signature);
}

enum err wire_welcome_check (struct slice frame1, struct slice frame2,
                             const struct roster *roster, int64_t at,
                             struct error *e) {
    struct key_id id;
    uint8_t signature[SIGNATURE_SIZE];
    struct mp in;
    mp_start (&in, frame2);
    mp_array (&in, 2, 2);
    mp_bin_exact (&in, id.octets, KEY_ID_SIZE);
    mp_bin_exact (&in, signature, sizeof signature);
    enum err rc = mp_finish (&in, e);
    if (rc)
        return rc;
    char hex[HEX_SIZE (KEY_ID_SIZE)];
    hex_encode (hex, id.octets, KEY_ID_SIZE);
    const uint8_t *key = promise_desk_key (roster, id, at);
    if (!key)
        return error_set (e, ERR_KEY,
                          "the roster lists no desk key %s for this time", hex);
    if (!signature_valid (key, LABEL_HELLO, frame1, signature))
        return error_set (e, ERR_SIGNATURE,
                          "the reply to hello is not signed by desk key %s",
                          hex);
    return ERR_NONE;
}
