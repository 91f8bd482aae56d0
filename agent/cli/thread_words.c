/* thread_words - threads in words. */
#include "thread_words.h"

#include "answer.h"
#include "base/clock.h"
#include "base/topic.h"
#include "options.h"
#include "plan_words.h"
#include "plans/plan.h"
#include "threads/instant.h"
#include "threads/kinds.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define LIST_STEP 500 /* threads an answer */

/* Moments. */

json_t *instant_argument (const char *text, const char *option,
                          const char *usage) {
    char whole[INSTANT_TEXT_MAX];
    struct instant instant;
    struct error e;
    size_t size = strlen (text), minutes = strlen ("2026-12-01T17:00");
    bool no_seconds = size > minutes && text[10] == 'T' && text[minutes] != ':';
    size_t cut = no_seconds ? minutes : size;
    snprintf (whole, sizeof whole, "%.*s%s%s", (int) cut, text,
              no_seconds ? ":00" : "", text + cut);
    if (size > sizeof whole - sizeof ":00"
        || instant_read (slice_text (whole), &instant, &e))
        options_refuse (usage,
                        "--%s '%s' is no instant: 2026-12-01T17:00+01:00, or "
                        "2026-12-01 for the end of that day in UTC",
                        option, text);
    return json_string (whole);
}

/* "1 Dec 2026, 17:00". */
static void add_clock (struct buf *out, const struct tm *tm, bool day) {
    char text[64];
    strftime (text, sizeof text, day ? "%e %b %Y, %H:%M" : "%H:%M", tm);
    buf_add_text (out, text + strspn (text, " "));
}

static void add_moment (struct buf *out, int64_t ms) {
    struct tm here, utc;
    time_t seconds = (time_t) (ms / 1000);
    localtime_r (&seconds, &here);
    gmtime_r (&seconds, &utc);
    long offset = here.tm_gmtoff / 60;
    add_clock (out, offset ? &here : &utc, true);
    if (offset) {
        long size = labs (offset);
        buf_add_format (out, " (%c%02ld:%02ld) = ", offset < 0 ? '-' : '+',
                        size / 60, size % 60);
        add_clock (out, &utc, here.tm_mday != utc.tm_mday);
    }
    buf_add_text (out, " UTC");
}

void moment_words (struct buf *out, const char *time) {
    int64_t ms;
    if (time && !clock_parse (time, &ms))
        add_moment (out, ms);
    else
        buf_add_text (out, time ? time : "?");
}

static void add_day (struct buf *out, int32_t day) {
    char text[32];
    struct tm tm;
    time_t seconds = (time_t) (day_ms (day) / 1000);
    gmtime_r (&seconds, &tm);
    strftime (text, sizeof text, "%e %b %Y", &tm);
    buf_add_format (out, "end of %s (UTC)", text + strspn (text, " "));
}

void instant_said (struct buf *out, json_t *instant) {
    struct date date;
    const char *text = json_text_or (instant, "text", "");
    if (!date_read (slice_text (text), &date, NULL)
        && date.precision == PRECISION_DAY)
        add_day (out, date.first);
    else
        moment_words (out, json_text (instant, "utc"));
}

void instant_distance (struct buf *out, json_t *instant, json_t *answer) {
    const char *now = json_text (json_object_get (answer, "mark"), "time");
    const char *then = json_text (instant, "utc");
    int64_t a, b;
    if (!now || !then || clock_parse (now, &a) || clock_parse (then, &b))
        return;
    buf_add_text (out, b > a ? "in " : "");
    json_span (out, b > a ? now : then, b > a ? then : now);
    buf_add_text (out, b > a ? "" : " ago");
}

/* States. */

static const char *word_of (const char *const pairs[][2], const char *word) {
    for (size_t i = 0; pairs[i][0]; i++)
        if (strcmp (pairs[i][0], word) == 0)
            return pairs[i][1];
    return word;
}

const char *thread_says_words (const char *word) {
    static const char *const pairs[][2] = {
        { "endorse", "endorses" },
        { "adopt", "adopts" },
        { "accept", "accepts" },
        { "yes", "comes" },
        { "reply", "replies" },
        { "use", "uses it" },
        { "object", "objects" },
        { "decline", "declines" },
        { "no", "does not come" },
        { "no-use", "does not use it" },
        { "abstain", "abstains" },
        { "counter", "makes another offer" },
        { "in-writing", "takes part in writing" },
        { NULL, NULL },
    };
    return word_of (pairs, word);
}

