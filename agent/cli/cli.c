/* parley - the command line of a dialogue: keys, rosters, contributions and
 * audits offline; all else by the API of an agent.
 *
 * This file finds the command; each has a file of its group. */
#include "cli.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *group; /* first word */
    const char *name;  /* second word; NULL: there is none */
    command_fn *run;
    const char *summary;
    const char *kind; /* struct cli's */
} commands[] = {
    { "key", "new", command_key_new, "draw a secret and write it to a file" },
    { "key", "card", command_key_card, "what others need to know of a secret" },
    { "roster", "draft", command_roster_draft,
      "write the text of a roster, to be signed" },
    { "roster", "sign", command_roster_sign, "add root signers' signatures" },
    { "roster", "check", command_roster_check,
      "judge form, signatures and chain" },
    { "roster", "show", command_roster_show, "who takes part, who reads what" },
    { "roster", "trust-policy", command_roster_policy,
      "whom an offline verifier has to trust" },
    { "publish", NULL, command_publish, "give a message to the agent" },
    { "draft", "list", command_draft_list,
      "what waits until a releaser sends it" },
    { "draft", "show", command_draft_show, "one of them, whole" },
    { "draft", "release", command_draft_release, "send it" },
    { "draft", "return", command_draft_return, "give it back, with a remark" },
    { "draft", "delete", command_draft_delete, "delete it" },
    { "plan", "new", command_plan_new, "a plan to fill in" },
    { "plan", "check", command_plan_check,
      "its faults, overlaps and readers, unpublished" },
    { "plan", "draft", command_plan_draft,
      "list, save, show, delete: kept unpublished" },
    { "plan", "publish", command_plan_publish, "give a plan to the agent" },
    { "plan", "revise", command_plan_revise,
      "its next revision, after what changes" },
    { "plan", "annex", command_plan_annex, "further parts for fewer readers" },
    { "plan", "withdraw", command_plan_withdraw, "ask all to hide it" },
    { "plan", "report", command_plan_report, "how an action proceeds" },
    { "plan", "list", command_plan_list, "which plans there are" },
    { "plan", "show", command_plan_show, "one plan, and how it proceeds" },
    { "plan", "history", command_plan_history, "all that was published of it" },
    { "plan", "quarantine", command_plan_quarantine,
      "records that broke a rule, and which" },
    { "plan", "diff", command_plan_diff, "what changed, in words" },
    { "plan", "import", command_plan_import,
      "a spreadsheet's actions as a plan" },
    { "plan", "export", command_plan_export,
      "as JSON, CSV or a page to print" },
    { "overlaps", "say", command_overlaps_say,
      "confirm, deny, or why it is none" },
    { "overlaps", NULL, command_overlaps,
      "where two bodies do the same thing" },
    { "gaps", NULL, command_gaps, "what nobody does" },
    { "search", NULL, command_search, "words in what one may read" },
    { "report", "cycle", command_report_cycle, "how plans went in a period" },
    { "report", "overlaps", command_report_overlaps, "a period's overlaps" },
    { "taxonomy", "show", command_taxonomy_show, "codes that plans use" },
    { "taxonomy", "history", command_taxonomy_history,
      "which versions came in force, and what each changed" },
    { "taxonomy", "propose", command_taxonomy_propose, "codes to be added" },
    { "taxonomy", "consent", command_taxonomy_consent, "agree to a proposal" },
    { "thread", "list", command_thread_list, "what bodies work out together" },
    { "thread", "show", command_thread_show,
      "one of them, and all that was said" },
    { "thread", "comment", command_thread_comment, "say something in it" },
    { "thread", "suggest", command_thread_suggest,
      "a change of what is proposed" },
    { "thread", "withdraw", command_thread_withdraw,
      "take back what one proposed" },
    { "thread", "export", command_thread_export,
      "as a page to print, or JSON" },
    { "align", "propose", command_align_propose, "how actions go together",
      "align" },
    { "align", "endorse", command_align_answer, "agree to it", "align" },
    { "align", "object", command_align_answer, "do not agree", "align" },
    { "align", "abstain", command_align_answer, "neither", "align" },
    { "align", "amend", command_align_amend, "its next version", "align" },
    { "align", "close", command_align_close, "state the outcome", "align" },
    { "align", "done", command_align_done, "an undertaking is carried out" },
    { "align", "undone", command_align_done, "it is not after all" },
    { "align", "list", command_thread_list, "which alignments there are",
      "align" },
    { "align", "show", command_thread_show, "one of them", "align" },
    { "communique", "propose", command_communique_propose,
      "a text to be adopted", "communique" },
    { "communique", "adopt", command_communique_answer,
      "adopt it, with a signature", "communique" },
    { "communique", "object", command_communique_answer, "do not adopt it",
      "communique" },
    { "communique", "abstain", command_communique_answer, "neither",
      "communique" },
    { "communique", "suggest", command_thread_suggest,
      "another text of a paragraph", "communique" },
    { "communique", "amend", command_communique_amend, "its next version",
      "communique" },
    { "communique", "close", command_communique_close, "state the outcome",
      "communique" },
    { "communique", "export", command_communique_export,
      "the text with all signatures", "communique" },
    { "communique", "list", command_thread_list, "which communiques there are",
      "communique" },
    { "communique", "show", command_thread_show, "one of them", "communique" },
    { "meeting", "propose", command_meeting_propose, "invite to a meeting",
      "meeting" },
    { "meeting", "amend", command_meeting_amend,
      "another date, place or agenda", "meeting" },
    { "meeting", "answer", command_meeting_answer, "yes, no, or in writing",
      "meeting" },
    { "meeting", "attendance", command_meeting_attendance, "note who was there",
      "meeting" },
    { "meeting", "minutes", command_meeting_minutes, "propose its minutes",
      "meeting" },
    { "meeting", "calendar", command_meeting_calendar, "for a calendar program",
      "meeting" },
    { "meeting", "list", command_thread_list, "which meetings there are",
      "meeting" },
    { "meeting", "show", command_thread_show,
      "one of them, and earlier editions", "meeting" },
    { "consult", "ask", command_consult_ask, "a question to other bodies",
      "consultation" },
    { "consult", "reply", command_consult_reply, "answer one", "consultation" },
    { "consult", "close", command_consult_close, "sum up the replies",
      "consultation" },
    { "consult", "list", command_thread_list, "which questions there are",
      "consultation" },
    { "consult", "show", command_thread_show, "one of them, and the replies",
      "consultation" },
    { "practice", "publish", command_practice_publish, "tell what works",
      "practice" },
    { "practice", "use", command_practice_use, "say that one uses it",
      "practice" },
    { "practice", "no-use", command_practice_use, "say that one does not",
      "practice" },
    { "practice", "list", command_thread_list, "which practices there are",
      "practice" },
    { "practice", "show", command_thread_show, "one of them, and who uses it",
      "practice" },
    { "notice", "publish", command_notice_publish, "let others know",
      "notice" },
    { "notice", "list", command_thread_list, "which notices there are",
      "notice" },
    { "notice", "show", command_thread_show, "one of them", "notice" },
    { "capability", "offer", command_capability_offer,
      "what one can do for others", "capability" },
    { "capability", "request", command_capability_request, "ask for support",
      "request" },
    { "capability", "answer", command_capability_answer,
      "accept, decline, or counter", "request" },
    { "capability", "close", command_capability_close, "close an own request",
      "request" },
    { "capability", "list", command_thread_list, "offers and requests",
      "capability,request" },
    { "capability", "show", command_thread_show, "one of them",
      "capability,request" },
    { "inbox", "read", command_inbox_read, "note that one has read a thread" },
    { "inbox", NULL, command_inbox, "what waits for the own body" },
    { "watch", "add", command_watch_add, "be told of what comes" },
    { "watch", "list", command_watch_list, "what one is told of" },
    { "watch", "remove", command_watch_remove, "be told of it no more" },
    { "watch", "test", command_watch_test, "run the command that tells" },
    { "file", "send", command_file_send, "a file of up to 16 MiB" },
    { "file", "list", command_file_list, "which files are here" },
    { "file", "show", command_file_show, "one of them, and how far it got" },
    { "file", "get", command_file_get, "save it, checked" },
    { "file", "release", command_file_release, "send a draft of another" },
    { "file", "withdraw", command_file_withdraw, "ask all to hide it" },
    { "follow", NULL, command_follow, "records as they arrive, without end" },
    { "replay", NULL, command_replay, "records up to now, in order" },
    { "show", NULL, command_show, "one record, whole" },
    { "outbox", "list", command_outbox_list, "what became of messages" },
    { "outbox", "show", command_outbox_show, "one of them" },
    { "outbox", "promise", command_outbox_promise,
      "the broker's signed promise of one" },
    { "outbox", "cancel", command_outbox_cancel, "take one back, unsent" },
    { "status", NULL, command_status, "how the agent stands, and alarms" },
    { "whoami", NULL, command_whoami, "who one is to the agent" },
    { "token", "new", command_token_new,
      "a secret by which somebody is known to it" },
    { "token", "list", command_token_list, "which were given out" },
    { "token", "revoke", command_token_revoke, "take one back" },
    { "acts", NULL, command_acts, "who did what at this agent" },
    { "refusals", NULL, command_refusals, "what the broker refused for good" },
    { "contribution", "write", command_contribution_write,
      "write and sign offline" },
    { "contribution", "submit", command_contribution_submit,
      "hand in what another wrote" },
    { "import", NULL, command_import, "take in what another took out" },
    { "evidence", NULL, command_evidence, "what proves an alarm, as a file" },
    { "complain", NULL, command_complain,
      "say in one's own name what left no proof" },
    { "receipt", NULL, command_receipt,
      "prove that a record is in the ledger" },
    { "verify", NULL, command_verify, "check any file of Parley, offline" },
    { "checkpoint", "show", command_checkpoint_show,
      "the ledger's size and root, and who cosigned" },
    { "checkpoint", "compare", command_checkpoint_compare,
      "another body's checkpoint against ours" },
    { "audit", "export", command_audit_export,
      "take out what the agent can prove" },
    { "audit", "check", command_audit_check,
      "check what was taken out, offline" },
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const char usage_head[] =
    "usage: parley [--socket PATH] [--token-file FILE] [--json] COMMAND ...\n"
    "\n"
    "Commands (parley COMMAND --help says more):\n";

static const char usage_tail[] =
    "\n"
    "  --socket PATH  the agent's socket; else that of PARLEY_SOCKET\n"
    "  --token-file FILE  who one is, by a token of parley token new; else "
    "that of\n"
    "                 PARLEY_TOKEN_FILE, else one's account\n"
    "  --json         one JSON object a line instead of text for people\n"
    "  --help, --version\n"
    "\n"
    "Exit codes: 0 fine; 1 refused by a rule, a failed check, or answered "
    "with\n"
    "no; 2 not a command; 3 no agent answers; 4 not found; 5 a file can't be\n"
    "read or written, or is there already; 6 the time given is over; 7 the\n"
    "agent can't now; 8 an alarm, or the agent is not current (status); 9 "
    "nothing\n"
    "is wrong, but not all of it can be checked (audit check).\n"
    "\n"
    "Example: parley key new EUROPOL/hq europol-hq.secret\n";

static void print_usage (FILE *out) {
    fputs (usage_head, out);
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        char name[32];
        snprintf (name, sizeof name, "%s%s%s", c->group, c->name ? " " : "",
                  c->name ? c->name : "");
        fprintf (out, "  %-22s %s\n", name, c->summary);
    }
    fputs (usage_tail, out);
}

