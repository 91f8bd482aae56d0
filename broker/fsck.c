/* fsck - reads a ledger's folder from its first record to the last, and
 * rebuilds what checkpoints and marks say of it. In main's thread. */
#include "fsck.h"

#include "base/disk.h"
#include "base/topic.h"
#include "founding.h"
#include "identity/checkpoint.h"
#include "streams.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A stream's records so far. */
struct stream {
    char name[MARK_NAME_MAX];
    struct tree tree;
    int64_t last;
};

/* A checkpoint's file. */
struct kept {
    char *path; /* owned, both */
    struct buf octets;
    struct checkpoint checkpoint;
    struct note note;
};

struct fsck {
    struct fsck_report *report;
    const struct identity *broker; /* NULL: marks are passed over */
    int64_t other_mark;            /* the last one of another's key; -1 */
    struct hash dialogue;
    struct roster_chain *chain;
    struct tree tree; /* of the ledger */
    struct stream *streams;
    size_t stream_count, stream_room;
    struct kept *kept; /* ascending by size */
    size_t kept_count;
    size_t next; /* of kept: the first that is not behind us */
};

/* Streams */

static struct stream *stream_get (struct fsck *self, struct slice name) {
    for (size_t i = 0; i < self->stream_count; i++)
        if (slice_is (name, self->streams[i].name))
            return &self->streams[i];
    if (self->stream_count == self->stream_room) {
        self->stream_room = self->stream_room ? 2 * self->stream_room : 32;
        self->streams = mem_resize (self->streams,
                                    self->stream_room * sizeof *self->streams);
    }
    struct stream *made = &self->streams[self->stream_count++];
    *made = (struct stream){ .last = -1 };
    snprintf (made->name, sizeof made->name, "%.*s", (int) name.size,
              (const char *) name.data);
    return made;
}

static void stream_add (struct fsck *self, struct slice name, int64_t sequence,
                        const struct hash *leaf) {
    struct stream *stream = stream_get (self, name);
    tree_add (&stream->tree, leaf);
    stream->last = sequence;
}

static void streams_add (struct fsck *self, struct slice channel,
                         int64_t sequence, const struct hash *leaf) {
    char name[ENTITY_MAX + 2] = "@";
    struct slice entity;
    if (channel.data[0] != '@') {
        stream_add (self, channel, sequence, leaf);
        return;
    }
    for (size_t i = 0; (entity = channel_adhoc_entity (channel, i)).size > 0;
         i++) {
        memcpy (name + 1, entity.data, entity.size);
        stream_add (self, slice_of (name, 1 + entity.size), sequence, leaf);
    }
}

static enum err mark_check (struct fsck *self, const struct roster *roster,
                            int64_t sequence, const struct mark_payload *mark,
                            struct error *e) {
    size_t count = mark_streams (roster);
    char (*names)[MARK_NAME_MAX] = mem_alloc (count * sizeof *names);
    struct mark_stream *all = mem_alloc (count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        mark_stream_name (roster, i, names[i]);
        all[i].name = slice_text (names[i]);
        const struct stream *stream = stream_get (self, all[i].name);
        all[i].last = stream->last;
        all[i].count = (int64_t) stream->tree.size;
        all[i].root = tree_root (&stream->tree);
    }
    struct hash root =
        streams_root_of (identity_veil (self->broker), sequence, all, count);
    free (all);
    free (names);
    self->report->marks++;
    return mark->has_root && hash_equal (&root, &mark->root)
               ? ERR_NONE
               : error_set (e, ERR_DIGEST,
                            "record %" PRId64 ": the mark's root is not that "
                            "of the streams below it",
                            sequence);
}

/* Checkpoints */

static int by_size (const void *a, const void *b) {
    const struct kept *x = a, *y = b;
    return (x->checkpoint.size > y->checkpoint.size)
           - (x->checkpoint.size < y->checkpoint.size);
}

static enum err kept_read (struct fsck *self, char *path, struct error *e) {
    self->kept =
        mem_resize (self->kept, (self->kept_count + 1) * sizeof *self->kept);
    struct kept *one = &self->kept[self->kept_count++];
    *one = (struct kept){ .path = path };
    enum err rc = disk_read_file (path, CHECKPOINT_NOTE_MAX, &one->octets, e);
    if (rc)
        return rc;
    rc = checkpoint_read (buf_slice (&one->octets), &one->checkpoint,
                          &one->note, e);
    if (!rc && one->checkpoint.size == 0)
        rc = error_set (e, ERR_MALFORMED, "a checkpoint of nothing");
    if (rc)
        error_at (e, "%s", path);
    return rc;
}

