/* meeting - editions of a series: what earlier ones left (THREADS.md section 8),
 * and iCalendar (RFC 5545). */
#ifndef PARLEY_MEETING_H
#define PARLEY_MEETING_H

#include "asks.h"

/* Undertakings of adopted minutes of earlier editions that are not done. */
struct carried {
    const struct thread *meeting, *minutes;
    const struct undertaking *undertaking;
    struct undertaking_state state;
};
size_t meeting_carried (const struct threads *threads,
                        const struct model *model, const struct thread *meeting,
                        int64_t now_ms, struct carried *out, size_t room);
/* The editions before it, in their order; how many. */
size_t meeting_earlier (const struct threads *threads,
                        const struct thread *meeting, const struct thread **out,
                        size_t room);
/* The adopted minutes of the meeting; NULL. *version: which. */
const struct thread *meeting_minutes (const struct threads *threads,
                                      const struct thread *meeting,
                                      int64_t now_ms, size_t *version);

/* A VCALENDAR with one VEVENT a meeting (its current version; cancelled where it
 * was withdrawn), lines folded, UID by topic, SEQUENCE by version. Times in UTC. `lang` as
 * in text_in. Appended. */
void meeting_ical (struct buf *out, const struct thread *const *meetings,
                   size_t count, const char *lang);

#endif
