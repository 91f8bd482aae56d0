/* audit - check a bundle anywhere (PROTOCOL.md section 8.10). */
#include "ledger/audit.h"
#include "audit_report.h"
#include "audit_words.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/topic.h"
#include "client.h"
#include "json.h"
#include "ledger/bundle.h"
#include "options.h"
#include "progress.h"
#include "table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const char check_usage[] =
    "usage: parley audit check DIR [--dialogue ID] [--report FILE.html]\n"
    "\n"
    "Check a bundle offline: rosters chain to the dialogue id, every record "
    "was\n"
    "signed by its author, who had the right to write it, digests, numbers "
    "and\n"
    "times agree, promises and refusals are the broker's and were kept. Ends "
    "at\n"
    "the first thing that is wrong and names it. Without --dialogue compare "
    "the\n"
    "id that is printed with the one you know.\n"
    "The exit code is 9 where nothing is wrong, but something that the bundle "
    "should\n"
    "prove can't be checked with it, as the last lines say.\n"
    "With --report the outcome is also written as a page for people who do "
    "not\n"
    "use terminals: what was checked, what could not be, who wrote how much.\n"
    "\n"
    "Example: parley audit check bundle-2026 --dialogue 9f86d081...\n";

/* Check. */

static void on_progress (void *arg, int64_t records) {
    progress_show (arg, records, 0);
}

static json_t *settled_json (const struct audit_report *r) {
    const struct audit_settled *s = &r->settled;
    char root[HASH_TEXT_MAX], time[CLOCK_TEXT_MAX], bound[CLOCK_TEXT_MAX];
    if (s->size < 0)
        return json_null();
    return json_pack (
        "{s:I,s:s,s:I,s:I,s:I,s:I,s:s?,s:s?}", "size", (json_int_t) s->size,
        "root", hash_text (root, &s->checkpoint.root), "roster_version",
        (json_int_t) s->roster_version, "cosigned", (json_int_t) s->cosigned,
        "needed", (json_int_t) s->needed, "witnesses",
        (json_int_t) s->witnesses, "time",
        s->time ? clock_text (time, s->time * 1000) : NULL, "bound",
        s->bound ? clock_text (bound, s->bound * 1000) : NULL);
}

static json_t *streams_json (const struct audit_report *r) {
    json_t *out = json_array();
    char time[CLOCK_TEXT_MAX], opened[CLOCK_TEXT_MAX];
    for (size_t i = 0; i < r->stream_count; i++) {
        const struct audit_stream *s = &r->streams[i];
        json_array_append_new (
            out,
            json_pack ("{s:s,s:I,s:I,s:o,s:s?,s:I,s:s,s:b}", "name", s->name,
                       "from", (json_int_t) s->from, "count",
                       (json_int_t) s->count, "opening",
                       s->opening < 0 ? json_null() : json_integer (s->opening),
                       "opened",
                       s->opening < 0 ? NULL : clock_text (opened, s->opened),
                       "mark", (json_int_t) s->mark, "time",
                       clock_text (time, s->time), "settled", s->settled));
    }
    return out;
}

