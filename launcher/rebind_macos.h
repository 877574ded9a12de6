/* rebind_macos.h: libraries that are loaded from the cache call the launcher's functions.
 *
 * They ask libSystem for open, stat and the rest by name and library (two-level namespace), so none of another library
 * could stand before it. But all such calls go through pointers of the library's own, which dyld fills in: those are
 * written over before its first function is called. So are the functions' addresses in its data (tables of functions, as
 * SQLite has one).
 */
#ifndef OX_REBIND_MACOS_H
#define OX_REBIND_MACOS_H

/* From now on, of what is loaded from the cache. May be called again. */
void ox_rebind_start(void);

#endif