/* `settled` and `roster-VERSION`; other names are nobody's. */
static enum err kept_load (struct fsck *self, const char *dir,
                           struct error *e) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/checkpoints", dir);
    char *folder = buf_take_text (&path);
    DIR *d = opendir (folder);
    enum err rc = ERR_NONE;
    if (!d && errno != ENOENT)
        rc = error_sys (e, errno, "open '%s'", folder);
    for (struct dirent *one; d && !rc && (one = readdir (d)) != NULL;) {
        if (strcmp (one->d_name, "settled") != 0
            && strncmp (one->d_name, "roster-", 7) != 0)
            continue;
        buf_add_format (&path, "%s/%s", folder, one->d_name);
        rc = kept_read (self, buf_take_text (&path), e);
    }
    if (d)
        closedir (d);
    free (folder);
    if (self->kept_count > 0)
        qsort (self->kept, self->kept_count, sizeof *self->kept, by_size);
    return rc;
}

static enum err kept_check (struct fsck *self, const struct kept *one,
                            struct error *e) {
    char origin[ORIGIN_MAX + 1];
    struct hash root = tree_root (&self->tree);
    const struct roster *roster =
        roster_chain_at (self->chain, one->checkpoint.size - 1);
    checkpoint_origin (roster, origin);
    enum err rc = checkpoint_check_log (&one->checkpoint, &one->note, origin,
                                        roster_log_key (roster), e);
    if (!rc && !hash_equal (&root, &one->checkpoint.root))
        rc = error_set (e, ERR_DIGEST,
                        "the ledger has another root at its size, %" PRId64,
                        one->checkpoint.size);
    if (rc)
        error_at (e, "%s", one->path);
    else
        self->report->checkpoints++;
    return rc;
}

static enum err kept_pass (struct fsck *self, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && self->next < self->kept_count
           && self->kept[self->next].checkpoint.size
                  == (int64_t) self->tree.size)
        rc = kept_check (self, &self->kept[self->next++], e);
    return rc;
}

static enum err kept_end (const struct fsck *self, struct error *e) {
    if (self->next == self->kept_count)
        return ERR_NONE;
    const struct kept *one = &self->kept[self->next];
    return error_set (e, ERR_CHAIN,
                      "%s is of %" PRId64 " records, the ledger has %" PRIu64
                      ": an old copy of it was brought back",
                      one->path, one->checkpoint.size, self->tree.size);
}

/* Records */

/* A roster's record adds the roster that its own block is judged under. */
static enum err roster_add (struct fsck *self, int64_t sequence,
                            struct slice body, struct error *e) {
    struct roster *roster = roster_read (body, e);
    enum err rc =
        roster ? roster_chain_add (self->chain, roster, sequence, e) : e->code;
    roster_unref (&roster);
    if (rc) {
        error_at (e, "record %" PRId64, sequence);
        return rc;
    }
    self->report->rosters++;
    return ERR_NONE;
}

/* The base of an epoch, where its roster's record stands. */
static enum err base_check (const struct fsck *self, int64_t sequence,
                            struct error *e) {
    int64_t base;
    struct hash want, root = tree_root (&self->tree);
    const struct roster *roster = roster_chain_last (self->chain, NULL);
    if (!roster_epoch_base (roster, &base, &want) || base != sequence
        || hash_equal (&root, &want))
        return ERR_NONE;
    return error_set (e, ERR_DIGEST,
                      "record %" PRId64 ": the root below is not the base_root "
                      "of roster version %" PRId64,
                      sequence, roster_version (roster));
}

/* The salts of an older epoch's marks were made with another key. */
static bool mark_is_ours (const struct fsck *self,
                          const struct roster *roster) {
    return memcmp (roster_log_key (roster),
                   identity_public (self->broker, KEY_LOG), KEY_SIZE)
           == 0;
}

