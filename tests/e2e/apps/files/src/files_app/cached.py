"""macOS: what is loaded, run or handed over has a file of its own in the cache (launcher/README.md)."""

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

from files_app.places import CONTENT, DATA, NATIVE, SCRATCH, TEXT, same

CACHE = Path(os.environ["OXCROSS_CACHE"])


def _output(*line, **keywords):
    return subprocess.run(line, capture_output=True, text=True, check=True, **keywords).stdout


def check_cached_name():
    """A file keeps its name and its extension: programs go by these."""
    for path in (TEXT, DATA / "deep" / "deeper" / "note.txt", DATA / "empty", NATIVE / "script"):
        given = Path(_output("printf", "%s", path))
        same(
            given.parts[-len(path.relative_to(sys.executable).parts) :],
            path.relative_to(sys.executable).parts,
        )
        same(given.is_relative_to(CACHE.resolve()), True)
        same(given.read_bytes(), path.read_bytes())
        same(stat.S_IMODE(given.stat().st_mode), stat.S_IMODE(path.stat().st_mode))
        same(_output("printf", "%s", f"@{path}"), f"@{given}")
        same(_output("printf", "%s", f"--file={path}"), f"--file={given}")


def check_cached_key():
    """Native files are beside each other; every other one has a folder of its own, which no other version of it gets."""
    library = ctypes.CDLL(NATIVE / "libuser0.so")
    del library
    given = [
        Path(_output("printf", "%s", path))
        for path in (TEXT, DATA / "empty", NATIVE / "program", NATIVE / "script")
    ]
    keys = [path.relative_to(CACHE.resolve()).parts[0] for path in given]
    same((len(set(keys)), keys[2]), (3, keys[3]))
    same((CACHE / keys[2] / "files_native" / "libuser0.so").exists(), True)


def check_cached_many():
    same(_output("cat", *[TEXT] * 500), CONTENT * 500)


def check_cached_changed():
    """What another program did to its copy is gone for the next one."""
    _output("sh", "-c", 'echo more >> "$1"; chmod 600 "$1"', "sh", TEXT)
    same(_output("cat", TEXT), CONTENT)
    same(TEXT.read_text(), CONTENT)


def check_cached_program_has_libraries():
    """A program is found by what it needs, whoever starts it."""
    program = NATIVE / "bin" / "calling"
    same(_output(program, "2"), "42\n")
    same(_output("nice", program, "3"), "43\n")
    same(
        _output("calling", "4", env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}), "44\n"
    )
    same(_output("sh", "-c", '"$PROGRAM" 5', env={**os.environ, "PROGRAM": str(program)}), "45\n")


def check_cached_libraries():
    """By @loader_path, and by @rpath from folders of the library and of those that need it."""
    same(ctypes.CDLL(NATIVE / "libuser0.so").use(), 40)
    same(ctypes.CDLL(NATIVE / "libuser1.so").use(), 41)
    same(ctypes.CDLL(NATIVE / "libdeep.so").deep(), 42)
    files = {path.name for path in CACHE.rglob("*") if path.is_file()}
    same({"libuser0.so", "libuser1.so", "libdeep.so", "libfilesbase.dylib", "libmiddle.dylib"} <= files, True)
    same([name for name in files if name.endswith(".new")], [])


def check_cached_pointers():
    """Every way in which a library comes by a function of the system's leads to the launcher's."""
    library = ctypes.CDLL(NATIVE / "libpointers.so")
    for name in ("by_call", "by_constant", "by_variable", "by_name", "by_name_of_all"):
        function = getattr(library, name)
        function.argtypes = [ctypes.c_char_p]
        same((name, function(os.fsencode(TEXT))), (name, 0))
        same((name, function(os.fsencode(SCRATCH))), (name, 0))
        same((name, function(os.fsencode(DATA / "missing"))), (name, -1))


def check_cached_missing_library():
    """What dyld says comes through, with the path that was asked for."""
    path = NATIVE / "libbroken.so"
    try:
        ctypes.CDLL(path)
    except OSError as error:
        same((str(path) in str(error), "@rpath/libgone.dylib" in str(error)), (True, True))
    else:
        raise AssertionError("it was loaded")


def check_cached_wrong_machine():
    try:
        ctypes.CDLL(NATIVE / "libother.so")
    except OSError as error:
        same(str(error), f"{NATIVE / 'libother.so'}: it is no library for this machine")
    else:
        raise AssertionError("it was loaded")
