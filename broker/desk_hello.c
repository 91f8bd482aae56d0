/* desk_hello - the answer to a hello (PROTOCOL.md section 8.2). */
#include "desk_hello.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/topic.h"
#include "identity/checkpoint.h"

#include <string.h>

void hello_refuse_version (struct refusal *why, int64_t lowest,
                           int64_t highest) {
    refusal_set (why, RULE_VERSION);
    refusal_int (why, "lowest", WIRE_VERSION);
    refusal_int (why, "highest", WIRE_VERSION);
    refusal_int (why, "stated_lowest", lowest);
    refusal_int (why, "stated_highest", highest);
}

static enum err hello_read (struct slice frame, struct wire_hello *out,
                            struct refusal *why, struct error *e) {
    enum err rc = wire_hello_read (frame, out, e);
    if (rc) {
        refusal_malformed (why, "hello", e);
        return rc;
    }
    if (out->lowest <= WIRE_VERSION && out->highest >= WIRE_VERSION)
        return ERR_NONE;
    hello_refuse_version (why, out->lowest, out->highest);
    return error_set (
        e, ERR_NEWER, "protocol versions %lld to %lld are yours, %d is ours",
        (long long) out->lowest, (long long) out->highest, WIRE_VERSION);
}

static bool is_signed (const struct promise_proof *proof,
                       const struct hash *dialogue, const struct roster *roster,
                       int64_t at, struct error *e) {
    if (proof->promise.epoch != roster_epoch (roster))
        return !error_set (e, ERR_STATE, "it is of another epoch");
    const uint8_t *key = promise_desk_key (roster, proof->promise.key_id, at);
    if (!key)
        return !error_set (e, ERR_KEY, "no desk key of the roster signed it");
    return !promise_proof_check (proof, dialogue, key, e);
}

/* In force at the last record before log time `ms`. NULL: not known now. */
static struct roster *roster_before (struct state *state, int64_t ms) {
    int64_t sequence;
    struct error e;
    if (journal_sequence_at (state_journal (state), ms, &sequence, &e)) {
        log_error ("HELLO-UNREAD", "why=%s", log_text (e.text));
        return NULL;
    }
    return state_roster_at (state, sequence > 0 ? sequence - 1 : 0);
}

/* Is this a promise that a desk of this epoch signed? An agent may have got it
 * under an older roster; in the millisecond of a roster's record, either's. */
static bool is_ours (struct state *state, const struct roster *roster,
                     const struct promise_proof *proof, struct error *e) {
    const struct hash *dialogue = state_dialogue (state);
    int64_t ms = proof->promise.log_time;
    bool ours = is_signed (proof, dialogue, roster, -1, e);
    bool same_epoch = proof->promise.epoch == roster_epoch (roster);
    for (int i = 0; i < 2 && !ours && same_epoch; i++) {
        struct roster *then = roster_before (state, ms + 1 - i);
        ours = then && is_signed (proof, dialogue, then, ms, e);
        roster_unref (&then);
    }
    return ours;
}

/* Whether the ledger lacks what was promised. What can't be read now (no
 * descriptor is left, say) is not known to be lacking. */
static bool is_lost (struct journal *journal,
                     const struct promise_proof *proof) {
    struct buf leaf = { 0 };
    struct error e;
    if (proof->sequence >= journal_size (journal))
        return true;
    bool lost = false;
    if (journal_leaves (journal, proof->sequence, 1, &leaf, &e))
        log_error ("HELLO-UNREAD", "sequence=%lld why=%s",
                   (long long) proof->sequence, log_text (e.text));
    else
        lost = !slice_equal (buf_slice (&leaf),
                             slice_of (proof->leaf.octets, HASH_SIZE));
    buf_free (&leaf);
    return lost;
}

/* The ledger does not have what stands, or should stand, at `sequence`. `what`
 * proves it: said in the log, once. */
static void close_behind (struct state *state, const char *delegation,
                          int64_t sequence, const char *what) {
    struct refusal why;
    int64_t size = journal_size (state_journal (state));
    bool known = state_closed (state, &why) == RULE_LEDGER_BEHIND;
    if (known)
        return;
    refusal_set (&why, RULE_LEDGER_BEHIND);
    refusal_int (&why, "sequence", sequence);
    refusal_int (&why, "size", size);
    state_close (state, &why);
    log_error ("LEDGER-BEHIND",
               "sequence=%lld size=%lld shown_by=%s what=%s advice=\"the ledger"
               " lacks what this broker has signed: was an old copy restored?"
               " Stop it, and bring back the newest copy of its state folder;"
               " or have agents of all bodies export what they hold, and"
               " parley-broker repair --config FILE BUNDLE... puts it back."
               " Where that can't be, found the next epoch. Nothing is taken"
               " and no checkpoint signed until then.\"",
               (long long) sequence, (long long) size, log_text (delegation),
               what);
}

