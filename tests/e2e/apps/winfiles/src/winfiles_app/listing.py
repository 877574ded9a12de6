"""Listing folders and copying out of them."""

import glob
import os
import pathlib
import shutil
import sys
import tarfile

from winfiles_app.places import CONTENT, DATA, DIRECTORY, HERE, PATH_NOT_FOUND, SCRATCH, TEXT, fails, same

NAMES = ["archive.zip", "base.db", "big.bin", "deep", "empty", "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.txt",
         "modules.zip", "text.txt"]  # fmt: skip


def check_listdir():
    same(sorted(os.listdir(DATA)), sorted(NAMES))
    fails(FileNotFoundError, os.listdir, DATA / "missing", winerror=PATH_NOT_FOUND)
    fails(NotADirectoryError, os.listdir, TEXT, winerror=DIRECTORY)
    same("winfiles_app" in os.listdir(sys.executable), True)


def check_scandir():
    with os.scandir(DATA) as entries:
        found = {entry.name: entry for entry in entries}
    same(sorted(found), sorted(NAMES))
    same(found["deep"].is_dir(), True)
    same(found["text.txt"].is_file(follow_symlinks=False), True)
    same((found["text.txt"].is_symlink(), found["text.txt"].is_junction()), (False, False))
    same(found["text.txt"].stat().st_size, len(CONTENT))
    same(found["text.txt"].path, str(TEXT))


def check_walk():
    expected = [(str(DATA / "deep"), ["deeper"], []), (str(DATA / "deep" / "deeper"), [], ["note.txt"])]
    same(list(os.walk(DATA / "deep")), expected)
    same(list(os.walk(DATA / "deep", topdown=False)), expected[::-1])
    same([(str(a), b, c) for a, b, c in (DATA / "deep").walk()], expected)


def check_glob():
    same(sorted(os.path.basename(p) for p in glob.glob(f"{DATA}/*.txt")), [NAMES[5], "text.txt"])
    same(glob.glob("**/note.txt", root_dir=DATA, recursive=True), ["deep\\deeper\\note.txt"])
    same([p.name for p in DATA.rglob("note*")], ["note.txt"])
    same([p.name for p in DATA.glob("T*.txt")], ["text.txt"])


def check_pathlib():
    same((TEXT.exists(), TEXT.is_file(), TEXT.is_dir(), TEXT.is_symlink(), TEXT.is_mount()), (True, True, False, False, False))
    same((DATA.is_dir(), (DATA / "missing").exists()), (True, False))
    same(TEXT.read_text(), CONTENT)
    same(sorted(p.name for p in DATA.iterdir()), sorted(NAMES))
    same(TEXT.samefile(DATA / "deep" / ".." / "text.txt"), True)
    same(HERE.parent / "winfiles_app", HERE)
    same(pathlib.Path(sys.executable) / "winfiles_app", HERE)


def _is_an_ordinary_copy(copy):
    """What its owner may change and remove, as a copy of an installed package."""
    same((copy / "text.txt").read_text(), CONTENT)
    same((copy / "deep" / "deeper" / "note.txt").read_text(), "deep\n")
    same(os.access(copy / "text.txt", os.W_OK), True)
    with (copy / "text.txt").open("a") as stream:
        stream.write("more\n")
    (copy / "deep" / "new").write_text("new")
    shutil.rmtree(copy)


def check_copytree():
    same(shutil.copytree(DATA, SCRATCH / "tree"), SCRATCH / "tree")
    same(int((SCRATCH / "tree" / "text.txt").stat().st_mtime), int(TEXT.stat().st_mtime))
    same((SCRATCH / "tree" / "big.bin").read_bytes() == (DATA / "big.bin").read_bytes(), True)
    _is_an_ordinary_copy(SCRATCH / "tree")
    for function in (shutil.copy, shutil.copyfile):
        shutil.copytree(DATA, SCRATCH / "tree", copy_function=function)
        _is_an_ordinary_copy(SCRATCH / "tree")


def check_copies():
    for function in (shutil.copy, shutil.copy2, shutil.copyfile):
        path = pathlib.Path(function(TEXT, SCRATCH / "copied"))
        same(path.read_text(), CONTENT)
        path.write_text("changed")
        path.unlink()
        (SCRATCH / "ordinary").write_text("ordinary")
        same(pathlib.Path(function(SCRATCH / "ordinary", SCRATCH / "copied")).read_text(), "ordinary")
        fails(PermissionError, function, SCRATCH / "ordinary", DATA / "new")
        fails(FileNotFoundError, function, DATA / "missing", SCRATCH / "copied")


def check_move_out_leaves_the_original():
    """As from any read-only file system: the copy is made, the removal fails."""
    fails(PermissionError, shutil.move, TEXT, SCRATCH / "moved")
    same((SCRATCH / "moved").read_text(), CONTENT)
    same(TEXT.read_text(), CONTENT)


def check_archives():
    name = shutil.make_archive(str(SCRATCH / "made"), "zip", DATA / "deep")
    shutil.unpack_archive(name, SCRATCH / "unpacked")
    same((SCRATCH / "unpacked" / "deeper" / "note.txt").read_text(), "deep\n")
    with tarfile.open(SCRATCH / "made.tar", "w") as archive:
        archive.add(DATA, "data")
    with tarfile.open(SCRATCH / "made.tar") as archive:
        archive.extractall(SCRATCH / "untarred", filter="data")
    _is_an_ordinary_copy(SCRATCH / "untarred" / "data")
    shutil.unpack_archive(DATA / "archive.zip", SCRATCH / "unpacked")
    same((SCRATCH / "unpacked" / "inner.txt").read_text(), "inner\n")


def check_disk_usage():
    same(shutil.disk_usage(DATA), shutil.disk_usage(os.path.dirname(sys.executable)))
