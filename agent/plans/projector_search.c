/* projector_search - the text index (store/search.h) follows the model and the
 * messages that are held, and answers under the present rights.
 *
 * What a plan was made of when it was written there is kept beside it, so that a
 * start writes only what changed. Hits are judged one by one when somebody asks:
 * the index may be a moment behind. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/rights.h"
#include "store/search.h"
#include "store/search_mend.h"
#include "threads/texts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PORTION 64             /* plans or messages of one transaction */
#define PORTION_OCTETS 1048576 /* of their texts */
#define LOOKED_MAX 4096        /* rows, between two turns */
#define KEEP_EVERY 10000       /* positions: none is written for each mark */

/* Texts that wait to be written */

struct text_item {
    struct search_item item;
    char plan[PLAN_ID_MAX + 1], action[PLAN_PART_MAX + 1];
    char channel[CHANNEL_MAX + 1], author[DELEGATION_MAX + 1];
    char *topic, *lang, *text; /* owned */
};
struct plan_items {
    char plan[PLAN_ID_MAX + 1];
    bool there;
    struct hash state;
};
struct items {
    size_t count, room, octets;
    struct text_item *at;
    size_t plan_count;
    struct plan_items plans[PORTION];
};

static void items_free (struct items *self) {
    for (size_t i = 0; i < self->count; i++) {
        free (self->at[i].topic);
        free (self->at[i].lang);
        free (self->at[i].text);
    }
    free (self->at);
    *self = (struct items){ 0 };
}

static void item_add (struct items *self, enum search_kind kind,
                      const struct origin *origin, const char *plan,
                      const char *action, const char *lang, struct slice text) {
    if (text.size == 0)
        return;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    struct buf copy = { 0 };
    buf_add_slice (&copy, text);
    struct text_item *item = &self->at[self->count++];
    *item = (struct text_item){ .lang = mem_copy_text (lang),
                                .text = buf_take_text (&copy),
                                .topic = mem_copy_text ("") };
    item->item.kind = kind;
    item->item.sequence = origin->sequence;
    snprintf (item->plan, sizeof item->plan, "%s", plan);
    snprintf (item->action, sizeof item->action, "%s", action);
    memcpy (item->channel, origin->channel, sizeof item->channel);
    memcpy (item->author, origin->author, sizeof item->author);
    self->octets += text.size;
}

static enum err items_write (struct store *store, struct items *self,
                             struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < self->plan_count; i++) {
        const struct plan_items *plan = &self->plans[i];
        rc = search_plan_drop (store, plan->plan,
                               plan->there ? &plan->state : NULL, e);
    }
    for (size_t i = 0; !rc && i < self->count; i++) {
        struct text_item *item = &self->at[i];
        item->item.plan = item->plan;
        item->item.action = item->action;
        item->item.channel = item->channel;
        item->item.author = item->author;
        item->item.topic = item->topic;
        item->item.lang = item->lang;
        item->item.text = item->text;
        rc = search_add (store, &item->item, e);
    }
    return rc;
}

/* A document's texts, by language */

struct language {
    char lang[40];
    struct buf text;
};
struct words {
    const char *plain; /* the language of what says none */
    size_t count;
    struct language at[32];
};

static void words_add (struct words *self, const char *lang, const char *text) {
    size_t i = 0;
    while (i < self->count && strcmp (self->at[i].lang, lang) != 0)
        i++;
    if (i == sizeof self->at / sizeof *self->at)
        return; /* a text in more languages than people read */
    if (i == self->count) {
        self->count++;
        self->at[i] = (struct language){ 0 };
        snprintf (self->at[i].lang, sizeof self->at[i].lang, "%s", lang);
    }
    if (self->at[i].text.size)
        buf_add_text (&self->at[i].text, "\n");
    buf_add_text (&self->at[i].text, text);
}

static void words_put (struct words *self, struct items *items,
                       enum search_kind kind, const struct origin *origin,
                       const char *plan, const char *action) {
    for (size_t i = 0; i < self->count; i++) {
        item_add (items, kind, origin, plan, action, self->at[i].lang,
                  buf_slice (&self->at[i].text));
        buf_free (&self->at[i].text);
    }
    self->count = 0;
}

/* Codes, ids and dates are no words. */
static bool is_code (const char *member) {
    static const char *const members[] = {
        "id",      "plan",       "entity",      "lang",       "kind",
        "status",  "from",       "to",          "due",        "done",
        "at",      "format",     "regions",     "priorities", "same_as",
        "goals",   "depends_on", "lead",        "parent",     "co_leads",
        "actions", "open_to",    "partners",    "handling",   "level",
        "better",  "adds",       "next_review", "cycle"
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp (member, members[i]) == 0)
            return true;
    return false;
}

