"""Opening and reading: what Python's own functions promise."""

import errno
import io
import linecache
import mmap
import os
import pathlib
import sqlite3
import ssl
import stat
import sys
import zipfile

import certifi

from winfiles_app.places import (
    CONTENT,
    DATA,
    FILE_NOT_FOUND,
    HERE,
    INVALID_NAME,
    NOT_A_REPARSE_POINT,
    PATH_NOT_FOUND,
    SCRATCH,
    TEXT,
    fails,
    same,
)


def check_open_text():
    with open(TEXT, encoding="utf-8") as stream:
        same(stream.readlines(), CONTENT.splitlines(keepends=True))


def check_open_bytes_path():
    with open(os.fsencode(TEXT), "rb", buffering=0) as stream:
        same(stream.read(), CONTENT.encode())
    same(os.stat(os.fsencode(TEXT)).st_size, len(CONTENT))
    same(os.listdir(os.fsencode(DATA / "deep")), [b"deeper"])
    same(os.path.realpath(os.fsencode(TEXT), strict=True), os.fsencode(TEXT))


def check_open_empty():
    same((DATA / "empty").read_bytes(), b"")


def check_open_unicode_name():
    for name in ("gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.txt", "GR\N{LATIN CAPITAL LETTER U WITH DIAERESIS}N.TXT"):
        same((DATA / name).read_text("utf-8"), "umlaut\n")


def check_open_missing():
    fails(FileNotFoundError, open, DATA / "missing")
    fails(FileNotFoundError, open, TEXT / "below")
    fails(PermissionError, open, DATA)
    fails(FileNotFoundError, os.stat, DATA / "missing", winerror=FILE_NOT_FOUND)
    fails(FileNotFoundError, os.stat, DATA / "missing" / "more", winerror=PATH_NOT_FOUND)
    fails(OSError, os.stat, f"{TEXT}\\", winerror=INVALID_NAME)


def check_open_odd_spelling():
    text = str(TEXT)
    spellings = [
        text.replace("\\", "/"), text.upper(), text.lower(), "\\\\?\\" + text, "\\\\.\\" + text, f"{text}. ",
        f"{DATA}\\\\text.txt", f"{DATA}\\.\\text.txt", f"{DATA}\\deep\\..\\text.txt", text[:3] + "nowhere\\..\\" + text[3:],
        text[:3] + ".\\" + text[3:], os.path.relpath(TEXT), text[2:],
    ]  # fmt: skip
    for spelling in spellings:
        with open(spelling, encoding="utf-8") as stream:
            same(stream.read(), CONTENT)


def check_paths_that_lead_out():
    out = f"{sys.executable}\\..\\{os.path.basename(sys.executable)}"
    same(os.path.isfile(out), True)
    with open(out, "rb") as stream:
        same(stream.read(2), b"MZ")
    (SCRATCH / "real.txt").write_text("real")
    around = os.path.join(sys.executable, os.path.relpath(SCRATCH / "real.txt", sys.executable))
    same(open(around, encoding="utf-8").read(), "real")


def check_seek_and_tell():
    with TEXT.open("rb") as stream:
        stream.seek(-5, io.SEEK_END)
        same(stream.read(), b"line\n")
        same(stream.tell(), len(CONTENT))
        same((stream.writable(), stream.isatty()), (False, False))
        stream.seek(1000)
        same(stream.read(), b"")


def check_two_readers_do_not_share_a_position():
    with TEXT.open() as one, TEXT.open() as two:
        one.read()
        same(two.read(), CONTENT)


def check_descriptor():
    fd = os.open(TEXT, os.O_RDONLY | os.O_BINARY)
    same(os.get_inheritable(fd), False)
    os.set_inheritable(fd, True)
    same(os.get_inheritable(fd), True)
    copy = os.dup(fd)
    os.lseek(fd, 6, os.SEEK_SET)
    same(os.read(copy, 4), b"line")
    other = os.open(os.devnull, os.O_RDONLY)
    os.dup2(fd, other)
    same(os.read(other, 7), b"\nsecond")
    os.close(other)
    os.close(copy)
    fails(OSError, os.fstat, copy)
    with os.fdopen(fd, encoding="utf-8") as stream:
        stream.seek(0)
        same(stream.read(), CONTENT)
    new = os.open(os.devnull, os.O_RDONLY | os.O_BINARY)  # has the number, and most likely the handle, of a virtual one
    same(os.read(new, 10), b"")
    os.close(new)


