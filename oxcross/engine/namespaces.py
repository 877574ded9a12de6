"""A private root for one job, from what an ordinary user may ask the kernel for.

A first user namespace (where the caller is root) owns the mount, PID, network, IPC and host name
namespaces; a sh script in it puts together a root of read-only bind mounts and enters it with
pivot_root(8). The step then runs in a second user namespace as uid 1000 without any capability: it
cannot undo a mount, and nobody tells from inside who called. See user_namespaces(7).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from oxcross.engine import Job
from oxcross.plan import SANDBOX_ROOT

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_TOOLS = ("unshare", "setpriv", "mount", "umount", "pivot_root")
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "gnu", "nix")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_PROBE_SECONDS = 20.0
UID = 1000

_OUTER = (
    "unshare",
    *("--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--uts"),
    *("--propagation", "private", "--fork", "--kill-child=KILL", "--"),
)
_INNER = (
    "unshare",
    *("--user", f"--map-user={UID}", f"--map-group={UID}", "--"),
    *("setpriv", "--no-new-privs", "--"),
    # Process 1 is none of the step's: the kernel shields it from signals, and it must not exec.
    *("/bin/sh", "-c", '"$@"; exit $?', "init"),
)


def command(setup: Path) -> list[str]:
    """The command that runs a set-up script made by ``script``."""
    return [*_OUTER, "/bin/sh", os.fspath(setup)]


def environment() -> dict[str, str]:
    """The variables for that command."""
    return {"PATH": _PATH, "LC_ALL": "C"}


def script(job: Job, arguments: list[str], *, terminal: bool = False) -> str:
    """The sh script that builds the root on ``job.folder/root`` and runs ``arguments`` in it."""
    tmp = job.folder / "tmp"
    lines = [
        "set -eu",
        f"cd {_quote(job.folder / 'root')}",
        "mount -t tmpfs -o mode=0755,size=64m,nosuid,nodev none .",
        f"cd {_quote(job.folder / 'root')}",  # again: what is current is the folder below the mount
        "mkdir proc dev dev/shm etc .old",
        "mount -t proc -o nosuid,nodev,noexec none proc",
        "mount -t tmpfs -o mode=1777,nosuid,nodev none dev/shm",
        f"mkdir -p {' '.join(f'.{SANDBOX_ROOT}/{name}' for name in ('in', 'out', 'work', 'tmp'))}",
        *_system(),
        f"ln -s {SANDBOX_ROOT[1:]}/tmp .",  # noqa: S108 - the private root's own /tmp
        *_devices(terminal=terminal),
        *_etc(),
    ]
    for name, path in job.inputs.items():
        lines += _bind(path, f".{SANDBOX_ROOT}/in/{name}")
    lines += _bind(job.script, f".{SANDBOX_ROOT}/script")
    for name, path in (("out", job.out), ("work", job.work), ("tmp", tmp)):
        lines += _bind(path, f".{SANDBOX_ROOT}/{name}", writable=True)
    variables = [f"{name}={value}" for name, value in job.environment(SANDBOX_ROOT).items()]
    if terminal:
        variables.append(f"TERM={os.environ.get('TERM', 'dumb')}")
    lines += [
        "hostname oxcross 2>/dev/null || :",
        "ip link set lo up 2>/dev/null || :",
        "pivot_root . .old",
        "cd /",
        "umount -l /.old",
        "rmdir /.old",
        "mount -o remount,bind,ro,nosuid,nodev none /",
        f"cd {SANDBOX_ROOT}/work",
        shlex.join(["exec", *_INNER, "env", "-i", *variables, *arguments]),
    ]
    return "\n".join(lines) + "\n"


def refusal(scratch: Path) -> str | None:
    """Why this kernel or machine does not give such a root; None when it does.

    Tried for real, with an empty job in the empty folder ``scratch``.
    """
    if missing := [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None]:
        return f"not installed: {', '.join(missing)}"
    for name in ("out", "work", "tmp", "root"):
        (scratch / name).mkdir()
    empty = scratch / "script"
    empty.touch()
    with (scratch / "log").open("wb") as log:
        job = Job(
            name="probe",
            script=empty,
            inputs={},
            out=scratch / "out",
            work=scratch / "work",
            env={},
            log=log,
        )
        setup = scratch / "setup"
        setup.write_text(script(job, ["sh", "-c", f'test "$(id -u)" = {UID} && : >"$OUT/it-works"']))
        try:
            run = subprocess.run(
                command(setup),
                env=environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "no answer"
    if run.returncode == 0 and (job.out / "it-works").exists():
        return None
    lines = run.stderr.strip().splitlines()
    return lines[0] if lines else f"exit status {run.returncode}"


def _system() -> Iterator[str]:
    for name in _SYSTEM:
        path = Path("/") / name
        if path.is_symlink():
            yield f"ln -s {_quote(path.readlink())} {name}"
        elif path.is_dir():
            yield from _bind(path, name)


def _devices(*, terminal: bool) -> Iterator[str]:
    for name in (*_DEVICES, "tty") if terminal else _DEVICES:
        if Path("/dev", name).exists():
            yield f"touch dev/{name}"
            yield f"mount --bind /dev/{name} dev/{name}"
    yield "ln -s /proc/self/fd dev/fd"
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        yield f"ln -s /proc/self/fd/{number} dev/{name}"


def _etc() -> Iterator[str]:
    yield f"echo oxcross:x:{UID}:{UID}::{SANDBOX_ROOT}/work:/bin/sh >etc/passwd"
    yield f"echo oxcross:x:{UID}: >etc/group"
    yield "echo 127.0.0.1 localhost oxcross >etc/hosts"
    for name in ("alternatives", "ld.so.cache"):  # awk may be a link through the first
        if Path("/etc", name).exists():
            yield from _bind(Path("/etc", name), f"etc/{name}")


def _bind(source: Path, target: str, *, writable: bool = False) -> Iterator[str]:
    """Bind ``source`` with all that is mounted below it, everything read-only if not ``writable``."""
    real = source.resolve()
    place = shlex.quote(target)
    yield f"mkdir -p {place}" if real.is_dir() else f": >{place}"
    yield f"mount --rbind {_quote(real)} {place}"
    for mount in (real, *_mounts_below(real)):
        below = f"{target}/{mount.relative_to(real)}" if mount != real else target
        # What a mount from outside forbids must stay forbidden, or the kernel refuses.
        noexec = ",noexec" if os.statvfs(mount).f_flag & os.ST_NOEXEC else ""
        mode = "rw" if writable else "ro"
        yield f"mount -o remount,bind,{mode},nosuid,nodev{noexec} none {shlex.quote(below)}"


def _mounts_below(folder: Path) -> list[Path]:
    """The mount points strictly below ``folder``; see proc(5), mountinfo."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        name = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split()[4])
        if Path(name).is_relative_to(folder) and Path(name) != folder:
            found.append(Path(name))
    return found


def _quote(path: Path) -> str:
    return shlex.quote(os.fspath(path))
