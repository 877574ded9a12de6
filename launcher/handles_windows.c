#include "handles_windows.h"

#include <string.h>

#include "hooks_windows.h"
#include "memory.h"
#include "payload.h"
#include "state.h"

__typeof__(CreateFileW) ox_CreateFileW;

/* Handles are small multiples of four, a process has 2^24 at most (learn.microsoft.com, "Kernel objects"), so the table is
 * an array, of which parts come into being as they are used. Looking at an entry takes no lock; only when there is one, the
 * lock keeps it until it has another reference. */
enum { PART = 1024, PARTS = 16384 };

static _Atomic(_Atomic(struct ox_file *) *) parts[PARTS];
static SRWLOCK table_lock = SRWLOCK_INIT;
_Atomic bool ox_handles_used;

static _Atomic(struct ox_file *) *entry(HANDLE handle)
{
    uintptr_t index = (uintptr_t)handle / 4;
    if ((uintptr_t)handle % 4 != 0 || index / PART >= PARTS) {
        return NULL;
    }
    _Atomic(struct ox_file *) *part = atomic_load_explicit(&parts[index / PART], memory_order_acquire);
    return part == NULL ? NULL : &part[index % PART];
}

/* Makes the part of the table that the handle belongs to. The caller has the lock. */
static _Atomic(struct ox_file *) *made_entry(HANDLE handle)
{
    uintptr_t index = (uintptr_t)handle / 4;
    if ((uintptr_t)handle % 4 == 0 && index / PART < PARTS && atomic_load(&parts[index / PART]) == NULL) {
        _Atomic(struct ox_file *) *part = ox_alloc(PART * sizeof *part);
        for (size_t i = 0; part != NULL && i < PART; i++) {
            atomic_init(&part[i], NULL);
        }
        atomic_store_explicit(&parts[index / PART], part, memory_order_release);
    }
    return entry(handle);
}

void ox_file_release(struct ox_file *file)
{
    if (atomic_fetch_sub(&file->references, 1) == 1) {
        ox_free(file->decoded);
        ox_free(file);
    }
}

struct ox_file *ox_handle_look(HANDLE handle)
{
    _Atomic(struct ox_file *) *at = entry(handle);
    if (at == NULL || atomic_load_explicit(at, memory_order_relaxed) == NULL) {
        return NULL;
    }
    AcquireSRWLockShared(&table_lock);
    struct ox_file *file = atomic_load(at);
    if (file != NULL) {
        atomic_fetch_add(&file->references, 1);
    }
    ReleaseSRWLockShared(&table_lock);
    return file;
}

static struct ox_file *exchange(HANDLE handle, struct ox_file *file, bool *done)
{
    AcquireSRWLockExclusive(&table_lock);
    _Atomic(struct ox_file *) *at = file == NULL ? entry(handle) : made_entry(handle);
    struct ox_file *before = at == NULL ? NULL : atomic_exchange(at, file);
    ReleaseSRWLockExclusive(&table_lock);
    *done = at != NULL;
    return before;
}

bool ox_handle_adopt(HANDLE handle, struct ox_file *file)
{
    bool done;
    atomic_fetch_add(&file->references, 1);
    atomic_store(&ox_handles_used, true);
    struct ox_file *before = exchange(handle, file, &done);
    if (before != NULL) {
        ox_file_release(before);
    }
    if (!done) {
        ox_file_release(file);
    }
    return done;
}

bool ox_handle_forget(HANDLE handle)
{
    bool done;
    if (!atomic_load_explicit(&ox_handles_used, memory_order_relaxed)) {
        return false;
    }
    _Atomic(struct ox_file *) *at = entry(handle);
    if (at == NULL || atomic_load_explicit(at, memory_order_relaxed) == NULL) {
        return false;
    }
    struct ox_file *before = exchange(handle, NULL, &done);
    if (before == NULL) {
        return false;
    }
    ox_file_release(before);
    return true;
}

HANDLE ox_handle_open(uint32_t node, const SECURITY_ATTRIBUTES *security)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, security != NULL && security->bInheritHandle};
    struct ox_file *file = ox_alloc(sizeof *file);
    if (file == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return INVALID_HANDLE_VALUE;
    }
    memset(file, 0, sizeof *file);
    file->node = node;
    InitializeSRWLock(&file->lock);
    atomic_init(&file->references, 1);
    HANDLE handle = OX_REAL(CreateFileW)(L"\\\\.\\NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        &inherited, OPEN_EXISTING, 0, NULL);
    if (handle != INVALID_HANDLE_VALUE && !ox_handle_adopt(handle, file)) {
        CloseHandle(handle);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        handle = INVALID_HANDLE_VALUE;
    }
    ox_file_release(file);
    return handle;
}

uint64_t ox_file_size(const struct ox_file *file)
{
    const struct ox_node *row = &ox.blob.nodes[file->node];
    return row->kind == OX_DIR ? 0 : row->data.size;
}

/* The caller has the file's lock. */
static DWORD load(struct ox_file *file)
{
    const struct ox_node *row = &ox.blob.nodes[file->node];
    if (file->data != NULL) {
        return 0;
    }
    if (row->kind == OX_DIR) {
        return ERROR_INVALID_FUNCTION;
    }
    const uint8_t *stored = ox_payload_open(&ox.blob, &row->data);
    if (stored == NULL) {
        return ERROR_FILE_CORRUPT;
    }
    if (row->data.codec == OX_RAW || row->data.size == 0) {
        file->data = stored;
        return 0;
    }
    void *memory = ox_alloc((size_t)row->data.size);
    if (memory == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (!ox_payload_decode(&ox.blob, &row->data, stored, memory)) {
        ox_free(memory);
        return ERROR_FILE_CORRUPT;
    }
    file->data = file->decoded = memory;
    return 0;
}

const uint8_t *ox_file_data(struct ox_file *file)
{
    AcquireSRWLockExclusive(&file->lock);
    DWORD error = load(file);
    const uint8_t *data = file->data; /* stays as it is as long as the file */
    ReleaseSRWLockExclusive(&file->lock);
    if (error != 0) {
        SetLastError(error);
        return NULL;
    }
    return data;
}

DWORD ox_file_read(struct ox_file *file, const uint64_t *at, void *out, size_t size, size_t *copied)
{
    AcquireSRWLockExclusive(&file->lock);
    uint64_t all = ox_file_size(file);
    uint64_t start = at != NULL ? *at : file->position;
    DWORD error = load(file);
    size = error != 0 || start >= all ? 0 : size < all - start ? size : (size_t)(all - start);
    if (size != 0) {
        memcpy(out, file->data + start, size);
    }
    if (error == 0) {
        file->position = start + size;
    }
    ReleaseSRWLockExclusive(&file->lock);
    *copied = size;
    return error;
}

DWORD ox_file_seek(struct ox_file *file, int64_t distance, DWORD method, uint64_t *position)
{
    DWORD error = 0;
    AcquireSRWLockExclusive(&file->lock);
    uint64_t from = method == FILE_BEGIN ? 0 : method == FILE_CURRENT ? file->position : ox_file_size(file);
    int64_t to;
    if (method > FILE_END || __builtin_add_overflow((int64_t)from, distance, &to)) {
        error = ERROR_INVALID_PARAMETER;
    } else if (to < 0) {
        error = ERROR_NEGATIVE_SEEK;
    } else {
        *position = file->position = (uint64_t)to;
    }
    ReleaseSRWLockExclusive(&file->lock);
    return error;
}
