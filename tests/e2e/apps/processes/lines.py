"""Command lines of python, run by ``sys.executable`` in a folder of their own: what the child sees, line by line."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile

# Two flags are the executable's settings, and what -I leaves in the first place are parts of the library.
SHOW = """\
import os, sys
print(__name__, sys.argv, sys.orig_argv[1:], sep="|")
own = ("dont_write_bytecode", "utf8_mode")
names = [name for name in dir(sys.flags) if name[0] != "_" and name not in (*own, "count", "index")]
print({name: getattr(sys.flags, name) for name in names}, sys.warnoptions, sorted(sys._xoptions.items()))
print(sys.path[0].replace(os.getcwd(), ".") if not sys.flags.safe_path else "safe", __debug__)
"""
LINES = [
    ["-c", SHOW, "a", "-b"],
    ["-Ic", SHOW],
    ["-IBSEsP", "-c", SHOW],
    ["-uqOO", "-bb", "-W", "error::UserWarning", "-Wignore", "-X", "dev", "-Xname=value", "-c", SHOW],
    ["-vd", "-c", "pass"],
    ["-X", "utf8=0", "-c", SHOW],
    ["-X", "int_max_str_digits=700", "-c", SHOW],
    ["show.py", "a"],
    ["./show.py"],
    ["-E", "folder/beside.py"],
    ["-I", "show.py"],
    ["-P", "show.py"],
    ["link.py", "-m", "x"],
    ["program", "1"],
    ["folder", "x"],
    ["archive.pyz", "x"],
    ["archive"],
    ["missing.py"],
    ["-m", "show", "a"],
    ["-m", "folder"],
    ["-m", "json.tool", "--help"],
    ["-Em", "show"],
    ["-m", "nowhere"],
    ["-m", "json"],
    ["-"],
    ["-B", "-", "a", "-b"],
    ["-I"],
    ["-E", "-u"],
    ["-Bi"],
    ["-V"],
    ["--version"],
    ["-VV"],
    ["-I", "-V"],
    ["-E", "--help"],
    ["-I", "--help-env"],
    ["-E", "plain", "x"],
    ["-I", "archive.zip"],
    ["-X", "warn_default_encoding", "-c", SHOW],
    ["-I", "--check-hash-based-pycs", "never", "-c", SHOW],
    ["-c", "import sys; sys.exit(3)"],
    ["-c", "raise KeyboardInterrupt"],
    ["-c", "import os; os.kill(os.getpid(), 9)"],
    ["-c", "import sys; sys.exit('text')"],
    ["-c", "1/0; # fails"],
    ["-I", "-c", "syntax error"],
    ["show.py", "--version"],
]


def write(folder: str) -> None:
    """What the lines name."""
    os.makedirs(f"{folder}/folder")
    for name, text in {
        "show.py": SHOW,
        "plain": SHOW,
        "program": f"#!/usr/bin/env python3\n{SHOW}",
        "folder/__main__.py": SHOW + "import beside\n",
        "folder/beside.py": SHOW,
    }.items():
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    os.symlink("show.py", f"{folder}/link.py")
    with zipfile.ZipFile(f"{folder}/archive.pyz", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    os.link(f"{folder}/archive.pyz", f"{folder}/archive.zip")
    with open(f"{folder}/archive.pyz", "rb") as file, open(f"{folder}/archive", "wb") as other:
        other.write(b"#!/usr/bin/python3\n" + file.read())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        for line in LINES:
            done = subprocess.run([sys.executable, *line], input=SHOW, capture_output=True, text=True, cwd=folder)
            print([word for word in line if word != SHOW], done.returncode)
            print(done.stdout.replace(folder, "FOLDER"))
            if line[0] == "-m":  # runpy's frames are named otherwise where it is frozen
                print(done.stderr.splitlines()[-1:])
            elif line[0] != "-vd":
                print(done.stderr.replace(folder, "FOLDER"))


if __name__ == "__main__":
    main()
