/* bench_threads - what threads cost in memory and time: 5,000 of 50 messages,
 * that come as they would, one of each thread in turn.
 *
 *     bench_threads [THREADS [MESSAGES]]
 *
 * Prints how long it takes to read all (msgpack to structure and state), to take
 * one message more, to make each listing, and the memory used. */
#include "bench.h"

#include "base/clock.h"
#include "base/mp.h"
#include "threads/threads.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define ROUNDS 21
#define NOON INT64_C (1780315200000)
#define PARTIES 10

static struct taxonomy *taxonomy;
static int thread_count, message_count;
static struct threads *threads;
static struct roster *roster;

struct drawn {
    struct threads_record record;
    char topic[TOPIC_MAX + 1];
    struct buf body;
};
static struct drawn *all;
static size_t all_count;

static int64_t work_us (void) {
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C (1000000)
           + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t memory_kib (void) {
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (!file || fscanf (file, "%*d %ld", &pages) != 1)
        bench_fail ("no /proc/self/statm");
    fclose (file);
    return pages * 4;
}

static void say (const char *what, int64_t *times) {
    printf ("%-46s p50 %8.2f ms, max %8.2f ms\n", what,
            (double) bench_percentile (times, ROUNDS, 0.5) / 1000,
            (double) bench_percentile (times, ROUNDS, 1) / 1000);
}

/* Drawing */

static const char *const kinds[] = { "align", "align", "request", "meeting",
                                     "consultation" };

static struct hash id_of (int64_t sequence) {
    return hash_sha256 (slice_of (&sequence, sizeof sequence));
}

static void draw_proposal (int thread, struct buf *out) {
    const char *kind = kinds[thread % 5];
    buf_add_text (out, "'does':'propose','title':'What we propose','text':"
                       "'Words that say why.','deadline':"
                       "'2026-06-02T12:00:00Z','invited':[");
    for (int i = 1; i <= PARTIES; i++)
        buf_add_format (out, "%s'BODY%d'", i > 1 ? "," : "", i);
    buf_add_format (out,
                    "],'about':[{'ref':'BODY0-plan-%d#A1'},"
                    "{'ref':'BODY1-plan-%d#A2'}]",
                    thread % 1000, thread % 1000);
    if (strcmp (kind, "align") == 0)
        buf_add_text (out, ",'type':'joint','rule':'all','undertakings':[{'id':"
                           "'u1','who':'BODY1','what':'To do it'}]");
    if (strcmp (kind, "meeting") == 0)
        buf_add_format (out,
                        ",'from':'2026-06-03T12:00:00Z','to':"
                        "'2026-06-03T13:00:00Z','zone':'Etc/UTC','place':"
                        "'here','series':'s%d','edition':%d",
                        thread % 100, 1 + thread / 100);
}

/* A proposal, stances, now and then another version, and comments. */
static void draw_message (int thread, int number, struct buf *out) {
    const char *kind = kinds[thread % 5];
    static const char *const says[] = { "endorse", "endorse", "accept", "yes",
                                        "reply" };
    int version = number <= 25 ? 0 : 25;
    char hex[HASH_TEXT_MAX];
    struct hash id = id_of ((int64_t) version * thread_count + thread);
    buf_add_format (out, "{'format':1,'thread':'BODY0-%s-%d',", kind, thread);
    if (number == 0 || number == 25)
        draw_proposal (thread, out);
    else if (number % 5 != 0)
        buf_add_format (out,
                        "'does':'stance','version':'%s','says':'%s',"
                        "'reservation':'As far as our law allows it.'",
                        hash_text (hex, &id), says[thread % 5]);
    else
        buf_add_text (out, "'does':'comment','text':'What we think of it, in "
                           "so many words that it is one sentence.'");
    buf_add_text (out, "}");
}

static void draw (int thread, int number) {
    struct error e;
    struct drawn *at = &all[all_count];
    int64_t sequence = (int64_t) all_count++;
    struct buf text = { 0 };
    draw_message (thread, number, &text);
    char *quotes = buf_take_text (&text);
    for (char *c = quotes; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *json = json_loads (quotes, 0, NULL);
    bench_check (mp_from_json (&at->body, json, CONTENT_MAX, &e), &e, "body");
    json_decref (json);
    free (quotes);
    snprintf (at->topic, sizeof at->topic, "all/%s/BODY0/BODY0-%s-%d",
              kinds[thread % 5], kinds[thread % 5], thread);
    struct origin *origin = &at->record.origin;
    *origin = (struct origin){ .sequence = sequence,
                               .log_time = NOON + sequence * 500,
                               .id = id_of (sequence),
                               .leaf = id_of (-sequence) };
    snprintf (origin->author, sizeof origin->author, "BODY%d/hq",
              number % 25 == 0 ? 0 : 1 + number % PARTIES);
    snprintf (origin->channel, sizeof origin->channel, "all");
    at->record.author_time = origin->log_time;
}

/* Reading */

static const struct taxonomy *taxonomy_at (void *arg, int64_t sequence) {
    (void) arg, (void) sequence;
    return taxonomy;
}

static const struct roster *roster_at (void *arg, int64_t sequence) {
    (void) sequence;
    return arg;
}

/* BODY0 to BODY10, all members. */
static struct roster *roster_make (void) {
    struct buf text = { 0 };
    struct error e;
    char keys[4][BASE64_SIZE (KEY_SIZE)];
    for (int i = 0; i < 4; i++) {
        struct hash drawn = id_of (-1 - i);
        base64_encode (keys[i], drawn.octets, KEY_SIZE);
    }
    buf_add_format (
        &text,
        "parley/roster/1\n-\n{'format':1,'requires':[],'version':1,"
        "'previous':null,'nonce':'%064d','name':'Bench','origin':"
        "'example.org/bench','epoch':{'number':1},'threshold':1,"
        "'root_signers':[{'entity':'BODY0','key':'%s'}],'log':{'key':'%s'},"
        "'brokers':[{'id':'b','desk':'tcp://127.0.0.1:7001','feed':"
        "'tcp://127.0.0.1:7002','link':[{'key':'%s'}],'desk_key':[{'key':"
        "'%s'}]}],'proxies':[],'entities':[",
        1, keys[0], keys[1], keys[2], keys[3]);
    for (int i = 0; i <= PARTIES; i++)
        buf_add_format (&text,
                        "%s{'id':'BODY%d','name':'Body','role':'member',"
                        "'sector':'police','regions':[],'delegations':[{'id':"
                        "'hq','keys':[]}]}",
                        i ? "," : "", i);
    buf_add_text (&text,
                  "],'groups':[],'channels':[{'id':'all','title':'All',"
                  "'readers':['role:member'],'writers':['role:member']}],"
                  "'adhoc':[],'witnesses':[],'quorum':0,'limits':{"
                  "'messages_a_minute':100000,'octets_a_minute':268435456,"
                  "'connections':16,'requests_outstanding':1024,"
                  "'lanes_a_day':64}}\n");
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\'')
            text.data[i] = '"';
    struct roster *out = roster_read_draft (buf_slice (&text), &e);
    if (!out)
        bench_fail ("roster: %s", e.text);
    buf_free (&text);
    return out;
}

static json_t *load (void *arg, const struct origin *origin) {
    struct error e;
    (void) arg;
    return mp_to_json (buf_slice (&all[origin->sequence].body), &e);
}

static void give (struct drawn *at) {
    struct error e;
    at->record.topic = slice_text (at->topic);
    at->record.document = mp_to_json (buf_slice (&at->body), &e);
    threads_add (threads, &at->record);
    json_decref (at->record.document);
}

/* Derived behind each `step` records; 0: at the end. */
static void all_read (const char *what, size_t step) {
    static const struct hash dialogue;
    threads_destroy (&threads);
    struct threads_options options = { .dialogue = &dialogue,
                                       .delegation = "BODY0/hq",
                                       .roster = roster_at,
                                       .taxonomy = taxonomy_at,
                                       .load = load,
                                       .arg = roster };
    int64_t memory = memory_kib(), before = work_us();
    threads = threads_new (&options);
    for (size_t i = 0; i + 1 < all_count; i++) {
        give (&all[i]);
        if (step > 0 && i % step == step - 1)
            threads_settle (threads);
    }
    threads_settle (threads);
    printf ("%-46s %8.0f ms of CPU, %.1f MiB\n", what,
            (double) (work_us() - before) / 1000,
            (double) (memory_kib() - memory) / 1024);
}

/* Asking */

static size_t found;

static void message_bench (void) {
    int64_t times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        threads_cut (threads, (int64_t) all_count - 1);
        int64_t before = work_us();
        give (&all[all_count - 1]);
        threads_settle (threads);
        times[i] = work_us() - before;
    }
    say ("a message more", times);
}

