/* session - the agent's half of the table in PROTOCOL.md section 8.8. */
#include "link_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#define BACKOFF_MS 500
#define BACKOFF_MAX_MS 30000
#define STEADY_MS 10000 /* ready that long: the next back-off begins anew */
#define ROSTER_AGAIN_MS 1000
#define REPLIES_A_TURN 64
#define IDLE_MS 1000

static void phase_set (struct link *self, enum link_phase phase) {
    self->phase = phase;
    self->begun = clock_mono_ms();
    self->core.changed = true;
}

/* Down */

void session_close (struct link *self) {
    core_abort (&self->core);
    follow_end (self->follow);
    sender_end (self->sender);
    ledger_end (self->core.ledger);
    complete_end (self->complete);
    scrub_end (self->scrub);
    calls_destroy (&self->core.calls);
    self->roster_call = 0;
    sodium_memzero (&self->keys, sizeof self->keys);
}

static int64_t backoff (unsigned tries) {
    int64_t wait = BACKOFF_MS << (tries < 7 ? tries : 7);
    if (wait > BACKOFF_MAX_MS)
        wait = BACKOFF_MAX_MS;
    return wait / 2 + randombytes_uniform ((uint32_t) wait + 1);
}

void session_down (struct link *self, const struct error *why) {
    int64_t now = clock_mono_ms();
    bool ready = self->phase == LINK_READY;
    if (ready && now - self->begun > STEADY_MS)
        self->tries = 0;
    if (!ready) /* another broker, or its other key */
        self->target++;
    session_close (self);
    int64_t wait = backoff (self->tries++);
    self->retry = now + wait;
    phase_set (self, LINK_DOWN);
    snprintf (self->core.problem, sizeof self->core.problem, "%s", why->text);
    log_limited (LOG_WARN, "LINK-DOWN", "",
                 "desk=%s why=%s retry_in_ms=%" PRId64,
                 log_text (self->endpoint), log_text (why->text), wait);
}

void session_retry (struct link *self) {
    self->tries = 0;
    self->retry = 0;
    if (self->phase == LINK_READY)
        follow_retry (self->follow);
}

/* Connecting */

/* Which broker, and which of its keys, the n-th attempt takes. */
static const struct roster_broker *target_of (const struct roster *roster,
                                              unsigned attempt,
                                              const uint8_t **key) {
    unsigned count = 0;
    for (size_t i = 0; i < roster_brokers (roster); i++)
        count += (unsigned) roster_broker_at (roster, i)->link.count;
    attempt %= count;
    for (size_t i = 0;; i++) {
        const struct roster_broker *broker = roster_broker_at (roster, i);
        unsigned keys = (unsigned) broker->link.count;
        if (attempt < keys) {
            *key = broker->link.key[attempt];
            return broker;
        }
        attempt -= keys;
    }
}

static void dial_choose (struct link *self) {
    const uint8_t *key;
    const struct roster_broker *broker =
        target_of (rosters_newest (self->core.rosters), self->target, &key);
    snprintf (self->endpoint, sizeof self->endpoint, "%s",
              self->desk ? self->desk : broker->desk);
    snprintf (self->feed_endpoint, sizeof self->feed_endpoint, "%s",
              self->feed ? self->feed : broker->feed);
    memcpy (self->keys.server_key, key, KEY_SIZE);
    identity_curve (self->core.identity, self->keys.public_key,
                    self->keys.secret_key);
}

static enum err connect_begin (struct link *self, struct error *e) {
    dial_choose (self);
    struct sock_options options = { .keys = &self->keys,
                                    .source = self->source };
    phase_set (self, LINK_CONNECTING);
    rosters_ask_again (self->core.rosters);
    self->core.calls =
        calls_new (self->core.context, self->endpoint, &options, e);
    /* Whatever a socket lacks, the store is fine. */
    return self->core.calls ? ERR_NONE : (e->code = ERR_STATE);
}

static enum err roster_ask (struct link *self, int64_t version,
                            struct error *e) {
    struct buf frame = { 0 };
    wire_roster_write (&frame, version == ROSTERS_IN_FORCE ? 0 : version);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc = calls_send (self->core.calls, WIRE_ROSTER, frames, 1,
                              &self->roster_call, e);
    buf_free (&frame);
    self->roster_asked = clock_mono_ms();
    return rc;
}

