/* answer - from a rule and its values to what the sender does. */
#include "answer.h"

#include "base/clock.h"

/* The value of `key`, or -1; keys ascend, others are passed over. */
static int64_t value_int (const struct refusal *refusal, const char *key) {
    struct mp in;
    mp_start (&in, refusal_values (refusal));
    size_t pairs = mp_map (&in, 0, REFUSAL_PAIRS_MAX);
    for (size_t i = 0; i < pairs && !in.failed; i++) {
        struct slice name = mp_str (&in, 0, SIZE_MAX);
        if (slice_is (name, key) && mp_peek (&in) == MP_INT) {
            int64_t value = mp_int (&in, INT64_MIN, INT64_MAX);
            return in.failed || value < 0 ? -1 : value;
        }
        (void) mp_any (&in);
    }
    return -1;
}

static bool value_hash (const struct refusal *refusal, const char *key,
                        struct hash *out) {
    struct mp in;
    mp_start (&in, refusal_values (refusal));
    size_t pairs = mp_map (&in, 0, REFUSAL_PAIRS_MAX);
    for (size_t i = 0; i < pairs && !in.failed; i++) {
        struct slice name = mp_str (&in, 0, SIZE_MAX);
        if (slice_is (name, key) && mp_peek (&in) == MP_STR) {
            struct slice text = mp_str (&in, 0, SIZE_MAX);
            char hex[HASH_TEXT_MAX] = "";
            if (in.failed || text.size != sizeof hex - 1)
                return false;
            memcpy (hex, text.data, text.size);
            return !hash_parse (hex, out);
        }
        (void) mp_any (&in);
    }
    return false;
}

static enum answer_act held_read (const struct refusal *refusal,
                                  struct answer *out) {
    out->sequence = value_int (refusal, "sequence");
    return out->sequence >= 0 && value_hash (refusal, "id", &out->id)
                   && value_hash (refusal, "leaf", &out->leaf)
               ? ANSWER_HELD
               : ANSWER_FINAL;
}

static enum answer_act act_of (const struct refusal *refusal,
                               struct answer *out) {
    switch (refusal->rule) {
    case RULE_USED_NUMBER:
        return held_read (refusal, out);
    case RULE_OLD_NUMBER:
        return ANSWER_OLD;
    case RULE_NUMBER_JUMP:
        return ANSWER_JUMP;
    default:
        break;
    }
    switch (rule_then (refusal->rule)) {
    case THEN_AGAIN:
        return ANSWER_ANEW;
    case THEN_LATER:
        return ANSWER_LATER;
    case THEN_FINAL:
        break;
    }
    return ANSWER_FINAL;
}

void answer_read (const struct refusal *refusal, struct answer *out) {
    *out = (struct answer){ .sequence = -1 };
    out->act = act_of (refusal, out);
    int64_t in_force = value_int (refusal, "in_force");
    out->in_force = in_force > 0 ? in_force : 0;
    int64_t wait = value_int (refusal, "wait_ms");
    out->wait_ms = wait < 0 ? ANSWER_WAIT_MS : wait;
    if (out->wait_ms > ANSWER_WAIT_MAX_MS)
        out->wait_ms = ANSWER_WAIT_MAX_MS;
}