const char *thread_kind_words (const char *kind) {
    enum thread_kind found;
    return thread_kind_read (slice_text (kind), &found)
               ? thread_kind_title (found)
               : kind;
}

struct open_count {
    int64_t open, all, overdue;
};

/* A line has the numbers, a thread the undertakings themselves. */
static struct open_count undertakings_of (json_t *thread) {
    json_t *value = json_object_get (thread, "undertakings"), *one;
    struct open_count out = { json_int (value, "open", 0),
                              json_int (value, "all", 0),
                              json_int (value, "overdue", 0) };
    size_t i;
    json_array_foreach (value, i, one) {
        out.all++;
        out.open += !json_is_object (json_object_get (one, "done"));
        out.overdue += json_is_true (json_object_get (one, "overdue"));
    }
    return out;
}

static int64_t reservations_of (json_t *thread) {
    json_t *parties = json_object_get (thread, "parties"), *one;
    int64_t out = json_int (thread, "reservations", 0);
    size_t i;
    json_array_foreach (parties, i, one) out +=
        json_text (one, "reservation") != NULL;
    return out;
}

static void add_answers (struct buf *out, json_t *tally) {
    int64_t members = json_int (tally, "members", 0);
    if (members > 0)
        buf_add_format (out, ", %" PRId64 " of %" PRId64 " answered",
                        members - json_int (tally, "silent", 0), members);
}

const char *thread_outcome_words (const char *state) {
    static const char *const pairs[][2] = {
        { "late", "deadline over, late answers may come" },
        { "not-agreed", "not agreed" },
        { "there", "published" },
        { "empty", "no proposal that holds" },
        { NULL, NULL },
    };
    return word_of (pairs, state);
}

bool thread_is_open (json_t *thread) {
    const char *state = json_text_or (thread, "state", "");
    return strcmp (state, "open") == 0 || strcmp (state, "late") == 0;
}

static void add_open (struct buf *out, const struct open_count *count) {
    buf_add_text (out, ", not yet carried out: ");
    if (count->all == 1)
        buf_add_text (out, "its undertaking is open");
    else
        buf_add_format (out, "%" PRId64 " of %" PRId64 " undertakings open",
                        count->open, count->all);
}

void thread_state_words (struct buf *out, json_t *thread) {
    const char *state = json_text_or (thread, "state", "?");
    json_t *outcome = json_object_get (thread, "outcome");
    struct open_count count = undertakings_of (thread);
    int64_t reservations = reservations_of (thread);
    bool open = thread_is_open (thread);
    buf_add_text (out, thread_outcome_words (state));
    if (open)
        add_answers (out,
                     json_object_get (outcome ? outcome : thread, "tally"));
    if (open && json_is_boolean (json_object_get (thread, "carried_out")))
        buf_add_text (out, "; a version before is agreed");
    if (json_is_true (json_object_get (thread, "carried_out")))
        buf_add_text (out, ", carried out");
    else if (json_is_false (json_object_get (thread, "carried_out")))
        add_open (out, &count);
    if (count.overdue > 0)
        buf_add_format (out, ", %" PRId64 " overdue", count.overdue);
    if (reservations > 0) {
        buf_add_text (out, ", ");
        words_count (out, reservations, "reservation", "reservations");
    }
}

/* Which one. */

/* A topic's parts, where it is one. */
static bool place_of (const struct thread_ref *ref, struct thread_place *out) {
    struct faults faults = { 0 };
    bool good = strchr (ref->id, '/')
                && !topic_check (slice_text (ref->id), NULL)
                && thread_place_read (slice_text (ref->id), out, &faults);
    faults_clear (&faults);
    return good;
}

static void ref_query (struct buf *path, const struct thread_ref *ref) {
    client_query (path, "kind", ref->kind);
    client_query (path, "channel", ref->channel);
    client_query (path, "lang", ref->lang);
}

static enum err get (struct client *client, const struct thread_ref *ref,
                     json_t **out, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/threads/%s", ref->id);
    ref_query (&path, ref);
    enum err rc = client_get (client, &path, 0, out, e);
    buf_free (&path);
    return rc;
}

