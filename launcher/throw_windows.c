/* C++ exceptions of mapped libraries.
 *
 * Microsoft's _CxxThrowException asks RtlPcToFileHeader for the image that the exception's type lies in, since the type
 * is told by addresses relative to it. That knows only what Windows has loaded; for all others it gives 0, and no
 * handler matches. So a mapped library's exceptions are raised here, in the form that the handlers of VCRUNTIME140.dll
 * expect (ehdata.h of Visual C++). Tables for unwinding are Windows' business: RtlAddFunctionTable, map_windows.c. */
#include <stdatomic.h>

#include "hooks_windows.h"
#include "modules_windows.h"

enum { EXCEPTION_CODE = (int)0xE06D7363, PARAMETERS = 4, IS_PURE = 8, IS_WINRT = 16 };

#define MAGIC 0x19930520u
#define PURE_MAGIC 0x01994000u

/* The beginning of what the compiler writes for a type that is thrown. */
struct throw_info {
    uint32_t attributes;
};

typedef void throw_function(void *object, const struct throw_info *info);

static _Atomic(throw_function *) real_throw;

static void throw_from_mapped(void *object, const struct throw_info *info)
{
    const struct ox_image *image = info != NULL ? ox_image_by_address(info) : NULL;
    if (image == NULL || (info->attributes & IS_WINRT) != 0) {
        atomic_load_explicit(&real_throw, memory_order_relaxed)(object, info); /* without a type: throws the last again */
        return;
    }
    ULONG_PTR parameters[PARAMETERS] = {(info->attributes & IS_PURE) != 0 ? PURE_MAGIC : MAGIC, (ULONG_PTR)object,
        (ULONG_PTR)info, (ULONG_PTR)image->handle};
    RaiseException((DWORD)EXCEPTION_CODE, EXCEPTION_NONCONTINUABLE, PARAMETERS, parameters);
}

void *ox_throw_hook(void *real)
{
    atomic_store_explicit(&real_throw, (throw_function *)real, memory_order_relaxed);
    return (void *)throw_from_mapped;
}

/* std::exception_ptr and typeid ask the same question themselves. */
PVOID WINAPI ox_RtlPcToFileHeader(PVOID address, PVOID *base)
{
    const struct ox_image *image = ox_image_by_address(address);
    if (image == NULL) {
        return OX_REAL(RtlPcToFileHeader)(address, base);
    }
    *base = (PVOID)image->handle;
    return *base;
}
