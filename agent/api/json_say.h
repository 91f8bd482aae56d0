/* json_say - what stands in messages of threads, as JSON. */
#ifndef PARLEY_API_JSON_SAY_H
#define PARLEY_API_JSON_SAY_H

#include "api/threads_view.h"

/* {"utc", "text", "words"}; null. */
json_t *json_instant (const struct instant *at) MUST_CHECK;
json_t *json_instant_or_null (bool has, const struct instant *at) MUST_CHECK;
json_t *json_names (const struct names *names) MUST_CHECK;
/* A text in the reader's language; null where it is not there. */
json_t *json_said_text (const struct text *text, const char *lang) MUST_CHECK;
/* "" is null. */
json_t *json_word (const char *word) MUST_CHECK;
/* "for", "against", "neither". */
const char *json_says (enum thread_says says);
json_t *json_tally (const struct tally *tally) MUST_CHECK;
/* {"id", "text", "owner", "by"} of each. */
json_t *json_decisions (const struct proposal *proposal, const char *lang)
    MUST_CHECK;
/* [{"ref", "words", "sequence"}]: what changed since that record. */
json_t *json_asks (const struct model *model,
                   const struct thread_version *version, int64_t since)
    MUST_CHECK;
/* Who verified and saw a message, each by the higher of the two: {"verified":
 * [..], "seen": [..]}. While the projector is read (threads_open). */
#define ACK_DELEGATIONS_MAX 1024 /* that are listed */
json_t *json_acks (struct request *r, const struct hash *message,
                   const char *channel) MUST_CHECK;

/* Texts that stand in bodies alone: they are put into an answer when nobody waits
 * any more for what it is made of. Newest first, and no more than so many octets:
 * the rest stays null. */
#define SAY_OCTETS_MAX 8388608
enum say_part {
    SAY_ALL,        /* "content", "text" */
    SAY_SUGGESTION, /* "text", "put" */
    SAY_CONTRIBUTION,
    SAY_DONE,     /* "text" */
    SAY_PROPOSAL, /* "proposal", "text" */
};
struct say_bodies {
    size_t count, room;
    struct say_body {
        struct origin origin;
        enum say_part part;
        json_t *into; /* borrowed */
    } * at;
};
void say_bodies_add (struct say_bodies *self, const struct origin *origin,
                     enum say_part part, json_t *into);
/* And free the list. */
void say_bodies_fill (struct say_bodies *self, struct store *store,
                      const char *lang);

/* A line of a thread's messages, its body wanted. `read`: up to where the user
 * read. */
json_t *json_message (struct request *r, const struct thread_entry *entry,
                      int64_t read, struct say_bodies *bodies) MUST_CHECK;
/* Was it written by another delegation, and not read? */
bool say_unread (struct request *r, const struct thread_entry *entry,
                 int64_t read);

#endif
