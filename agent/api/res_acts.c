/* res_acts - GET /acts: who did what at this agent, for its operator. */
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "store/acts.h"

#define PAGE_MAX 1000
#define PAGE 100

struct listing {
    json_t *acts;
    int64_t limit, last;
    bool more;
};

static json_t *number_or_null (int64_t number) {
    return number > 0 ? json_integer (number) : json_null();
}

static void act_add (void *arg, const struct act *act) {
    struct listing *self = arg;
    self->more = (int64_t) json_array_size (self->acts) == self->limit;
    if (self->more)
        return;
    self->last = act->number;
    json_array_append_new (
        self->acts,
        json_pack ("{sI so so so so so so}", "number", (json_int_t) act->number,
                   "time", json_time (act->ms), "user",
                   json_slice (slice_text (act->user)), "what",
                   json_slice (slice_text (act->what)), "subject",
                   json_slice (slice_text (act->subject)), "draft",
                   number_or_null (act->draft), "entry",
                   number_or_null (act->entry)));
}

void acts_get (struct request *r) {
    struct error e = { 0 };
    struct listing listing = { 0 };
    int64_t before;
    if (!request_query_int (r, "before", 0, 0, INT64_MAX, &before)
        || !request_query_int (r, "limit", PAGE, 1, PAGE_MAX, &listing.limit))
        return;
    struct store *store = request_reader (r);
    if (!store)
        return;
    listing.acts = json_array();
    if (!acts_list (store, before, listing.limit + 1, act_add, &listing, &e)) {
        reply_json (r, 200,
                    json_pack ("{so so}", "acts", listing.acts, "next",
                               listing.more ? json_integer (listing.last)
                                            : json_null()));
        return;
    }
    json_decref (listing.acts);
    problem_error (r, &e);
}
