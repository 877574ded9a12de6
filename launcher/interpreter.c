#include <Python.h>

#include "interpreter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inittab.h"
#include "install.h"
#include "locate.h"
#include "memory.h"
#include "platform.h"
#include "python_platform.h"
#include "settings.h"
#include "state.h"

/* Ends the process with Python's own message, unless it is damage that kept it from starting. */
static void check(PyStatus status)
{
    if (!PyStatus_Exception(status)) {
        return;
    }
    if (!PyStatus_IsExit(status) && !ox_intact()) {
        ox_damaged("its SHA-256 is not the one it was made with");
    }
    Py_ExitStatusException(status);
}

/* Takes a setting over. Before a command line is read, one that is off stays open: an option may turn it on. */
static void set_switch(int *field, enum ox_key key, bool command_line)
{
    int value = (int)ox_setting_number(key, *field);
    if (value != 0 || !command_line) {
        *field = value;
    }
}

static int allocator(void)
{
    switch (ox_setting_number(OX_KEY_ALLOCATOR, 0)) {
    case 1:
        return PYMEM_ALLOCATOR_MALLOC;
#ifdef WITH_MIMALLOC
    case 2:
        return PYMEM_ALLOCATOR_MIMALLOC;
#endif
    default:
        return PYMEM_ALLOCATOR_NOT_SET;
    }
}

/* Settings hold for a Python that a library starts too. Its options add to them; those that Python's isolated
 * configuration would overrule (-X dev, -X tracemalloc …) need the other one, isolated by its field. */
static void preinitialize(const struct ox_start *start, bool isolated)
{
    PyPreConfig config;
    bool python = start->role == OX_PYTHON;
    if (isolated && !python) {
        PyPreConfig_InitIsolatedConfig(&config);
    } else {
        PyPreConfig_InitPythonConfig(&config);
        config.isolated = isolated ? 1 : config.isolated;
    }
    config.parse_argv = python;
    config.coerce_c_locale = 0;
    config.configure_locale = (int)ox_setting_number(OX_KEY_LOCALE, 1);
    config.utf8_mode = (int)ox_setting_number(OX_KEY_UTF8_MODE, 1);
    if (start->shape.says_utf8 || (config.utf8_mode == 0 && !isolated)) {
        config.utf8_mode = -1; /* as an option, a variable or the locale says */
    }
    set_switch(&config.dev_mode, OX_KEY_DEV_MODE, python);
    config.allocator = allocator();
    check(ox_preinitialize(&config, start->argc, start->argv));
}

static void set_text(PyConfig *config, wchar_t **field, const wchar_t *text)
{
    check(PyConfig_SetString(config, field, text));
}

/* `text` of the blob as Python decodes names of files. The caller frees it with PyMem_RawFree. */
static wchar_t *decode(const char *text)
{
    wchar_t *decoded = ox_decode(text);
    if (decoded == NULL) {
        check(PyStatus_NoMemory());
    }
    return decoded;
}

static void append(PyWideStringList *list, const char *text)
{
    wchar_t *decoded = decode(text);
    check(PyWideStringList_Append(list, decoded));
    PyMem_RawFree(decoded);
}

static void append_settings(PyWideStringList *list, uint32_t key)
{
    struct ox_text text;
    for (uint32_t at = 0; ox_setting_next(key, &at, &text);) {
        append(list, text.data);
    }
}

/* The path of `rest` in a folder, to be freed with ox_free. */
static char *join(const char *folder, size_t size, const char *rest)
{
    size_t length = strlen(rest);
    char *joined = ox_alloc(size + length + 2);
    if (joined == NULL) {
        check(PyStatus_NoMemory());
    }
    memcpy(joined, folder, size);
    joined[size] = '/';
    memcpy(joined + size + 1, rest, length + 1);
    ox_separate(joined + size);
    return joined;
}

static void append_extra_paths(PyWideStringList *paths)
{
    struct ox_text text;
    for (uint32_t at = 0; ox_setting_next(OX_KEY_SYS_PATH, &at, &text);) {
        char *path = ox_setting_path(text.data);
        if (path == NULL) {
            check(PyStatus_NoMemory());
        }
        append(paths, path);
        ox_free(path);
    }
}

/* Embedded folders that .pth files name. */
static void append_inner_paths(PyWideStringList *paths)
{
    struct ox_text text;
    for (uint32_t at = 0; ox_setting_next(OX_KEY_INNER_PATH, &at, &text);) {
        char *path = join(ox.mount.path, ox.mount.size, text.data);
        append(paths, path);
        ox_free(path);
    }
}

/* PYTHONPATH, where the application asked for PYTHON* variables to be heard. */
static void append_environment(PyWideStringList *paths)
{
    char *variable = ox_variable("PYTHONPATH");
    const char *value = variable;
    while (value != NULL && *value != '\0') {
        size_t size = strcspn(value, OX_PATH_LIST);
        char *entry = ox_alloc(size + 1);
        if (entry == NULL) {
            check(PyStatus_NoMemory());
        }
        memcpy(entry, value, size);
        entry[size] = '\0';
        if (size != 0) {
            append(paths, entry);
        }
        ox_free(entry);
        value += size + (value[size] != '\0');
    }
    ox_free(variable);
}

