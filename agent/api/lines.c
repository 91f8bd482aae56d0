/* lines - a query that is read on as the client takes what was found. */
#include "api/lines.h"

#include "api/http_impl.h"
#include "api/json_record.h"
#include "base/log.h"

#include <stdlib.h>
#include <strings.h>

#define READ_OCTETS 65536 /* or one record, if it is larger */

struct lines {
    struct http *http;
    struct records_query query; /* for what is next; its texts are ours */
    char *filter, *author;
    struct buf ready; /* being sent */
    size_t sent;
    bool end;
};

bool lines_wanted (struct request *r) {
    const char *accept = request_header (r, "Accept");
    size_t size = strlen (LINES_TYPE);
    return accept && strncasecmp (accept, LINES_TYPE, size) == 0
           && strchr (" ;,", accept[size]) != NULL;
}

static enum err line_add (struct lines *self, const struct record_row *row,
                          struct error *e) {
    if (json_record_write (&self->ready, row))
        return error_set (e, ERR_DAMAGED, "a record is no JSON");
    buf_add_u8 (&self->ready, '\n');
    struct records_query *q = &self->query;
    if (q->by_sequence)
        q->from_sequence = row->record.sequence + 1;
    else
        q->after = row->position;
    self->end = q->limit > 0 && --q->limit == 0;
    return ERR_NONE;
}

static enum err lines_read (struct lines *self, struct store *store,
                            struct error *e) {
    struct records_cursor *cursor = records_open (store, &self->query, e);
    struct record_row row;
    enum err rc = cursor ? ERR_NONE : e->code;
    while (!rc && !self->end && self->ready.size < READ_OCTETS) {
        rc = records_next (cursor, &row, e);
        if (!rc)
            rc = line_add (self, &row, e);
    }
    records_close (&cursor);
    self->end = self->end || rc == ERR_NOT_FOUND;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err lines_fill (struct lines *self) {
    struct error e = { 0 };
    buf_clear (&self->ready);
    self->sent = 0;
    struct store *store = handles_take (&self->http->handles, &e);
    enum err rc = store ? lines_read (self, store, &e) : e.code;
    handles_give (&self->http->handles, &store);
    if (rc)
        log_limited (LOG_ERROR, "API-LINES", "", "why=%s", log_text (e.text));
    return rc;
}

/* MHD asks when the client can take more. */
static ssize_t on_room (void *cls, uint64_t at, char *out, size_t room) {
    struct lines *self = cls;
    (void) at;
    if (self->sent == self->ready.size) {
        if (self->end)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (wake_stopping (&self->http->wake) || lines_fill (self))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (self->ready.size == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t left = self->ready.size - self->sent;
    size_t size = left < room ? left : room;
    memcpy (out, self->ready.data + self->sent, size);
    self->sent += size;
    return (ssize_t) size;
}

static void on_gone (void *cls) {
    struct lines *self = cls;
    buf_free (&self->ready);
    free (self->filter);
    free (self->author);
    free (self);
}

static char *copy (const char *text) {
    return text ? mem_copy_text (text) : NULL;
}

void lines_reply (struct request *r, const struct records_query *query) {
    struct lines *self = mem_alloc (sizeof *self);
    self->http = r->http;
    self->query = *query;
    self->query.filter = self->filter = copy (query->filter);
    self->query.author = self->author = copy (query->author);
    reply_response (r, 200, LINES_TYPE,
                    MHD_create_response_from_callback (
                        MHD_SIZE_UNKNOWN, READ_OCTETS, on_room, self, on_gone));
}