/* {"en": "...", "fr": "..."} */
static bool is_languages (const json_t *value) {
    json_t *object =
        (json_t *) (uintptr_t) value; /* iterators change nothing */
    const char *name;
    json_t *text;
    bool some = false;
    json_object_foreach (object, name, text) {
        size_t letters = strspn (name, "abcdefghijklmnopqrstuvwxyz");
        if (letters < 2 || letters > 3
            || (name[letters] && name[letters] != '-')
            || !json_is_string (text))
            return false;
        some = true;
    }
    return some;
}

static void words_of (struct words *self, const json_t *value,
                      const char *lang) {
    json_t *object = (json_t *) (uintptr_t) value;
    bool languages = json_is_object (value) && is_languages (value);
    const char *name;
    size_t i;
    json_t *at;
    if (json_is_string (value))
        words_add (self, lang, json_string_value (value));
    json_array_foreach (value, i, at) words_of (self, at, lang);
    if (json_is_object (value))
        json_object_foreach (object, name, at) if (languages || !is_code (name))
            words_of (self, at, languages ? name : lang);
}

/* A subject's texts */

static json_t *load_entry (void *arg, const struct history_entry *entry) {
    struct projector *self = arg;
    return projector_load_by (self->store, &entry->origin);
}

static void actions_collect (const struct subject *subject, json_t *document,
                             struct words *words, struct items *items) {
    size_t i;
    json_t *action;
    json_array_foreach (json_object_get (document, "actions"), i, action) {
        const char *id = json_string_value (json_object_get (action, "id"));
        const struct action *made = id ? plan_action (subject->plan, id) : NULL;
        if (!made)
            continue;
        const struct history_entry *from = subject_action_entry (subject, made);
        words_of (words, action, words->plain);
        words_put (words, items,
                   from == subject->revision ? SEARCH_PLAN : SEARCH_ANNEX,
                   &from->origin, subject->plan_id, id);
    }
}

static void text_collect (const struct text *text, struct words *words) {
    for (size_t i = 0; i < text->count; i++)
        words_add (words, text->at[i].lang ? text->at[i].lang : words->plain,
                   text->at[i].text);
}

static void others_collect (const struct subject *subject, struct words *words,
                            struct items *items) {
    for (size_t i = 0; i < subject->part_count; i++) {
        const struct history_entry *entry = subject->parts[i].entry;
        text_collect (&entry->content->annex.text, words);
        words_put (words, items, SEARCH_ANNEX, &entry->origin, subject->plan_id,
                   "");
    }
    for (size_t i = 0; i < subject->progress_count; i++) {
        const struct plan_progress *at = &subject->progress[i];
        if (!at->newest || !at->counts)
            continue;
        text_collect (&at->entry->content->report.text, words);
        words_put (words, items, SEARCH_REPORT, &at->entry->origin,
                   subject->plan_id, at->entry->content->report.action);
    }
}

static void subject_collect (struct projector *self,
                             const struct subject *subject,
                             struct items *items) {
    json_t *whole = subject_document (subject, load_entry, self);
    json_t *document = json_object_get (whole, "document"), *goal;
    struct words words = { .plain = subject->plan->lang };
    size_t i;
    words_of (&words, document, words.plain);
    json_array_foreach (json_object_get (document, "goals"), i, goal)
        words_of (&words, goal, words.plain);
    words_put (&words, items, SEARCH_PLAN, &subject->revision->origin,
               subject->plan_id, "");
    actions_collect (subject, document, &words, items);
    others_collect (subject, &words, items);
    json_decref (whole);
}

/* All that its texts are made of, by sequence. */
static struct hash subject_state (const struct subject *subject) {
    struct buf text = { 0 };
    buf_add_format (&text, "1 %" PRId64, subject->revision->origin.sequence);
    for (size_t i = 0; i < subject->part_count; i++)
        buf_add_format (&text, " a%" PRId64,
                        subject->parts[i].entry->origin.sequence);
    for (size_t i = 0; i < subject->progress_count; i++)
        if (subject->progress[i].newest && subject->progress[i].counts)
            buf_add_format (&text, " r%" PRId64,
                            subject->progress[i].entry->origin.sequence);
    struct hash out = hash_sha256 (buf_slice (&text));
    buf_free (&text);
    return out;
}

