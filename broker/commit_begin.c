/* commit_begin - the records that begin a ledger, or an epoch of it: a roster and
 * its mark, while no broker runs (PROTOCOL.md sections 7.1 and 7.7). */
#include "commit.h"
#include "commit_block.h"
#include "streams.h"

/* A roster and its mark, at a journal's end. */
static enum err begin_with (struct journal *journal,
                            const struct identity *broker,
                            struct roster *roster, int64_t log_number,
                            int64_t log_time, struct error *e) {
    struct streams *streams = streams_new (broker);
    struct blocks *blocks = blocks_new();
    const int64_t first = journal_size (journal);
    struct record place = { .sequence = first,
                            .log_time = log_time,
                            .roster = first,
                            .channel_sequence = log_number };
    struct hash leaves[2], root;
    size_t count;
    leaves[0] = blocks_roster (blocks, &place, roster);
    place.sequence++;
    place.channel_sequence++;
    enum err rc =
        streams_root (streams, journal, roster, place.sequence, &root, e);
    if (!rc) {
        leaves[1] = blocks_mark (blocks, &place, roster, &root);
        const struct journal_block *all =
            blocks_finish (blocks, first, leaves, &count);
        rc = journal_append (journal, all, count, e);
    }
    blocks_destroy (&blocks);
    streams_destroy (&streams);
    return rc;
}

enum err commit_found (struct journal *journal, const struct identity *broker,
                       struct roster *first, int64_t log_time,
                       struct error *e) {
    enum err rc = roster_founds (first, e);
    return rc ? rc : begin_with (journal, broker, first, 1, log_time, e);
}

enum err commit_epoch (struct journal *journal, const struct identity *broker,
                       struct roster *next, int64_t log_number,
                       int64_t log_time, struct error *e) {
    return begin_with (journal, broker, next, log_number, log_time, e);
}
