/* sse - line by line; a field's place decides, not its order. */
#include "sse.h"

#include <errno.h>
#include <stdlib.h>

struct sse {
    sse_fn *fn;
    void *arg;
    struct buf line; /* begun */
    char name[64];
    struct buf data;
    bool has_data;
    char next_id[SSE_ID_MAX], last_id[SSE_ID_MAX];
};

struct sse *sse_new (sse_fn *fn, void *arg) {
    struct sse *self = mem_alloc (sizeof *self);
    self->fn = fn;
    self->arg = arg;
    return self;
}

void sse_destroy (struct sse **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    buf_free (&(*self_p)->line);
    buf_free (&(*self_p)->data);
    free (*self_p);
    *self_p = NULL;
    errno = saved;
}

const char *sse_last_id (const struct sse *self) {
    return self->last_id;
}

static void forget_event (struct sse *self) {
    self->name[0] = '\0';
    self->has_data = false;
    buf_clear (&self->data);
}

void sse_restart (struct sse *self) {
    forget_event (self);
    buf_clear (&self->line);
    memcpy (self->next_id, self->last_id, SSE_ID_MAX);
}

static enum err dispatch (struct sse *self, struct error *e) {
    struct sse_event event = { .name = self->name[0] ? self->name : "message",
                               .data = buf_slice (&self->data) };
    enum err rc = self->has_data ? self->fn (self->arg, &event, e) : ERR_NONE;
    if (!rc)
        memcpy (self->last_id, self->next_id, SSE_ID_MAX);
    forget_event (self);
    return rc;
}

/* What does not fit is left out: a name or an id that long is none of ours. */
static void keep (char *out, size_t room, struct slice value) {
    if (value.size >= room || memchr (value.data, '\0', value.size))
        return;
    memcpy (out, value.data, value.size);
    out[value.size] = '\0';
}

static void take_field (struct sse *self, struct slice name,
                        struct slice value) {
    if (slice_is (name, "event"))
        keep (self->name, sizeof self->name, value);
    else if (slice_is (name, "id"))
        keep (self->next_id, SSE_ID_MAX, value);
    else if (slice_is (name, "data")) {
        if (self->has_data)
            buf_add_u8 (&self->data, '\n');
        buf_add_slice (&self->data, value);
        self->has_data = true;
    }
}

static enum err take_line (struct sse *self, struct slice line,
                           struct error *e) {
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (line.size == 0)
        return dispatch (self, e);
    const uint8_t *colon = memchr (line.data, ':', line.size);
    size_t name = colon ? (size_t) (colon - line.data) : line.size;
    size_t from = colon ? name + 1 : name;
    if (from < line.size && line.data[from] == ' ')
        from++;
    take_field (self, slice_of (line.data, name),
                slice_of (line.data + from, line.size - from));
    return ERR_NONE;
}

enum err sse_feed (struct sse *self, struct slice octets, struct error *e) {
    enum err rc = ERR_NONE;
    while (octets.size > 0 && !rc) {
        const uint8_t *end = memchr (octets.data, '\n', octets.size);
        size_t size = end ? (size_t) (end - octets.data) : octets.size;
        if (self->line.size + self->data.size + size > SSE_EVENT_MAX)
            return error_set (e, ERR_LIMIT, "an event above %d octets",
                              SSE_EVENT_MAX);
        buf_add (&self->line, octets.data, size);
        if (!end)
            return ERR_NONE;
        rc = take_line (self, buf_slice (&self->line), e);
        buf_clear (&self->line);
        octets = slice_of (end + 1, octets.size - size - 1);
    }
    return rc;
}
