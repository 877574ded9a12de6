"""Listing folders and copying out of them."""

import errno
import fnmatch
import glob
import os
import pathlib
import shutil
import stat
import sys
import tarfile

from files_app.places import CONTENT, DATA, HERE, NATIVE, SCRATCH, TEXT, fails, same

NAMES = ["archive.zip", "base.db", "big.bin", "book.xlsx", "deep", "empty", "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n.txt",
         "text.txt", "tree.xml"]  # fmt: skip


def check_listdir():
    same(sorted(os.listdir(DATA)), sorted(NAMES))
    fails(errno.ENOENT, os.listdir, DATA / "missing")
    fails(errno.ENOTDIR, os.listdir, TEXT)
    same("files_app" in os.listdir(sys.executable), True)


def check_scandir():
    with os.scandir(DATA) as entries:
        found = {entry.name: entry for entry in entries}
    same(sorted(found), sorted(NAMES))
    same(found["deep"].is_dir(), True)
    same(found["text.txt"].is_file(follow_symlinks=False), True)
    same(found["text.txt"].is_symlink(), False)
    same(found["text.txt"].stat().st_size, len(CONTENT))
    same(found["text.txt"].path, str(TEXT))


def check_walk():
    expected = [(str(DATA / "deep"), ["deeper"], []), (str(DATA / "deep" / "deeper"), [], ["note.txt"])]
    same(list(os.walk(DATA / "deep")), expected)
    same(list(os.walk(DATA / "deep", topdown=False)), expected[::-1])
    same(list(os.walk(DATA / "deep", followlinks=True)), expected)
    same([(str(a), b, c) for a, b, c in (DATA / "deep").walk()], expected)


def check_fwalk():
    found = []
    for folder, folders, files, fd in os.fwalk(DATA / "deep"):
        found.append((folder, folders, files))
        for name in files:
            same(os.stat(name, dir_fd=fd).st_size, 5)
    same(found, list(os.walk(DATA / "deep")))
    fd = os.open(DATA, os.O_RDONLY)
    same([names for _, _, names, _ in os.fwalk("deep", dir_fd=fd)], [[], ["note.txt"]])
    os.close(fd)


def check_glob():
    same(glob.glob(f"{DATA}/*.txt"), glob.glob(str(DATA / "*.txt")))
    same(sorted(os.path.basename(p) for p in glob.glob(f"{DATA}/*.txt")), sorted(fnmatch.filter(NAMES, "*.txt")))
    same(glob.glob("**/note.txt", root_dir=DATA, recursive=True), ["deep/deeper/note.txt"])
    same([p.name for p in DATA.rglob("note*")], ["note.txt"])
    same([p.name for p in DATA.glob("t*.txt")], ["text.txt"])
    fd = os.open(DATA, os.O_RDONLY)
    same(glob.glob("te*", dir_fd=fd), ["text.txt"])
    os.close(fd)


def check_pathlib():
    same((TEXT.exists(), TEXT.is_file(), TEXT.is_dir(), TEXT.is_symlink(), TEXT.is_mount()), (True, True, False, False, False))
    same((DATA.is_dir(), (DATA / "missing").exists()), (True, False))
    same(TEXT.read_text(), CONTENT)
    same(sorted(p.name for p in DATA.iterdir()), sorted(NAMES))
    same(TEXT.samefile(DATA / "deep" / ".." / "text.txt"), True)
    same(TEXT.owner(), pathlib.Path(sys.executable).owner())
    same(HERE.parent / "files_app", HERE)


def _is_an_ordinary_copy(copy):
    """What its owner may change and remove, as a copy of an installed package."""
    same((copy / "text.txt").read_text(), CONTENT)
    same((copy / "deep" / "deeper" / "note.txt").read_text(), "deep\n")
    same(stat.S_IMODE(copy.stat().st_mode), 0o755)
    same(stat.S_IMODE((copy / "text.txt").stat().st_mode), 0o644)
    same(stat.S_IMODE((copy / "deep").stat().st_mode), 0o755)
    with (copy / "text.txt").open("a") as stream:
        stream.write("more\n")
    (copy / "deep" / "new").write_text("new")
    shutil.rmtree(copy)


def check_copytree():
    same(shutil.copytree(DATA, SCRATCH / "tree"), SCRATCH / "tree")
    same(int((SCRATCH / "tree" / "text.txt").stat().st_mtime), int(TEXT.stat().st_mtime))
    _is_an_ordinary_copy(SCRATCH / "tree")
    for function in (shutil.copy, shutil.copyfile):
        shutil.copytree(DATA, SCRATCH / "tree", copy_function=function)
        shutil.rmtree(SCRATCH / "tree")


def check_copytree_of_everything():
    """From the executable itself, which can be listed."""
    shutil.copytree(sys.executable, SCRATCH / "all", ignore=lambda path, names: [n for n in names if "app" not in n and "app" not in path[len(sys.executable):]])
    same((SCRATCH / "all" / "files_app" / "data" / "text.txt").read_text(), CONTENT)
    shutil.rmtree(SCRATCH / "all")


def check_copies():
    for function in (shutil.copy, shutil.copy2, shutil.copyfile):
        path = pathlib.Path(function(TEXT, SCRATCH / "copied"))
        same(path.read_text(), CONTENT)
        path.write_text("changed")
        path.unlink()
    fails(errno.EROFS, shutil.copyfile, "/etc/passwd", DATA / "new")
    shutil.copyfileobj(TEXT.open("rb"), (SCRATCH / "copied").open("wb"))
    same((SCRATCH / "copied").stat().st_size in (0, len(CONTENT)), True)


def check_move_out_leaves_the_original():
    """As from any read-only file system: the copy is made, the removal fails."""
    fails(errno.EROFS, shutil.move, TEXT, SCRATCH / "moved")
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
        same(archive.getmember("data/text.txt").mode, 0o644)
    _is_an_ordinary_copy(SCRATCH / "untarred" / "data")
    shutil.unpack_archive(DATA / "archive.zip", SCRATCH / "unpacked")
    same((SCRATCH / "unpacked" / "inner.txt").read_text(), "inner\n")
