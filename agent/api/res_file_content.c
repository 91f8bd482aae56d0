/* res_file_content - GET /files/{file}/content: all parts are read and checked
 * before the first octet is sent, and each again when it is sent. */
#include "api/file_look.h"
#include "api/http_impl.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/hash_stream.h"
#include "base/log.h"
#include "identity/roster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_OCTETS 65536

struct giving {
    struct http *http;
    struct file_place place;
    size_t count, next;
    struct file_part parts[FILE_PARTS_MAX];
    struct buf part; /* being sent */
    size_t sent;
};

static enum err part_read (struct giving *self) {
    struct error e = { 0 };
    struct store *store = handles_take (&self->http->handles, &e);
    enum err rc =
        store ? file_part_load (store, &self->place, &self->parts[self->next],
                                &self->part, &e)
              : e.code;
    handles_give (&self->http->handles, &store);
    if (rc)
        log_limited (LOG_ERROR, "API-FILE", "", "file=%s why=%s",
                     self->place.id, log_text (e.text));
    self->next++;
    self->sent = 0;
    return rc;
}

/* MHD asks when the client can take more. */
static ssize_t on_room (void *cls, uint64_t at, char *out, size_t room) {
    struct giving *self = cls;
    (void) at;
    if (self->sent == self->part.size) {
        if (self->next == self->count)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (wake_stopping (&self->http->wake) || part_read (self))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = self->part.size - self->sent;
    size_t size = left < room ? left : room;
    memcpy (out, self->part.data + self->sent, size);
    self->sent += size;
    return (ssize_t) size;
}

static void on_gone (void *cls) {
    struct giving *self = cls;
    buf_free (&self->part);
    free (self);
}

/* All together, part by part. */
static bool whole_check (struct request *r, struct store *store,
                         const struct file_place *place,
                         const struct file_manifest *manifest) {
    struct hash_stream stream;
    struct buf part = { 0 };
    struct error e = { 0 };
    enum err rc = ERR_NONE;
    hash_stream_begin (&stream);
    for (size_t i = 0; !rc && i < manifest->part_count; i++) {
        rc = file_part_load (store, place, &manifest->parts[i], &part, &e);
        hash_stream_add (&stream, buf_slice (&part));
    }
    buf_free (&part);
    struct hash found = hash_stream_end (&stream);
    if (rc)
        problem_error (r, &e);
    else if (!hash_equal (&found, &manifest->sha256))
        problem_reply (r, PROBLEM_FILE_BROKEN,
                       "its parts together are not what its manifest says: "
                       "another SHA-256");
    return !r->response;
}

static bool is_complete (struct request *r, const struct file_look *look) {
    const struct file_said *said = file_view_newest (look->view);
    enum file_state state = file_view_state (look->view);
    if (state == FILE_COMPLETE)
        return true;
    if (state == FILE_WITHDRAWN)
        problem_reply (r, PROBLEM_FILE_WITHDRAWN, "%s withdrew it",
                       said->origin.author);
    else if (!said)
        problem_reply (r, PROBLEM_FILE_INCOMPLETE, "nothing of it is here yet");
    else
        problem_reply_int (r, PROBLEM_FILE_INCOMPLETE, "missing",
                           (int64_t) (said->manifest->part_count
                                      - file_view_held (look->view, NULL)),
                           "%zu of its %zu parts are here",
                           file_view_held (look->view, NULL),
                           said->manifest->part_count);
    return false;
}

/* Quoted, for programs of old, and as RFC 8187 has it. */
static void disposition (struct request *r, const char *name) {
    struct buf out = { 0 };
    char *safe = file_name_safe (name);
    buf_add_text (&out, "attachment; filename=\"");
    for (const char *at = safe; *at; at++)
        if ((*at & 0x80) == 0)
            buf_add_u8 (&out, (uint8_t) *at);
        else if (((unsigned) *at & 0xc0) != 0x80)
            buf_add_u8 (&out, '_');
    buf_add_text (&out, "\"; filename*=UTF-8''");
    for (const char *at = safe; *at; at++)
        buf_add_format (&out, "%%%02X", (unsigned) (uint8_t) *at);
    char *text = buf_take_text (&out);
    reply_header (r, "Content-Disposition", text);
    free (text);
    free (safe);
}

static void content_reply (struct request *r, const struct file_place *place,
                           const struct file_manifest *manifest) {
    struct giving *self = mem_alloc (sizeof *self);
    char etag[HASH_TEXT_MAX + 2], hex[HASH_TEXT_MAX];
    self->http = r->http;
    self->place = *place;
    self->count = manifest->part_count;
    memcpy (self->parts, manifest->parts,
            manifest->part_count * sizeof *self->parts);
    /* The type that its sender gave it is text in the manifest: nothing here
     * is for a browser to run. */
    reply_response (
        r, 200, "application/octet-stream",
        MHD_create_response_from_callback (
            (uint64_t) manifest->size, READ_OCTETS, on_room, self, on_gone));
    snprintf (etag, sizeof etag, "\"%s\"", hash_text (hex, &manifest->sha256));
    reply_header (r, "ETag", etag);
    reply_header (r, "Content-Security-Policy", "sandbox; default-src 'none'");
    disposition (r, manifest->name);
}

void file_content_get (struct request *r) {
    struct file_look look;
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (roster && file_find (r, store, roster, &look)) {
        const struct file_place *place = file_view_place (look.view);
        const struct file_manifest *manifest = file_look_manifest (&look);
        if (is_complete (r, &look) && whole_check (r, store, place, manifest))
            content_reply (r, place, manifest);
        file_look_free (&look);
    }
    roster_unref (&roster);
}
