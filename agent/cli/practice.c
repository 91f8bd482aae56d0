/* practice - what works for one body, and who else uses it. */
#include "thread_answer.h"
#include "thread_propose.h"

static const char publish_usage[] =
    "usage: parley practice publish --channel C --title T --text T\n"
    "           [--priority P,P] [--region R,R] [--about REF...] [--id ID]\n"
    "       parley practice publish FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Tell others what works. They say whether they use it: parley practice "
    "use ID.\n"
    "\n"
    "Example: parley practice publish --channel members --title 'Parcel "
    "profiles' \\\n"
    "             --text 'How we find them.' --region EU\n";

static const char use_usage[] =
    "usage: parley practice use|no-use ID [--text T] [--reservation "
    "T]\n" THREAD_SAYING_USAGE
    "Say that the own body uses a practice of another one, or no longer does.\n"
    "\n"
    "Example: parley practice use EUROPOL-practice-20261124-k3fx\n";

int command_practice_publish (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, publish_usage, "practice");
}

int command_practice_use (struct cli *cli, int argc, char **argv) {
    return thread_answer (cli, argc, argv, use_usage, "practice", false);
}
