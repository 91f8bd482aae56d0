/* hello - what is said, and what is made of the answer. */
#include "hello.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/checkpoints.h"
#include "store/outbox.h"
#include "store/records.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRAM "parley-agent/" PARLEY_VERSION

static size_t lanes_read (struct core *core, struct wire_lane *lanes) {
    uint64_t names[HELLO_LANES_MAX];
    int64_t highest[HELLO_LANES_MAX];
    size_t count = outbox_lanes (core->store, names, highest, HELLO_LANES_MAX);
    for (size_t i = 0; i < count; i++)
        lanes[i] = (struct wire_lane){ names[i], highest[i] };
    return count;
}

enum err hello_send (struct core *core, struct hello *self, struct error *e) {
    const struct roster *roster = rosters_newest (core->rosters);
    struct wire_hello hello = {
        .lowest = WIRE_VERSION,
        .highest = WIRE_VERSION,
        .program = slice_text (PROGRAM),
        .time = clock_wall_ms(),
        .roster_version = roster_version (roster),
        .roster_digest = *roster_digest (roster),
    };
    randombytes_buf (self->nonce, sizeof self->nonce);
    memcpy (hello.nonce, self->nonce, sizeof hello.nonce);
    self->sent = hello.time;
    hello.lane_count = lanes_read (core, hello.lanes);
    hello.has_promise = outbox_highest_promise (
        core->store, roster_epoch (roster), &hello.promise);
    struct buf frame = { 0 }, note = { 0 };
    struct checkpoint cp;
    struct error why;
    char origin[ORIGIN_MAX + 1];
    checkpoint_origin (roster, origin);
    if (!checkpoints_verified (core->store, &cp, &note, &why)
        && strcmp (cp.origin, origin) == 0)
        hello.checkpoint = buf_slice (&note);
    wire_hello_write (&frame, &hello);
    struct slice frames[] = { buf_slice (&frame) };
    enum err rc =
        calls_send (core->calls, WIRE_HELLO, frames, 1, &self->call, e);
    buf_free (&frame);
    buf_free (&note);
    return rc;
}

/* The reply */

static enum err roster_check (const struct core *core,
                              const struct wire_welcome *welcome,
                              struct error *e) {
    const struct roster *ours = rosters_newest (core->rosters);
    int64_t version = roster_version (ours);
    if (welcome->roster_version > version)
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " is in force, version "
                          "%" PRId64 " is known here",
                          welcome->roster_version, version);
    if (welcome->roster_version == version
        && !hash_equal (&welcome->roster_digest, roster_digest (ours)))
        return error_set (e, ERR_SIGNATURE,
                          "the broker's roster version %" PRId64 " is not the "
                          "one that is known here",
                          version);
    return ERR_NONE;
}

enum err hello_check (struct core *core, const struct hello *self,
                      const struct reply *reply, struct wire_welcome *welcome,
                      struct error *e) {
    *welcome = (struct wire_welcome){ 0 };
    char text[REFUSAL_TEXT_MAX];
    if (reply->refused)
        return error_set (e, ERR_STATE, "hello is answered %s: %s",
                          refusal_print (&reply->refusal, text),
                          log_octets (reply->text.data, reply->text.size));
    if (reply->count != 2)
        return error_set (e, ERR_MALFORMED, "hello is answered in %zu frames",
                          reply->count);
    enum err rc =
        wire_welcome_check (reply->frames[0], reply->frames[1],
                            rosters_newest (core->rosters), clock_wall_ms(), e);
    if (!rc)
        rc = wire_welcome_read (reply->frames[0], welcome, e);
    if (rc)
        return rc;
    if (sodium_memcmp (welcome->nonce, self->nonce, sizeof self->nonce) != 0)
        return error_set (e, ERR_SIGNATURE, "the answer to another hello");
    if (!hash_equal (&welcome->dialogue, &core->dialogue))
        return error_set (e, ERR_SIGNATURE, "the broker of another dialogue");
    if (memcmp (welcome->run, reply->run, RUN_SIZE) != 0)
        return error_set (e, ERR_SIGNATURE, "the hello of another run");
    if (!slice_is (welcome->delegation, core->delegation))
        return error_set (
            e, ERR_KEY, "the broker takes us for %s",
            log_octets (welcome->delegation.data, welcome->delegation.size));
    if (welcome->lowest > WIRE_VERSION || welcome->highest < WIRE_VERSION)
        return error_set (e, ERR_NEWER,
                          "the broker speaks protocol versions %" PRId64
                          " to %" PRId64 ", this program %d",
                          welcome->lowest, welcome->highest, WIRE_VERSION);
    int64_t epoch = roster_epoch (rosters_newest (core->rosters));
    if (welcome->epoch < epoch) /* what it has above the base is void here */
        return error_set (e, ERR_STATE,
                          "the broker is in epoch %" PRId64 ", and epoch "
                          "%" PRId64 " has begun",
                          welcome->epoch, epoch);
    return roster_check (core, welcome, e);
}

/* What follows */

