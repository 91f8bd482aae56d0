/* judge - may this message be recorded? (PROTOCOL.md sections 5.4, 5.5, 6.4,
 * 6.5, 9.3). Pure; allocates nothing but for what it refuses. */
#include "judge.h"

#include "identity/rights.h"

#include <assert.h>
#include <stdio.h>

/* The batch */

static enum err refuse_author (struct refusal *why, enum rule rule,
                               const struct batch *batch) {
    refusal_set (why, rule);
    refusal_slice (why, "author", batch->author);
    return ERR_RIGHT;
}

static enum err refuse_key (struct refusal *why, enum rule rule,
                            const struct batch *batch) {
    (void) refuse_author (why, rule, batch);
    refusal_hex (why, "key", batch->key_id.octets, KEY_ID_SIZE);
    return ERR_KEY;
}

static enum err refuse_via (struct refusal *why, const struct via *via,
                            const char *text) {
    refusal_set (why, RULE_BAD_VIA);
    refusal_slice (why, "submitter", via->submitter);
    refusal_text (why, "why", text);
    return ERR_SIGNATURE;
}

static enum err check_connection (const struct job *job, struct refusal *why) {
    const struct batch *batch = &job->batch;
    bool is_author = slice_is (batch->author, job->delegation);
    if (batch->via.present && is_author)
        return refuse_author (why, RULE_VIA_NOT_WANTED, batch);
    if (!batch->via.present && !is_author) {
        (void) refuse_author (why, RULE_VIA_NEEDED, batch);
        refusal_text (why, "connection", job->delegation);
        return ERR_RIGHT;
    }
    if (batch->via.present && !slice_is (batch->via.submitter, job->delegation))
        return refuse_via (why, &batch->via,
                           "the connection is another delegation's");
    return ERR_NONE;
}

/* When a key ended that is past: its delegation's expiry or, for the older of
 * two sets, its own end. */
static int64_t key_until (const struct roster *roster,
                          const struct batch *batch) {
    const struct roster_delegation *d =
        roster_delegation (roster, batch->author);
    bool is_older = !key_id_equal (d->sign_id[0], batch->key_id);
    if (is_older && (d->expires == 0 || d->older_until < d->expires))
        return d->older_until;
    return d->expires;
}

static enum err check_author (const struct judge *self, const struct job *job,
                              struct refusal *why) {
    const struct batch *batch = &job->batch;
    const uint8_t *key;
    switch (rights_sign_key (self->roster, batch->author, batch->key_id,
                             self->log_time, &key)) {
    case KEY_FINE:
        break;
    case KEY_REVOKED:
        (void) refuse_author (why, RULE_REVOKED, batch);
        return ERR_KEY;
    case KEY_EXPIRED:
        (void) refuse_key (why, RULE_EXPIRED_KEY, batch);
        refusal_int (why, "until", key_until (self->roster, batch));
        return ERR_KEY;
    case KEY_UNKNOWN:
        return refuse_key (why, RULE_UNKNOWN_KEY, batch);
    }
    if (job->batch_verified && memcmp (job->key, key, KEY_SIZE) == 0)
        return ERR_NONE;
    return batch_signed (batch, self->dialogue, key)
               ? ERR_NONE
               : refuse_key (why, RULE_BAD_SIGNATURE, batch);
}

static enum err check_via (const struct judge *self, const struct job *job,
                           struct refusal *why) {
    static const char *const faults[] = {
        [KEY_UNKNOWN] = "its key is unknown",
        [KEY_EXPIRED] = "its key is expired",
        [KEY_REVOKED] = "its key is revoked",
    };
    const struct via *via = &job->batch.via;
    if (!via->present)
        return ERR_NONE;
    const uint8_t *key;
    enum key_fault fault = rights_sign_key (self->roster, via->submitter,
                                            via->key_id, self->log_time, &key);
    if (fault != KEY_FINE)
        return refuse_via (why, via, faults[fault]);
    if (job->via_verified && memcmp (job->via_key, key, KEY_SIZE) == 0)
        return ERR_NONE;
    return batch_via_signed (&job->batch, self->dialogue, key)
               ? ERR_NONE
               : refuse_via (why, via, "its signature does not verify");
}

enum err judge_batch (const struct judge *self, const struct job *job,
                      struct refusal *why) {
    assert (job->batch.size > 0);
    enum err rc = check_connection (job, why);
    if (!rc)
        rc = check_author (self, job, why);
    return rc ? rc : check_via (self, job, why);
}

/* Its messages */

static enum judgement refuse_number (struct refusal *why, enum rule rule,
                                     const struct message *m, int64_t highest) {
    refusal_set (why, rule);
    refusal_int (why, "number", m->number);
    refusal_int (why, "highest", highest);
    return JUDGE_REFUSE;
}

/* What can't be read has no number. */
static bool has_number (const struct message *m) {
    return m->author.size > 0;
}

static enum judgement judge_number (const struct judge *self,
                                    const struct message *m, int64_t *highest,
                                    int64_t *sequence, struct refusal *why) {
    if (!has_number (m))
        return JUDGE_RECORD;
    switch (lanes_ask (self->counters->lanes, m->author, m->lane, m->number,
                       sequence, highest)) {
    case LANE_USED:
        return JUDGE_SEEN;
    case LANE_OLD:
        return refuse_number (why, RULE_OLD_NUMBER, m, *highest);
    case LANE_JUMP:
        return refuse_number (why, RULE_NUMBER_JUMP, m, *highest);
    case LANE_FREE:
        break;
    }
    return JUDGE_RECORD;
}

