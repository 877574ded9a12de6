"""Does what its first argument names; run by python and from an executable, with the same outcome."""

import atexit
import os
import signal
import sys
import threading
import time


def arguments() -> None:
    print([argument.encode("utf-8", "surrogateescape") for argument in sys.argv[1:]])


def exit_none() -> None:
    sys.exit()


def exit_number() -> None:
    sys.exit(7)


def exit_big() -> None:
    sys.exit(256 + 3)


def exit_text() -> None:
    sys.exit("went wrong: \u00e9")


def exit_tuple() -> None:
    raise SystemExit((1, 2))


def raises() -> None:
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("outer") from error


def raises_group() -> None:
    raise ExceptionGroup("several", [ValueError(1), TypeError(2)])


def raises_with_note() -> None:
    error = ValueError("noted")
    error.add_note("look here")
    raise error


def thread_exit() -> None:
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    print("main goes on")


def thread_joined() -> None:
    def late() -> None:
        time.sleep(0.3)
        print("late")

    threading.Thread(target=late).start()
    print("early")


def daemon_thread() -> None:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print("left")


def at_exit() -> None:
    atexit.register(print, "first registered")
    atexit.register(print, "last registered")
    print("body")


def at_exit_raises() -> None:
    atexit.register(print, "still run")
    atexit.register(lambda: 1 / 0)


def unflushed() -> None:
    for number, options in enumerate(({"mode": "w"}, {"mode": "wb"}, {"mode": "w+b"})):
        stream = open(os.environ["PROBE_FILE"] + str(number), **options)  # noqa: SIM115
        stream.write("kept" if options["mode"] == "w" else b"kept")
        globals()[f"stream{number}"] = stream


def unflushed_stdout() -> None:
    sys.stdout.write("no newline")
    sys.stdout.buffer.write(b" bytes")


def interrupted() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)


def terminated() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def signals() -> None:
    print(signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGINT) is signal.default_int_handler)


def broken_pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b"x")
    except BrokenPipeError as error:
        print("BrokenPipeError", error.errno)


def stdin_text() -> None:
    print(sys.stdin.read().upper())


def closed_stdout() -> None:
    os.close(1)
    print("into the void")


def streams() -> None:
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        print(name, stream.encoding, stream.errors, stream.line_buffering, stream.isatty(), stream.name)


def warns() -> None:
    import warnings

    warnings.warn("careful", UserWarning, stacklevel=1)
    warnings.warn("old", DeprecationWarning, stacklevel=1)


def recursion() -> None:
    recursion()


def main_module() -> None:
    import __main__

    print(__name__, __main__.main_module is main_module, __main__.__builtins__ is not None)


def collector() -> None:
    """It pauses while the interpreter starts, and then works."""
    import gc
    import weakref

    class Node:
        pass

    print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage, gc.callbacks)
    gone = []
    for _ in range(3000):
        node = Node()
        node.self = node
        gone.append(weakref.ref(node, lambda _: None))
    print(any(reference() is None for reference in gone))


def archives() -> None:
    """zipimport is imported when a path may be an archive, and then stands where it always does."""
    import os.path
    import pkgutil
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "some.zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside/__init__.py", "print(__name__, type(__loader__))")
        sys.path.append(folder)
        sys.path.append(os.path.join(folder, "nowhere"))
        sys.path.append(path)
        import inside

        print(inside.__file__ == os.path.join(path, "inside", "__init__.py"))
        print(type(pkgutil.get_importer(folder)).__name__, pkgutil.get_importer(os.path.join(folder, "nowhere2")))

    import zipimport

    print([hook for hook in sys.path_hooks if getattr(hook, "__name__", "") in {"zipimporter", "zip_hook"}])
    print(zipimport.zipimporter in sys.path_hooks)


def stdlib() -> None:
    import bz2
    import ctypes
    import curses
    import decimal
    import hashlib
    import lzma
    import readline  # noqa: F401
    import sqlite3
    import ssl
    import uuid
    import zlib
    import zoneinfo  # noqa: F401

    print(sqlite3.connect(":memory:").execute("select sqlite_version(), json('[1]')").fetchall())
    print(ssl.OPENSSL_VERSION, hashlib.sha3_256(b"x").hexdigest(), hashlib.scrypt(b"p", salt=b"s", n=2, r=1, p=1)[:4])
    print(bz2.decompress(bz2.compress(b"b")), lzma.decompress(lzma.compress(b"l")), zlib.crc32(b"z"))
    print(decimal.Decimal(2).sqrt(), uuid.uuid5(uuid.NAMESPACE_DNS, "x"), ctypes.CDLL(None).abs(-3))
    print(ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)(4), curses.ncurses_version[:2])


if __name__ == "__main__":
    globals()[sys.argv[1]]()
