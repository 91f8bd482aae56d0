/* streams - the root over the streams that each mark has. */
#include "streams.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct streams {
    const struct identity *broker; /* borrowed */
    struct hash roster;            /* digest of the one that `all` is of */
    struct mark_stream *all;       /* owned; names point into `names` */
    char (*names)[MARK_NAME_MAX];  /* owned */
    size_t count;
};

struct streams *streams_new (const struct identity *broker) {
    struct streams *self = mem_alloc (sizeof *self);
    self->broker = broker;
    return self;
}

void streams_destroy (struct streams **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct streams *self = *self_p;
    *self_p = NULL;
    free (self->all);
    free (self->names);
    free (self);
    errno = saved;
}

/* Nothing is known of its streams; -1 is nobody's count. */
static void roster_take (struct streams *self, const struct roster *roster) {
    if (self->count > 0 && hash_equal (&self->roster, roster_digest (roster)))
        return;
    free (self->all);
    free (self->names);
    self->roster = *roster_digest (roster);
    self->count = mark_streams (roster);
    self->all = mem_alloc (self->count * sizeof *self->all);
    self->names = mem_alloc (self->count * sizeof *self->names);
    for (size_t i = 0; i < self->count; i++) {
        mark_stream_name (roster, i, self->names[i]);
        self->all[i].name = slice_text (self->names[i]);
        self->all[i].count = -1;
    }
}

static enum err stream_ask (struct mark_stream *stream,
                            const struct journal *journal, const char *name,
                            int64_t mark, struct error *e) {
    const struct tree *tree = journal_stream_tree (journal, name);
    if (stream->count == (int64_t) tree->size)
        return ERR_NONE;
    int64_t below = 0, last = -1;
    enum err rc = ERR_NONE;
    if (tree->size > 0)
        rc = journal_stream_below (journal, name, mark, &below, &last, e);
    if (!rc && below != (int64_t) tree->size)
        rc = error_set (e, ERR_DAMAGED,
                        "stream '%s': its index has %lld records, its tree "
                        "%llu",
                        name, (long long) below,
                        (unsigned long long) tree->size);
    if (rc)
        return rc;
    stream->root = tree_root (tree);
    stream->count = below;
    stream->last = last;
    return ERR_NONE;
}

struct hash streams_root_of (const uint8_t veil[KEY_SIZE], int64_t mark,
                             struct mark_stream *all, size_t count) {
    struct tree tree = { 0 };
    for (size_t i = 0; i < count; i++) {
        all[i].salt = mark_salt (veil, all[i].name, mark);
        struct hash leaf = mark_leaf (&all[i]);
        tree_add (&tree, &leaf);
    }
    return tree_root (&tree);
}

enum err streams_root (struct streams *self, const struct journal *journal,
                       const struct roster *roster, int64_t mark,
                       struct hash *out, struct error *e) {
    roster_take (self, roster);
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < self->count; i++)
        rc = stream_ask (&self->all[i], journal, self->names[i], mark, e);
    if (!rc)
        *out = streams_root_of (identity_veil (self->broker), mark, self->all,
                                self->count);
    return rc;
}
