"""install.sh when something is wrong: nothing is installed then, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import downloads
import pytest
import s3server
from installing import (
    ALL,
    SHELLS,
    Place,
    bare,
    commands,
    good,
    keys,
    refused,
    signed_by,
    start,
    there,
)


@pytest.fixture
def place(install_place: Place) -> Place:
    install_place.site.reset()
    return install_place


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where to install: there is no such folder yet."""
    return tmp_path / "some where" / "bin"


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
