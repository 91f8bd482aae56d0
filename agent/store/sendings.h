/* sendings - files that this agent sends: taken in part by part, kept here until
 * each part is handed to the outbox (threads/FILES.md section 6).
 *
 * A sending is durable, and goes on after a break, once sendings_ready has
 * returned; what was taken in before that is dropped at the next start. A part
 * leaves here in the transaction that puts it into the outbox, so that it goes
 * there once. */
#ifndef PARLEY_SENDINGS_H
#define PARLEY_SENDINGS_H

#include "store.h"

/* Under way at once; above: ERR_FULL. */
#define SENDINGS_MAX 64

enum sending_state {
    SENDING_TAKING, /* its octets come in */
    SENDING_ACTIVE,
    SENDING_DONE,    /* all of its messages are settled */
    SENDING_REFUSED, /* one of them was, for good: `why` */
    SENDING_STOPPED, /* by a withdrawal */
    SENDING_HELD,    /* a draft: another person releases it */
};
const char *sending_state_name (enum sending_state state);

struct sending {
    int64_t number; /* from 1 */
    enum sending_state state;
    const char *topic;
    int64_t created_ms, size;
    struct slice manifest; /* its content, msgpack */
    int64_t messages; /* that it needs: its manifest, and parts that were not
                         there before */
    int64_t handed;   /* of them, to the outbox */
    int64_t promised, settled; /* of those; settled are promised, too */
    int64_t octets_left;       /* not handed yet */
    const char *why;           /* "" */
    const char *drafter; /* who handed it in, where it is or was held; "" */
};

/* Own transactions, but for sendings_hand_on. */
enum err sendings_begin (struct store *self, int64_t *number, struct error *e)
    MUST_CHECK;
/* Part n from 1, in order. */
enum err sendings_add (struct store *self, int64_t number, int64_t part,
                       const struct hash *sha256, struct slice octets,
                       struct error *e) MUST_CHECK;
/* All is there. Parts that the topic has already, by that entity, or that are on
 * their way there, are dropped. Where the same manifest is on its way on that
 * topic, or held, *repeated is true, and *number that one's; this one is gone.
 * `drafter`: it is held until sendings_release; NULL: it goes, also where it was
 * held. */
enum err sendings_ready (struct store *self, int64_t *number, const char *topic,
                         const char *entity, int64_t size,
                         struct slice manifest, const char *drafter,
                         bool *repeated, struct error *e) MUST_CHECK;
/* What is held on that topic goes. ERR_NOT_FOUND: nothing is. */
enum err sendings_release (struct store *self, const char *topic,
                           struct error *e) MUST_CHECK;
/* It is not wanted: nothing of it stays. */
enum err sendings_drop (struct store *self, int64_t number, struct error *e)
    MUST_CHECK;
/* At a start: what was being taken in when the last run ended. */
enum err sendings_clear (struct store *self, struct error *e) MUST_CHECK;

/* A group of the store is begun (store_group_begin). The next message goes to
 * the outbox: *entry is its number there, *octets its content's; ERR_NOT_FOUND:
 * there is none. ERR_FULL: the outbox is. *entry 0: the ledger has it already (an
 * older store was put back): nothing was handed on. */
enum err sendings_next (struct store *self, size_t *octets, struct error *e)
    MUST_CHECK;
enum err sendings_hand_on (struct store *self, int64_t *entry, struct error *e)
    MUST_CHECK;
/* Has the entry's record been seen, or is there nothing to wait for any more? */
bool sendings_arrived (struct store *self, int64_t entry);
/* Sendings of which all is settled become done, and those of which something was
 * refused are. *changed: how many. */
enum err sendings_settle (struct store *self, int64_t *changed, struct error *e)
    MUST_CHECK;
/* Those of a topic that are under way or held end: what waits in the outbox is cancelled
 * if it can be. *sent: something of them was handed on before. */
enum err sendings_stop (struct store *self, const char *topic, bool *sent,
                        struct error *e) MUST_CHECK;

/* The newest of a topic; false: none. Or all under way, by number. `each` may not
 * use the store. */
typedef enum err sendings_fn (void *arg, const struct sending *sending,
                              struct error *e);
enum err sendings_get (struct store *self, const char *topic, sendings_fn *each,
                       void *arg, struct error *e)
    MUST_CHECK; /* ERR_NOT_FOUND */
enum err sendings_list (struct store *self, sendings_fn *each, void *arg,
                        struct error *e) MUST_CHECK;
bool sendings_any (struct store *self); /* is one active? */

#endif
