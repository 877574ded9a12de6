"""Opening and reading: what Python's own functions promise."""

import fcntl
import io
import linecache
import mmap
import os
import pathlib
import socket
import stat
import zipfile

from files_app.places import CONTENT, DATA, HERE, MACOS, NATIVE, SCRATCH, TEXT, fails, same
import ctypes
import errno


def check_open_text():
    with open(TEXT, encoding="utf-8") as stream:
        same(stream.readlines(), CONTENT.splitlines(keepends=True))


def check_open_bytes_path():
    with open(os.fsencode(TEXT), "rb", buffering=0) as stream:
        same(stream.read(), CONTENT.encode())
    same(os.stat(os.fsencode(TEXT)).st_size, len(CONTENT))
    same(os.listdir(os.fsencode(DATA / "deep")), [b"deeper"])
    same([entry.name for entry in os.scandir(os.fsencode(DATA / "deep"))], [b"deeper"])
    same(os.path.realpath(os.fsencode(TEXT), strict=True), os.fsencode(TEXT))


def check_open_empty():
    same((DATA / "empty").read_bytes(), b"")


def check_open_unicode_name():
    same((DATA / "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.txt").read_text("utf-8"), "umlaut\n")


def check_open_missing():
    fails(errno.ENOENT, open, DATA / "missing")
    fails(errno.ENOTDIR, open, TEXT / "below")
    fails(errno.ENOTDIR, open, f"{TEXT}/")
    fails(errno.EISDIR, open, DATA)


def check_open_odd_spelling():
    for spelling in (f"{DATA}//text.txt", f"{DATA}/./text.txt", f"{DATA}/deep/../text.txt", f"/.{TEXT}", f"//{TEXT}"[1:]):
        with open(spelling, encoding="utf-8") as stream:
            same(stream.read(), CONTENT)


def check_seek_and_tell():
    with TEXT.open("rb") as stream:
        stream.seek(-5, io.SEEK_END)
        same(stream.read(), b"line\n")
        same(stream.tell(), len(CONTENT))
        same(os.pread(stream.fileno(), 5, 6), b"line\n")
        same(stream.writable(), False)


def check_two_readers_do_not_share_a_position():
    with TEXT.open() as one, TEXT.open() as two:
        one.read()
        same(two.read(), CONTENT)


def check_descriptor():
    fd = os.open(TEXT, os.O_RDONLY | os.O_CLOEXEC)
    same(os.get_inheritable(fd), False)
    same(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE, os.O_RDONLY)
    copy = os.dup(fd)
    os.lseek(fd, 6, os.SEEK_SET)
    same(os.read(copy, 4), b"line")
    os.close(copy)
    with os.fdopen(fd, encoding="utf-8") as stream:
        stream.seek(0)
        same(stream.read(), CONTENT)


