/* importer_internal.h: what the importer's files share. */
#ifndef OX_IMPORTER_INTERNAL_H
#define OX_IMPORTER_INTERNAL_H

#include "importer.h"
#include "state.h"
#include "vfs.h"

/* Attribute and argument names, made once. */
#define OX_NAMES(X)                                                                                                    \
    X(name) X(path) X(origin) X(is_package) X(submodule_search_locations) X(_set_fileattr) X(_cached)          \
    X(__dict__) X(find_spec)

enum ox_name {
#define OX_NAME_NUMBER(text) OX_NAME_##text,
    OX_NAMES(OX_NAME_NUMBER)
#undef OX_NAME_NUMBER
        OX_NAME_COUNT
};

/* The module's state, one for each interpreter. */
struct ox_importer {
    PyObject *names[OX_NAME_COUNT];
    struct ox_words words;   /* see unmarshal.h */
    uint32_t zipimport;      /* its row: FrozenImporter has it, whatever is asked for frozen modules */
    uint32_t pkg_resources;  /* its row: it is told of our finder, see loader.c */
    PyObject *spec_keywords; /* ("origin", "is_package") */
    PyObject *library;       /* entries of sys.path, as objects: the standard library, and all else */
    PyObject *mount;
    PyObject *finders;       /* importlib's own, of which the last is PathFinder */
    PyObject *zip_hook;      /* ours, on sys.path_hooks until it is first asked in earnest */
    PyObject *hooks;         /* importlib's own path hooks, where they are asked by ours only */
    PyObject *spec;          /* importlib._bootstrap.ModuleSpec */
    PyObject *call;          /* importlib._bootstrap._call_with_frames_removed */
    PyObject *exec;          /* builtins.exec */
    PyObject *finder;        /* types; loader is made when importlib._bootstrap_external is there */
    PyObject *entry_finder;
    PyObject *loader;
    PyObject *external;
};

extern struct PyModuleDef ox_importer_definition;

struct ox_importer *ox_importer_of(PyObject *instance);
struct ox_importer *ox_importer_of_type(PyTypeObject *type);

extern PyType_Spec ox_entry_finder_type; /* pathfinder.c */
extern PyMethodDef ox_path_hook; /* hook.c */
extern PyMethodDef ox_zip_hook;

/* The loader class (borrowed). NULL with an exception. */
PyObject *ox_loader_type(PyObject *module, struct ox_importer *importer);

/* The loader of a row; the class must be there. NULL with an exception. */
PyObject *ox_loader(struct ox_importer *importer, PyObject *name, PyObject *path, uint32_t row);

/* A ModuleSpec for the row; `name` may differ from the row's (a package's changed __path__). */
PyObject *ox_spec(PyObject *module, struct ox_importer *importer, PyObject *name, uint32_t row);

/* A folder below the mount point, from an entry of sys.path or __path__. */
struct ox_folder {
    const char *data; /* relative, normal; "" is the root. The blob's text */
    size_t size;
};

/* Whether `entry` is such a folder. False without an exception when it is anything else. */
bool ox_folder(PyObject *entry, struct ox_folder *folder);

/* Which module an import means: `path` is None for a top-level name, else a package's __path__. False, maybe with an
 * exception, for what is not embedded, and where only PathFinder can tell. */
bool ox_find(struct ox_importer *importer, PyObject *fullname, PyObject *path, uint32_t *row);

/* In plain Python it is PathFinder that finds what is found here. So the finders that a library put right before PathFinder
 * on sys.meta_path, behind `self`, are asked first. None when there are none, or they have nothing; NULL with an exception. */
PyObject *ox_ask_others(
    PyObject *self, const struct ox_importer *importer, PyObject *fullname, PyObject *path, PyObject *target);

/* Whether the folder has anything whose name starts with `tail`. */
bool ox_has_child(const char *folder, size_t folder_size, const char *tail, size_t tail_size);

/* A folder's modules: a list of (prefix + name, is_package), sorted; `prefix` may be NULL. NULL with an exception. */
PyObject *ox_modules_in(const char *folder, size_t folder_size, PyObject *prefix);

/* The module `tail` that lies in this folder, under whatever name. */
enum ox_found ox_find_in_folder(
    const char *folder, size_t folder_size, const char *tail, size_t tail_size, uint32_t *row);

/* Ends the process when the lookup met damage. */
bool ox_is_found(enum ox_found found);

#endif
