# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Finish a CPython output: canonical sysconfig data, link.json, profile.json, and the proof that it is complete.

Run in the build's folder as ``finish.py OUT MINOR LINK-LINE MAKE-LOG FACTS``, by the interpreter that was just built
where it runs on the build machine, else by one of the same version: then the modules are not imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import runpy
import sys
from pathlib import Path
from pprint import pformat


def main(out: Path, minor: str, line: Path, log: Path, facts: Path) -> None:
    known = json.loads(facts.read_text(encoding="utf-8"))
    sysconfigdata(out / "lib" / f"python{minor}")
    builtin = inittab(Path("Modules/config.c"))
    if missing := sorted(set(known["modules"]) - set(builtin)):
        sys.exit(f"not built in: {' '.join(missing)}")
    if known["native"]:
        for name in builtin:
            importlib.import_module(name)
    link = {
        "version": known["version"],
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "soabi": known["soabi"],
        "libs": libraries(line.read_text(encoding="utf-8").split(), out / "lib"),
        "builtin": builtin,
        "components": known["components"] + bundled(Path("Modules")),
        "seams": known["seams"],
    }
    for name, value in (("link.json", link), ("profile.json", fit(log.read_text(encoding="utf-8")))):
        (out / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def fit(log: str) -> dict[str, object]:
    """How much of the profile fits this target, from what the compiler said about each function.

    ``functions`` were asked for, ``matched`` found with the same hash of their control flow; ``unknown`` are not in the
    profile, ``changed`` were otherwise when it was taken: the number is the count of their busiest block.
    """
    asked = set(re.findall(r"^Funcname=(.+), Hash=\d+ in building (.+)$", log, re.MULTILINE))
    said = r"^warning: (\S+): (.+?) (\S+) Hash = \d+ up to (\d+) count discarded"
    unknown: list[str] = []
    changed: dict[str, int] = {}
    for file, reason, name, count in sorted(set(re.findall(said, log, re.MULTILINE))):
        if reason.startswith("no profile data"):
            unknown.append(f"{file}:{name}")
        else:
            changed[f"{file}:{name}"] = int(count)
    return {
        "functions": len(asked),
        "matched": len(asked) - len(unknown) - len(changed),
        "unknown": unknown,
        "changed": changed,
    }


def inittab(config: Path) -> list[str]:
    """Names of the built-in modules, from the C table that the build generated."""
    table = config.read_text(encoding="utf-8").partition("_PyImport_Inittab[] = {")[2]
    return sorted(set(re.findall(r'\{"(\w+)", ', table)))


def libraries(words: list[str], folder: Path) -> list[str]:
    """What is linked beside libpython: archives by file name, libc's own libraries as -l flags."""
    libs: list[str] = []
    for word in words:
        archive = f"lib{word[2:]}.a" if word.startswith("-l") else Path(word).name
        lib = archive if (folder / archive).is_file() else word
        part_of_libpython = lib.endswith(".a") and lib == word
        if not word.startswith("-L") and not part_of_libpython and lib not in libs:
            libs.append(lib)
    return libs


def bundled(modules: Path) -> list[dict[str, str]]:
    """The libraries that CPython brings along, with the versions that their headers state."""
    expat = (modules / "expat/expat.h").read_text(encoding="utf-8")
    numbers = re.findall(r"#\s*define XML_(?:MAJOR|MINOR|MICRO)_VERSION (\d+)", expat)
    decimal = (modules / "_decimal/libmpdec/mpdecimal.h").read_text(encoding="utf-8")
    mpdecimal = re.findall(r'#\s*define MPD_VERSION "([\d.]+)"', decimal)
    return [
        {"name": "expat", "version": ".".join(numbers), "licence": "MIT"},
        {"name": "mpdecimal", "version": mpdecimal[0], "licence": "BSD-2-Clause"},
    ]


def sysconfigdata(home: Path) -> None:
    """Take the build's own folders out of what sysconfig will say."""
    root = os.environ["ROOT"]
    for path in home.glob("_sysconfigdata_*.py"):
        variables = runpy.run_path(str(path))["build_time_vars"]
        variables["GNULD"] = "yes"  # lld is; configure asks an ld that the build machine may or may not have
        text = pformat({name: canonical(value, root) for name, value in variables.items()}, sort_dicts=True)
        path.write_text(
            f"# system configuration of the interpreter inside an oxcross executable\nbuild_time_vars = {text}\n",
            encoding="utf-8",
        )


def canonical(value: object, root: str) -> object:
    if not isinstance(value, str):
        return value
    value = re.sub(rf"\s*-[IL]{re.escape(root)}/in/[^\s'\"]*", "", value)
    for folder, name in (
        (f"{root}/work", "/oxcross/python"),
        (f"{root}/in/", "/oxcross/"),
        (root, "/oxcross"),
    ):
        value = value.replace(folder, name)
    return value


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:6]))
