/* settings.h: what OX_SETTINGS says. */
#ifndef OX_SETTINGS_H
#define OX_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "blob.h"

/* The number of the first setting with this key, or `otherwise`. */
int64_t ox_setting_number(uint32_t key, int64_t otherwise);

/* The text of the first setting with this key; false when there is none. Ends the process when it is damaged. */
bool ox_setting_text(uint32_t key, struct ox_text *text);

/* The next setting with this key; `at` starts at 0. */
bool ox_setting_next(uint32_t key, uint32_t *at, struct ox_text *text);

/* A path of a setting, "$ORIGIN" at its beginning replaced by the executable's folder. To be freed with ox_free; NULL when
 * there is no memory. */
char *ox_setting_path(const char *text);

#endif
