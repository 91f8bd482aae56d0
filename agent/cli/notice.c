/* notice - what one body wants others to know. */
#include "thread_propose.h"

static const char publish_usage[] =
    "usage: parley notice publish --channel C --title T --text T [--until I]\n"
    "           [--priority P,P] [--region R,R] [--about REF...] [--id ID]\n"
    "       parley notice publish FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Publish a notice: it is shown until the instant given, or until it is "
    "taken\n"
    "back with parley thread withdraw.\n"
    "\n"
    "Example: parley notice publish --channel working-group --title 'New "
    "address' \\\n"
    "             --text 'Write to the front desk.' --until 2026-12-31\n";

int command_notice_publish (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, publish_usage, "notice");
}
