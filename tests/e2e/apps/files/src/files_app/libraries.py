"""Libraries and programs of wheels that open files of their own."""

import ctypes
import errno
import os
import subprocess
import sys
import threading

import files_native
import lxml.etree
import ninja
import python_calamine

from files_app.places import DATA, NATIVE, SCRATCH, TEXT, fails, same


def check_ctypes():
    library = ctypes.CDLL(os.path.join(os.path.dirname(files_native.__file__), "libdata.so"))
    same(library.add(20, 22), 42)
    same(ctypes.CDLL(NATIVE / "libdata.so").add(1, 2), 3)
    same(ctypes.cdll.LoadLibrary(str(NATIVE / "libdata.so"))._handle, library._handle)
    library.first_byte.argtypes = [ctypes.c_char_p]
    same(library.first_byte(os.fsencode(TEXT)), ord("f"))
    same(library.first_byte(os.fsencode(DATA / "missing")), -errno.ENOENT)
    same(library.count_names(os.fsencode(DATA)), len(os.listdir(DATA)) + 2)
    same(library.count_names_reentrant(os.fsencode(DATA)), len(os.listdir(DATA)) + 2)
    same(library.count_names_sorted(os.fsencode(DATA)), len(os.listdir(DATA)) + 2)
    try:
        ctypes.CDLL(DATA / "missing.so")
    except OSError:
        pass
    else:
        raise AssertionError("a missing library was loaded")


def check_dlopen_in_threads():
    """Libraries do it without Python's lock. Each needs a library that nobody has loaded: the first brings it for all."""
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    paths = sorted(NATIVE.glob("libuser*.so"))
    start = threading.Barrier(2 * len(paths))
    found = []

    def load(path):
        start.wait()
        found.append(dlopen(os.fsencode(path), os.RTLD_NOW) is not None)

    threads = [threading.Thread(target=load, args=(path,)) for path in 2 * paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(found, [True] * len(threads))
    same([ctypes.CDLL(path).use() for path in paths], [40 + number for number in range(len(paths))])


def check_ctypes_without_soname():
    """A library that is needed by its file's name, and has no other."""
    same(ctypes.CDLL(NATIVE / "libasking.so").use(), 39)


DAEMON = """
import ctypes, os, sys
first = ctypes.CDLL(sys.argv[1] + "/libdata.so")
second = ctypes.CDLL(sys.argv[1] + "/libuser0.so")
os.closerange(3, 1000)
nulls = [os.open("/dev/null", os.O_RDONLY) for _ in range(int(sys.argv[2]))]
third = ctypes.CDLL(sys.argv[1] + "/libuser1.so")
again = ctypes.CDLL(sys.argv[1] + "/libdata.so")
import lxml.etree
print(first.add(1, 2), second.use(), third.use(), again._handle == first._handle, lxml.etree.XML("<a/>").tag)
"""


def check_descriptors_closed():
    """Daemons close all that they find, and open other files under these numbers."""
    for count in ("0", "8"):
        done = subprocess.run([sys.executable, "-c", DAEMON, str(NATIVE), count], capture_output=True, text=True)
        same((done.stdout, done.stderr), ("3 40 41 True a\n", ""))


def check_lxml():
    """libxml2 of the wheel opens the file, and what the file names."""
    same(lxml.etree.parse(str(DATA / "tree.xml")).getroot().get("name"), "tree")
    same(lxml.etree.parse(f"file://{DATA}/tree.xml").getroot().tag, "root")
    with open(DATA / "tree.xml", "rb") as stream:
        same(lxml.etree.parse(stream).getroot()[0].text, "leaf")
    fails(None, lxml.etree.parse, str(DATA / "missing.xml"))


def check_rust():
    """A wheel in Rust opens the file."""
    book = python_calamine.load_workbook(str(DATA / "book.xlsx"))
    same(book.get_sheet_by_name("numbers").to_python(), [[1.0, 2.5]])


def check_run_wheel_program():
    """What a wheel brings as a program, found as its package does it."""
    (SCRATCH / "build.ninja").write_text("rule echo\n command = echo made > $out\nbuild out: echo\n")
    program = os.path.join(ninja.BIN_DIR, "ninja")
    subprocess.run([program, "-C", SCRATCH], check=True, capture_output=True)
    same((SCRATCH / "out").read_text(), "made\n")
