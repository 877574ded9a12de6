/* real_linux.h: the libc functions that ours stand before.
 *
 * OX_INTERPOSE declares a function under the launcher's own C name and libc's symbol name, so that libc's headers (with
 * their macros, inline functions and 64-bit redirections) cannot get in the way. OX_REAL calls libc's own.
 *
 * glibc (real_glibc.c): ours are exported and come first in the search order of every library of the process; libc's is
 * the next definition, or that of a preloaded library. musl (real_musl.c): the executable is static, and the linker's
 * --wrap turns every call of NAME into one of __wrap_NAME, and __real_NAME into libc's.
 */
#ifndef OX_REAL_LINUX_H
#define OX_REAL_LINUX_H

#include <features.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GLIBC__
#define OX_SYMBOL(name) name
#else
#define OX_SYMBOL(name) "__wrap_" name
#endif

/* Every name once; its number is OX_REAL_<name>. */
#define OX_REAL_NAMES(X)                                                                                               \
    X(open) X(openat) X(creat) X(fopen) X(freopen) X(stat) X(lstat) X(fstat) X(fstatat) X(statx)                       \
    X(access) X(faccessat) X(euidaccess) X(readlink) X(readlinkat) X(realpath) X(statfs) X(statvfs)                    \
    X(getxattr) X(lgetxattr) X(listxattr) X(llistxattr)                                                                \
    X(chdir) X(fchdir) X(getcwd) X(get_current_dir_name) X(pathconf)                                                     \
    X(opendir) X(fdopendir) X(readdir) X(readdir_r) X(scandir) X(rewinddir) X(seekdir) X(telldir) X(closedir) X(dirfd)                         \
    X(mkdir) X(mkdirat) X(rmdir) X(unlink) X(unlinkat) X(remove) X(rename) X(renameat) X(renameat2)                    \
    X(link) X(linkat) X(symlink) X(symlinkat) X(chmod) X(fchmodat) X(chown) X(lchown) X(fchownat)                      \
    X(truncate) X(utime) X(utimes) X(lutimes) X(utimensat) X(futimesat) X(mknod) X(mknodat) X(mkfifo) X(mkfifoat)      \
    X(setxattr) X(lsetxattr) X(removexattr) X(lremovexattr)                                 \
    X(fchmod) X(fchown) X(futimens) X(futimes) X(fsetxattr) X(fremovexattr) X(dlopen)                           \
    X(execve) X(execvpe) X(fexecve) X(posix_spawn) X(posix_spawnp)                                             \
    X(posix_spawn_file_actions_addopen) X(posix_spawn_file_actions_destroy)

enum ox_real_name {
#define OX_REAL_NUMBER(name) OX_REAL_##name,
    OX_REAL_NAMES(OX_REAL_NUMBER)
#undef OX_REAL_NUMBER
        OX_REAL_COUNT
};

extern _Atomic(void *) ox_real_known[OX_REAL_COUNT];

/* Finds the function (dlsym) and remembers it, where it is not known from the beginning. Where libc has none by that name
 * (stat before glibc 2.33, newer system calls), one that makes the system call itself. */
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

/* Declares ox_<name> to be the symbol <name>. */
#define OX_INTERPOSE(type, name, ...) OX_EXPORT type ox_##name(__VA_ARGS__) __asm__(OX_SYMBOL(#name))

/* A second symbol name for ox_<name>; the types are equal on 64-bit Linux (open and open64). */
#define OX_ALIAS(name, symbol)                                                                                         \
    OX_EXPORT extern __typeof__(ox_##name) ox_alias_##symbol __asm__(OX_SYMBOL(#symbol))                               \
        __attribute__((alias(OX_SYMBOL(#name))))

#endif
