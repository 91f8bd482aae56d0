/* Any file: refused with a reason, or read without one. What passes our own
 * check must be what zconfig takes: it logs and gives up otherwise. */
#include <stdlib.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct error e = { 0 };
    struct config *config = config_read (slice_of (data, size), "a/b", &e);
    if (!config) {
        if (!e.code || strcmp (e.text, "a/b: is not ZPL") == 0)
            abort();
        return 0;
    }
    (void) config_text (config, "a", NULL);
    (void) config_path (config, "a/b", "c");
    (void) config_int (config, "b", 0, -10, 10);
    (void) config_bool (config, "c", true);
    enum err err = config_finish (config, &e);
    if (err != e.code)
        abort();
    config_destroy (&config);
    return 0;
}