static void plan_note (struct items *items, const char *plan,
                       const struct hash *state) {
    struct plan_items *out = &items->plans[items->plan_count++];
    *out = (struct plan_items){ .there = state != NULL };
    snprintf (out->plan, sizeof out->plan, "%s", plan);
    if (state)
        out->state = *state;
}

/* Those from the n-th on that are not in the index as they are. */
static void subjects_collect (struct projector *self, size_t *n,
                              struct items *items) {
    pthread_rwlock_rdlock (&self->lock);
    size_t count = model_subject_count (self->model);
    for (; *n < count && items->plan_count < PORTION
           && items->octets < PORTION_OCTETS;
         ++*n) {
        const struct subject *subject = model_subject (self->model, *n);
        struct hash had, state;
        if (!subject->plan)
            continue;
        state = subject_state (subject);
        if (search_plan_state (self->store, subject->plan_id, &had)
            && hash_equal (&had, &state))
            continue;
        plan_note (items, subject->plan_id, &state);
        subject_collect (self, subject, items);
    }
    pthread_rwlock_unlock (&self->lock);
}

struct gone {
    struct projector *self;
    struct items *items;
};

static void gone_collect (void *arg, const char *plan) {
    struct gone *gone = arg;
    const struct subject *subject = model_find (gone->self->model, plan);
    if ((!subject || !subject->plan) && gone->items->plan_count < PORTION)
        plan_note (gone->items, plan, NULL);
}

/* In a transaction of its own, where there is anything. */
static enum err items_keep (struct projector *self, struct items *items,
                            struct error *e) {
    if (items->count == 0 && items->plan_count == 0)
        return ERR_NONE;
    enum err rc = projector_writer (self, e);
    if (!rc)
        rc = store_begin (self->writer, e);
    if (rc)
        return rc;
    rc = items_write (self->writer, items, e);
    if (!rc)
        return store_commit (self->writer, e);
    store_rollback (self->writer);
    return rc;
}

static enum err plans_update (struct projector *self, struct error *e) {
    struct items *items = mem_alloc (sizeof *items);
    struct gone gone = { self, items };
    enum err rc;
    bool more;
    do {
        pthread_rwlock_rdlock (&self->lock);
        rc = search_plans (self->store, gone_collect, &gone, e);
        pthread_rwlock_unlock (&self->lock);
        more = items->plan_count == PORTION;
        if (!rc)
            rc = items_keep (self, items, e);
        items_free (items);
    } while (!rc && more);
    for (size_t n = 0; !rc;) {
        subjects_collect (self, &n, items);
        if (items->plan_count == 0)
            break;
        rc = items_keep (self, items, e);
        items_free (items);
    }
    items_free (items);
    free (items);
    return rc;
}

/* Messages */

static bool is_of_thread (const struct record_row *row) {
    return row->readable && row->record.type == RECORD_MESSAGE
           && row->message.body_format == BODY_MAP
           && row->body_state == BODY_PRESENT
           && thread_topic_kind (row->message.topic) != THREAD_KINDS;
}

static void word_take (void *arg, const char *lang, const char *text) {
    words_add (arg, lang, text);
}

static void topics_set (struct items *items, size_t from, struct slice topic) {
    for (size_t i = from; i < items->count; i++) {
        struct buf text = { 0 };
        buf_add_slice (&text, topic);
        free (items->at[i].topic);
        items->at[i].topic = buf_take_text (&text);
    }
}

/* Whether it breaks a rule is asked when it is found. */
static void thread_collect (const struct record_row *row, struct items *items) {
    struct error e;
    const char *why;
    bool absent;
    struct origin origin;
    struct words words = { .plain = "" };
    size_t before = items->count;
    json_t *body = projector_body (row, &why, &absent, &e);
    projector_origin (row, &origin);
    thread_texts (body, word_take, &words);
    words_put (&words, items, SEARCH_THREAD, &origin, "", "");
    topics_set (items, before, row->message.topic);
    json_decref (body);
}

static bool is_text (const struct record_row *row) {
    return row->readable && row->record.type == RECORD_MESSAGE
           && row->message.body_format == BODY_TEXT
           && row->body_state == BODY_PRESENT;
}

static void message_collect (const struct record_row *row,
                             struct items *items) {
    struct error e;
    struct slice content;
    struct origin origin;
    if (message_content (&row->message, row->body, &content, &e)
        || (content.size && memchr (content.data, 0, content.size)))
        return;
    projector_origin (row, &origin);
    size_t before = items->count;
    item_add (items, SEARCH_MESSAGE, &origin, "", "", "", content);
    topics_set (items, before, row->message.topic);
}

