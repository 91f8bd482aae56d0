/* meeting - invitations, who came, minutes, calendars. */
#include "answer.h"
#include "thread_answer.h"
#include "thread_propose.h"

#include <stdlib.h>

static const char propose_usage[] =
    "usage: parley meeting propose --channel C --title T --from I --to I\n"
    "           --zone ZONE --place T --invite E,E [--agenda [ID=]T]...\n"
    "           [--series S] [--edition N] [--deadline I] [--text T] [--id "
    "ID]\n"
    "       parley meeting propose FILE.json --channel C [options "
    "above]\n" THREAD_SAYING_USAGE
    "Invite to a meeting. ZONE is the place's, such as Europe/Amsterdam. What\n"
    "earlier editions of a series decided and undertook, and did not do yet, "
    "is\n"
    "shown with the next one.\n"
    "\n"
    "Example: parley meeting propose --channel members --title 'Fifth "
    "dialogue' \\\n"
    "             --from 2027-03-01T09:00+01:00 --to 2027-03-02T17:00+01:00 "
    "\\\n"
    "             --zone Europe/Amsterdam --place 'The Hague' --invite "
    "INTERPOL \\\n"
    "             --series dialogue --edition 5 --agenda 'Firearms'\n";

static const char amend_usage[] =
    "usage: parley meeting amend ID [options of meeting propose]\n"
    "       parley meeting amend ID FILE.json\n" THREAD_SAYING_USAGE
    "Invite anew, with another date, place or agenda. Answers to the version "
    "before\n"
    "do not count for it.\n"
    "\n"
    "Example: parley meeting amend EUROPOL-meeting-20261124-k3fx --place "
    "Vienna\n";

static const char answer_usage[] =
    "usage: parley meeting answer ID yes|no|in-writing [--represented-by E]\n"
    "           [--text T] [--anyway]\n" THREAD_SAYING_USAGE
    "Answer an invitation in the own body's name.\n"
    "\n"
    "Example: parley meeting answer EUROPOL-meeting-20261124-k3fx yes\n";

static const char attendance_usage[] =
    "usage: parley meeting attendance ID "
    "ENTITY[=REPRESENTED-BY]...\n" THREAD_SAYING_USAGE
    "Note who was there, and who represented whom. The newest note counts.\n"
    "\n"
    "Example: parley meeting attendance EUROPOL-meeting-20261124-k3fx "
    "INTERPOL \\\n"
    "             AFRIPOL=UNODC\n";

static const char minutes_usage[] =
    "usage: parley meeting minutes ID FILE.json\n"
    "       parley meeting minutes ID [--title T] --binding LANG --paragraph "
    "T...\n"
    "           [--decide ID=TEXT[,owner=E][,by=I]]...\n"
    "           [--undertake ID=WHO:WHAT[,by=I]]... [--invite "
    "E,E]\n" THREAD_SAYING_USAGE
    "Propose a meeting's minutes: a communique, to be adopted by those who "
    "were\n"
    "invited (parley communique adopt). Once adopted, its undertakings stand "
    "on the\n"
    "agenda of the next edition until they are done.\n"
    "\n"
    "Example: parley meeting minutes EUROPOL-meeting-20261124-k3fx "
    "minutes.json\n";

static const char calendar_usage[] =
    "usage: parley meeting calendar [ID] [--channel C] [--series S]\n"
    "           [--out FILE] [--replace]\n"
    "\n"
    "Write a meeting, or all of them, for a calendar program (iCalendar).\n"
    "\n"
    "Example: parley meeting calendar --series dialogue --out dialogue.ics\n";

int command_meeting_propose (struct cli *cli, int argc, char **argv) {
    return thread_propose (cli, argc, argv, propose_usage, "meeting");
}

int command_meeting_amend (struct cli *cli, int argc, char **argv) {
    return thread_amend (cli, argc, argv, amend_usage, "meeting");
}

int command_meeting_answer (struct cli *cli, int argc, char **argv) {
    return thread_answer (cli, argc, argv, answer_usage, "meeting", true);
}

/* Attendance. */

static json_t *attendee (const char *word) {
    const char *equals = strchr (word, '=');
    json_t *out = json_object();
    json_object_set_new (
        out, "entity",
        json_stringn (word, equals ? (size_t) (equals - word) : strlen (word)));
    content_text (out, "represented_by", equals ? equals + 1 : NULL);
    return out;
}

