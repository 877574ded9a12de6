"""The checks: each a function that returns what the test compares."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import importlib
import importlib.metadata
import importlib.resources
import inspect
import io
import multiprocessing
import os
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

NUMBERS = [1, 2, 3]


def numbers() -> list[int]:
    """A plug-in."""
    return NUMBERS


def modules() -> dict[str, object]:
    """Every built-in module imports; those of other systems do not."""
    failed = {}
    for name in sys.builtin_module_names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed[name] = repr(error)
    absent = []
    for name in ("fcntl", "termios", "grp", "pwd", "resource", "readline", "_curses", "_tkinter"):
        try:
            importlib.import_module(name)
        except ImportError:
            absent.append(name)
    return {"count": len(sys.builtin_module_names), "failed": failed, "absent": absent}


def identity() -> dict[str, object]:
    """What the program knows of itself."""
    import winapp

    return {
        "executable": sys.executable,
        "file": winapp.__file__,
        "os_file": os.__file__,
        "path": sys.path,
        "prefix": sys.prefix,
        "argv": sys.argv,
        "orig_argv": sys.orig_argv,
        "frozen": sys.frozen,  # type: ignore[attr-defined]
        "winver": sys.winver,  # type: ignore[attr-defined]
        "dllhandle": sys.dllhandle != 0,  # type: ignore[attr-defined]
        "platform": sys.platform,
        "soabi": importlib.machinery.EXTENSION_SUFFIXES,
        "version": importlib.metadata.version("winapp"),
        "plugins": [point.load()() for point in importlib.metadata.entry_points(group="winapp.plugins")],
        "environment": os.environ.get("OX_TEST", ""),
    }


def encoding(*arguments: str) -> dict[str, object]:
    """Texts in and out are UTF-8."""
    print("grüße 日本 \U0001f600")
    return {
        "arguments": list(arguments),
        "stdout": sys.stdout.encoding,
        "stdin": sys.stdin.encoding if sys.stdin else None,
        "filesystem": sys.getfilesystemencoding(),
        "preferred": __import__("locale").getpreferredencoding(False),
        "utf8": sys.flags.utf8_mode,
        "code_page": ctypes.windll.kernel32.GetACP(),
    }


def echo() -> None:
    """Standard input to standard output, as characters."""
    sys.stdout.write(sys.stdin.read().upper())


def streams() -> dict[str, object]:
    """What there is of standard streams."""
    return {name: getattr(sys, name) is not None for name in ("stdin", "stdout", "stderr")}


def write_streams(path: str) -> None:
    """For a program without any: tells by a file."""
    print("nobody hears this")
    Path(path).write_text(repr(streams()), encoding="utf-8")


def resources() -> dict[str, object]:
    """Data of the package by importlib.resources and by path."""
    here = Path(__file__).parent / "data"
    name = "grün.txt"
    with importlib.resources.as_file(importlib.resources.files("winapp") / "data" / name) as path:
        by_file = path.read_text(encoding="utf-8")
    return {
        "resource": (importlib.resources.files("winapp") / "data" / name).read_text(encoding="utf-8"),
        "as_file": by_file,
        "open": (here / name).read_text(encoding="utf-8"),
        "listed": sorted(os.listdir(here)),
        "scanned": sorted((entry.name, entry.is_file(), entry.stat().st_size) for entry in os.scandir(here)),
        "upper": os.path.isfile(str(here / name).upper()),
        "absent": os.path.exists(here / "none.txt"),
        "source": "def resources" in inspect.getsource(sys.modules[__name__]),
    }


def trace() -> str:
    """A traceback has lines of source."""
    try:
        numbers.nothing  # type: ignore[attr-defined]
    except AttributeError:
        return traceback.format_exc()
    return ""


def crypto() -> dict[str, object]:
    """OpenSSL, and the certificates of Windows."""
    context = ssl.create_default_context()
    return {
        "openssl": ssl.OPENSSL_VERSION,
        "sha3": hashlib.new("sha3_256", b"x").hexdigest()[:8],
        "stores": all(isinstance(ssl.enum_certificates(name), list) for name in ("ROOT", "CA")),
        "roots": len(ssl.enum_certificates("ROOT")),
        "loaded": context.cert_store_stats()["x509"],
        "paths": ssl.get_default_verify_paths().openssl_cafile,
    }


def libraries() -> dict[str, object]:
    """The C libraries of the standard library."""
    import bz2
    import decimal
    import lzma
    import uuid
    import xml.etree.ElementTree as ET
    import zlib

    data = b"abc" * 1000
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create virtual table t using fts5(a)")
        connection.execute("insert into t values ('hello world')")
        rows = connection.execute("select count(*) from t where t match 'hello'").fetchone()
    return {
        "packed": [module.decompress(module.compress(data)) == data for module in (zlib, bz2, lzma)],
        "sqlite": [sqlite3.sqlite_version, rows[0]],
        "decimal": str(decimal.Decimal(2).sqrt()),
        "uuid": uuid.uuid1().version,
        "xml": ET.fromstring("<a><b>1</b></a>").findtext("b"),
    }


def foreign() -> dict[str, object]:
    """ctypes: functions of DLLs, callbacks, structures."""
    library = ctypes.CDLL("ucrtbase")
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    values = (ctypes.c_int * 5)(5, 2, 9, 1, 3)
    library.qsort(values, 5, 4, callback(lambda left, right: left[0] - right[0]))
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.SetLastError(7)
    return {
        "sorted": list(values),
        "tick": ctypes.windll.kernel32.GetTickCount() > 0,
        "python": ctypes.pythonapi.PyLong_AsLong(ctypes.py_object(42)),
        "error": ctypes.WinError(2).winerror,
        "wide": ctypes.sizeof(ctypes.c_wchar),
    }


def registry() -> dict[str, object]:
    """winreg and msvcrt."""
    import msvcrt
    import winreg

    path = r"Software\OxcrossTest"
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as key:
        winreg.SetValueEx(key, "value", 0, winreg.REG_SZ, "grüße")
        value = winreg.QueryValueEx(key, "value")[0]
    winreg.DeleteKey(winreg.HKEY_CURRENT_USER, path)
    with tempfile.TemporaryFile() as file:
        handle = msvcrt.get_osfhandle(file.fileno())
    return {"value": value, "handle": handle > 0}


def files(folder: str) -> dict[str, object]:
    """Ordinary files: long paths, locks, renaming, mapping."""
    import mmap
    import shutil

    deep = Path(folder)
    for _ in range(12):
        deep /= "a-folder-with-a-long-name-" * 1
    deep.mkdir(parents=True)
    file = deep / "grün.txt"
    file.write_text("one\ntwo\n", encoding="utf-8")
    with file.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as view:
        view[0:3] = b"ONE"
    shutil.copy2(file, deep / "copy.txt")
    os.replace(deep / "copy.txt", deep / "moved.txt")
    shutil.copytree(Path(__file__).parent / "data", Path(folder) / "copied")
    result = {
        "long": len(str(file)) > 260,
        "text": (deep / "moved.txt").read_text(encoding="utf-8"),
        "copied": (Path(folder) / "copied" / "grün.txt").read_text(encoding="utf-8"),
    }
    shutil.rmtree("\\\\?\\" + str(Path(folder) / "a-folder-with-a-long-name-"))
    return result


async def _client(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"ping\n")
    line = await reader.readline()
    writer.close()
    return line


async def _loops() -> dict[str, object]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"pong " + await reader.readline())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line = await _client(server.sockets[0].getsockname()[1])
    server.close()
    child = await asyncio.create_subprocess_exec("cmd", "/c", "echo child", stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    return {
        "line": line.decode(),
        "child": said.decode().strip(),
        "loop": type(asyncio.get_running_loop()).__name__,
        "thread": await asyncio.to_thread(threading.get_ident) != threading.get_ident(),
    }


def loops() -> dict[str, object]:
    """asyncio's proactor: sockets, children, threads."""
    return asyncio.run(_loops())