static enum err offset_take (struct core *core, const struct hello *self,
                             const struct wire_welcome *welcome,
                             int64_t *offset, struct error *e) {
    int64_t middle = self->sent + (clock_wall_ms() - self->sent) / 2;
    *offset = welcome->time - middle;
    if (*offset >= -HELLO_OFFSET_MAX_MS && *offset <= HELLO_OFFSET_MAX_MS)
        return ERR_NONE;
    log_warn ("CLOCK-OFFSET", "broker_minus_own_ms=%" PRId64, *offset);
    return core_notice (core, "CLOCK-OFFSET", false,
                        "this machine's clock and the broker's are more than "
                        "30 s apart",
                        (struct slice){ 0 }, e);
}

/* The last record below the newest checkpoint that was verified, of the epoch in
 * force; -1: none. */
static int64_t signed_highest (const struct core *core) {
    char origin[ORIGIN_MAX + 1];
    struct checkpoint cp;
    struct error why;
    checkpoint_origin (rosters_newest (core->rosters), origin);
    return checkpoints_verified (core->store, &cp, NULL, &why)
                   || strcmp (cp.origin, origin) != 0
               ? -1
               : cp.size - 1;
}

/* Promised to us, held by us, or under a checkpoint, and the broker does not have
 * it. */
static enum err memory_check (struct core *core,
                              const struct wire_welcome *welcome,
                              struct error *e) {
    struct promise_proof highest;
    char text[200];
    bool promised =
        outbox_highest_promise (core->store, welcome->epoch, &highest);
    int64_t held = records_highest (core->store, NULL);
    const char *how = "gave out";
    if (promised && highest.sequence >= held) {
        held = highest.sequence;
        how = "promised";
    }
    if (signed_highest (core) > held) {
        held = signed_highest (core);
        how = "signed a checkpoint of";
    }
    if (held < welcome->size && welcome->closed != RULE_LEDGER_BEHIND)
        return ERR_NONE;
    if (held < welcome->size) /* what it has there may still be another */
        return core_notice (core, "LEDGER-BEHIND", true,
                            "the broker says that its ledger lacks what it "
                            "promised: it has lost its memory",
                            (struct slice){ 0 }, e);
    snprintf (text, sizeof text,
              "the broker's ledger ends before record %" PRId64
              ", which it %s: it has lost its memory",
              held, how);
    return core_notice (core, "LEDGER-BEHIND", true, text, (struct slice){ 0 },
                        e);
}

/* A size that is remembered from the first time on. */
static enum err size_keep (struct core *core, const char *key, bool anew,
                           int64_t size, int64_t *out, struct error *e) {
    char text[24], *held = store_meta (core->store, key);
    *out = held ? strtoll (held, NULL, 10) : 0;
    bool known = held != NULL;
    free (held);
    if (!anew && known)
        return ERR_NONE;
    *out = size;
    snprintf (text, sizeof text, "%" PRId64, size);
    return store_set_meta (core->store, key, text, e);
}

/* From where on each record by our own key has to be in our outbox. */
static enum err own_bounds (struct core *core, int64_t size, bool older,
                            struct error *e) {
    enum err rc = size_keep (core, "own_from", false, size, &core->own_from, e);
    return rc ? rc
              : size_keep (core, "own_restored", older, older ? size : 0,
                           &core->own_restored, e);
}

/* Of the lane in use alone: one that was left behind stays behind. */
static bool lane_older (struct core *core, const struct wire_welcome *welcome) {
    struct wire_lane ours[HELLO_LANES_MAX];
    size_t count = lanes_read (core, ours);
    uint64_t lane = store_lane (core->store);
    int64_t signed_here = 0, held = 0;
    for (size_t i = 0; i < count; i++)
        if (ours[i].lane == lane)
            signed_here = ours[i].highest;
    for (size_t i = 0; i < welcome->lane_count; i++)
        if (welcome->lanes[i].lane == lane)
            held = welcome->lanes[i].highest;
    return held > signed_here;
}

enum err hello_take (struct core *core, const struct hello *self,
                     const struct wire_welcome *welcome, int64_t *offset,
                     bool *older, struct error *e) {
    memcpy (core->run, welcome->run, RUN_SIZE);
    calls_set_run (core->calls, welcome->run);
    core->size = welcome->size;
    core->log_time = welcome->log_time;
    core->roster_wanted = false;
    snprintf (core->closed, sizeof core->closed, "%s",
              welcome->closed == RULE_NONE ? "" : welcome->closed_name);
    *older = lane_older (core, welcome);
    enum err rc = offset_take (core, self, welcome, offset, e);
    if (!rc)
        rc = memory_check (core, welcome, e);
    if (!rc)
        rc = own_bounds (core, welcome->size, *older, e);
    if (!rc && *older)
        rc = core_notice (
            core, "STORE-OLDER", false,
            "the broker holds messages of this agent that this store does not: "
            "it is an older copy; what waits goes under a new lane, what is "
            "missing is fetched",
            (struct slice){ 0 }, e);
    return rc;
}
