#define Py_BUILD_CORE 1
#include <Python.h>

#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000

#include "code.h"

#include <internal/pycore_opcode_metadata.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    UNIT = sizeof(_Py_CODEUNIT), /* an opcode and its argument, or a cache */
    MOST_CACHES = 9,             /* units behind an instruction: LOAD_ATTR's */
    LARGEST = INT32_MAX / 4,     /* numbers that CPython adds up as int */
};

/* Whether all opcodes, at the even bytes, are such as can be stored. For the others, which only code that has run contains,
 * CPython looks into tables that only such code has (_Py_GetBaseOpcode, deopt_code). Caches are 0 in marshalled code. */
static bool is_plain(const uint8_t *bytes, size_t size)
{
    const uint64_t step = 0x0001000100010001u;
    uint64_t high = 0;      /* carries into the odd byte: an opcode that is instrumented */
    uint64_t other = ~0ull; /* no carry into it: an executor */
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
        uint64_t units;
        memcpy(&units, bytes + i, sizeof units);
        units &= 0xff * step;
        high |= units + (0x100 - MIN_INSTRUMENTED_OPCODE) * step;
        other &= (units ^ ENTER_EXECUTOR * step) + 0xff * step;
    }
    bool good = (high & 0x100 * step) == 0 && (other & 0x100 * step) == 0x100 * step;
    for (; i < size; i += UNIT) {
        good = good && bytes[i] < MIN_INSTRUMENTED_OPCODE && bytes[i] != ENTER_EXECUTOR;
    }
    return good;
}

/* Whether no instruction's caches reach behind the end: CPython writes them without looking (_PyCode_Quicken,
 * deopt_code). */
static bool ends_well(const uint8_t *bytes, size_t size)
{
    size_t count = size / UNIT;
    for (size_t left = 1; left <= MOST_CACHES && left <= count; left++) {
        uint8_t opcode = bytes[(count - left) * UNIT];
        if (_PyOpcode_Caches[_PyOpcode_Deopt[opcode]] >= left) {
            return false;
        }
    }
    return true;
}

PyObject *ox_code(const struct _PyCodeConstructor *code)
{
    struct _PyCodeConstructor given = *code; /* without debug ranges it gets another line table */
    bool good = code->argcount <= LARGEST && code->kwonlyargcount <= LARGEST && code->stacksize <= LARGEST;
    if (good) {
        if (_PyCode_Validate(&given) < 0) {
            return NULL;
        }
        const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(code->code);
        size_t size = (size_t)PyBytes_GET_SIZE(code->code);
        good = is_plain(bytes, size) && ends_well(bytes, size);
    }
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data (code object)");
        return NULL;
    }
    return (PyObject *)_PyCode_New(&given);
}

#endif
