"""Run an executable in a root directory that holds nothing but glibc's own libraries, if it asks for any.

The root is a tmpfs in a private user and mount namespace (unshare(1), chroot(1)): the executable,
the dynamic loader, libc and its companions, ``/proc`` (the kernel's, not a file system with files), ``/dev/null``
and an empty ``/tmp``. There is no Python, no ``/usr``, no ``/etc`` and no other shared library. Executables of another
processor are run by the kernel's binfmt_misc, which has QEMU open already; those for macOS by the tests' loader, which is there, too.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from oxcross.elf import Elf
from oxcross.macho import is_macho

MACHO_LOADER = Path("/proc/sys/fs/binfmt_misc/oxcross-macho")  # what the kernel knows of it: binfmt_misc
GLIBC = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
)
# Where this machine has the libraries, by the dynamic loader that an executable asks for.
_FOLDERS = {
    "/lib64/ld-linux-x86-64.so.2": (
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib64",
        "/usr/lib64",
    ),
    "/lib/ld-linux-aarch64.so.1": ("/lib/aarch64-linux-gnu", "/usr/aarch64-linux-gnu/lib"),
}

_SCRIPT = """
set -eu
root=$1 executable=$2 files=$3; shift 3
mount -t tmpfs -o mode=755 oxcross "$root"
mkdir -p "$root/app" "$root/lib" "$root/lib64" "$root/proc" "$root/dev" "$root/tmp" "$root/files"
for library in $OX_LIBRARIES; do cp -L "$library" "$root/lib64/"; cp -L "$library" "$root/lib/"; done
for folder in $OX_FOLDERS; do mkdir -p "$root$folder"; cp -R "$folder/." "$root$folder/"; done
cp "$executable" "$root/app/"
cp -R "$files/." "$root/files/"
mount --rbind /proc "$root/proc"
: > "$root/dev/null"; mount --bind /dev/null "$root/dev/null"
exec chroot "$root" "/app/$(basename "$executable")" "$@"
"""


def macho_loader() -> Path:
    """The program by which the kernel starts those for macOS."""
    return Path(MACHO_LOADER.read_text(encoding="ascii").partition("interpreter ")[2].splitlines()[0])


def _libraries(executable: Path, *further: str) -> list[str]:
    """The paths of glibc's own and further libraries on this machine, of the executable's kind; none for a static one."""
    loader = Elf(executable.read_bytes()).interpreter
    if loader is None:
        return []
    found = []
    for name in (Path(loader).name, *GLIBC, *further):
        folders = _FOLDERS[loader]
        path = next((Path(folder, name) for folder in folders if Path(folder, name).exists()), None)
        if path is not None:
            found.append(str(path))
    assert found, f"{loader} is missing: apt-get install libc6-arm64-cross"
    return found


def command(root: Path, executable: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line, and its environment, that runs ``executable`` in an empty root.

    ``root`` is an empty folder to mount on; what lies in ``root``'s sibling ``files`` appears as ``/files``.
    """
    unshare = shutil.which("unshare")
    assert unshare, "unshare(1) is missing: apt-get install util-linux"
    root.mkdir(parents=True, exist_ok=True)
    files = root.parent / "files"
    files.mkdir(exist_ok=True)
    line = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", _SCRIPT, "sh"]
    line += [str(root), str(executable), str(files), *arguments]
    with executable.open("rb") as file:
        for_macos = is_macho(file.read(8))
    started, *further = (macho_loader(), "libgcc_s.so.1") if for_macos else (executable,)
    return line, {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "OX_LIBRARIES": " ".join(_libraries(started, *further)),
        "OX_FOLDERS": str(started.parent) if for_macos else "",
    }


def run(
    root: Path,
    executable: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run ``executable`` to its end in an empty root; text streams, seconds."""
    line, base = command(root, executable, arguments)
    return subprocess.run(
        line,
        env={**base, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
