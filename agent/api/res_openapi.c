/* res_openapi - the description of this API, built in. */
#include "api/request.h"
#include "api/resources.h"

#include "openapi_json.h"

void openapi_get (struct request *r) {
    reply_octets (r, "application/json",
                  slice_of (openapi_json, sizeof openapi_json));
}
