/* ical - meetings as iCalendar (RFC 5545). */
#include "meeting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_OCTETS 75 /* section 3.1: of a line, without its end */

/* Folded: a line that goes on begins with a space. No character is cut. */
static void line_add (struct buf *out, const char *line) {
    size_t used = 0;
    for (const char *at = line; *at;) {
        size_t size = 1;
        while (((uint8_t) at[size] & 0xc0) == 0x80)
            size++;
        if (used + size > LINE_OCTETS) {
            buf_add_text (out, "\r\n ");
            used = 1;
        }
        buf_add (out, at, size);
        used += size;
        at += size;
    }
    buf_add_text (out, "\r\n");
}

/* Section 3.3.11; other controls than line feeds are left out. */
static void text_line (struct buf *out, const char *name, const char *text) {
    struct buf line = { 0 };
    buf_add_format (&line, "%s:", name);
    for (; *text; text++) {
        if (*text == '\n')
            buf_add_text (&line, "\\n");
        else if (*text == '\\' || *text == ';' || *text == ',')
            buf_add_format (&line, "\\%c", *text);
        else if ((uint8_t) *text >= 0x20 && *text != 0x7f)
            buf_add (&line, text, 1);
    }
    char *whole = buf_take_text (&line);
    line_add (out, whole);
    free (whole);
}

static void time_line (struct buf *out, const char *name, int64_t ms) {
    char text[64];
    time_t seconds = (time_t) (ms / 1000);
    struct tm utc;
    gmtime_r (&seconds, &utc);
    size_t used = (size_t) snprintf (text, sizeof text, "%s:", name);
    strftime (text + used, sizeof text - used, "%Y%m%dT%H%M%SZ", &utc);
    line_add (out, text);
}

static void agenda_add (struct buf *out, const struct proposal *proposal,
                        const char *lang) {
    struct buf text = { 0 };
    for (size_t i = 0; i < proposal->agenda_count; i++) {
        const struct agenda_item *item = &proposal->agenda[i];
        buf_add_format (&text, "%s%zu. %s%s%s%s", i ? "\n" : "", i + 1,
                        text_in (&item->title, lang), *item->entity ? " (" : "",
                        item->entity, *item->entity ? ")" : "");
    }
    char *whole = buf_take_text (&text);
    text_line (out, "DESCRIPTION", whole);
    free (whole);
}

static void event_add (struct buf *out, const struct thread *meeting,
                       const char *lang) {
    const struct thread_version *version = thread_current (meeting);
    const struct proposal *proposal = version->proposal;
    char topic[TOPIC_MAX + 1], text[64];
    line_add (out, "BEGIN:VEVENT");
    text_line (out, "UID", thread_topic (topic, &meeting->place));
    snprintf (text, sizeof text, "SEQUENCE:%" PRId64,
              version->number - 1 + (meeting->withdrawn != NULL));
    line_add (out, text);
    time_line (out, "DTSTAMP", meeting->last_ms);
    time_line (out, "DTSTART", proposal->from.ms);
    time_line (out, "DTEND", proposal->to.ms);
    text_line (out, "SUMMARY", text_in (&proposal->title, lang));
    text_line (out, "LOCATION", text_in (&proposal->place, lang));
    if (proposal->agenda_count > 0)
        agenda_add (out, proposal, lang);
    line_add (out,
              meeting->withdrawn ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    line_add (out, "END:VEVENT");
}

void meeting_ical (struct buf *out, const struct thread *const *meetings,
                   size_t count, const char *lang) {
    line_add (out, "BEGIN:VCALENDAR");
    line_add (out, "VERSION:2.0");
    line_add (out, "PRODID:-//Parley//Parley//EN");
    line_add (out, "METHOD:PUBLISH");
    for (size_t i = 0; i < count; i++)
        if (meetings[i]->place.kind == THREAD_MEETING
            && thread_current (meetings[i]))
            event_add (out, meetings[i], lang);
    line_add (out, "END:VCALENDAR");
}
