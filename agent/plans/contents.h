/* contents - the other bodies about plans: withdrawal, hidden, annex, report,
 * statement, change of taxonomy (CONTENTS.md sections 3 to 8), and which of them
 * a topic holds.
 *
 * content_read checks shape and what the body itself can tell, as the author's
 * agent does before it signs and each reader again; what other records decide
 * (is the action there?) is subject.h's. */
#ifndef PARLEY_CONTENTS_H
#define PARLEY_CONTENTS_H

#include "plan.h"

enum content_kind {
    CONTENT_NONE, /* no topic of this page */
    CONTENT_PLAN,
    CONTENT_ANNEX,
    CONTENT_REPORT,
    CONTENT_HIDDEN,
    CONTENT_OVERLAP,
    CONTENT_TAXONOMY,
};
/* By the topic's second level. A topic that has such a level and otherwise
 * another form is of the kind, and content_place refuses it. */
enum content_kind content_kind (struct slice topic);
const char *content_kind_name (enum content_kind kind);

struct content_place { /* what the topic says */
    enum content_kind kind;
    char channel[CHANNEL_MAX + 1];
    char entity[ENTITY_MAX + 1]; /* "" for taxonomy */
    char plan[PLAN_ID_MAX + 1];  /* "" for overlap and taxonomy */
};
/* Faults of the topic (and of the author's entity, NULL: not asked) are faults
 * at pointer "". */
bool content_place_read (struct slice topic, const char *author_entity,
                         struct content_place *out, struct faults *faults)
    MUST_CHECK;

struct withdrawal {
    struct text reason;
};
struct hidden {
    struct hash withdrawal; /* the message's id */
};
struct annex {
    const char *id, *handling; /* handling "" */
    bool withdraw;
    struct text text;
    /* Borrowed from the content; NULL. `said_text` is `text` as it was written. */
    const struct json_t *actions, *adds, *said_text;
};
struct report_milestone {
    const char *id;
    bool has_done, done_null, has_due;
    struct date done, due;
};
struct report_value {
    const char *id;
    struct point point;
};
struct report {
    const char *action;
    struct date from, to;
    bool has_status;
    enum action_status status;
    size_t milestone_count, value_count;
    const struct report_milestone *milestones;
    const struct report_value *values;
    struct text text;
};
enum statement_says { SAYS_CONFIRM, SAYS_DENY, SAYS_NOT_OVERLAP, SAYS_RETRACT };
struct statement {
    const char *a, *b; /* references, a before b */
    enum statement_says says;
    int64_t a_of, b_of; /* sequences */
    struct text reason;
};
struct change { /* of the taxonomy: one of the two */
    bool is_consent;
    struct hash consent;
    int64_t version;
};

/* One body, checked. Owns its text, and the document, from which annex and
 * taxonomy borrow. */
struct content {
    enum content_kind kind;
    bool is_withdrawal; /* kind plan */
    struct json_t *document;
    union {
        struct plan *plan;
        struct withdrawal withdrawal;
        struct hidden hidden;
        struct annex annex;
        struct report report;
        struct statement statement;
        struct change change;
    };
};
/* NULL: *faults says why, or *newer: a higher format. `document` is not taken:
 * a reference is kept. */
struct content *content_read (const struct content_place *place,
                              struct json_t *document,
                              const struct taxonomy *taxonomy,
                              struct faults *faults, bool *newer) MUST_CHECK;
void content_free (struct content **self_p);

#endif
