#include "identity/policy.h"

#include "identity/vkey.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* A name takes two octets of the file at least, so that members, each listed
 * once, are no more than names. */
#define MEMBERS_MAX (2 * POLICY_NAMES_MAX)
#define THRESHOLD_DIGITS_MAX 4

/* What a group or the quorum can name: a witness or a group. */
struct party {
    struct slice name; /* of the policy's text */
    bool is_group;
    bool is_member; /* of some group */
    size_t witness; /* its index */
    size_t needed;  /* of a group's members */
    size_t first, count;
};

struct policy {
    struct buf text; /* what the slices are of */
    struct vkey logs[POLICY_NAMES_MAX], witnesses[POLICY_NAMES_MAX];
    size_t log_count, witness_count, group_count;
    struct party parties[2 * POLICY_NAMES_MAX];
    size_t party_count;
    size_t members[MEMBERS_MAX]; /* parties */
    size_t member_count;
    bool has_quorum, quorum_none;
    size_t quorum; /* a party */
};

/* Writing */

static bool may_cosign (const struct roster_delegation *witness) {
    return witness->key_count > 0 && !witness->revoked;
}

void policy_write (const struct roster *roster, struct buf *out) {
    char origin[ORIGIN_MAX + 1];
    const size_t needed = (size_t) roster_quorum (roster);
    size_t count = 0;
    checkpoint_origin (roster, origin);
    buf_add_text (out, "log ");
    checkpoint_log_vkey (origin, roster_log_key (roster), out);
    buf_add_text (out, "\n");
    for (size_t i = 0; i < roster_witnesses (roster); i++) {
        const struct roster_delegation *w = roster_witness_at (roster, i);
        if (!may_cosign (w))
            continue;
        buf_add_format (out, "witness %s ", w->name);
        checkpoint_witness_vkey (w->name, w->keys[0].witness, out);
        buf_add_text (out, "\n");
        count++;
    }
    if (needed == 0) {
        buf_add_text (out, "quorum none\n");
        return;
    }
    if (count < needed) {
        buf_add_format (out,
                        "# no quorum: it takes %zu witnesses, and %zu have "
                        "keys that are not revoked\n",
                        needed, count);
        return;
    }
    buf_add_format (out, "group witnesses %zu", needed);
    for (size_t i = 0; i < roster_witnesses (roster); i++)
        if (may_cosign (roster_witness_at (roster, i)))
            buf_add_format (out, " %s", roster_witness_at (roster, i)->name);
    buf_add_text (out, "\nquorum witnesses\n");
}

/* Words */

static bool is_blank (uint8_t c) {
    return c == ' ' || c == '\t';
}

/* The next word of a line; an empty one at its end. */
static struct slice word_take (struct slice *line) {
    size_t from = 0, to;
    while (from < line->size && is_blank (line->data[from]))
        from++;
    for (to = from; to < line->size && !is_blank (line->data[to]);)
        to++;
    struct slice word = slice_of (line->data + from, to - from);
    *line = slice_of (line->data + to, line->size - to);
    return word;
}

static enum err wanted (struct error *e, const char *form) {
    return error_set (e, ERR_MALFORMED, "wanted '%s'", form);
}

/* What may stand at a line's end: a URL, nothing else. */
static enum err end_check (struct slice line, bool url, const char *form,
                           struct error *e) {
    if (url)
        (void) word_take (&line);
    return word_take (&line).size == 0 ? ERR_NONE : wanted (e, form);
}

static int party_find (const struct policy *self, struct slice name) {
    for (size_t i = 0; i < self->party_count; i++)
        if (slice_equal (self->parties[i].name, name))
            return (int) i;
    return -1;
}

static enum err name_new (const struct policy *self, struct slice name,
                          struct error *e) {
    if (slice_is (name, "none") || party_find (self, name) >= 0)
        return error_set (e, ERR_MALFORMED, "the name '%.*s' is taken",
                          (int) name.size, (const char *) name.data);
    return ERR_NONE;
}

