/* inbox_words - what waits, in words. */
#include "api/inbox_words.h"

#include <string.h>

const struct instant *inbox_due (const struct inbox_item *item) {
    const struct thread_version *version =
        item->thread ? thread_current (item->thread) : NULL;
    if (!item->has_due || !item->thread)
        return NULL;
    if (item->undertaking)
        return &item->undertaking->by;
    return version->proposal->has_deadline ? &version->proposal->deadline
                                           : &version->proposal->from;
}

static void title_add (struct buf *out, const struct threads_view *view,
                       const struct thread *thread) {
    const struct thread_version *version = thread_current (thread);
    buf_add_format (out, "the %s '%s' of %s",
                    thread_kind_title (thread->place.kind),
                    text_in (&version->proposal->title, view->plans.lang),
                    thread->place.entity);
}

/* "endorse, object or abstain" */
static void answers_add (struct buf *out, enum thread_kind kind) {
    const char *at[THREAD_SAYS];
    size_t count = 0;
    for (unsigned i = 0; i < THREAD_SAYS; i++) {
        const char *word = thread_says_name (kind, (enum thread_says) i);
        if (word)
            at[count++] = word;
    }
    for (size_t i = 0; i < count; i++)
        buf_add_format (out, "%s%s",
                        i == 0           ? ""
                        : i + 1 == count ? " or "
                                         : ", ",
                        at[i]);
}

static void until_add (struct buf *out, const struct inbox_item *item) {
    char words[INSTANT_WORDS_MAX];
    const struct instant *due = inbox_due (item);
    if (due)
        buf_add_format (out, ", until %s", instant_words (words, due));
}

static void answer_words (struct buf *out, const struct threads_view *view,
                          const struct inbox_item *item) {
    title_add (out, view, item->thread);
    buf_add_format (out, " waits for the answer of %s (", view->entity);
    answers_add (out, item->thread->place.kind);
    buf_add_text (out, ")");
    until_add (out, item);
}

static void invitation_words (struct buf *out, const struct threads_view *view,
                              const struct inbox_item *item) {
    char words[INSTANT_WORDS_MAX];
    const struct proposal *proposal = thread_current (item->thread)->proposal;
    title_add (out, view, item->thread);
    buf_add_format (out, ", from %s: %s is invited, and has not answered",
                    instant_words (words, &proposal->from), view->entity);
}

static void again_words (struct buf *out, const struct threads_view *view,
                         const struct inbox_item *item) {
    struct ask ask;
    char words[ASK_WORDS_MAX];
    const struct thread *thread = item->thread;
    const struct thread_version *version = thread_current (thread);
    int64_t since = version->entry->origin.sequence;
    for (size_t i = 0; i < version->party_count; i++)
        if (strcmp (version->parties[i].entity, view->entity) == 0
            && version->parties[i].newest != SIZE_MAX)
            since = thread->stances[version->parties[i].newest]
                        .entry->origin.sequence;
    title_add (out, view, thread);
    if (asks_changed (view->plans.model, version, since, &ask, 1) > 0)
        buf_add_format (out, ": %s", ask_words (words, &ask));
    buf_add_format (out, " since %s spoke. Does what it said stand?",
                    view->entity);
}

static void undertaking_words (struct buf *out, const struct threads_view *view,
                               const struct inbox_item *item) {
    buf_add_format (out, "%s undertook: %s", view->entity,
                    text_in (&item->undertaking->what, view->plans.lang));
    until_add (out, item);
    buf_add_text (out, " (");
    title_add (out, view, item->thread);
    buf_add_text (out, ")");
}

static void claim_words (struct buf *out, const struct threads_view *view,
                         const struct overlap *o) {
    char theirs[PLAN_REF_MAX + 1], ours[PLAN_REF_MAX + 1];
    bool a_names = o->a_names;
    action_ref (theirs, a_names ? o->plan_a : o->plan_b, a_names ? o->a : o->b);
    action_ref (ours, a_names ? o->plan_b : o->plan_a, a_names ? o->b : o->a);
    buf_add_format (out,
                    "%s names %s as a partner, which %s does not say: confirm "
                    "or deny it",
                    theirs, view->entity, ours);
}

static void capital (struct buf *out, size_t at) {
    if (at < out->size && out->data[at] >= 'a' && out->data[at] <= 'z')
        out->data[at] = (uint8_t) (out->data[at] - 'a' + 'A');
}

void inbox_words (struct buf *out, const struct threads_view *view,
                  const struct inbox_item *item) {
    size_t start = out->size;
    switch (item->kind) {
    case INBOX_STANCE:
    case INBOX_REPLY:
    case INBOX_REQUEST:
        answer_words (out, view, item);
        break;
    case INBOX_INVITATION:
        invitation_words (out, view, item);
        break;
    case INBOX_ASKED_AGAIN:
        again_words (out, view, item);
        capital (out, start);
        return;
    case INBOX_UNDERTAKING:
        undertaking_words (out, view, item);
        break;
    case INBOX_CLAIM:
        claim_words (out, view, item->overlap);
        break;
    case INBOX_SUGGESTION:
        buf_add_text (out, "a change was suggested to ");
        title_add (out, view, item->thread);
        buf_add_text (out, ", and no version took it up");
        break;
    case INBOX_KINDS:
        break;
    }
    buf_add_text (out, ".");
    if (item->kind != INBOX_CLAIM && item->kind != INBOX_UNDERTAKING)
        capital (out, start);
}
