"""Runs each step in a container of its own: no network, no capability, uid 1000.

Inputs are read-only bind mounts; where the daemon does not see this machine's files (another host, or
a socket passed into a container) they are uploaded. The output is taken out as an archive, so that
neither owners nor user namespaces of the daemon matter.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross.engine import Job, copying, leftovers
from oxcross.engine.image import Images
from oxcross.engine.namespaces import UID
from oxcross.engine.process import STOPPED
from oxcross.errors import StoreError, ToolError
from oxcross.plan import SANDBOX_ROOT

if TYPE_CHECKING:
    from docker import APIClient

_ANSWER_SECONDS = 3
_CALL_SECONDS = 120
_START = "start it (systemctl start docker), or build without it: --engine local"
_AGAIN = "start it and run the same command again (finished steps are kept), or use --engine local"


def connect(tell: Callable[[str], None]) -> DockerEngine:
    """An engine on the daemon of ``$DOCKER_HOST`` or of docker's current context.

    ToolError when it does not answer within a few seconds. Containers that dead oxcross processes
    left are removed.
    """
    api = client()
    with going_away():
        leftovers.reap(api, tell)
    return DockerEngine(api, tell)


def client() -> APIClient:
    """The daemon that ``connect`` speaks of. ToolError when it does not answer."""
    from docker import APIClient
    from docker.context import ContextAPI
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env
    from requests.exceptions import RequestException

    try:
        options: dict[str, Any] = dict(kwargs_from_env())
        if "base_url" not in options and (context := ContextAPI.get_current_context()) is not None:
            options["base_url"] = context.Host
            if context.TLSConfig is not None:
                options["tls"] = context.TLSConfig
        base = str(options.get("base_url") or "unix:///var/run/docker.sock")
        over_ssh = base.startswith("ssh://")
        if base.startswith("unix://"):  # docker's own try would leave a socket open
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(base.removeprefix("unix://"))
        api = APIClient(**options, version="auto", timeout=_ANSWER_SECONDS, use_ssh_client=over_ssh)
        api.ping()
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise ToolError(f"docker does not answer: {_reason(error)}", hint=_START) from None
    api.timeout = _CALL_SECONDS
    return api


class DockerEngine:
    """The engine that runs steps in containers."""

    name = "docker"

    def __init__(self, api: APIClient, tell: Callable[[str], None]) -> None:
        self._api = api
        self._images = Images(api, tell)
        self._mutex = threading.Lock()
        self._running: set[str] = set()
        self._stopped = False
        self._binds: bool | None = None

    def prepare(self, images: Iterable[str]) -> None:
        """Make the images, and see whether the daemon can mount this machine's files."""
        with self._mutex:
            self._stopped = False
        with going_away():
            tags = [self._images.ensure(name) for name in sorted(images)]
            if self._binds is None and tags:
                self._binds = self._sees_our_files(tags[0])

    def run(self, job: Job) -> int:
        """Run the script to its end; its exit status, or a negative number when it was stopped."""
        with going_away(), self._container(job, ["/bin/sh", f"{SANDBOX_ROOT}/script"]) as container:
            if container is None:
                return STOPPED
            try:
                with self._output(container) as output:
                    self._api.start(container)
                    for _, chunk in output:
                        job.log.write(chunk)
                        job.log.flush()
                status = int(self._api.wait(container, timeout=None)["StatusCode"])
                if status == 0 and not self._stopped:
                    self._take(container, job.out)
            except Exception:
                if not self._stopped:  # else it is only the noise of a container that was taken away
                    raise
            return STOPPED if self._stopped else status

    def shell(self, job: Job) -> int:
        """An interactive sh on the caller's terminal; ``sh $ROOT/script`` runs the step there."""
        program = shutil.which("docker")
        if program is None:
            raise ToolError(
                "a shell in a container needs the docker command",
                hint="apt-get install docker.io (or docker-cli), or use --engine local",
            )
        with going_away(), self._container(job, ["/bin/sh", "-i"], terminal=True) as container:
            if container is None:
                return STOPPED
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the shell's, not ours
            try:
                return subprocess.run([program, "start", "-ai", container], check=False).returncode
            finally:
                signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """Take every running container away."""
        with self._mutex:
            self._stopped = True
            running = list(self._running)
        for container in running:
            self._remove(container)

    def close(self) -> None:
        """Take every running container away and hang up."""
        self.stop()
        self._api.close()

    @contextmanager
    def _container(self, job: Job, arguments: list[str], *, terminal: bool = False) -> Iterator[str | None]:
        """A container for the job, created but not started; None after ``stop``."""
        if self._binds is None:
            self.prepare([job.image])
        places = {f"in/{name}": path.resolve() for name, path in job.inputs.items()}
        places["script"] = job.script.resolve()
        variables = [f"{name}={value}" for name, value in job.environment(SANDBOX_ROOT).items()]
        if terminal:
            variables.append(f"TERM={os.environ.get('TERM', 'dumb')}")
        container = self._create(
            self._images.ensure(job.image),
            ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", "env", "-i", *variables, *arguments],
            places if self._binds else {},
            terminal=terminal,
        )
        try:
            with self._mutex:
                stopped = self._stopped
                self._running.add(container)
            if not stopped and not self._binds:
                self._upload(container, places)
            yield None if stopped else container
        finally:
            with self._mutex:
                self._running.discard(container)
            self._remove(container)

    @contextmanager
    def _output(self, container: str) -> Iterator[Iterator[tuple[int, bytes]]]:
        """What a container is going to print, in pieces as they come."""
        from docker.utils.socket import frames_iter

        stream = self._api.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1})
        try:
            yield frames_iter(stream, tty=False)  # type: ignore[no-untyped-call]
        finally:
            if (response := getattr(stream, "_response", None)) is not None:
                response.close()  # first: it flushes the stream
            stream.close()

    def _create(
        self, image: str, command: list[str], binds: dict[str, Path], *, terminal: bool = False
    ) -> str:
        from docker.types import Mount

        mounts = [
            Mount(target=f"{SANDBOX_ROOT}/{place}", source=str(path), type="bind", read_only=True)
            for place, path in binds.items()
        ]
        host = self._api.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges", "label=disable"],
            mounts=mounts,
        )
        made = self._api.create_container(
            image,
            command,
            user=f"{UID}:{UID}",
            working_dir=f"{SANDBOX_ROOT}/work",
            hostname="oxcross",
            labels=leftovers.labels(),
            host_config=host,
            tty=terminal,
            stdin_open=terminal,
        )
        return str(made["Id"])

    def _remove(self, container: str) -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        with suppress(DockerException, RequestException, OSError):  # gone already, or the daemon is
            self._api.remove_container(container, force=True, v=True)

    def _upload(self, container: str, places: dict[str, Path]) -> None:
        def root_owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            return member

        with tempfile.TemporaryFile() as spool:
            with tarfile.open(fileobj=spool, mode="w") as archive:
                for place, path in places.items():
                    archive.add(path, place, filter=root_owned)
            spool.seek(0)
            self._api.put_archive(container, SANDBOX_ROOT, spool)

    def _take(self, container: str, out: Path) -> None:
        """Copy the container's ``$OUT`` to the folder ``out``, owned by the caller."""
        if message := copying.take(self._api, container, f"{SANDBOX_ROOT}/out", out):
            raise StoreError(f"a step's output cannot be written: {message}", where=str(out))

    def _sees_our_files(self, image: str) -> bool:
        """Whether a bind mount of a file of ours shows our file."""
        from docker.errors import APIError

        with tempfile.TemporaryDirectory(prefix="oxcross-probe-") as folder:
            Path(folder).chmod(0o755)
            word = secrets.token_hex(16)
            path = Path(folder, "word")
            path.write_text(word)
            path.chmod(0o644)
            try:
                container = self._create(image, ["cat", f"{SANDBOX_ROOT}/word"], {"word": path})
            except APIError:
                return False
            try:
                self._api.start(container)
                self._api.wait(container, timeout=None)
                return bool(self._api.logs(container).decode(errors="replace").strip() == word)
            except APIError:
                return False
            finally:
                self._remove(container)


@contextmanager
def going_away() -> Iterator[None]:
    """Say in words when the daemon stops answering, or refuses."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except APIError as error:
        reason = error.explanation or str(error)
        raise ToolError(f"docker refused: {reason}", hint=_AGAIN) from error
    except (DockerException, RequestException, HTTPError, ConnectionError) as error:
        raise ToolError(f"docker went away: {_reason(error)}", hint=_AGAIN) from error


def _reason(error: BaseException) -> str:
    """The innermost cause: the outer ones speak of urllib3's pools."""
    inner = error
    while (below := inner.__cause__ or inner.__context__) is not None and below is not inner:
        inner = below
    return (str(inner) or type(inner).__name__).splitlines()[0]
