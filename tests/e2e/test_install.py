"""install.sh of real releases, from a web server, in the shells that users have: what is installed, and that nothing is when something is wrong."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import downloads
import pytest
import s3server
from program import APPS, oxcross

from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.publish import contents, dist, provenance
from oxcross.publish.draft import Draft
from oxcross.publish.installers import Installers

NEEDED = {
    "bash": "bash",
    "busybox": "busybox",
    "curl": "curl",
    "dash": "dash",
    "minisign": "minisign",
    "openssl": "openssl",
    "wget": "wget",
    "zsh": "zsh",
}
SHELLS = ("dash", "bash", "zsh", "busybox")


@dataclass(frozen=True)
class Installed:
    """How a run of install.sh ended."""

    status: int
    output: str  # stdout and stderr


@dataclass(frozen=True)
class Place:
    """Releases and who gives them out: 1.0 is signed by nobody, 1.1 with a key of minisign's, and has one target only."""

    site: downloads.Site
    root: Path  # the project's
    secret: Path
    public: str

    def folder(self, version: str) -> Path:
        return self.root / "dist" / "tools" / version

    def script(self, version: str = "1.0") -> Path:
        return self.folder(version) / "install.sh"


def minisign(*line: object) -> None:
    done = subprocess.run(
        ["minisign", *map(str, line)], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def signed_by(secret: Path) -> Any:
    def sign(file: Path) -> dict[str, bytes]:
        minisign("-S", "-W", "-s", secret, "-m", file)
        signature = file.with_name(file.name + ".minisig")
        content = signature.read_bytes()
        signature.unlink()
        return {".minisig": content}

    return sign


def keys(folder: Path) -> tuple[Path, str]:
    """The file of a new secret key, and the public one's line."""
    folder.mkdir(exist_ok=True)
    minisign("-G", "-W", "-p", folder / "public", "-s", folder / "secret")
    return folder / "secret", (folder / "public").read_text(encoding="utf-8").splitlines()[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    for command, package in NEEDED.items():
        assert shutil.which(command), f"{command} is missing: apt-get install {package}"
    root = tmp_path_factory.mktemp("install") / "tools"
    shutil.copytree(APPS / "tools", root)
    secret, public = keys(root.parent / "keys")
    with downloads.running(root / "dist") as site:
        configuration = root / "pyproject.toml"
        text = configuration.read_text(encoding="utf-8")
        text = text.replace("tell = {}, ", 'tell = {}, web = { run-module = "http.server" }, ')
        text += f'[tool.oxcross.publish]\nurl = "{site.address}/"\n'
        configuration.write_text(text, encoding="utf-8")
        done = oxcross("release", "--project", str(root), "--targets", "linux-x64,linux-x64-musl", "--json")
        assert done.returncode == 0, done.stderr
        configuration.write_text(text.replace('version = "1.0"', 'version = "1.1"'), encoding="utf-8")
        done = oxcross("build", "--project", str(root), "--targets", "linux-x64", "--json")
        assert done.returncode == 0, done.stderr
        [row] = json.loads(done.stdout)["artifacts"]
        facts = {key: row[key] for key in ("minimum", "python", "glibc", "commands")}
        built = Artifact(
            **{key: row[key] for key in ("target", "sha256", "size", "seconds")},
            path=Path(row["path"]),
            facts=facts,
        )

        def signature(draft: Draft) -> None:
            draft.manifest["signature"] = {"public-key": public}

        dist.release(
            *(root / "dist", "tools", "1.1", [built]),
            additions=[signature, *contents.additions(projects.load(root), provenance.released({}, root))],
            signing=[signed_by(secret)],
        )
        yield Place(site, root, secret, public)


@pytest.fixture(autouse=True)
def undisturbed(place: Place) -> None:
    place.site.reset()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where to install: there is no such folder yet."""
    return tmp_path / "some where" / "bin"


def commands(folder: Path, *names: str, **scripts: str) -> Path:
    """A folder for PATH with these of this machine's programs only, and small scripts instead of others."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def bare(folder: Path, shell: str) -> tuple[list[str], str]:
    """How a shell is started, and its PATH: all of this machine's, or BusyBox's applets only."""
    if shell != "busybox":
        return [shell], os.environ["PATH"]
    applets = folder / "applets"
    applets.mkdir(exist_ok=True)
    subprocess.run(["busybox", "--install", "-s", str(applets)], check=True)
    return [str(applets / "sh")], str(applets)


def start(
    place: Place, tmp_path: Path, *options: object, shell: str = "dash", version: str = "1.0", **env: str
) -> subprocess.Popen[str]:
    """install.sh, as a pipe gives it to a shell."""
    line, path = bare(tmp_path, shell)
    with place.script(version).open("rb") as script:
        return subprocess.Popen(
            [*line, "-s", "--", *map(str, options)],
            env={"PATH": path, "HOME": str(tmp_path), **env},
            cwd=tmp_path,
            stdin=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def run(place: Place, tmp_path: Path, *options: object, **more: str) -> Installed:
    process = start(place, tmp_path, *options, **more)
    output, _ = process.communicate(timeout=120)
    return Installed(process.returncode, output)


def good(place: Place, tmp_path: Path, *options: object, **more: str) -> str:
    done = run(place, tmp_path, *options, **more)
    assert done.status == 0, done.output
    return done.output


def refused(place: Place, tmp_path: Path, *options: object, **more: str) -> str:
    done = run(place, tmp_path, *options, **more)
    assert done.status == 1, done.output
    return done.output


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


ALL = ["again", "serve", "tell", "tools", "web"]


# -- what it does ---------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_install(place: Place, tmp_path: Path, target: Path, shell: str) -> None:
    said = good(place, tmp_path, "--dir", target, shell=shell)
    assert f"installed: {target}/tools" in said
    assert f'{target} is not in PATH. Add to ~/.profile: export PATH="{target}:$PATH"' in said
    assert there(target) == ALL
    assert stat.S_IMODE((target / "tools").stat().st_mode) == 0o755
    told = subprocess.run([target / "tell", "a"], capture_output=True, text=True, check=False)
    assert told.stdout.startswith("tell ")
    before = (target / "tools").stat().st_mtime_ns
    place.site.reset()
    assert "nothing to do" in good(place, tmp_path, "--dir", target, shell=shell)
    assert (target / "tools").stat().st_mtime_ns == before
    assert place.site.asked == []
    said = good(place, tmp_path, "--dir", target, "--uninstall", shell=shell)
    assert f"removed: {target}/tools" in said
    assert there(target) == []
    assert "nothing to do" in good(place, tmp_path, "--dir", target, "--uninstall", shell=shell)


@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_one_line(place: Place, tmp_path: Path, downloader: str) -> None:
    """As the README has it, for a user who is not root."""
    tools = (
        "sh",
        "mkdir",
        "chmod",
        "mv",
        "ln",
        "rm",
        "wc",
        "cut",
        "sha256sum",
        "cat",
        "head",
        "grep",
        "uname",
    )
    path = commands(tmp_path / "path", *tools, "readlink", downloader, id="echo 1000")
    get = {"curl": "curl -fsSL", "wget": "wget -qO-"}[downloader]
    line = f"{get} {place.site.address}/tools/1.0/install.sh | sh"
    for env, folder in (({}, ".local/bin"), ({"XDG_BIN_HOME": str(tmp_path / "mine")}, "mine")):
        done = subprocess.run(
            ["sh", "-c", line],
            env={"PATH": str(path), "HOME": str(tmp_path), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert there(tmp_path / folder) == ALL
    assert place.site.asked.count("tools-1.0-linux-x64-musl") == 2  # nothing there says which glibc it is


@pytest.mark.parametrize("shell", SHELLS)
def test_options(place: Place, tmp_path: Path, target: Path, shell: str) -> None:
    said = good(place, tmp_path, "--help", shell=shell)
    assert "--require-signature" in said
    assert "linux-x64 linux-x64-musl" in said
    said = good(place, tmp_path, f"--dir={target}", "--dry-run", "--target", "linux-x64", shell=shell)
    assert (
        f"tools-1.0-linux-x64 ({(place.folder('1.0') / 'tools-1.0-linux-x64').stat().st_size} bytes)" in said
    )
    assert place.site.asked == []
    assert not target.exists()
    assert good(place, tmp_path, "--dir", target, "--quiet", "--no-links", shell=shell) == ""
    assert there(target) == ["tools"]
    assert "installed" in good(place, tmp_path, "--dir", target, "--force", shell=shell)
    assert there(target) == ALL
    assert "would remove" in good(place, tmp_path, "--dir", target, "--dry-run", "--uninstall", shell=shell)
    assert there(target) == ALL
    assert "there is no option --folder" in refused(place, tmp_path, "--folder", "x", shell=shell)
    assert "--dir wants a value" in refused(place, tmp_path, "--dir", shell=shell)
    assert "no target linux-x86; there are: linux-x64 linux-x64-musl" in refused(
        place, tmp_path, "--target", "linux-x86", shell=shell
    )
    relative = good(place, tmp_path, "--dir", "here", "--no-links", shell=shell)
    assert f"installed: {tmp_path}/here/tools" in relative


def test_from_a_folder_or_a_mirror(place: Place, tmp_path: Path, target: Path) -> None:
    folder = tmp_path / "a copy"
    shutil.copytree(place.folder("1.0"), folder)
    for address in (folder, f"file://{folder}"):
        assert "installed" in good(place, tmp_path, "--dir", target, "--url", address, "--force")
    assert place.site.asked == []
    with downloads.running(folder) as mirror:
        assert "installed" in good(place, tmp_path, "--dir", target, "--url", f"{mirror.address}/", "--force")
        assert mirror.asked == ["tools-1.0-linux-x64"]
    assert "No such file" in refused(place, tmp_path, "--dir", target, "--url", "/nowhere", "--force")


# -- which target ---------------------------------------------------------------------------


def test_an_old_glibc(place: Place, tmp_path: Path, target: Path) -> None:
    old = commands(tmp_path / "old", getconf="echo glibc 2.12", ldd="echo ldd 2.12")
    path = f"{old}:{os.environ['PATH']}"
    good(place, tmp_path, "--dir", target, PATH=path)
    assert place.site.asked == ["tools-1.0-linux-x64-musl"]
    shutil.rmtree(target)
    said = refused(place, tmp_path, "--dir", target, version="1.1", PATH=path)
    assert "it has glibc 2.12, and linux-x64 needs 2.17; there are: linux-x64" in said
    assert not target.exists()


def test_another_machine(place: Place, tmp_path: Path, target: Path) -> None:
    other = commands(tmp_path / "other", uname="case $1 in -s) echo Plan9;; *) echo mips;; esac")
    said = refused(place, tmp_path, "--dir", target, PATH=f"{other}:{os.environ['PATH']}")
    assert "no tools 1.0 for this machine (Plan9 mips); there are: linux-x64 linux-x64-musl" in said
    assert not target.exists()


def test_what_does_not_run_is_not_installed(place: Place, tmp_path: Path, target: Path) -> None:
    broken = tmp_path / "build" / "tools"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho a library is missing\nexit 127\n", encoding="utf-8")
    content = broken.read_bytes()
    built = Artifact(
        target="linux-x64",
        path=broken,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        seconds=1.0,
    )
    released = dist.release(
        *(tmp_path / "dist", "tools", "2.0", [built]), additions=[Installers(projects.load(place.root))]
    )
    good(place, tmp_path, "--dir", target)
    before = (target / "tools").read_bytes()
    line = ["dash", released.path / "install.sh", "--dir", target, "--url", released.path]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not run on this machine: a library is missing" in done.stderr
    assert (target / "tools").read_bytes() == before
    assert there(target) == ALL


# -- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["dash", "busybox"])
@pytest.mark.parametrize(
    ("fate", "said"), [(downloads.DAMAGED, "its SHA-256 is"), (downloads.CUT, ""), (downloads.ERROR, "")]
)
def test_a_bad_download(place: Place, tmp_path: Path, target: Path, shell: str, fate: str, said: str) -> None:
    place.site.reset(downloads.always(fate))
    output = refused(place, tmp_path, "--dir", target, shell=shell)
    assert f"cannot get {place.site.address}/tools/1.0/tools-1.0-linux-x64" in output
    assert said in output
    assert len(place.site.asked) == 3
    assert there(target) == []
    place.site.reset(lambda number, _: fate if number == 0 else downloads.WHOLE)
    good(place, tmp_path, "--dir", target, shell=shell)
    assert there(target) == ALL


@pytest.mark.parametrize("shell", SHELLS)
def test_a_cut_script_does_nothing(place: Place, tmp_path: Path, shell: str) -> None:
    whole = place.script().read_bytes()
    line, path = bare(tmp_path, shell)
    home = tmp_path / "home"
    home.mkdir()
    cuts = [*range(100, len(whole), len(whole) // 25), *range(len(whole) - 30, len(whole) - 1)]
    for cut in cuts:
        subprocess.run(
            [*line, "-s", "--", "--dir", str(home / "bin")],
            env={"PATH": path, "HOME": str(home)},
            input=whole[:cut],
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert there(home) == []
    assert place.site.asked == []


def test_a_folder_that_cannot_be_written(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    for folder in (file / "bin", Path("/proc/bin")):
        assert f"cannot write to {folder}" in refused(place, tmp_path, "--dir", folder)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with place.script().open("rb") as script:
        done = subprocess.run(
            [*nobody, "dash", "-s", "--", "--dir", "/usr/local/bin"],
            stdin=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert "cannot write to /usr/local/bin" in done.stderr
    assert place.site.asked == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopped(place: Place, tmp_path: Path, target: Path, shell: str, number: signal.Signals) -> None:
    place.site.reset(downloads.always(downloads.STALLED))
    process = start(place, tmp_path, "--dir", target, shell=shell)
    assert place.site.stalled.wait(30)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert there(target) == []


def test_killed(place: Place, tmp_path: Path, target: Path) -> None:
    """kill -9: what was there is whole, and the next run takes away what was left."""
    good(place, tmp_path, "--dir", target, "--no-links")
    before = (target / "tools").read_bytes()
    place.site.reset(downloads.always(downloads.STALLED))
    process = start(place, tmp_path, "--dir", target, "--no-links", version="1.1")
    assert place.site.stalled.wait(30)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert there(target) == [f".tools.install.{process.pid}", "tools"]
    assert (target / "tools").read_bytes() == before
    place.site.reset()
    good(place, tmp_path, "--dir", target, "--no-links", version="1.1")
    assert there(target) == ["tools"]
    assert (target / "tools").read_bytes() == (place.folder("1.1") / "tools-1.1-linux-x64").read_bytes()


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_several_at_once(place: Place, tmp_path: Path, target: Path, shell: str) -> None:
    running = [start(place, tmp_path, "--dir", target, shell=shell) for _ in range(4)]
    done = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, done
    assert there(target) == ALL


def test_upgraded_while_it_runs(place: Place, tmp_path: Path, target: Path) -> None:
    good(place, tmp_path, "--dir", target)
    [port] = s3server.free_ports(1)
    line = [target / "web", port, "--bind", "127.0.0.1", "--directory", tmp_path]
    process = subprocess.Popen(
        list(map(str, line)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert answers(port)
        good(place, tmp_path, "--dir", target, version="1.1")
        assert answers(port)
    finally:
        process.kill()
        process.communicate()
    assert (target / "tools").read_bytes() == (place.folder("1.1") / "tools-1.1-linux-x64").read_bytes()


def answers(port: int) -> bool:
    """Whether there is a web server within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer,
        ):
            return bool(answer.status == 200)
        time.sleep(0.05)
    return False


def test_what_others_put_there(place: Place, tmp_path: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "tell").write_text("mine\n", encoding="utf-8")
    (target / "web").symlink_to("/usr/bin")
    said = refused(place, tmp_path, "--dir", target)
    assert f"{target}/tell is there, and is not tools's; --force replaces it, --no-links leaves it" in said
    assert place.site.asked == []
    good(place, tmp_path, "--dir", target, "--no-links")
    assert (target / "tell").read_text(encoding="utf-8") == "mine\n"
    good(place, tmp_path, "--dir", target, "--force")
    assert {(target / name).readlink() for name in ALL if name != "tools"} == {Path("tools")}
    (target / "serve").unlink()
    (target / "serve").write_text("mine\n", encoding="utf-8")
    good(place, tmp_path, "--dir", target, "--uninstall")
    assert there(target) == ["serve"]
    (target / "tools").symlink_to("/usr/bin/true")
    assert "tools is there, and is not tools's" in refused(place, tmp_path, "--dir", target, "--no-links")
    assert "it stays" in refused(place, tmp_path, "--dir", target, "--uninstall")
    (target / "tools").unlink()
    (target / "tools").mkdir()
    assert "is a folder" in refused(place, tmp_path, "--dir", target, "--force")


# -- signatures -----------------------------------------------------------------------------

PLAIN = (
    *("mkdir", "chmod", "mv", "ln", "rm", "wc", "cut", "sha256sum", "cat", "head", "grep", "uname", "id"),
    *("cp", "readlink", "getconf", "sed", "tr", "dd", "cmp", "curl", "sleep"),
)


@pytest.fixture(params=["minisign", "openssl"])
def checker(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """PATH with one of the two that check signatures."""
    return str(commands(tmp_path / "path", *PLAIN, "dash", request.param))


def test_a_signature(place: Place, tmp_path: Path, target: Path, checker: str) -> None:
    options = ("--dir", target, "--require-signature")
    assert "signature: right" in good(place, tmp_path, *options, version="1.1", PATH=checker)
    assert place.site.asked == ["tools-1.1-linux-x64", "SHA256SUMS", "SHA256SUMS.minisig"]


@pytest.mark.parametrize("wrong", ["another key", "other sums", "damaged", "no signature", "another file"])
def test_a_wrong_signature(place: Place, tmp_path: Path, target: Path, checker: str, wrong: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(place.folder("1.1"), folder)
    sums, signature = folder / "SHA256SUMS", folder / "SHA256SUMS.minisig"
    if wrong == "another key":
        signature.write_bytes(signed_by(keys(tmp_path / "other")[0])(sums)[".minisig"])
    elif wrong == "other sums":
        sums.write_text(sums.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    elif wrong == "damaged":
        lines = signature.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[1] = lines[1][:60] + ("A" if lines[1][60] != "A" else "B") + lines[1][61:]
        signature.write_text("".join(lines), encoding="utf-8")
    elif wrong == "no signature":
        signature.write_bytes(b"")
    else:
        sums.write_text("0" * 64 + "  tools-1.1-linux-x64\n", encoding="utf-8")
        signature.write_bytes(signed_by(place.secret)(sums)[".minisig"])
    said = refused(place, tmp_path, "--dir", target, "--url", folder, version="1.1", PATH=checker)
    expected = (
        "what is signed has another tools" if wrong == "another file" else "signature of SHA256SUMS is wrong"
    )
    assert expected in said
    assert there(target) == []


def test_nothing_to_check_a_signature_with(place: Place, tmp_path: Path, target: Path) -> None:
    for number, openssl in enumerate(("", "echo OpenSSL 1.1.1w", "echo LibreSSL 3.8.2")):
        path = commands(
            tmp_path / f"path{number}", *PLAIN, "dash", **({"openssl": openssl} if openssl else {})
        )
        said = refused(place, tmp_path, "--dir", target, "--require-signature", version="1.1", PATH=str(path))
        assert "needs minisign, or OpenSSL 3" in said
        assert there(target) == []
        said = good(place, tmp_path, "--dir", target, "--force", version="1.1", PATH=str(path))
        assert "the signature is not checked" in said
        shutil.rmtree(target)
    said = refused(place, tmp_path, "--dir", target, "--require-signature")
    assert "this release has no signature" in said
    assert there(target) == []


@pytest.mark.parametrize("hasher", ["sha256sum", "shasum", "openssl"])
def test_whatever_hashes(place: Place, tmp_path: Path, target: Path, hasher: str) -> None:
    rest = [name for name in PLAIN if name != "sha256sum"]
    path = commands(tmp_path / "path", *rest, "dash", hasher)
    good(place, tmp_path, "--dir", target, PATH=str(path))
    (tmp_path / "path" / hasher).unlink()
    said = refused(place, tmp_path, "--dir", target, "--force", PATH=str(path))
    assert "needs sha256sum, shasum or openssl" in said
