/* subject_facets - what was said of an action below a place, and by what. */
#include "subject_impl.h"

#include <string.h>

static bool counts (const struct history_entry *entry, enum content_kind kind) {
    return entry->kind == kind && !entry->faults && !entry->newer;
}

/* The annex behind it that stands in its place, below `to`. */
static bool is_replaced (const struct subject *self, size_t at, size_t to) {
    const struct history_entry *annex = self->entries[at];
    for (size_t i = at + 1; i < to; i++)
        if (counts (self->entries[i], CONTENT_ANNEX)
            && strcmp (self->entries[i]->origin.channel, annex->origin.channel)
                   == 0
            && strcmp (entry_of (self->entries[i])->part,
                       entry_of (annex)->part)
                   == 0)
            return true;
    return false;
}

static const struct facets_of *look (const struct history_entry *entry,
                                     const char *action,
                                     const struct history_entry **by) {
    const struct facets_of *out =
        facets_find (entry_of (entry)->facets, action);
    if (out && by)
        *by = entry;
    return out;
}

const struct facets_of *subject_facets (const struct subject *self,
                                        const char *action, int64_t below,
                                        const struct history_entry **by) {
    size_t to = 0;
    while (to < self->entry_count && self->entries[to]->origin.sequence < below)
        to++;
    size_t plan = to;
    while (plan > 0 && !counts (self->entries[plan - 1], CONTENT_PLAN))
        plan--;
    if (plan == 0 || self->entries[plan - 1]->withdrawal)
        return NULL;
    const struct facets_of *out = look (self->entries[plan - 1], action, by);
    for (size_t i = to; !out && i > 0; i--)
        if (counts (self->entries[i - 1], CONTENT_ANNEX)
            && !is_replaced (self, i - 1, to))
            out = look (self->entries[i - 1], action, by);
    return out;
}
