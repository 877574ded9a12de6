"""Files out of images and containers: as ``docker cp`` copies them, owned by the caller."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.engine import leftovers
from oxcross.errors import StoreError

if TYPE_CHECKING:
    from docker import APIClient


def image(api: APIClient, name: str) -> str | None:
    """The digest ("sha256:…") of the image that the daemon has under a name; None when it has none."""
    from docker.errors import ImageNotFound

    from oxcross.engine.docker import going_away

    with going_away():
        try:
            return str(api.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return None


def copy(api: APIClient, name: str, path: str, out: Path) -> bool:
    """Copy what is in an image's folder to the folder ``out``, by a container that is never started; False when the image
    has no such folder.
    """
    from docker.errors import NotFound

    from oxcross.engine.docker import going_away

    with going_away():
        container = str(api.create_container(name, ["true"], labels=leftovers.labels())["Id"])
        try:
            message = take(api, container, path, out)
        except NotFound:
            return False
        finally:
            api.remove_container(container, force=True, v=True)
    if message:
        raise StoreError(f"{path} of the image cannot be copied: {message}", where=str(out))
    return True


def take(api: APIClient, container: str, path: str, out: Path) -> str:
    """Copy what is in a container's folder to the folder ``out``; what tar(1) says where that fails."""
    chunks, _ = api.get_archive(container, path, chunk_size=1 << 20)
    command = ["tar", "-x", "-f", "-", "-C", str(out), "--strip-components=1", "--no-same-owner"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, umask=0o022) as tar:
        assert tar.stdin is not None  # noqa: S101 - for the type checker
        assert tar.stderr is not None  # noqa: S101
        with suppress(BrokenPipeError):
            for chunk in chunks:
                tar.stdin.write(chunk)
            tar.stdin.close()
        message = tar.stderr.read().decode(errors="replace").strip()
    return message or "tar failed" if tar.returncode != 0 else ""