def check_openat():
    folder = os.open(DATA, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fd = os.open("deep/deeper/note.txt", os.O_RDONLY, dir_fd=folder)
        same(os.read(fd, 100), b"deep\n")
        os.close(fd)
        same(os.stat("text.txt", dir_fd=folder).st_size, len(CONTENT))
        same(os.stat("..", dir_fd=folder).st_ino, HERE.stat().st_ino)
        same(stat.S_ISDIR(os.fstat(folder).st_mode), True)
        same(os.path.samestat(os.fstat(folder), DATA.stat()), True)
        same(sorted(os.listdir(folder)), sorted(os.listdir(DATA)))
        same(os.access("text.txt", os.R_OK, dir_fd=folder), True)
        fails(errno.ENOENT, os.stat, "missing", dir_fd=folder)
        fails(errno.ENOENT, os.open, "missing", os.O_RDONLY, dir_fd=folder)
        fails(errno.EROFS, os.open, "missing", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
        fails(errno.EROFS, os.mkdir, "new", dir_fd=folder)
        fails(errno.EROFS, os.unlink, "text.txt", dir_fd=folder)
        fails(errno.EINVAL, os.readlink, "text.txt", dir_fd=folder)
    finally:
        os.close(folder)


def check_mmap():
    with TEXT.open("rb") as stream:
        for access in (mmap.ACCESS_READ, mmap.ACCESS_COPY):
            with mmap.mmap(stream.fileno(), 0, access=access) as memory:
                same(memory[:5], b"first")
                same(memory.find(b"third"), CONTENT.index("third"))
        with mmap.mmap(stream.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ) as memory:
            same(memory[:5], b"first")


def check_sendfile():
    fd = os.open(TEXT, os.O_RDONLY)
    one, other = socket.socketpair()
    same(os.sendfile(one.fileno(), fd, 6, 11), 11)
    same(other.recv(100), b"line\nsecond")
    one.close()
    other.close()
    if MACOS:  # sends to sockets only
        os.close(fd)
        return
    goal = os.open(SCRATCH / "sent", os.O_RDWR | os.O_CREAT)
    same(os.sendfile(goal, fd, 6, 11), 11)
    same(os.pread(goal, 100, 0), b"line\nsecond")
    if hasattr(os, "copy_file_range"):  # from one file system to another, as Linux has it from 5.19 on
        fails(errno.EXDEV, os.copy_file_range, fd, goal, 5, offset_src=0, offset_dst=0)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    os.close(goal)
    os.close(fd)


def check_locks():
    with TEXT.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(stream, fcntl.LOCK_UN)
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fails(errno.EBADF, fcntl.lockf, stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def check_big():
    """Larger than any buffer on the way."""
    path = DATA / "big.bin"
    same(path.stat().st_size, 5_000_000)
    content = path.read_bytes()
    same(content, bytes(range(250)) * 20_000)
    with path.open("rb") as stream:
        same(sum(len(part) for part in iter(lambda: stream.read(65_537), b"")), len(content))


def check_stat():
    status = os.stat(TEXT)
    same(stat.S_ISREG(status.st_mode), True)
    same(stat.S_IMODE(status.st_mode), 0o644)
    same(stat.S_IMODE((DATA / "deep").stat().st_mode), 0o755)
    same(stat.S_IMODE((NATIVE / "script").stat().st_mode), 0o755)
    same((status.st_size, status.st_nlink), (len(CONTENT), 1))
    same(int(status.st_mtime), int(HERE.parent.stat().st_mtime))
    same(os.lstat(TEXT), status)
    same(os.stat(TEXT, follow_symlinks=False), status)
    same((status.st_size + 511) // 512 <= status.st_blocks, True)
    with TEXT.open("rb") as stream:
        same(os.path.samestat(os.fstat(stream.fileno()), status), True)
        same(os.fstat(stream.fileno()), status)
        same(os.stat(stream.fileno()), status)


def check_inodes():
    """Distinct and stable, and on a device of their own: no file elsewhere can be taken for one of these."""
    seen = {}
    for folder, _, names in os.walk(HERE):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            status = os.stat(path)
            assert seen.setdefault(status.st_ino, path) == path, path
            same(os.stat(path).st_ino, status.st_ino)
            same(status.st_dev, os.stat(HERE).st_dev)
    assert os.stat(HERE).st_dev not in {os.stat(path).st_dev for path in ("/", SCRATCH, "/dev")}
    for entry in os.scandir(DATA):
        same(entry.inode(), os.stat(entry.path).st_ino)


def check_samefile():
    same(os.path.samefile(TEXT, f"{DATA}/./deep/../text.txt"), True)
    same(os.path.samefile(TEXT, DATA / "empty"), False)
    with TEXT.open() as one, TEXT.open() as two:
        same(os.path.sameopenfile(one.fileno(), two.fileno()), True)


def check_access():
    same(os.access(TEXT, os.R_OK), True)
    same(os.access(TEXT, os.F_OK), True)
    same(os.access(TEXT, os.W_OK), False)
    same(os.access(TEXT, os.X_OK), False)
    same(os.access(NATIVE / "script", os.X_OK), True)
    same(os.access(DATA, os.X_OK | os.R_OK), True)
    same(os.access(DATA, os.W_OK), False)
    same(os.access(DATA / "missing", os.F_OK), False)
    same(os.access(TEXT, os.R_OK, effective_ids=True), True)


def check_realpath():
    same(os.path.realpath(TEXT), str(TEXT))
    same(os.path.realpath(TEXT, strict=True), str(TEXT))
    same(os.path.realpath(f"{DATA}/deep/..//text.txt", strict=True), str(TEXT))
    same(TEXT.resolve(strict=True), TEXT)
    same((DATA / "missing" / "more").resolve(), DATA / "missing" / "more")
    fails(errno.ENOENT, os.path.realpath, DATA / "missing", strict=True)
    fails(errno.ENOTDIR, os.path.realpath, TEXT / "x", strict=True)
    fails(errno.ENOENT, pathlib.Path(DATA, "missing").resolve, strict=True)
    link = SCRATCH / "link"
    link.symlink_to("/usr")
    same(os.path.realpath(f"{link}/bin/.."), os.path.realpath("/usr"))
    same(os.path.realpath(f"{link}/.", strict=True), os.path.realpath("/usr", strict=True))
    same(os.path.realpath(HERE.parent), str(HERE.parent))
    fails(errno.EINVAL, os.readlink, TEXT)


def check_statvfs():
    same(bool(os.statvfs(TEXT).f_flag & os.ST_RDONLY), True)
    fails(errno.ENOENT, os.statvfs, DATA / "missing")


def check_zipfile():
    with zipfile.ZipFile(DATA / "archive.zip") as archive:
        same(archive.namelist(), ["inner.txt"])
        same(archive.read("inner.txt"), b"inner\n")
    same(zipfile.is_zipfile(DATA / "archive.zip"), True)
    same((zipfile.Path(DATA / "archive.zip") / "inner.txt").read_text(), "inner\n")


def check_linecache():
    same(linecache.getline(str(TEXT), 2), "second line\n")


def check_extended_attributes():
    if MACOS:  # which Python has no functions for
        libc = ctypes.CDLL(None, use_errno=True)
        same(libc.listxattr(os.fsencode(TEXT), None, ctypes.c_size_t(0), 0), 0)
        same(libc.getxattr(os.fsencode(TEXT), b"name", None, ctypes.c_size_t(0), 0, 0), -1)
        same(ctypes.get_errno(), 93)  # ENOATTR
        return
    same(os.listxattr(TEXT), [])
    fails(errno.ENODATA, os.getxattr, TEXT, "user.name")


def check_pathconf():
    same(os.pathconf(DATA, "PC_NAME_MAX"), 255)


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
        fails(errno.EROFS, open, "new.txt", "w")
        os.chdir("deep")
        same(pathlib.Path.cwd(), DATA / "deep")
        fails(errno.ENOENT, os.chdir, "missing")
        same(pathlib.Path("deeper/note.txt").read_text(), "deep\n")
        os.chdir(SCRATCH)
        same(os.getcwd(), os.path.realpath(SCRATCH))
        same(os.path.exists("text.txt"), False)
        fails(errno.ENOTDIR, os.chdir, TEXT)
        folder = os.open(DATA, os.O_RDONLY)
        os.chdir(folder)
        same(os.getcwd(), str(DATA))
        os.close(folder)
    finally:
        os.chdir(before)
    same(os.getcwd(), before)


def check_relative_path_through_the_executable():
    """./app/pkg/data from the folder that the executable lies in, after coming there by any way."""
    root = pathlib.Path(os.path.realpath(os.sys.executable))
    before = os.getcwd()
    inside = TEXT.relative_to(root.parent)
    try:
        os.chdir(root.parent)
        same(inside.read_text(), CONTENT)
        same(open(f"./{inside}", encoding="utf-8").read(), CONTENT)
        same(os.stat(f"../{root.parent.name}/{inside}").st_size, len(CONTENT))
        os.chdir("/")
        same(open(str(TEXT)[1:], encoding="utf-8").read(), CONTENT)
        os.chdir(SCRATCH)
        same(os.path.exists(inside), False)
        folder = os.open(root.parent, os.O_RDONLY)
        os.fchdir(folder)
        os.close(folder)
        same(os.path.exists(inside), True)
    finally:
        os.chdir(before)
