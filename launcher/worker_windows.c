#include "worker.h"

#include <stdint.h>
#include <windows.h>

#define PATIENCE 20 /* milliseconds between two looks */

/* The pipe is the parent's handle. */
size_t ox_worker_peek(int argc, char *const *argv, char *data, size_t size)
{
    unsigned long long process;
    unsigned long long theirs;
    if (!ox_worker_value(argc, argv, "parent_pid", &process) || !ox_worker_value(argc, argv, "pipe_handle", &theirs)) {
        return 0;
    }
    HANDLE parent = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)process);
    HANDLE pipe = (HANDLE)(uintptr_t)theirs; // NOLINT: a handle is a number
    HANDLE own = NULL;
    DWORD got = 0;
    if (parent != NULL && DuplicateHandle(parent, pipe, GetCurrentProcess(), &own, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        while (PeekNamedPipe(own, data, (DWORD)size, &got, NULL, NULL) && got == 0) {
            Sleep(PATIENCE);
        }
        CloseHandle(own);
    }
    if (parent != NULL) {
        CloseHandle(parent);
    }
    return got;
}