/* Of the present epoch all have to be. */
static enum err marks_end (const struct fsck *self, struct error *e) {
    const struct roster *last = roster_chain_last (self->chain, NULL);
    const struct roster *of =
        self->other_mark < 0 ? NULL
                             : roster_chain_at (self->chain, self->other_mark);
    if (!of || !last || roster_epoch (of) != roster_epoch (last))
        return ERR_NONE;
    return error_set (e, ERR_DIGEST,
                      "record %" PRId64 ": the log key of its epoch is not "
                      "that of '%s': the mark's root can't be checked",
                      self->other_mark, identity_name (self->broker));
}

/* A mark speaks of what stands below it, and no stream carries `$log`. */
static enum err log_record (struct fsck *self, const struct record *record,
                            struct slice body, struct error *e) {
    struct mark_payload mark;
    if (record->type == RECORD_ROSTER)
        return roster_add (self, record->sequence, body, e)
                   ? e->code
                   : base_check (self, record->sequence, e);
    if (record->type != RECORD_MARK || !self->broker)
        return ERR_NONE;
    const struct roster *roster =
        roster_chain_by_record (self->chain, record->roster);
    enum err rc = mark_payload_read (record->payload, &mark, e);
    if (!rc && !roster)
        rc = error_set (e, ERR_CHAIN, "its roster is none");
    if (rc) {
        error_at (e, "record %" PRId64, record->sequence);
        return rc;
    }
    if (mark_is_ours (self, roster))
        return mark_check (self, roster, record->sequence, &mark, e);
    self->other_mark = record->sequence;
    return ERR_NONE;
}

static enum err records_pass (struct fsck *self, const struct block *block,
                              struct slice channel, struct error *e) {
    bool log = slice_is (channel, CHANNEL_LOG);
    enum err rc = ERR_NONE;
    struct block_walk walk;
    block_walk (block, &walk);
    while (!rc && block_next (&walk)) {
        struct record record;
        int64_t sequence = block->first_sequence + (int64_t) walk.index;
        struct hash leaf = record_leaf (walk.record);
        if (!log)
            streams_add (self, channel, sequence, &leaf);
        else if (!record_read (walk.record, &record, NULL))
            rc = log_record (self, &record, walk.body, e);
        tree_add (&self->tree, &leaf);
        if (!rc)
            rc = kept_pass (self, e);
    }
    return rc;
}

static enum err fsck_block (void *arg, const struct block *block,
                            const struct block_facts *facts, struct error *e) {
    struct fsck *self = arg;
    enum err rc = records_pass (self, block, facts->channel, e);
    if (rc)
        return rc;
    struct roster *roster = roster_chain_by_record (self->chain, facts->roster);
    if (!roster)
        return error_set (e, ERR_CHAIN,
                          "record %lld names record %lld as its roster, which "
                          "is none",
                          (long long) block->first_sequence,
                          (long long) facts->roster);
    self->report->blocks++;
    self->report->signatures += (int64_t) block->runs;
    return block_verify (block, &self->dialogue, roster, e);
}

static void fsck_free (struct fsck *self) {
    roster_chain_destroy (&self->chain);
    for (size_t i = 0; i < self->kept_count; i++) {
        free (self->kept[i].path);
        buf_free (&self->kept[i].octets);
    }
    free (self->kept);
    free (self->streams);
}

enum err ledger_fsck (const char *dir, const struct identity *broker,
                      struct fsck_report *report, struct error *e) {
    *report = (struct fsck_report){ .marks = broker ? 0 : -1 };
    struct fsck fsck = { .report = report, .broker = broker, .other_mark = -1 };
    enum err rc = ledger_dialogue (dir, &fsck.dialogue, e);
    if (rc)
        return rc;
    hash_text (report->dialogue, &fsck.dialogue);
    int lock = disk_lock (dir, e);
    if (lock < 0)
        return e->code;
    fsck.chain = roster_chain_new();
    rc = kept_load (&fsck, dir, e);
    if (!rc)
        rc = journal_scan (dir, &fsck.dialogue, fsck_block, &fsck,
                           &report->records, &report->torn_octets, e);
    if (!rc)
        rc = marks_end (&fsck, e);
    if (!rc)
        rc = kept_end (&fsck, e);
    fsck_free (&fsck);
    disk_close (&lock);
    return rc;
}
