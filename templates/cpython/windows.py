# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Build CPython for Windows without Visual Studio: its projects (PCbuild/*.vcxproj) say what is compiled.

Run in the source's folder by CPython of the same version, three times:

``prepare FACTS``                 pyconfig.h, the table of built-in modules, build.mk
``names ARCHIVE WHOLE EXPORTS``   two .def files: the names that optimisation keeps, and the API
``finish FACTS OUT MAKE-LOG``     link.json and profile.json, as finish.py writes them
"""

from __future__ import annotations

import json
import re
import runpy
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

# Extension modules that Visual Studio builds as DLLs, each by a project of its name.
EXTENSIONS = (
    "_asyncio", "_bz2", "_ctypes", "_decimal", "_elementtree", "_hashlib", "_lzma", "_multiprocessing", "_overlapped",
    "_queue", "_socket", "_sqlite3", "_ssl", "_uuid", "_wmi", "_zoneinfo", "pyexpat", "select", "unicodedata", "winsound",
)  # fmt: skip
# Parts of the DLL that python313.dll is, and what is compiled for other machines.
LEFT_OUT = frozenset({"PC/dl_nt.c", "Modules/_ctypes/malloc_closure.c"})

COMMON = (
    "-std=gnu11 -w -fms-extensions -fno-strict-aliasing -Wno-date-time -DUNICODE -D_UNICODE -DNDEBUG -DWIN32 -D_WINDOWS"
    " -DPy_NO_ENABLE_SHARED -DPy_BUILD_CORE -DPy_BUILD_CORE_BUILTIN -D_Py_HAVE_ZLIB"
    ' -DMS_DLL_ID="\\"{minor}\\""'
    " -IInclude -IInclude/internal -IInclude/internal/mimalloc -IPC -IPython -IModules/_hacl/include -IModules/_hacl/internal -iquote ."
)
EXPAT = "-DXML_STATIC -DHAVE_EXPAT_CONFIG_H=1 -DUSE_PYEXPAT_CAPI -IModules/expat"
# By what a path starts with.
FLAGS = {
    "Modules/getpath.c": '-DPREFIX=NULL -DEXEC_PREFIX=NULL -DVERSION=NULL -DVPATH="\\"\\"" -DPLATLIBDIR="\\"DLLs\\""',
    "Modules/getbuildinfo.c": '-DDATE="\\"Jan  1 2020\\"" -DTIME="\\"00:00:00\\""',
    "Python/sysmodule.c": '-DVPATH="\\"\\""',
    # Not among all headers: one of libmpdec's is called io.h, as one of Windows' is.
    "Modules/_decimal/": "-DCONFIG_64=1 -DASM=1 -DHAVE_UINT128_T=1 -Iown",
    "Modules/_ctypes/": "-DFFI_STATIC_BUILD -DHAVE_FFI_PREP_CIF_VAR=1 -DHAVE_FFI_PREP_CLOSURE_LOC=1"
    " -DHAVE_FFI_CLOSURE_ALLOC=1 -DUSING_APPLE_OS_LIBFFI=0 -I$(IN)/libffi/include",
    "Modules/expat/": EXPAT,
    "Modules/pyexpat.c": EXPAT,
    "Modules/_elementtree.c": EXPAT,
    "Modules/_hashopenssl.c": "-I$(IN)/openssl/include",
    "Modules/_ssl.c": "-I$(IN)/openssl/include",
    "Modules/_sqlite/": "-DPY_SQLITE_HAVE_SERIALIZE -DPY_SQLITE_ENABLE_LOAD_EXTENSION -I$(IN)/sqlite/include -IModules/_sqlite",
    "Modules/_lzmamodule.c": "-DLZMA_API_STATIC -I$(IN)/xz/include",
    "Modules/_bz2module.c": "-I$(IN)/bzip2/include",
    "Modules/zlibmodule.c": "-I$(IN)/zlib/include",
    "Modules/binascii.c": "-I$(IN)/zlib/include",
    "Modules/_multiprocessing/": "-Wno-incompatible-pointer-types",
    "PC/_wmimodule.cpp": "-std=c++20 -fno-exceptions -fno-rtti -Iown",
}


def prepare(facts: Path) -> None:
    minor = json.loads(facts.read_text(encoding="utf-8"))["minor"]
    template = Path("PC/pyconfig.h.in").read_text(encoding="utf-8")
    Path("PC/pyconfig.h").write_text(template, encoding="utf-8")
    table()
    headers(Path("own"))
    rules(minor, [*core(), *extension_files()], frozen())


def headers(folder: Path) -> None:
    """Headers that are not among CPython's own: of libmpdec the public one, and the one that the one C++ file needs of the
    C++ library; comutil.h declares classes with it that nobody makes.
    """
    folder.mkdir()
    (folder / "mpdecimal.h").write_bytes(Path("Modules/_decimal/libmpdec/mpdecimal.h").read_bytes())
    kinds = "".join(
        f"void *operator {kind}(decltype(sizeof 0), const std::nothrow_t &) noexcept;\n"
        for kind in ("new", "new[]")
    )
    text = (
        f"#pragma once\nnamespace std {{ struct nothrow_t {{}}; extern const nothrow_t nothrow; }}\n{kinds}"
    )
    (folder / "new").write_text(text, encoding="utf-8")


def project(name: str) -> list[str]:
    """The files of the source that a project compiles, relative to it, with '/'."""
    text = Path(f"PCbuild/{name}.vcxproj").read_text(encoding="utf-8-sig")
    text = text.replace("$(mpdecimalDir)\\libmpdec\\", "..\\Modules\\_decimal\\libmpdec\\")
    files = re.findall(r'<ClCompile Include="\.\.\\([^"]+)"', text)
    return [path for path in (file.replace("\\", "/") for file in files) if path not in LEFT_OUT]


def core() -> list[str]:
    return project("pythoncore")


def extension_files() -> list[str]:
    return [path for name in EXTENSIONS for path in project(name)]


def table() -> None:
    """Put the extension modules into the table of built-in ones."""
    config = Path("PC/config.c")
    text = config.read_text(encoding="utf-8")
    declared = "".join(f"extern PyObject* PyInit_{name}(void);\n" for name in EXTENSIONS)
    rows = "".join(f'    {{"{name}", PyInit_{name}}},\n' for name in EXTENSIONS)
    start = "struct _inittab _PyImport_Inittab[] = {\n"
    if text.count(start) != 1:
        sys.exit("PC/config.c has no table of built-in modules where one is expected")
    text = text.replace(start, declared + start + rows)
    config.write_text(text.replace('    {"xxsubtype", PyInit_xxsubtype},\n', ""), encoding="utf-8")


def frozen() -> dict[str, tuple[str, str]]:
    """Header of each frozen module -> its name and the file that it is made of."""
    made = {}
    text = Path("Python/frozen.c").read_text(encoding="utf-8")
    for name in [*re.findall(r'#include "frozen_modules/(\S+)\.h"', text), "getpath"]:
        made[f"Python/frozen_modules/{name}.h"] = (name, frozen_file(name))
    return made


def frozen_file(name: str) -> str:
    if name == "getpath":
        return "Modules/getpath.py"
    if name == "frozen_only":
        return "Tools/freeze/flag.py"
    path = "Lib/" + name.replace(".", "/")
    return f"{path}.py" if Path(f"{path}.py").is_file() else f"{path}/__init__.py"


def rules(minor: str, files: list[str], headers: dict[str, tuple[str, str]]) -> None:
    lines = ["python.a: {objects}", "\t$(AR) rcs $@ $^", ""]
    objects = {}
    for path in dict.fromkeys(files):
        name = path.replace("/", "__") + ".o"
        objects[path] = name
        flags = " ".join(value for start, value in FLAGS.items() if path.startswith(start))
        compiler, common = "$(CC)", COMMON.format(minor=minor)
        if path.endswith(".cpp"):
            compiler, common = "$(CXX)", common.replace("-std=gnu11 ", "")
        lines += [f"{name}: {path}", f"\t{compiler} $(CFLAGS) {common} {flags} -c {path} -o $@", ""]
    for header, (name, file) in headers.items():
        lines += [
            f"{header}: {file}",
            f"\t$(IN)/host-python/bin/python{minor} -IB Programs/_freeze_module.py {name} {file} $@",
            "",
        ]
    lines += [f"{objects[path]}: {' '.join(headers)}" for path in ("Python/frozen.c", "Modules/getpath.c")]
    lines[0] = "python.a: " + " ".join(sorted(objects.values()))
    Path("Python/frozen_modules").mkdir(exist_ok=True)
    Path("build.mk").write_text("\n".join(lines) + "\n", encoding="utf-8")


def names(archive: Path, whole: Path, exports: Path) -> None:
    """What the archive defines under CPython's names, and of these what headers declare as API, or the stable ABI has."""
    defined = sorted(name for name in index(archive.read_bytes()) if re.match(r"_?Py", name))
    stable = Path("PC/python3dll.c").read_text(encoding="utf-8")  # with what no header declares any more
    api = set(re.findall(r"^EXPORT_(?:FUNC|DATA)\((\w+)\)", stable, re.MULTILINE))
    for header in Path("Include").rglob("*.h"):
        text = header.read_text(encoding="utf-8").replace("_Py_NO_RETURN", "")
        api |= set(re.findall(r"\bPyAPI_(?:FUNC|DATA)\([^;]*?\)\s*\(?\**\s*(\w+)\s*[()\[;]", text))
    for path, kept in ((whole, defined), (exports, [name for name in defined if name in api])):
        path.write_text("EXPORTS\n" + "".join(f"    {name}\n" for name in kept), encoding="utf-8")


