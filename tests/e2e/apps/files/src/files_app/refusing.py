"""Writing: refused as on a read-only file system."""

import errno
import os
import shutil
import sqlite3
import tempfile

from files_app.places import CONTENT, DATA, HERE, MACOS, SCRATCH, TEXT, fails, same

NEW = DATA / "new"


def check_write_open():
    for mode in ("w", "a", "r+", "w+", "ab"):
        fails(errno.EROFS, open, TEXT, mode)
    for mode in ("w", "a", "x"):
        fails(errno.EROFS, open, NEW, mode)
    fails(errno.ENOENT, open, NEW, "r+")
    fails(errno.EEXIST, open, TEXT, "x")
    fails(errno.ENOENT, open, NEW / "below", "w")
    fails(errno.ENOTDIR, open, TEXT / "below", "w")
    fails(errno.EISDIR, open, DATA, "w")
    fails(errno.EROFS, os.open, TEXT, os.O_RDONLY | os.O_TRUNC)
    if not MACOS:
        fails(errno.EROFS, os.open, DATA, os.O_TMPFILE | os.O_RDWR)
    fails(errno.EROFS, TEXT.touch)
    fails(errno.EROFS, TEXT.write_text, "x")


def check_write_folders():
    fails(errno.EROFS, os.mkdir, NEW)
    fails(errno.EEXIST, os.mkdir, DATA)
    fails(errno.EEXIST, os.mkdir, TEXT)
    fails(errno.ENOENT, os.mkdir, NEW / "below")
    fails(errno.EROFS, os.makedirs, NEW / "below")
    os.makedirs(DATA / "deep", exist_ok=True)
    fails(errno.EROFS, os.rmdir, DATA)
    fails(errno.EROFS, os.rmdir, TEXT)
    fails(errno.ENOENT, os.rmdir, NEW)
    fails(errno.ENOENT, os.rmdir, NEW / "below")
    fails(errno.EROFS, shutil.rmtree, DATA / "deep")


def check_write_names():
    fails(errno.EROFS, os.unlink, TEXT)
    fails(errno.EROFS, os.remove, TEXT)
    fails(errno.EROFS, os.unlink, DATA)
    fails(errno.ENOENT, os.unlink, NEW)
    NEW.unlink(missing_ok=True)
    fails(errno.ENOTDIR, os.unlink, TEXT / "below")
    fails(errno.EROFS, os.rename, TEXT, NEW)
    fails(errno.EROFS, os.replace, TEXT, NEW)
    fails(errno.EXDEV, os.rename, TEXT, SCRATCH / "x")
    (SCRATCH / "y").write_text("y")
    fails(errno.EXDEV, os.rename, SCRATCH / "y", NEW)
    fails(errno.ENOENT, os.rename, NEW, SCRATCH / "x")
    fails(errno.ENOENT, os.rename, NEW, DATA / "newer")
    fails(errno.ENOENT, os.rename, NEW / "below", SCRATCH / "x")
    fails(errno.ENOENT, os.link, NEW, SCRATCH / "x")
    fails(errno.EEXIST, os.link, SCRATCH / "y", TEXT)
    fails(errno.EROFS, os.link, SCRATCH / "y", NEW)
    fails(errno.EROFS, os.link, TEXT, NEW)
    fails(errno.EXDEV, os.link, TEXT, SCRATCH / "x")
    fails(errno.EROFS, os.symlink, "/etc", NEW)
    fails(errno.EEXIST, os.symlink, "/etc", TEXT)
    fails(errno.EROFS, os.mkfifo, NEW)
    fails(errno.EROFS, os.mknod, NEW)


def check_write_attributes():
    fails(errno.EROFS, os.chmod, TEXT, 0o600)
    fails(errno.EROFS, os.chmod, DATA, 0o700)
    fails(errno.EROFS, os.chown, TEXT, os.getuid(), os.getgid())
    fails(errno.EROFS, os.lchown, TEXT, os.getuid(), os.getgid())
    fails(errno.EROFS, os.utime, TEXT)
    fails(errno.EROFS, os.utime, TEXT, (1, 2), follow_symlinks=False)
    fails(errno.EROFS, os.truncate, TEXT, 0)
    fails(errno.EISDIR, os.truncate, DATA, 0)
    if MACOS:
        fails(errno.EROFS, os.chflags, TEXT, 0)
        fails(errno.EROFS, os.lchflags, TEXT, 0)
        fails(errno.EROFS, os.lchmod, TEXT, 0o600)
    else:
        fails(errno.EROFS, os.setxattr, TEXT, "user.name", b"x")
        fails(errno.EROFS, os.removexattr, TEXT, "user.name")
    fails(errno.ENOENT, os.chmod, NEW, 0o600)
    same(TEXT.read_text(), CONTENT)


def check_write_descriptors():
    for path in (TEXT, DATA):
        fd = os.open(path, os.O_RDONLY)
        before = os.fstat(fd)
        fails(errno.EROFS, os.fchmod, fd, 0o600)
        fails(errno.EROFS, os.chmod, fd, 0o600)
        fails(errno.EROFS, os.fchown, fd, os.getuid(), os.getgid())
        fails(errno.EROFS, os.utime, fd)
        if not MACOS:
            fails(errno.EROFS, os.setxattr, fd, "user.name", b"x")
        fails(errno.EINVAL, os.ftruncate, fd, 0)
        fails(errno.EBADF, os.write, fd, b"x")
        same(os.fstat(fd), before)
        os.close(fd)


def check_write_temporary():
    fails(errno.EROFS, tempfile.mkdtemp, dir=DATA)
    fails(errno.EROFS, tempfile.NamedTemporaryFile, dir=DATA)


def check_write_database():
    base = sqlite3.connect(DATA / "base.db")
    try:
        base.execute("insert into words values ('new')")
    except sqlite3.OperationalError as error:
        same(error.sqlite_errorname, "SQLITE_READONLY")
    else:
        raise AssertionError("it was written")
    same(base.execute("select count(*) from words").fetchone(), (3,))
    try:
        sqlite3.connect(DATA / "new.db").execute("create table t (x)")
    except sqlite3.OperationalError as error:
        same(error.sqlite_errorname, "SQLITE_CANTOPEN")
    else:
        raise AssertionError("it was made")


def check_the_executable_is_a_file():
    """Its own path is a regular file to open and stat: an update may read and replace it."""
    import sys

    with open(sys.executable, "rb") as stream:
        same(stream.read(4), b"\xcf\xfa\xed\xfe" if MACOS else b"\x7fELF")
    same(os.path.isfile(sys.executable), True)
    same(HERE.parent.stat().st_size > 1_000_000, True)
