/* options - words by getopt_long, which keeps their order here, so that a list
 * may follow its option. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SPECS_MAX 32
enum {
    CODE_WORD = 1,
    CODE_FIRST = 256,
    CODE_SOCKET = 512,
    CODE_JSON,
    CODE_HELP
};

_Noreturn void options_refuse (const char *usage, const char *format, ...) {
    va_list args;
    va_start (args, format);
    fputs ("parley: ", stderr);
    vfprintf (stderr, format, args);
    va_end (args);
    /* What it is called as; the rest would push the reason off the screen. */
    const char *end = strstr (usage, "\n\n");
    fprintf (stderr, "\n%.*s\n       (--help says more)\n",
             (int) (end ? end - usage : (long) strlen (usage)), usage);
    exit (CLI_USAGE);
}

static size_t fill_table (const struct option_spec *specs,
                          struct option table[SPECS_MAX + 4]) {
    size_t n = 0;
    for (; specs && specs[n].name; n++) {
        bool bare =
            specs[n].kind == OPTION_FLAG || specs[n].kind == OPTION_REST;
        table[n] = (struct option){ specs[n].name,
                                    bare ? no_argument : required_argument,
                                    NULL, CODE_FIRST + (int) n };
    }
    table[n] =
        (struct option){ "socket", required_argument, NULL, CODE_SOCKET };
    table[n + 1] = (struct option){ "json", no_argument, NULL, CODE_JSON };
    table[n + 2] = (struct option){ "help", no_argument, NULL, CODE_HELP };
    table[n + 3] = (struct option){ 0 };
    return n;
}

static void add_word (struct words *words, const char *word,
                      const char *usage) {
    if (words->count == OPTIONS_WORDS_MAX)
        options_refuse (usage, "more than %d words", OPTIONS_WORDS_MAX);
    words->at[words->count++] = word;
}

static void take_option (const struct option_spec *spec, struct words **list,
                         const char *usage) {
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *) spec->out = true;
        break;
    case OPTION_TEXT:
        if (*(const char **) spec->out)
            options_refuse (usage, "--%s stands twice", spec->name);
        *(const char **) spec->out = optarg;
        break;
    case OPTION_EACH:
        add_word (spec->out, optarg, usage);
        break;
    case OPTION_REST:
        *list = spec->out;
        break;
    }
}

/* One answer of getopt_long. *list: where words go now. */
static void take (struct cli *cli, int code, const char *word,
                  const char *usage, const struct option_spec *specs,
                  struct words *words, struct words **list) {
    if (code != CODE_WORD)
        *list = words;
    switch (code) {
    case CODE_WORD:
        add_word (*list, optarg, usage);
        break;
    case CODE_SOCKET:
        cli->socket = optarg;
        break;
    case CODE_JSON:
        cli->json = true;
        break;
    case CODE_HELP:
        fputs (usage, stdout);
        exit (CLI_FINE);
    case ':':
        options_refuse (usage, "%s needs a value", word);
    case '?':
        options_refuse (usage, "%s is no option of this command", word);
    default:
        take_option (&specs[code - CODE_FIRST], list, usage);
    }
}

void options_read (struct cli *cli, int argc, char **argv, const char *usage,
                   const struct option_spec *specs, struct words *words,
                   size_t min, size_t max) {
    struct option table[SPECS_MAX + 4];
    struct words *list = words;
    int code;
    fill_table (specs, table);
    words->count = 0;
    optind = 0; /* GNU: begin anew, main has used it */
    opterr = 0;
    while ((code = getopt_long (argc, argv, "-:", table, NULL)) != -1)
        take (cli, code, argv[optind - 1], usage, specs, words, &list);
    for (; optind < argc; optind++)
        add_word (words, argv[optind], usage);
    if (words->count < min)
        options_refuse (usage, words->count == 0 ? "what it is about is missing"
                                                 : "a word is missing");
    if (words->count > max)
        options_refuse (usage, "'%s' is one word too many", words->at[max]);
}

#define TIMEOUT_MAX_S 31536000

int64_t options_timeout (const char *usage, const char *text) {
    char *end;
    long seconds = strtol (text, &end, 10);
    if (*end || seconds < 1 || seconds > TIMEOUT_MAX_S)
        options_refuse (usage, "--timeout '%s' is not 1 to %d seconds", text,
                        TIMEOUT_MAX_S);
    return 1000 * seconds;
}
