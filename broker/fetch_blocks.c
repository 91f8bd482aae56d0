/* fetch_blocks - parts of a stream for one delegation (PROTOCOL.md sections
 * 5.4 and 8.5).
 *
 * Records of one block have one channel and one roster, so that a block is
 * readable as a whole, or only where the delegation is the author. */
#include "fetch_blocks.h"

#include "base/clock.h"
#include "identity/rights.h"

#include <inttypes.h>
#include <stdlib.h>

/* Octets read for one request: what is not readable is read too, and somebody
 * who was let in late could ask for years of it. It gets what was found, and
 * asks on from there. To find a block costs as much as to read some. */
#define READ_MOST (4 * (size_t) FETCH_OCTETS_MAX)
#define FIND_OCTETS 4096

bool fetch_may_ask (const char *delegation, struct slice stream) {
    if (stream.size > 0 && stream.data[0] == '@')
        return slice_equal (slice_of (stream.data + 1, stream.size - 1),
                            delegation_entity (slice_text (delegation)));
    return slice_is (stream, CHANNEL_LOG) || channel_name_valid (stream);
}

/* One reply in the making. */
struct gather {
    struct state *state;
    struct job *job;
    struct roster *now; /* owned reference */
    int64_t at;         /* ms */
    size_t budget;      /* octets of blocks */
    size_t octets, read;
    struct block_writer *writer; /* owned; NULL until a block is cut */
    struct wire_item *items;     /* owned */
    size_t item_count;
    size_t room;  /* of the job's blocks */
    int64_t last; /* of the stream, as it is told */
    bool full;
};

static void item_add (struct gather *self, bool readable, int64_t first,
                      int64_t last) {
    struct wire_item *before =
        self->item_count ? &self->items[self->item_count - 1] : NULL;
    if (!readable && before && !before->readable) {
        before->last = last;
        return;
    }
    self->items[self->item_count++] =
        (struct wire_item){ readable, first, last };
    self->full = self->item_count == FETCH_ITEMS_MAX;
}

/* Takes the octets, or says that there is no more room. */
static void block_give (struct gather *self, int64_t first, int64_t last,
                        struct buf *octets) {
    struct job *job = self->job;
    if (job->block_count > 0 && octets->size > self->budget - self->octets) {
        self->full = true;
        return;
    }
    if (job->block_count == self->room) {
        self->room = self->room ? 2 * self->room : 8;
        job->blocks = mem_resize (job->blocks, self->room * sizeof *octets);
    }
    self->octets += octets->size;
    job->blocks[job->block_count++] = *octets;
    *octets = (struct buf){ 0 };
    item_add (self, true, first, last);
    if (self->octets >= self->budget)
        self->full = true;
}

/* A block of the journal, and where it lies in the stream. */
struct found {
    struct buf octets;
    struct block block; /* of octets */
    int64_t first;      /* number of its first record */
    struct slice channel;
    int64_t roster;
};

static enum err find (struct gather *self, const char *stream, int64_t number,
                      struct found *out, struct error *e) {
    struct journal *journal = state_journal (self->state);
    enum err rc = journal_read_stream (journal, stream, number, &out->octets,
                                       &out->first, e);
    if (!rc)
        rc = block_read (buf_slice (&out->octets), &out->block, e);
    if (rc) {
        error_at (e, "stream %s, number %" PRId64, stream, number);
        return rc;
    }
    struct block_walk walk;
    struct record record;
    block_walk (&out->block, &walk);
    if (!block_next (&walk))
        return error_set (e, ERR_DAMAGED, "a block without records");
    /* A newer type has channel and roster where ours have them. */
    rc = record_read (walk.record, &record, e);
    if (rc && rc != ERR_NEWER)
        return rc;
    out->channel = record.channel;
    out->roster = record.roster;
    self->read += out->octets.size + FIND_OCTETS;
    return ERR_NONE;
}

