/* doubt - what a broker does wrong though each block of it is good. */
#include "follow_impl.h"

#include "base/clock.h"
#include "base/topic.h"
#include "identity/rights.h"
#include "ledger.h"
#include "store/outbox.h"
#include "store/records.h"

#include <inttypes.h>
#include <stdio.h>

/* May numbers of this stream be hidden from us, by the rosters that we know?
 * Where not, who says so withholds them. Of a direct stream nobody can tell
 * where one of its channels may be no more: which one it was is hidden too. */
bool doubt_may_hide (const struct core *core, const struct stream *stream) {
    const struct roster_chain *chain = rosters_chain (core->rosters);
    size_t count = roster_chain_count (chain);
    const struct roster *newest = rosters_newest (core->rosters);
    int64_t now = clock_wall_ms();
    if (strcmp (stream->name, CHANNEL_LOG) == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!rights_stream (roster_chain_nth (chain, i, NULL), newest,
                            slice_text (core->delegation),
                            slice_text (stream->name), now))
            return true;
    return count == 0;
}

/* A roster that was held back: records behind its place came under the one
 * before, and were taken for good. */
enum err doubt_late (struct follow *self, struct slice octets, int64_t sequence,
                     size_t known, struct error *e) {
    struct core *core = self->core;
    if (roster_chain_count (rosters_chain (core->rosters)) == known)
        return ERR_NONE;
    int64_t highest = records_highest (core->store, NULL);
    char text[200];
    if (highest <= sequence)
        return ERR_NONE;
    snprintf (text, sizeof text,
              "the roster of record %" PRId64 " was held back: records up to "
              "%" PRId64 " were given out under the one before it",
              sequence, highest);
    return core_notice (core, "ROSTER-LATE", true, text, octets, e);
}

/* Log times never fall in an epoch: one that does may bring an expired key back
 * to life. Told, and kept all the same: which of the two is wrong, nobody knows,
 * and one record of the year 3000 would shut out all that follow. */
enum err doubt_times (struct follow *self, const struct block *block,
                      const struct block_facts *facts, struct error *e) {
    struct core *core = self->core;
    const struct roster_chain *chain = rosters_chain (core->rosters);
    int64_t last = block->first_sequence + (int64_t) block->count - 1;
    int64_t before = facts->first_time, after = facts->last_time;
    int64_t below = records_below (core->store, block->first_sequence, &before);
    int64_t above = records_above (core->store, last, &after);
    const struct roster *of_below =
        below < 0 ? NULL : roster_chain_at (chain, below);
    const struct roster *of_above =
        above < 0 ? NULL : roster_chain_at (chain, above);
    bool falls = of_below && roster_epoch (of_below) == facts->epoch
                 && before > facts->first_time;
    bool rises = of_above && roster_epoch (of_above) == facts->epoch
                 && after < facts->last_time;
    if (!falls && !rises)
        return ERR_NONE;
    char text[200];
    snprintf (text, sizeof text,
              "record %" PRId64 " of log time %" PRId64 " stands %s record "
              "%" PRId64 " of %" PRId64,
              falls ? block->first_sequence : last,
              falls ? facts->first_time : facts->last_time,
              falls ? "behind" : "before", falls ? below : above,
              falls ? before : after);
    if (core->ledger)
        ledger_times (core->ledger, falls ? below : last,
                      falls ? block->first_sequence : above);
    return core_notice (core, "LOG-TIME", true, text, block->octets, e);
}

/* Under numbers that are held: the same, as a rule. Where not, and it proves
 * whose it is, the broker shows two ledgers; the stream goes on. */
enum err doubt_again (struct follow *self, struct stream *stream,
                      const struct block *block,
                      const struct block_facts *facts, struct error *e) {
    struct core *core = self->core;
    bool other = !doubt_may_hide (core, stream);
    struct error why = { 0 };
    enum err rc = records_compare (core->store, block, &other, &why);
    if (!rc && other)
        rc = error_set (&why, ERR_CHAIN,
                        "record %" PRId64 " has a number of another record",
                        block->first_sequence);
    if (rc && rc != ERR_CHAIN) {
        *e = why;
        return rc;
    }
    if (!rc
        || verify_judge (block, facts, &core->dialogue,
                         rosters_chain (core->rosters), &(struct error){ 0 })
               != VERIFY_FINE)
        return ERR_NONE;
    char text[ERROR_TEXT_MAX + STREAM_NAME_ROOM + 16];
    snprintf (text, sizeof text, "stream %s: %s", stream->name, why.text);
    return core_notice (core, "CONTRADICTION", true, text, block->octets, e);
}

/* Own keys */

#define EARLIER_MS 1000 /* none came for so long: that was all */

enum err doubt_own (struct follow *self, const struct record *record,
                    const struct message *message, struct error *e) {
    struct core *core = self->core;
    int64_t sequence = record->sequence;
    char text[240];
    bool known;
    enum err rc = outbox_knows (core->store, message, &known, e);
    if (rc || known)
        return rc;
    if (sequence < core->own_from
        || (sequence < core->own_restored
            && outbox_lane_known (core->store, message->lane))) {
        if (self->earlier++ == 0)
            self->earlier_first = sequence;
        self->earlier_last = sequence;
        self->earlier_at = clock_mono_ms();
        return ERR_NONE;
    }
    /* A contribution is written elsewhere, and handed in by another. */
    if (record->via.present) {
        snprintf (text, sizeof text,
                  "record %" PRId64
                  " was written with this delegation's key and "
                  "handed in by %.*s: make sure that it was meant to be",
                  sequence, (int) record->via.submitter.size,
                  (const char *) record->via.submitter.data);
        return core_notice (core, "OWN-KEY-VIA", false, text, record->octets,
                            e);
    }
    snprintf (text, sizeof text,
              "record %" PRId64
              " is signed with this delegation's key, and this "
              "agent did not send it: somebody else has the key, or a copy of "
              "the store",
              sequence);
    return core_notice (core, "OWN-KEY-USED", true, text, record->octets, e);
}

enum err doubt_own_tick (struct follow *self, int64_t now, struct error *e) {
    char text[240];
    if (self->earlier == 0 || now - self->earlier_at < EARLIER_MS)
        return ERR_NONE;
    snprintf (text, sizeof text,
              "%" PRId64 " messages of this delegation, records %" PRId64
              " to %" PRId64
              ", are of before this store was made or put back: make sure that "
              "they are yours",
              self->earlier, self->earlier_first, self->earlier_last);
    self->earlier = 0;
    return core_notice (self->core, "OWN-EARLIER", false, text,
                        (struct slice){ 0 }, e);
}
