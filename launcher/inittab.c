#include <Python.h>

#include "inittab.h"

#include <string.h>

#include "importer.h"
#include "memory.h"
#include "resources.h"
#include "settings.h"

static bool is_left_out(const char *name)
{
    struct ox_text text;
    for (uint32_t at = 0; ox_setting_next(OX_KEY_LEFT_OUT, &at, &text);) {
        if (strcmp(text.data, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The program code of what is left out may not be there (groups.h): nothing may find it. */
static bool leave_out(void)
{
    struct ox_text text;
    uint32_t first = 0;
    size_t count = 0;
    if (!ox_setting_next(OX_KEY_LEFT_OUT, &first, &text)) {
        return true;
    }
    while (PyImport_Inittab[count].name != NULL) {
        count++;
    }
    struct _inittab *table = ox_alloc((count + 1) * sizeof *table);
    if (table == NULL) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_left_out(PyImport_Inittab[i].name)) {
            table[kept++] = PyImport_Inittab[i];
        }
    }
    table[kept] = (struct _inittab){NULL, NULL};
    PyImport_Inittab = table;
    return true;
}

bool ox_inittab_prepare(void)
{
    return leave_out() && PyImport_AppendInittab("_oxcross", ox_importer_create) == 0;
}
