/* facets - a hash for each respect of an action. */
#include "facets.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct facets {
    size_t count;
    struct facets_of at[]; /* by id */
};

static void put (crypto_generichash_state *state, const json_t *string) {
    const char *text = json_string_value (string);
    if (text) /* its NUL divides */
        crypto_generichash_update (state, (const uint8_t *) text,
                                   strlen (text) + 1);
}

static int by_text (const void *a, const void *b) {
    return strcmp (json_string_value (*(json_t *const *) a),
                   json_string_value (*(json_t *const *) b));
}

/* As a set: sorted, each once. */
static void put_set (crypto_generichash_state *state, const json_t *list) {
    size_t count = 0, size = json_array_size (list);
    const json_t **at = mem_alloc ((size + 1) * sizeof *at);
    for (size_t i = 0; i < size; i++)
        if (json_is_string (json_array_get (list, i)))
            at[count++] = json_array_get (list, i);
    if (count > 1)
        qsort (at, count, sizeof *at, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0
            || strcmp (json_string_value (at[i - 1]), json_string_value (at[i]))
                   != 0)
            put (state, at[i]);
    free (at);
}

static void put_member (crypto_generichash_state *state, const json_t *action,
                        const char *name) {
    static const uint8_t end = 1;
    const json_t *value = json_object_get (action, name);
    if (json_is_array (value))
        put_set (state, value);
    else
        put (state, value);
    crypto_generichash_update (state, &end, 1);
}

static void facet_make (const json_t *action, enum facet facet,
                        uint8_t out[FACET_SIZE]) {
    static const char *const members[FACETS][2] = {
        [FACET_PRIORITIES] = { "priorities" },
        [FACET_REGIONS] = { "regions" },
        [FACET_DATES] = { "from", "to" },
        [FACET_LEAD] = { "lead" },
        [FACET_PARTNERS] = { "co_leads", "partners" },
    };
    crypto_generichash_state state;
    crypto_generichash_init (&state, NULL, 0, FACET_SIZE);
    for (size_t i = 0; i < 2 && members[facet][i]; i++)
        put_member (&state, action, members[facet][i]);
    const char *status = json_string_value (json_object_get (action, "status"));
    if (facet == FACET_CANCELLED && status && strcmp (status, "cancelled") == 0)
        crypto_generichash_update (&state, (const uint8_t *) status, 1);
    crypto_generichash_final (&state, out, FACET_SIZE);
}

static int by_id (const void *a, const void *b) {
    return strcmp (((const struct facets_of *) a)->id,
                   ((const struct facets_of *) b)->id);
}

/* The ids' copies stand behind the table, in one piece with it. */
struct facets *facets_read (const json_t *actions) {
    size_t count = json_array_size (actions), octets = 0;
    for (size_t i = 0; i < count; i++)
        octets += json_string_length (
                      json_object_get (json_array_get (actions, i), "id"))
                  + 1;
    struct facets *self =
        mem_alloc (sizeof *self + count * sizeof *self->at + octets);
    char *texts = (char *) (self->at + count);
    for (size_t i = 0; i < count; i++) {
        const json_t *action = json_array_get (actions, i);
        const char *id = json_string_value (json_object_get (action, "id"));
        size_t size = strlen (id ? id : "") + 1;
        memcpy (texts, id ? id : "", size);
        self->at[i].id = texts;
        texts += size;
        for (unsigned k = 0; k < FACETS; k++)
            facet_make (action, (enum facet) k, self->at[i].at[k]);
    }
    self->count = count;
    if (count > 1)
        qsort (self->at, count, sizeof *self->at, by_id);
    return self;
}

void facets_free (struct facets **self_p) {
    if (self_p) {
        free (*self_p);
        *self_p = NULL;
    }
}

const struct facets_of *facets_find (const struct facets *self,
                                     const char *id) {
    size_t low = 0, high = self ? self->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp (self->at[middle].id, id);
        if (order == 0)
            return &self->at[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

unsigned facets_differ (const struct facets_of *a, const struct facets_of *b) {
    unsigned out = 0;
    for (unsigned i = 0; i < FACETS; i++)
        if (memcmp (a->at[i], b->at[i], FACET_SIZE) != 0)
            out |= 1U << i;
    return out;
}
