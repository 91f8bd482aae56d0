/* offline - what the operator runs while no broker does. */
#include "offline.h"

#include "base/log.h"
#include "epoch.h"
#include "founding.h"
#include "fsck.h"
#include "repair.h"

#include <stdio.h>

/* Exit codes by reason. */
static int exit_of (const struct error *e) {
    switch (e->code) {
    case ERR_DAMAGED:
    case ERR_DIGEST:
        return EXIT_DAMAGED;
    case ERR_IO:
    case ERR_NO_SPACE:
        return EXIT_DISK;
    case ERR_STATE:
        return EXIT_BUSY;
    default:
        return EXIT_CONFIG;
    }
}

int broker_say (const char *id, const struct error *e) {
    int code = exit_of (e);
    log_error (id, "why=%s%s", log_text (e->text),
               code == EXIT_DAMAGED
                   ? " advice=\"nothing was changed; keep the state folder as"
                     " it is: parley-broker repair puts damaged blocks back"
                     " from agents' bundles; else bring back its newest copy\""
                   : "");
    return code;
}

int command_init (const char *path) {
    struct error e;
    struct settings *settings = settings_load (path, &e);
    if (!settings)
        return broker_say ("CONFIG-REFUSED", &e);
    char dialogue[HASH_TEXT_MAX];
    enum err rc = ledger_found (settings, dialogue, &e);
    settings_destroy (&settings);
    if (rc)
        return broker_say ("INIT-FAILED", &e);
    printf ("%s\n", dialogue);
    return EXIT_FINE;
}

int command_epoch (const char *path) {
    struct error e;
    struct epoch_opened opened;
    struct settings *settings = settings_load (path, &e);
    if (!settings)
        return broker_say ("CONFIG-REFUSED", &e);
    enum err rc = ledger_epoch (settings, &opened, &e);
    settings_destroy (&settings);
    if (rc)
        return broker_say ("EPOCH-FAILED", &e);
    printf ("epoch %lld begins at record %lld%s\n", (long long) opened.epoch,
            (long long) opened.base,
            opened.already ? ", as before: nothing was written" : "");
    return EXIT_FINE;
}

/* What it can't look at is not damaged; all else that it finds is. */
static int fsck_failed (const char *dir, const struct error *e) {
    bool looked = e->code != ERR_IO && e->code != ERR_STATE
                  && e->code != ERR_NOT_FOUND && e->code != ERR_NEWER;
    fprintf (stderr, "parley-broker: %s: %s%s\n", dir,
             looked ? "damaged: " : "", e->text);
    return looked ? EXIT_DAMAGED : exit_of (e);
}

static void fsck_print (const struct fsck_report *report) {
    printf ("records     %lld\nrosters     %lld\nblocks      %lld\n"
            "signatures  %lld\ncheckpoints %lld\n",
            (long long) report->records, (long long) report->rosters,
            (long long) report->blocks, (long long) report->signatures,
            (long long) report->checkpoints);
    if (report->marks >= 0)
        printf ("marks       %lld\n", (long long) report->marks);
    else
        printf ("marks       not checked: --config FILE names the key\n");
    printf ("dialogue    %s\n", report->dialogue);
    if (report->torn_octets)
        printf ("torn tail   %llu octets of a last group that was never "
                "promised; the next start sets them aside\n",
                (unsigned long long) report->torn_octets);
    printf ("fine\n");
}

int command_fsck (const char *dir, const char *config) {
    struct error e;
    struct fsck_report report;
    struct settings *settings = NULL;
    struct identity *broker = NULL;
    if (config) {
        settings = settings_load (config, &e);
        broker = settings ? broker_load (settings->identity, &e) : NULL;
        settings_destroy (&settings);
        if (!broker)
            return broker_say ("CONFIG-REFUSED", &e);
    }
    enum err rc = ledger_fsck (dir, broker, &report, &e);
    identity_destroy (&broker);
    if (rc)
        return fsck_failed (dir, &e);
    fsck_print (&report);
    return EXIT_FINE;
}

/* What is lacking still leaves a ledger that is not whole. */
int command_repair (const char *config, bool dry, char **bundles,
                    size_t count) {
    struct error e;
    struct repair_report report;
    struct settings *settings = settings_load (config, &e);
    if (!settings)
        return broker_say ("CONFIG-REFUSED", &e);
    enum err rc = ledger_repair (settings, bundles, count, dry, &report, &e);
    bool lacks = rc == ERR_NOT_FOUND
                 && (report.lack_records > 0 || report.lost_count > 0);
    if (!rc || lacks)
        repair_report_print (&report, dry, stdout);
    fflush (stdout);
    if (rc)
        fprintf (stderr, "parley-broker: %s\n", e.text);
    repair_report_free (&report);
    settings_destroy (&settings);
    if (lacks || rc == ERR_CHAIN)
        return EXIT_DAMAGED;
    return rc ? exit_of (&e) : EXIT_FINE;
}
