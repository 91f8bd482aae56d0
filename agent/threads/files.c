/* files - topics, names, and one file as its records make it (FILES.md). */
#include "files.h"

#include "plans/plan_impl.h"

#include <stdio.h>
#include <stdlib.h>

#define LEVELS 4 /* of a file's topic */

/* Topics */

static struct slice level_of (struct slice topic, size_t n) {
    const uint8_t *at = topic.data, *end = at + topic.size;
    for (; n > 0 && at < end; n--) {
        const uint8_t *slash = memchr (at, '/', (size_t) (end - at));
        at = slash ? slash + 1 : end;
    }
    const uint8_t *slash =
        at < end ? memchr (at, '/', (size_t) (end - at)) : NULL;
    return slice_of (at, (size_t) ((slash ? slash : end) - at));
}

static size_t levels_of (struct slice topic) {
    size_t count = 1;
    for (size_t i = 0; i < topic.size; i++)
        count += topic.data[i] == '/';
    return count;
}

bool file_topic_is (struct slice topic) {
    return topic.size > 0 && slice_is (level_of (topic, 1), "file");
}

bool file_id_valid (struct slice text) {
    if (text.size != FILE_ID_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!strchr ("0123456789abcdef", text.data[i]) || !text.data[i])
            return false;
    return true;
}

void file_id_of (char out[FILE_ID_SIZE + 1], const struct hash *sha256) {
    hex_encode (out, sha256->octets, FILE_ID_SIZE / 2);
}

/* Of a checked size. */
static void copy (char *out, struct slice text) {
    memcpy (out, text.data, text.size);
    out[text.size] = '\0';
}

bool file_place_read (struct slice topic, const char *author_entity,
                      struct file_place *out, struct faults *faults) {
    size_t before = faults->count;
    struct slice channel = level_of (topic, 0), entity = level_of (topic, 2);
    char text[SHOWN_MAX];
    if (!file_topic_is (topic) || levels_of (topic) != LEVELS
        || channel.size > CHANNEL_MAX)
        faults_add (faults, "",
                    "stands on '%s': a file's topic is CHANNEL/file/ENTITY/"
                    "FILE-ID",
                    shown (text, topic));
    else if (!entity_valid (entity))
        faults_add (faults, "", "stands on '%s', whose third level is no body",
                    shown (text, topic));
    else if (!file_id_valid (level_of (topic, 3)))
        faults_add (faults, "",
                    "stands on '%s', whose last level is no file's id: the "
                    "first %d digits, 0-9 and a-f, of the SHA-256 of its "
                    "content",
                    shown (text, topic), FILE_ID_SIZE);
    else if (author_entity && !slice_is (entity, author_entity))
        faults_add (faults, "",
                    "is not its owner's: the file is %s's, the "
                    "author is of %s",
                    shown (text, entity), author_entity);
    if (faults->count > before)
        return false;
    copy (out->channel, channel);
    copy (out->entity, entity);
    copy (out->id, level_of (topic, 3));
    return true;
}

char *file_topic (char out[TOPIC_MAX + 1], const struct file_place *place) {
    snprintf (out, TOPIC_MAX + 1, "%s/file/%s/%s", place->channel,
              place->entity, place->id);
    return out;
}

/* Names */

static uint32_t code_point (const uint8_t *at, size_t size) {
    static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t out = at[0] & masks[size];
    for (size_t i = 1; i < size; i++)
        out = out << 6 | (at[i] & 0x3f);
    return out;
}

/* Controls, and what turns or hides the direction of text. */
static bool is_hidden (uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f)
           || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)
           || c == 0xfeff || c == 0x061c;
}

bool file_name_valid (struct slice name) {
    size_t count = 0;
    if (name.size == 0 || slice_is (name, ".") || slice_is (name, "..")
        || name.data[0] == ' ' || name.data[name.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < name.size; count++) {
        size_t size = utf8_size (name.data + i, name.size - i);
        uint32_t c = size ? code_point (name.data + i, size) : 0;
        if (is_hidden (c) || c == '/' || c == '\\')
            return false;
        i += size;
    }
    return count <= FILE_NAME_MAX;
}

static bool is_plain (uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || (c && strchr (".-_ ()[]", c));
}

/* File systems have 255 octets for a name; what stands behind the last dot says
 * what it is, and is kept. */
#define SAFE_MAX 200
char *file_name_safe (const char *name) {
    struct buf out = { 0 };
    size_t length = strlen (name);
    const char *dot = strrchr (name, '.');
    size_t tail = dot && length - (size_t) (dot - name) <= 16
                      ? length - (size_t) (dot - name)
                      : 0;
    for (size_t i = 0; i < length;) {
        const uint8_t *at = (const uint8_t *) name + i;
        size_t size = utf8_size (at, length - i);
        bool fine = size == 1 ? is_plain (*at)
                              : size && !is_hidden (code_point (at, size));
        size_t step = size ? size : 1;
        if (i < length - tail && out.size + step > SAFE_MAX - tail)
            i = length - tail;
        else {
            if (!fine || (out.size == 0 && (*at == '.' || *at == '-')))
                buf_add_u8 (&out, '_');
            else
                buf_add (&out, at, size);
            i += step;
        }
    }
    if (out.size == 0)
        buf_add_text (&out, "file");
    return buf_take_text (&out);
}

static size_t type_part (struct slice type, size_t at) {
    size_t size = 0;
    for (; at + size < type.size; size++) {
        uint8_t c = type.data[at + size];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (size == 0 || !c || !strchr ("!#$&^_.+-", c)))
            break;
    }
    return size <= 64 ? size : 0;
}

