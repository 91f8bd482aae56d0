/* overlap_places - the sets of countries that actions have, each once. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

uint16_t overlaps_place (const struct overlaps *self,
                         const struct countries *countries) {
    for (size_t i = 0; i < self->place_count; i++)
        if (self->places[i]->uses > 0
            && memcmp (&self->places[i]->countries, countries,
                       sizeof *countries)
                   == 0)
            return (uint16_t) i;
    return NO_PLACE;
}

static void meets_set (struct place *self, size_t slot, bool on) {
    uint64_t bit = UINT64_C (1) << slot % 64;
    if (on)
        self->meets.words[slot / 64] |= bit;
    else
        self->meets.words[slot / 64] &= ~bit;
}

static struct place *place_free_one (struct overlaps *self, uint16_t *number) {
    for (size_t i = 0; i < self->place_count; i++)
        if (self->places[i]->uses == 0) {
            *number = (uint16_t) i;
            memset (self->places[i]->meets.words, 0,
                    self->words * sizeof (uint64_t));
            return self->places[i];
        }
    if (self->place_count == PLACES_MAX)
        return NULL;
    struct place *out = mem_alloc (sizeof *out);
    out->meets.words = mem_alloc (self->words * sizeof (uint64_t));
    *number = (uint16_t) self->place_count;
    return self->places[self->place_count++] = out;
}

static uint16_t common_count (const struct place *a, const struct place *b) {
    struct countries common;
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        common.bits[i] = a->countries.bits[i] & b->countries.bits[i];
    return (uint16_t) countries_count (&common);
}

static uint16_t place_new (struct overlaps *self,
                           const struct countries *countries) {
    uint16_t number;
    struct place *place = place_free_one (self, &number);
    if (!place)
        return NO_PLACE;
    place->countries = *countries;
    for (size_t i = 0; i < self->place_count; i++)
        place->common[i] = self->places[i]->common[number] =
            common_count (place, self->places[i]);
    for (size_t i = 0; i < self->size; i++)
        if (self->slots[i].plan
            && countries_common (countries, &self->slots[i].countries))
            meets_set (place, i, true);
    return number;
}

void place_enter (struct overlaps *self, size_t slot) {
    struct slot *entered = &self->slots[slot];
    entered->place = overlaps_place (self, &entered->countries);
    if (entered->place == NO_PLACE)
        entered->place = place_new (self, &entered->countries);
    if (entered->place != NO_PLACE)
        self->places[entered->place]->uses++;
    for (size_t i = 0; i < self->place_count; i++)
        if (countries_common (&self->places[i]->countries, &entered->countries))
            meets_set (self->places[i], slot, true);
}

void place_leave (struct overlaps *self, size_t slot) {
    uint16_t place = self->slots[slot].place;
    for (size_t i = 0; i < self->place_count; i++)
        meets_set (self->places[i], slot, false);
    if (place != NO_PLACE)
        self->places[place]->uses--;
}

void places_grow (struct overlaps *self, size_t words) {
    for (size_t i = 0; i < self->place_count; i++) {
        struct bits *meets = &self->places[i]->meets;
        meets->words = mem_resize (meets->words, words * sizeof (uint64_t));
        memset (meets->words + self->words, 0,
                (words - self->words) * sizeof (uint64_t));
    }
}

void places_free (struct overlaps *self) {
    for (size_t i = 0; i < self->place_count; i++) {
        free (self->places[i]->meets.words);
        free (self->places[i]);
    }
}