/* Every path that getpath would look for on disk. */
static void set_paths(PyConfig *config, bool isolated)
{
    struct ox_text folder;
    if (!ox_setting_text(OX_KEY_STDLIB, &folder)) {
        folder.data = "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION);
    }
    char *stdlib = join(ox.mount.path, ox.mount.size, folder.data);
    wchar_t *wide_stdlib = decode(stdlib);
    wchar_t *mount = decode(ox.mount.path);
    wchar_t **const fields[] = {&config->program_name, &config->executable, &config->base_executable, &config->prefix,
        &config->base_prefix, &config->exec_prefix, &config->base_exec_prefix, &config->home};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        set_text(config, fields[i], mount);
    }
    set_text(config, &config->stdlib_dir, wide_stdlib);
    set_text(config, &config->platlibdir, L"lib");
    config->module_search_paths_set = 1;
    if (!isolated && ox_setting_number(OX_KEY_FILESYSTEM, 1) != 0) {
        append_environment(&config->module_search_paths);
    }
    append(&config->module_search_paths, stdlib);
    append(&config->module_search_paths, ox.mount.path);
    append_inner_paths(&config->module_search_paths);
    append_extra_paths(&config->module_search_paths);
    PyMem_RawFree(mount);
    PyMem_RawFree(wide_stdlib);
    ox_free(stdlib);
}

static void set_options(PyConfig *config)
{
    const struct {
        enum ox_key key;
        int *field;
    } numbers[] = {
        {OX_KEY_DEV_MODE, &config->dev_mode},
        {OX_KEY_FAULTHANDLER, &config->faulthandler},
        {OX_KEY_INT_MAX_STR_DIGITS, &config->int_max_str_digits},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        set_switch(numbers[i].field, numbers[i].key, config->parse_argv != 0);
    }
    const struct ox_setting *seed = ox_blob_setting(&ox.blob, OX_KEY_HASH_SEED, NULL);
    if (seed != NULL) {
        config->use_hash_seed = 1;
        config->hash_seed = (unsigned long)seed->number;
    }
    config->buffered_stdio = ox_setting_number(OX_KEY_UNBUFFERED, 0) == 0;
    append_settings(&config->warnoptions, OX_KEY_WARNING);
    append_settings(&config->xoptions, OX_KEY_XOPTION);
    config->site_import = (int)ox_setting_number(OX_KEY_SITE, 0);
}

/* Options that count how often they are given: a command line raises what the settings say. Python counts on from where
 * it starts, so what the line gives is read into a configuration of its own first. (One that is read twice loses -X
 * warn_default_encoding.) */
static void set_levels(PyConfig *config, const struct ox_start *start)
{
    PyConfig line;
    PyConfig_InitPythonConfig(&line);
    const struct {
        enum ox_key key;
        int *field;
        const int *given;
    } levels[] = {
        {OX_KEY_OPTIMIZE, &config->optimization_level, &line.optimization_level},
        {OX_KEY_VERBOSE, &config->verbose, &line.verbose},
        {OX_KEY_QUIET, &config->quiet, &line.quiet},
        {OX_KEY_BYTES_WARNING, &config->bytes_warning, &line.bytes_warning},
    };
    if (config->parse_argv != 0) {
        line.isolated = config->isolated;
        line.use_environment = 0; /* of a variable and a setting the higher one counts */
        line.module_search_paths_set = 1;
        check(ox_set_arguments(&line, start->argc, start->argv));
        check(PyConfig_Read(&line));
    } else {
        config->inspect = (int)ox_setting_number(OX_KEY_INSPECT, config->inspect);
    }
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        int level = (int)ox_setting_number(levels[i].key, 0);
        if (level > 0) {
            int given = config->parse_argv != 0 ? *levels[i].given : 0;
            *levels[i].field = level > given ? level - given : 0;
        }
    }
    PyConfig_Clear(&line);
}

void ox_python_start(const struct ox_start *start)
{
    bool isolated = ox_setting_number(OX_KEY_ISOLATED, 1) != 0;
    PyConfig config;
    bool python = start->role == OX_PYTHON;
    preinitialize(start, isolated);
    if (!ox_inittab_prepare()) {
        check(PyStatus_NoMemory());
    }
    if (isolated && !python) {
        PyConfig_InitIsolatedConfig(&config);
    } else {
        PyConfig_InitPythonConfig(&config);
        config.isolated = isolated ? 1 : config.isolated;
    }
    config.parse_argv = python;
    config.install_signal_handlers = 1;
    config.configure_c_stdio = 1;
    config.pathconfig_warnings = 0;
    config.use_frozen_modules = 0;
    config.write_bytecode = 0;
    set_options(&config);
    set_paths(&config, isolated);
    check(ox_set_arguments(&config, start->argc, start->argv));
    for (int i = 0; i < start->given_count; i++) {
        append(&config.orig_argv, start->given[i]);
    }
    if (start->role == OX_WORKER) {
        char command[96];
        snprintf(command, sizeof command, "from %s.spawn import freeze_support\nfreeze_support()\n", start->library);
        check(PyConfig_SetBytesString(&config, &config.run_command, command));
    }
    set_levels(&config, start);
    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
    if (!PyGC_IsEnabled()) {
        ox_resume_collector();
    }
    ox_run_start_lines();
}

/* The linker calls this instead of CPython's own (--wrap): all paths are set, there is nothing to compute. It saves the
 * run of getpath.py, and guarantees that nothing on disk is probed. */
PyStatus __wrap__PyConfig_InitPathConfig(PyConfig *config, int compute_path_config);
PyStatus __wrap__PyConfig_InitPathConfig(PyConfig *config, int compute_path_config)
{
    (void)config;
    (void)compute_path_config;
    return PyStatus_Ok();
}
