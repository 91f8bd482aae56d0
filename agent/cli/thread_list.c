/* thread_list - which threads there are. */
#include "answer.h"
#include "table.h"
#include "thread_words.h"

static const char usage[] =
    "usage: parley thread list [--kind K,K] [--state S,S] [--with ENTITY]\n"
    "                          [--entity PROPOSER] [--about PLAN|PLAN#ACTION]\n"
    "                          [--waiting] [--unread] [--text WORDS]\n"
    "                          [--channel C] [--series S] [--limit N]\n"
    "                          [--offset N] [--lang L]\n"
    "\n"
    "List what bodies work out together, the newest change first: NEW where "
    "there\n"
    "is something unread, YOU what the own body said. --waiting: where it has "
    "to\n"
    "act; --with: where that body takes part; --about: what says something "
    "about\n"
    "that plan or action. States: open, late, agreed, not-agreed, over, "
    "closed,\n"
    "withdrawn, there.\n"
    "\n"
    "Example: parley thread list --waiting\n";

static const char kind_usage[] =
    "usage: parley align|communique|meeting|consult|practice|notice|capability "
    "list\n"
    "           [options of parley thread list]\n"
    "\n"
    "List those of one kind, the newest change first (parley thread list "
    "--help).\n"
    "\n"
    "Example: parley align list --state open --with INTERPOL\n";

static const char *own_words (json_t *own) {
    if (json_is_true (json_object_get (own, "asked_again")))
        return "asked again";
    if (!json_is_object (own))
        return "";
    return thread_says_words (json_text_or (own, "word", "not yet"));
}

static void add_row (struct table *table, json_t *thread, json_t *answer,
                     bool kinds) {
    struct buf state = { 0 }, due = { 0 };
    json_t *deadline = json_object_get (thread, "deadline");
    thread_state_words (&state, thread);
    if (json_is_object (deadline) && thread_is_open (thread))
        instant_distance (&due, deadline, answer);
    table_cell (table,
                json_is_true (json_object_get (thread, "unread")) ? "*" : "");
    table_cell (table, json_text (thread, "id"));
    if (kinds)
        table_cell (table,
                    thread_kind_words (json_text_or (thread, "kind", "")));
    table_slice (table, buf_slice (&state));
    table_slice (table, buf_slice (&due));
    table_cell (table, own_words (json_object_get (thread, "own")));
    table_cell (table, json_text (thread, "title"));
    buf_free (&state);
    buf_free (&due);
}

struct listed {
    const char *offset;
    bool kinds; /* several are listed */
};

static void say (const void *arg, json_t *answer) {
    static const char *const all[] = { "NEW", "THREAD", "KIND",  "STATE",
                                       "DUE", "YOU",    "TITLE", NULL };
    static const char *const one[] = { "NEW", "THREAD", "STATE", "DUE",
                                       "YOU", "TITLE",  NULL };
    const struct listed *listed = arg;
    json_t *threads = json_object_get (answer, "threads"), *thread;
    size_t i;
    struct table *table = table_new (listed->kinds ? all : one);
    json_array_foreach (threads, i, thread)
        add_row (table, thread, answer, listed->kinds);
    if (table_is_empty (table))
        fputs ("parley: no such thread is there\n", stderr);
    else
        table_print (table, stdout);
    answer_more (listed->offset, json_array_size (threads),
                 json_int (answer, "total", 0));
    table_destroy (&table);
}

int command_thread_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct listed listed = { 0 };
    const char *kind = NULL, *state = NULL, *with = NULL, *entity = NULL,
               *about = NULL, *text = NULL, *channel = NULL, *series = NULL,
               *limit = NULL, *lang = NULL;
    bool waiting = false, unread = false;
    const struct option_spec specs[] = {
        { "kind", OPTION_TEXT, &kind },
        { "state", OPTION_TEXT, &state },
        { "with", OPTION_TEXT, &with },
        { "entity", OPTION_TEXT, &entity },
        { "about", OPTION_TEXT, &about },
        { "text", OPTION_TEXT, &text },
        { "channel", OPTION_TEXT, &channel },
        { "series", OPTION_TEXT, &series },
        { "limit", OPTION_TEXT, &limit },
        { "offset", OPTION_TEXT, &listed.offset },
        { "lang", OPTION_TEXT, &lang },
        { "waiting", OPTION_FLAG, &waiting },
        { "unread", OPTION_FLAG, &unread },
        { 0 }
    };
    struct buf path = { 0 };
    const char *help = cli->kind ? kind_usage : usage;
    options_read (cli, argc, argv, help, specs, &words, 0, 0);
    if (cli->kind && kind)
        options_refuse (help, "--kind is for parley thread list");
    if (cli->kind)
        kind = cli->kind;
    listed.kinds = !kind || strchr (kind, ',');
    client_path (&path, "/api/v1/threads");
    answer_query (&path, specs, sizeof specs / sizeof *specs - 1);
    return answer_print (cli, &path, say, &listed);
}
