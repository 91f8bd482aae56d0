/* Publishes as jobs, for the tests of judge and commit: the cast of
 * block_fixture.h, any author, topic, lane and number. */
#ifndef PARLEY_COMMIT_FIXTURE_H
#define PARLEY_COMMIT_FIXTURE_H

#include "block_fixture.h"

#include "job.h"

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
static struct job *job_of (const struct hash *dialogue, const char *connection,
                           const struct identity *author,
                           const struct identity *submitter,
                           const struct post *posts, size_t count) {
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

static void job_drop (struct job **job_p) {
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

#endif
