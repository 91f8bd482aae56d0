/* kinds - tables of threads' words, and topics (THREADS.md sections 1 and 2). */
#include "kinds.h"

#include "plans/plan_impl.h"

#include <stdio.h>
#include <string.h>

#define LEVELS 4 /* of a thread's topic */

static const struct {
    const char *name, *title;
    const char *says[THREAD_SAYS];
    bool decides;
} kinds[THREAD_KINDS] = {
    [THREAD_ALIGN] = { "align",
                       "alignment",
                       { "endorse", "object", "abstain" },
                       true },
    [THREAD_COMMUNIQUE] = { "communique",
                            "communique",
                            { "adopt", "object", "abstain" },
                            true },
    [THREAD_MEETING] = { "meeting", "meeting", { "yes", "no", "in-writing" } },
    [THREAD_CONSULTATION] = { "consultation", "consultation", { "reply" } },
    [THREAD_PRACTICE] = { "practice", "good practice", { "use", "no-use" } },
    [THREAD_NOTICE] = { "notice", "notice" },
    [THREAD_CAPABILITY] = { "capability", "capability" },
    [THREAD_REQUEST] = { "request",
                         "request for support",
                         { "accept", "decline", "counter" },
                         true },
};

static const struct {
    const char *name;
    bool proposers;
} verbs[DOES_COUNT] = {
    [DOES_PROPOSE] = { "propose", true },
    [DOES_SUGGEST] = { "suggest" },
    [DOES_STANCE] = { "stance" },
    [DOES_COMMENT] = { "comment" },
    [DOES_CONTRIBUTION] = { "contribution" },
    [DOES_DONE] = { "done" },
    [DOES_ATTENDANCE] = { "attendance", true },
    [DOES_CLOSE] = { "close" },
    [DOES_WITHDRAW] = { "withdraw", true },
};

/* Words */

const char *thread_kind_name (enum thread_kind kind) {
    return kinds[kind].name;
}

const char *thread_kind_title (enum thread_kind kind) {
    return kinds[kind].title;
}

bool thread_kind_read (struct slice word, enum thread_kind *out) {
    for (unsigned i = 0; i < THREAD_KINDS; i++)
        if (slice_is (word, kinds[i].name)) {
            *out = (enum thread_kind) i;
            return true;
        }
    return false;
}

bool thread_kind_decides (enum thread_kind kind) {
    return kinds[kind].decides;
}

const char *thread_says_name (enum thread_kind kind, enum thread_says says) {
    return kinds[kind].says[says];
}

bool thread_says_read (enum thread_kind kind, struct slice word,
                       enum thread_says *out) {
    for (unsigned i = 0; i < THREAD_SAYS; i++)
        if (kinds[kind].says[i] && slice_is (word, kinds[kind].says[i])) {
            *out = (enum thread_says) i;
            return true;
        }
    return false;
}

const char *thread_does_name (enum thread_does does) {
    return verbs[does].name;
}

bool thread_does_read (struct slice word, enum thread_does *out) {
    for (unsigned i = 0; i < DOES_COUNT; i++)
        if (slice_is (word, verbs[i].name)) {
            *out = (enum thread_does) i;
            return true;
        }
    return false;
}

bool thread_does_fits (enum thread_kind kind, enum thread_does does) {
    switch (does) {
    case DOES_STANCE:
        return kinds[kind].says[THREAD_FOR] != NULL;
    case DOES_CLOSE:
        return kinds[kind].decides || kind == THREAD_CONSULTATION;
    case DOES_DONE:
        return kinds[kind].decides;
    case DOES_ATTENDANCE:
        return kind == THREAD_MEETING;
    default:
        return true;
    }
}

bool thread_does_is_proposers (enum thread_does does) {
    return verbs[does].proposers;
}

/* Topics */

/* As many as there are, LEVELS of them kept. */
static size_t split (struct slice topic, struct slice out[LEVELS]) {
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= topic.size; i++)
        if (i == topic.size || topic.data[i] == '/') {
            if (count < LEVELS)
                out[count] = (struct slice){ topic.data + from, i - from };
            count++;
            from = i + 1;
        }
    return count;
}

enum thread_kind thread_topic_kind (struct slice topic) {
    struct slice levels[LEVELS];
    enum thread_kind kind;
    return topic.size > 0 && split (topic, levels) > 1
                   && thread_kind_read (levels[1], &kind)
               ? kind
               : THREAD_KINDS;
}

static void copy (char *out, struct slice text) { /* of a checked size */
    memcpy (out, text.data, text.size);
    out[text.size] = '\0';
}

static bool is_of_entity (struct slice id, struct slice entity) {
    return plan_id_valid (id) && id.size > entity.size
           && id.data[entity.size] == '-'
           && memcmp (id.data, entity.data, entity.size) == 0;
}

bool thread_place_read (struct slice topic, struct thread_place *out,
                        struct faults *faults) {
    struct error e;
    struct slice levels[LEVELS];
    char name[SHOWN_MAX];
    *out = (struct thread_place){ .kind = thread_topic_kind (topic) };
    if (out->kind == THREAD_KINDS || topic_check (topic, &e)) {
        faults_add (faults, "", "the topic is none of those for threads");
        return false;
    }
    size_t count = split (topic, levels);
    if (count != LEVELS) {
        faults_add (faults, "", "the topic has %zu levels; a thread's has %d",
                    count, LEVELS);
        return false;
    }
    copy (out->channel, levels[0]);
    if (!entity_valid (levels[2])) {
        faults_add (faults, "", "the topic's third level is '%s', no entity",
                    shown (name, levels[2]));
        return false;
    }
    copy (out->entity, levels[2]);
    if (!is_of_entity (levels[3], levels[2])) {
        faults_add (faults, "",
                    "the topic's fourth level is '%s', and has to be an id "
                    "that begins with '%s-'",
                    shown (name, levels[3]), out->entity);
        return false;
    }
    copy (out->id, levels[3]);
    return true;
}

char *thread_topic (char out[TOPIC_MAX + 1], const struct thread_place *place) {
    snprintf (out, TOPIC_MAX + 1, "%s/%s/%s/%s", place->channel,
              kinds[place->kind].name, place->entity, place->id);
    return out;
}
