/* thread_answer - what is said of a thread in a line. */
#include "thread_answer.h"

json_t *content_new (const char *does) {
    return json_pack ("{s:s}", "does", does);
}

/* Answers. */

int thread_answer (struct cli *cli, int argc, char **argv, const char *usage,
                   const char *kind, bool second) {
    static struct thread_saying self;
    static struct words words;
    const char *reservation = NULL, *text = NULL, *represented = NULL;
    const struct option_spec specs[] = {
        THREAD_SAYING (self),
        { "reservation", OPTION_TEXT, &reservation },
        { "text", OPTION_TEXT, &text },
        { "anyway", OPTION_FLAG, &self.anyway },
        { "represented-by", OPTION_TEXT, &represented },
        { 0 }
    };
    size_t wanted = second ? 2 : 1;
    options_read (cli, argc, argv, usage, specs, &words, wanted, wanted);
    publishing_check (&self.publishing, usage);
    if (represented && strcmp (kind, "meeting") != 0)
        options_refuse (usage, "--represented-by is for meetings");
    self.kind = kind;
    json_t *content = content_new ("stance");
    content_text (content, "says", second ? words.at[1] : argv[0]);
    content_text (content, "reservation", reservation);
    content_text (content, "text", text);
    content_text (content, "represented_by", represented);
    return thread_say_ready (cli, &self, words.at[0], content);
}

/* Closing. */

int thread_close (struct cli *cli, int argc, char **argv, const char *usage,
                  const char *kind, const char *text) {
    static struct thread_saying self;
    static struct words words;
    const char *said = NULL;
    const struct option_spec specs[] = { THREAD_SAYING (self),
                                         { text ? text : "text", OPTION_TEXT,
                                           &said },
                                         { 0 } };
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    publishing_check (&self.publishing, usage);
    if (text && !said)
        options_refuse (usage, "--%s is missing", text);
    self.kind = kind;
    json_t *content = content_new ("close");
    content_text (content, "text", said);
    return thread_say_ready (cli, &self, words.at[0], content);
}

/* Comments, suggestions, withdrawals: of a thread of any kind. */

static const char comment_usage[] =
    "usage: parley thread comment ID TEXT\n" THREAD_SAYING_USAGE
    "Say something in a thread: everybody who reads it may.\n"
    "\n"
    "Example: parley thread comment EUROPOL-align-20261124-k3fx 'Which "
    "ports?'\n";

/* ID TEXT: {"does": DOES, "text": TEXT}. */
static int say_text (struct cli *cli, int argc, char **argv, const char *usage,
                     const char *does, const char *says) {
    static struct thread_saying self;
    static struct words words;
    const struct option_spec specs[] = { THREAD_SAYING (self), { 0 } };
    options_read (cli, argc, argv, usage, specs, &words, 2, 2);
    publishing_check (&self.publishing, usage);
    self.kind = cli->kind;
    json_t *content = content_new (does);
    content_text (content, "says", says);
    content_text (content, "text", words.at[1]);
    return thread_say_ready (cli, &self, words.at[0], content);
}

int command_thread_comment (struct cli *cli, int argc, char **argv) {
    return say_text (cli, argc, argv, comment_usage, "comment", NULL);
}

static const char reply_usage[] =
    "usage: parley consult reply ID TEXT\n" THREAD_SAYING_USAGE
    "Answer a consultation in the own body's name; a later reply replaces it.\n"
    "\n"
    "Example: parley consult reply UNODC-consultation-20261124-k3fx 'Two "
    "labs.'\n";

int command_consult_reply (struct cli *cli, int argc, char **argv) {
    return say_text (cli, argc, argv, reply_usage, "stance", "reply");
}

static const char suggest_usage[] =
    "usage: parley thread|communique suggest ID TEXT [--paragraph ID] [--put "
    "TEXT]\n" THREAD_SAYING_USAGE
    "Suggest a change of what is proposed; --put is the text that the "
    "paragraph\n"
    "should have. Who proposed it takes it up with amend --takes-up.\n"
    "\n"
    "Example: parley communique suggest EUROPOL-communique-20261124-k3fx "
    "'Clearer' \\\n"
    "             --paragraph P2 --put 'We share what we seize.'\n";

