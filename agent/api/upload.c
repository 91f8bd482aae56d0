/* upload - POST /files. */
#include "api/upload.h"

#include "api/access.h"
#include "api/file_look.h"
#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "base/hash_stream.h"
#include "format/message.h"
#include "identity/roster.h"
#include "link/link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int uploads;

struct upload {
    int64_t number; /* of the sending; 0: none yet */
    bool slot;      /* one of UPLOADS_MAX */
    struct buf part;
    struct hash_stream whole;
    int64_t size;
    size_t count;
    struct file_part parts[FILE_PARTS_MAX];
};

/* What is asked */

struct asked {
    const char *channel, *name, *type, *text;
};

static bool refuse (struct request *r, const char *name, const char *value,
                    const char *why) {
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", name,
                        "'%.80s' %s", value ? value : "", why);
    return false;
}

static bool text_fine (const char *text) {
    size_t count = 0;
    for (const char *at = text; *at; at++)
        count += ((unsigned) *at & 0xc0) != 0x80;
    return count <= FILE_TEXT_MAX && mp_is_text (slice_text (text));
}

static bool asked_read (struct request *r, struct asked *out) {
    *out = (struct asked){ .channel = request_query (r, "channel"),
                           .name = request_query (r, "name"),
                           .type = request_query (r, "type"),
                           .text = request_query (r, "text") };
    if (!out->type)
        out->type = "application/octet-stream";
    if (!out->channel)
        return refuse (r, "channel", NULL, "is missing: whom the file is for");
    if (!out->name || !file_name_valid (slice_text (out->name)))
        return refuse (r, "name", out->name,
                       "is no file's name: 1 to 200 characters, without "
                       "slashes, controls, and characters that hide or turn "
                       "text");
    if (!file_type_valid (slice_text (out->type)))
        return refuse (r, "type", out->type,
                       "is no media type like application/pdf");
    if (out->text && !text_fine (out->text))
        return refuse (r, "text", out->text,
                       "is no text of at most 4,000 characters");
    return true;
}

/* An unescaped '+' of an ad-hoc channel arrives as a blank. */
static bool place_of (struct request *r, const struct hash *sha256,
                      struct file_place *out) {
    struct error e;
    char topic[TOPIC_MAX + 64];
    char *channel = request_query_topic (r, "channel");
    size_t size = channel ? strlen (channel) : 0;
    *out = (struct file_place){ 0 };
    plans_own_entity (r, out->entity);
    if (size > 0 && size <= CHANNEL_MAX && !strchr (channel, '/'))
        memcpy (out->channel, channel, size);
    free (channel);
    file_id_of (out->id, sha256);
    snprintf (topic, sizeof topic, "%s/file/%s/%s", out->channel, out->entity,
              out->id);
    if (!topic_check (slice_text (topic), &e))
        return true;
    return refuse (r, "channel", request_query (r, "channel"),
                   "is no channel's name");
}

/* Taking in */

struct adding {
    struct upload *upload;
    const struct hash *sha256;
};

static enum err begin_write (struct store *writer, void *arg, struct error *e) {
    struct upload *self = arg;
    return sendings_begin (writer, &self->number, e);
}

static enum err part_write (struct store *writer, void *arg, struct error *e) {
    struct adding *adding = arg;
    struct upload *self = adding->upload;
    return sendings_add (writer, self->number, (int64_t) self->count,
                         adding->sha256, buf_slice (&self->part), e);
}

static enum err drop_write (struct store *writer, void *arg, struct error *e) {
    const int64_t *number = arg;
    return sendings_drop (writer, *number, e);
}

static bool write_it (struct request *r, handles_write_fn *write, void *arg) {
    struct error e = { 0 };
    if (!handles_write (&r->http->handles, write, arg, &e))
        return true;
    problem_error (r, &e);
    return false;
}

static bool slot_take (struct request *r, struct upload *self) {
    self->slot = atomic_fetch_add (&uploads, 1) < UPLOADS_MAX;
    if (self->slot)
        return true;
    atomic_fetch_sub (&uploads, 1);
    problem_reply (r, PROBLEM_BUSY, "%d files are handed in already",
                   UPLOADS_MAX);
    return false;
}

/* Everything that can be told before the octets are taken. */
static bool upload_begin (struct request *r) {
    static const struct hash none;
    struct asked asked;
    struct file_place place;
    if (!asked_read (r, &asked) || !place_of (r, &none, &place)
        || !post_may_write (r, slice_text (place.channel)))
        return false;
    struct upload *self = r->upload = mem_alloc (sizeof *self);
    hash_stream_begin (&self->whole);
    return slot_take (r, self) && write_it (r, begin_write, self);
}

static bool part_end (struct request *r, struct upload *self) {
    struct hash sha256 = hash_sha256 (buf_slice (&self->part));
    struct adding adding = { self, &sha256 };
    self->parts[self->count++] =
        (struct file_part){ (int64_t) self->part.size, sha256 };
    bool fine = write_it (r, part_write, &adding);
    buf_clear (&self->part);
    return fine;
}

