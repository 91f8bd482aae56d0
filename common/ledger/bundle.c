/* bundle - reading a bundle's folder (PROTOCOL.md section 8.10). Memory is one
 * entry of each file. Not thread-safe. */
#include "ledger/bundle.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/mp.h"
#include "base/topic.h"
#include "identity/checkpoint.h"
#include "identity/place.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VERSIONS_MAX 1000000 /* rosters of one bundle: 8 MB of numbers */
#define PROMISE_MAX 1024     /* 8 nodes, 5 hashes, a signature: below 600 */
#define CLAIM_MAX 8192       /* 128 nodes of a cover, and a path: below 5,000 */

/* bundle.json. Limits stand there where there are any. */

void bundle_meta_write (const struct bundle_meta *self, struct buf *json) {
    char dialogue[HASH_TEXT_MAX];
    json_t *root =
        json_pack ("{s:i,s:s,s:s,s:I,s:I,s:I,s:s,s:s}", "format", 1, "dialogue",
                   hash_text (dialogue, &self->dialogue), "exporter",
                   self->exporter, "made", (json_int_t) self->made, "first",
                   (json_int_t) self->first, "last", (json_int_t) self->last,
                   "filter", self->filter, "program", "parley " PARLEY_VERSION);
    if (self->author[0])
        json_object_set_new (root, "author", json_string (self->author));
    if (self->since)
        json_object_set_new (root, "since", json_integer (self->since));
    if (self->until)
        json_object_set_new (root, "until", json_integer (self->until));
    char *text = json_dumps (root, JSON_INDENT (1));
    buf_add_text (json, text ? text : "{}");
    buf_add_text (json, "\n");
    free (text);
    json_decref (root);
}

static bool filter_good (struct slice text) {
    return filter_check (text, NULL) == 0;
}

static bool author_good (struct slice text) {
    return entity_valid (text) || delegation_valid (text);
}

static void read_limits (const struct place *at, struct bundle_meta *out) {
    struct place there;
    const char *author = NULL;
    if (place_try (at, "author", &there))
        author = place_grammar (&there, NULL, IDENTITY_NAME_MAX, author_good,
                                "an entity or a delegation");
    if (author)
        snprintf (out->author, sizeof out->author, "%s", author);
    if (place_try (at, "since", &there))
        out->since = place_int (&there, NULL, 1, CLOCK_MS_MAX);
    if (place_try (at, "until", &there))
        out->until = place_int (&there, NULL, 1, CLOCK_MS_MAX);
    if (out->until && out->since > out->until)
        place_fail (at, ERR_MALFORMED, "since %" PRId64 " above until %" PRId64,
                    out->since, out->until);
}

static void read_members (const struct place *at, struct bundle_meta *out) {
    static const char *const names[] = { "format", "dialogue", "exporter",
                                         "made",   "first",    "last",
                                         "filter", "program",  "author",
                                         "since",  "until",    NULL };
    place_object (at, names);
    place_hash (at, "dialogue", &out->dialogue);
    const char *exporter = place_grammar (at, "exporter", IDENTITY_NAME_MAX,
                                          delegation_valid, "a delegation");
    out->made = place_int (at, "made", 0, CLOCK_MS_MAX);
    out->first = place_int (at, "first", 0, NUMBER_MAX);
    out->last = place_int (at, "last", -1, NUMBER_MAX);
    const char *filter = place_grammar (at, "filter", sizeof out->filter - 1,
                                        filter_good, "a filter");
    place_text (at, "program", 1, 64);
    read_limits (at, out);
    if (place_failed (at))
        return;
    snprintf (out->exporter, sizeof out->exporter, "%s", exporter);
    snprintf (out->filter, sizeof out->filter, "%s", filter);
    if (out->last >= 0 && out->first > out->last)
        place_fail (at, ERR_MALFORMED, "first %" PRId64 " above last %" PRId64,
                    out->first, out->last);
}

