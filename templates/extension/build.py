# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Build a source distribution for another machine, by its own backend (PEP 517), and take its wheel apart.

Run by the build machine's Python as ``build.py FACTS``. The backend believes to run on the target: sysconfig
tells the target's facts and names wrappers of the target's compiler, ``os.uname`` the target's machine.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import harvest

SUPPORT = Path(__file__).parent

# The wrapper puts the target's headers first and position-independent code last, hands links on, and takes no notice of
# what the build machine has: that is for another system, and differs from machine to machine.
_WRAPPER = """\
#!/bin/sh
for word; do
    shift
    case $word in
    -[IL]"$ROOT"/*) set -- "$@" "$word" ;;
    -[IL]/usr | -[IL]/usr/* | -[IL]/opt/* | -[IL]/lib*) ;;
    *) set -- "$@" "$word" ;;
    esac
done
for word; do
    case $word in
    -shared) exec "{python}" -I "{support}/link.py" "{linker}" "{compiler}" "$@" ;;
    esac
done
exec "{compiler}" {before} "$@" {after}
"""
# What the launcher's own code is compiled with (oxcross/recipes/rendering.py); one section a function lets the link drop it.
_FLAGS = "-O3 -DNDEBUG -fwrapv -g0 -ffunction-sections -fdata-sections -fstack-protector-strong -D_FORTIFY_SOURCE=2"
_AFTER = "-fPIE -fno-common -fno-lto -Wno-unused-command-line-argument"
_COMPILERS = {"cc": "cc", "gcc": "cc", "c++": "c++", "g++": "c++"}
_NO_CXX = """\
#!/bin/sh
echo "oxcross: C++ is compiled, and nothing in the source distribution had said so" >&2
exit 1
"""


def main(facts: Path) -> None:
    known = json.loads(facts.read_text(encoding="utf-8"))
    inside, work = Path(os.environ["IN"]), Path(os.environ["WORK"])
    site = work / "site"
    for mount in known["wheels"]:
        install(inside / mount, site)
    source = unpack(inside / "sdist", known["filename"], work / "source")
    compilers = wrappers(known, inside, work / "bin")
    configuration = work / "configuration"
    configuration.mkdir()
    (configuration / "_sysconfigdata_oxcross.py").write_text(
        f"build_time_vars = {sysconfig_of(known, inside, compilers)!r}\n", encoding="utf-8"
    )
    (configuration / "sitecustomize.py").write_bytes((SUPPORT / "sitecustomize.py").read_bytes())
    out = work / "wheel"
    out.mkdir()
    environment = {
        **os.environ,
        **{name: str(path) for name, path in compilers.items() if name in ("CC", "CXX")},
        "LDSHARED": f"{compilers['CC']} -shared",
        "LDCXXSHARED": f"{compilers['CXX']} -shared",
        "LDFLAGS": " ".join(f"-L{folder}" for folder in folders(known, inside, "lib")),
        "PATH": f"{work / 'bin'}:{site / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{configuration}:{site}",
        "PKG_CONFIG": "/bin/false",
        "OXCROSS_LIBRARIES": ":".join(folders(known, inside, "lib")),
        "OXCROSS_CXX": str(inside / "cxx" / "lib") if known["cxx"] else "",
        "OXCROSS_SITE": str(site),
        "OXCROSS_MACHINE": known["machine"],
        "_PYTHON_HOST_PLATFORM": known["platform"],
        "_PYTHON_SYSCONFIGDATA_NAME": "_sysconfigdata_oxcross",
        **known["environment"],
    }
    environment.pop("CFLAGS", None)
    hook = [sys.executable, str(SUPPORT / "hook.py"), str(facts), str(out)]
    if status := subprocess.run(hook, cwd=source, env=environment, check=False).returncode:
        sys.exit(status)
    [wheel] = out.glob("*.whl")
    harvest.harvest(wheel, Path(os.environ["OUT"]), known["suffixes"])


