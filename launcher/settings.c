#include "settings.h"

#include <string.h>

#include "locate.h"
#include "memory.h"
#include "platform.h"
#include "state.h"

int64_t ox_setting_number(uint32_t key, int64_t otherwise)
{
    const struct ox_setting *setting = ox_blob_setting(&ox.blob, key, NULL);
    return setting == NULL ? otherwise : setting->number;
}

bool ox_setting_next(uint32_t key, uint32_t *at, struct ox_text *text)
{
    const struct ox_setting *setting = ox_blob_setting(&ox.blob, key, at);
    if (setting == NULL) {
        return false;
    }
    if (!ox_blob_text(&ox.blob, setting->text, text)) {
        ox_damaged("a setting lies outside the blob");
    }
    return true;
}

bool ox_setting_text(uint32_t key, struct ox_text *text)
{
    uint32_t at = 0;
    return ox_setting_next(key, &at, text);
}

char *ox_setting_path(const char *text)
{
    static const char origin[] = "$ORIGIN";
    size_t folder = 0;
    if (strncmp(text, origin, sizeof origin - 1) == 0) {
        folder = (size_t)(ox_last_separator(ox.mount.path) - ox.mount.path);
        text += sizeof origin - 1;
        bool root = folder == 0 || ox.mount.path[folder - 1] == ':'; /* the executable lies in it */
        text = root && *text == '\0' ? "/" : text;
    }
    size_t size = strlen(text);
    char *path = ox_alloc(folder + size + 1);
    if (path != NULL) {
        memcpy(path, ox.mount.path, folder);
        memcpy(path + folder, text, size + 1);
        ox_separate(path);
    }
    return path;
}
