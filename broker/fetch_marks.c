/* fetch_marks - requests 10 to 14 (PROTOCOL.md sections 8.11 and 8.12). */
#include "fetch_marks.h"

#include "base/clock.h"
#include "base/log.h"
#include "fetch_blocks.h"
#include "identity/rights.h"
#include "marked.h"

#include <inttypes.h>
#include <stdlib.h>

struct fetch_marks {
    struct state *state;   /* borrowed */
    struct notary *notary; /* borrowed, or NULL */
    struct marked *marked; /* owned */
};

struct fetch_marks *fetch_marks_new (struct state *state) {
    struct fetch_marks *self = mem_alloc (sizeof *self);
    self->state = state;
    self->marked = marked_new (state);
    return self;
}

void fetch_marks_set_notary (struct fetch_marks *self, struct notary *notary) {
    self->notary = notary;
}

void fetch_marks_destroy (struct fetch_marks **self_p) {
    if (!self_p || !*self_p)
        return;
    struct fetch_marks *self = *self_p;
    *self_p = NULL;
    marked_destroy (&self->marked);
    free (self);
}

/* Ends of a request */

static void answer (struct job *job) {
    job->reply_type = job->head.type + WIRE_REPLY;
    job->reply_count = 1;
}

static void refuse_malformed (struct job *job, const char *place,
                              const struct error *e) {
    struct refusal why;
    refusal_malformed (&why, place, e);
    job_fail (job, &why, e->text);
}

static void refuse_not_found (struct job *job, const char *text) {
    struct refusal why;
    refusal_set (&why, RULE_NOT_FOUND);
    job_fail (job, &why, text);
}

/* NOT-FOUND, or our own store fails, which the operator has to know. */
static void refuse_error (struct job *job, const char *what,
                          const struct error *e) {
    struct refusal why;
    if (e->code == ERR_NOT_FOUND) {
        refuse_not_found (job, e->text);
        return;
    }
    log_error ("FETCH-FAILED", "request=%s delegation=%s why=%s", what,
               log_text (job->delegation), log_text (e->text));
    refusal_set (&why, RULE_BUSY);
    job_fail (job, &why, "the ledger could not be read; its operator was told");
}

/* Checkpoints */

static void refuse_line (struct job *job, enum rule rule,
                         const struct error *e) {
    struct refusal why;
    refusal_set (&why, rule);
    refusal_text (&why, "delegation", job->delegation);
    if (rule == RULE_BAD_COSIGNATURE)
        refusal_text (&why, "why", e->text);
    job_fail (job, &why, e->text);
}

static void answer_cosign (struct fetch_marks *self, struct job *job) {
    struct error e = { 0 };
    int64_t settled = -1;
    enum err rc = ERR_NOT_FOUND;
    if (self->notary)
        rc = notary_cosign (self->notary, job->delegation, job_frame (job, 0),
                            &settled, &e);
    switch (rc) {
    case ERR_NONE:
        wire_settled_write (&job->reply[0], settled);
        answer (job);
        break;
    case ERR_MALFORMED:
    case ERR_LIMIT:
        refuse_malformed (job, "cosign", &e);
        break;
    case ERR_RIGHT:
        refuse_line (job, RULE_NOT_A_WITNESS, &e);
        break;
    case ERR_SIGNATURE:
    case ERR_DIGEST:
        refuse_line (job, RULE_BAD_COSIGNATURE, &e);
        break;
    case ERR_NOT_FOUND:
        refuse_not_found (job, "no checkpoint of this size is kept");
        break;
    default:
        refuse_error (job, "cosign", &e);
    }
}

static void answer_checkpoint (struct fetch_marks *self, struct job *job) {
    struct error e = { 0 };
    enum wire_which which;
    int64_t version;
    if (wire_checkpoint_read (job_frame (job, 0), &which, &version, &e)) {
        refuse_malformed (job, "checkpoint", &e);
        return;
    }
    enum err rc = ERR_NOT_FOUND;
    if (self->notary)
        rc = notary_note (self->notary, which, version, &job->reply[0], &e);
    if (!rc)
        answer (job);
    else if (rc == ERR_NOT_FOUND)
        refuse_not_found (job, "there is no such checkpoint");
    else
        refuse_error (job, "checkpoint", &e);
}

/* Paths */

struct asker {
    struct slice name;
    struct roster *now; /* owned reference */
    int64_t at;         /* ms */
};

/* Under the mark's roster or the present one; only of this one dates are
 * asked. */
