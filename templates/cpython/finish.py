"""Finish a CPython output: canonical sysconfig data, link.json, and the proof that it is complete.

Run by the interpreter that was just built: finish.py OUT MINOR LINK-LINES FACTS. It is the target's own
interpreter where that runs on the build machine, else a build of the same version for this machine; then
the modules are compared with the target's inittab instead of being imported.
"""

import importlib
import importlib.util
import json
import os
import pathlib
import pprint
import re
import sys


def main(out, minor, lines, facts):
    out = pathlib.Path(out)
    facts = json.loads(pathlib.Path(facts).read_text(encoding="utf-8"))
    sysconfigdata(out / "lib" / f"python{minor}")
    shared, static = pathlib.Path(lines).read_text(encoding="utf-8").splitlines()
    builtin = inittab(pathlib.Path("Modules/config.c"))
    if missing := sorted(set(facts["modules"]) - set(builtin)):
        sys.exit(f"not built in: {' '.join(missing)}")
    if facts["native"]:
        for name in builtin:
            importlib.import_module(name)
    link = {
        "version": facts["version"],
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "soabi": facts["soabi"],
        "libs": link_line(static.split(), out / "lib", f"libpython{minor}.a"),
        "builtin": builtin,
        "components": facts["components"],
    }
    (out / "link.json").write_text(json.dumps(link, indent=1) + "\n", encoding="utf-8")


def inittab(config):
    """Names of the built-in modules, from the C table that the build generated."""
    table = config.read_text(encoding="utf-8").partition("_PyImport_Inittab[] = {")[2]
    return sorted(set(re.findall(r'\{"(\w+)", ', table)))


def link_line(words, folder, libpython):
    """What is linked beside libpython: archives by file name, libc's own libraries as -l flags."""
    libs = []
    for word in words:
        archive = f"lib{word[2:]}.a" if word.startswith("-l") else pathlib.Path(word).name
        known = archive if (folder / archive).is_file() else word
        if not word.startswith("-L") and known not in (libpython, *libs):
            libs.append(known)
    return libs


def sysconfigdata(home):
    """Take the build's own folders out of what sysconfig will say."""
    root = os.environ["ROOT"]
    for path in home.glob("_sysconfigdata_*.py"):
        scope = {}
        exec(path.read_text(encoding="utf-8"), scope)
        names = {key: canonical(value, root) for key, value in sorted(scope["build_time_vars"].items())}
        text = "# system configuration of the interpreter inside an oxcross executable\nbuild_time_vars = "
        path.write_text(text + pprint.pformat(names, sort_dicts=True) + "\n", encoding="utf-8")


def canonical(value, root):
    if not isinstance(value, str):
        return value
    value = re.sub(rf"\s*-[IL]{re.escape(root)}/in/[^\s'\"]*", "", value)
    return value.replace(f"{root}/work", "/oxcross/python").replace(root, "/oxcross")


if __name__ == "__main__":
    main(*sys.argv[1:])
