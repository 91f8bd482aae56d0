/* thread_propose - proposals out of a file, out of options, or both: a new
 * thread, or the next version of one (THREADS.md section 3). */
#ifndef PARLEY_THREAD_PROPOSE_H
#define PARLEY_THREAD_PROPOSE_H

#include "thread_say.h"

/* Of all kinds; which members a kind has, its options are. */
#define PROPOSE_MEMBERS_MAX 18
struct proposing {
    struct thread_saying saying;
    const char *id; /* of a new one; NULL: the agent's */
    const char *texts[PROPOSE_MEMBERS_MAX];
    struct words lists[PROPOSE_MEMBERS_MAX];
    struct words takes_up; /* sequences, or ids of suggestions */
    const char *usage;
};

/* A command that opens a thread of a kind: [FILE.json] and that kind's options,
 * of which the file's members give way. The exit code. */
int thread_propose (struct cli *cli, int argc, char **argv, const char *usage,
                    const char *kind);
/* ID [FILE.json]: the current version, as file or options change it. */
int thread_amend (struct cli *cli, int argc, char **argv, const char *usage,
                  const char *kind);

/* The parts, for commands that do more. All words of options end up in *self. */
enum proposing_what {
    PROPOSE_NEW,           /* needs --channel */
    PROPOSE_CHANNEL_LATER, /* which follows from something else */
    PROPOSE_NEXT,          /* a version */
};
void proposing_options (struct cli *cli, int argc, char **argv,
                        struct proposing *self, struct words *words, size_t min,
                        size_t max, enum proposing_what what);
/* What a proposal begins with: the file's object, or an empty one; the caller's. */
json_t *proposing_file (const char *file, struct error *e) MUST_CHECK;
/* Set what options say; what can't be read ends the process. */
void proposing_apply (const struct proposing *self, json_t *proposal);
/* "E,E" as a list of entities, added to it. */
void entities_add (json_t *list, const char *words);

#endif