/* Rosters first, so that the desk key of the hello is known; then hello. */
static enum err greet (struct link *self, struct error *e) {
    int64_t version = rosters_wanted (self->core.rosters);
    if (version != 0)
        return roster_ask (self, version, e);
    phase_set (self, LINK_HELLO);
    return hello_send (&self->core, &self->hello, e);
}

static enum err connecting_step (struct link *self, int64_t now,
                                 struct error *e) {
    if (self->roster_call)
        return ERR_NONE;
    if (calls_ready (self->core.calls))
        return greet (self, e);
    if (now - self->begun > LINK_REPLY_MS)
        return error_set (e, ERR_TIMEOUT,
                          "no connection to %s in %d s: the broker does not "
                          "run, wrong address, a firewall, another broker's "
                          "key, or our link key is not in its roster",
                          self->endpoint, LINK_REPLY_MS / 1000);
    return ERR_NONE;
}

/* Replies before and beside streams */

static enum err roster_take (struct link *self, const struct reply *reply,
                             struct error *e) {
    struct core *core = &self->core;
    int64_t version = 0, sequence, wanted = rosters_wanted (core->rosters);
    struct slice note = { 0 };
    char text[REFUSAL_TEXT_MAX];
    self->roster_call = 0;
    if (reply->refused && reply->refusal.rule != RULE_NOT_FOUND)
        return error_set (e, ERR_STATE, "roster version %" PRId64 ": %s",
                          wanted, refusal_print (&reply->refusal, text));
    if (!reply->refused) {
        if (reply->count != 2 || reply->frames[1].size == 0)
            return error_set (e, ERR_MALFORMED, "a roster reply without note");
        if (wire_roster_found_read (reply->frames[0], &version, &sequence, e))
            return e->code;
        if (version != wanted && wanted != ROSTERS_IN_FORCE)
            return error_set (e, ERR_MALFORMED,
                              "roster version %" PRId64 " instead of %" PRId64,
                              version, wanted);
        note = reply->frames[1];
    }
    struct error why = { 0 };
    enum err rc = rosters_answer (core->rosters, note, &why);
    if (!rc) {
        core->changed = true;
        return ERR_NONE;
    }
    enum err failed = ERR_NONE;
    if (rc != ERR_STATE && !core_store_failed (rc))
        failed = core_notice (core, "BAD-ROSTER", true, why.text, note, e);
    if (failed)
        return failed;
    *e = why;
    return rc;
}

static void ready_say (struct link *self) {
    char run[HEX_SIZE (RUN_SIZE)];
    log_info ("LINK-READY",
              "desk=%s run=%s size=%" PRId64 " roster=%" PRId64 " closed=%s",
              log_text (self->endpoint),
              hex_encode (run, self->core.run, RUN_SIZE), self->core.size,
              roster_version (rosters_newest (self->core.rosters)),
              log_text (self->core.closed));
}

static enum err hello_heard (struct link *self, const struct reply *reply,
                             struct error *e) {
    struct wire_welcome welcome;
    bool older;
    enum err rc = hello_check (&self->core, &self->hello, reply, &welcome, e);
    if (!rc)
        rc = hello_take (&self->core, &self->hello, &welcome, &self->offset,
                         &older, e);
    if (rc)
        return rc;
    self->has_offset = self->greeted = true;
    struct sock_options options = { .keys = &self->keys,
                                    .source = self->source };
    rc = follow_begin (self->follow, self->feed_endpoint, &options, e);
    if (rc)
        return rc;
    phase_set (self, LINK_READY);
    self->core.problem[0] = '\0';
    sender_begin (self->sender);
    ledger_begin (self->core.ledger);
    complete_begin (self->complete);
    if (older)
        sender_move_lane (self->sender);
    ready_say (self);
    return older ? ledger_older (self->core.ledger, e) : ERR_NONE;
}

static enum err fetch_take (struct link *self, const struct reply *reply,
                            struct error *e) {
    bool mine;
    enum err rc = scrub_reply (self->scrub, reply, &mine, e);
    return rc || mine ? rc : follow_reply (self->follow, reply, e);
}

