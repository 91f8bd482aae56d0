/* capability - what a body offers to others, and requests for support. */
#include "thread_answer.h"
#include "thread_propose.h"

#include <stdlib.h>

static const char offer_usage[] =
    "usage: parley capability offer --channel C --title T --text T --type "
    "TYPE\n"
    "           [--to E,E] [--conditions T] [--contact T] [--until I] [--id "
    "ID]\n"
    "       parley capability offer FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Offer what the own body can do for others; --to names for whom. TYPE: "
    "database,\n"
    "biometrics, analysis, training, operations or other. --contact is an "
    "office,\n"
    "not a person.\n"
    "\n"
    "Example: parley capability offer --channel members --title 'DNA matching' "
    "\\\n"
    "             --type biometrics --text 'Within a day.' --contact 'Front "
    "desk'\n";

static const char request_usage[] =
    "usage: parley capability request OFFER --title T --text T [--needed-by "
    "I]\n"
    "           [--undertake ID=WHO:WHAT[,by=I]]... [--about REF...] [--id "
    "ID]\n"
    "       parley capability request --to E,E --channel C --title T --text T "
    "...\n" THREAD_SAYING_USAGE
    "Ask for support: of the body that made an offer, or of others. It goes to "
    "the\n"
    "channel of the offer, unless --channel. One that accepts is enough.\n"
    "\n"
    "Example: parley capability request INTERPOL-capability-20261124-k3fx \\\n"
    "             --title 'Matching 40 profiles' --text 'From operation A1.' "
    "\\\n"
    "             --needed-by 2026-12-20\n";

static const char answer_usage[] =
    "usage: parley capability answer REQUEST accept|decline|counter\n"
    "           [--text T] [--reservation T] [--anyway]\n" THREAD_SAYING_USAGE
    "Answer a request for support in the own body's name. With counter, --text "
    "says\n"
    "what is offered instead.\n"
    "\n"
    "Example: parley capability answer EUROPOL-request-20261124-k3fx counter "
    "\\\n"
    "             --text 'Twenty a week.'\n";

static const char close_usage[] =
    "usage: parley capability close REQUEST [--text T]\n" THREAD_SAYING_USAGE
    "Close an own request: the agent states the outcome. An offer is taken "
    "back\n"
    "with parley thread withdraw.\n"
    "\n"
    "Example: parley capability close EUROPOL-request-20261124-k3fx\n";

int command_capability_offer (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, offer_usage, "capability");
}

int command_capability_answer (struct cli *cli, int argc, char **argv) {
    return thread_answer (cli, argc, argv, answer_usage, "request", true);
}

int command_capability_close (struct cli *cli, int argc, char **argv) {
    return thread_close (cli, argc, argv, close_usage, "request", NULL);
}

/* The offer, its channel and its body, where they are not given. */
static enum err take_offer (struct client *client, const char *word,
                            struct proposing *self, json_t *request,
                            json_t **offer, struct error *e) {
    const struct thread_ref ref = { word, "capability", self->saying.channel,
                                    NULL };
    enum err rc = thread_get (client, &ref, offer, e);
    if (rc)
        return rc;
    self->saying.channel = json_text (*offer, "channel");
    content_text (request, "capability", json_text (*offer, "id"));
    if (!json_object_get (request, "invited"))
        json_object_set_new (
            request, "invited",
            json_pack ("[s]", json_text_or (*offer, "entity", "")));
    return ERR_NONE;
}

int command_capability_request (struct cli *cli, int argc, char **argv) {
    static struct proposing self;
    static struct words words;
    struct error e;
    enum err rc = ERR_NONE;
    json_t *offer = NULL, *request = json_object();
    self.saying.kind = "request";
    self.usage = request_usage;
    proposing_options (cli, argc, argv, &self, &words, 0, 1,
                       PROPOSE_CHANNEL_LATER);
    if (words.count == 0 && !self.saying.channel)
        options_refuse (request_usage, "OFFER, or --to and --channel");
    struct client *client = client_new (cli, &e);
    proposing_apply (&self, request);
    rc = client ? ERR_NONE : e.code;
    if (!rc && words.count > 0)
        rc = take_offer (client, words.at[0], &self, request, &offer, &e);
    int code;
    if (rc) {
        json_decref (request);
        code = cli_fail (&e);
    } else
        code = thread_open (cli, client, &self.saying, self.id, request);
    json_decref (offer);
    client_destroy (&client);
    return code;
}