static bool readable (struct gather *self, const struct found *found,
                      struct slice author) {
    struct roster *then = state_roster_of (self->state, found->roster);
    bool yes =
        rights_record (then, self->now, slice_text (self->job->delegation),
                       found->channel, author, self->at);
    roster_unref (&then);
    return yes;
}

static bool is_own (const struct gather *self, struct slice octets) {
    struct record record;
    struct message message;
    struct error e;
    if (record_read (octets, &record, &e) || record.type != RECORD_MESSAGE
        || record_message (&record, &message, &e))
        return false;
    return slice_is (message.author, self->job->delegation);
}

/* Records [from, to) of the block, all readable. */
static enum err give_part (struct gather *self, struct found *found,
                           size_t from, size_t to, struct error *e) {
    int64_t first = found->first + (int64_t) from;
    int64_t last = found->first + (int64_t) to - 1;
    if (from == 0 && to == found->block.count) {
        block_give (self, first, last, &found->octets);
        return ERR_NONE;
    }
    if (!self->writer)
        self->writer = block_writer_new();
    struct buf part = { 0 };
    enum err rc =
        block_cut (&found->block, from, to - from, self->writer, &part, e);
    if (!rc)
        block_give (self, first, last, &part);
    buf_free (&part);
    return rc;
}

/* Of a block that is closed to the delegation: runs of its own records, and
 * what is between them. */
static enum err give_own (struct gather *self, struct found *found, size_t from,
                          size_t to, struct error *e) {
    struct block_walk walk;
    bool own = false;
    size_t start = from;
    enum err rc = ERR_NONE;
    block_walk (&found->block, &walk);
    while (!rc && !self->full && block_next (&walk) && walk.index < to) {
        if (walk.index < from)
            continue;
        bool mine = is_own (self, walk.record);
        if (walk.index > from && mine != own) {
            if (own)
                rc = give_part (self, found, start, walk.index, e);
            else
                item_add (self, false, found->first + (int64_t) start,
                          found->first + (int64_t) walk.index - 1);
            start = walk.index;
        }
        own = mine;
    }
    if (rc || self->full)
        return rc;
    if (own)
        return give_part (self, found, start, to, e);
    item_add (self, false, found->first + (int64_t) start,
              found->first + (int64_t) to - 1);
    return ERR_NONE;
}

/* A roster's record is synced a moment before the roster is in force. Who had it
 * by then would be judged by the one before, and take that for its word: it is
 * not there yet. */
static bool in_force (struct gather *self, const struct found *found) {
    struct roster *then = state_roster_of (self->state, found->roster);
    bool yes = then != NULL;
    roster_unref (&then);
    return yes;
}

static enum err gather_part (struct gather *self, struct found *found,
                             size_t from, size_t to, struct error *e) {
    return readable (self, found, (struct slice){ 0 })
               ? give_part (self, found, from, to, e)
               : give_own (self, found, from, to, e);
}

/* The block that holds `number`, up to `last`. *next: the number behind it. */
static enum err gather_block (struct gather *self, const char *stream,
                              int64_t number, int64_t last, int64_t *next,
                              struct error *e) {
    struct found found = { 0 };
    enum err rc = find (self, stream, number, &found, e);
    if (!rc && !in_force (self, &found)) {
        self->last = number - 1;
        self->full = true;
    } else if (!rc) {
        size_t from = (size_t) (number - found.first), to = found.block.count;
        if (last - found.first + 1 < (int64_t) to)
            to = (size_t) (last - found.first + 1);
        *next = found.first + (int64_t) to;
        rc = gather_part (self, &found, from, to, e);
    }
    buf_free (&found.octets);
    return rc;
}

/* A block that can't be read hides none in front of it: it gets those, and asks
 * on from the one that is not there. */
static enum err gather_all (struct gather *self, const char *stream,
                            int64_t first, int64_t last, struct error *e) {
    int64_t number = first;
    enum err rc = ERR_NONE;
    while (!rc && number <= last && !self->full && self->read < READ_MOST)
        rc = gather_block (self, stream, number, last, &number, e);
    return self->item_count > 0 ? ERR_NONE : rc;
}