def install(wheel: Path, site: Path) -> None:
    """Put a wheel's files where Python finds them; a program that it generates becomes a small script."""
    for name, data, executable in harvest.members(wheel):
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o644)
        if name.endswith(".dist-info/entry_points.txt"):
            for script, target in harvest.console_scripts(data.decode()):
                program = site / "bin" / script
                program.parent.mkdir(exist_ok=True)
                module, _, function = target.partition(":")
                code = f"import sys, {module}; sys.exit({module}.{function}())"
                program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
                program.chmod(0o755)


def unpack(archive: Path, filename: str, folder: Path) -> Path:
    """Unpack a source distribution; the one folder that it holds."""
    folder.mkdir()
    if filename.endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)  # noqa: S202 (a pinned file, in a sandbox)
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    [top] = folder.iterdir()
    return top


def wrappers(known: Mapping[str, Any], inside: Path, folder: Path) -> dict[str, Path]:
    """Write the compilers that the backend gets; their paths as CC, CXX and under every usual name."""
    folder.mkdir()
    tools, triple = inside / "toolchain" / "bin", known["triple"]
    headers = [
        inside / "python" / "include" / f"python{known['series']}",
        *map(Path, folders(known, inside, "include")),
    ]
    before = " ".join(f'-I"{path}"' for path in headers)
    libraries = " ".join(f'-L"{path}"' for path in folders(known, inside, "lib"))
    if known["cxx"]:
        before += f' -nostdinc++ -cxx-isystem "{inside / "cxx" / "include"}"'
    for name, driver in _COMPILERS.items():
        text = _WRAPPER.format(
            python=sys.executable,
            support=SUPPORT,
            linker=tools / "ld.lld",
            compiler=tools / f"{triple}-{driver}",
            before=before,
            after=f"{_AFTER} {libraries}".strip(),
        )
        if driver == "c++" and not known["cxx"]:
            text = _NO_CXX
        for alias in (name, f"{triple}-{name}"):
            (folder / alias).write_text(text)
            (folder / alias).chmod(0o755)
    for name in ("pkg-config", "pkgconf"):  # what it knows of is this machine's
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755)
    return {"CC": folder / f"{triple}-cc", "CXX": folder / f"{triple}-c++"}


def folders(known: Mapping[str, Any], inside: Path, name: str) -> list[str]:
    """The folders of that name of all libraries the distribution needs."""
    return [str(inside / library / name) for library in known["libraries"]]


def sysconfig_of(known: Mapping[str, Any], inside: Path, compilers: Mapping[str, Path]) -> dict[str, Any]:
    """The target's sysconfig data with what this build compiles with."""
    home = inside / "python" / "lib" / f"python{known['series']}"
    [path] = home.glob("_sysconfigdata_*.py")
    variables: dict[str, Any] = runpy.run_path(str(path))["build_time_vars"]
    include = str(inside / "python" / "include" / f"python{known['series']}")
    cc, cxx = compilers["CC"], compilers["CXX"]
    variables |= dict(_own(str(cc), str(cxx)))
    return {**variables, "INCLUDEPY": include, "CONFINCLUDEPY": include, "AR": f"{known['triple']}-ar"}


def _own(cc: str, cxx: str) -> Iterator[tuple[str, str]]:
    yield from (("CC", cc), ("CXX", cxx), ("LDSHARED", f"{cc} -shared"), ("BLDSHARED", f"{cc} -shared"))
    yield from (
        ("LDCXXSHARED", f"{cxx} -shared"),
        ("CFLAGS", _FLAGS),
        ("PY_CFLAGS", _FLAGS),
        ("ARFLAGS", "rcs"),
    )
    for name in (
        "OPT",
        "CCSHARED",
        "LDFLAGS",
        "BASECFLAGS",
        "CONFIGURE_CFLAGS",
        "CONFIGURE_LDFLAGS",
        "PY_CORE_LDFLAGS",
    ):
        yield name, ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
