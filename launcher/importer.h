/* importer.h: the built-in module _oxcross: importing from the blob, by importlib's rules.
 *
 *  Finder           on sys.meta_path, before all others: modules by name, one hash lookup
 *  PathEntryFinder  through sys.path_hooks, for entries below the executable: modules by folder
 *  Loader           a subclass of importlib.machinery.SourceFileLoader that takes code from the blob
 *
 * Files beside modules need nothing here: __file__ and __path__ lie in the virtual file system, so that importlib's
 * own resource readers, metadata finder and extension loader work as on disk.
 */
#ifndef OX_IMPORTER_H
#define OX_IMPORTER_H

#include <Python.h>
#include <stdbool.h>

#include "blob.h"
#include "unmarshal.h"

/* For PyImport_AppendInittab. */
PyObject *ox_importer_create(void);

/* The code object of a module, its file names below the executable: `path` (str) is where it claims to lie. NULL with an
 * exception set; ends the process when the blob is damaged. `words` (may be NULL) makes it quicker, see unmarshal.h. */
PyObject *ox_module_code(struct ox_words *words, const struct ox_module *module, PyObject *path);

/* The absolute path (str) of something in the blob. */
PyObject *ox_absolute(struct ox_string path);

#endif
