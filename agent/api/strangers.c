/* strangers - readers of one channel who can't read another. */
#include "api/strangers.h"

#include "base/clock.h"
#include "base/topic.h"
#include "identity/rights.h"

#include <stdlib.h>
#include <string.h>

static const char *count_them (const struct roster *roster, const char *of,
                               const char *told, size_t *others) {
    const struct roster_delegation **readers =
        mem_alloc ((roster_delegations (roster) + 1) * sizeof *readers);
    const char *first = NULL;
    size_t count = 0;
    int64_t now = clock_wall_ms();
    if (rights_audience (roster, slice_text (told), now, readers, &count)
        != VERDICT_YES)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        if (rights_ask (roster, slice_text (readers[i]->name), slice_text (of),
                        RIGHT_READ, now)
            == VERDICT_YES)
            continue;
        first = first ? first : readers[i]->name;
        ++*others;
    }
    free (readers);
    return first;
}

void strangers_judge (const struct roster *roster, const char *of,
                      const char *told, const char *pointer, const char *what,
                      struct faults *faults) {
    size_t others = 0;
    if (strcmp (of, told) == 0)
        return;
    const char *first = count_them (roster, of, told, &others);
    if (others > 0)
        faults_add (faults, pointer,
                    "%s came by '%s', which %zu of the readers of '%s' can't "
                    "read (%s is the first): this would tell them of it",
                    what, of, others, told, first);
}
