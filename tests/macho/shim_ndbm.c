/* ndbm, which macOS's C library has: a database is a file NAME.db of {length, key, length, value} records, kept in
 * memory while it is open and written when it is closed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    DBM_REPLACE = 1,
    RECORD_MAX = 1 << 30,
};

struct datum {
    void *dptr;
    size_t dsize;
};

struct record {
    struct record *next;
    struct datum key, value;
};

struct database {
    FILE *file;
    struct record *records;
    const struct record *walk;
    bool writable, changed, error;
};

static struct datum copy(struct datum datum)
{
    struct datum result = {malloc(datum.dsize + 1), datum.dsize};
    if (!result.dptr) {
        abort();
    }
    if (datum.dsize) {
        memcpy(result.dptr, datum.dptr, datum.dsize);
    }
    return result;
}

static struct record **find(struct database *database, struct datum key)
{
    struct record **at = &database->records;
    while (*at && !((*at)->key.dsize == key.dsize && memcmp((*at)->key.dptr, key.dptr, key.dsize) == 0)) {
        at = &(*at)->next;
    }
    return at;
}

static void add(struct database *database, struct datum key, struct datum value)
{
    struct record *record = calloc(1, sizeof *record);
    if (!record) {
        abort();
    }
    *record = (struct record){database->records, copy(key), copy(value)};
    database->records = record;
}

static void free_record(struct record *record)
{
    free(record->key.dptr);
    free(record->value.dptr);
    free(record);
}

static bool read_datum(FILE *file, struct datum *datum)
{
    uint32_t size;
    if (fread(&size, sizeof size, 1, file) != 1 || size > RECORD_MAX) {
        return false;
    }
    *datum = (struct datum){malloc(size + 1), size};
    return datum->dptr && fread(datum->dptr, 1, size, file) == size;
}

static bool read_all(struct database *database)
{
    for (;;) {
        struct datum key = {0};
        struct datum value = {0};
        bool whole = read_datum(database->file, &key) && read_datum(database->file, &value);
        if (whole) {
            add(database, key, value);
        }
        bool damaged = !whole && (key.dptr || ferror(database->file));
        free(key.dptr);
        free(value.dptr);
        if (!whole) {
            return !damaged;
        }
    }
}

static void write_datum(FILE *file, struct datum datum)
{
    uint32_t size = (uint32_t)datum.dsize;
    fwrite(&size, sizeof size, 1, file);
    fwrite(datum.dptr, 1, size, file);
}

static void darwin_dbm_close(struct database *database)
{
    if (database->changed) {
        rewind(database->file);
        if (ftruncate(fileno(database->file), 0) == 0) {
            for (const struct record *record = database->records; record; record = record->next) {
                write_datum(database->file, record->key);
                write_datum(database->file, record->value);
            }
        }
    }
    fclose(database->file);
    while (database->records) {
        struct record *record = database->records;
        database->records = record->next;
        free_record(record);
    }
    free(database);
}

static struct database *darwin_dbm_open(const char *name, int flags, uint16_t mode)
{
    char *path;
    if (asprintf(&path, "%s.db", name) < 0) {
        return NULL;
    }
    int native = open_flags_from(flags);
    if ((native & O_ACCMODE) == O_WRONLY) { /* reading is needed in any case */
        native = (native & ~O_ACCMODE) | O_RDWR;
    }
    int fd = open(path, native | O_CLOEXEC, mode);
    free(path);
    if (fd < 0) {
        return NULL;
    }
    bool writable = (native & O_ACCMODE) != O_RDONLY;
    struct database *database = calloc(1, sizeof *database);
    FILE *file = fdopen(fd, writable ? "r+" : "r");
    if (!database || !file) {
        abort();
    }
    *database = (struct database){.file = file, .writable = writable};
    if (!read_all(database)) {
        darwin_dbm_close(database);
        errno = EINVAL;
        return NULL;
    }
    return database;
}

static struct datum darwin_dbm_fetch(struct database *database, struct datum key)
{
    const struct record *record = *find(database, key);
    return record ? record->value : (struct datum){0};
}

static int darwin_dbm_store(struct database *database, struct datum key, struct datum value, int mode)
{
    struct record *record = *find(database, key);
    if (!database->writable) {
        database->error = true;
        return refuse(EPERM);
    }
    if (record && mode != DBM_REPLACE) {
        return 1;
    }
    database->changed = true;
    if (record) {
        struct datum before = record->value;
        record->value = copy(value);
        free(before.dptr);
    } else {
        add(database, key, value);
    }
    return 0;
}

static int darwin_dbm_delete(struct database *database, struct datum key)
{
    struct record **at = find(database, key);
    if (!database->writable) {
        database->error = true;
        return refuse(EPERM);
    }
    if (!*at) {
        return -1;
    }
    struct record *record = *at;
    *at = record->next;
    database->walk = database->walk == record ? record->next : database->walk;
    database->changed = true;
    free_record(record);
    return 0;
}

static struct datum darwin_dbm_nextkey(struct database *database)
{
    const struct record *record = database->walk;
    database->walk = record ? record->next : NULL;
    return record ? record->key : (struct datum){0};
}

static struct datum darwin_dbm_firstkey(struct database *database)
{
    database->walk = database->records;
    return darwin_dbm_nextkey(database);
}

static int darwin_dbm_error(struct database *database)
{
    return database->error;
}

static int darwin_dbm_clearerr(struct database *database)
{
    database->error = false;
    return 0;
}

static const struct symbol ndbm_symbols[] = {
    SHIM(dbm_open),     SHIM(dbm_close),   SHIM(dbm_fetch), SHIM(dbm_store),    SHIM(dbm_delete),
    SHIM(dbm_firstkey), SHIM(dbm_nextkey), SHIM(dbm_error), SHIM(dbm_clearerr),
};

SYMBOL_TABLE(ndbm);
