/* handles_windows.h: open virtual files and directories.
 *
 * One is a handle of the null device, which Windows takes wherever it takes handles, and stands in a table of ours: that has the node,
 * the bytes and the position. Duplicates share all that. What reads such a handle behind our back finds the end of the file.
 * Safe in any thread.
 */
#ifndef OX_HANDLES_WINDOWS_H
#define OX_HANDLES_WINDOWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

struct ox_file {
    _Atomic uint32_t references;
    uint32_t node;
    SRWLOCK lock;          /* of what follows */
    uint64_t position;     /* in bytes; may lie behind the end */
    const uint8_t *data;   /* NULL: not asked for yet */
    void *decoded;         /* data, when it is not the blob's own */
    _Atomic bool text;     /* read(2) makes "\n" of "\r\n" */
};

/* Opens a node: INVALID_HANDLE_VALUE with the last error when that fails. `security` (or NULL): only whether it is inherited. */
HANDLE ox_handle_open(uint32_t node, const SECURITY_ATTRIBUTES *security);

/* Has a handle stand for the file, too. False: no memory. */
bool ox_handle_adopt(HANDLE handle, struct ox_file *file);

/* To be called before a handle is closed, and when one is new that is not ours. Whether it was virtual. */
bool ox_handle_forget(HANDLE handle);

extern _Atomic bool ox_handles_used; /* at least one was opened */

struct ox_file *ox_handle_look(HANDLE handle);

/* The file, to be given back by ox_file_release; NULL: the handle is not ours. */
static inline struct ox_file *ox_handle_file(HANDLE handle)
{
    return __builtin_expect(atomic_load_explicit(&ox_handles_used, memory_order_relaxed), 0) ? ox_handle_look(handle)
                                                                                              : NULL;
}

void ox_file_release(struct ox_file *file);

/* Its size in bytes; 0 for a directory. */
uint64_t ox_file_size(const struct ox_file *file);

/* Its bytes; NULL, with the last error, when they are damaged, or do not fit into memory, or it is a directory. */
const uint8_t *ox_file_data(struct ox_file *file);

/* Copies at most `size` bytes from `*at` on, or, with NULL, from the position, which moves. Windows' error, or 0. */
DWORD ox_file_read(struct ox_file *file, const uint64_t *at, void *out, size_t size, size_t *copied);

/* Moves the position as SetFilePointerEx does. Windows' error, or 0. */
DWORD ox_file_seek(struct ox_file *file, int64_t distance, DWORD method, uint64_t *position);

#endif
