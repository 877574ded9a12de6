/* real_posix.h: the libc functions that ours stand before.
 *
 * OX_INTERPOSE declares a function under the launcher's own C name and libc's symbol name, so that libc's headers (with
 * their macros, inline functions and 64-bit redirections) cannot get in the way. OX_REAL calls libc's own.
 *
 * glibc (real_glibc.c): ours are exported and come first in the search order of every library of the process; libc's is
 * the next definition, or that of a preloaded library. musl (real_musl.c): the executable is static, and the linker's
 * --wrap turns every call of NAME into one of __wrap_NAME, and __real_NAME into libc's. macOS (real_macos.c): all that is
 * linked into the executable has ours, and what is loaded gets them (rebind_macos.c); libSystem's is the next definition.
 */
#ifndef OX_REAL_POSIX_H
#define OX_REAL_POSIX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __APPLE__
#include "real_macos.h"
#else
#include "real_linux.h"
#endif

/* Every name once; its number is OX_REAL_<name>. Two groups apart from the rest have other symbol names on macOS
 * (real_macos.h): what knows the size of an inode's number, and what is as the system extends POSIX. */
#define OX_REAL_INODE_NAMES(X)                                                                                         \
    X(stat) X(lstat) X(fstat) X(fstatat) X(statfs)                                                                     \
    X(opendir) X(fdopendir) X(readdir) X(readdir_r) X(scandir) X(rewinddir) X(seekdir) X(telldir)

#define OX_REAL_EXTENDED_NAMES(X) X(realpath) X(fopen)

#define OX_REAL_PLAIN_NAMES(X)                                                                                         \
    X(open) X(openat) X(creat) X(freopen) X(access) X(faccessat) X(readlink) X(readlinkat) X(statvfs)         \
    X(getxattr) X(listxattr) X(setxattr) X(removexattr) X(fsetxattr) X(fremovexattr)                                   \
    X(chdir) X(fchdir) X(getcwd) X(pathconf) X(closedir) X(dirfd)                                                      \
    X(mkdir) X(mkdirat) X(rmdir) X(unlink) X(unlinkat) X(remove) X(rename) X(renameat)                                 \
    X(link) X(linkat) X(symlink) X(symlinkat) X(chmod) X(fchmodat) X(chown) X(lchown) X(fchownat)                      \
    X(truncate) X(utime) X(utimes) X(lutimes) X(utimensat) X(mknod) X(mknodat) X(mkfifo) X(mkfifoat)                   \
    X(fchmod) X(fchown) X(futimens) X(futimes) X(dlopen)                                                               \
    X(execve) X(posix_spawn) X(posix_spawnp) X(posix_spawn_file_actions_addopen) X(posix_spawn_file_actions_destroy)

#define OX_REAL_NAMES(X)                                                                                               \
    OX_REAL_INODE_NAMES(X) OX_REAL_EXTENDED_NAMES(X) OX_REAL_PLAIN_NAMES(X) OX_REAL_SYSTEM_NAMES(X)

enum ox_real_name {
#define OX_REAL_NUMBER(name) OX_REAL_##name,
    OX_REAL_NAMES(OX_REAL_NUMBER)
#undef OX_REAL_NUMBER
        OX_REAL_COUNT
};

extern _Atomic(void *) ox_real_known[OX_REAL_COUNT];

/* Finds the function (dlsym) and remembers it, where it is not known from the beginning. Where libc has none by that name
 * (stat before glibc 2.33, newer system calls), one that makes the system call itself, or says that there is none. */
void *ox_real_find(enum ox_real_name name);

static inline void *ox_real(enum ox_real_name name)
{
    void *known = atomic_load_explicit(&ox_real_known[name], memory_order_relaxed);
    return known != NULL ? known : ox_real_find(name);
}

#define OX_REAL(name) ((__typeof__(&ox_##name))(uintptr_t)ox_real(OX_REAL_##name))

/* `function(arguments)` as the last thing that is done, if `outside` holds and libc's function is known; else `slow`, which
 * looks with care. All of it are jumps, so that for other paths there is nothing to save and put back. */
#define OX_FAST(name, outside, slow, ...)                                                                              \
    do {                                                                                                               \
        void *known = atomic_load_explicit(&ox_real_known[OX_REAL_##name], memory_order_relaxed);                      \
        if (__builtin_expect(known != NULL, 1)) {                                                                      \
            if (__builtin_expect(outside, 1)) {                                                                        \
                return ((__typeof__(&ox_##name))(uintptr_t)known)(__VA_ARGS__);                                        \
            }                                                                                                          \
        }                                                                                                              \
        return slow(__VA_ARGS__);                                                                                      \
    } while (0)

#define OX_EXPORT __attribute__((visibility("default"), used))

/* Kept apart from the function that calls it, which for other paths is then a comparison and a jump. */
#define OX_SLOW __attribute__((noinline, cold))

/* Declares ox_<name> to be the symbol <name>; the other two are for the groups above. */
#define OX_INTERPOSE(type, name, ...) OX_EXPORT type ox_##name(__VA_ARGS__) __asm__(OX_SYMBOL(#name))
#define OX_INTERPOSE_INODE(type, name, ...) OX_EXPORT type ox_##name(__VA_ARGS__) __asm__(OX_SYMBOL(#name OX_INODE))
#define OX_INTERPOSE_EXTENDED(type, name, ...) OX_EXPORT type ox_##name(__VA_ARGS__) __asm__(OX_SYMBOL(#name OX_EXTENDED))

#endif
