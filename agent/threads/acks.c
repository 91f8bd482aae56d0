/* acks - records by sequence, and an index by message made of them when it is
 * asked for. */
#include "acks.h"

#include "plans/plan_impl.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char *ack_state_name (enum ack_state state) {
    return state == ACK_SEEN ? "seen" : state == ACK_VERIFIED ? "verified" : "";
}

bool ack_state_read (struct slice word, enum ack_state *out) {
    *out = slice_is (word, "seen")       ? ACK_SEEN
           : slice_is (word, "verified") ? ACK_VERIFIED
                                         : ACK_NONE;
    return *out != ACK_NONE;
}

/* Topics */

static size_t split (struct slice topic, struct slice out[3]) {
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= topic.size; i++)
        if (i == topic.size || topic.data[i] == '/') {
            if (count < 3)
                out[count] = (struct slice){ topic.data + from, i - from };
            count++;
            from = i + 1;
        }
    return count;
}

bool ack_topic (struct slice topic) {
    struct slice levels[3];
    return topic.size > 0 && split (topic, levels) > 1
           && slice_is (levels[1], "ack");
}

bool ack_place_read (struct slice topic, const char *author_entity,
                     struct ack_place *out, struct faults *faults) {
    struct error e;
    struct slice levels[3];
    *out = (struct ack_place){ 0 };
    if (topic_check (topic, &e) || split (topic, levels) != 3
        || !slice_is (levels[1], "ack") || !entity_valid (levels[2])) {
        faults_add (faults, "", "the topic is not CHANNEL/ack/ENTITY");
        return false;
    }
    memcpy (out->channel, levels[0].data, levels[0].size);
    memcpy (out->entity, levels[2].data, levels[2].size);
    if (!author_entity || strcmp (author_entity, out->entity) == 0)
        return true;
    faults_add (faults, "", "%s writes where only %s may: the topic names %s",
                author_entity, out->entity, out->entity);
    return false;
}

/* Bodies */

static const char *const words_state[] = { "verified", "seen", NULL };
static const struct shape shape_state = { .type = SHAPE_WORD,
                                          .words = words_state };
static const struct shape_member members_ack[] = {
    { "message", &shape_message_id, true },
    { "state", &shape_state, true },
    { 0 }
};
static const struct shape shape_ack = { .type = SHAPE_OBJECT,
                                        .members = members_ack };
static const struct shape shape_list = {
    .type = SHAPE_LIST, .items = &shape_ack, .min = 1, .max = ACKS_MAX
};
static const struct shape_member members_acks[] = {
    { "format", &shape_format, true }, { "acks", &shape_list, true }, { 0 }
};
static const struct shape shape_acks = { .type = SHAPE_OBJECT,
                                         .members = members_acks };

bool acks_read (const json_t *document, struct ack_list *out,
                struct faults *faults, bool *newer) {
    struct check check = { .faults = faults };
    size_t before = faults->count;
    *out = (struct ack_list){ 0 };
    *newer = format_is_newer (document);
    if (*newer)
        return false;
    shape_check (&check, document, &shape_acks);
    if (faults->count > before)
        return false;
    const json_t *list = json_object_get (document, "acks");
    out->count = json_array_size (list);
    out->at = mem_alloc (out->count * sizeof *out->at);
    for (size_t i = 0; i < out->count; i++) {
        const json_t *item = json_array_get (list, i);
        if (!read_hash (json_object_get (item, "message"), &out->at[i].message)
            || !ack_state_read (string_slice (json_object_get (item, "state")),
                                &out->at[i].state))
            out->at[i].state = ACK_NONE; /* was checked above */
    }
    return true;
}

void ack_list_free (struct ack_list *self) {
    free (self->at);
    *self = (struct ack_list){ 0 };
}

json_t *acks_write (const struct ack *at, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char id[HASH_TEXT_MAX];
        json_array_append_new (list, json_pack ("{ss ss}", "message",
                                                hash_text (id, &at[i].message),
                                                "state",
                                                ack_state_name (at[i].state)));
    }
    return json_pack ("{si so}", "format", 1, "acks", list);
}

/* The set. One line an acknowledgement: by message, channel, delegation, then
 * sequence. */

struct line {
    struct hash message;
    int64_t sequence;
    uint32_t channel, delegation; /* numbers of names */
    enum ack_state state;
};
struct names_of { /* few: channels and delegations */
    char **at;
    size_t count;
};
struct acks {
    struct line *at;
    size_t count, room, sorted; /* lines behind `sorted` are as they came */
    struct names_of channels, delegations;
};

struct acks *acks_new (void) {
    return mem_alloc (sizeof (struct acks));
}

static void names_free (struct names_of *self) {
    for (size_t i = 0; i < self->count; i++)
        free (self->at[i]);
    free (self->at);
}

void acks_destroy (struct acks **self_p) {
    if (!self_p || !*self_p)
        return;
    names_free (&(*self_p)->channels);
    names_free (&(*self_p)->delegations);
    free ((*self_p)->at);
    free (*self_p);
    *self_p = NULL;
}

/* UINT32_MAX: it is none of them. */
static uint32_t name_find (const struct names_of *self, const char *name) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->at[i], name) == 0)
            return (uint32_t) i;
    return UINT32_MAX;
}

