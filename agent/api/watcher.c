/* watcher - what is new for each watch, and when to say so. */
#include "api/watcher.h"

#include "api/http_impl.h"
#include "api/tell.h"
#include "base/clock.h"
#include "base/log.h"
#include "plans/projector.h"
#include "store/records.h"
#include "store/watches.h"
#include "threads/inbox.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define QUIET_MS 5000   /* without news before they are told */
#define GATHER_MS 60000 /* but they wait no longer than that */
#define LIMIT_MS 30000  /* of the command */
#define LOOK_MS 30000   /* without being woken: a day's time comes */
#define PAUSE_MS 5000   /* after a failure; twice that after the next, ... */
#define PAUSE_MAX_MS 3600000
#define LOOKED_MAX 4096 /* records at a time */
/* So far behind the place that was looked at, it is noted without having told. */
#define BEHIND_MAX 10000
#define DAY_MS INT64_C (86400000)

/* A watch, and what came since he was told. */
struct state {
    struct watch watch;
    bool listed; /* it is still there */
    int64_t upto, total, counts[WATCH_KINDS];
    int64_t first_ms, last_ms; /* monotonic: when news were seen */
    int64_t retry_ms;          /* monotonic; 0: now */
    int failures;
};
struct watcher {
    struct http *http;
    pthread_t thread;
    pthread_mutex_t running; /* one command at a time */
    size_t count;
    struct state **at;
};

/* What is said */

static json_t *counts_json (const struct state *state) {
    json_t *out = json_object();
    for (size_t i = 0; i < WATCH_KINDS; i++)
        if (state->counts[i] > 0)
            json_object_set_new (out, watch_kinds[i],
                                 json_integer (state->counts[i]));
    return out;
}

/* Null while nothing is derived. */
static json_t *inbox_counts (struct watcher *self) {
    struct inbox inbox;
    char entity[ENTITY_MAX + 1];
    struct origin us = { 0 };
    const struct http_options *options = &self->http->options;
    const struct model *model =
        options->projector ? projector_read (options->projector, 0) : NULL;
    if (!model)
        return json_null();
    snprintf (us.author, sizeof us.author, "%s", options->delegation);
    inbox_make (&inbox, projector_threads (options->projector), model,
                origin_entity (entity, &us),
                projector_settled (options->projector, NULL));
    json_t *out = json_object();
    for (size_t i = 0; i < INBOX_KINDS; i++)
        if (inbox.of[i] > 0)
            json_object_set_new (out, inbox_kind_name ((enum inbox_kind) i),
                                 json_integer ((json_int_t) inbox.of[i]));
    inbox_free (&inbox);
    projector_release (options->projector);
    return out;
}

static json_t *records_link (const struct watch *watch) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    struct buf path = { 0 };
    buf_add_text (&path, "/api/v1/records?filter=");
    for (const char *c = watch->filter; *c; c++)
        buf_add_format (&path, strchr (plain, *c) ? "%c" : "%%%02X",
                        (unsigned char) *c);
    if (*watch->entity)
        buf_add_format (&path, "&author=%s", watch->entity);
    buf_add_format (&path, "&after=%" PRId64, watch->position);
    char *text = buf_take_text (&path);
    json_t *out = json_string (text);
    free (text);
    return out;
}

static bool is_stopping (void *arg) {
    const struct watcher *self = arg;
    return wake_stopping (&self->http->wake);
}

static enum err say (struct watcher *self, const struct state *state, bool test,
                     struct error *e) {
    const struct watch *watch = &state->watch;
    json_t *body = json_pack (
        "{si sb ss ss s{sI ss ss} sI so so s[ss] s[so]}", "format", 1, "test",
        test, "delegation", self->http->options.delegation, "user", watch->user,
        "watch", "number", (json_int_t) watch->number, "name", watch->name,
        "mode", watch->daily ? "daily" : "immediate", "total",
        (json_int_t) state->total, "counts", counts_json (state), "inbox",
        inbox_counts (self), "commands", "parley inbox", "parley watch list",
        "links", "/api/v1/inbox", records_link (watch));
    char *text = json_dumps (body, JSON_COMPACT);
    json_decref (body);
    if (!text)
        return error_set (e, ERR_STATE, "it can't be said as JSON");
    enum err rc = tell_run (self->http->options.watch_command,
                            slice_text (text), LIMIT_MS, is_stopping, self, e);
    free (text);
    return rc;
}

/* Whose */

struct wanted {
    const char *name;
    bool found;
};

static void user_look (void *arg, const char *name) {
    struct wanted *self = arg;
    self->found |= strcmp (name, self->name) == 0;
}

static void token_look (void *arg, const struct token *token) {
    struct wanted *self = arg;
    self->found |=
        strcmp (token->name, self->name) == 0 && !*token->user
        && token->revoked_ms == 0
        && (token->expires_ms == 0 || token->expires_ms > clock_wall_ms());
}