/* Errors. */

static int exit_of (enum err code) {
    switch (code) {
    case ERR_ARGUMENT:
        return CLI_USAGE;
    case ERR_STATE:
        return CLI_NO_AGENT;
    case ERR_NOT_FOUND:
        return CLI_NOT_FOUND;
    case ERR_IO:
    case ERR_NO_SPACE:
    case ERR_EXISTS:
        return CLI_FILE;
    case ERR_TIMEOUT:
        return CLI_TIME;
    case ERR_FULL:
    case ERR_DAMAGED:
        return CLI_AGENT;
    default:
        return CLI_REFUSED;
    }
}

int cli_fail (const struct error *e) {
    fprintf (stderr, "parley: %s\n", e->text);
    return exit_of (e->code);
}

int cli_refuse (int exit_code, const char *format, ...) {
    va_list args;
    va_start (args, format);
    fputs ("parley: ", stderr);
    vfprintf (stderr, format, args);
    fputc ('\n', stderr);
    va_end (args);
    return exit_code;
}

/* JSON may hold as they are what a terminal would act on (DEL, C1 controls,
 * marks that turn the line around), and others wrote these texts. All of them
 * have one to three octets and stand in strings; an escape says the same. */
static void print_character (const uint8_t *at, size_t size) {
    static const uint8_t first[] = { 0, 0x7f, 0x1f, 0x0f };
    char shown[16];
    if (size > 3 || text_printable (shown, sizeof shown, at, size) == size) {
        fwrite (at, 1, size, stdout);
        return;
    }
    unsigned code = at[0] & first[size];
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (at[i] & 0x3fU);
    printf ("\\u%04x", code);
}

