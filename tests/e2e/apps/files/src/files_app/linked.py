"""C libraries that are linked in and open files of their own."""

import ctypes
import errno
import os
import sqlite3
import ssl

import certifi

from files_app.places import DATA, SCRATCH, TEXT, fails, same


def _words(base):
    return [row[0] for row in base.execute("select word from words order by word")]


def check_sqlite_uri():
    for uri in (f"file:{DATA}/base.db?mode=ro", f"file:{DATA}/base.db?immutable=1", f"file:{DATA}/base.db"):
        base = sqlite3.connect(uri, uri=True)
        same(_words(base), ["one", "three", "two"])
        base.close()


def check_sqlite_plain():
    base = sqlite3.connect(DATA / "base.db")
    same(_words(base), ["one", "three", "two"])
    base.execute("attach ? as other", (f"file:{DATA}/base.db?mode=ro",))
    same(base.execute("select count(*) from other.words").fetchone(), (3,))
    copy = sqlite3.connect(SCRATCH / "copy.db")
    base.backup(copy)
    same(_words(copy), ["one", "three", "two"])


def check_ssl():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    same(len(context.get_ca_certs()) > 50, True)
    context = ssl.create_default_context(cafile=certifi.where())
    same(context.cert_store_stats()["x509_ca"] > 50, True)
    fails(errno.ENOENT, context.load_verify_locations, f"{DATA}/missing.pem")


def check_ctypes_of_the_program():
    """What is linked in, by name: libc, which knows of the files here, and Python."""
    program = ctypes.CDLL(None)
    numbers = (ctypes.c_int * 5)(5, 1, 4, 2, 3)
    number = ctypes.POINTER(ctypes.c_int)
    compare = ctypes.CFUNCTYPE(ctypes.c_int, number, number)(lambda one, other: one[0] - other[0])
    program.qsort(numbers, ctypes.c_size_t(5), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int)), compare)
    same(list(numbers), [1, 2, 3, 4, 5])
    same(program.getpid(), os.getpid())
    same(program.access(os.fsencode(TEXT), os.R_OK), 0)
    same(ctypes.pythonapi.Py_IsInitialized(), 1)
    same(hasattr(program, "no_such_function"), False)


def check_ctypes_of_nothing():
    try:
        ctypes.CDLL("libnowhere.so.7")
    except OSError as error:
        same("libnowhere.so.7" in str(error), True)
    else:
        raise AssertionError("a missing library was loaded")