static void states_make (void) {
    struct thread_state state;
    for (size_t i = 0; i < threads_count (threads); i++) {
        thread_state (threads_at (threads, i), NOON + 86400000, &state);
        found += state.status == STATUS_OPEN;
    }
}

static void agreed_make (void) {
    for (size_t i = 0; i < threads_count (threads); i++)
        found +=
            thread_agreed (threads_at (threads, i), INT64_MAX / 2) != SIZE_MAX;
}

static void ids_find (void) {
    char id[64];
    for (int i = 0; i < thread_count; i++) {
        snprintf (id, sizeof id, "BODY0-%s-%d", kinds[i % 5], i);
        found += threads_find (threads, id, 0) != NULL;
    }
}

static void plans_find (void) {
    char id[64];
    const struct thread *list[16];
    for (int i = 0; i < 1000; i++) {
        snprintf (id, sizeof id, "BODY1-plan-%d", i);
        found += threads_about (threads, id, list, 16);
    }
}

static void series_find (void) {
    char name[16];
    const struct thread *list[64];
    for (int i = 0; i < 100; i++) {
        snprintf (name, sizeof name, "s%d", i);
        found += threads_series (threads, "all", name, list, 64);
    }
}

static void quarantine_make (void) {
    found += threads_quarantine (threads, NULL, NULL);
}

