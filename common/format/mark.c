/* mark - entries and claims of PROTOCOL.md section 7.4. Pure; thread-safe. */
#include "format/mark.h"

#include "base/mp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define STREAMS_MAX (ROSTER_CHANNELS_MAX + ROSTER_ENTITIES_MAX)

size_t mark_streams (const struct roster *roster) {
    return roster_channels (roster) + roster_entities (roster);
}

void mark_stream_name (const struct roster *roster, size_t n,
                       char out[MARK_NAME_MAX]) {
    size_t channels = roster_channels (roster);
    if (n < channels)
        snprintf (out, MARK_NAME_MAX, "%s", roster_channel_at (roster, n)->id);
    else
        snprintf (out, MARK_NAME_MAX, "@%s",
                  roster_entity_at (roster, n - channels)->id);
}

int mark_stream_find (const struct roster *roster, struct slice name) {
    if (name.size == 0 || name.data[0] != '@') {
        const struct roster_channel *c = roster_channel (roster, name);
        return c ? (int) c->index : -1;
    }
    const struct roster_entity *found =
        roster_entity (roster, slice_of (name.data + 1, name.size - 1));
    return found ? (int) (roster_channels (roster)
                          + (size_t) (found - roster_entity_at (roster, 0)))
                 : -1;
}

struct hash mark_salt (const uint8_t veil[KEY_SIZE], struct slice name,
                       int64_t mark) {
    struct buf place = { 0 };
    mp_put_array (&place, 2);
    mp_put_str_slice (&place, name);
    mp_put_int (&place, mark);
    struct hash salt = hash_blake2b_keyed (veil, buf_slice (&place));
    buf_free (&place);
    return salt;
}

static void put_last (struct buf *out, int64_t last) {
    if (last < 0)
        mp_put_nil (out);
    else
        mp_put_int (out, last);
}

struct hash mark_leaf (const struct mark_stream *self) {
    struct buf entry = { 0 };
    buf_add (&entry, label_octets (LABEL_STREAM), LABEL_SIZE);
    mp_put_array (&entry, 5);
    mp_put_bin (&entry, self->salt.octets, HASH_SIZE);
    mp_put_str_slice (&entry, self->name);
    put_last (&entry, self->last);
    mp_put_int (&entry, self->count);
    mp_put_bin (&entry, self->root.octets, HASH_SIZE);
    struct hash leaf = hash_leaf (buf_slice (&entry));
    buf_free (&entry);
    return leaf;
}

void mark_claim_write (struct buf *out, const struct mark_claim *self) {
    mp_put_array (out, 7);
    mp_put_str_slice (out, self->stream.name);
    mp_put_bin (out, self->stream.salt.octets, HASH_SIZE);
    mp_put_int (out, self->index);
    put_last (out, self->stream.last);
    mp_put_int (out, self->stream.count);
    mp_put_bin (out, self->stream.root.octets, HASH_SIZE);
    assert (self->path_length <= MARK_PATH_MAX);
    mp_put_array (out, self->path_length);
    for (size_t i = 0; i < self->path_length; i++)
        mp_put_bin (out, self->path[i].octets, HASH_SIZE);
}

void mark_claim_take (struct mp *in, struct mark_claim *out) {
    *out = (struct mark_claim){ 0 };
    mp_array (in, 7, 7);
    out->stream.name = mp_str (in, 1, MARK_NAME_MAX - 1);
    mp_bin_exact (in, out->stream.salt.octets, HASH_SIZE);
    out->index = mp_int (in, 0, STREAMS_MAX - 1);
    out->stream.last = mp_try_nil (in) ? -1 : mp_int (in, 0, NUMBER_MAX);
    out->stream.count = mp_int (in, 0, NUMBER_MAX);
    mp_bin_exact (in, out->stream.root.octets, HASH_SIZE);
    out->path_length = mp_array (in, 0, MARK_PATH_MAX);
    for (size_t i = 0; i < out->path_length; i++)
        mp_bin_exact (in, out->path[i].octets, HASH_SIZE);
    /* Records have different sequences from 0 on. */
    if (out->stream.count > out->stream.last + 1
        || (out->stream.count == 0 && out->stream.last >= 0))
        mp_fail (in, ERR_MALFORMED,
                 "%" PRId64 " records with the last at %" PRId64,
                 out->stream.count, out->stream.last);
}

enum err mark_claim_check (const struct mark_claim *self,
                           const struct roster *roster, const struct hash *root,
                           struct error *e) {
    char name[MARK_NAME_MAX], a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    size_t count = mark_streams (roster);
    if (self->index < 0 || (uint64_t) self->index >= count)
        return error_set (e, ERR_MALFORMED,
                          "a claim of stream %" PRId64 ", the mark has %zu",
                          self->index, count);
    mark_stream_name (roster, (size_t) self->index, name);
    if (!slice_is (self->stream.name, name))
        return error_set (e, ERR_MALFORMED,
                          "stream %" PRId64 " is %s, the claim says another",
                          self->index, name);
    struct hash leaf = mark_leaf (&self->stream), found;
    if (tree_path_root (&leaf, (uint64_t) self->index, count, self->path,
                        self->path_length, &found))
        return error_set (e, ERR_MALFORMED, "%s: a path of %zu nodes, not %zu",
                          name, self->path_length,
                          tree_path_length ((uint64_t) self->index, count));
    if (!hash_equal (&found, root))
        return error_set (e, ERR_DIGEST,
                          "%s: the claim leads to the root %s, not the mark's "
                          "%s",
                          name, hash_text (a, &found), hash_text (b, root));
    return ERR_NONE;
}