static void promise_judge (struct state *state, const struct roster *roster,
                           const char *delegation,
                           const struct promise_proof *proof) {
    struct error e = { 0 };
    if (!is_ours (state, roster, proof, &e))
        log_limited (LOG_WARN, "HELLO-PROMISE", delegation,
                     "delegation=%s sequence=%lld why=%s",
                     log_text (delegation), (long long) proof->sequence,
                     log_text (e.text));
    else if (is_lost (state_journal (state), proof))
        close_behind (state, delegation, proof->sequence, "promise");
}

/* The note itself is the evidence. */
static void checkpoint_judge (const struct hello_parts *parts,
                              const char *delegation, struct slice octets) {
    struct checkpoint checkpoint;
    struct note note;
    struct error e = { 0 };
    enum err rc = checkpoint_read (octets, &checkpoint, &note, &e);
    if (!rc)
        rc = notary_shown (parts->notary, octets, &e);
    if (rc == ERR_CHAIN)
        close_behind (parts->state, delegation, checkpoint.size - 1,
                      log_octets (octets.data, octets.size));
    else if (rc)
        log_limited (LOG_WARN, "HELLO-CHECKPOINT", delegation,
                     "delegation=%s why=%s", log_text (delegation),
                     log_text (e.text));
}

/* Enough of them, and the run begins. */
static void heard (const struct hello_parts *parts, const char *delegation) {
    struct error e;
    if (state_hello_heard (parts->state, delegation)) {
        log_info ("HELLOS-HEARD", "last=%s", log_text (delegation));
        if (parts->notary)
            notary_begin (parts->notary);
    } else if (state_hello_awaited (parts->state, &e)) {
        log_limited (LOG_INFO, "HELLOS-AWAITED", "", "why=%s",
                     log_text (e.text));
    }
}

static void lanes_answer (struct commit *commit, const char *delegation,
                          const struct wire_hello *hello,
                          struct wire_welcome *out) {
    out->lane_count = hello->lane_count;
    for (size_t i = 0; i < hello->lane_count; i++) {
        uint64_t lane = hello->lanes[i].lane;
        out->lanes[i].lane = lane;
        out->lanes[i].highest =
            commit_lane_highest (commit, slice_text (delegation), lane);
    }
}

static void welcome_fill (const struct hello_parts *parts,
                          const char *delegation, const struct roster *roster,
                          int64_t roster_sequence,
                          const struct wire_hello *hello,
                          struct wire_welcome *out) {
    struct state *state = parts->state;
    struct refusal why;
    struct tags *tags = state_tags (state);
    *out = (struct wire_welcome){ .dialogue = *state_dialogue (state) };
    memcpy (out->nonce, hello->nonce, sizeof out->nonce);
    memcpy (out->run, state_run (state), RUN_SIZE);
    out->delegation = slice_text (delegation);
    out->lowest = out->highest = WIRE_VERSION;
    out->epoch = roster_epoch (roster);
    out->roster_version = roster_version (roster);
    out->roster_digest = *roster_digest (roster);
    out->roster_sequence = roster_sequence;
    out->size = journal_size (state_journal (state));
    out->log_time = state_log_time (state);
    out->time = clock_wall_ms();
    out->closed = state_closed (state, &why);
    if (out->closed)
        strcpy (out->closed_name, why.name);
    out->generation = tags_generation (tags);
    lanes_answer (parts->commit, delegation, hello, out);
    tags_unref (&tags);
}

enum err hello_answer (const struct hello_parts *parts, struct job *job,
                       struct session *session, struct refusal *why,
                       struct error *e) {
    struct wire_hello hello;
    struct wire_welcome welcome;
    enum err rc = hello_read (job_frame (job, 0), &hello, why, e);
    if (rc)
        return rc;
    struct state *state = parts->state;
    int64_t sequence;
    struct roster *roster = state_roster (state, &sequence);
    const char *who = job->delegation;
    timekeeper_hello (parts->time, delegation_entity (slice_text (who)),
                      hello.time, clock_wall_ms(), clock_mono_ms());
    if (hello.has_promise)
        promise_judge (state, roster, who, &hello.promise);
    if (hello.checkpoint.size > 0 && parts->notary)
        checkpoint_judge (parts, who, hello.checkpoint);
    welcome_fill (parts, who, roster, sequence, &hello, &welcome);
    wire_welcome_write (&job->reply[0], &welcome);
    wire_welcome_sign (&job->reply[1], state_identity (state),
                       buf_slice (&job->reply[0]));
    job->reply_type = WIRE_HELLO + WIRE_REPLY;
    job->reply_count = 2;
    session->hello = true;
    heard (parts, who);
    atomic_fetch_add (&state_counts (state)->hellos, 1);
    roster_unref (&roster);
    return ERR_NONE;
}
