"""C functions called without a compiler: callbacks, structs, buffers, errno, handles, threads, and generated modules."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import threading

import _cffi_backend
import cffi

# The process has the C library's functions; on Windows a DLL has them, and its header what prints, but for an older one.
LIBRARY, PRINTING = ("ucrtbase.dll", "msvcrt.dll") if os.name == "nt" else (None, None)


def main() -> None:
    ffi = cffi.FFI()
    ffi.cdef("""
        typedef struct { int quot; int rem; } div_t;
        div_t div(int, int);
        size_t strlen(const char *);
        void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
        long strtol(const char *, char **, int);
        int sprintf(char *, const char *, ...);
        struct point { short x; struct { int a:3; unsigned b:5; } bits; union { double d; uint64_t u; } v; };
        enum colour { RED, GREEN = 5 };
        long labs(long);
    """)
    c = ffi.dlopen(LIBRARY)
    print(_cffi_backend.__file__, cffi.__version__ == _cffi_backend.__version__)
    print(
        c.div(17, 5).quot,
        c.strlen(b"hello"),
        c.labs(-4),
        ffi.sizeof("struct point"),
        ffi.offsetof("struct point", "v"),
    )
    values = ffi.new("int[]", [3, 1, 2])

    @ffi.callback("int(const void *, const void *)")
    def compare(left: object, right: object) -> int:
        return ffi.cast("int *", left)[0] - ffi.cast("int *", right)[0]

    c.qsort(values, 3, ffi.sizeof("int"), compare)
    print(list(values), bytes(ffi.buffer(values))[:4], ffi.typeof(compare))
    point = ffi.new("struct point *", {"x": 7, "v": {"d": 1.0}})
    point.bits.a = -2
    print(point.x, point.bits.a, hex(point.v.u), ffi.string(ffi.cast("enum colour", 5)))
    buffer = ffi.new("char[32]")
    ffi.dlopen(PRINTING).sprintf(
        buffer, b"%d-%s-%.2f", ffi.cast("int", 5), ffi.new("char[]", b"x"), ffi.cast("double", 1.5)
    )
    print(ffi.string(buffer), c.strtol(b"9" * 30, ffi.NULL, 10) > 0, errno.errorcode[ffi.errno])
    handle = ffi.new_handle([1, 2])
    print(ffi.from_handle(handle), ffi.from_buffer(bytearray(b"xyz"))[1])
    freed: list[str] = []
    kept = ffi.gc(ffi.new("int *"), lambda _: freed.append("freed"))
    del kept
    print(freed)

    @ffi.callback("long(long)", error=-1)
    def fails(value: int) -> int:
        raise ValueError(value)

    print(fails(3))
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(c.labs(-n))) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(sorted(results))
    for broken in ("int f(", "struct s { weird x; };"):
        try:
            cffi.FFI().cdef(broken)
        except cffi.CDefError as error:
            print(type(error).__name__, str(error).splitlines()[0])
    builder = cffi.FFI()
    builder.cdef("int abs(int);")
    builder.set_source("_generated", None)
    builder.emit_python_code("_generated.py")
    sys.path.insert(0, os.getcwd())
    generated = importlib.import_module("_generated")
    print(generated.ffi.dlopen(LIBRARY).abs(-3), os.path.basename(generated.__file__))
    builder = cffi.FFI()
    builder.cdef("int abs(int);")
    builder.set_source("_api", "#include <stdlib.h>")
    builder.emit_c_code("_api.c")
    print(os.path.getsize("_api.c") > 1000)
    try:
        ffi.dlopen("libnowhere.so.7")
    except OSError as error:
        print(str(error).partition(":")[0])
    library = ffi.dlopen(_cffi_backend.__file__)
    print(type(library).__name__, importlib.resources.files("cffi").joinpath("_cffi_include.h").is_file())
