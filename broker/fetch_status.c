/* fetch_status - a map of texts and integers, keys ascending. Only what every
 * delegation may know: how much others were refused is their operator's and the
 * broker's, and frames of the feed would tell on how many streams each record
 * stands. */
#include "fetch_status.h"

#include "base/clock.h"

#define PROGRAM "parley-broker"
#define PAIRS_MAX 32

struct status {
    struct {
        const char *key, *text; /* NULL: the number */
        int64_t number;
    } pairs[PAIRS_MAX];
    size_t count;
};

static void put_text (struct status *self, const char *key, const char *text) {
    self->pairs[self->count].key = key;
    self->pairs[self->count++].text = text;
}

static void put_number (struct status *self, const char *key, int64_t number) {
    self->pairs[self->count].key = key;
    self->pairs[self->count++].number = number;
}

/* Sizes and times (ms) are 0 where there is none. */
struct checkpoints {
    int64_t size, time, settled, settled_time;
};

static struct checkpoints checkpoints_of (struct notary *notary) {
    struct checkpoints out = { 0 };
    if (!notary)
        return out;
    notary_sizes (notary, &out.size, &out.settled, &out.settled_time);
    out.time = notary_signed_time (notary);
    out.size = out.size < 0 ? 0 : out.size;
    out.settled = out.settled < 0 ? 0 : out.settled;
    return out;
}

static void write (const struct status *self, struct buf *out) {
    mp_put_map (out, self->count);
    for (size_t i = 0; i < self->count; i++) {
        mp_put_str (out, self->pairs[i].key);
        if (self->pairs[i].text)
            mp_put_str (out, self->pairs[i].text);
        else
            mp_put_int (out, self->pairs[i].number);
    }
}

void fetch_status (struct state *state, struct notary *notary,
                   struct job *job) {
    struct refusal why;
    struct error awaited = { 0 };
    struct roster *roster = state_roster (state, NULL);
    struct state_counts *counts = state_counts (state);
    struct checkpoints checkpoint = checkpoints_of (notary);
    struct status s = { 0 };
    char run[HEX_SIZE (RUN_SIZE)];
    enum rule closed = state_closed (state, &why);
    (void) !state_hello_awaited (state, &awaited);
    put_number (&s, "accepted", atomic_load (&counts->accepted));
    put_text (&s, "awaited", awaited.text); /* before anything is recorded */
    put_number (&s, "checkpoint", checkpoint.size);
    put_number (&s, "checkpoint_time", checkpoint.time);
    put_text (&s, "closed", closed ? why.name : "");
    put_number (&s, "epoch", roster_epoch (roster));
    put_number (&s, "fetches", atomic_load (&counts->fetches));
    put_number (&s, "groups", atomic_load (&counts->groups));
    put_number (&s, "hellos", atomic_load (&counts->hellos));
    put_number (&s, "log_time", state_log_time (state));
    put_text (&s, "program", PROGRAM);
    put_number (&s, "quorum", roster_quorum (roster));
    put_number (&s, "roster_version", roster_version (roster));
    put_text (&s, "run", hex_encode (run, state_run (state), RUN_SIZE));
    put_number (&s, "settled", checkpoint.settled);
    put_number (&s, "settled_time", checkpoint.settled_time);
    put_number (&s, "size", journal_size (state_journal (state)));
    put_number (&s, "time", clock_wall_ms());
    put_number (&s, "unread", atomic_load (&counts->unread));
    put_text (&s, "version", PARLEY_VERSION);
    put_number (&s, "witnesses", (int64_t) roster_witnesses (roster));
    put_number (&s, "witnesses_heard", (int64_t) state_witnesses_heard (state));
    write (&s, &job->reply[0]);
    job->reply_type = WIRE_STATUS + WIRE_REPLY;
    job->reply_count = 1;
    roster_unref (&roster);
}