def index(archive: bytes) -> list[str]:
    """The symbols that an archive's members define: ar(5), the member "/"."""
    size = int(archive[56:66])
    member = archive[68 : 68 + size]
    count = int.from_bytes(member[:4], "big")
    return [name.decode() for name in member[4 + 4 * count :].split(b"\0")[:count]]


def finish(facts: Path, out: Path, log: Path) -> None:
    linux = runpy.run_path(str(Path(__file__).with_name("finish.py")))
    known = json.loads(facts.read_text(encoding="utf-8"))
    table = Path("PC/config.c").read_text(encoding="utf-8").partition("_PyImport_Inittab[] = {")[2]
    builtin = sorted(set(re.findall(r'^ *\{"(\w+)", ', table, re.MULTILINE)))
    if missing := sorted(set(known["modules"]) - set(builtin)):
        sys.exit(f"not built in: {' '.join(missing)}")
    link = {
        "version": known["version"],
        "magic": MAGIC_NUMBER.hex(),
        "soabi": known["soabi"],
        "libs": known["libs"],
        "builtin": builtin,
        "components": known["components"] + linux["bundled"](Path("Modules")),
        "seams": known["seams"],
    }
    fit = linux["fit"](log.read_text(encoding="utf-8"))
    for name, value in (("link.json", link), ("profile.json", fit)):
        (out / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    commands = {"prepare": prepare, "names": names, "finish": finish}
    commands[sys.argv[1]](*map(Path, sys.argv[2:]))
