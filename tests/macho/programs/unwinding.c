/* Exceptions without a language: frames are walked, cleanups run, and the one who looks for it catches. */
#include <string.h>
#include <unwind.h>

#include "check.h"

static int cleaned;

static void clean(int *value)
{
    cleaned += *value;
}

static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *data)
{
    CHECK(_Unwind_GetIP(context));
    ++*(int *)data;
    return _URC_NO_REASON;
}

__attribute__((noinline)) static int depth(int level)
{
    int frames = 0;
    volatile int below = level ? depth(level - 1) : 0; /* not a tail call */
    if (!level) {
        _Unwind_Backtrace(count, &frames);
        return frames;
    }
    return below;
}

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                          struct _Unwind_Exception *exception,
                                                          struct _Unwind_Context *context, void *data)
{
    (void)version;
    (void)class;
    (void)exception;
    (void)context;
    if (cleaned == 6 || actions & _UA_END_OF_STACK) {
        __builtin_longjmp(data, 1);
    }
    return _URC_NO_REASON;
}

__attribute__((noinline)) static void throw(int level, struct _Unwind_Exception *exception, void *jump)
{
    __attribute__((cleanup(clean))) int value = level;
    if (level > 1) {
        throw(level - 1, exception, jump);
    } else {
        _Unwind_ForcedUnwind(exception, stop, jump);
    }
    value += 100; /* not reached */
}

int main(void)
{
    static struct _Unwind_Exception exception;
    void *jump[5];
    CHECK(depth(5) == depth(0) + 5 && depth(0) >= 2);
    if (!__builtin_setjmp(jump)) {
        throw(3, &exception, jump);
    }
    CHECK(cleaned == 6);
    puts("ok");
    return 0;
}