/* "EUROPOL-align-20261124-k3fx" by its beginning, or its end behind a hyphen. */
static bool is_short_for (const char *typed, const char *id) {
    size_t size = strlen (typed), whole = strlen (id);
    return size < whole
           && (strncmp (id, typed, size) == 0
               || (strcmp (id + whole - size, typed) == 0
                   && id[whole - size - 1] == '-'));
}

/* Those of a page that are meant, to `found`. */
static void match_page (json_t *page, const char *typed, json_t *found) {
    json_t *one;
    size_t i;
    json_array_foreach (
        page, i, one) if (is_short_for (typed, json_text_or (one, "id", "")))
        json_array_append (found, one);
}

static enum err match (struct client *client, const struct thread_ref *ref,
                       json_t *found, struct error *e) {
    enum err rc = ERR_NONE;
    int64_t total = 1;
    for (int64_t at = 0; !rc && at < total; at += LIST_STEP) {
        struct buf path = { 0 };
        json_t *answer = NULL;
        client_path (&path, "/api/v1/threads");
        ref_query (&path, ref);
        client_query_int (&path, "limit", LIST_STEP);
        client_query_int (&path, "offset", at);
        rc = client_get (client, &path, 0, &answer, e);
        match_page (json_object_get (answer, "threads"), ref->id, found);
        total = json_int (answer, "total", 0);
        json_decref (answer);
        buf_free (&path);
    }
    return rc;
}

static enum err several (json_t *found, const char *typed, struct error *e) {
    struct buf names = { 0 };
    json_t *one;
    size_t i;
    json_array_foreach (found, i, one) buf_add_format (
        &names, "%s%s", i > 0 ? ", " : "", json_text_or (one, "topic", "?"));
    error_set (e, ERR_RIGHT, "'%s' is short for several: %.*s", typed,
               (int) names.size, (const char *) names.data);
    buf_free (&names);
    return ERR_RIGHT;
}

static enum err get_short (struct client *client, const struct thread_ref *ref,
                           json_t **out, struct error *e) {
    struct error why;
    json_t *found = json_array();
    enum err rc = match (client, ref, found, &why);
    if (rc)
        *e = why;
    else if (json_array_size (found) == 0)
        rc = ERR_NOT_FOUND; /* *e says of what */
    else if (json_array_size (found) > 1)
        rc = several (found, ref->id, e);
    else {
        json_t *one = json_array_get (found, 0);
        const struct thread_ref whole = { json_text_or (one, "id", ""),
                                          json_text (one, "kind"),
                                          json_text (one, "channel"),
                                          ref->lang };
        rc = get (client, &whole, out, e);
    }
    json_decref (found);
    return rc;
}

enum err thread_get (struct client *client, const struct thread_ref *ref,
                     json_t **out, struct error *e) {
    struct thread_place place;
    struct thread_ref named = *ref;
    if (place_of (ref, &place)) {
        named.id = place.id;
        named.channel = place.channel;
        if (!ref->kind)
            named.kind = thread_kind_name (place.kind);
    }
    if (!plan_id_plain (named.id))
        return error_set (e, ERR_NOT_FOUND,
                          "'%s' is no id of a thread; parley thread list has "
                          "them",
                          ref->id);
    enum err rc = get (client, &named, out, e);
    return rc == ERR_NOT_FOUND ? get_short (client, &named, out, e) : rc;
}

void thread_path (struct buf *path, json_t *thread, const char *rest) {
    client_path (path, "/api/v1/threads/%s%s", json_text_or (thread, "id", ""),
                 rest);
    client_query (path, "channel", json_text (thread, "channel"));
    client_query (path, "kind", json_text (thread, "kind"));
}

int thread_save (struct cli *cli, const struct thread_ref *ref,
                 const char *rest, const char *const *query, const char *out,
                 bool replace) {
    struct error e;
    struct buf path = { 0 };
    json_t *thread = NULL;
    struct client *client = client_new (cli, &e);
    enum err rc = client ? thread_get (client, ref, &thread, &e) : e.code;
    if (!rc)
        thread_path (&path, thread, rest);
    for (; !rc && query && *query; query += 2)
        client_query (&path, query[0], query[1]);
    json_decref (thread);
    client_destroy (&client);
    return rc ? cli_fail (&e) : answer_save (cli, &path, out, replace);
}
