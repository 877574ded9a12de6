"""Every rule of analyze has something that it finds here, and something close to it that it lets pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import zstandard
from analysed import Told, told

from oxcross import sources
from oxcross.analyze import licences
from oxcross.analyze.rules import load
from oxcross.collect.libraries import Shared
from oxcross.elf import Elf
from oxcross.sources import Source
from oxcross.store import Store


@dataclass(frozen=True)
class Case:
    """What applies, and what nearly does; sources of one module, unless they are more."""

    finds: str | Mapping[str, str | bytes | Path | Shared]
    passes: str | Mapping[str, str | bytes | Path | Shared]
    settings: str = ""
    files: Mapping[str, str] = field(default_factory=dict)  # further ones of the project's folder
    target: str = "linux-x64"


def library(*needed: str, glibc: tuple[int, ...] = (2, 17), runpath: str = "$ORIGIN") -> Shared:
    return Shared("pkg/_core.so", None, needed, (runpath,), glibc, "x86_64")


def dll(path: str, *needed: str, arch: str = "x86_64") -> Shared:
    return Shared(path, path.rpartition("/")[2], needed, (), (), arch)


def metadata(licence: str) -> dict[str, str | bytes | Path | Shared]:
    return {"pkg-1.dist-info/METADATA": f"Name: pkg\nVersion: 1\nLicense-Expression: {licence}\n"}


EXTENSION = next(Path(zstandard.__file__).parent.glob("backend_c.*.so"))
PROGRAM = Path(sys.executable).resolve()

CASES: Mapping[str, Case] = {
    "write-beside-file": Case(
        "import os\nHERE = os.path.dirname(__file__)\nopen(os.path.join(HERE, 'cache'), 'w')",
        "import os\nHERE = os.path.dirname(__file__)\nopen(os.path.join(HERE, 'data'), 'rb')",
    ),
    "write-in-prefix": Case(
        "import os, sys\nos.makedirs(os.path.join(sys.prefix, 'etc'))",
        "import os, sys\nos.listdir(os.path.join(sys.prefix, 'etc'))",
    ),
    "database-beside-file": Case(
        "from pathlib import Path\nBASE = Path(__file__).parent\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE / 'db.sqlite3'}}",
        "from pathlib import Path\nBASE = Path(__file__).parent\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': BASE.name}}",
    ),
    "relative-path": Case("open('model.bin')", "open('absent.bin')", files={"model.bin": ""}),
    "program-folder": Case(
        "import os, sys\nos.path.dirname(os.path.abspath(sys.argv[0]))",
        "import os, sys\nos.path.dirname(sys.argv[1])",
    ),
    "beside-executable": Case(
        "import sys\nfrom pathlib import Path\nPath(sys.executable).parent / 'uvicorn'",
        "import sys\nfrom pathlib import Path\nPath(sys.executable).name",
    ),
    "main-file": Case(
        "import __main__\nprint(__main__.__file__)",
        "import __main__\nprint(getattr(__main__, '__file__', None))",
    ),
    "system-path": Case("open('/usr/share/dict/words')", '"""See /usr/share/doc/x."""'),
    "system-python": Case(
        "import subprocess\nsubprocess.run(['python3', '-m', 'json.tool'])",
        "import subprocess, sys, shutil\nsubprocess.run([sys.executable, '-m', 'json.tool'])\n"
        "shutil.which('python3', path='env/bin')",
    ),
    "child-module": Case(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'x'])",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pkg', 'install', 'x'])",
    ),
    "child-option": Case(
        "import subprocess, sys\nsubprocess.run([sys.executable, '--help'])",
        "import subprocess, sys\nsubprocess.run([sys.executable, '--version'])\n"
        "subprocess.run([sys.executable, '-W', 'error', '-c', 'pass'])",
    ),
    "install-packages": Case("import venv\nvenv.create('env')", "import venv\nvenv.logger"),
    "site-packages": Case(
        "import site\nprint(site.getsitepackages())", "import sysconfig\nsysconfig.get_config_var('SOABI')"
    ),
    "user-site": Case("import site\nsite.getusersitepackages()", "import site\nsite.ENABLE_USER_SITE"),
    "virtual-environment": Case(
        "import sys\nsys.prefix != getattr(sys, 'base_prefix', sys.prefix)", "import sys\nsys.prefix"
    ),
    "frozen": Case(
        "import sys\nif getattr(sys, 'frozen', False): pass",
        "import sys\nif sys.platform == 'win32' and getattr(sys, 'frozen', False): pass",
    ),
    "meipass": Case(
        "import sys\nif getattr(sys, 'frozen', False):\n    base = sys._MEIPASS",
        "import sys\nif getattr(sys, 'frozen', False) and hasattr(sys, '_MEIPASS'):\n    base = sys._MEIPASS",
    ),
    "process-executable": Case(
        "import multiprocessing as mp\nmp.set_executable('/usr/bin/python3')",
        "import multiprocessing as mp\nmp.set_start_method('spawn')",
    ),
    "plugins": Case(
        "from importlib.metadata import entry_points\nentry_points(group='x')",
        "from importlib.metadata import version\nversion('x')",
    ),
    "pth-file": Case({"a.pth": "/home/me/src"}, {"a.pth": "# x\nimport start\npkg\n", "pkg/b.pth": "/src"}),
    "compiler": Case(
        "from cffi import FFI\nffi = FFI()\nlib = ffi.verify('#include <x.h>')",
        "from cffi import FFI\nffi = FFI()\nffi.cdef('int x;')",
    ),
    "compiler-program": Case(
        "import subprocess\nline = ['gcc', '-c', 'x.c']\nsubprocess.check_call(line)",
        "import subprocess\nline = ['git', 'status']\nsubprocess.check_call(line)",
    ),
    "find-library": Case(
        "from ctypes.util import find_library\nfind_library('geos_c')",
        "def find_library(name): pass\nfind_library('geos_c')",
    ),
    "left-out-module": Case("import tkinter.font", "from .tkinter import font"),
    "missing-module": Case("import absent", "import json, pkg"),
    "system-module": Case(
        "import fcntl", "import sys\nif sys.platform != 'win32':\n    import fcntl", target="win-x64"
    ),
    "missing-library": Case(
        {"pkg/_core.so": library("libfoo.so.1")}, {"pkg/_core.so": library("libm.so.6", "libstdc++.so.6")}
    ),
    "desktop-library": Case(
        {"pkg/_core.so": library("libGL.so.1")},
        {"pkg/_core.so": library("libGL.so.1"), "pkg.libs/libGL.so.1": EXTENSION},
    ),
    "runtime-library": Case(
        {"pkg/_core.pyd": dll("pkg/_core.pyd", "msvcp140.dll")},
        {
            "pkg/_core.pyd": dll(
                "pkg/_core.pyd", "vcruntime140.dll", "api-ms-win-crt-heap-l1-1-0.dll", "kernel32.dll"
            )
        },
        target="win-x64",
    ),
    "common-library": Case({"pkg/_core.so": library("libz.so.1")}, {"pkg/_core.so": library("libc.so.6")}),
    "system-library": Case(
        "import ctypes\nctypes.CDLL('libusb-1.0.so.0')",
        "import ctypes\nctypes.CDLL('libc.so.6')",
    ),
    "newer-glibc": Case(
        {"pkg/_core.so": library(glibc=(2, 34))},
        {"pkg/_core.so": library(glibc=(2, 34))},
        settings='glibc = "2.28"',
    ),
    "library-path": Case(
        {"pkg/_core.so": library(runpath="/opt/conda/lib")},
        {"pkg/_core.so": library(runpath="${ORIGIN}/../pkg.libs")},
    ),
    "embedded-program": Case(
        {"pkg/bin/tool": PROGRAM, f"pkg.libs/{Elf(PROGRAM.read_bytes()).needed[0]}": EXTENSION},
        {"pkg/bin/tool": PROGRAM, "pkg.libs/libother.so": EXTENSION},
    ),
    "gpl": Case(metadata("MIT AND GPL-3.0-only"), metadata("GPL-2.0-or-later OR MIT")),
    "lesser-gpl": Case(
        {**metadata("MIT"), "pkg.libs/libquadmath-1.so.0": EXTENSION},
        {**metadata("MIT"), "pkg.libs/libgfortran-1.so.5": EXTENSION},
    ),
    "file-copyleft": Case(metadata("MPL-2.0"), metadata("Apache-2.0")),
    "unknown-licence": Case({"pkg-1.dist-info/METADATA": "Name: pkg\nVersion: 1\n"}, metadata("0BSD")),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


Tell = Callable[..., list[Told]]


@pytest.fixture
def tell(tmp_path: Path, store: Store) -> Tell:
    return lambda content, **more: told(tmp_path / "app", store, content, **more)


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(load().rules)


@pytest.mark.parametrize("rule", CASES)
def test_finds(rule: str, tell: Tell) -> None:
    case = CASES[rule]
    told = tell(case.finds, settings=case.settings, files=case.files, target=case.target)
    found = [one for one in told if one.rule.id == rule]
    assert found, rule
    assert found[0].severity in (load().rules[rule].severity, "warning")


@pytest.mark.parametrize("rule", [rule for rule in CASES if rule != "newer-glibc"])
def test_near_miss(rule: str, tell: Tell) -> None:
    case = CASES[rule]
    found = tell(case.passes, files=case.files, target=case.target)
    assert [one for one in found if one.rule.id == rule] == []


def test_glibc_that_the_setting_allows(tell: Tell) -> None:
    assert tell(CASES["newer-glibc"].passes, settings='glibc = "2.34"') == []


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\nPath(__file__).with_name('x').write_text('')",
        (
            "from pathlib import Path\nclass A:\n"
            "    def __init__(self): self.to = Path(__file__).parent\n"
            "    def go(self): (self.to / 'x').mkdir()"
        ),
        "import os\ndef here(): return os.path.dirname(__file__)\ndef go(): os.remove(here() + '/x')",
        "import os, pkg\nos.rename('x', os.path.join(pkg.__path__[0], 'x'))",
        "from importlib.resources import files\nwith (files('pkg') / 'x').open('a') as out: pass",
        "import os, shutil\nto = os.environ.get('TO', os.path.dirname(__file__))\nshutil.copy('x', to)",
        "import os\nfor name in [os.path.join(os.path.dirname(__file__), 'x')]: open(f'{__file__}.bak', mode='w')",
        "import logging\nlogging.FileHandler('%s.log' % __file__)",
        "import os.path as p\n(lambda: open(p.join(p.dirname(__file__), 'x'), 'x'))()",
    ],
)
def test_a_path_is_followed(text: str, tell: Tell) -> None:
    assert "write-beside-file" in {one.rule.id for one in tell(text) if one.severity == "warning"}


@pytest.mark.parametrize(
    "text",
    [
        "import os\nopen(os.path.join('/tmp', os.path.basename(__file__)), 'w')",
        "import os, tempfile\nHERE = os.path.dirname(__file__)\nHERE = tempfile.mkdtemp()\nopen(HERE + '/x', 'w')",
        "import shutil\nshutil.copy(__file__, '/tmp')",
        "import os\nif os.name == 'nt':\n    open(__file__ + 'x', 'w')",
        "import sys\nif sys.version_info < (3, 8):\n    open(__file__ + 'x', 'w')",
        "def go():\n    return\n    open(__file__ + 'x', 'w')",
        "text = __file__.replace('.py', '.txt')",
        "def open(path, mode): pass\nopen(__file__ + 'x', 'w')",
    ],
)
def test_a_path_is_not_taken_for_another(text: str, tell: Tell) -> None:
    assert tell(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    open(__file__ + 'x', 'w')\nexcept OSError:\n    pass",
        "import contextlib\nwith contextlib.suppress(Exception):\n    open(__file__ + 'x', 'w')",
        "if __name__ == '__main__':\n    open(__file__ + 'x', 'w')",
    ],
)
def test_what_is_guarded_is_a_note(text: str, tell: Tell) -> None:
    assert [one.severity for one in tell(text) if one.rule.id == "write-beside-file"] == ["note"]


def test_where_it_lies_counts(tell: Tell) -> None:
    text = "open(__file__ + 'x', 'w')"
    found = tell({"pkg/tests/a.py": text, "pkg/_windows.py": text, "setup.py": text, "pkg/b.py": text})
    assert {(one.path, one.severity) for one in found} == {
        ("pkg/b.py", "warning"),
        ("pkg/tests/a.py", "note"),
        ("setup.py", "note"),
    }


def test_imports_that_are_guarded_are_notes(tell: Tell) -> None:
    text = (
        "try:\n    import absent\nexcept ImportError:\n    absent = None\ndef late():\n    import missing\n"
    )
    assert {(one.subject, one.severity) for one in tell(text, own=True)} == {
        ("absent", "note"),
        ("missing", "note"),
    }
    assert [one.severity for one in tell("import absent.part", own=True)] == ["warning"]
    assert tell("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import absent") == []


@pytest.mark.parametrize(
    "condition",
    [
        "sys.platform == 'win32'",
        "sys.platform.startswith('win')",
        "sys.platform in ('win32', 'cygwin')",
        "os.name == 'nt'",
        "platform.system() == 'Windows'",
        "not sys.platform.startswith(('linux', 'darwin')) and os.name != 'posix'",
    ],
)
def test_conditions_hold_on_their_system(condition: str, tell: Tell) -> None:
    """What stands below a condition, and what stands below its opposite, is looked at where it is true."""
    lines = [
        "import os, platform, sys",
        f"if {condition}:",
        "    import there",
        "else:",
        "    import elsewhere",
    ]
    lines += [f"WINDOWS = {condition}", "def go():", "    if not WINDOWS:", "        import posix_only"]
    if "(('linux'" in condition:
        return  # a tuple of beginnings is not read: both ways are
    found = {
        system: {one.subject for one in tell("\n".join(lines), target=system)}
        for system in ("linux-x64", "win-x64")
    }
    assert found == {"linux-x64": {"elsewhere", "posix_only"}, "win-x64": {"there"}}


def test_modules_of_other_systems(tell: Tell) -> None:
    """Guarded imports, and what a distribution brings in place of a module, are no more than notes."""
    text = "import fcntl\ntry:\n    import pwd\nexcept ImportError:\n    pwd = None\nimport winreg, msvcrt\nimport curses, readline"
    brought = {"pkg/a.py": text, "_curses.pyd": "", "readline.py": ""}
    severities = {one.subject: one.severity for one in tell(brought, target="win-x64")}
    assert severities == {"fcntl": "warning", "pwd": "note"}
    assert tell(brought) == []


def test_files_of_other_systems(tell: Tell) -> None:
    text = "open(__file__ + 'x', 'w')"
    content = {"pkg/_windows.py": text, "pkg/posix.py": text, "pkg/macos/a.py": text, "pkg/window.py": text}
    for target, expected in (
        ("linux-x64", {"pkg/posix.py", "pkg/window.py"}),
        ("win-x64", {"pkg/_windows.py", "pkg/window.py"}),
    ):
        assert {one.path for one in tell(content, target=target)} == expected


def test_dlls(tell: Tell) -> None:
    """Those of other machines do not count; a program's own way to name them is understood."""
    files = [
        dll("pkg/_core.cp313-win_amd64.pyd", "inner.dll", "python313.dll", "foo.dll"),
        dll("pkg.libs/inner.dll", "kernel32.dll"),
        dll("pkg/other.dll", "bar.dll", arch="aarch64"),
        dll("pkg/plugin.dll", "baz.dll"),
    ]
    text = (
        "import ctypes, subprocess\nctypes.WinDLL('Kernel32.DLL')\nctypes.CDLL('inner.dll')\nctypes.CDLL('usb.dll')\n"
        "subprocess.run('C:\\\\tools\\\\python.exe')\n"
    )
    found = tell({"pkg/a.py": text, **{one.path: one for one in files}}, target="win-x64")
    assert {(one.rule.id, one.subject, one.severity) for one in found} == {
        ("missing-library", "foo.dll", "error"),
        ("missing-library", "baz.dll", "warning"),
        ("system-library", "usb.dll", "warning"),
        ("system-python", "python", "warning"),
    }