def check_descriptor_in_text_mode():
    (SCRATCH / "made").write_bytes(b"a\r\nb")
    fd = os.open(TEXT, os.O_RDONLY)
    same(os.read(fd, 1000), CONTENT.encode())
    os.close(fd)


def check_many_at_once():
    streams = [TEXT.open("rb") for _ in range(300)]
    for number, stream in enumerate(streams):
        stream.seek(number % 10)
    same({stream.read() for stream in streams}, {CONTENT[start:].encode() for start in range(10)})
    for stream in streams:
        stream.close()


def check_mmap():
    with TEXT.open("rb") as stream:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            same(memory[:5], b"first")
            same(memory.find(b"third"), CONTENT.index("third"))
            same((len(memory), memory.size()), (len(CONTENT), len(CONTENT)))
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) as memory:
            memory[:5] = b"FIRST"
            same(memory[:6], b"FIRST ")
        fails(PermissionError, mmap.mmap, stream.fileno(), 0, access=mmap.ACCESS_WRITE)
    same(TEXT.read_text(), CONTENT)


def check_big():
    """Larger than any buffer on the way."""
    path = DATA / "big.bin"
    same(path.stat().st_size, 5_000_000)
    content = path.read_bytes()
    same(content, bytes(range(250)) * 20_000)
    with path.open("rb") as stream:
        same(sum(len(part) for part in iter(lambda: stream.read(65_537), b"")), len(content))
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            same(memory[:] == content, True)


def check_locks():
    import msvcrt

    with TEXT.open("rb") as stream:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 10)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 10)
        handle = msvcrt.get_osfhandle(stream.fileno())
        same(msvcrt.setmode(stream.fileno(), os.O_BINARY), os.O_BINARY)
        same(handle != -1, True)


def check_stat():
    status = os.stat(TEXT)
    same(stat.S_ISREG(status.st_mode), True)
    same(stat.S_IMODE(status.st_mode), 0o666)
    same((status.st_size, status.st_nlink, status.st_reparse_tag), (len(CONTENT), 1, 0))
    same(status.st_file_attributes, stat.FILE_ATTRIBUTE_NORMAL)
    same(DATA.stat().st_file_attributes, stat.FILE_ATTRIBUTE_DIRECTORY)
    same(int(status.st_mtime), int(os.stat(sys.executable).st_mtime))
    same(os.lstat(TEXT), status)
    with TEXT.open("rb") as stream:
        same(os.path.samestat(os.fstat(stream.fileno()), status), True)
        same(os.fstat(stream.fileno()).st_size, status.st_size)
        same(os.fstat(stream.fileno()).st_mtime, status.st_mtime)


def check_inodes():
    """Distinct and stable, and on a device of their own: no file elsewhere can be taken for one of these."""
    seen = {}
    for folder, _, names in os.walk(HERE):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            status = os.stat(path)
            assert seen.setdefault(status.st_ino, path) == path, path
            same(status.st_dev, os.stat(HERE).st_dev)
    assert os.stat(HERE).st_dev not in {os.stat(path).st_dev for path in (sys.executable, SCRATCH, "C:\\")}
    for entry in os.scandir(DATA):
        same(entry.inode(), os.stat(entry.path).st_ino)


def check_samefile():
    same(os.path.samefile(TEXT, f"{DATA}\\.\\deep\\..\\TEXT.txt"), True)
    same(os.path.samefile(TEXT, DATA / "empty"), False)
    with TEXT.open() as one, TEXT.open() as two:
        same(os.path.sameopenfile(one.fileno(), two.fileno()), True)


def check_access():
    same(os.access(TEXT, os.R_OK), True)
    same(os.access(TEXT, os.F_OK), True)
    same(os.access(TEXT, os.W_OK), False)
    same(os.access(DATA, os.X_OK | os.R_OK), True)
    same(os.access(DATA / "missing", os.F_OK), False)


def check_kinds():
    same((os.path.exists(TEXT), os.path.isfile(TEXT), os.path.isdir(TEXT), os.path.islink(TEXT)), (True, True, False, False))
    same((os.path.exists(DATA), os.path.isfile(DATA), os.path.isdir(DATA), os.path.ismount(DATA)), (True, False, True, False))
    same((os.path.exists(DATA / "missing"), os.path.lexists(DATA / "missing"), os.path.isjunction(DATA)), (False, False, False))
    same((os.path.isfile(sys.executable), os.path.isdir(sys.executable), os.path.isdir(f"{sys.executable}\\")), (True, False, True))


