/* align - what bodies agree on about actions that overlap. */
#include "thread_answer.h"
#include "thread_propose.h"

static const char propose_usage[] =
    "usage: parley align propose --channel C --title T --type TYPE\n"
    "           --about REF... --invite E,E --rule RULE [--deadline I]\n"
    "           [--text T] [--undertake ID=WHO:WHAT[,by=I][,action=REF]\n"
    "           [,shows=done|cancelled|named]]... [--id ID]\n"
    "       parley align propose FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Propose to other bodies how actions (PLAN#ACTION), plans or goals go\n"
    "together. TYPE: joint, deconflict, support or merge. RULE: all, majority "
    "or\n"
    "any of the members invited, or silence: agreed unless one objects by the\n"
    "deadline. An instant is 2026-12-01T17:00+01:00, or 2026-12-01 for the end "
    "of\n"
    "that day in UTC. An undertaking says who does what by when; with an "
    "action the\n"
    "plans show that it is done. Everybody who will read it is named first.\n"
    "\n"
    "Example: parley align propose --channel members --title 'One operation' "
    "\\\n"
    "             --type joint --about EUROPOL-x#A1 INTERPOL-y#A3 --invite "
    "INTERPOL \\\n"
    "             --rule all --undertake 'U1=INTERPOL:Name a "
    "contact,by=2027-01-31'\n";

static const char amend_usage[] =
    "usage: parley align amend ID [options of align propose] [--takes-up "
    "N]...\n"
    "       parley align amend ID FILE.json\n" THREAD_SAYING_USAGE
    "Propose the next version: the current one with what is given here in its\n"
    "place, or a file. Answers to the version before do not count for it. "
    "--takes-up\n"
    "names suggestions by their records' numbers.\n"
    "\n"
    "Example: parley align amend EUROPOL-align-20261124-k3fx --deadline "
    "2027-01-15\n";

static const char answer_usage[] =
    "usage: parley align endorse|object|abstain ID [--reservation T] [--text "
    "T]\n"
    "           [--anyway]\n" THREAD_SAYING_USAGE
    "Answer the current version in the own body's name; the last answer "
    "counts. A\n"
    "reservation is shown wherever the answer is. --anyway also says what no "
    "longer\n"
    "counts, behind the end.\n"
    "\n"
    "Example: parley align endorse EUROPOL-align-20261124-k3fx --reservation "
    "\\\n"
    "             'Without our sea patrols.'\n";

static const char close_usage[] =
    "usage: parley align close ID [--text T]\n" THREAD_SAYING_USAGE
    "Close the current version: the agent states the outcome, and each reader\n"
    "checks it. Who proposed it may as soon as all members answered, or where\n"
    "there is no deadline; else an hour past it, where agents do it by "
    "themselves.\n"
    "\n"
    "Example: parley align close EUROPOL-align-20261124-k3fx\n";

int command_align_propose (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, propose_usage, "align");
}

int command_align_amend (struct cli *cli, int argc, char **argv) {
    return thread_amend (cli, argc, argv, amend_usage, "align");
}

int command_align_answer (struct cli *cli, int argc, char **argv) {
    return thread_answer (cli, argc, argv, answer_usage, "align", false);
}

int command_align_close (struct cli *cli, int argc, char **argv) {
    return thread_close (cli, argc, argv, close_usage, "align", NULL);
}
