/* plan_post - what is said about plans, judged before it is taken: as every
 * reader will judge it (plans/CONTENTS.md), and by what is known here. */
#ifndef PARLEY_API_PLAN_POST_H
#define PARLEY_API_PLAN_POST_H

#include "api/request.h"
#include "format/message.h"

/* May the message be taken? Topics that CONTENTS.md section 1 does not name
 * always are. false: answered, with 422 NOT-A-PLAN and each fault. */
bool plan_post_check (struct request *r, const char *topic,
                      enum body_format format, struct slice content) MUST_CHECK;

#endif