def check_realpath():
    same(os.path.realpath(TEXT), str(TEXT))
    same(os.path.realpath(TEXT, strict=True), str(TEXT))
    same(os.path.realpath(str(TEXT).upper(), strict=True), str(TEXT))
    same(os.path.realpath(f"{DATA}/deep/..//text.txt", strict=True), str(TEXT))
    same(os.path.realpath("\\\\?\\" + str(TEXT)), "\\\\?\\" + str(TEXT))
    same(TEXT.resolve(strict=True), TEXT)
    same((DATA / "missing" / "more").resolve(), DATA / "missing" / "more")
    fails(FileNotFoundError, os.path.realpath, DATA / "missing", strict=True)
    fails(FileNotFoundError, pathlib.Path(DATA, "missing").resolve, strict=True)
    fails(OSError, os.readlink, TEXT, winerror=NOT_A_REPARSE_POINT)


def check_zipfile():
    with zipfile.ZipFile(DATA / "archive.zip") as archive:
        same(archive.namelist(), ["inner.txt"])
        same(archive.read("inner.txt"), b"inner\n")
    same(zipfile.is_zipfile(DATA / "archive.zip"), True)
    same((zipfile.Path(DATA / "archive.zip") / "inner.txt").read_text(), "inner\n")


def check_import_from_an_archive():
    sys.path.insert(0, str(DATA / "modules.zip"))
    try:
        import zipped_module
    finally:
        del sys.path[0]
    same(zipped_module.VALUE, 42)


def check_database():
    for name in (DATA / "base.db", f"file:{DATA.as_posix()}/base.db?mode=ro&immutable=1", f"file:{DATA.as_posix()}/base.db?mode=ro"):
        base = sqlite3.connect(name, uri="?" in str(name))
        same([word for (word,) in base.execute("select word from words order by word")], ["one", "three", "two"])
        base.close()
    base = sqlite3.connect(":memory:")
    base.execute("attach ? as other", (str(DATA / "base.db"),))
    same(base.execute("select count(*) from other.words").fetchone(), (3,))
    base.execute("pragma other.mmap_size = 1000000")
    same(base.execute("select max(word) from other.words").fetchone(), ("two",))
    base.close()


def check_certificates():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    same(context.cert_store_stats()["x509_ca"] > 50, True)
    fails(FileNotFoundError, context.load_verify_locations, cafile=str(DATA / "missing.pem"))


def check_linecache():
    same(linecache.getline(str(TEXT), 2), "second line\n")


def check_threads():
    from concurrent.futures import ThreadPoolExecutor

    def read(number):
        path = (TEXT, DATA / "big.bin", DATA / "empty")[number % 3]
        return len(path.read_bytes()), path.stat().st_size

    with ThreadPoolExecutor(8) as pool:
        for found, expected in pool.map(read, range(200)):
            same(found, expected)


def check_change_directory():
    """A program may go to the folder of its code and open what lies there by its bare name."""
    before = os.getcwd()
    os.chdir(DATA)
    try:
        same(os.getcwd(), str(DATA))
        same(os.getcwdb(), os.fsencode(DATA))
        same(open("text.txt", encoding="utf-8").read(), CONTENT)
        same(open("../data/text.txt", encoding="utf-8").read(), CONTENT)
        same(os.path.abspath("text.txt"), str(TEXT))
        same(os.path.realpath("text.txt", strict=True), str(TEXT))
        same(sorted(os.listdir()), sorted(os.listdir(DATA)))
        fails(PermissionError, open, "new.txt", "w")
        os.chdir("deep")
        same(pathlib.Path.cwd(), DATA / "deep")
        fails(FileNotFoundError, os.chdir, "missing")
        same(pathlib.Path("deeper/note.txt").read_text(), "deep\n")
        os.chdir(SCRATCH)
        same(os.getcwd(), str(SCRATCH))
        same(os.path.exists("text.txt"), False)
        fails(NotADirectoryError, os.chdir, TEXT)
    finally:
        os.chdir(before)
    same(os.getcwd(), before)


def check_the_executable_is_a_file():
    """Its own path is a regular file to open and stat: an update may read and replace it."""
    with open(sys.executable, "rb") as stream:
        same(stream.read(2), b"MZ")
    same(os.stat(sys.executable).st_size > 1_000_000, True)
    same(errno.ENOENT, 2)
