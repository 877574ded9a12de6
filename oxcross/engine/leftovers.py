"""Containers of oxcross processes that are no more (kill -9, power): recognised and removed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import APIClient

_GONE = {404, 409}  # there is no such container any more; its removal has begun


@cache
def _here() -> dict[str, str]:
    """What tells this boot of this machine, and this PID namespace, from every other."""
    return {
        "oxcross.boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "oxcross.pids": str(Path("/proc/self/ns/pid").readlink()),
    }


def _started(pid: int) -> str | None:
    """When a process began, in clock ticks since boot (proc(5), stat, field 22); None without one."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def labels() -> dict[str, str]:
    """The labels of this process's containers."""
    pid = os.getpid()
    return {"oxcross": str(pid), "oxcross.started": _started(pid) or "", **_here()}


def is_left(found: Mapping[str, str], *, running: bool) -> bool:
    """Whether the process that set these labels is known to be dead.

    What another machine or PID namespace labelled is only judged once its container has stopped.
    """
    if any(found.get(name) != value for name, value in _here().items()):
        return not running
    pid = found.get("oxcross", "")
    return not pid.isdigit() or _started(int(pid)) != found.get("oxcross.started")


def reap(api: APIClient, tell: Callable[[str], None]) -> None:
    """Remove the containers whose oxcross is dead. Another process may be at it, too."""
    from docker.errors import APIError

    for container in api.containers(all=True, filters={"label": "oxcross"}):
        if is_left(container["Labels"], running=container["State"] == "running"):
            tell(f"docker: removing the container {container['Id'][:12]} of an oxcross that was killed")
            try:
                api.remove_container(container["Id"], force=True, v=True)
            except APIError as error:
                if error.status_code not in _GONE:
                    raise