enum err bundle_meta_read (struct slice json, struct bundle_meta *out,
                           struct error *e) {
    struct reading reading = { 0 };
    *out = (struct bundle_meta){ 0 };
    json_t *document = place_parse (json, BUNDLE_META_MAX, e);
    if (!document)
        return e ? e->code : ERR_MALFORMED;
    struct place at = place_start (&reading, document);
    int64_t format = place_int (&at, "format", 1, NUMBER_MAX);
    if (format > 1)
        place_fail (&at, ERR_NEWER, "format %" PRId64 ", 1 is known", format);
    read_members (&at, out);
    json_decref (document);
    if (reading.why.code)
        return error_set (e, reading.why.code, "%s", reading.why.text);
    return ERR_NONE;
}

/* Files. */

struct in_file {
    const char *name;
    FILE *file; /* NULL: it is not there */
    uint64_t at;
    struct buf entry;
};

struct bundle {
    char *dir;
    struct bundle_meta meta;
    struct in_file blocks, leaves, checkpoints, claims, promises, refusals;
    int64_t *versions; /* ascending */
    size_t version_count, next_version;
    struct buf note, verified;
};

static char *path_of (const struct bundle *self, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", self->dir, name);
    return buf_take_text (&path);
}

/* A pipe would hold us up, a link would lead elsewhere. */
static enum err in_open (const struct bundle *self, struct in_file *file,
                         const char *name, struct error *e) {
    struct stat st;
    file->name = name;
    char *path = path_of (self, name);
    enum err rc = ERR_NONE;
    if (lstat (path, &st) != 0) {
        if (errno != ENOENT)
            rc = error_sys (e, errno, "%s", path);
    } else if (!S_ISREG (st.st_mode))
        rc = error_set (e, ERR_MALFORMED, "%s is no regular file", path);
    else if (!(file->file = fopen (path, "re")))
        rc = error_sys (e, errno, "%s", path);
    free (path);
    return rc;
}

static void in_close (struct in_file *file) {
    if (file->file)
        fclose (file->file);
    buf_free (&file->entry);
}

static enum err in_fault (const struct in_file *file, enum err code,
                          struct error *e, const char *why) {
    return error_set (e, code, "%s, octet %" PRIu64 ": %s", file->name,
                      file->at, why);
}

/* Exactly `size` octets; ERR_NOT_FOUND where the file ends before the first and
 * `may_end`. */
static enum err in_take (struct in_file *file, void *out, size_t size,
                         bool may_end, struct error *e) {
    size_t got = file->file ? fread (out, 1, size, file->file) : 0;
    if (file->file && ferror (file->file))
        return error_sys (e, errno, "%s", file->name);
    if (got == 0 && may_end)
        return error_set (e, ERR_NOT_FOUND, "the end of %s", file->name);
    if (got < size)
        return in_fault (file, ERR_MALFORMED, e, "cut in an entry");
    file->at += size;
    return ERR_NONE;
}

/* An entry with its length before it. */
static enum err in_entry (struct in_file *file, size_t max, struct error *e) {
    uint8_t length[4];
    enum err rc = in_take (file, length, 4, true, e);
    if (rc)
        return rc;
    size_t size = get_u32 (length);
    if (size == 0 || size > max)
        return in_fault (file, size ? ERR_LIMIT : ERR_MALFORMED, e,
                         size ? "an entry above its limit"
                              : "an entry of nothing");
    buf_clear (&file->entry);
    return in_take (file, buf_extend (&file->entry, size), size, false, e);
}

/* Rosters. */

/* "00000012.note" -> 12; 0 for all else. */
static int64_t version_of (const char *name) {
    char again[32];
    size_t digits = strspn (name, "0123456789");
    if (digits < 8 || digits > 16 || strcmp (name + digits, ".note") != 0)
        return 0;
    int64_t version = strtoll (name, NULL, 10);
    snprintf (again, sizeof again, "%08" PRId64 ".note", version);
    return strcmp (name, again) == 0 ? version : 0;
}