int command_meeting_attendance (struct cli *cli, int argc, char **argv) {
    static struct thread_saying self = { .kind = "meeting" };
    static struct words words;
    const struct option_spec specs[] = { THREAD_SAYING (self), { 0 } };
    options_read (cli, argc, argv, attendance_usage, specs, &words, 2,
                  OPTIONS_WORDS_MAX);
    publishing_check (&self.publishing, attendance_usage);
    json_t *content = content_new ("attendance"), *present = json_array();
    for (size_t i = 1; i < words.count; i++)
        json_array_append_new (present, attendee (words.at[i]));
    json_object_set_new (content, "present", present);
    return thread_say_ready (cli, &self, words.at[0], content);
}

/* Minutes. */

/* Who was invited, and who invited, without the own body. */
static json_t *others_of (json_t *meeting, const char *own) {
    json_t *out = json_array(), *one;
    size_t i;
    const char *proposer = json_text_or (meeting, "entity", "");
    if (strcmp (proposer, own) != 0)
        json_array_append_new (out, json_string (proposer));
    json_array_foreach (json_at (meeting, "proposal", "invited", NULL), i,
                        one) if (!json_is_string (one)
                                 || strcmp (json_string_value (one), own) != 0)
        json_array_append (out, one);
    return out;
}

static void fill_minutes (json_t *minutes, json_t *meeting, const char *own) {
    struct buf title = { 0 };
    buf_add_format (&title, "Minutes: %s", json_text_or (meeting, "title", ""));
    char *text = buf_take_text (&title);
    json_object_set_new (minutes, "minutes_of",
                         json_string (json_text_or (meeting, "id", "")));
    if (!json_object_get (minutes, "title"))
        content_text (minutes, "title", text);
    if (!json_object_get (minutes, "invited"))
        json_object_set_new (minutes, "invited", others_of (meeting, own));
    free (text);
}

/* Takes the reference to minutes. */
static int open_minutes (struct cli *cli, struct client *client,
                         struct proposing *self, const char *word,
                         json_t *minutes) {
    struct error e;
    json_t *meeting = NULL;
    const struct thread_ref ref = { word, "meeting", self->saying.channel,
                                    NULL };
    char *own = publishing_entity (client, &e);
    int code;
    if (own && !thread_get (client, &ref, &meeting, &e)) {
        proposing_apply (self, minutes);
        fill_minutes (minutes, meeting, own);
        self->saying.channel = json_text (meeting, "channel");
        code = thread_open (cli, client, &self->saying, self->id, minutes);
    } else {
        json_decref (minutes);
        code = cli_fail (&e);
    }
    json_decref (meeting);
    free (own);
    return code;
}

int command_meeting_minutes (struct cli *cli, int argc, char **argv) {
    static struct proposing self = { .saying.kind = "communique",
                                     .usage = minutes_usage };
    static struct words words;
    struct error e;
    proposing_options (cli, argc, argv, &self, &words, 1, 2,
                       PROPOSE_CHANNEL_LATER);
    struct client *client = client_new (cli, &e);
    json_t *minutes =
        client ? proposing_file (words.count > 1 ? words.at[1] : NULL, &e)
               : NULL;
    int code = minutes ? open_minutes (cli, client, &self, words.at[0], minutes)
                       : cli_fail (&e);
    client_destroy (&client);
    return code;
}

/* Calendars. */

int command_meeting_calendar (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *channel = NULL, *series = NULL, *out = NULL;
    bool replace = false;
    const struct option_spec specs[] = { { "series", OPTION_TEXT, &series },
                                         { "channel", OPTION_TEXT, &channel },
                                         { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, calendar_usage, specs, &words, 0, 1);
    if (words.count > 0 && series)
        options_refuse (calendar_usage, "ID, or --series?");
    if (words.count > 0) {
        const struct thread_ref ref = { words.at[0], "meeting", channel, NULL };
        return thread_save (cli, &ref, "/calendar", NULL, out, replace);
    }
    client_path (&path, "/api/v1/calendar");
    answer_query (&path, specs, 2);
    return answer_save (cli, &path, out, replace);
}
