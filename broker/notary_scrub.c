/* notary_scrub - old segments and stored hashes, gone through while there is
 * nothing else to do. */
#include "notary_impl.h"

#include "base/log.h"

#define STEP_MS 5        /* between two blocks */
#define UNKNOWN_MS 10000 /* until another try where it could not be known */

/* The next block's first record, where the index still knows; or the next one.
 * */
static int64_t behind_block (struct journal *journal, int64_t sequence) {
    struct index_entry entry;
    if (journal_find (journal, sequence, &entry, NULL))
        return sequence + 1;
    int64_t next = entry.first_sequence + entry.count;
    return next > sequence ? next : sequence + 1;
}

static void say (const struct notary_reader *reader, const struct error *e) {
    log_limited (LOG_ERROR, "LEDGER-DAMAGED", "",
                 "record=%lld why=%s advice=\"the rest is served as before; "
                 "parley-broker fsck names what is damaged, and parley-broker "
                 "repair puts it back from what agents export\"",
                 (long long) reader->place, log_text (e->text));
}

/* The stored hashes above the leaves make the root that was read back. */
static void round_end (struct notary_scrub *self,
                       struct notary_reader *reader) {
    struct index_source source;
    struct tree_source hashes = journal_source (&source, reader->journal, NULL);
    struct hash stored, own = tree_root (&self->tree);
    struct error e = { 0 };
    if (self->holes)
        return;
    enum err rc = tree_source_root (&hashes, self->tree.size, &stored, &e);
    if (!rc && hash_equal (&stored, &own)) {
        log_info ("LEDGER-READ-AGAIN", "records=%lld", (long long) self->end);
        return;
    }
    if (rc != ERR_IO)
        log_error ("HASHES-DAMAGED",
                   "records=%lld why=%s advice=\"stop the broker and remove "
                   "the folder 'index' beside the journal: it is made anew\"",
                   (long long) self->end,
                   rc ? log_text (e.text) : "\"another root is stored\"");
}

static void block_done (struct notary_scrub *self,
                        struct notary_reader *reader) {
    for (size_t i = 0; i < reader->count; i++)
        tree_add (&self->tree, &reader->leaves[i]);
    self->at = reader->first + (int64_t) reader->count;
}

void notary_scrub_step (struct notary_scrub *self, struct notary_reader *reader,
                        int64_t size, int64_t now_ms, int64_t pause_ms) {
    struct error e;
    if (self->at == 0)
        *self = (struct notary_scrub){ .end = size };
    self->due_ms = now_ms + STEP_MS;
    if (self->at < self->end) {
        enum err rc = notary_read (reader, self->at, &e);
        if (rc && rc != ERR_DAMAGED) {
            self->due_ms = now_ms + UNKNOWN_MS;
            return;
        }
        if (rc) {
            say (reader, &e);
            self->holes = true;
            self->at = behind_block (reader->journal, self->at);
        } else {
            block_done (self, reader);
        }
    }
    if (self->at < self->end)
        return;
    round_end (self, reader);
    self->at = 0;
    self->due_ms = now_ms + pause_ms;
}