/* Some rows from self->searched on; *more: there may be others. */
static enum err messages_collect (struct projector *self, struct items *items,
                                  int64_t *position, bool *more,
                                  struct error *e) {
    struct records_query query = {
        .after = *position, .to_sequence = -1, .to_ms = -1, .limit = LOOKED_MAX
    };
    int64_t upto = records_last_position (self->store);
    struct records_cursor *cursor = records_open (self->store, &query, e);
    enum err rc = cursor ? ERR_NONE : e->code;
    int looked = 0;
    while (!rc && items->count < PORTION && items->octets < PORTION_OCTETS) {
        struct record_row row;
        rc = records_next (cursor, &row, e);
        if (rc)
            break;
        looked++;
        *position = row.position;
        if (is_text (&row))
            message_collect (&row, items);
        else if (is_of_thread (&row))
            thread_collect (&row, items);
    }
    *more = rc == ERR_NONE || looked == LOOKED_MAX;
    if (!*more && *position < upto)
        *position = upto; /* marks and the like are not looked at again */
    records_close (&cursor);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* What the messages' texts rest on: any other, and they are read again. The last
 * digit says which messages are read: since 1, threads' too. */
static int64_t texts_basis (const struct projector *self) {
    return (self->basis.floor * 65536 + self->basis.mended % 65536) * 10 + 1;
}

static void texts_fresh (struct projector *self) {
    projector_write (self);
    self->texts_stale = false;
    projector_written (self);
}

/* Where the index is, once a start, after an epoch, and where blocks were put
 * into the store again. */
static enum err position_find (struct projector *self, struct error *e) {
    int64_t basis = texts_basis (self);
    if (self->searched >= 0 && self->searched_basis == basis)
        return ERR_NONE;
    enum err rc = projector_writer (self, e);
    if (!rc)
        rc = store_begin (self->writer, e);
    if (rc)
        return rc;
    rc = search_position (self->writer, basis, &self->searched, e);
    if (!rc)
        rc = store_commit (self->writer, e);
    else
        store_rollback (self->writer);
    if (rc)
        self->searched = -1;
    else {
        self->searched_basis = basis;
        self->searched_kept = self->searched;
        texts_fresh (self);
    }
    return rc;
}

static enum err position_keep (struct projector *self, struct items *items,
                               int64_t position, struct error *e) {
    bool far = position - self->searched_kept >= KEEP_EVERY;
    if (items->count == 0 && !far)
        return ERR_NONE;
    enum err rc = store_begin (self->writer, e);
    if (rc)
        return rc;
    rc = items_write (self->writer, items, e);
    if (!rc)
        rc = search_set_position (self->writer, position, e);
    if (!rc)
        rc = store_commit (self->writer, e);
    else
        store_rollback (self->writer);
    if (!rc)
        self->searched_kept = position;
    return rc;
}

static enum err messages_update (struct projector *self, bool *more,
                                 struct error *e) {
    struct items *items = mem_alloc (sizeof *items);
    int64_t position;
    enum err rc = position_find (self, e);
    if (!rc) {
        position = self->searched;
        rc = messages_collect (self, items, &position, more, e);
    }
    if (!rc)
        rc = projector_writer (self, e);
    if (!rc)
        rc = position_keep (self, items, position, e);
    if (!rc)
        self->searched = position;
    items_free (items);
    free (items);
    return rc;
}

/* An index that is damaged is written anew. */

static bool damage_known (struct projector *self, int64_t *mended) {
    pthread_mutex_lock (&self->mutex);
    bool out = self->search_damaged;
    *mended = self->search_mended;
    pthread_mutex_unlock (&self->mutex);
    return out;
}

/* Found by somebody who began when it had been mended as often. */
static void damage_found (struct projector *self, int64_t mended) {
    pthread_mutex_lock (&self->mutex);
    self->search_damaged |= self->search_mended == mended;
    pthread_mutex_unlock (&self->mutex);
}

static void damage_mended (struct projector *self) {
    pthread_mutex_lock (&self->mutex);
    self->search_damaged = false;
    self->search_mended++;
    pthread_mutex_unlock (&self->mutex);
    log_limited (LOG_WARN, "SEARCH-MENDED", "",
                 "why=\"the text index was damaged\"");
}

static enum err index_empty (struct projector *self, struct error *e) {
    enum err rc = projector_writer (self, e);
    if (!rc)
        rc = store_begin (self->writer, e);
    if (rc)
        return rc;
    rc = search_empty (self->writer, e);
    if (!rc)
        rc = store_commit (self->writer, e);
    else
        store_rollback (self->writer);
    self->searched = self->searched_generation = -1;
    return rc;
}

static enum err index_mend (struct projector *self, struct error *e) {
    int64_t mended;
    bool damaged =
        damage_known (self, &mended)
        || (!self->searched_checked && !search_is_whole (self->store));
    enum err rc = damaged ? index_empty (self, e) : ERR_NONE;
    self->searched_checked = rc == ERR_NONE;
    if (damaged && !rc)
        damage_mended (self);
    return rc;
}

bool projector_search_update (struct projector *self) {
    struct error e;
    bool more = false;
    pthread_rwlock_rdlock (&self->lock);
    int64_t generation = model_generation (self->model);
    pthread_rwlock_unlock (&self->lock);
    enum err rc = index_mend (self, &e);
    if (!rc && generation != self->searched_generation)
        rc = plans_update (self, &e);
    if (!rc) {
        self->searched_generation = generation;
        rc = messages_update (self, &more, &e);
    }
    if (rc == ERR_DAMAGED)
        damage_found (self, self->search_mended);
    if (rc)
        log_limited (LOG_WARN, "SEARCH-INDEX", "", "why=%s", log_text (e.text));
    return !rc && more;
}

/* Asking */

struct asking {
    struct projector *self;
    size_t skip, left;
    void (*each) (void *arg, const struct search_hit *);
    void *arg;
    bool *more;
};

static bool stands (const struct model *model, const struct search_item *item) {
    const struct subject *subject = model_find (model, item->plan);
    if (!subject || !subject->plan)
        return false;
    if (subject->revision->origin.sequence == item->sequence)
        return true;
    for (size_t i = 0; i < subject->part_count; i++)
        if (subject->parts[i].entry->origin.sequence == item->sequence)
            return true;
    for (size_t i = 0; i < subject->progress_count; i++)
        if (subject->progress[i].entry->origin.sequence == item->sequence)
            return subject->progress[i].newest && subject->progress[i].counts;
    return false;
}

/* Breaks it no rule? */
static bool is_good (const struct threads *threads,
                     const struct search_item *item) {
    const struct thread *thread =
        threads_by_topic (threads, slice_text (item->topic));
    size_t low = 0, high = thread ? thread->entry_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t sequence = thread->entries[middle]->origin.sequence;
        if (sequence == item->sequence)
            return thread->entries[middle]->say != NULL;
        if (sequence < item->sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The model has only what may be read; messages are asked for here. */
static bool may_show (struct projector *self, const struct search_item *item) {
    pthread_rwlock_rdlock (&self->lock);
    bool may;
    if (item->kind < SEARCH_MESSAGE)
        may = stands (self->model, item);
    else if (item->kind == SEARCH_THREAD)
        may = is_good (self->threads, item);
    else {
        const struct roster *then = projector_roster_at (self, item->sequence);
        may = then && self->present && !self->texts_stale
              && rights_record (then, self->present,
                                slice_text (self->options.delegation),
                                slice_text (item->channel),
                                slice_text (item->author), clock_wall_ms());
    }
    pthread_rwlock_unlock (&self->lock);
    return may;
}

static bool hit_take (void *arg, const struct search_hit *hit) {
    struct asking *asking = arg;
    if (!may_show (asking->self, &hit->item))
        return true;
    if (asking->skip > 0) {
        asking->skip--;
        return true;
    }
    if (asking->left == 0) {
        *asking->more = true;
        return false;
    }
    asking->left--;
    asking->each (asking->arg, hit);
    return true;
}

enum err projector_search (struct projector *self, struct store *store,
                           const struct search_query *query, size_t offset,
                           size_t limit,
                           void (*each) (void *arg, const struct search_hit *),
                           void *arg, bool *more, struct error *e) {
    struct asking asking = { self, offset, limit, each, arg, more };
    *more = false;
    if (!projector_read (self, 0))
        return error_set (e, ERR_STATE, "the plans are not read yet");
    projector_release (self);
    int64_t mended;
    (void) damage_known (self, &mended);
    enum err rc = search_find (store, query, hit_take, &asking, e);
    if (rc != ERR_DAMAGED)
        return rc;
    damage_found (self, mended);
    projector_wake (self);
    return error_set (e, ERR_STATE,
                      "the text index is damaged and is made again: ask again "
                      "in a minute");
}