int command_thread_suggest (struct cli *cli, int argc, char **argv) {
    static struct thread_saying self;
    static struct words words;
    const char *paragraph = NULL, *put = NULL;
    const struct option_spec specs[] = { THREAD_SAYING (self),
                                         { "paragraph", OPTION_TEXT,
                                           &paragraph },
                                         { "put", OPTION_TEXT, &put },
                                         { 0 } };
    options_read (cli, argc, argv, suggest_usage, specs, &words, 2, 2);
    publishing_check (&self.publishing, suggest_usage);
    self.kind = cli->kind;
    json_t *content = content_new ("suggest");
    content_text (content, "text", words.at[1]);
    content_text (content, "paragraph", paragraph);
    content_text (content, "put", put);
    return thread_say_ready (cli, &self, words.at[0], content);
}

static const char withdraw_usage[] =
    "usage: parley thread withdraw ID --reason TEXT\n" THREAD_SAYING_USAGE
    "Take back what the own body proposed, before it was decided.\n"
    "\n"
    "Example: parley thread withdraw EUROPOL-align-20261124-k3fx --reason "
    "'replaced'\n";

int command_thread_withdraw (struct cli *cli, int argc, char **argv) {
    static struct thread_saying self;
    static struct words words;
    const char *reason = NULL;
    const struct option_spec specs[] = { THREAD_SAYING (self),
                                         { "reason", OPTION_TEXT, &reason },
                                         { 0 } };
    options_read (cli, argc, argv, withdraw_usage, specs, &words, 1, 1);
    publishing_check (&self.publishing, withdraw_usage);
    if (!reason)
        options_refuse (withdraw_usage, "--reason is missing");
    self.kind = cli->kind;
    json_t *content = content_new ("withdraw");
    content_text (content, "reason", reason);
    return thread_say_ready (cli, &self, words.at[0], content);
}

/* Undertakings. */

static const char done_usage[] =
    "usage: parley align done ID UNDERTAKING [--day DATE] [--text TEXT]\n"
    "       parley align undone ID UNDERTAKING [--text "
    "TEXT]\n" THREAD_SAYING_USAGE
    "Say that an undertaking of the own body is carried out (today, by the\n"
    "ledger, unless --day), or that it is not after all. For undertakings of\n"
    "communiques, too.\n"
    "\n"
    "Example: parley align done EUROPOL-align-20261124-k3fx U1 --day "
    "2026-11-20\n";

/* The day of the newest settled mark, where none is given. */
static json_t *with_day (json_t *thread, void *arg, struct error *e) {
    json_t *content = arg;
    const char *now = json_text (json_object_get (thread, "mark"), "time");
    if (!json_object_get (content, "undone")
        && !json_object_get (content, "day")) {
        if (!now) {
            error_set (e, ERR_STATE,
                       "nothing is settled yet: --day says when it was done");
            return NULL;
        }
        json_object_set_new (content, "day",
                             json_pack ("s%", now, (size_t) 10));
    }
    return json_incref (content);
}

int command_align_done (struct cli *cli, int argc, char **argv) {
    static struct thread_saying self;
    static struct words words;
    const char *day = NULL, *text = NULL;
    bool undone = strcmp (argv[0], "undone") == 0;
    const struct option_spec specs[] = { THREAD_SAYING (self),
                                         { "text", OPTION_TEXT, &text },
                                         { "day", OPTION_TEXT, &day },
                                         { 0 } };
    options_read (cli, argc, argv, done_usage, specs, &words, 2, 2);
    publishing_check (&self.publishing, done_usage);
    if (undone && day)
        options_refuse (done_usage, "--day is not for what is not done");
    json_t *content = content_new ("done");
    content_text (content, "undertaking", words.at[1]);
    content_text (content, "day", day);
    content_text (content, "text", text);
    if (undone)
        json_object_set_new (content, "undone", json_true());
    int code = thread_say (cli, &self, words.at[0], with_day, content);
    json_decref (content);
    return code;
}