static enum err name_known (const struct policy *self, struct slice name,
                            size_t *party, struct error *e) {
    const int found = party_find (self, name);
    if (found < 0)
        return error_set (e, ERR_MALFORMED,
                          "'%.*s' is no witness and no group of a line above",
                          (int) name.size, (const char *) name.data);
    *party = (size_t) found;
    return ERR_NONE;
}

static enum err room_check (size_t count, const char *what, struct error *e) {
    if (count < POLICY_NAMES_MAX)
        return ERR_NONE;
    return error_set (e, ERR_LIMIT, "more than %d %s", POLICY_NAMES_MAX, what);
}

/* `before`: the keys of the lines above; this one has to be another. */
static enum err key_read (struct slice text, const struct vkey *before,
                          size_t count, struct vkey *out, struct error *e) {
    enum err rc = vkey_read (text, out, e);
    for (size_t i = 0; rc == ERR_NONE && i < count; i++)
        if (hash_equal (&before[i].key_digest, &out->key_digest))
            rc = error_set (e, ERR_MALFORMED, "the key of '%s' stands twice",
                            out->name);
    return rc;
}

/* Lines */

static enum err log_line (struct policy *self, struct slice line,
                          struct error *e) {
    static const char form[] = "log VKEY [URL]";
    const struct slice key = word_take (&line);
    const size_t n = self->log_count;
    enum err rc = room_check (n, "logs", e);
    if (!rc)
        rc = end_check (line, true, form, e);
    if (rc)
        return rc;
    rc = key_read (key, self->logs, n, &self->logs[n], e);
    if (!rc)
        self->log_count++;
    return rc;
}

static enum err witness_line (struct policy *self, struct slice line,
                              struct error *e) {
    static const char form[] = "witness NAME VKEY [URL]";
    const struct slice name = word_take (&line);
    const struct slice key = word_take (&line);
    const size_t n = self->witness_count;
    enum err rc = room_check (n, "witnesses", e);
    if (!rc)
        rc = end_check (line, true, form, e);
    if (!rc && key.size == 0)
        rc = wanted (e, form);
    if (!rc)
        rc = name_new (self, name, e);
    if (!rc)
        rc = key_read (key, self->witnesses, n, &self->witnesses[n], e);
    if (rc)
        return rc;
    if (self->witnesses[n].type == NOTE_ED25519)
        return error_set (e, ERR_MALFORMED,
                          "a key of type 1, with which nobody cosigns: a "
                          "witness's has type 4");
    self->witness_count++;
    self->parties[self->party_count++] =
        (struct party){ .name = name, .witness = n };
    return ERR_NONE;
}

/* "any", "all" or a decimal number; 0 for what is none of them. */
static size_t threshold_of (struct slice word, size_t count) {
    size_t n = 0;
    if (slice_is (word, "any"))
        return 1;
    if (slice_is (word, "all"))
        return count;
    if (word.size > THRESHOLD_DIGITS_MAX || word.data[0] == '0')
        return 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return 0;
        n = n * 10 + (size_t) (word.data[i] - '0');
    }
    return n;
}

static enum err member_add (struct policy *self, struct slice name,
                            struct error *e) {
    size_t party = 0;
    enum err rc = name_known (self, name, &party, e);
    if (rc)
        return rc;
    if (self->parties[party].is_member)
        return error_set (e, ERR_MALFORMED, "'%.*s' is a member already",
                          (int) name.size, (const char *) name.data);
    self->parties[party].is_member = true;
    assert (self->member_count < MEMBERS_MAX); /* each party once */
    self->members[self->member_count++] = party;
    return ERR_NONE;
}

static enum err group_line (struct policy *self, struct slice line,
                            struct error *e) {
    static const char form[] = "group NAME any|all|K MEMBER...";
    const struct slice name = word_take (&line);
    const struct slice threshold = word_take (&line);
    struct party group = { .name = name,
                           .is_group = true,
                           .first = self->member_count };
    enum err rc = room_check (self->group_count, "groups", e);
    if (!rc && threshold.size == 0)
        rc = wanted (e, form);
    if (!rc)
        rc = name_new (self, name, e);
    for (struct slice word; !rc && (word = word_take (&line)).size > 0;)
        rc = member_add (self, word, e);
    if (rc)
        return rc;
    group.count = self->member_count - group.first;
    group.needed = threshold_of (threshold, group.count);
    if (group.count == 0)
        return wanted (e, form);
    if (group.needed < 1 || group.needed > group.count)
        return error_set (
            e, ERR_MALFORMED, "'%.*s' is not any, all or 1 to %zu members",
            (int) threshold.size, (const char *) threshold.data, group.count);
    self->group_count++;
    self->parties[self->party_count++] = group;
    return ERR_NONE;
}

