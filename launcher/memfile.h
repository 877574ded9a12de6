/* memfile.h: virtual files as descriptors. They are files that no name in the file system leads to: sealed memory files on
 * Linux (memfile_linux.c), temporary ones on macOS that are unlinked before anybody sees them (memfile_macos.c).
 *
 * fstat tells of such a descriptor which node it is (vfs_stat_posix.c): the file has no link, OX_MARK among its mode's bits,
 * the executable's time, and the node as the fraction of a second. So descriptors may be duplicated, inherited and closed
 * without us.
 */
#ifndef OX_MEMFILE_H
#define OX_MEMFILE_H

#include <stdint.h>

#ifdef __APPLE__
#define OX_DESCRIPTOR_PATH "/dev/fd/" /* and a descriptor's number: that descriptor, duplicated, with its position */
#define OX_MARK 0                     /* not every file system takes the sticky bit of a file, and the rest says enough */
#else
#define OX_DESCRIPTOR_PATH "/proc/self/fd/" /* and a descriptor's number: its file, opened anew */
#define OX_MARK S_ISVTX
#endif

/* Opens the node as open(2) would read-only; `flags`: O_CLOEXEC and O_NONBLOCK count. -1 with errno (EIO: damaged). */
int ox_memfile_open(uint32_t node, int flags);

#endif
