/* json_projector - how far plans are derived, and as what, as JSON. */
#ifndef PARLEY_API_JSON_PROJECTOR_H
#define PARLEY_API_JSON_PROJECTOR_H

#include <jansson.h>

struct projector;

/* Status's member `plans`: {mark, time, plans, withdrawn, quarantined, newer,
 * taxonomy {version, digest}, records {count, digest}, digests {plans, overlaps,
 * gaps, all}, replay_ms}; null: there is no projector (NULL), or no mark yet. */
json_t *json_projector (struct projector *projector);

#endif
