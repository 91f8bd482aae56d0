/* threads_digest - the derived state in few octets, so that agents can see that
 * they derived the same (THREADS.md section 11). */
#include "thread_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A thread: canonical JSON, keys sorted, compact. Nothing in it needs an
 * escape. */

static void counts_add (const struct thread *is,
                        const struct thread_version *version, struct buf *out) {
    const char *comma = "";
    buf_add_text (out, "\"counts\":[");
    for (size_t i = 0; i < version->party_count; i++) {
        if (!stance_counts (is, version, &version->parties[i]))
            continue;
        const struct thread_stance *stance =
            &is->stances[version->parties[i].stance];
        buf_add_format (out, "%s%" PRId64, comma,
                        stance->entry->origin.sequence);
        comma = ",";
    }
    buf_add_text (out, "]");
}

static void version_add (const struct thread *is, size_t index, int64_t now_ms,
                         struct buf *out) {
    const struct thread_version *version = &is->versions[index];
    struct thread_state state;
    thread_version_state (is, index, now_ms, &state);
    const struct tally *tally = &state.tally;
    buf_add_text (out, index ? ",{" : "{");
    counts_add (is, version, out);
    buf_add_format (out,
                    ",\"decided\":%" PRId64 ",\"sequence\":%" PRId64
                    ",\"status\":\"%s\",\"tally\":[%zu,%zu,%zu,%zu,%zu]}",
                    version->decided, version->entry->origin.sequence,
                    thread_status_name (is->place.kind, state.status),
                    tally->members, tally->for_, tally->against, tally->neither,
                    tally->silent);
}

/* Of the newest agreed version, that its bodies say are done. */
static void done_add (const struct thread *is, int64_t now_ms,
                      struct buf *out) {
    size_t agreed = thread_agreed (is, now_ms);
    const char *comma = "";
    buf_add_text (out, "\"done\":[");
    for (size_t i = 0; agreed != SIZE_MAX
                       && i < is->versions[agreed].proposal->undertaking_count;
         i++) {
        const struct undertaking *at =
            &is->versions[agreed].proposal->undertakings[i];
        const struct thread_entry *done = thread_done (is, at);
        if (!done)
            continue;
        buf_add_format (out, "%s[\"%s\",%" PRId64 "]", comma, at->id,
                        done->origin.sequence);
        comma = ",";
    }
    buf_add_text (out, "]");
}

static void closes_add (const struct thread *is, struct buf *out) {
    buf_add_text (out, "\"closes\":[");
    for (size_t i = 0; i < is->close_count; i++)
        buf_add_format (out, "%s[%" PRId64 ",%d]", i ? "," : "",
                        is->closes[i].entry->origin.sequence,
                        (int) is->closes[i].state);
    buf_add_text (out, "]");
}

static struct hash thread_hash (const struct thread_work *work,
                                int64_t now_ms) {
    const struct thread *is = &work->is;
    struct buf text = { 0 };
    buf_add_text (&text, "{");
    closes_add (is, &text);
    buf_add_text (&text, ",");
    done_add (is, now_ms, &text);
    buf_add_format (&text, ",\"last\":%" PRId64 ",\"quarantined\":%zu",
                    is->last, work->bad);
    buf_add_format (&text, ",\"topic\":\"%s\",\"versions\":[", work->topic);
    for (size_t i = 0; i < is->version_count; i++)
        version_add (is, i, now_ms, &text);
    buf_add_text (&text, "]}");
    struct hash out = hash_sha256 (buf_slice (&text));
    buf_free (&text);
    return out;
}

/* By time alone only these change. */
static uint64_t statuses (const struct thread *is, int64_t now_ms) {
    uint64_t out = 1;
    for (size_t i = 0; i < is->version_count; i++) {
        struct thread_state state;
        thread_version_state (is, i, now_ms, &state);
        uint64_t parts[] = { out, (uint64_t) state.status };
        out = hash_xxh3 (slice_of (parts, sizeof parts), 0);
    }
    return out;
}