static bool octets_take (struct request *r, struct upload *self,
                         struct slice data) {
    if (self->size + (int64_t) data.size > FILE_SIZE_MAX) {
        problem_reply_int (r, PROBLEM_TOO_LARGE, "limit", FILE_SIZE_MAX,
                           "a file has at most %d octets", FILE_SIZE_MAX);
        return false;
    }
    self->size += (int64_t) data.size;
    hash_stream_add (&self->whole, data);
    bool fine = true;
    while (fine && data.size > 0) {
        size_t room = FILE_PART_SIZE - self->part.size;
        size_t size = data.size < room ? data.size : room;
        buf_add (&self->part, data.data, size);
        data = slice_of (data.data + size, data.size - size);
        if (self->part.size == FILE_PART_SIZE)
            fine = part_end (r, self);
    }
    return fine;
}

bool upload_take (struct request *r, const char *data, size_t size) {
    if (r->upload || upload_begin (r))
        (void) octets_take (r, r->upload, slice_of (data, size));
    return true;
}

void upload_free (struct request *r, struct upload **self_p) {
    struct upload *self = *self_p;
    struct error e;
    *self_p = NULL;
    if (!self)
        return;
    if (self->number > 0) /* what fails here goes at the next start */
        (void) !handles_write (&r->http->handles, drop_write, &self->number,
                               &e);
    if (self->slot)
        atomic_fetch_sub (&uploads, 1);
    buf_free (&self->part);
    free (self);
}

/* The end */

struct ending {
    struct upload *upload;
    struct file_place place;
    char topic[TOPIC_MAX + 1];
    struct buf manifest;
    const char *drafter; /* NULL: it goes at once */
    bool repeated;
};

static enum err ready_write (struct store *writer, void *arg, struct error *e) {
    struct ending *self = arg;
    return sendings_ready (writer, &self->upload->number, self->topic,
                           self->place.entity, self->upload->size,
                           buf_slice (&self->manifest), self->drafter,
                           &self->repeated, e);
}

static bool manifest_make (struct request *r, struct ending *self,
                           const struct asked *asked,
                           const struct hash *sha256) {
    struct error e = { 0 };
    struct upload *upload = self->upload;
    json_t *text =
        asked->text && *asked->text ? json_string (asked->text) : NULL;
    json_t *json =
        file_manifest_json (asked->name, asked->type, upload->size, sha256,
                            upload->parts, upload->count, text);
    enum err rc = mp_from_json (&self->manifest, json, CONTENT_MAX, &e);
    json_decref (json);
    json_decref (text);
    if (rc)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    return !rc;
}

/* Is all of it in the ledger, as it is given now? */
static bool is_there (const struct file_look *look, const struct asked *asked) {
    const struct file_said *said = file_view_newest (look->view);
    if (file_view_state (look->view) != FILE_COMPLETE)
        return false;
    const struct file_manifest *manifest = said->manifest;
    json_t *text = manifest->said_text;
    bool same = asked->text && *asked->text
                    ? json_is_string (text)
                          && strcmp (json_string_value (text), asked->text) == 0
                    : !text;
    return same && strcmp (manifest->name, asked->name) == 0
           && strcmp (manifest->type, asked->type) == 0;
}

/* With the roster, to read what the ledger has of it. *there: all. */
static bool answer (struct request *r, const struct ending *self,
                    const struct asked *asked, unsigned status, bool *there) {
    struct error e = { 0 };
    struct file_look look;
    int64_t sequence;
    bool readable = false;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (!roster)
        return false;
    enum err rc = file_look (store, roster, r->http->options.delegation,
                             self->topic, true, &look, &readable, &e);
    if (rc)
        problem_error (r, &e);
    if (there)
        *there = readable && is_there (&look, asked);
    if (readable && (!there || *there)) {
        char location[128];
        reply_json (r, status, json_file (&look, roster, true));
        snprintf (location, sizeof location, "/api/v1/files/%s",
                  self->place.id);
        reply_header (r, "Location", location);
    }
    if (readable)
        file_look_free (&look);
    roster_unref (&roster);
    request_release (r);
    return !rc;
}

static void finish (struct request *r, struct ending *self,
                    const struct asked *asked) {
    bool there;
    if (!answer (r, self, asked, 200, &there) || there)
        return;
    if (!write_it (r, ready_write, self))
        return;
    self->upload->number = 0; /* it is a sending now */
    if (!self->repeated) {
        publish_act (r, self->drafter ? "drafted" : "published", self->topic);
        if (r->http->options.link)
            link_wake (r->http->options.link);
        http_changed (r->http);
    }
    (void) answer (r, self, asked, self->repeated ? 200 : 202, NULL);
}

void files_post (struct request *r) {
    struct asked asked;
    struct ending ending = { .upload = r->upload,
                             .drafter =
                                 access_draft (r) ? r->user.name : NULL };
    if (!r->upload) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "a file has 1 to %d octets",
                       FILE_SIZE_MAX);
        return;
    }
    if (r->upload->part.size > 0 && !part_end (r, r->upload))
        return;
    struct hash sha256 = hash_stream_end (&r->upload->whole);
    if (!asked_read (r, &asked) || !place_of (r, &sha256, &ending.place))
        return;
    file_topic (ending.topic, &ending.place);
    if (manifest_make (r, &ending, &asked, &sha256))
        finish (r, &ending, &asked);
    buf_free (&ending.manifest);
}
