/* json_plan - plans as JSON: a line of a list, and all that is known of one. */
#ifndef PARLEY_API_JSON_PLAN_H
#define PARLEY_API_JSON_PLAN_H

#include "api/plans_view.h"

/* Neither cancelled nor over on that day. */
bool action_is_live (const struct action *action, int32_t on);
/* Its cycle is not over, or an action is live. */
bool plan_is_live (const struct plan *plan, int32_t on);
/* Has some part of it this audience? */
bool plan_has_audience (const struct subject *subject, const char *channel);

/* A line of GET /plans. The subject has a plan. */
json_t *json_plan_line (const struct plans_view *view,
                        const struct subject *subject) MUST_CHECK;
/* Members of GET /plans/{plan} beside those of plans_head, `plan` and `audience`,
 * put into `out`. `withdrawal`: the body of the one that stands, which the model
 * may have let go of; NULL. The roster says who may answer it. */
void json_plan_facts (const struct plans_view *view,
                      const struct subject *subject, const json_t *withdrawal,
                      const struct roster *roster, json_t *out);
/* A record of its history. */
json_t *json_plan_entry (const struct history_entry *entry) MUST_CHECK;
/* A report. */
json_t *json_plan_report (const struct plans_view *view,
                          const struct plan_progress *progress) MUST_CHECK;
/* {"number", "sequence", "id", "author", "log_time", "channel"} */
json_t *json_revision (const struct history_entry *entry) MUST_CHECK;

#endif
