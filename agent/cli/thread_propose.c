/* thread_propose - one table says which option is which member of which kind; it
 * mirrors that of THREADS.md section 3. */
#include "thread_propose.h"

#include "plans/plan.h"

#include <stdlib.h>

#define SPECS_MAX 32 /* of a kind, with those that all have */

enum how {
    HOW_TEXT,
    HOW_NUMBER,
    HOW_INSTANT,
    HOW_WORDS,       /* "E,E", each time more */
    HOW_REFS,        /* PLAN#ACTION ... */
    HOW_PARAGRAPHS,  /* TEXT each, or ID=TEXT */
    HOW_AGENDA,      /* likewise */
    HOW_UNDERTAKING, /* ID=WHO:WHAT[,by=I][,action=REF][,shows=WORD] */
    HOW_DECISION,    /* ID=TEXT[,owner=E][,by=I] */
};
static const struct row {
    const char *option, *member;
    enum how how;
    const char *kinds; /* NULL: all */
} rows[] = {
    { "title", "title", HOW_TEXT, NULL },
    { "text", "text", HOW_TEXT, NULL },
    { "handling", "handling", HOW_TEXT, NULL },
    { "priority", "priorities", HOW_WORDS, NULL },
    { "region", "regions", HOW_WORDS, NULL },
    { "about", "about", HOW_REFS, NULL },
    { "type", "type", HOW_TEXT, "align capability" },
    { "rule", "rule", HOW_TEXT, "align communique" },
    { "invite", "invited", HOW_WORDS, "align communique meeting consultation" },
    { "deadline", "deadline", HOW_INSTANT,
      "align communique meeting consultation" },
    { "undertake", "undertakings", HOW_UNDERTAKING,
      "align communique request" },
    { "decide", "decisions", HOW_DECISION, "communique" },
    { "paragraph", "paragraphs", HOW_PARAGRAPHS, "communique" },
    { "binding", "binding", HOW_TEXT, "communique" },
    { "from", "from", HOW_INSTANT, "meeting" },
    { "to", "to", HOW_INSTANT, "meeting" },
    { "zone", "zone", HOW_TEXT, "meeting" },
    { "place", "place", HOW_TEXT, "meeting" },
    { "series", "series", HOW_TEXT, "meeting" },
    { "edition", "edition", HOW_NUMBER, "meeting" },
    { "agenda", "agenda", HOW_AGENDA, "meeting" },
    { "until", "deadline", HOW_INSTANT, "practice notice capability" },
    { "to", "offered_to", HOW_WORDS, "capability" },
    { "conditions", "conditions", HOW_TEXT, "capability" },
    { "contact", "contact", HOW_TEXT, "capability" },
    { "to", "invited", HOW_WORDS, "request" },
    { "needed-by", "deadline", HOW_INSTANT, "request" },
};
#define ROWS (sizeof rows / sizeof *rows)

static bool is_text (const struct row *row) {
    return row->how <= HOW_INSTANT;
}

/* A word of the row's kinds; none of them begins as another one does. */
static bool fits (const struct row *row, const char *kind) {
    return !row->kinds || strstr (row->kinds, kind);
}

/* Options. */

void proposing_options (struct cli *cli, int argc, char **argv,
                        struct proposing *self, struct words *words, size_t min,
                        size_t max, enum proposing_what what) {
    bool amend = what == PROPOSE_NEXT;
    struct option_spec specs[SPECS_MAX + 1] = { { 0 } };
    const struct option_spec saying[] = { THREAD_SAYING (self->saying) };
    size_t count = 0, member = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!fits (&rows[i], self->saying.kind))
            continue;
        specs[count++] =
            (struct option_spec){ rows[i].option,
                                  is_text (&rows[i])        ? OPTION_TEXT
                                  : rows[i].how == HOW_REFS ? OPTION_REST
                                                            : OPTION_EACH,
                                  is_text (&rows[i])
                                      ? (void *) &self->texts[member]
                                      : (void *) &self->lists[member] };
        member++;
    }
    specs[count++] =
        amend ? (struct option_spec){ "takes-up", OPTION_EACH, &self->takes_up }
              : (struct option_spec){ "id", OPTION_TEXT, &self->id };
    memcpy (&specs[count], saying, sizeof saying);
    options_read (cli, argc, argv, self->usage, specs, words, min, max);
    publishing_check (&self->saying.publishing, self->usage);
    if (what == PROPOSE_NEW && !self->saying.channel)
        options_refuse (self->usage,
                        "--channel is missing: who shall read it?");
}

