/* real_linux.h: the symbol names of glibc's and musl's functions, and the functions that only they have; see real_posix.h. */
#ifndef OX_REAL_LINUX_H
#define OX_REAL_LINUX_H

#include <features.h>

#ifdef __GLIBC__
#define OX_SYMBOL(name) name
#else
#define OX_SYMBOL(name) "__wrap_" name
#endif
#define OX_INODE ""
#define OX_EXTENDED ""

#define OX_REAL_SYSTEM_NAMES(X)                                                                                        \
    X(statx) X(euidaccess) X(lgetxattr) X(llistxattr) X(lsetxattr) X(lremovexattr) X(get_current_dir_name)             \
    X(renameat2) X(futimesat) X(execvpe) X(fexecve)

/* A second symbol name for ox_<name>; the types are equal on 64-bit Linux (open and open64). */
#define OX_ALIAS(name, symbol)                                                                                         \
    OX_EXPORT extern __typeof__(ox_##name) ox_alias_##symbol __asm__(OX_SYMBOL(#symbol))                               \
        __attribute__((alias(OX_SYMBOL(#name))))

#endif