enum err fetch_blocks (struct state *state, struct job *job, const char *name,
                       int64_t last, const struct wire_fetch *wanted,
                       struct error *e) {
    struct gather self = { .state = state, .job = job, .last = last };
    self.now = state_roster (state, NULL);
    self.at = clock_wall_ms();
    self.budget = wanted->octets < FETCH_OCTETS_MAX ? (size_t) wanted->octets
                                                    : FETCH_OCTETS_MAX;
    self.items = mem_alloc (FETCH_ITEMS_MAX * sizeof *self.items);
    int64_t to = wanted->last >= 0 && wanted->last < last ? wanted->last : last;
    enum err rc = gather_all (&self, name, wanted->first, to, e);
    if (!rc) {
        wire_items_write (&job->reply[0], wanted->stream, self.last, self.items,
                          self.item_count);
        job->reply_type = WIRE_FETCH + WIRE_REPLY;
        job->reply_count = 1;
    }
    free (self.items);
    block_writer_destroy (&self.writer);
    roster_unref (&self.now);
    return rc;
}

/* Where a cover may end */

struct side {
    int64_t roster; /* in force at the record */
    bool hidden;    /* by that one */
};

static bool hides (struct state *state, const char *delegation,
                   const struct record *r) {
    struct message m;
    struct slice author = { 0 };
    struct error e;
    if (r->type == RECORD_MESSAGE && !record_message (r, &m, &e))
        author = m.author;
    struct roster *then = state_roster_of (state, r->roster);
    bool reads = then
                 && rights_record (then, then, slice_text (delegation),
                                   r->channel, author, 0);
    roster_unref (&then);
    return !reads;
}

static enum err side_find (struct state *state, const char *delegation,
                           const char *stream, int64_t number, struct side *out,
                           struct error *e) {
    struct buf octets = { 0 };
    struct block block;
    struct block_walk walk;
    struct record record = { .roster = -1 };
    int64_t at = 0;
    enum err rc = journal_read_stream (state_journal (state), stream, number,
                                       &octets, &at, e);
    if (!rc)
        rc = block_read (buf_slice (&octets), &block, e);
    if (!rc) {
        block_walk (&block, &walk);
        while (at <= number && block_next (&walk))
            at++;
        rc = record_read (walk.record, &record, e);
    }
    if (!rc || rc == ERR_NEWER) {
        *out =
            (struct side){ record.roster, hides (state, delegation, &record) };
        rc = ERR_NONE;
    }
    buf_free (&octets);
    return rc;
}

enum err fetch_may_cut (struct state *state, const char *delegation,
                        const char *stream, int64_t number, bool *may,
                        struct error *e) {
    struct side before, behind;
    enum err rc = side_find (state, delegation, stream, number, &before, e);
    if (!rc)
        rc = side_find (state, delegation, stream, number + 1, &behind, e);
    *may =
        !rc
        && (!before.hidden || !behind.hidden || before.roster != behind.roster);
    return rc;
}

/* From where all is readable */

/* The first number of the stream whose record is at or above `sequence`. */
static enum err number_at (struct journal *journal, struct wire_stream *stream,
                           int64_t sequence, struct error *e) {
    char name[ROSTER_NAME_MAX + 1];
    int64_t low = 1, high = stream->last + 1; /* it is one of [low, high] */
    enum err rc = ERR_NONE;
    memcpy (name, stream->name.data, stream->name.size);
    name[stream->name.size] = '\0';
    while (!rc && low < high) {
        struct index_entry block;
        int64_t first = 0;
        rc = journal_find_stream (journal, name, low + (high - low) / 2, &block,
                                  &first, e);
        if (rc)
            break;
        int64_t into = sequence - block.first_sequence;
        if (into <= 0)
            high = first;
        else if (into >= block.count)
            low = first + block.count;
        else
            low = high = first + into;
    }
    stream->readable_from = low;
    return rc;
}