/* May he still read here? */
static bool user_may (struct watcher *self, const char *name) {
    struct error e;
    struct user account;
    struct wanted wanted = { .name = name };
    if (!http_users_listed (self->http))
        return true;
    http_users_with (self->http, ROLE_READER, user_look, &wanted);
    http_user_account (self->http, geteuid(), &account);
    wanted.found |= account.roles && strcmp (account.name, name) == 0;
    http_user_account (self->http, 0, &account);
    wanted.found |= account.roles && strcmp (account.name, name) == 0;
    struct store *store =
        wanted.found ? NULL : handles_take (&self->http->handles, &e);
    if (store) {
        (void) !tokens_list (store, token_look, &wanted, &e);
        handles_give (&self->http->handles, &store);
    }
    return wanted.found;
}

/* What there is */

static struct state *state_of (struct watcher *self, int64_t number) {
    for (size_t i = 0; i < self->count; i++)
        if (self->at[i]->watch.number == number)
            return self->at[i];
    self->at = mem_resize (self->at, (self->count + 1) * sizeof *self->at);
    struct state *out = self->at[self->count++] = mem_alloc (sizeof *out);
    out->upto = -1;
    return out;
}

static void watch_take (void *arg, const struct watch *watch) {
    struct state *state = state_of (arg, watch->number);
    state->watch = *watch;
    state->listed = true;
    if (state->upto < 0)
        state->upto = watch->position;
}

static enum err states_read (struct watcher *self, struct store *store,
                             struct error *e) {
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        self->at[i]->listed = false;
    enum err rc = watches_list (store, NULL, watch_take, self, e);
    for (size_t i = 0; !rc && i < self->count; i++)
        if (self->at[i]->listed)
            self->at[kept++] = self->at[i];
        else
            free (self->at[i]);
    self->count = rc ? self->count : kept;
    return rc;
}

/* `news`: a message of others. */
static void state_take (struct state *self, const struct record_row *row,
                        bool news) {
    if (row->position <= self->upto)
        return;
    self->upto = row->position;
    if (!news
        || !watch_wants (&self->watch, row->message.topic, row->message.author))
        return;
    self->last_ms = clock_mono_ms();
    if (self->total++ == 0)
        self->first_ms = self->last_ms;
    self->counts[watch_kind (row->message.topic)]++;
}

/* Of a store that was put back, or a new epoch's, the places are given anew. */
static int64_t places_bound (struct watcher *self, int64_t last) {
    int64_t from = last;
    for (size_t i = 0; i < self->count; i++) {
        struct state *state = self->at[i];
        if (state->upto > last)
            state->upto = last;
        if (state->upto < from)
            from = state->upto;
    }
    return from;
}