static bool may_read (const struct asker *who, const struct said *said,
                      size_t n) {
    struct slice stream = said->streams[n].name;
    if (stream.data[0] == '@')
        return slice_equal (slice_of (stream.data + 1, stream.size - 1),
                            delegation_entity (who->name));
    return rights_ask (who->now, who->name, stream, RIGHT_READ, who->at)
               == VERDICT_YES
           || rights_ask (said->roster, who->name, stream, RIGHT_READ, 0)
                  == VERDICT_YES;
}

static void claims_write (const struct asker *who, const struct said *said,
                          struct buf *out) {
    size_t count = 0;
    bool *given = mem_alloc (said->count * sizeof *given);
    for (size_t n = 0; n < said->count; n++) {
        given[n] = may_read (who, said, n);
        count += given[n];
    }
    wire_claims_begin (out, said->mark, count);
    for (size_t n = 0; n < said->count; n++) {
        struct mark_claim claim;
        if (!given[n])
            continue;
        said_claim (said, n, &claim);
        mark_claim_write (out, &claim);
    }
    free (given);
}

static void answer_paths (struct fetch_marks *self, struct job *job) {
    struct error e = { 0 };
    const struct said *said;
    int64_t mark;
    if (wire_paths_read (job_frame (job, 0), &mark, &e)) {
        refuse_malformed (job, "paths", &e);
        return;
    }
    if (marked_find (self->marked, mark, &said, &e)) {
        refuse_error (job, "paths", &e);
        return;
    }
    struct asker who = { .name = slice_text (job->delegation),
                         .now = state_roster (self->state, NULL),
                         .at = clock_wall_ms() };
    claims_write (&who, said, &job->reply[0]);
    roster_unref (&who.now);
    answer (job);
}

/* Handed */

/* Is it a message that the delegation wrote or handed in? The channel is copied:
 * the record's octets go with the next one that is read. */
static enum err own_find (struct fetch_marks *self, const char *delegation,
                          int64_t sequence, char channel[CHANNEL_MAX + 1],
                          struct error *e) {
    struct record r;
    struct message m;
    enum err rc = marked_record (self->marked, sequence, &r, e);
    if (rc)
        return rc;
    bool own =
        r.type == RECORD_MESSAGE && !record_message (&r, &m, e)
        && (slice_is (m.author, delegation)
            || (r.via.present && slice_is (r.via.submitter, delegation)));
    if (!own)
        return error_set (e, ERR_NOT_FOUND,
                          "record %" PRId64 " was not handed in by %s",
                          sequence, delegation);
    memcpy (channel, r.channel.data, r.channel.size);
    channel[r.channel.size] = '\0';
    return ERR_NONE;
}

static bool carries (struct slice stream, struct slice channel) {
    return stream.data[0] == '@'
               ? channel_is_adhoc (channel)
                     && channel_adhoc_names (
                         channel, slice_of (stream.data + 1, stream.size - 1))
               : slice_equal (stream, channel);
}

static enum err handed_make (struct fetch_marks *self, const struct said *said,
                             size_t n, int64_t sequence,
                             struct wire_handed *out, struct error *e) {
    struct journal *journal = state_journal (self->state);
    struct index_source holder;
    struct tree_source source =
        journal_source (&holder, journal, said->names[n]);
    int64_t last;
    enum err rc = journal_stream_below (journal, said->names[n], sequence + 1,
                                        &out->number, &last, e);
    if (!rc && last != sequence)
        rc = error_set (e, ERR_DAMAGED,
                        "record %" PRId64 " is not where stream %s has it",
                        sequence, said->names[n]);
    if (!rc)
        rc = tree_inclusion (&source, (uint64_t) out->number - 1,
                             (uint64_t) said->streams[n].count, out->path,
                             &out->path_length, e);
    said_claim (said, n, &out->claim);
    return rc;
}

static enum err handed_write (struct fetch_marks *self, const struct said *said,
                              struct slice channel, int64_t sequence,
                              struct buf *out, struct error *e) {
    struct buf list = { 0 };
    size_t count = 0;
    enum err rc = ERR_NONE;
    for (size_t n = 0; !rc && n < said->count; n++) {
        struct wire_handed one;
        if (!carries (said->streams[n].name, channel))
            continue;
        rc = handed_make (self, said, n, sequence, &one, e);
        if (rc)
            break;
        wire_handed_put (&list, &one);
        count++;
    }
    if (!rc) {
        wire_handed_begin (out, said->mark, count);
        buf_add_slice (out, buf_slice (&list));
    }
    buf_free (&list);
    return rc;
}

