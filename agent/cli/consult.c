/* consult - a question to other bodies, their replies, and what came out. */
#include "thread_answer.h"
#include "thread_propose.h"

static const char ask_usage[] =
    "usage: parley consult ask --channel C --title T --text T [--invite E,E]\n"
    "           [--deadline I] [--about REF...] [--id ID]\n"
    "       parley consult ask FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Ask other bodies; without --invite everybody who reads the channel.\n"
    "\n"
    "Example: parley consult ask --channel working-group --title 'Labs' \\\n"
    "             --text 'Who can test new substances?' --deadline "
    "2026-12-15\n";

static const char close_usage[] =
    "usage: parley consult close ID --summary TEXT\n" THREAD_SAYING_USAGE
    "Close an own consultation with a summary of the replies.\n"
    "\n"
    "Example: parley consult close UNODC-consultation-20261124-k3fx --summary "
    "\\\n"
    "             'Two labs can.'\n";

int command_consult_ask (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, ask_usage, "consultation");
}

int command_consult_close (struct cli *cli, int argc, char **argv) {
    return thread_close (cli, argc, argv, close_usage, "consultation",
                         "summary");
}
