/* sender - what is on its way, and what is done with each answer. */
#include "sender.h"

#include "answer.h"
#include "base/clock.h"
#include "base/log.h"
#include "ledger.h"
#include "parcel.h"
#include "store/outbox.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 7
#define LEAST_MS 20

struct sender {
    struct core *core;
    struct parcel *flight;
    size_t batches, messages; /* in flight */
    bool ready, drained;
    bool again;    /* what was sent before goes first */
    int64_t after; /* the last of them that was taken */
    bool resend; /* some were not answered: again, once nothing is in flight */
    bool move;   /* to a new lane, once nothing is in flight */
    bool fill;   /* nothing goes before all is here */
    bool found;  /* something waited when this program started, and all has
                    not been here since: the store may be one that was put
                    back, and what waits in it have gone out before */
    int64_t pause;   /* monotonic: nothing goes before */
    int64_t version; /* a roster that ends the pause; 0: none */
    int tries;       /* pauses in a row with nothing accepted between */
};

struct sender *sender_new (struct core *core) {
    struct sender *self = mem_alloc (sizeof *self);
    self->core = core;
    int64_t counts[6];
    outbox_counts (core->store, counts);
    self->found = counts[OUTBOX_WAITING] > 0;
    return self;
}

void sender_destroy (struct sender **self_p) {
    if (!self_p || !*self_p)
        return;
    struct sender *self = *self_p;
    *self_p = NULL;
    sender_end (self);
    free (self);
}

void sender_begin (struct sender *self) {
    self->ready = self->again = true;
    self->after = 0;
    self->resend = self->move = false;
    self->fill = self->found;
    self->tries = 0;
    self->pause = self->version = 0;
}

void sender_end (struct sender *self) {
    while (self->flight) {
        struct parcel *gone = self->flight;
        self->flight = gone->next;
        parcel_free (&gone);
    }
    self->batches = self->messages = 0;
    self->ready = false;
}

void sender_move_lane (struct sender *self) {
    self->move = self->fill = true;
}

/* Each time longer, unless the broker said how long; and whatever it said, not
 * at once again and again. What is answered in a pause does not count. */
static void hold_back (struct sender *self, const struct answer *answer) {
    int64_t now = clock_mono_ms(), wait = answer->wait_ms;
    if (self->tries == 0 || (now >= self->pause && self->tries < TRIES_MAX))
        self->tries++;
    int64_t least = (wait == ANSWER_WAIT_MS ? ANSWER_WAIT_MS : LEAST_MS)
                    << (self->tries - 1);
    if (wait < least)
        wait = least;
    if (wait > ANSWER_WAIT_MAX_MS)
        wait = ANSWER_WAIT_MAX_MS;
    if (now + wait > self->pause)
        self->pause = now + wait;
}

int64_t sender_due (const struct sender *self) {
    return self->ready && self->pause > 0 ? self->pause : -1;
}

/* Sending */

static enum err send_parcel (struct sender *self, struct parcel *parcel,
                             struct error *e) {
    struct slice frames[] = { buf_slice (&parcel->head),
                              buf_slice (&parcel->headers),
                              buf_slice (&parcel->bodies) };
    enum err rc = calls_send (self->core->calls, WIRE_PUBLISH, frames, 3,
                              &parcel->call, e);
    if (rc) {
        self->resend = true; /* its forms are kept as sent */
        parcel_free (&parcel);
        return rc;
    }
    buf_free (&parcel->bodies);
    parcel->next = self->flight;
    self->flight = parcel;
    self->batches++;
    self->messages += parcel->count;
    self->core->changed = true;
    return ERR_NONE;
}

/* *more: there may be another one. */
static enum err send_next (struct sender *self, bool *more, struct error *e) {
    struct parcel *parcel;
    int64_t after = self->again ? self->after : 0;
    size_t room = SENDER_WINDOW - self->messages;
    *more = false;
    enum err rc =
        parcel_take (self->core, self->again, after, room, &parcel, e);
    if (rc)
        return rc;
    if (self->again) {
        *more = true;
        self->again = parcel->last > self->after;
        self->after = parcel->last;
    }
    if (parcel->count == 0) {
        parcel_free (&parcel);
        return ERR_NONE;
    }
    *more = true;
    return send_parcel (self, parcel, e);
}

/* A new lane */

static enum err move_lane (struct sender *self, struct error *e) {
    struct core *core = self->core;
    uint64_t lane;
    enum err rc = core_commit (core, e);
    if (!rc)
        rc = outbox_new_lane (core->store, &lane, e);
    if (rc)
        return rc;
    log_warn ("NEW-LANE", "lane=%016" PRIx64, lane);
    self->move = false;
    core->changed = true;
    return ERR_NONE;
}