static enum judgement refuse_version (const struct judge *self,
                                      struct refusal *why, enum rule rule,
                                      const struct message *m) {
    refusal_set (why, rule);
    refusal_int (why, "stated", m->roster_version);
    refusal_int (why, "in_force", roster_version (self->roster));
    return JUDGE_REFUSE;
}

static bool is_ahead (const struct judge *self, const struct message *m) {
    return m->roster_version > roster_version (self->roster);
}

/* Its author meant certain readers. Are they still the channel's? */
static bool same_readers (const struct judge *self, const struct message *m,
                          bool removed_only) {
    const struct roster *older = self->older (self->arg, m->roster_version);
    struct judge_memo *memo = self->memo;
    if (!older)
        return false;
    if (memo && memo->older == older && memo->now == self->roster
        && memo->removed_only == removed_only
        && slice_is (m->channel, memo->channel))
        return memo->same;
    bool same =
        rights_same_readers (older, self->roster, m->channel, removed_only);
    if (memo) {
        *memo = (struct judge_memo){ .older = older,
                                     .now = self->roster,
                                     .removed_only = removed_only,
                                     .same = same };
        memcpy (memo->channel, m->channel.data, m->channel.size);
    }
    return same;
}

static enum judgement judge_right (const struct judge *self,
                                   const struct message *m,
                                   struct refusal *why) {
    enum verdict verdict = rights_ask (self->roster, m->author, m->channel,
                                       RIGHT_WRITE, self->log_time);
    if (verdict == VERDICT_YES)
        return JUDGE_RECORD;
    if (verdict == VERDICT_UNKNOWN_CHANNEL)
        refusal_set (why, RULE_UNKNOWN_CHANNEL);
    else if (verdict == VERDICT_EMPTY_AUDIENCE)
        refusal_set (why, RULE_EMPTY_AUDIENCE);
    else { /* whether it takes part at all was asked for the batch */
        refusal_set (why, RULE_NOT_A_WRITER);
        refusal_slice (why, "author", m->author);
    }
    refusal_slice (why, "channel", m->channel);
    return JUDGE_REFUSE;
}

static enum judgement judge_topic (const struct judge *self,
                                   const struct message *m,
                                   struct refusal *why) {
    bool full;
    int64_t last = counters_topic_last (self->counters, m->topic, &full);
    if (last < 0 && channel_is_adhoc (m->channel)
        && counters_opener_full (self->counters, m->author))
        full = true;
    if (!full)
        return JUDGE_RECORD;
    refusal_set (why, RULE_TOPICS);
    refusal_slice (why, "channel", m->channel);
    refusal_int (why, "limit", COUNTERS_TOPICS_MAX);
    return JUDGE_REFUSE;
}

static enum judgement judge_lane (const struct judge *self,
                                  const struct message *m, int64_t highest,
                                  struct refusal *why) {
    if (highest > 0)
        return JUDGE_RECORD;
    int64_t limit = roster_limits (self->roster)->lanes_a_day;
    int64_t opened =
        lanes_opened (self->counters->lanes, m->author, self->log_time);
    if (opened < limit)
        return JUDGE_RECORD;
    refusal_set (why, RULE_LANES);
    refusal_int (why, "lanes", opened);
    refusal_int (why, "limit", limit);
    return JUDGE_REFUSE;
}

enum judgement judge_message (const struct judge *self, const struct job *job,
                              size_t index, int64_t *sequence,
                              struct refusal *why) {
    const struct batch_item *item = &job->batch.items[index];
    const struct message *m = &item->message;
    int64_t highest = 0;
    enum judgement out = judge_number (self, m, &highest, sequence, why);
    if (out != JUDGE_RECORD)
        return out;
    if (item->refusal) {
        *why = *item->refusal;
        return JUDGE_REFUSE;
    }
    /* Before rights, which a roster to come may give: they would be a final
     * refusal. */
    if (is_ahead (self, m))
        return refuse_version (self, why, RULE_ROSTER_AHEAD, m);
    out = judge_right (self, m, why);
    if (out != JUDGE_RECORD)
        return out;
    if (m->roster_version != roster_version (self->roster)
        && !same_readers (self, m, job->batch.via.present))
        return refuse_version (self, why, RULE_STALE_ROSTER, m);
    out = judge_topic (self, m, why);
    return out != JUDGE_RECORD ? out : judge_lane (self, m, highest, why);
}

static bool is_of_key (enum rule rule) {
    return rule == RULE_UNKNOWN_KEY || rule == RULE_EXPIRED_KEY
           || rule == RULE_REVOKED;
}

enum judgement judge_refused (const struct judge *self, const struct job *job,
                              size_t index, const struct refusal *all,
                              int64_t *sequence, struct refusal *why) {
    const struct message *m = &job->batch.items[index].message;
    int64_t highest;
    if (has_number (m)
        && lanes_ask (self->counters->lanes, m->author, m->lane, m->number,
                      sequence, &highest)
               == LANE_USED)
        return JUDGE_SEEN;
    if (has_number (m) && is_ahead (self, m) && is_of_key (all->rule))
        return refuse_version (self, why, RULE_ROSTER_AHEAD, m);
    *why = *all;
    return JUDGE_REFUSE;
}