static enum err quorum_line (struct policy *self, struct slice line,
                             struct error *e) {
    static const char form[] = "quorum NAME";
    const struct slice name = word_take (&line);
    if (self->has_quorum)
        return error_set (e, ERR_MALFORMED, "a second quorum");
    enum err rc = end_check (line, false, form, e);
    if (!rc && name.size == 0)
        rc = wanted (e, form);
    if (rc)
        return rc;
    self->has_quorum = true;
    self->quorum_none = slice_is (name, "none");
    return self->quorum_none ? ERR_NONE
                             : name_known (self, name, &self->quorum, e);
}

static enum err line_read (struct policy *self, struct slice line,
                           struct error *e) {
    static const struct {
        const char *word;
        enum err (*read) (struct policy *self, struct slice line,
                          struct error *e);
    } lines[] = {
        { "log", log_line },
        { "witness", witness_line },
        { "group", group_line },
        { "quorum", quorum_line },
    };
    struct slice rest = line;
    const struct slice word = word_take (&rest);
    if (word.size == 0 || word.data[0] == '#')
        return ERR_NONE;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (slice_is (word, lines[i].word))
            return lines[i].read (self, rest, e);
    return error_set (e, ERR_MALFORMED,
                      "'%.*s' is not log, witness, group or "
                      "quorum",
                      (int) (word.size < 40 ? word.size : 40),
                      (const char *) word.data);
}

static enum err octets_check (struct slice text, struct error *e) {
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\t'
             && text.data[i] != '\n')
            || text.data[i] == 0x7f)
            return error_set (e, ERR_MALFORMED,
                              "policy: control character 0x%02x at octet %zu",
                              text.data[i], i);
    if (text.size > 0 && text.data[text.size - 1] != '\n')
        return error_set (e, ERR_MALFORMED,
                          "policy: does not end with a newline");
    return ERR_NONE;
}

static enum err lines_read (struct policy *self, struct error *e) {
    struct slice rest = buf_slice (&self->text);
    for (size_t n = 1; rest.size > 0; n++) {
        const uint8_t *end = memchr (rest.data, '\n', rest.size);
        struct slice line = slice_of (rest.data, (size_t) (end - rest.data));
        rest = slice_of (end + 1, rest.size - line.size - 1);
        enum err rc = line_read (self, line, e);
        if (rc) {
            error_at (e, "policy, line %zu", n);
            return rc;
        }
    }
    return self->has_quorum
               ? ERR_NONE
               : error_set (e, ERR_MALFORMED, "policy: it has no quorum line");
}

struct policy *policy_read (struct slice text, struct error *e) {
    if (text.size > POLICY_OCTETS_MAX) {
        error_set (e, ERR_LIMIT, "policy: %zu octets, at most %d", text.size,
                   POLICY_OCTETS_MAX);
        return NULL;
    }
    if (octets_check (text, e))
        return NULL;
    struct policy *self = mem_alloc (sizeof *self);
    buf_add_slice (&self->text, text);
    if (lines_read (self, e))
        policy_destroy (&self);
    return self;
}

void policy_destroy (struct policy **self_p) {
    if (!self_p || !*self_p)
        return;
    struct policy *self = *self_p;
    buf_free (&self->text);
    free (self);
    *self_p = NULL;
}

/* Judging */

/* All keys listed under the origin at once, since a wrong line of any of them
 * refuses the note. */