/* What may be done before the next batch; *go: it may be sent. */
static enum err prepare (struct sender *self, bool filled, bool *go,
                         struct error *e) {
    *go = false;
    self->found = self->found && !filled;
    self->fill = self->fill && !filled;
    if (self->fill)
        return ERR_NONE;
    if (self->batches == 0 && self->resend) {
        self->resend = false;
        self->again = true;
        self->after = 0;
    }
    if (self->batches == 0 && self->move && !self->again) {
        /* Until all is here, one of them may prove to be recorded. */
        if (!filled)
            return ERR_NONE;
        enum err rc = move_lane (self, e);
        if (rc)
            return rc;
    }
    *go = self->again || !(self->resend || self->move);
    return ERR_NONE;
}

static bool paused (struct sender *self, int64_t now) {
    if (self->version
        && roster_version (rosters_newest (self->core->rosters))
               >= self->version)
        self->pause = self->version = 0;
    if (now < self->pause)
        return true;
    self->pause = 0;
    return false;
}

enum err sender_tick (struct sender *self, int64_t now, bool filled,
                      struct error *e) {
    bool may = self->ready && !paused (self, now), more = may;
    self->drained = false;
    while (more && self->batches < SENDER_BATCHES
           && self->messages < SENDER_WINDOW) {
        bool go;
        enum err rc = prepare (self, filled, &go, e);
        if (!rc && !go)
            return ERR_NONE;
        if (!rc)
            rc = send_next (self, &more, e);
        if (rc == ERR_STATE || rc == ERR_NOT_FOUND || rc == ERR_FULL)
            return ERR_NONE; /* cancelled meanwhile, or no room: next turn */
        if (rc)
            return rc;
    }
    self->drained = may && !more;
    return ERR_NONE;
}

bool sender_drained (const struct sender *self) {
    return self->drained;
}

/* Answers */

/* What was answered is kept: it may prove to be a lie. */
static enum err lane_problem (struct sender *self, const char *kind,
                              struct slice proof, const char *text,
                              struct error *e) {
    self->move = true;
    hold_back (self, &(struct answer){ .wait_ms = 0 });
    return core_notice (self->core, kind, false, text, proof, e);
}

static enum err broken (struct sender *self, const struct hash *id,
                        struct slice evidence, struct error *e) {
    char text[160], hex[HASH_TEXT_MAX];
    snprintf (text, sizeof text,
              "message %s was promised at two places, or seen at another",
              hash_text (hex, id));
    return core_notice (self->core, "PROMISE-BROKEN", true, text, evidence, e);
}

/* Its record may have come before this answer. */
static enum err seen_already (struct sender *self, const struct hash *id,
                              struct error *e) {
    struct core *core = self->core;
    struct record_row row;
    struct error why;
    struct records_cursor *cursor = records_by_id (core->store, id, &row, &why);
    if (!cursor) {
        if (why.code == ERR_NOT_FOUND)
            return ERR_NONE;
        *e = why;
        return e->code;
    }
    bool contradiction;
    int64_t sequence = row.record.sequence;
    struct hash leaf = row.leaf;
    records_close (&cursor);
    enum err rc = core_begin (core, e);
    if (!rc)
        rc = outbox_seen (core->store, id, sequence, &leaf, &contradiction, e);
    if (!rc && contradiction)
        rc = broken (self, id, (struct slice){ 0 }, e);
    return rc;
}

/* One refused message and all that is known of it. */
struct refused {
    const struct parcel *parcel;
    const struct hash *id;
    const struct refusal *refusal;
    struct slice proof;
    int64_t log_time; /* of the answer */
};

static enum err refuse (struct sender *self, const struct refused *r,
                        bool final, struct error *e) {
    return outbox_refused (self->core->store, r->id, r->refusal, final,
                           r->proof, e);
}

/* Its number holds something: one of its own forms, or what another store
 * signed. */
static enum err held (struct sender *self, const struct refused *r,
                      const struct answer *answer, struct error *e) {
    enum err rc = outbox_found (self->core->store, &answer->id,
                                answer->sequence, &answer->leaf, e);
    if (rc == ERR_CHAIN)
        return broken (self, &answer->id, r->proof, e);
    if (!rc)
        return seen_already (self, &answer->id, e);
    if (rc != ERR_NOT_FOUND)
        return rc;
    rc = refuse (self, r, r->parcel->contribution, e);
    if (rc || r->parcel->contribution)
        return rc;
    return lane_problem (self, "NUMBER-USED", r->proof,
                         "a number of this agent's lane is used by a message "
                         "that it does not hold: another copy of the store "
                         "has sent; what waits goes under a new lane",
                         e);
}