void cli_print_json (json_t *object) {
    char *text = object ? json_dumps (object, JSON_COMPACT) : NULL;
    const uint8_t *at = (const uint8_t *) text;
    size_t left = text ? strlen (text) : 0;
    while (left > 0) {
        size_t plain = 0;
        while (plain < left && at[plain] < 0x7f)
            plain++;
        fwrite (at, 1, plain, stdout);
        at += plain;
        left -= plain;
        if (left == 0)
            break;
        size_t size = utf8_size (at, left);
        size = size ? size : 1;
        print_character (at, size);
        at += size;
        left -= size;
    }
    free (text);
    putchar ('\n');
    fflush (stdout);
    json_decref (object);
}

/* Dispatch. */

static const struct command *find (int count, char **words, int *used) {
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        if (strcmp (c->group, words[0]) != 0)
            continue;
        if (c->name && (count < 2 || strcmp (c->name, words[1]) != 0))
            continue;
        *used = c->name ? 2 : 1;
        return c;
    }
    return NULL;
}

/* "parley roster": what there is of it. */
static int refuse_words (int count, char **words) {
    bool group = false;
    for (size_t i = 0; i < COMMANDS; i++)
        group = group || strcmp (commands[i].group, words[0]) == 0;
    if (!group) {
        fprintf (stderr,
                 "parley: '%s' is no command; parley --help lists them\n",
                 words[0]);
        return CLI_USAGE;
    }
    bool help = count > 1 && strcmp (words[1], "--help") == 0;
    FILE *out = help ? stdout : stderr;
    if (count > 1 && !help)
        fprintf (out, "parley: '%s %s' is no command\n", words[0], words[1]);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp (commands[i].group, words[0]) == 0)
            fprintf (out, "%s %s - %s\n", commands[i].group, commands[i].name,
                     commands[i].summary);
    return help ? CLI_FINE : CLI_USAGE;
}