def _square(number: int) -> int:
    return number * number


def workers() -> dict[str, object]:
    """multiprocessing by spawn, and pools."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("from the child",))
    process.start()
    said = queue.get(timeout=60)
    process.join(60)
    with context.Pool(2) as pool:
        squares = pool.map(_square, range(5))
    with ProcessPoolExecutor(2) as executor:
        more = list(executor.map(_square, range(5)))
    with multiprocessing.Manager() as manager:
        shared = manager.list([1])
        shared.append(2)
        kept = list(shared)
    return {"said": said, "exit": process.exitcode, "squares": squares, "more": more, "kept": kept}


def pythons() -> dict[str, object]:
    """The executable as the Python that libraries start."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
        )
        return done.stdout.strip() or f"{done.returncode}: {done.stderr.strip()}"

    return {
        "command": run("-c", "import sys; print(sys.argv, 6 * 7)", "grüße"),
        "module": run("-m", "json.tool", "--help").split("\n")[0][:6],
        "isolated": run("-I", "-c", "print('isolated')"),
        "version": run("-V"),
    }


def children() -> dict[str, object]:
    """Exit statuses, output and errors of other programs."""
    done = subprocess.run("echo out & echo err 1>&2 & exit 3", shell=True, capture_output=True, text=True, check=False)
    return {"status": done.returncode, "out": done.stdout.strip(), "err": done.stderr.strip()}


def leave(status: str) -> None:
    """End with a status."""
    sys.exit(int(status))


def fail() -> None:
    """End with an exception."""
    raise RuntimeError("grüße")


def interrupted() -> None:
    """Wait for Ctrl-C."""
    print("waiting", flush=True)
    time.sleep(60)


def interrupt() -> dict[str, object]:
    """Ctrl-C, or rather Ctrl-Break, in a child in a group of its own; KeyboardInterrupt's status."""
    import _thread
    import signal

    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    try:
        time.sleep(20)
    except KeyboardInterrupt:
        caught = True
    else:
        caught = False
    code = "import _thread, threading, time; threading.Timer(0.2, _thread.interrupt_main).start(); time.sleep(20)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return {
        "caught": caught,
        "handlers": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "status": done.returncode & 0xFFFFFFFF,
        "said": "KeyboardInterrupt" in done.stderr,
    }


def unbuffered() -> None:
    """Output in the order it was written, through several layers."""
    sys.stdout.write("one\n")
    sys.stdout.flush()
    os.write(1, b"two\n")
    with io.open(1, "w", closefd=False, encoding="utf-8") as stream:
        stream.write("three\n")
    print("four")