static void answer_handed (struct fetch_marks *self, struct job *job) {
    struct error e = { 0 };
    char channel[CHANNEL_MAX + 1];
    const struct said *said = NULL;
    int64_t mark, sequence;
    if (wire_handed_read (job_frame (job, 0), &mark, &sequence, &e)) {
        refuse_malformed (job, "handed", &e);
        return;
    }
    enum err rc = marked_find (self->marked, mark, &said, &e);
    if (!rc && sequence >= mark)
        rc = error_set (&e, ERR_NOT_FOUND,
                        "record %" PRId64 " is not below mark %" PRId64,
                        sequence, mark);
    if (!rc)
        rc = own_find (self, job->delegation, sequence, channel, &e);
    if (!rc)
        rc = handed_write (self, said, slice_text (channel), sequence,
                           &job->reply[0], &e);
    if (rc)
        refuse_error (job, "handed", &e);
    else
        answer (job);
}

/* Cover */

static void refuse_stream (struct job *job, struct slice stream) {
    struct refusal why;
    refusal_set (&why, RULE_UNKNOWN_STREAM);
    refusal_slice (&why, "stream", stream);
    job_fail (job, &why, "no stream of this name for this delegation");
}

/* ERR_NOT_FOUND: an end within what one roster hides. */
static enum err ends_check (struct fetch_marks *self, const struct job *job,
                            const char *name, int64_t from, int64_t to,
                            int64_t last, struct error *e) {
    const int64_t ends[] = { from, to };
    bool may = true;
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && may && i < 2; i++)
        if (ends[i] > 0 && ends[i] < last)
            rc = fetch_may_cut (self->state, job->delegation, name, ends[i],
                                &may, e);
    if (!rc && !may)
        rc = error_set (e, ERR_NOT_FOUND,
                        "a cover ends within what one roster hides");
    return rc;
}

/* ERR_RIGHT: not the delegation's; ERR_MALFORMED: above what it has;
 * ends_check's. */
static enum err cover_make (struct fetch_marks *self, struct job *job,
                            struct slice stream, int64_t from, int64_t to,
                            struct error *e) {
    struct hash cover[TREE_COVER_MAX];
    struct index_source holder;
    char name[CHANNEL_MAX + 1];
    size_t length = 0;
    int64_t last;
    memcpy (name, stream.data, stream.size);
    name[stream.size] = '\0';
    enum err rc = fetch_last (self->state, job->delegation, name, &last, e);
    if (!rc && to > last)
        rc = error_set (e, ERR_MALFORMED,
                        "to number %" PRId64 "; the stream's last is %" PRId64,
                        to, last);
    if (!rc)
        rc = ends_check (self, job, name, from, to, last, e);
    if (rc)
        return rc;
    struct tree_source source =
        journal_source (&holder, state_journal (self->state), name);
    rc =
        tree_cover (&source, (uint64_t) from, (uint64_t) to, cover, &length, e);
    for (size_t i = 0; !rc && i < length; i++)
        buf_add (&job->reply[0], cover[i].octets, HASH_SIZE);
    return rc;
}

static void answer_cover (struct fetch_marks *self, struct job *job) {
    struct error e = { 0 };
    struct slice stream;
    int64_t from, to;
    if (wire_cover_read (job_frame (job, 0), &stream, &from, &to, &e)) {
        refuse_malformed (job, "cover", &e);
        return;
    }
    enum err rc = ERR_RIGHT;
    if (fetch_may_ask (job->delegation, stream))
        rc = cover_make (self, job, stream, from, to, &e);
    if (!rc)
        answer (job);
    else if (rc == ERR_RIGHT)
        refuse_stream (job, stream);
    else if (rc == ERR_MALFORMED)
        refuse_malformed (job, "cover", &e);
    else
        refuse_error (job, "cover", &e);
}

bool fetch_marks_answer (struct fetch_marks *self, struct job *job) {
    switch (job->head.type) {
    case WIRE_COSIGN:
        answer_cosign (self, job);
        return true;
    case WIRE_CHECKPOINT:
        answer_checkpoint (self, job);
        return true;
    case WIRE_PATHS:
        answer_paths (self, job);
        return true;
    case WIRE_HANDED:
        answer_handed (self, job);
        return true;
    case WIRE_COVER:
        answer_cover (self, job);
        return true;
    default:
        return false;
    }
}