/* Options before the command. The index of its first word; negative: the exit
 * code is -1 - that. */
static int global_options (struct cli *cli, int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp (argv[i], "--json") == 0)
            cli->json = true;
        else if (strcmp (argv[i], "--socket") == 0 && i + 1 < argc)
            cli->socket = argv[++i];
        else if (strncmp (argv[i], "--socket=", 9) == 0)
            cli->socket = argv[i] + 9;
        else if (strcmp (argv[i], "--token-file") == 0 && i + 1 < argc)
            cli->token_file = argv[++i];
        else if (strncmp (argv[i], "--token-file=", 13) == 0)
            cli->token_file = argv[i] + 13;
        else if (strcmp (argv[i], "--version") == 0) {
            printf ("parley %s\n", PARLEY_VERSION);
            return -1 - CLI_FINE;
        } else {
            if (strcmp (argv[i], "--help") == 0) {
                print_usage (stdout);
                return -1 - CLI_FINE;
            }
            fprintf (stderr,
                     strcmp (argv[i], "--socket") == 0
                             || strcmp (argv[i], "--token-file") == 0
                         ? "parley: %s needs a path\n"
                         : "parley: %s is no option; parley --help lists "
                           "them\n",
                     argv[i]);
            return -1 - CLI_USAGE;
        }
    }
    return i;
}

int main (int argc, char **argv) {
    struct cli cli = { .socket = getenv ("PARLEY_SOCKET"),
                       .token_file = getenv ("PARLEY_TOKEN_FILE") };
    int used = 0;
    signal (SIGPIPE, SIG_IGN);
    if (sodium_init() < 0)
        return cli_refuse (CLI_REFUSED, "libsodium does not start");
    int first = global_options (&cli, argc, argv);
    if (first < 0)
        return -1 - first;
    if (first == argc) {
        print_usage (stderr);
        return CLI_USAGE;
    }
    const struct command *c = find (argc - first, argv + first, &used);
    if (!c)
        return refuse_words (argc - first, argv + first);
    cli.kind = c->kind;
    int code = c->run (&cli, argc - first - used + 1, argv + first + used - 1);
    if (fflush (stdout) != 0 && errno == EPIPE) {
        /* `parley replay ... | head` has what it wanted: end as others do. */
        signal (SIGPIPE, SIG_DFL);
        raise (SIGPIPE);
    }
    if (ferror (stdout) && code == CLI_FINE)
        return cli_refuse (CLI_FILE, "standard output can't be written");
    return code;
}