/* Some of what came, of others; *more: there may be. */
static enum err news_take (struct watcher *self, struct store *store,
                           bool *more, struct error *e) {
    struct record_row row;
    int64_t last = records_last_position (store), count = 0;
    struct records_query query = { .after = places_bound (self, last),
                                   .to_sequence = -1,
                                   .to_ms = -1,
                                   .limit = LOOKED_MAX };
    *more = false;
    if (self->count == 0 || query.after == last)
        return ERR_NONE;
    struct records_cursor *cursor = records_open (store, &query, e);
    if (!cursor)
        return e->code;
    enum err rc;
    while (!(rc = records_next (cursor, &row, e))) {
        count++;
        bool news =
            row.message.octets.size > 0
            && !slice_is (row.message.author, self->http->options.delegation);
        for (size_t i = 0; i < self->count; i++)
            state_take (self->at[i], &row, news);
    }
    records_close (&cursor);
    *more = count == LOOKED_MAX;
    for (size_t i = 0; rc == ERR_NOT_FOUND && !*more && i < self->count; i++)
        if (self->at[i]->upto < last)
            self->at[i]->upto = last;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* When to say it */

/* The newest instant, at or before `now_ms`, at which daily ones are told. */
static int64_t day_begin (const struct watcher *self, int64_t now_ms) {
    int64_t since = (now_ms - self->http->options.digest_ms) % DAY_MS;
    return now_ms - since;
}

static bool is_due (const struct watcher *self, const struct state *state,
                    int64_t *wait_ms) {
    int64_t now = clock_mono_ms(), wall = clock_wall_ms(), at = now;
    if (state->watch.daily) {
        int64_t begin = day_begin (self, wall);
        if (state->watch.told_ms >= begin || state->watch.created_ms >= begin)
            at = now + begin + DAY_MS - wall;
    } else if (state->total == 0)
        return false;
    else {
        at = state->last_ms + QUIET_MS;
        if (at > state->first_ms + GATHER_MS)
            at = state->first_ms + GATHER_MS;
    }
    if (at < state->retry_ms)
        at = state->retry_ms;
    if (at > now && at - now < *wait_ms)
        *wait_ms = at - now;
    return at <= now;
}

struct told {
    const struct state *state;
    int64_t ms;
};

static enum err told_write (struct store *writer, void *arg, struct error *e) {
    const struct told *self = arg;
    return watches_told (writer, self->state->watch.number, self->state->upto,
                         self->ms, e);
}

static enum err notice_write (struct store *writer, void *arg,
                              struct error *e) {
    return store_notice (writer, "WATCH-FAILED", false, arg,
                         (struct slice){ 0 }, e);
}

static void failed (struct watcher *self, struct state *state,
                    struct error *why) {
    struct error e = { 0 };
    int64_t pause = PAUSE_MAX_MS;
    if (state->failures < 10 && PAUSE_MS << state->failures < PAUSE_MAX_MS)
        pause = PAUSE_MS << state->failures;
    state->retry_ms = clock_mono_ms() + pause;
    error_at (why, "watch-command");
    log_warn ("WATCH-FAILED", "watch=%" PRId64 " failures=%d why=%s",
              state->watch.number, state->failures + 1, log_text (why->text));
    if (state->failures++ == 0
        && handles_write (&self->http->handles, notice_write, why->text, &e))
        log_limited (LOG_ERROR, "WATCH", "notice", "why=%s", log_text (e.text));
}

/* He was told of all that was counted, or there was nothing. */
static void noted (struct watcher *self, struct state *state, int64_t ms) {
    struct error e = { 0 };
    struct told told = { state, ms };
    if (handles_write (&self->http->handles, told_write, &told, &e)) {
        log_limited (LOG_ERROR, "WATCH", "told", "why=%s", log_text (e.text));
        state->retry_ms = clock_mono_ms() + PAUSE_MS;
        return;
    }
    state->watch.position = state->upto;
    if (ms > state->watch.told_ms)
        state->watch.told_ms = ms;
    state->failures = 0;
    state->retry_ms = 0;
    state->total = 0;
    memset (state->counts, 0, sizeof state->counts);
}

static void tell (struct watcher *self, struct state *state) {
    struct error e = { 0 };
    if (state->total == 0) {
        noted (self, state, clock_wall_ms());
        return;
    }
    pthread_mutex_lock (&self->running);
    enum err rc = say (self, state, false, &e);
    pthread_mutex_unlock (&self->running);
    if (is_stopping (self))
        return; /* it may have been told, and will be again */
    if (rc)
        failed (self, state, &e);
    else {
        log_info ("WATCH-TOLD", "watch=%" PRId64 " records=%" PRId64,
                  state->watch.number, state->total);
        noted (self, state, clock_wall_ms());
    }
}

static enum err news_look (struct watcher *self, bool *more, struct error *e) {
    struct store *store = handles_take (&self->http->handles, e);
    if (!store)
        return e->code;
    enum err rc = states_read (self, store, e);
    if (!rc)
        rc = news_take (self, store, more, e);
    handles_give (&self->http->handles, &store);
    return rc;
}

/* One look; *more: at once again. In how many ms otherwise. */
static int64_t look (struct watcher *self, bool *more) {
    struct error e = { 0 };
    int64_t wait_ms = LOOK_MS;
    *more = false;
    if (news_look (self, more, &e)) {
        log_limited (LOG_ERROR, "WATCH", "look", "why=%s", log_text (e.text));
        return wait_ms;
    }
    for (size_t i = 0; !*more && i < self->count && !is_stopping (self); i++) {
        struct state *state = self->at[i];
        if (self->http->options.watch_command && is_due (self, state, &wait_ms)
            && user_may (self, state->watch.user))
            tell (self, state);
        else if (state->total == 0
                 && state->upto > state->watch.position + BEHIND_MAX)
            noted (self, state, 0);
    }
    return wait_ms;
}

static void *run (void *arg) {
    struct watcher *self = arg;
    struct wake *wake = &self->http->wake;
    while (!wake_stopping (wake)) {
        bool more;
        uint64_t seen = wake_number (wake);
        int64_t wait_ms = look (self, &more);
        if (!more)
            wake_wait (wake, seen, clock_mono_ms() + wait_ms);
    }
    return NULL;
}

/* From outside */

enum err watcher_test (struct watcher *self, const struct watch *watch,
                       struct error *e) {
    if (pthread_mutex_trylock (&self->running))
        return error_set (e, ERR_FULL, "the watch-command runs just now");
    struct state *state = mem_alloc (sizeof *state);
    state->watch = *watch;
    enum err rc = say (self, state, true, e);
    free (state);
    pthread_mutex_unlock (&self->running);
    return rc;
}

struct watcher *watcher_new (struct http *http, struct error *e) {
    struct watcher *self = mem_alloc (sizeof *self);
    self->http = http;
    pthread_mutex_init (&self->running, NULL);
    int rc = pthread_create (&self->thread, NULL, run, self);
    if (!rc)
        return self;
    error_sys (e, rc, "the thread that watches");
    pthread_mutex_destroy (&self->running);
    free (self);
    return NULL;
}

void watcher_destroy (struct watcher **self_p) {
    if (!self_p || !*self_p)
        return;
    struct watcher *self = *self_p;
    *self_p = NULL;
    pthread_join (self->thread, NULL);
    for (size_t i = 0; i < self->count; i++)
        free (self->at[i]);
    free (self->at);
    pthread_mutex_destroy (&self->running);
    free (self);
}
