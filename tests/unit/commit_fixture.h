/* For the tests of judge, counters and commit, with the cast of
 * block_fixture.h: publishes as jobs (any author, topic, lane and number), and
 * a ledger in a folder of its own with its groups. */
#ifndef PARLEY_COMMIT_FIXTURE_H
#define PARLEY_COMMIT_FIXTURE_H

#include "block_fixture.h"

#include "base/clock.h"
#include "commit.h"
#include "commit_group.h"
#include "format/mark.h"

#include <ftw.h>
#include <unistd.h>

struct post {
    const char *topic;
    uint64_t lane;
    int64_t number;
    int64_t version; /* 0: 1 */
    size_t fill;     /* octets of content at least */
};

static void post_write (const struct hash *dialogue,
                        const struct identity *author, const struct post *post,
                        struct buf *header, struct buf *body) {
    struct buf content = { 0 };
    struct error e = { 0 };
    buf_add_format (&content, "words %" PRId64, post->number);
    while (content.size < post->fill)
        buf_add_u8 (&content, '.');
    struct message_draft draft = {
        .dialogue = dialogue,
        .author = identity_name (author),
        .key_id = identity_key_id (author, LABEL_BATCH),
        .roster_version = post->version ? post->version : 1,
        .lane = post->lane,
        .number = post->number,
        .author_time = BUILD_TIME,
        .topic = slice_text (post->topic),
        .body_format = BODY_TEXT,
    };
    if (message_write_body (BODY_TEXT, buf_slice (&content), body, &e)
        || message_write_header (&draft, buf_slice (body), header, &e))
        fail_msg ("%s", e.text);
    buf_free (&content);
}

static void job_frame_set (struct job *job, size_t n, struct slice octets) {
    if (n < job->frame_count)
        zmq_msg_close (&job->frames[n]);
    else
        job->frame_count = n + 1;
    zmq_msg_init_size (&job->frames[n], octets.size);
    if (octets.size)
        memcpy (zmq_msg_data (&job->frames[n]), octets.data, octets.size);
}

/* Read its frames again, as intake does but for signatures. */
FIXTURE_UNUSED static void job_read (struct job *job,
                                     const struct hash *dialogue) {
    batch_clear (&job->batch);
    job->batch_refused =
        batch_read (job_frame (job, 0), job_frame (job, 1), job_frame (job, 2),
                    dialogue, &job->batch, &job->why)
        != ERR_NONE;
}

/* One publish of `connection` (a delegation's name), signed by `author`, handed
 * in by `submitter` (NULL: nobody); read, and no signature verified. */
FIXTURE_UNUSED static struct job *job_of (const struct hash *dialogue,
                                          const char *connection,
                                          const struct identity *author,
                                          const struct identity *submitter,
                                          const struct post *posts,
                                          size_t count) {
    static struct buf header[BATCH_MAX], body[BATCH_MAX];
    struct batch_part parts[BATCH_MAX];
    struct buf frame[3] = { { 0 } };
    struct error e = { 0 };
    for (size_t i = 0; i < count; i++) {
        post_write (dialogue, author, &posts[i], &header[i], &body[i]);
        parts[i] =
            (struct batch_part){ buf_slice (&header[i]), buf_slice (&body[i]) };
    }
    if (batch_write (author, dialogue,
                     topic_channel (slice_text (posts[0].topic)), parts, count,
                     &frame[0], &frame[1], &frame[2], &e))
        fail_msg ("%s", e.text);
    struct job *job = mem_alloc (sizeof *job);
    snprintf (job->delegation, sizeof job->delegation, "%s", connection);
    for (size_t i = 0; i < 3; i++)
        job_frame_set (job, i, buf_slice (&frame[i]));
    job_read (job, dialogue);
    if (submitter) {
        buf_clear (&frame[0]);
        batch_write_via (&job->batch, submitter, dialogue, &frame[0]);
        job_frame_set (job, 0, buf_slice (&frame[0]));
        job_read (job, dialogue);
    }
    for (size_t i = 0; i < count; i++) {
        buf_free (&header[i]);
        buf_free (&body[i]);
    }
    for (size_t i = 0; i < 3; i++)
        buf_free (&frame[i]);
    return job;
}

