/* contents - topics of plans' records (CONTENTS.md section 1). */
#include "contents.h"

#include "plan_impl.h"

#define LEVELS_MAX 4 /* what we look at; a topic may have more */

static const struct {
    const char *name;
    size_t levels;
} kinds[] = {
    [CONTENT_NONE] = { "none", 0 },
    [CONTENT_PLAN] = { "plan", 4 },
    [CONTENT_ANNEX] = { "annex", 4 },
    [CONTENT_REPORT] = { "report", 4 },
    [CONTENT_HIDDEN] = { "hidden", 4 },
    [CONTENT_OVERLAP] = { "overlap", 3 },
    [CONTENT_TAXONOMY] = { "taxonomy", 3 },
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct levels {
    struct slice at[LEVELS_MAX];
    size_t count; /* of all */
};

static struct levels levels_of (struct slice topic) {
    struct levels out = { .count = 1 };
    out.at[0].data = topic.data;
    for (size_t i = 0; i < topic.size; i++) {
        if (topic.data[i] != '/') {
            if (out.count <= LEVELS_MAX)
                out.at[out.count - 1].size++;
        } else if (out.count++ < LEVELS_MAX)
            out.at[out.count - 1].data = topic.data + i + 1;
    }
    return out;
}

static enum content_kind kind_of (const struct levels *levels) {
    for (size_t i = CONTENT_PLAN; levels->count > 1 && i < KINDS; i++)
        if (slice_is (levels->at[1], kinds[i].name))
            return (enum content_kind) i;
    return CONTENT_NONE;
}

enum content_kind content_kind (struct slice topic) {
    struct levels levels = levels_of (topic);
    return kind_of (&levels);
}

const char *content_kind_name (enum content_kind kind) {
    return kinds[kind].name;
}

/* Of a checked size. */
static void copy (char *out, struct slice text) {
    memcpy (out, text.data, text.size);
    out[text.size] = '\0';
}

static bool plan_of_entity (struct slice plan, struct slice entity) {
    return plan_id_valid (plan) && plan.size > entity.size
           && plan.data[entity.size] == '-'
           && memcmp (plan.data, entity.data, entity.size) == 0;
}

static bool names_valid (const struct levels *levels, struct content_place *out,
                         struct faults *faults) {
    char name[SHOWN_MAX];
    struct slice entity = levels->at[2], plan = levels->at[3];
    if (!entity_valid (entity)) {
        faults_add (faults, "", "the topic's third level is '%s', no entity",
                    shown (name, entity));
        return false;
    }
    copy (out->entity, entity);
    if (kinds[out->kind].levels < 4)
        return true;
    if (!plan_of_entity (plan, entity)) {
        faults_add (faults, "",
                    "the topic's fourth level is '%s', and has to be a plan's "
                    "id that begins with '%s-'",
                    shown (name, plan), out->entity);
        return false;
    }
    copy (out->plan, plan);
    return true;
}

/* Whose it has to be: the author is of that entity. */
static bool author_valid (const struct content_place *place, const char *author,
                          struct faults *faults) {
    bool own = place->kind == CONTENT_PLAN || place->kind == CONTENT_ANNEX
               || place->kind == CONTENT_OVERLAP;
    if (!author || !own || strcmp (author, place->entity) == 0)
        return true;
    faults_add (faults, "", "%s writes where only %s may: the topic names %s",
                author, place->entity, place->entity);
    return false;
}

bool content_place_read (struct slice topic, const char *author_entity,
                         struct content_place *out, struct faults *faults) {
    struct error e = { 0 };
    struct levels levels = levels_of (topic);
    *out = (struct content_place){ .kind = kind_of (&levels) };
    if (out->kind == CONTENT_NONE) {
        faults_add (faults, "", "the topic is none of those for plans");
        return false;
    }
    if (topic_check (topic, &e)) {
        faults_add (faults, "", "no topic: %s", e.text);
        return false;
    }
    copy (out->channel, levels.at[0]);
    if (levels.count != kinds[out->kind].levels) {
        faults_add (
            faults, "", "the topic has %zu levels; one of a%s %s has %zu",
            levels.count,
            out->kind == CONTENT_ANNEX || out->kind == CONTENT_OVERLAP ? "n"
                                                                       : "",
            kinds[out->kind].name, kinds[out->kind].levels);
        return false;
    }
    if (out->kind != CONTENT_TAXONOMY)
        return names_valid (&levels, out, faults)
               && author_valid (out, author_entity, faults);
    if (slice_is (levels.at[2], "change"))
        return true;
    faults_add (faults, "", "the topic's third level has to be 'change'");
    return false;
}
