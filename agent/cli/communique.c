/* communique - a text that bodies adopt, each with a signature over it. */
#include "answer.h"
#include "thread_answer.h"
#include "thread_propose.h"

static const char propose_usage[] =
    "usage: parley communique propose --channel C --title T --binding LANG\n"
    "           --paragraph [ID=]TEXT... --invite E,E [--deadline I] [--rule "
    "RULE]\n"
    "           [--decide ID=TEXT[,owner=E][,by=I]]... [--id ID]\n"
    "           [--undertake ID=WHO:WHAT[,by=I]]...\n"
    "       parley communique propose FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Propose a text to be adopted, paragraph by paragraph. In several "
    "languages it\n"
    "has to be a file (deploy/schema/thread-communique.schema.json), one of "
    "them\n"
    "binding. The own body adopts it, too, as the others do.\n"
    "\n"
    "Example: parley communique propose --channel members --title 'Outcome' "
    "\\\n"
    "             --binding en --paragraph 'We will share what we seize.' \\\n"
    "             --invite INTERPOL,UNODC\n";

static const char amend_usage[] =
    "usage: parley communique amend ID FILE.json [--takes-up N]...\n"
    "       parley communique amend ID [options of communique "
    "propose]\n" THREAD_SAYING_USAGE
    "Propose the next version. Adoptions of the one before do not count for "
    "it.\n"
    "--takes-up names suggestions by their records' numbers.\n"
    "\n"
    "Example: parley communique amend EUROPOL-communique-20261124-k3fx "
    "next.json \\\n"
    "             --takes-up 4711\n";

static const char answer_usage[] =
    "usage: parley communique adopt|object|abstain ID [--reservation T]\n"
    "           [--text T] [--anyway]\n" THREAD_SAYING_USAGE
    "Answer the current version in the own body's name. To adopt it signs the\n"
    "text itself with the agent's note key; parley communique export has the "
    "text\n"
    "with all signatures. Read it before: parley communique show ID.\n"
    "\n"
    "Example: parley communique adopt EUROPOL-communique-20261124-k3fx\n";

static const char close_usage[] =
    "usage: parley communique close ID [--text T]\n" THREAD_SAYING_USAGE
    "Close the current version: the agent states the outcome, and each reader\n"
    "checks it.\n"
    "\n"
    "Example: parley communique close EUROPOL-communique-20261124-k3fx\n";

static const char export_usage[] =
    "usage: parley communique export ID [--version N] [--html] [--out FILE]\n"
    "           [--replace] [--channel C] [--lang L]\n"
    "\n"
    "Write the text with the signatures of all who adopted it, a C2SP signed "
    "note:\n"
    "parley verify FILE --roster NOTE checks it, offline. --html is a page to "
    "print.\n"
    "Without --out it is printed. --version: another one than the current.\n"
    "\n"
    "Example: parley communique export EUROPOL-communique-20261124-k3fx --out "
    "c.note\n";

int command_communique_propose (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, propose_usage, "communique");
}

int command_communique_amend (struct cli *cli, int argc, char **argv) {
    return thread_amend (cli, argc, argv, amend_usage, "communique");
}

int command_communique_answer (struct cli *cli, int argc, char **argv) {
    return thread_answer (cli, argc, argv, answer_usage, "communique", false);
}

int command_communique_close (struct cli *cli, int argc, char **argv) {
    return thread_close (cli, argc, argv, close_usage, "communique", NULL);
}

int command_communique_export (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct thread_ref ref = { .kind = "communique" };
    const char *version = NULL, *out = NULL;
    bool html = false, replace = false;
    const struct option_spec specs[] = { { "version", OPTION_TEXT, &version },
                                         { "html", OPTION_FLAG, &html },
                                         { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { "channel", OPTION_TEXT,
                                           &ref.channel },
                                         { "lang", OPTION_TEXT, &ref.lang },
                                         { 0 } };
    options_read (cli, argc, argv, export_usage, specs, &words, 1, 1);
    ref.id = words.at[0];
    const char *const query[] = { "lang",   ref.lang, "version", version,
                                  "format", "html",   NULL };
    const char *const note[] = { "version", version, NULL };
    return html ? thread_save (cli, &ref, "/export", query, out, replace)
                : thread_save (cli, &ref, "/note", note, out, replace);
}
