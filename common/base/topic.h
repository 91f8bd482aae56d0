/* topic - the place of a message, channels' names and subscribers' filters
 * (PROTOCOL.md section 4).
 *
 * Pure functions over text; nothing is allocated. */
#ifndef PARLEY_TOPIC_H
#define PARLEY_TOPIC_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

#define TOPIC_MAX 255 /* octets of a topic */
#define TOPIC_LEVELS_MIN 2
#define TOPIC_LEVELS_MAX 16
#define TOPIC_LEVEL_MAX 128 /* octets of a level */
#define CHANNEL_MAX 128     /* an ad-hoc channel has to fit a level */
#define CHANNEL_NAME_MAX 32 /* a roster channel */
#define ENTITY_MAX 16       /* [A-Z][A-Z0-9]{1,15} */
#define DELEGATION_MAX 49   /* ENTITY "/" [a-z][a-z0-9-]{0,31} */
#define CHANNEL_LOG "$log"
#define ADHOC_ENTITIES_MAX 16

/* The whole grammar of a message's topic. *e says the level and the rule:
 * ERR_LIMIT where something is too long or too many, else ERR_MALFORMED. So
 * do the other checks here. */
enum err topic_check (struct slice topic, struct error *e) MUST_CHECK;
/* The first level. The topic must be checked. */
struct slice topic_channel (struct slice topic);

/* A roster channel's name: [a-z][a-z0-9-]{0,31}. */
bool channel_name_valid (struct slice name);
/* An ad-hoc channel: "@" and 1 to 16 entities ascending, joined by "+". */
bool channel_is_adhoc (struct slice channel);
enum err channel_adhoc_check (struct slice channel, struct error *e) MUST_CHECK;
/* The n-th entity, from 0, of a checked ad-hoc channel; an empty slice behind
 * the last. */
struct slice channel_adhoc_entity (struct slice channel, size_t n);
bool channel_adhoc_names (struct slice channel, struct slice entity);

bool entity_valid (struct slice entity);
/* ENTITY/delegation; the delegation is [a-z][a-z0-9-]{0,31}, never "root". */
bool delegation_valid (struct slice delegation);
/* The part before the slash. */
struct slice delegation_entity (struct slice delegation);

/* A filter: as a topic, where a whole level may be "+", and the last one "#";
 * one level is enough ("#"). An ad-hoc channel's "+" is inside its level and
 * no wildcard. "a/#" also matches "a". */
enum err filter_check (struct slice filter, struct error *e) MUST_CHECK;
bool filter_match (struct slice filter, struct slice topic);

#endif