bool file_type_valid (struct slice type) {
    size_t first = type_part (type, 0);
    if (first == 0 || first + 1 >= type.size || type.data[first] != '/')
        return false;
    size_t second = type_part (type, first + 1);
    return second > 0 && first + 1 + second == type.size;
}

/* One file */

struct file_view {
    struct file_place place;
    struct file_said *said; /* by sequence */
    size_t count;
    bool has[FILE_PARTS_MAX];
    size_t held;
    int64_t octets;
};

struct file_view *file_view_new (const struct file_place *place) {
    struct file_view *self = mem_alloc (sizeof *self);
    self->place = *place;
    return self;
}

void file_view_free (struct file_view **self_p) {
    if (!self_p || !*self_p)
        return;
    struct file_view *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        file_manifest_free (&self->said[i].manifest);
        if (self->said[i].faults)
            faults_clear (self->said[i].faults);
        free (self->said[i].faults);
    }
    free (self->said);
    free (self);
}

static struct file_said *said_insert (struct file_view *self,
                                      const struct origin *origin) {
    size_t at = self->count;
    self->said = mem_resize (self->said, (at + 1) * sizeof *self->said);
    for (; at > 0 && self->said[at - 1].origin.sequence > origin->sequence;
         at--)
        self->said[at] = self->said[at - 1];
    self->count++;
    self->said[at] = (struct file_said){ .origin = *origin };
    return &self->said[at];
}

void file_view_say (struct file_view *self, const struct origin *origin,
                    const struct json_t *document, const char *why) {
    struct file_said *said = said_insert (self, origin);
    struct faults *faults = mem_alloc (sizeof *faults);
    char entity[ENTITY_MAX + 1], topic[TOPIC_MAX + 1];
    struct file_place place;
    origin_entity (entity, origin);
    file_topic (topic, &self->place);
    if (!file_place_read (slice_text (topic), entity, &place, faults))
        ;
    else if (!document)
        faults_add (faults, "", "%s", why);
    else
        said->manifest =
            file_manifest_read (&place, document, faults, &said->newer);
    if (faults->count > 0)
        said->faults = faults;
    else
        free (faults);
    memset (self->has, 0, sizeof self->has);
    self->held = 0;
    self->octets = 0;
}

void file_view_parts (struct file_view *self, file_held_fn *held, void *arg) {
    const struct file_said *said = file_view_manifest (self);
    self->held = 0;
    self->octets = 0;
    for (size_t i = 0; said && i < said->manifest->part_count; i++) {
        const struct file_part *part = &said->manifest->parts[i];
        self->has[i] = held (arg, part);
        self->held += self->has[i];
        self->octets += self->has[i] ? part->size : 0;
    }
}

const struct file_place *file_view_place (const struct file_view *self) {
    return &self->place;
}

const struct file_said *file_view_newest (const struct file_view *self) {
    for (size_t i = self->count; i > 0; i--)
        if (self->said[i - 1].manifest)
            return &self->said[i - 1];
    return NULL;
}

const struct file_said *file_view_manifest (const struct file_view *self) {
    for (size_t i = self->count; i > 0; i--)
        if (self->said[i - 1].manifest && !self->said[i - 1].manifest->withdraw)
            return &self->said[i - 1];
    return NULL;
}

enum file_state file_view_state (const struct file_view *self) {
    const struct file_said *said = file_view_newest (self);
    if (!said)
        return FILE_UNKNOWN;
    if (said->manifest->withdraw)
        return FILE_WITHDRAWN;
    return self->held == said->manifest->part_count ? FILE_COMPLETE
                                                    : FILE_INCOMPLETE;
}

const char *file_state_name (enum file_state state) {
    static const char *const names[] = { "unknown", "incomplete", "complete",
                                         "withdrawn" };
    return names[state];
}

size_t file_view_count (const struct file_view *self) {
    return self->count;
}

const struct file_said *file_view_at (const struct file_view *self, size_t n) {
    return n < self->count ? &self->said[n] : NULL;
}

size_t file_view_held (const struct file_view *self, int64_t *octets) {
    if (octets)
        *octets = self->octets;
    return self->held;
}

bool file_view_has (const struct file_view *self, size_t part) {
    return part < FILE_PARTS_MAX && self->has[part];
}
