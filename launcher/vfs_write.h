/* vfs_write.h: what the libc functions that change the file system are made of. */
#ifndef OX_VFS_WRITE_H
#define OX_VFS_WRITE_H

#include "vfs_libc.h"

/* What a function would do with a path. Linux says EROFS also of names to remove that are not there (fs/namei.c); POSIX
 * allows ENOENT, too, which is what code that removes leftovers knows. */
enum ox_use { CHANGES, CREATES };

/* errno for the path; always -1. */
int ox_refuse(const struct ox_lookup *lookup, enum ox_use use);

/* Moving or linking between the virtual tree and elsewhere is between two file systems (EXDEV, so that shutil.move
 * copies); within it, it is refused as any change. `creates`: of a link, whose new name may not be there. */
int ox_refuse_two(
    const struct ox_lookup *from, bool from_ours, const struct ox_lookup *to, bool to_ours, bool creates);

/* The executable's own file may be changed (an update replaces it): it is the system's. */
#define REFUSE(path, use)                                                                                              \
    do {                                                                                                               \
        struct ox_lookup lookup;                                                                                       \
        if (ox_lookup(&(path), &lookup) && lookup.place != OX_SELF) {                                                  \
            return ox_refuse(&lookup, use);                                                                            \
        }                                                                                                              \
    } while (0)

#define REFUSE_AT(fd, path, use)                                                                                       \
    do {                                                                                                               \
        struct ox_lookup lookup;                                                                                       \
        if (ox_lookup_at(&(fd), &(path), &lookup) && lookup.place != OX_SELF) {                                        \
            return ox_refuse(&lookup, use);                                                                            \
        }                                                                                                              \
    } while (0)

/* Defines a function of one path (and more arguments that do not matter here). */
#define OX_ONE_PATH(name, use, parameters, ...)                                                                        \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        REFUSE(path, use);                                                                                             \
        return OX_REAL(name)(__VA_ARGS__);                                                                             \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

#define OX_ONE_PATH_AT(name, use, parameters, ...)                                                                     \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        REFUSE_AT(fd, path, use);                                                                                      \
        return OX_REAL(name)(__VA_ARGS__);                                                                             \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

#define REFUSE_TWO(from_fd, from, to_fd, to, creates)                                                                  \
    do {                                                                                                               \
        struct ox_lookup source;                                                                                       \
        struct ox_lookup goal;                                                                                         \
        bool source_ours = ox_lookup_at(&(from_fd), &(from), &source) && source.place != OX_SELF;                      \
        bool goal_ours = ox_lookup_at(&(to_fd), &(to), &goal) && goal.place != OX_SELF;                                \
        if (source_ours || goal_ours) {                                                                                \
            return ox_refuse_two(&source, source_ours, &goal, goal_ours, creates);                                     \
        }                                                                                                              \
    } while (0)

/* Descriptors of virtual files: they are open for reading, but their attributes are not protected by that. */
#define OX_DESCRIPTOR(name, parameters, ...)                                                                           \
    OX_EXPORT int ox_##name parameters __asm__(OX_SYMBOL(#name));                                                      \
    int ox_##name parameters                                                                                           \
    {                                                                                                                  \
        uint32_t node;                                                                                                 \
        return ox_virtual_fd_node(fd, &node) ? ox_fail(EROFS) : OX_REAL(name)(__VA_ARGS__);                            \
    }                                                                                                                  \
    static_assert(1, "takes the semicolon")

#endif