static void digest_make (void) {
    struct threads_digests digests;
    threads_digest (threads, (int64_t) all_count, NOON + 86400000, &digests);
    found += digests.record_count;
}

static void digest_below_make (void) {
    struct threads_digests digests;
    threads_digest (threads, (int64_t) all_count - 256, NOON + 86400000,
                    &digests);
    found += digests.record_count;
}

static void listing_bench (const char *what, void (*make) (void)) {
    int64_t times[ROUNDS];
    char text[96];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t before = work_us();
        found = 0;
        make();
        times[i] = work_us() - before;
    }
    snprintf (text, sizeof text, "%s (%zu)", what, found);
    say (text, times);
}

int main (int argc, char **argv) {
    thread_count = argc > 1 ? atoi (argv[1]) : 5000;
    message_count = argc > 2 ? atoi (argv[2]) : 50;
    if (thread_count < 1 || message_count < 1)
        bench_fail ("at least one thread of one message");
    taxonomy = taxonomy_base();
    roster = roster_make();
    all = mem_alloc ((size_t) thread_count * (size_t) message_count
                     * sizeof *all);
    for (int number = 0; number < message_count; number++)
        for (int thread = 0; thread < thread_count; thread++)
            draw (thread, number);
    printf ("%d threads of %d messages\n", thread_count, message_count);
    all_read ("a replay", 0);
    all_read ("as they come, 256 at a time", 256);
    message_bench();
    listing_bench ("state of all", states_make);
    listing_bench ("agreed ones", agreed_make);
    listing_bench ("each by its id", ids_find);
    listing_bench ("about each plan", plans_find);
    listing_bench ("each series", series_find);
    listing_bench ("quarantine", quarantine_make);
    listing_bench ("digest", digest_make);
    listing_bench ("digest, 256 records above the mark", digest_below_make);
    threads_destroy (&threads);
    for (size_t i = 0; i < all_count; i++)
        buf_free (&all[i].body);
    free (all);
    taxonomy_unref (&taxonomy);
    roster_unref (&roster);
    return 0;
}