static int ascending (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static enum err add_version (struct bundle *self, const char *name,
                             struct error *e) {
    int64_t version = version_of (name);
    if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
        return ERR_NONE;
    if (version < 1)
        return error_set (e, ERR_MALFORMED, "rosters/%s: no name of a roster",
                          name);
    if (self->version_count == VERSIONS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d rosters", VERSIONS_MAX);
    /* Doubles at each power of two. */
    if ((self->version_count & (self->version_count - 1)) == 0)
        self->versions =
            mem_resize (self->versions,
                        2 * (self->version_count + 1) * sizeof *self->versions);
    self->versions[self->version_count++] = version;
    return ERR_NONE;
}

static enum err list_rosters (struct bundle *self, struct error *e) {
    char *path = path_of (self, "rosters");
    DIR *folder = opendir (path);
    free (path);
    if (!folder)
        return errno == ENOENT ? ERR_NONE
                               : error_sys (e, errno, "%s/rosters", self->dir);
    enum err rc = ERR_NONE;
    for (struct dirent *entry; !rc && (entry = readdir (folder));)
        rc = add_version (self, entry->d_name, e);
    closedir (folder);
    if (!rc && self->version_count > 0)
        qsort (self->versions, self->version_count, sizeof *self->versions,
               ascending);
    return rc;
}

/* The folder. */

static enum err read_meta (struct bundle *self, struct error *e) {
    struct buf json = { 0 };
    char *path = path_of (self, "bundle.json");
    enum err rc = disk_read_file (path, BUNDLE_META_MAX, &json, e);
    if (!rc && bundle_meta_read (buf_slice (&json), &self->meta, e))
        rc = error_at (e, "bundle.json");
    free (path);
    buf_free (&json);
    return rc;
}

struct bundle *bundle_open (const char *dir, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    struct bundle *self = mem_alloc (sizeof *self);
    self->dir = mem_copy_text (dir);
    enum err rc = read_meta (self, e);
    if (!rc)
        rc = in_open (self, &self->blocks, "blocks", e);
    if (!rc)
        rc = in_open (self, &self->leaves, "leaves", e);
    if (!rc)
        rc = in_open (self, &self->checkpoints, "checkpoints", e);
    if (!rc)
        rc = in_open (self, &self->claims, "claims", e);
    if (!rc)
        rc = in_open (self, &self->promises, "promises", e);
    if (!rc)
        rc = in_open (self, &self->refusals, "refusals", e);
    if (!rc)
        rc = list_rosters (self, e);
    if (rc)
        bundle_close (&self);
    return self;
}

void bundle_close (struct bundle **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct bundle *self = *self_p;
    in_close (&self->blocks);
    in_close (&self->leaves);
    in_close (&self->checkpoints);
    in_close (&self->claims);
    in_close (&self->promises);
    in_close (&self->refusals);
    buf_free (&self->note);
    buf_free (&self->verified);
    free (self->versions);
    free (self->dir);
    free (self);
    *self_p = NULL;
    errno = saved;
}

const struct bundle_meta *bundle_meta (const struct bundle *self) {
    return &self->meta;
}

static enum err read_whole (const struct bundle *self, const char *name,
                            size_t max, struct buf *out, struct error *e) {
    struct in_file file = { 0 };
    enum err rc = in_open (self, &file, name, e);
    in_close (&file);
    char *path = path_of (self, name);
    if (!rc)
        rc = disk_read_file (path, max, out, e);
    free (path);
    return rc;
}

enum err bundle_next_roster (struct bundle *self, struct slice *note,
                             struct error *e) {
    char name[48];
    if (self->next_version == self->version_count)
        return error_set (e, ERR_NOT_FOUND, "the last roster");
    snprintf (name, sizeof name, "rosters/%08" PRId64 ".note",
              self->versions[self->next_version++]);
    enum err rc = read_whole (self, name, NOTE_MAX, &self->note, e);
    *note = buf_slice (&self->note);
    return rc == ERR_NOT_FOUND ? error_set (e, ERR_IO, "%s went away", name)
                               : rc;
}

enum err bundle_next_block (struct bundle *self, int64_t *direct_first,
                            struct slice *block, struct error *e) {
    uint8_t number[8];
    struct in_file *file = &self->blocks;
    enum err rc = in_entry (file, BLOCK_OCTETS_MAX_SINGLE, e);
    if (!rc)
        rc = in_take (file, number, 8, false, e);
    if (rc)
        return rc;
    uint64_t first = get_u64 (number);
    if (first > NUMBER_MAX)
        return in_fault (file, ERR_MALFORMED, e,
                         "a number in the direct stream above 2^53-1");
    *direct_first = (int64_t) first;
    *block = buf_slice (&file->entry);
    return ERR_NONE;
}

enum err bundle_next_leaf (struct bundle *self, int64_t *sequence,
                           struct hash *leaf, struct error *e) {
    uint8_t entry[8 + HASH_SIZE];
    struct in_file *file = &self->leaves;
    enum err rc = in_take (file, entry, sizeof entry, true, e);
    if (rc)
        return rc;
    uint64_t number = get_u64 (entry);
    if (number > NUMBER_MAX)
        return in_fault (file, ERR_MALFORMED, e, "a sequence above 2^53-1");
    *sequence = (int64_t) number;
    memcpy (leaf->octets, entry + 8, HASH_SIZE);
    return ERR_NONE;
}

enum err bundle_next_checkpoint (struct bundle *self, struct slice *note,
                                 struct error *e) {
    enum err rc = in_entry (&self->checkpoints, CHECKPOINT_NOTE_MAX, e);
    *note = buf_slice (&self->checkpoints.entry);
    return rc;
}

enum err bundle_verified (struct bundle *self, struct slice *note,
                          struct error *e) {
    enum err rc =
        read_whole (self, "verified", CHECKPOINT_NOTE_MAX, &self->verified, e);
    *note = buf_slice (&self->verified);
    return rc;
}

static void take_claim (struct mp *in, struct bundle_claim *out) {
    mp_array (in, 4, 4);
    out->mark = mp_int (in, 0, NUMBER_MAX);
    mark_claim_take (in, &out->claim);
    out->from = mp_int (in, 0, NUMBER_MAX);
    out->cover_length = mp_array (in, 0, TREE_COVER_MAX);
    for (size_t i = 0; i < out->cover_length; i++)
        mp_bin_exact (in, out->cover[i].octets, HASH_SIZE);
    size_t wanted = tree_cover_length (0, (uint64_t) out->from);
    if (out->from > out->claim.stream.count)
        mp_fail (in, ERR_MALFORMED, "from %" PRId64 ", and it counts %" PRId64,
                 out->from, out->claim.stream.count);
    else if (out->cover_length != wanted)
        mp_fail (in, ERR_MALFORMED, "a cover of %zu nodes, not %zu",
                 out->cover_length, wanted);
}

enum err bundle_next_claim (struct bundle *self, struct bundle_claim *out,
                            struct error *e) {
    struct in_file *file = &self->claims;
    struct mp in;
    enum err rc = in_entry (file, CLAIM_MAX, e);
    if (rc)
        return rc;
    mp_start (&in, buf_slice (&file->entry));
    take_claim (&in, out);
    rc = mp_finish (&in, e);
    return rc ? error_at (e, "%s, before octet %" PRIu64, file->name, file->at)
              : ERR_NONE;
}

enum err bundle_next_promise (struct bundle *self, struct promise_proof *out,
                              struct error *e) {
    struct in_file *file = &self->promises;
    struct mp in;
    enum err rc = in_entry (file, PROMISE_MAX, e);
    if (rc)
        return rc;
    mp_start (&in, buf_slice (&file->entry));
    promise_proof_take (&in, out);
    rc = mp_finish (&in, e);
    return rc ? error_at (e, "%s, before octet %" PRIu64, file->name, file->at)
              : ERR_NONE;
}

enum err bundle_next_refusal (struct bundle *self, struct slice *proof,
                              struct error *e) {
    enum err rc = in_entry (&self->refusals, BUNDLE_REFUSAL_MAX, e);
    *proof = buf_slice (&self->refusals.entry);
    return rc;
}
