/* verify - from octets of a peer to a block that can be stored. */
#include "verify.h"

#include "base/topic.h"

#include <inttypes.h>

static enum verify_verdict bad (struct error *e, const struct block *block) {
    error_at (e, "block of record %" PRId64, block->first_sequence);
    return VERIFY_BAD;
}

/* A direct stream carries every ad-hoc channel that names its entity. */
static bool carries (struct slice stream, struct slice channel) {
    if (stream.size > 0 && stream.data[0] == '@')
        return channel_is_adhoc (channel)
               && channel_adhoc_names (
                   channel, slice_of (stream.data + 1, stream.size - 1));
    return slice_equal (stream, channel);
}

static enum err place_check (const struct block *block,
                             const struct block_facts *facts,
                             const struct verify_place *place,
                             struct error *e) {
    if (!carries (place->stream, facts->channel))
        return error_set (e, ERR_CHAIN, "channel '%.*s' in stream '%.*s'",
                          (int) facts->channel.size, facts->channel.data,
                          (int) place->stream.size, place->stream.data);
    if (place->count >= 0 && place->count != (int64_t) block->count)
        return error_set (e, ERR_CHAIN,
                          "%zu records, but %" PRId64 " were announced",
                          block->count, place->count);
    bool direct = place->stream.data[0] == '@';
    if (!direct && facts->first_channel_sequence != place->first)
        return error_set (
            e, ERR_CHAIN, "number %" PRId64 " of '%.*s', announced as %" PRId64,
            facts->first_channel_sequence, (int) place->stream.size,
            place->stream.data, place->first);
    return ERR_NONE;
}

/* Who may read a record gets its body: what a bundle may leave out, a broker
 * holds back. */
static enum err bodies_check (const struct block *block, struct error *e) {
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk))
        if (walk.state == BODY_ABSENT)
            return error_set (e, ERR_MALFORMED,
                              "record %" PRId64 " comes without its body",
                              block->first_sequence + (int64_t) walk.index);
    return ERR_NONE;
}

enum verify_verdict verify_form (struct slice octets,
                                 const struct verify_place *place,
                                 struct block *block, struct block_facts *facts,
                                 struct error *e) {
    *block = (struct block){ 0 };
    enum err rc = block_read (octets, block, e);
    if (rc == ERR_NEWER)
        return VERIFY_NEWER;
    if (!rc)
        rc = block_check (block, facts, e);
    if (!rc)
        rc = place_check (block, facts, place, e);
    if (!rc)
        rc = bodies_check (block, e);
    return rc ? bad (e, block) : VERIFY_FINE;
}

struct slice verify_roster_note (const struct block *block,
                                 const struct block_facts *facts) {
    struct slice none = { 0 };
    if (!slice_is (facts->channel, CHANNEL_LOG)
        || facts->roster != block->first_sequence)
        return none;
    struct block_walk walk;
    block_walk (block, &walk);
    struct record record;
    if (!block_next (&walk) || record_read (walk.record, &record, NULL)
        || record.type != RECORD_ROSTER || walk.state != BODY_PRESENT)
        return none;
    return walk.body;
}

/* The record behind a roster's is its mark. */
static enum err mark_check (const struct block *block,
                            const struct roster_chain *chain, struct error *e) {
    int64_t before = block->first_sequence - 1;
    struct block_walk walk;
    struct record record;
    block_walk (block, &walk);
    if (!roster_chain_by_record (chain, before) || !block_next (&walk))
        return ERR_NONE;
    enum err rc = record_read (walk.record, &record, e);
    if ((rc && rc != ERR_NEWER) || record.type == RECORD_MARK)
        return rc == ERR_NEWER ? ERR_NONE : rc;
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 " brings a roster, and no mark stands "
                      "behind it",
                      before);
}

enum verify_verdict verify_judge (const struct block *block,
                                  const struct block_facts *facts,
                                  const struct hash *dialogue,
                                  const struct roster_chain *chain,
                                  struct error *e) {
    const struct roster *roster = roster_chain_by_record (chain, facts->roster);
    if (!roster) {
        error_set (e, ERR_NOT_FOUND,
                   "the roster of record %" PRId64 " is not known yet",
                   facts->roster);
        return VERIFY_WAITS;
    }
    int64_t last = block->first_sequence + (int64_t) block->count - 1;
    if (facts->roster > block->first_sequence
        || roster_chain_at (chain, last) != roster) {
        error_set (e, ERR_CHAIN,
                   "it names the roster of record %" PRId64
                   ", which was not in force",
                   facts->roster);
        return bad (e, block);
    }
    enum err rc = mark_check (block, chain, e);
    if (!rc)
        rc = block_verify (block, dialogue, roster, e);
    return rc ? bad (e, block) : VERIFY_FINE;
}