static enum err logs_ask (const struct policy *self,
                          const struct checkpoint *cp, const struct note *note,
                          struct error *e) {
    struct note_key keys[POLICY_NAMES_MAX] = { 0 };
    bool good[POLICY_NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < self->log_count; i++)
        if (self->logs[i].type == NOTE_ED25519
            && strcmp (self->logs[i].name, cp->origin) == 0)
            keys[count++] =
                (struct note_key){ self->logs[i].name, self->logs[i].key };
    enum err rc = note_verify (note, keys, count, good, e);
    for (size_t i = 0; !rc && i < count; i++)
        if (good[i]) /* once more, with what the note is of */
            return checkpoint_check_log (cp, note, cp->origin, keys[i].key, e);
    return rc ? rc
              : error_set (e, ERR_SIGNATURE,
                           "checkpoint %s %" PRId64 ": of %zu keys that the "
                           "policy lists for this log none signed it",
                           cp->origin, cp->size, count);
}

static enum err witnesses_ask (const struct policy *self,
                               const struct checkpoint *cp,
                               const struct note *note,
                               int64_t times[POLICY_NAMES_MAX],
                               struct policy_verdict *out, struct error *e) {
    for (size_t i = 0; i < self->witness_count; i++) {
        const struct vkey *w = &self->witnesses[i];
        times[i] = 0;
        if (w->type != NOTE_COSIGNATURE)
            continue;
        enum err rc =
            checkpoint_cosigned (cp, note, w->name, w->key, &times[i], e);
        if (rc)
            return rc;
        if (times[i] == 0)
            continue;
        out->cosigned++;
        if (out->first == 0 || times[i] < out->first)
            out->first = times[i];
        if (times[i] > out->last)
            out->last = times[i];
    }
    out->witnesses = self->witness_count;
    return ERR_NONE;
}

/* Members stand above their group, so that one pass decides. */
static bool quorum_met (const struct policy *self, const int64_t *times,
                        size_t *have, size_t *needed) {
    bool met[2 * POLICY_NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i <= self->quorum; i++) {
        const struct party *p = &self->parties[i];
        count = 0;
        for (size_t m = 0; m < p->count; m++)
            count += met[self->members[p->first + m]];
        met[i] = p->is_group ? count >= p->needed : times[p->witness] != 0;
    }
    const struct party *quorum = &self->parties[self->quorum];
    *have = quorum->is_group ? count : met[self->quorum];
    *needed = quorum->is_group ? quorum->needed : 1;
    return met[self->quorum];
}

static int ascending (const void *a, const void *b) {
    int64_t x, y;
    memcpy (&x, a, sizeof x);
    memcpy (&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* PROTOCOL.md section 7.5: f = 2k - n - 1 of a k of n may be dishonest. */
static int64_t bound_of (const struct policy *self, const int64_t *times) {
    const struct party *quorum = &self->parties[self->quorum];
    int64_t sorted[POLICY_NAMES_MAX];
    size_t n = 0;
    if (!quorum->is_group || 2 * quorum->needed <= quorum->count)
        return 0;
    for (size_t m = 0; m < quorum->count; m++) {
        const struct party *p =
            &self->parties[self->members[quorum->first + m]];
        if (p->is_group)
            return 0;
        if (times[p->witness])
            sorted[n++] = times[p->witness];
    }
    qsort (sorted, n, sizeof sorted[0], ascending);
    const size_t nth = 2 * quorum->needed - quorum->count;
    return nth <= n ? sorted[nth - 1] : 0;
}

enum err policy_check (const struct policy *self, const struct checkpoint *cp,
                       const struct note *note, struct policy_verdict *out,
                       struct error *e) {
    int64_t times[POLICY_NAMES_MAX];
    struct policy_verdict made = { 0 };
    size_t have = 0, needed = 0;
    enum err rc = logs_ask (self, cp, note, e);
    if (!rc)
        rc = witnesses_ask (self, cp, note, times, &made, e);
    if (rc)
        return rc;
    if (!self->quorum_none) {
        made.bound = bound_of (self, times);
        if (!quorum_met (self, times, &have, &needed))
            rc = error_set (e, ERR_RIGHT,
                            "no quorum: %zu of the %zu that it takes; %zu of "
                            "%zu witnesses cosigned",
                            have, needed, made.cosigned, made.witnesses);
    }
    *out = made;
    return rc;
}
