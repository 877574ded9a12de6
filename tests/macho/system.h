/* The libraries of macOS that this program stands in for: which names they have and what is behind each. */
#ifndef MACHO_SYSTEM_H
#define MACHO_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
    const char *name; /* with its leading underscore */
    void *address;
};

struct symbol_table {
    const struct symbol *symbols;
    size_t count;
};

struct system_library {
    const char *install_name;
    const struct symbol_table *const *tables;
    size_t table_count;
    bool glibc; /* names of same.c, too: functions that are the same in both C libraries */
};

/* A function or variable of the same name with a prefix, in a table. */
#define SHIM(name) {"_" #name, (void *)(uintptr_t)&darwin_##name}
#define SHIM_AS(symbol, name) {symbol, (void *)(uintptr_t)&darwin_##name}
#define SYMBOL_TABLE(unit)                                                                                       \
    const struct symbol_table unit##_table = {unit##_symbols, sizeof unit##_symbols / sizeof *unit##_symbols}

/* By install name, other name of the same library (libc.dylib), or framework path; NULL when it is not ours. */
const struct system_library *system_library(const char *path);
/* A path below /usr/lib or /System: there, but not ours, is every import missing. */
bool system_path(const char *path);
bool system_is_library(const void *handle);
/* What a name is; a suffix such as $NOCANCEL is ignored unless the table has it. */
bool system_symbol(const struct system_library *library, const char *name, uintptr_t *value);
/* In any of them. */
bool system_any_symbol(const char *name, uintptr_t *value);
/* The name of the symbol at exactly this address, or NULL. */
const char *system_symbol_at(const void *address);
/* Every name with its library, one a line. */
void system_print(void);

/* same.c: names that glibc has with the same meaning and binary interface. */
extern const char *const same_names[];
extern const size_t same_count;

#endif