static enum err reply_take (struct link *self, const struct reply *reply,
                            struct error *e) {
    if (self->phase == LINK_READY
        && memcmp (reply->run, self->core.run, RUN_SIZE) != 0)
        return error_set (e, ERR_STATE, "the broker has begun another run");
    bool mine;
    switch (reply->type) {
    case WIRE_ROSTER:
        return roster_take (self, reply, e);
    case WIRE_HELLO:
        return hello_heard (self, reply, e);
    case WIRE_STREAMS:
        return follow_reply (self->follow, reply, e);
    case WIRE_FETCH:
        return fetch_take (self, reply, e);
    case WIRE_PUBLISH:
        return sender_reply (self->sender, reply, e);
    case WIRE_PATHS:
    case WIRE_HANDED:
    case WIRE_COVER:
        return complete_reply (self->complete, reply, &mine, e);
    case WIRE_LEAVES:
    case WIRE_CHECKPOINT:
    case WIRE_COSIGN:
        return ledger_reply (self->core.ledger, reply, &mine, e);
    default: /* we ask for nothing else */
        return ERR_NONE;
    }
}

enum err session_replies (struct link *self, struct error *e) {
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && self->core.calls && i < REPLIES_A_TURN; i++) {
        struct reply reply;
        rc = calls_take (self->core.calls, &reply, e);
        if (rc == ERR_NOT_FOUND)
            return ERR_NONE;
        if (!rc)
            rc = reply_take (self, &reply, e);
    }
    return rc;
}

/* Ready */

/* A message was refused for an old roster: do not wait for `$log`. */
static enum err roster_step (struct link *self, int64_t now, struct error *e) {
    struct core *core = &self->core;
    if (self->roster_call
        || (!core->roster_wanted && rosters_wanted (core->rosters) == 0)
        || now - self->roster_asked < ROSTER_AGAIN_MS)
        return ERR_NONE;
    if (core->roster_wanted)
        rosters_ask_again (core->rosters);
    core->roster_wanted = false;
    return roster_ask (self, rosters_wanted (core->rosters), e);
}

/* Nothing lacks, nobody has handed in anything, nothing is to be written. */
static bool is_idle (const struct link *self, int64_t now) {
    return now - self->begun > IDLE_MS && now - self->woken > IDLE_MS
           && !self->core.transaction && follow_filled (self->follow)
           && !ledger_busy (self->core.ledger);
}

/* Messages, then files. */
static enum err send_step (struct link *self, int64_t now, struct error *e) {
    bool filled = follow_filled (self->follow), handed = false;
    enum err rc = sender_tick (self->sender, now, filled, e);
    if (!rc)
        rc = bulk_tick (self->bulk, now, filled, sender_drained (self->sender),
                        &handed, e);
    return rc || !handed ? rc : sender_tick (self->sender, now, filled, e);
}

static enum err ready_step (struct link *self, int64_t now, struct error *e) {
    enum err rc = follow_tick (self->follow, now, e);
    if (!rc)
        rc = roster_step (self, now, e);
    if (!rc)
        rc = ledger_tick (self->core.ledger, now, e);
    if (!rc)
        rc = complete_tick (self->complete, now, e);
    if (!rc)
        rc = send_step (self, now, e);
    if (!rc && is_idle (self, now))
        rc = scrub_tick (self->scrub, now, e);
    return rc;
}

enum err session_step (struct link *self, int64_t now, struct error *e) {
    if (self->phase == LINK_DOWN)
        return now < self->retry ? ERR_NONE : connect_begin (self, e);
    int64_t oldest = calls_oldest (self->core.calls);
    if (oldest >= 0 && now - oldest > LINK_REPLY_MS)
        return error_set (e, ERR_TIMEOUT, "no reply from %s in %d s",
                          self->endpoint, LINK_REPLY_MS / 1000);
    if (calls_lost (self->core.calls))
        return error_set (e, ERR_STATE, "the connection to %s is lost",
                          self->endpoint);
    if (self->phase == LINK_CONNECTING)
        return connecting_step (self, now, e);
    return self->phase == LINK_READY ? ready_step (self, now, e) : ERR_NONE;
}

int64_t session_wait (const struct link *self, int64_t now) {
    if (self->phase == LINK_DOWN)
        return self->retry > now ? self->retry - now : 0;
    if (self->phase == LINK_READY && ledger_busy (self->core.ledger))
        return 0;
    int64_t due = sender_due (self->sender), bulk = bulk_due (self->bulk);
    if (bulk >= 0 && (due < 0 || bulk < due))
        due = bulk;
    int64_t most =
        complete_hurries (self->complete) ? COMPLETE_TICK_MS : LINK_TURN_MS;
    if (due < 0 || due - now > most)
        return most;
    return due > now ? due - now : 0;
}
