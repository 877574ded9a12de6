/* real_macos.h: the symbol names of libSystem's functions, and the functions that only it has; see real_posix.h. */
#ifndef OX_REAL_MACOS_H
#define OX_REAL_MACOS_H

#define OX_SYMBOL(name) "_" name

/* Suffixes of sys/cdefs.h: x86-64 began with inodes of 32 bits; and POSIX's functions with what macOS adds to them, which have
 * the name without it, too (vfs_macos.c). */
#ifdef __x86_64__
#define OX_INODE "$INODE64"
#else
#define OX_INODE ""
#endif
#define OX_EXTENDED "$DARWIN_EXTSN"

#define OX_REAL_SYSTEM_NAMES(X)                                                                                        \
    X(lchmod) X(chflags) X(lchflags) X(fchflags) X(renamex_np) X(renameatx_np)                                         \
    X(clonefile) X(clonefileat) X(fclonefileat) X(copyfile) X(execvp) X(dlerror)

/* Mach-O has no aliases, and no function here a second name. */
#define OX_ALIAS(name, symbol) _Static_assert(1, "takes the semicolon")

#endif
