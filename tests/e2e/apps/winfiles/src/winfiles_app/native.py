"""The functions of DLLs, by ctypes: what it finds by name are the launcher's."""

import _winapi
import ctypes
import os
import tempfile
from ctypes import wintypes

from winfiles_app.places import CONTENT, DATA, SCRATCH, TEXT, same

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.CreateFileW.restype = wintypes.HANDLE
ucrt = ctypes.CDLL("ucrtbase")
for _function in (ucrt.fopen, ucrt._wfopen, ucrt.fgets, ucrt._fdopen):
    _function.restype = ctypes.c_void_p

INVALID = ctypes.c_void_p(-1).value


def check_handles():
    handle = kernel32.CreateFileW(str(TEXT), 0x80000000, 1, None, 3, 0, None)
    same(handle != INVALID, True)
    same(_winapi.GetFileType(handle), 1)
    same(_winapi.ReadFile(handle, 5), (b"first", 0))
    copy = _winapi.DuplicateHandle(
        _winapi.GetCurrentProcess(), handle, _winapi.GetCurrentProcess(), 0, False, _winapi.DUPLICATE_SAME_ACCESS
    )
    _winapi.CloseHandle(handle)
    same(_winapi.ReadFile(copy, 100), (CONTENT[5:].encode(), 0))
    _winapi.CloseHandle(copy)
    same(kernel32.CreateFileW(str(TEXT), 0x40000000, 0, None, 3, 0, None), INVALID)
    same(ctypes.get_last_error(), 19)


def check_attributes():
    same(kernel32.GetFileAttributesW(str(TEXT)), 1)
    same(kernel32.GetFileAttributesA(os.fsencode(DATA)), 16)
    same(kernel32.GetFileAttributesW(str(DATA / "missing")), -1)
    same(ctypes.get_last_error(), 2)


def _lines(stream):
    buffer = ctypes.create_string_buffer(100)
    found = []
    while ucrt.fgets(buffer, 100, ctypes.c_void_p(stream)):
        found.append(buffer.value)
    ucrt.fclose(ctypes.c_void_p(stream))
    return found


def check_streams():
    """Streams need a real file, which is gone when they are closed."""
    before = set(os.listdir(tempfile.gettempdir()))
    expected = CONTENT.encode().splitlines(keepends=True)
    same(_lines(ucrt.fopen(os.fsencode(TEXT), b"rb")), expected)
    stream = ucrt._wfopen(str(TEXT), "r")
    same(len(set(os.listdir(tempfile.gettempdir())) - before), 1)
    same(_lines(stream), expected)
    fd = os.open(TEXT, os.O_RDONLY | os.O_BINARY)
    same(os.read(fd, 6), b"first ")
    same(_lines(ucrt._fdopen(fd, b"rb")), [b"line\n", *expected[1:]])
    same(ucrt.fopen(os.fsencode(DATA / "missing"), b"rb"), None)
    same(ucrt.fopen(os.fsencode(TEXT), b"r+"), None)
    same(set(os.listdir(tempfile.gettempdir())), before)


def check_ordinary_streams():
    path = SCRATCH / "streamed"
    stream = ucrt._wfopen(str(path), "wb")
    ucrt.fputs(b"text", ctypes.c_void_p(stream))
    ucrt.fclose(ctypes.c_void_p(stream))
    same(path.read_bytes(), b"text")