/* Members. */

/* The next part of a word, up to the separator; *text behind it, or NULL. */
static json_t *part_until (const char **text, char separator) {
    const char *end = strchr (*text, separator);
    json_t *out =
        json_stringn (*text, end ? (size_t) (end - *text) : strlen (*text));
    *text = end ? end + 1 : NULL;
    return out;
}

void entities_add (json_t *list, const char *words) {
    while (words)
        json_array_append_new (list, part_until (&words, ','));
}

/* "ID=" at the beginning of a word. */
static bool has_id (const char *word) {
    size_t size = strcspn (word, "= ");
    return size > 0 && size <= PLAN_PART_MAX && word[size] == '=';
}

/* ID=TEXT, or a text whose id is its place. */
static json_t *numbered (const char *word, const char *member, char letter,
                         size_t n) {
    char id[16];
    snprintf (id, sizeof id, "%c%zu", letter, n + 1);
    json_t *out = json_object();
    json_object_set_new (
        out, "id", has_id (word) ? part_until (&word, '=') : json_string (id));
    json_object_set_new (out, member, json_string (word));
    return out;
}

/* Take ",NAME=VALUE" off the end of a text, whichever of the names it is. */
static bool take_end (char *text, const char *const *names, json_t *into,
                      const char *option, const char *usage) {
    char *comma = strrchr (text, ',');
    for (size_t i = 0; comma && names[i]; i++) {
        size_t size = strlen (names[i]);
        if (strncmp (comma + 1, names[i], size) != 0 || comma[1 + size] != '=')
            continue;
        const char *value = comma + size + 2;
        json_object_set_new (into, names[i],
                             strcmp (names[i], "by") == 0
                                 ? instant_argument (value, option, usage)
                                 : json_string (value));
        *comma = '\0';
        return true;
    }
    return false;
}

static json_t *itemized (const struct proposing *self, const struct row *row,
                         const char *word) {
    static const char *const undertaking[] = { "by", "action", "shows", NULL };
    static const char *const decision[] = { "owner", "by", NULL };
    bool undertakes = row->how == HOW_UNDERTAKING;
    if (!has_id (word))
        options_refuse (self->usage, "--%s '%s' is not ID=%s", row->option,
                        word, undertakes ? "WHO:WHAT" : "TEXT");
    json_t *out = json_object();
    json_object_set_new (out, "id", part_until (&word, '='));
    if (undertakes && !strchr (word, ':'))
        options_refuse (self->usage, "--%s '%s' is not WHO:WHAT", row->option,
                        word);
    if (undertakes)
        json_object_set_new (out, "who", part_until (&word, ':'));
    char *text = mem_copy_text (word);
    while (take_end (text, undertakes ? undertaking : decision, out,
                     row->option, self->usage))
        ;
    json_object_set_new (out, undertakes ? "what" : "text",
                         json_string (text + strspn (text, " ")));
    free (text);
    return out;
}

static void item_add (const struct proposing *self, const struct row *row,
                      const char *word, json_t *list) {
    size_t n = json_array_size (list);
    switch (row->how) {
    case HOW_WORDS:
        entities_add (list, word);
        break;
    case HOW_REFS:
        json_array_append_new (list, json_pack ("{ss}", "ref", word));
        break;
    case HOW_PARAGRAPHS:
        json_array_append_new (list, numbered (word, "text", 'P', n));
        break;
    case HOW_AGENDA:
        json_array_append_new (list, numbered (word, "title", 'A', n));
        break;
    default:
        json_array_append_new (list, itemized (self, row, word));
    }
}