@pytest.mark.parametrize(
    ("licence", "rule"),
    [
        ("GPL-3.0-or-later WITH GCC-exception-3.1", None),
        ("GNU General Public License v3 (GPLv3)", "gpl"),
        ("GPLv2+", "gpl"),
        ("AGPL-3.0-only", "gpl"),
        ("LGPL-2.1-or-later", "lesser-gpl"),
        ("GNU Lesser General Public License v3 or later (LGPLv3+)", "lesser-gpl"),
        ("(MPL-2.0 OR GPL-2.0-only) AND MIT", "file-copyleft"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "file-copyleft"),
        ("BSD-3-Clause", None),
    ],
)
def test_licences(licence: str, rule: str | None) -> None:
    found = licences.applies(licence)
    assert (found.id if found else None) == rule


def test_licences_that_classifiers_name(tell: Tell) -> None:
    lines = "".join(
        f"Classifier: License :: OSI Approved :: {name}\n"
        for name in ("BSD License", "GNU General Public License (GPL)")
    )
    found = tell({"pkg-1.dist-info/METADATA": f"Name: pkg\nVersion: 1\n{lines}"})
    assert [(one.rule.id, one.severity) for one in found] == [("gpl", "note")]


def test_what_only_a_plugin_needs_is_a_warning(tell: Tell) -> None:
    core = Shared("pkg/_core.so", None, ("libinner.so",), (), (), "x86_64")
    inner = Shared("pkg.libs/libinner.so", "libinner.so", ("libfoo.so.1",), (), (), "x86_64")
    plugin = Shared("pkg/plugins/libplugin.so", None, ("libbar.so.1",), (), (), "x86_64")
    other = Shared("pkg/_other.so", None, ("libbaz.so.1",), (), (), "aarch64")
    found = tell({one.path: one for one in (core, inner, plugin, other)})
    assert [(one.subject, one.path, one.severity) for one in found] == [
        ("libfoo.so.1", "pkg.libs/libinner.so", "error"),
        ("libbar.so.1", "pkg/plugins/libplugin.so", "warning"),
    ]


def test_what_is_linked_in_for_good(tell: Tell) -> None:
    def linked(licence: str) -> Source:
        facts = {"filename": "x.tar.gz", "sha256": "0" * 64, "size": 1, "kind": "archive"}
        return Source(name="x", version="1", licence=licence, **facts)  # type: ignore[arg-type]

    assert [one.severity for one in tell("", linked=[linked("LGPL-2.1-only")])] == ["warning"]
    assert [one.rule.id for one in tell("", linked=[linked("GPL-3.0-or-later")])] == ["gpl"]
    pinned = [row for name in sources.load() for row in sources.versions(name).values()]
    assert tell("", linked=pinned) == []  # nothing of that kind is in every executable
