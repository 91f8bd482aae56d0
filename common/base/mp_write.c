/* mp_write - canonical msgpack (PROTOCOL.md section 2.3) with msgpack-c's
 * packer, of which only those calls are used that choose the shortest form. */
#include "base/mp.h"

#include <assert.h>
#include <msgpack/pack.h>

static int add (void *out, const char *data, size_t size) {
    buf_add (out, data, size);
    return 0;
}

static msgpack_packer packer (struct buf *out) {
    msgpack_packer pk;
    msgpack_packer_init (&pk, out, add);
    return pk;
}

void mp_put_nil (struct buf *out) {
    msgpack_packer pk = packer (out);
    msgpack_pack_nil (&pk);
}

void mp_put_bool (struct buf *out, bool v) {
    msgpack_packer pk = packer (out);
    if (v)
        msgpack_pack_true (&pk);
    else
        msgpack_pack_false (&pk);
}

void mp_put_int (struct buf *out, int64_t v) {
    msgpack_packer pk = packer (out);
    msgpack_pack_int64 (&pk, v);
}

void mp_put_number (struct buf *out, double v) {
    assert (v - v == 0); /* finite */
    msgpack_packer pk = packer (out);
    if (mp_integral (v))
        msgpack_pack_int64 (&pk, (int64_t) v);
    else
        msgpack_pack_double (&pk, v);
}

void mp_put_str (struct buf *out, const char *text) {
    mp_put_str_slice (out, slice_text (text));
}

void mp_put_str_slice (struct buf *out, struct slice s) {
    assert (s.size <= UINT32_MAX);
    msgpack_packer pk = packer (out);
    msgpack_pack_str (&pk, s.size);
    buf_add_slice (out, s);
}

void mp_put_bin (struct buf *out, const void *data, size_t size) {
    assert (size <= UINT32_MAX);
    msgpack_packer pk = packer (out);
    msgpack_pack_bin (&pk, size);
    buf_add (out, data, size);
}

void mp_put_array (struct buf *out, size_t count) {
    assert (count <= UINT32_MAX);
    msgpack_packer pk = packer (out);
    msgpack_pack_array (&pk, count);
}

void mp_put_map (struct buf *out, size_t count) {
    assert (count <= UINT32_MAX);
    msgpack_packer pk = packer (out);
    msgpack_pack_map (&pk, count);
}