static uint32_t name_make (struct names_of *self, const char *name) {
    uint32_t at = name_find (self, name);
    if (at != UINT32_MAX)
        return at;
    self->at = mem_resize (self->at, (self->count + 1) * sizeof *self->at);
    self->at[self->count] = mem_copy_text (name);
    return (uint32_t) self->count++;
}

static int by_place (const void *a, const void *b) {
    const struct line *x = a, *y = b;
    int order = memcmp (&x->message, &y->message, sizeof x->message);
    if (order == 0)
        order = x->channel < y->channel ? -1 : x->channel > y->channel;
    if (order == 0)
        order =
            x->delegation < y->delegation ? -1 : x->delegation > y->delegation;
    if (order == 0)
        order = x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
    if (order == 0)
        order = (int) x->state - (int) y->state;
    return order;
}

/* In order, each once. What came is sorted for itself, and merged from the end:
 * it is little beside the rest. */
static void sort (struct acks *self) {
    size_t fresh = self->count - self->sorted, kept = 0;
    if (fresh == 0)
        return;
    struct line *tail = mem_alloc (fresh * sizeof *tail);
    memcpy (tail, self->at + self->sorted, fresh * sizeof *tail);
    qsort (tail, fresh, sizeof *tail, by_place);
    for (size_t i = self->sorted, j = fresh, to = self->count; j > 0;)
        self->at[--to] = i > 0 && by_place (&self->at[i - 1], &tail[j - 1]) > 0
                             ? self->at[--i]
                             : tail[--j];
    free (tail);
    for (size_t i = 0; i < self->count; i++)
        if (kept == 0 || by_place (&self->at[kept - 1], &self->at[i]) != 0)
            self->at[kept++] = self->at[i];
    self->count = self->sorted = kept;
}

void acks_add (struct acks *self, const struct origin *origin,
               const struct ack_list *list) {
    if (self->count + list->count > self->room) {
        self->room = 2 * (self->count + list->count);
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    for (size_t i = 0; i < list->count; i++)
        self->at[self->count++] = (struct line){
            .message = list->at[i].message,
            .sequence = origin->sequence,
            .channel = name_make (&self->channels, origin->channel),
            .delegation = name_make (&self->delegations, origin->author),
            .state = list->at[i].state,
        };
}

void acks_settle (struct acks *self) {
    sort (self);
}

static void drop (struct acks *self, uint32_t channel, int64_t from) {
    size_t kept = 0;
    sort (self);
    for (size_t i = 0; i < self->count; i++)
        if (channel != UINT32_MAX ? self->at[i].channel != channel
                                  : self->at[i].sequence < from)
            self->at[kept++] = self->at[i];
    self->count = self->sorted = kept;
}

void acks_forget (struct acks *self, const char *channel) {
    uint32_t number = name_find (&self->channels, channel);
    if (number != UINT32_MAX)
        drop (self, number, 0);
}

void acks_cut (struct acks *self, int64_t from) {
    drop (self, UINT32_MAX, from);
}

/* The first line of the message on the channel, or behind it. */
static size_t first_of (const struct acks *self, const struct hash *message,
                        uint32_t channel) {
    struct line key = { .message = *message,
                        .channel = channel,
                        .sequence = -1 };
    size_t low = 0, high = self->sorted;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_place (&self->at[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_of (const struct acks *self, size_t at,
                   const struct hash *message, uint32_t channel) {
    return at < self->sorted && self->at[at].channel == channel
           && hash_equal (&self->at[at].message, message);
}

/* Names' numbers are in the order in which they came, which says nothing: hence
 * the sorting here. */
static int by_name (const void *a, const void *b) {
    return strcmp (((const struct ack_by *) a)->delegation,
                   ((const struct ack_by *) b)->delegation);
}

size_t acks_of (const struct acks *self, const struct hash *message,
                const char *channel, struct ack_by *out, size_t room) {
    uint32_t number = name_find (&self->channels, channel);
    size_t count = 0;
    if (number == UINT32_MAX)
        return 0;
    size_t at = first_of (self, message, number);
    while (is_of (self, at, message, number)) {
        struct ack_by one = {
            .delegation = self->delegations.at[self->at[at].delegation]
        };
        uint32_t who = self->at[at].delegation;
        for (; is_of (self, at, message, number)
               && self->at[at].delegation == who;
             at++)
            if (self->at[at].state > one.state) {
                one.state = self->at[at].state;
                one.sequence = self->at[at].sequence;
            }
        if (count < room)
            out[count++] = one;
    }
    qsort (out, count, sizeof *out, by_name);
    return count;
}

enum ack_state acks_by (const struct acks *self, const struct hash *message,
                        const char *channel, const char *delegation) {
    uint32_t number = name_find (&self->channels, channel);
    uint32_t who = name_find (&self->delegations, delegation);
    enum ack_state out = ACK_NONE;
    if (number == UINT32_MAX || who == UINT32_MAX)
        return out;
    for (size_t at = first_of (self, message, number);
         is_of (self, at, message, number); at++)
        if (self->at[at].delegation == who && self->at[at].state > out)
            out = self->at[at].state;
    return out;
}

size_t acks_count (const struct acks *self) {
    size_t count = 0;
    for (size_t i = 0; i < self->sorted; i++)
        count +=
            i == 0
            || !hash_equal (&self->at[i].message, &self->at[i - 1].message);
    return count;
}