FIXTURE_UNUSED static void job_drop (struct job **job_p) {
    struct job *job = *job_p;
    *job_p = NULL;
    batch_clear (&job->batch);
    for (size_t i = 0; i < job->frame_count; i++)
        zmq_msg_close (&job->frames[i]);
    for (size_t i = 0; i < 2; i++)
        buf_free (&job->reply[i]);
    free (job->refused);
    free (job);
}

/* A ledger: founded, closed and opened again. */
#define FOUNDED BUILD_TIME
struct world {
    struct cast cast;
    char dir[64];
    struct journal *journal;
    struct counters *counters;
    struct state *state;
    struct roster_chain *chain; /* a copy; the state has its own */
    pthread_mutex_t lock;
    struct group *group;
};

static void must (enum err rc, const struct error *e) {
    if (rc)
        fail_msg ("%s: %s", error_name (rc), e->text);
}

FIXTURE_UNUSED static void world_close (struct world *self) {
    group_destroy (&self->group);
    state_destroy (&self->state);
    roster_chain_destroy (&self->chain);
    counters_destroy (&self->counters);
    journal_close (&self->journal);
}

static void world_open (struct world *self, uint64_t segment_octets) {
    struct error e;
    struct journal_opened opened;
    struct journal_options options = { .segment_octets = segment_octets };
    self->counters = counters_new();
    struct journal_replay replay = counters_replay (self->counters);
    self->journal = journal_open (self->dir, &self->cast.dialogue, &options,
                                  &replay, &opened, &e);
    if (!self->journal)
        fail_msg ("%s", e.text);
    struct roster_chain *chain = counters_take_chain (self->counters);
    self->chain = roster_chain_new();
    int64_t sequence;
    struct roster *roster;
    for (int64_t v = 1;
         (roster = roster_chain_by_version (chain, v, &sequence)) != NULL; v++)
        must (roster_chain_add (self->chain, roster, sequence, &e), &e);
    self->state = state_new (self->cast.broker, self->journal, &chain);
    self->group =
        group_new (self->state, self->counters, self->chain, &self->lock);
}

FIXTURE_UNUSED static struct world *world_begin (uint64_t segment_octets) {
    struct world *self = mem_alloc (sizeof *self);
    struct error e;
    struct journal_opened opened;
    cast_begin (&self->cast);
    pthread_mutex_init (&self->lock, NULL);
    snprintf (self->dir, sizeof self->dir, "/tmp/parley-commit-XXXXXX");
    assert_non_null (mkdtemp (self->dir));
    must (journal_create (self->dir, &self->cast.dialogue, &e), &e);
    struct counters *counters = counters_new();
    struct journal_replay replay = counters_replay (counters);
    struct journal *journal = journal_open (self->dir, &self->cast.dialogue,
                                            NULL, &replay, &opened, &e);
    if (!journal)
        fail_msg ("%s", e.text);
    must (commit_found (journal, self->cast.broker, self->cast.roster, FOUNDED,
                        &e),
          &e);
    journal_close (&journal);
    counters_destroy (&counters);
    world_open (self, segment_octets);
    return self;
}

static int remove_one (const char *path, const struct stat *s, int flag,
                       struct FTW *ftw) {
    (void) s;
    (void) flag;
    (void) ftw;
    return remove (path);
}

