/* cli - what all commands of `parley` share: the exit codes, where the agent
 * is, and how a failure is said.
 *
 * A command is a function of the words behind its name. It prints its answer on
 * standard output, all else on standard error, and returns an exit code. With
 * --json the answer is one JSON object a line. */
#ifndef PARLEY_CLI_H
#define PARLEY_CLI_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

/* `parley --help` lists these. */
enum exit_code {
    CLI_FINE = 0,
    CLI_REFUSED = 1, /* by a rule, a check that failed, or "no" to a question */
    CLI_USAGE = 2,   /* words that are no command */
    CLI_NO_AGENT = 3,  /* no agent answers at the socket */
    CLI_NOT_FOUND = 4, /* asked for, not there; also a file */
    CLI_FILE = 5,  /* a file can't be read or written, or is there already */
    CLI_TIME = 6,  /* the time given is over */
    CLI_AGENT = 7, /* the agent can't now: full, or broken */
    CLI_ALARM = 8, /* status: an alarm that nobody acknowledged, or stale */
    CLI_PARTLY =
        9, /* audit check: nothing is wrong, and not all can be checked */
};

struct cli {
    const char *socket;     /* the agent's */
    const char *token_file; /* who one is to it; NULL: one's account */
    const char *kind;       /* of threads, that the command's group is about */
    bool json;
};

typedef int command_fn (struct cli *cli, int argc, char **argv);

/* "parley: TEXT" on standard error; the exit code that the error stands for. */
int cli_fail (const struct error *e);
/* The same for a sentence of the command's own. */
int cli_refuse (int exit_code, const char *format, ...) PRINTF_LIKE (2, 3);
/* One JSON object as a line on standard output; takes the reference. */
struct json_t;
void cli_print_json (struct json_t *object);

command_fn command_key_new, command_key_card;
command_fn command_roster_draft, command_roster_sign, command_roster_check,
    command_roster_show, command_roster_policy;
command_fn command_publish;
command_fn command_draft_list, command_draft_show, command_draft_release,
    command_draft_return, command_draft_delete;
command_fn command_token_new, command_token_list, command_token_revoke,
    command_whoami, command_acts;
command_fn command_plan_new, command_plan_check, command_plan_draft,
    command_plan_publish, command_plan_revise, command_plan_withdraw,
    command_plan_annex, command_plan_report;
command_fn command_plan_list, command_plan_show, command_plan_quarantine;
command_fn command_plan_history, command_plan_diff, command_plan_import,
    command_plan_export;
command_fn command_overlaps, command_overlaps_say, command_gaps, command_search,
    command_report_cycle, command_report_overlaps;
command_fn command_taxonomy_show, command_taxonomy_history,
    command_taxonomy_propose, command_taxonomy_consent;
command_fn command_thread_list, command_thread_show, command_thread_comment,
    command_thread_suggest, command_thread_withdraw, command_thread_export;
command_fn command_align_propose, command_align_amend, command_align_answer,
    command_align_close, command_align_done;
command_fn command_communique_propose, command_communique_amend,
    command_communique_answer, command_communique_close,
    command_communique_export;
command_fn command_meeting_propose, command_meeting_amend,
    command_meeting_answer, command_meeting_attendance, command_meeting_minutes,
    command_meeting_calendar;
command_fn command_consult_ask, command_consult_reply, command_consult_close;
command_fn command_practice_publish, command_practice_use;
command_fn command_notice_publish;
command_fn command_capability_offer, command_capability_request,
    command_capability_answer, command_capability_close;
command_fn command_inbox, command_inbox_read;
command_fn command_watch_add, command_watch_list, command_watch_remove,
    command_watch_test;
command_fn command_file_send, command_file_list, command_file_show,
    command_file_get, command_file_release, command_file_withdraw;
command_fn command_follow, command_replay, command_show;
command_fn command_outbox_list, command_outbox_show, command_outbox_promise,
    command_outbox_cancel;
command_fn command_status, command_refusals;
command_fn command_contribution_write, command_contribution_submit;
command_fn command_receipt, command_verify, command_import, command_evidence,
    command_complain;
command_fn command_checkpoint_show, command_checkpoint_compare;
command_fn command_audit_export, command_audit_check;

#endif