static enum err old (struct sender *self, const struct refused *r,
                     struct error *e) {
    if (r->parcel->contribution)
        return refuse (self, r, true, e);
    /* It stays as sent: if its record is held it is settled, else it moves. */
    enum err rc = seen_already (self, r->id, e);
    return rc ? rc
              : lane_problem (self, "NUMBER-OLD", r->proof,
                              "a message was sent under a number that the "
                              "broker does not look at any more; what waits "
                              "goes under a new lane",
                              e);
}

static enum err anew (struct sender *self, const struct refused *r,
                      const struct answer *answer, struct error *e) {
    /* A contribution is its author's to write anew. */
    if (r->parcel->contribution)
        return refuse (self, r, true, e);
    hold_back (self, answer);
    /* With the roster that it names it goes at once; where that is here
     * already, it may have come in between: once. */
    int64_t newest = roster_version (rosters_newest (self->core->rosters));
    if (self->tries == 1 || answer->in_force > newest)
        self->version = answer->in_force;
    self->core->roster_wanted = true;
    return refuse (self, r, false, e);
}

static enum err jump (struct sender *self, const struct refused *r,
                      const struct answer *answer, struct error *e) {
    enum err rc = refuse (self, r, r->parcel->contribution, e);
    hold_back (self, answer);
    /* What is still on its way may fill the hole; else nothing does. */
    if (rc || self->batches > 0 || r->parcel->contribution)
        return rc;
    return lane_problem (self, "NUMBER-JUMP", r->proof,
                         "over a thousand numbers of this agent's lane were "
                         "refused or cancelled in a row; what waits goes under "
                         "a new one",
                         e);
}

/* It signs "not recorded" of what it recorded before (8.4); only OLD-NUMBER may
 * be said of such a one. */
static enum err recorded_check (struct sender *self, const struct refused *r,
                                const struct answer *answer, struct error *e) {
    char text[200], hex[HASH_TEXT_MAX];
    struct core *core = self->core;
    bool same = answer->act == ANSWER_HELD && hash_equal (&answer->id, r->id);
    if (same || answer->act == ANSWER_OLD)
        return ERR_NONE;
    struct promise_proof proof;
    bool recorded = outbox_promise (core->store, r->id, &proof);
    struct record_row row;
    struct records_cursor *cursor =
        recorded ? NULL : records_by_id (core->store, r->id, &row, e);
    if (cursor)
        recorded = row.record.log_time < r->log_time;
    else if (!recorded && e->code != ERR_NOT_FOUND)
        return e->code;
    records_close (&cursor);
    if (!recorded)
        return ERR_NONE;
    snprintf (text, sizeof text,
              "message %s was refused as %s, and is recorded",
              hash_text (hex, r->id), r->refusal->name);
    return core_notice (core, "PROMISE-BROKEN", true, text, r->proof, e);
}

static enum err refused_take (struct sender *self, const struct refused *r,
                              struct error *e) {
    struct answer answer;
    char text[REFUSAL_TEXT_MAX];
    answer_read (r->refusal, &answer);
    enum err rc = recorded_check (self, r, &answer, e);
    if (rc)
        return rc;
    log_limited (LOG_WARN, "REFUSED", r->refusal->name, "id=%s why=%s",
                 log_hex (r->id->octets, 8),
                 log_text (refusal_print (r->refusal, text)));
    switch (answer.act) {
    case ANSWER_FINAL:
        return refuse (self, r, true, e);
    case ANSWER_ANEW:
        return anew (self, r, &answer, e);
    case ANSWER_LATER:
        hold_back (self, &answer);
        return refuse (self, r, false, e);
    case ANSWER_HELD:
        return held (self, r, &answer, e);
    case ANSWER_OLD:
        return old (self, r, e);
    case ANSWER_JUMP:
        return jump (self, r, &answer, e);
    }
    return ERR_NONE;
}

/* A verified promise: what it accepts, then what it refuses. */
struct outcome {
    struct promise promise;
    struct promise_accepted *accepted;
    struct promise_refused *refused;
    size_t accepted_count, refused_count;
};

static enum err accepted_take (struct sender *self, const struct outcome *o,
                               struct slice frame, struct error *e) {
    if (o->accepted_count == 0)
        return ERR_NONE;
    self->tries = 0;
    self->core->closed[0] = '\0';
    enum err rc = outbox_promised (self->core->store, &o->promise, o->accepted,
                                   o->accepted_count, e);
    if (rc == ERR_CHAIN)
        rc = broken (self, &o->accepted[0].id, frame, e);
    if (!rc && self->core->ledger)
        rc = ledger_promised (self->core->ledger, &o->promise, o->accepted,
                              o->accepted_count, e);
    return rc;
}

