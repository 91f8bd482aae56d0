/* thread_parts - parts of a thread as it is shown: what was agreed, what a
 * meeting left, and all that was said. Each prints what the agent's answer has of
 * it, and nothing where that is nothing. */
#ifndef PARLEY_THREAD_PARTS_H
#define PARLEY_THREAD_PARTS_H

#include "json.h"
#include "table.h"

/* A part is a head and rows of two columns: what, and its words. */
struct table *pairs_new (void) MUST_CHECK;
void pair_add (struct table *table, const char *name, const struct buf *words);
void pair_text (struct table *table, const char *name,
                const char *text); /* NULL, "": no row */
/* Prints it, if it has rows, and frees it. */
void section_end (struct table **table_p, const char *head);
/* "EUROPOL/hq (Duty office), handed in by UNODC/hq". */
void author_words (struct buf *out, json_t *said);

void paragraphs_say (json_t *answer);
void undertakings_say (json_t *answer); /* decisions, too */
void suggestions_say (json_t *answer);
void contributions_say (json_t *answer);
void agenda_say (json_t *answer);
void attendance_say (json_t *answer);
void editions_say (json_t *answer);
void messages_say (json_t *answer);

#endif
