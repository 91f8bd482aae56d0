/* kinds - kinds of threads, their topics, and the words that they know
 * (THREADS.md sections 1 and 2). Pure functions and tables. */
#ifndef PARLEY_KINDS_H
#define PARLEY_KINDS_H

#include "base/topic.h"
#include "plans/plan.h"

enum thread_kind {
    THREAD_ALIGN,
    THREAD_COMMUNIQUE,
    THREAD_MEETING,
    THREAD_CONSULTATION,
    THREAD_PRACTICE,
    THREAD_NOTICE,
    THREAD_CAPABILITY,
    THREAD_REQUEST,
    THREAD_KINDS, /* how many; also: none of them */
};
const char *thread_kind_name (enum thread_kind kind);  /* as in topics */
const char *thread_kind_title (enum thread_kind kind); /* "alignment" */
bool thread_kind_read (struct slice word, enum thread_kind *out);

/* What an answer means, whatever its word: words of one kind in order. */
enum thread_says {
    THREAD_FOR,     /* endorse, adopt, accept, yes, reply, use */
    THREAD_AGAINST, /* object, decline, no, no-use */
    THREAD_NEITHER, /* abstain, counter, in-writing */
    THREAD_SAYS,
};
/* NULL: this kind has no such answer. */
const char *thread_says_name (enum thread_kind kind, enum thread_says says);
bool thread_says_read (enum thread_kind kind, struct slice word,
                       enum thread_says *out);

enum thread_does {
    DOES_PROPOSE,
    DOES_SUGGEST,
    DOES_STANCE,
    DOES_COMMENT,
    DOES_CONTRIBUTION,
    DOES_DONE,
    DOES_ATTENDANCE,
    DOES_CLOSE,
    DOES_WITHDRAW,
    DOES_COUNT,
};
const char *thread_does_name (enum thread_does does);
bool thread_does_read (struct slice word, enum thread_does *out);
/* Does the kind know it? A notice has no stances, say. */
bool thread_does_fits (enum thread_kind kind, enum thread_does does);
/* Only the proposer's body may. */
bool thread_does_is_proposers (enum thread_does does);

/* Has an outcome: align, communique, request. */
bool thread_kind_decides (enum thread_kind kind);

struct thread_place { /* what the topic says */
    enum thread_kind kind;
    char channel[CHANNEL_MAX + 1];
    char entity[ENTITY_MAX + 1]; /* the proposer */
    char id[PLAN_ID_MAX + 1];
};
/* Is the topic's second level one of ours? THREAD_KINDS: no. A topic that has
 * such a level and otherwise another form is of the kind, and thread_place_read
 * refuses it. */
enum thread_kind thread_topic_kind (struct slice topic);
/* false: faults at pointer "". */
bool thread_place_read (struct slice topic, struct thread_place *out,
                        struct faults *faults) MUST_CHECK;
/* Returns out: CHANNEL/KIND/ENTITY/ID. */
char *thread_topic (char out[TOPIC_MAX + 1], const struct thread_place *place);

#endif