static json_t *value_of (const struct proposing *self, const struct row *row,
                         const char *text, const struct words *words) {
    char *end;
    if (row->how == HOW_INSTANT)
        return instant_argument (text, row->option, self->usage);
    if (row->how == HOW_NUMBER) {
        long number = strtol (text, &end, 10);
        if (*end || end == text)
            options_refuse (self->usage, "--%s '%s' is no number", row->option,
                            text);
        return json_integer (number);
    }
    if (is_text (row))
        return json_string (text);
    json_t *list = json_array();
    for (size_t i = 0; i < words->count; i++)
        item_add (self, row, words->at[i], list);
    return list;
}

json_t *proposing_file (const char *file, struct error *e) {
    return file ? publishing_read (file, "json", e) : json_object();
}

void proposing_apply (const struct proposing *self, json_t *proposal) {
    size_t member = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!fits (&rows[i], self->saying.kind))
            continue;
        const char *text = self->texts[member];
        const struct words *words = &self->lists[member];
        member++;
        if (text || words->count > 0)
            json_object_set_new (proposal, rows[i].member,
                                 value_of (self, &rows[i], text, words));
    }
}

/* A new thread. */

int thread_propose (struct cli *cli, int argc, char **argv, const char *usage,
                    const char *kind) {
    static struct proposing self;
    static struct words words;
    struct error e;
    self.saying.kind = kind;
    self.usage = usage;
    proposing_options (cli, argc, argv, &self, &words, 0, 1, PROPOSE_NEW);
    struct client *client = client_new (cli, &e);
    json_t *proposal =
        client ? proposing_file (words.count > 0 ? words.at[0] : NULL, &e)
               : NULL;
    int code;
    if (proposal) {
        proposing_apply (&self, proposal);
        code = thread_open (cli, client, &self.saying, self.id, proposal);
    } else
        code = cli_fail (&e);
    client_destroy (&client);
    return code;
}

/* The next version. */

struct amending {
    const struct proposing *self;
    const char *file; /* NULL */
};

/* A suggestion's message id, by its record's sequence. */
static const char *suggestion_id (json_t *thread, const char *word) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (thread, "suggestions"), i, one) {
        char sequence[32];
        snprintf (sequence, sizeof sequence, "%lld",
                  (long long) json_int (one, "sequence", -1));
        if (strcmp (sequence, word) == 0)
            return json_text (one, "id");
    }
    return word;
}

static void take_up (const struct proposing *self, json_t *thread,
                     json_t *out) {
    json_t *list = json_array();
    for (size_t i = 0; i < self->takes_up.count; i++)
        json_array_append_new (
            list, json_string (suggestion_id (thread, self->takes_up.at[i])));
    if (json_array_size (list) > 0)
        json_object_set (out, "takes_up", list);
    json_decref (list);
}

static json_t *amended (json_t *thread, void *arg, struct error *e) {
    const struct amending *how = arg;
    const struct proposing *self = how->self;
    json_t *now = json_object_get (thread, "proposal");
    json_t *out =
        how->file ? proposing_file (how->file, e) : json_deep_copy (now);
    if (!out) {
        if (!how->file)
            error_set (e, ERR_NOT_FOUND, "%s has no version to be changed",
                       json_text_or (thread, "id", "?"));
        return NULL;
    }
    proposing_apply (self, out);
    /* What the version before took up is no part of the next one. */
    json_object_del (now, "takes_up");
    json_object_del (out, "takes_up");
    if (json_equal (out, now) && self->takes_up.count == 0) {
        json_decref (out);
        error_set (e, ERR_RIGHT, "nothing changes");
        return NULL;
    }
    take_up (self, thread, out);
    content_text (out, "does", "propose");
    return out;
}

int thread_amend (struct cli *cli, int argc, char **argv, const char *usage,
                  const char *kind) {
    static struct proposing self;
    static struct words words;
    self.saying.kind = kind;
    self.usage = usage;
    proposing_options (cli, argc, argv, &self, &words, 1, 2, PROPOSE_NEXT);
    struct amending how = { &self, words.count > 1 ? words.at[1] : NULL };
    return thread_say (cli, &self.saying, words.at[0], amended, &how);
}