static enum err outcome_take (struct sender *self, const struct parcel *parcel,
                              const struct outcome *o, struct slice frame,
                              struct error *e) {
    struct buf proof = { 0 };
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = accepted_take (self, o, frame, e);
    if (o->refused_count > 0)
        refusal_proof_write (&proof, &o->promise, o->refused, o->refused_count);
    for (size_t i = 0; !rc && i < o->refused_count; i++) {
        struct refused r = { parcel, &o->refused[i].id, &o->refused[i].refusal,
                             buf_slice (&proof), o->promise.log_time };
        if (o->refused[i].index >= 0) {
            rc = refused_take (self, &r, e);
            continue;
        }
        for (size_t j = 0; !rc && j < parcel->count; j++) {
            r.id = &parcel->ids[j];
            rc = refused_take (self, &r, e);
        }
    }
    buf_free (&proof);
    return rc;
}

/* Signed by a desk key of the roster, over exactly these messages? */
static enum err outcome_check (const struct sender *self,
                               const struct parcel *parcel,
                               const struct outcome *o, struct error *e) {
    const struct core *core = self->core;
    const uint8_t *key = promise_desk_key (
        rosters_newest (core->rosters), o->promise.key_id, o->promise.log_time);
    if (!key)
        return error_set (e, ERR_KEY,
                          "a promise by a desk key that the roster does not "
                          "list");
    /* Hello shows promises of the epoch: one of another would not be shown. */
    int64_t epoch = roster_epoch (rosters_newest (core->rosters));
    if (o->promise.epoch != epoch)
        return error_set (e, ERR_CHAIN,
                          "a promise of epoch %" PRId64 " in epoch %" PRId64,
                          o->promise.epoch, epoch);
    if (!promise_signed (&o->promise, &core->dialogue, key))
        return error_set (e, ERR_SIGNATURE,
                          "a promise whose signature does not verify");
    if (o->refused_count != 1 || o->refused[0].index >= 0)
        return ERR_NONE;
    struct hash whole =
        batch_id (buf_slice (&parcel->head), buf_slice (&parcel->headers));
    if (!hash_equal (&o->refused[0].id, &whole))
        return error_set (e, ERR_MALFORMED, "the refusal of another batch");
    return ERR_NONE;
}

static enum err promise_take (struct sender *self, const struct parcel *parcel,
                              const struct reply *reply, struct error *e) {
    struct outcome o = { 0 };
    struct error why = { 0 };
    if (reply->count != 1)
        return error_set (e, ERR_MALFORMED, "a promise of %zu frames",
                          reply->count);
    enum err rc = promise_reply_read (
        reply->frames[0], parcel->ids, parcel->count, &o.promise, &o.accepted,
        &o.accepted_count, &o.refused, &o.refused_count, &why);
    if (!rc)
        rc = outcome_check (self, parcel, &o, &why);
    if (rc) {
        /* Evidence, but of what? The link is given up, and all goes again. */
        enum err failed = core_notice (self->core, "BAD-PROMISE", true,
                                       why.text, reply->frames[0], e);
        if (!failed)
            *e = why;
        rc = failed ? failed : rc;
    } else {
        rc = outcome_take (self, parcel, &o, reply->frames[0], e);
    }
    free (o.accepted);
    free (o.refused);
    return rc;
}

/* An error: nothing was changed, and nothing is signed. So nothing is final
 * either, whatever it says. */
static enum err error_take (struct sender *self, const struct reply *reply,
                            struct error *e) {
    struct answer answer;
    char text[REFUSAL_TEXT_MAX];
    refusal_print (&reply->refusal, text);
    enum rule rule = reply->refusal.rule;
    if (rule == RULE_HELLO_FIRST || rule == RULE_NOT_LISTED)
        return error_set (e, ERR_STATE, "the desk answers %s", text);
    answer_read (&reply->refusal, &answer);
    if (answer.act == ANSWER_FINAL)
        answer.wait_ms = ANSWER_WAIT_MAX_MS;
    hold_back (self, &answer);
    self->resend = true;
    struct core *core = self->core;
    if (rule == RULE_NO_SPACE || rule == RULE_CLOCK
        || rule == RULE_LEDGER_BEHIND)
        snprintf (core->closed, sizeof core->closed, "%s", rule_name (rule));
    snprintf (core->problem, sizeof core->problem, "publish: %.400s", text);
    log_limited (LOG_WARN, "PUBLISH-FAILED", rule_name (rule), "why=%s",
                 log_text (text));
    return ERR_NONE;
}

enum err sender_reply (struct sender *self, const struct reply *reply,
                       struct error *e) {
    struct parcel **at = &self->flight;
    while (*at && (*at)->call != reply->id)
        at = &(*at)->next;
    struct parcel *parcel = *at;
    if (!parcel)
        return ERR_NONE;
    *at = parcel->next;
    self->batches--;
    self->messages -= parcel->count;
    self->core->changed = true;
    enum err rc = reply->refused ? error_take (self, reply, e)
                                 : promise_take (self, parcel, reply, e);
    parcel_free (&parcel);
    return rc;
}