/* Did it read the stream under `then`? As for records of that time, without a
 * look at dates. */
static bool was_reader (const struct roster *then, const char *delegation,
                        struct slice stream) {
    const struct roster_delegation *d =
        roster_delegation (then, slice_text (delegation));
    const struct roster_channel *channel = roster_channel (then, stream);
    return d && channel && d->key_count > 0 && !d->revoked
           && roster_channel_reader (then, channel, d);
}

/* Records of a stream in front of the roster of `version`. */
static enum err count_before (struct state *state, int64_t version,
                              struct slice name, int64_t *last,
                              struct error *e) {
    int64_t sequence;
    struct roster *roster = state_roster_version (state, version, &sequence);
    struct wire_stream stream = { .name = name, .last = *last };
    roster_unref (&roster);
    enum err rc = number_at (state_journal (state), &stream, sequence, e);
    *last = stream.readable_from - 1;
    return rc;
}

/* The version of the roster that ended its reading, 0: it reads. */
static enum err ended_by (struct state *state, const char *delegation,
                          struct slice name, int64_t *ended, struct error *e) {
    struct roster *then = state_roster (state, NULL);
    int64_t version = roster_version (then);
    bool reads = was_reader (then, delegation, name);
    roster_unref (&then);
    *ended = reads ? 0 : version;
    while (!reads && --version > 0) {
        then = state_roster_version (state, version, NULL);
        reads = then && was_reader (then, delegation, name);
        if (then && !reads)
            *ended = version;
        roster_unref (&then);
    }
    return reads ? ERR_NONE
                 : error_set (e, ERR_RIGHT, "it never was one of its readers");
}

enum err fetch_last (struct state *state, const char *delegation,
                     const char *stream, int64_t *last, struct error *e) {
    struct slice name = slice_text (stream);
    int64_t ended = 0;
    /* Before rosters are looked at: one that ends it may come meanwhile, and
     * records behind it. */
    *last = journal_stream_last (state_journal (state), stream);
    enum err rc = ERR_NONE;
    if (stream[0] != '@' && !slice_is (name, CHANNEL_LOG))
        rc = ended_by (state, delegation, name, &ended, e);
    if (!rc && ended > 0)
        rc = count_before (state, ended, name, last, e);
    return rc;
}

/* From the roster in force back, as long as a stream stays readable under each.
 * `since` becomes the record of the oldest of those; 0: of all. */
static void walk_back (struct state *state, const struct roster *now,
                       const char *delegation,
                       const struct wire_stream *streams, size_t count,
                       int64_t *since) {
    int64_t at = clock_wall_ms();
    size_t open = count;
    bool *ended = mem_alloc (count);
    for (int64_t v = roster_version (now); v > 0 && open > 0; v--) {
        int64_t sequence;
        struct roster *then = state_roster_version (state, v, &sequence);
        for (size_t i = 0; then && i < count; i++) {
            if (ended[i])
                continue;
            ended[i] = !rights_stream (then, now, slice_text (delegation),
                                       streams[i].name, at);
            if (ended[i])
                open--;
            else
                since[i] = sequence;
        }
        roster_unref (&then);
    }
    free (ended);
}

enum err fetch_readable_from (struct state *state, const char *delegation,
                              struct wire_stream *streams, size_t count,
                              struct error *e) {
    struct roster *now = state_roster (state, NULL);
    int64_t *since = mem_alloc ((count + 1) * sizeof *since);
    for (size_t i = 0; i < count; i++)
        since[i] = INT64_MAX; /* not even under the present one */
    walk_back (state, now, delegation, streams, count, since);
    enum err rc = ERR_NONE;
    for (size_t i = 0; i < count && !rc; i++) {
        streams[i].readable_from = 1;
        if (since[i] == INT64_MAX)
            streams[i].readable_from = streams[i].last + 1;
        else if (since[i] > 0)
            rc = number_at (state_journal (state), &streams[i], since[i], e);
    }
    free (since);
    roster_unref (&now);
    return rc;
}
