"""Writing: refused as on a read-only volume."""

import os
import shutil
import sqlite3
import tempfile

from winfiles_app.places import (
    ACCESS_DENIED,
    ALREADY_EXISTS,
    CONTENT,
    DATA,
    FILE_NOT_FOUND,
    NOT_SAME_DEVICE,
    PATH_NOT_FOUND,
    SCRATCH,
    TEXT,
    WRITE_PROTECT,
    fails,
    same,
)

NEW = DATA / "new"


def check_write_open():
    for mode in ("w", "a", "r+", "w+", "ab"):
        fails(PermissionError, open, TEXT, mode)
    for mode in ("w", "a", "x"):
        fails(PermissionError, open, NEW, mode)
    fails(FileNotFoundError, open, NEW, "r+")
    fails(FileExistsError, open, TEXT, "x")
    fails(FileNotFoundError, open, NEW / "below", "w")
    fails(FileNotFoundError, open, TEXT / "below", "w")
    fails(PermissionError, open, DATA, "w")
    fails(PermissionError, os.open, TEXT, os.O_RDONLY | os.O_TRUNC)
    fails(PermissionError, TEXT.touch)
    fails(PermissionError, TEXT.write_text, "x")


def check_write_folders():
    fails(PermissionError, os.mkdir, NEW, winerror=WRITE_PROTECT)
    fails(FileExistsError, os.mkdir, DATA, winerror=ALREADY_EXISTS)
    fails(FileExistsError, os.mkdir, TEXT)
    fails(FileNotFoundError, os.mkdir, NEW / "below", winerror=PATH_NOT_FOUND)
    fails(PermissionError, os.makedirs, NEW / "below")
    os.makedirs(DATA / "deep", exist_ok=True)
    fails(PermissionError, os.rmdir, DATA, winerror=WRITE_PROTECT)
    fails(NotADirectoryError, os.rmdir, TEXT)
    fails(FileNotFoundError, os.rmdir, NEW, winerror=FILE_NOT_FOUND)
    fails(PermissionError, shutil.rmtree, DATA / "deep")


def check_write_names():
    fails(PermissionError, os.unlink, TEXT, winerror=WRITE_PROTECT)
    fails(PermissionError, os.unlink, DATA, winerror=ACCESS_DENIED)
    fails(FileNotFoundError, os.unlink, NEW)
    NEW.unlink(missing_ok=True)
    fails(PermissionError, os.rename, TEXT, NEW, winerror=WRITE_PROTECT)
    fails(PermissionError, os.replace, TEXT, NEW)
    fails(OSError, os.rename, TEXT, SCRATCH / "x", winerror=NOT_SAME_DEVICE)
    (SCRATCH / "y").write_text("y")
    fails(OSError, os.rename, SCRATCH / "y", NEW, winerror=NOT_SAME_DEVICE)
    fails(FileNotFoundError, os.rename, NEW, SCRATCH / "x")
    fails(FileExistsError, os.link, SCRATCH / "y", TEXT)
    fails(OSError, os.link, TEXT, SCRATCH / "x", winerror=NOT_SAME_DEVICE)
    fails(PermissionError, os.symlink, "C:\\", NEW)
    fails(FileExistsError, os.symlink, "C:\\", TEXT)


def check_write_attributes():
    fails(PermissionError, os.chmod, TEXT, 0o600)
    fails(PermissionError, os.utime, TEXT)
    fails(PermissionError, os.truncate, TEXT, 0)
    fails(FileNotFoundError, os.chmod, NEW, 0o600)
    same(TEXT.read_text(), CONTENT)


def check_write_descriptors():
    fd = os.open(TEXT, os.O_RDONLY)
    fails(PermissionError, os.ftruncate, fd, 0)
    fails(OSError, os.write, fd, b"x")
    fails(PermissionError, os.fchmod, fd, 0o400)
    same(os.fstat(fd).st_size, len(CONTENT))
    os.close(fd)


def check_write_temporary():
    fails(PermissionError, tempfile.mkdtemp, dir=DATA)
    fails(PermissionError, tempfile.NamedTemporaryFile, dir=DATA)


def check_write_database():
    base = sqlite3.connect(DATA / "base.db")
    try:
        base.execute("insert into words values ('new')")
    except sqlite3.OperationalError as error:
        same(error.sqlite_errorname, "SQLITE_READONLY")
    else:
        raise AssertionError("it was written")
    same(base.execute("select count(*) from words").fetchone(), (3,))
    base.close()
    try:
        sqlite3.connect(DATA / "new.db").execute("create table t (x)")
    except sqlite3.OperationalError as error:
        same(error.sqlite_errorname, "SQLITE_CANTOPEN")
    else:
        raise AssertionError("it was made")