FIXTURE_UNUSED static void world_end (struct world **self_p) {
    struct world *self = *self_p;
    world_close (self);
    (void) nftw (self->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    pthread_mutex_destroy (&self->lock);
    cast_end (&self->cast);
    free (self);
    *self_p = NULL;
}

/* What a stream has below the place where a walk over the ledger stands. */
struct world_stream {
    char name[MARK_NAME_MAX];
    struct tree tree;
    int64_t last;
};
struct world_walk {
    struct world *world;
    struct world_stream streams[32];
    int64_t marks;
};

static struct world_stream *world_stream (struct world_walk *self,
                                          struct slice name) {
    struct world_stream *one = self->streams;
    for (; one->name[0]; one++)
        if (slice_is (name, one->name))
            return one;
    assert_true (one < self->streams + 31);
    snprintf (one->name, sizeof one->name, "%.*s", (int) name.size,
              (const char *) name.data);
    one->last = -1;
    return one;
}

static void world_stream_add (struct world_walk *self, struct slice name,
                              int64_t sequence, const struct hash *leaf) {
    struct world_stream *one = world_stream (self, name);
    tree_add (&one->tree, leaf);
    one->last = sequence;
}

/* A mark's root is that of what stands below it, entry by entry. */
static void world_mark (struct world_walk *self, const struct record *mark) {
    struct mark_payload payload;
    struct tree tree = { 0 };
    struct error e;
    struct roster *roster =
        roster_chain_by_record (self->world->chain, mark->roster);
    for (size_t i = 0; i < mark_streams (roster); i++) {
        char name[MARK_NAME_MAX];
        mark_stream_name (roster, i, name);
        const struct world_stream *one = world_stream (self, slice_text (name));
        struct mark_stream entry = {
            .name = slice_text (name),
            .salt = mark_salt (identity_veil (self->world->cast.broker),
                               slice_text (name), mark->sequence),
            .last = one->last,
            .count = (int64_t) one->tree.size,
            .root = tree_root (&one->tree),
        };
        struct hash leaf = mark_leaf (&entry);
        tree_add (&tree, &leaf);
    }
    must (mark_payload_read (mark->payload, &payload, &e), &e);
    struct hash root = tree_root (&tree);
    assert_true (payload.has_root && hash_equal (&root, &payload.root));
    self->marks++;
}

static void world_record (struct world_walk *self, const struct record *r) {
    struct hash leaf = record_leaf (r->octets);
    char name[ENTITY_MAX + 2] = "@";
    struct slice entity;
    if (r->type == RECORD_MARK)
        world_mark (self, r);
    else if (r->channel.data[0] != '@')
        world_stream_add (self, r->channel, r->sequence, &leaf);
    for (size_t i = 0;
         r->channel.data[0] == '@'
         && (entity = channel_adhoc_entity (r->channel, i)).size > 0;
         i++) {
        memcpy (name + 1, entity.data, entity.size);
        world_stream_add (self, slice_of (name, 1 + entity.size), r->sequence,
                          &leaf);
    }
}

/* Every block of the ledger: form, and what it proves under its roster. */
static enum err world_block (void *arg, const struct block *block,
                             const struct block_facts *facts, struct error *e) {
    struct world_walk *walk = arg;
    struct world *self = walk->world;
    struct roster *roster = roster_chain_by_record (self->chain, facts->roster);
    assert_non_null (roster);
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w)) {
        struct record r;
        must (record_read (w.record, &r, e), e);
        world_record (walk, &r);
    }
    return block_verify (block, &self->cast.dialogue, roster, e);
}

FIXTURE_UNUSED static void world_check (struct world *self) {
    int64_t records;
    uint64_t torn;
    struct error e;
    struct world_walk walk = { .world = self };
    must (journal_scan (self->dir, &self->cast.dialogue, world_block, &walk,
                        &records, &torn, &e),
          &e);
    assert_int_equal (records, journal_size (self->journal));
    assert_int_equal (torn, 0);
    assert_true (walk.marks > 0);
}

/* The next roster of the one in force, from a document. */
FIXTURE_UNUSED static struct roster *world_next (struct world *self,
                                                 json_t *document) {
    char dialogue[HASH_TEXT_MAX];
    struct error e;
    struct roster *last = roster_chain_last (self->chain, NULL);
    struct roster *next = fixture_read (
        fixture_next (last, document),
        hash_text (dialogue, &self->cast.dialogue), "EUROPOL FRONTEX", &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

#endif
