/* asks_words - a change as a person reads it. */
#include "asks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum ask_change bit;
    const char *words;
} respects[] = {
    { ASK_PRIORITIES, "the priorities" }, { ASK_REGIONS, "the regions" },
    { ASK_DATES, "the dates" },           { ASK_LEAD, "the lead" },
    { ASK_PARTNERS, "the partners" },
};
#define RESPECTS (sizeof respects / sizeof *respects)

static void respects_add (struct buf *out, unsigned changes) {
    unsigned left = 0, said = 0;
    for (size_t i = 0; i < RESPECTS; i++)
        left += (changes & (unsigned) respects[i].bit) != 0;
    for (size_t i = 0; i < RESPECTS; i++) {
        if (!(changes & (unsigned) respects[i].bit))
            continue;
        if (said++)
            buf_add_text (out, said == left ? " and " : ", ");
        buf_add_text (out, respects[i].words);
    }
}

char *ask_words (char out[ASK_WORDS_MAX], const struct ask *ask) {
    struct buf what = { 0 };
    const char *plan = strchr (ask->about->ref, '#') ? "" : "the plan ";
    unsigned changes = ask->changes & ~(unsigned) (ASK_CANCELLED | ASK_GONE);
    respects_add (&what, changes);
    char *list = buf_take_text (&what);
    const char *ref = ask->about->ref;
    if (ask->changes & ASK_GONE)
        snprintf (out, ASK_WORDS_MAX, "%s%s is gone", plan, ref);
    else if ((ask->changes & ASK_CANCELLED) && changes)
        snprintf (out, ASK_WORDS_MAX,
                  "of %s %s changed, and whether it is cancelled", ref, list);
    else if (ask->changes & ASK_CANCELLED)
        snprintf (out, ASK_WORDS_MAX, "%s was cancelled, or taken up again",
                  ref);
    else
        snprintf (out, ASK_WORDS_MAX, "%s of %s changed", list, ref);
    size_t used = strlen (out);
    if (ask->sequence >= 0)
        snprintf (out + used, ASK_WORDS_MAX - used, " (record %" PRId64 ")",
                  ask->sequence);
    free (list);
    return out;
}