static const struct hash *work_hash (struct thread_work *work, int64_t now_ms) {
    uint64_t of = statuses (&work->is, now_ms);
    if (!work->has_digest || work->digest_of != of)
        work->digest = thread_hash (work, now_ms);
    work->has_digest = true;
    work->digest_of = of;
    return &work->digest;
}

static struct hash threads_hash (struct threads *self, int64_t now_ms) {
    struct buf hashes = { 0 };
    for (size_t i = 0; i < self->work_count; i++)
        if (self->works[i]->is.entry_count > 0)
            buf_add (&hashes, work_hash (self->works[i], now_ms)->octets,
                     HASH_SIZE);
    struct hash out = hash_sha256 (buf_slice (&hashes));
    buf_free (&hashes);
    return out;
}

/* Records */

static int by_sequence (const void *a, const void *b) {
    int64_t x = (*(const struct thread_entry *const *) a)->origin.sequence;
    int64_t y = (*(const struct thread_entry *const *) b)->origin.sequence;
    return x < y ? -1 : x > y;
}

/* What came since is sorted, and joined to what was. */
static void all_sort (struct threads *self) {
    size_t i = self->sorted, left = self->sorted, count = self->all_count;
    if (left == count)
        return;
    qsort (self->all + i, count - i, sizeof *self->all, by_sequence);
    const struct thread_entry **fresh =
        mem_copy (self->all + i, (count - i) * sizeof *fresh);
    size_t right = count - i;
    for (size_t to = count; right > 0; to--)
        if (left > 0
            && by_sequence (&self->all[left - 1], &fresh[right - 1]) > 0)
            self->all[to - 1] = self->all[--left];
        else
            self->all[to - 1] = fresh[--right];
    free (fresh);
    self->sorted = count;
}

/* Each leaf, and whether its body could be read. Kept for the mark. */
static void records_make (struct threads *self, int64_t mark) {
    struct buf octets = { 0 };
    struct threads_digests *out = &self->records;
    if (self->records_mark == mark)
        return;
    all_sort (self);
    out->record_count = 0;
    buf_reserve (&octets, self->all_count * (HASH_SIZE + 1));
    while (out->record_count < self->all_count
           && self->all[out->record_count]->origin.sequence < mark) {
        const struct thread_entry *at = self->all[out->record_count++];
        buf_add (&octets, at->origin.leaf.octets, HASH_SIZE);
        buf_add_u8 (&octets, at->absent && !utterance_of (at)->say);
    }
    out->records = hash_sha256 (buf_slice (&octets));
    buf_free (&octets);
    self->records_mark = mark;
}

/* All of it */

static bool is_beyond (const struct thread_work *work, int64_t mark) {
    size_t count = work->utterances.count;
    return count > 0 && work->utterances.at[count - 1]->origin.sequence >= mark;
}

size_t threads_beyond (const struct threads *self, int64_t mark) {
    size_t out = 0;
    if (self->highest >= mark)
        for (size_t i = 0; i < self->work_count; i++)
            out += is_beyond (self->works[i], mark);
    return out;
}

void threads_digest_prepare (struct threads *self, int64_t mark,
                             int64_t mark_ms) {
    records_make (self, mark);
    for (size_t i = 0; i < self->work_count; i++)
        if (!is_beyond (self->works[i], mark))
            (void) work_hash (self->works[i], mark_ms);
}

static void limit_set (struct threads *self, int64_t mark, int64_t limit) {
    for (size_t i = 0; i < self->work_count; i++)
        if (is_beyond (self->works[i], mark))
            threads_dirty (self, self->works[i]);
    self->limit = limit;
    threads_derive (self);
}

void threads_digest (struct threads *self, int64_t mark, int64_t mark_ms,
                     struct threads_digests *out) {
    bool above = self->highest >= mark;
    threads_settle (self);
    records_make (self, mark);
    *out = self->records;
    if (above)
        limit_set (self, mark, mark);
    out->threads = threads_hash (self, mark_ms);
    if (above)
        limit_set (self, mark, INT64_MAX);
}
