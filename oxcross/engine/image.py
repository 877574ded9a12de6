"""The images that steps run in, made once from ``images/*/Dockerfile.j2`` and known by a digest.

An image's tag is the digest of its rendered Dockerfiles, so it is made again only when they change.
The base is pulled by digest; where no registry answers, mmdebstrap makes one from the APT sources of
this machine, with all packages in it (so that no network is needed inside the build).
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross.engine.namespaces import UID
from oxcross.errors import ToolError, nearest
from oxcross.fetch import apt
from oxcross.plan import SANDBOX_ROOT
from oxcross.rooms import room

if TYPE_CHECKING:
    from docker import APIClient

_BOOTSTRAP_SECONDS = 900.0


class Images:
    """The images of one docker daemon. ``tell`` gets a line when something takes long."""

    def __init__(self, api: APIClient, tell: Callable[[str], None]) -> None:
        self._api = api
        self._tell = tell
        self._mutex = threading.Lock()
        self._ready: dict[str, str] = {}
        self._table = _table()

    def ensure(self, name: str) -> str:
        """The tag of the image ``name`` ("manylinux"), which is made if it is not there."""
        with self._mutex:
            if name not in self._ready:
                self._ready[name] = self._find_or_make(name)
            return self._ready[name]

    def _find_or_make(self, name: str) -> str:
        packages = self._packages(name)
        ways: list[Callable[[], None]] = [self._pulled, lambda: self._bootstrapped(packages)]
        bases = [_reference(self._table), _bootstrap_tag(packages)]
        chains = [(way, self._chain(name, base)) for way, base in zip(ways, bases, strict=True)]
        for _, chain in chains:
            if self._exists(chain[-1][0]):
                return chain[-1][0]
        reasons = []
        for way, chain in chains:
            try:
                way()
                for tag, text in chain:
                    if not self._exists(tag):
                        self._build(tag, text)
                return chain[-1][0]
            except ToolError as error:
                reasons.append(error.message)
        raise ToolError(
            "no base for the image can be had: " + "; ".join(reasons),
            where=f"images/{name}",
            hint="apt-get install mmdebstrap, or name an image of a Debian kind in OXCROSS_BASE_IMAGE, "
            "or use --engine local",
        )

    def _packages(self, name: str) -> list[str]:
        """The packages of the image ``name`` and of those that it is made from."""
        row = self._table.get(name, {})
        below = self._packages(row["parent"]) if "parent" in row else []
        return [*below, *row.get("packages", [])]

    def _chain(self, name: str, base: str) -> list[tuple[str, str]]:
        """The images from ``base`` up to ``name``: tag and rendered Dockerfile."""
        if name not in self._table:
            raise ToolError(f"no such image: {name!r}", hint=nearest(name, self._table))
        row = self._table[name]
        below = self._chain(row["parent"], base) if "parent" in row else []
        bootstrapped = base.startswith("oxcross-bootstrap:")
        text = _render(
            name,
            parent=below[-1][0] if below else base,
            packages=[] if bootstrapped else row.get("packages", []),
        )
        return [*below, (f"oxcross-{name}:{hashlib.sha256(text.encode()).hexdigest()[:16]}", text)]

    def _exists(self, tag: str) -> bool:
        return bool(self._api.images(tag, quiet=True))

    def _pulled(self) -> None:
        from docker.errors import APIError, ImageNotFound

        reference = _reference(self._table)
        try:
            self._api.inspect_image(reference)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            try:
                self._tell(f"docker: pulling {reference.partition('@')[0]}")
                self._api.pull(reference)
            except APIError as error:
                raise ToolError(f"{reference.partition('@')[0]} cannot be pulled ({_short(error)})") from None

    def _build(self, tag: str, dockerfile: str) -> None:
        from docker.errors import APIError

        self._tell(f"docker: building the image {tag}")
        try:
            lines: Any = self._api.build(
                fileobj=io.BytesIO(dockerfile.encode()),
                tag=tag,
                rm=True,
                forcerm=True,
                decode=True,
                network_mode="default" if "apt-get" in dockerfile else "none",
                labels={"oxcross.image": tag},
            )
            output: list[str] = []
            for line in lines:
                output.append(line.get("stream", ""))
                if "error" in line:
                    end = "".join(output).strip().splitlines()[-3:]
                    raise ToolError(" ".join([f"building {tag} failed: {line['error']}", *end]))
        except APIError as error:
            raise ToolError(f"building {tag} failed: {_short(error)}") from None

    def _bootstrapped(self, wanted: list[str]) -> None:
        tag = _bootstrap_tag(wanted)
        if self._exists(tag):
            return
        if shutil.which("mmdebstrap") is None:
            raise ToolError("mmdebstrap is not installed")
        suite = _codename()
        sources = "".join(_source_lines(suite))
        if not sources:
            raise ToolError(f"/etc/apt names no source of packages for {suite}")
        packages = ",".join(wanted)
        self._tell(f"docker: making a base image with mmdebstrap ({suite})")
        with tempfile.TemporaryDirectory(prefix="oxcross-base-") as folder:
            archive = Path(folder, "base.tar")
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}"]
            try:
                run = subprocess.run(
                    [*command, suite, str(archive), "-"],
                    input=sources,
                    capture_output=True,
                    text=True,
                    timeout=_BOOTSTRAP_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise ToolError(f"mmdebstrap did not end within {_BOOTSTRAP_SECONDS:.0f} s") from None
            if run.returncode != 0:
                end = " ".join(run.stderr.strip().splitlines()[-3:])
                raise ToolError(f"mmdebstrap failed: {end}")
            repository, _, version = tag.partition(":")
            self._api.import_image_from_file(str(archive), repository=repository, tag=version)


def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((room("images") / "images.toml").read_text())


def _bootstrap_tag(packages: list[str]) -> str:
    """The tag of a base that mmdebstrap makes with these packages in it."""
    made = hashlib.sha256(f"{_codename()} {' '.join(packages)}".encode()).hexdigest()
    return f"oxcross-bootstrap:{made[:16]}"


def _reference(table: dict[str, dict[str, Any]]) -> str:
    return os.environ.get("OXCROSS_BASE_IMAGE") or str(table["base"]["reference"])


def _render(name: str, *, parent: str, packages: list[str]) -> str:
    import jinja2

    text = (room("images") / name / "Dockerfile.j2").read_text()
    template = jinja2.Template(text, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return str(template.render(parent=parent, packages=packages, uid=UID, root=SANDBOX_ROOT))


def _codename() -> str:
    """The code name of this machine's distribution; os-release(5)."""
    for name in ("/etc/os-release", "/usr/lib/os-release"):
        path = Path(name)
        if path.exists():
            for line in path.read_text().splitlines():
                if line.startswith("VERSION_CODENAME="):
                    return line.partition("=")[2].strip("\"'")
    return "stable"


def _source_lines(suite: str) -> list[str]:
    """This machine's APT sources for ``suite`` and its updates, in the one-line format."""
    lines = []
    for entry in apt.repositories():
        options = " ".join(f"{name}={value}" for name, value in entry.options)
        words = f"[{options}] {entry.uri}" if options else entry.uri
        suites = [found for found in entry.suites if found.partition("-")[0] == suite]
        if "deb" in entry.types:
            lines += [f"deb {words} {found} {' '.join(entry.components)}\n" for found in suites]
    return lines


def _short(error: Exception) -> str:
    """The daemon's own words, without the address that was asked."""
    return str(getattr(error, "explanation", None) or error).strip().splitlines()[0]