static void print_json (const struct audit_report *r) {
    char dialogue[HASH_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
    char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
    json_t *caveats = json_array();
    for (size_t i = 0; audit_caveat (r, i); i++)
        json_array_append_new (caveats, json_string (audit_caveat (r, i)));
    cli_print_json (json_pack (
        "{s:s,s:s,s:s,s:s?,s:s?,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:"
        "I,s:I,s:I,s:I,"
        "s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:b}",
        "dialogue", hash_text (dialogue, &r->meta.dialogue), "exporter",
        r->meta.exporter, "filter", r->meta.filter, "author",
        r->meta.author[0] ? r->meta.author : NULL, "since",
        r->meta.since ? clock_text (since, r->meta.since) : NULL, "until",
        r->meta.until ? clock_text (until, r->meta.until) : NULL, "first",
        (json_int_t) r->meta.first, "last", (json_int_t) r->meta.last,
        "rosters", (json_int_t) r->rosters, "blocks", (json_int_t) r->blocks,
        "records", (json_int_t) r->records, "messages",
        (json_int_t) r->messages, "marks", (json_int_t) r->marks, "newer",
        (json_int_t) r->newer, "signatures", (json_int_t) r->signatures,
        "authors", (json_int_t) r->authors, "promises",
        (json_int_t) r->promises, "refusals", (json_int_t) r->refusals,
        "leaves", (json_int_t) r->leaves, "holes", (json_int_t) r->holes,
        "first_time", clock_text (first, r->first_time), "last_time",
        clock_text (last, r->last_time), "checkpoints",
        (json_int_t) r->checkpoints, "claims", (json_int_t) r->claims,
        "settled", settled_json (r), "streams", streams_json (r), "caveats",
        caveats, "whole", audit_whole (r)));
}

static void add_counts (struct table *table, const struct audit_report *r) {
    table_cell (table, "rosters");
    table_format (table, "%" PRId64 ", chained by their signatures",
                  r->rosters);
    table_cell (table, "records");
    table_format (table,
                  "%" PRId64 " in %" PRId64 " blocks: %" PRId64
                  " messages of %" PRId64 " authors, %" PRId64 " marks",
                  r->records, r->blocks, r->messages, r->authors, r->marks);
    table_cell (table, "signatures");
    table_format (table, "%" PRId64 " verified", r->signatures);
    table_cell (table, "promises");
    table_format (table, "%" PRId64 ", and %" PRId64 " refusals", r->promises,
                  r->refusals);
    table_cell (table, "not here");
    table_format (table,
                  "%" PRId64 " records by their hash alone, %" PRId64
                  " not at all",
                  r->leaves, r->holes);
    if (r->newer > 0) {
        table_cell (table, "not judged");
        table_format (table,
                      "%" PRId64 " records of a newer format: a newer parley "
                      "can",
                      r->newer);
    }
}

static void add_settled (struct table *table, const struct audit_report *r) {
    const struct audit_settled *s = &r->settled;
    struct buf text = { 0 };
    char time[CLOCK_TEXT_MAX];
    table_cell (table, "settled");
    if (s->size < 0)
        buf_add_text (&text,
                      "no checkpoint with a quorum of witnesses is here");
    else if (s->needed == 0)
        buf_add_format (&text,
                        "%" PRId64 " records, by the log's key alone: the "
                        "roster has no witnesses",
                        s->size);
    else
        buf_add_format (&text,
                        "%" PRId64 " records, by %zu of %zu witnesses (%zu "
                        "needed)",
                        s->size, s->cosigned, s->witnesses, s->needed);
    if (s->size >= 0 && s->bound > 0)
        buf_add_format (&text, "; existed by %s",
                        clock_text (time, s->bound * 1000));
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void add_streams (struct table *table, const struct audit_report *r) {
    char time[CLOCK_TEXT_MAX];
    for (size_t i = 0; i < r->stream_count; i++) {
        const struct audit_stream *s = &r->streams[i];
        struct buf text = { 0 };
        buf_add_format (&text, "%s: ", s->name);
        audit_words_stream (&text, &r->meta, s);
        buf_add_text (&text, ", ");
        audit_words_opening (&text, s);
        buf_add_format (&text, "up to %s (record %" PRId64 ")%s",
                        clock_text (time, s->time), s->mark,
                        s->settled ? "" : ", not settled yet");
        table_cell (table, "complete");
        table_slice (table, buf_slice (&text));
        buf_free (&text);
    }
}

static void print_facts (const struct audit_report *r, bool compared) {
    static const char *const heads[] = { "", "", NULL };
    char text[HASH_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
    struct table *table = table_new (heads);
    table_cell (table, "dialogue");
    table_format (table, "%s%s", hash_text (text, &r->meta.dialogue),
                  compared ? "" : " (compare it with the one you know)");
    struct buf limits = { 0 };
    audit_words_limits (&limits, &r->meta);
    table_cell (table, "bundle");
    table_format (table, "of %s: %.*s; records %" PRId64 " to %" PRId64,
                  r->meta.exporter, (int) limits.size,
                  (const char *) limits.data, r->meta.first, r->meta.last);
    buf_free (&limits);
    if (r->records > 0) {
        table_cell (table, "log times");
        table_format (table, "%s to %s", clock_text (first, r->first_time),
                      clock_text (last, r->last_time));
    }
    add_counts (table, r);
    add_settled (table, r);
    add_streams (table, r);
    table_print (table, stdout);
    table_destroy (&table);
}

static void print_report (const struct audit_report *r, bool compared) {
    static const char *const heads[] = { "", "", NULL };
    print_facts (r, compared);
    printf ("\nAll of that holds. %s:\n",
            audit_whole (r)
                ? "What rests on somebody's word"
                : "NOT ALL COULD BE CHECKED, and some rests on somebody's "
                  "word");
    struct table *table = table_new (heads);
    for (size_t i = 0; audit_caveat (r, i); i++) {
        table_cell (table, "-");
        table_cell (table, audit_caveat (r, i));
    }
    table_print (table, stdout);
    table_destroy (&table);
}

int command_audit_check (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *wanted = NULL, *page = NULL;
    const struct option_spec specs[] = { { "dialogue", OPTION_TEXT, &wanted },
                                         { "report", OPTION_TEXT, &page },
                                         { 0 } };
    struct audit_report report;
    struct progress progress;
    struct hash dialogue;
    struct error e;
    options_read (cli, argc, argv, check_usage, specs, &words, 1, 1);
    if (wanted && hash_parse (wanted, &dialogue))
        options_refuse (check_usage,
                        "--dialogue '%s' is not 64 digits of lower case hex",
                        wanted);
    progress_start (&progress, "records checked");
    enum err rc = audit_check (words.at[0], wanted ? &dialogue : NULL,
                               on_progress, &progress, &report, &e);
    progress_end (&progress);
    if (rc)
        error_at (&e, "%s", words.at[0]);
    else if (page)
        rc =
            audit_report_write (page, words.at[0], &report, wanted != NULL, &e);
    if (rc) {
        audit_report_free (&report);
        return cli_fail (&e);
    }
    if (cli->json)
        print_json (&report);
    else
        print_report (&report, wanted != NULL);
    bool whole = audit_whole (&report);
    audit_report_free (&report);
    return whole ? CLI_FINE : CLI_PARTLY;
}
