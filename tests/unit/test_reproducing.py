"""What is compared with a release: signatures of certificates are taken off, what follows from the executables is made again."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from apple_tools import certificates, executable, who
from configuring import Write, load, writer
from windowed import attach, launcher

from oxcross.build import Artifact
from oxcross.errors import ReproduceError, UsageError
from oxcross.macos.settings import Signing
from oxcross.macos.sign import sign as sign_macos
from oxcross.project import Project
from oxcross.publish import buildinfo, contained, difference, dist, rebuild, reproduce, unsigned
from oxcross.publish.original import Original, from_folder
from oxcross.windows.settings import Signing as WindowsSigning
from oxcross.windows.sign import sign as sign_windows

STATES = dict[str, str]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def signed(kind: str, keys: Path, folder: Path) -> tuple[Path, Path]:
    """An executable, and the same with a certificate's signature."""
    folder.mkdir()
    out = folder / "signed" / ("app.exe" if kind == "win-x64" else "app")
    if kind == "win-x64":
        plain = attach(folder, launcher()).path
        wanted = WindowsSigning(certificate=str(keys / "code.pem"), key=str(keys / "code.key"))
        sign_windows(plain, out, wanted, lambda _: None)
    else:
        plain = executable(folder, {"macos-arm64": "aarch64", "macos-universal2": "universal2"}[kind])
        identity = Signing(identity=who(keys), timestamp="")
        sign_macos(plain, out, identity, "org.example.app", lambda _: None)
    return plain, out


KINDS = ["win-x64", "macos-arm64", "macos-universal2"]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_but_for_the_signature(kind: str, keys: Path, tmp_path: Path) -> None:
    plain, out = signed(kind, keys, tmp_path / "made")
    assert out.read_bytes() != plain.read_bytes()
    assert unsigned.equal(out, plain)
    assert not unsigned.equal(plain, out)  # it is the released one that has to be signed
    changed = bytearray(plain.read_bytes())
    changed[changed.index(b"BLOBDATA")] ^= 1
    other = tmp_path / "other"
    other.write_bytes(changed)
    assert not unsigned.equal(out, other)
    behind = tmp_path / "behind"
    behind.write_bytes(out.read_bytes() + b"more")
    assert not unsigned.equal(behind, plain)


def test_an_ad_hoc_signature_is_compared(keys: Path, tmp_path: Path) -> None:
    """Anybody can make it: one that differs is a difference."""
    plain = executable(tmp_path, "aarch64")
    out = tmp_path / "signed" / "app"
    sign_macos(plain, out, Signing(), "org.example.other", lambda _: None)
    assert not unsigned.equal(out, plain)


def artifact(target: str, path: Path, packages: tuple[Path, ...] = ()) -> Artifact:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(
        target=target, path=path, sha256=digest, size=len(content), seconds=1.0, packages=packages
    )


def compared(project: Project, original: Original, built: list[Artifact], folder: Path) -> STATES:
    made, taken = reproduce.lay_out(project, original, built, folder / "again", [buildinfo.addition(project)])
    wanted = reproduce.targets(original, ",".join(one.target for one in built))
    found = reproduce.compare(
        original, made, taken, wanted, folder / "kept", lambda *_: contextlib.nullcontext()
    )
    assert found.same == all(row.state in ("equal", "signed", "signature") for row in found.rows)
    assert (found.kept is None) == all(row.state != "differs" for row in found.rows)
    assert all(bool(row.why) == (row.state == "differs") for row in found.rows)
    return {row.file: row.state for row in found.rows}


def test_all_that_follows_is_compared(keys: Path, write: Write, tmp_path: Path) -> None:
    """The release is signed, what is built again is not; only who lacks the key sees a difference, and only there."""
    project = load(write('[tool.oxcross]\nrun-file = "app.py"\ntargets = ["win-x64", "macos-arm64"]\n'))
    built, released = [], []
    for target in ("macos-arm64", "win-x64"):
        plain, out = signed(target, keys, tmp_path / target)
        packages = []
        for path in (plain, out):
            path.with_suffix(".zip").write_bytes(b"zip of " + path.read_bytes())
            packages.append((path.with_suffix(".zip"),) if target == "macos-arm64" else ())
        built.append(artifact(target, plain, packages[0]))
        released.append(artifact(target, out, packages[1]))
    additions = [buildinfo.addition(project)]
    place = dist.release(tmp_path / "dist", project.name, project.version, released, additions).path
    (place / "SHA256SUMS.minisig").write_text("signature", encoding="utf-8")
    name = f"{project.name}-{project.version}"
    original = from_folder(place, project.name, project.version)
    assert original.problems == ()
    assert original.signatures == {"SHA256SUMS.minisig"}
    assert compared(project, original, built, tmp_path / "1") == {
        f"{name}-macos-arm64": "signed",
        f"{name}-macos-arm64.zip": "signed",
        f"{name}-win-x64.exe": "signed",
        "SHA256SUMS": "equal",
        "SHA256SUMS.minisig": "signature",
        "manifest.json": "equal",
    }
    other = tmp_path / "other.exe"
    other.write_bytes(built[1].path.read_bytes() + b"more")
    states = compared(project, original, [built[0], artifact("win-x64", other)], tmp_path / "2")
    assert states[f"{name}-win-x64.exe"] == states["SHA256SUMS"] == states["manifest.json"] == "differs"
    assert states[f"{name}-macos-arm64"] == "signed"
    states = compared(project, original, [dataclasses.replace(built[0], packages=())], tmp_path / "3")
    assert states == {f"{name}-macos-arm64": "signed", f"{name}-macos-arm64.zip": "missing"}
    with pytest.raises(UsageError, match="did you mean 'win-x64'"):
        reproduce.targets(original, "win-64")


def test_what_is_missing_or_strange_is_told(write: Write, tmp_path: Path) -> None:
    project = load(write('[tool.oxcross]\nrun-file = "app.py"\n'))
    (tmp_path / "file").write_bytes(b"1")
    built = [artifact("linux-x64", tmp_path / "file")]
    additions = [buildinfo.addition(project)]
    place = dist.release(tmp_path / "dist", project.name, project.version, built, additions).path
    with (place / "SHA256SUMS").open("a", encoding="utf-8") as stream:
        stream.write(f"{'0' * 64}  notes.txt\n")
    (place / "other").write_text("", encoding="utf-8")
    original = from_folder(place, project.name, project.version)
    assert original.problems == ("notes.txt is missing", "neither the manifest nor SHA256SUMS knows other")
    states = compared(project, original, built, tmp_path / "1")
    assert states.pop("SHA256SUMS") == "differs"
    assert states == {
        f"{project.name}-{project.version}-linux-x64": "equal",
        "manifest.json": "equal",
        "notes.txt": "missing",
        "other": "missing",
    }
    (place / f"{project.name}-{project.version}-linux-x64").unlink()
    original = from_folder(place, project.name, project.version)
    assert (
        compared(project, original, built, tmp_path / "2")[f"{project.name}-{project.version}-linux-x64"]
        == "added"
    )


def test_certificates_are_not_asked_for(keys: Path, write: Write) -> None:
    project = load(
        write(
            f"""
            [tool.oxcross]
            run-file = "app.py"
            targets = ["macos-arm64"]
            [tool.oxcross.windows.sign]
            certificate = "{keys}/code.pem"
            key = "{keys}/code.key"
            [tool.oxcross.macos.sign]
            certificate = "{keys}/code.pem"
            key = "{keys}/code.key"
            [tool.oxcross.macos.package]
            formats = ["pkg"]
            certificate = "{keys}/code.pem"
            key = "{keys}/code.key"
            """
        )
    )
    plain = unsigned.project(project)
    assert (plain.windows.sign, plain.macos.sign, plain.macos.package.identity) == (None, None, None)
    assert plain.macos.package.formats == ("pkg",)
    ad_hoc = dataclasses.replace(project, macos=dataclasses.replace(project.macos, sign=Signing()))
    assert unsigned.project(ad_hoc).macos.sign == Signing()  # which is the same each time


def test_a_release_that_does_not_say(write: Write, tmp_path: Path) -> None:
    project = load(write('[tool.oxcross]\nrun-file = "app.py"\n'))
    (tmp_path / "file").write_bytes(b"1")
    place = dist.release(
        tmp_path / "dist", project.name, project.version, [artifact("linux-x64", tmp_path / "file")]
    ).path
    with pytest.raises(ReproduceError, match="does not say what it was built from"):
        rebuild.info(from_folder(place, project.name, project.version))


def test_texts_and_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a\nb\nc\n", encoding="utf-8")
    other.write_text("a\nB\nc\n", encoding="utf-8")
    found = difference.explain(one, other)
    assert found.lines[0] == "1 bytes differ, the first at 0x2, the last at 0x2"
    assert found.lines[-3:] == ("-b", "+B", " c")
    assert found.complete
    one.write_text("".join(f"{number}\n" for number in range(100)), encoding="utf-8")
    other.write_text("", encoding="utf-8")
    found = difference.explain(one, other)
    assert found.lines[:2] == ("0.3 kB (290 bytes), rebuilt -290 bytes", "the first 0 bytes are the same")
    assert "lines more" in found.lines[-1]
    assert not found.complete
    one.write_bytes(b"\xff" * 10)
    other.write_bytes(b"\xff" * 4 + b"\xfe" + b"\xff" * 5)
    assert difference.explain(one, other).lines == ("1 bytes differ, the first at 0x4, the last at 0x4",)


def packed(path: Path, members: dict[str, str], mode: int = 0o644) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in members.items():
                entry = zipfile.ZipInfo(name)
                entry.external_attr = mode << 16
                archive.writestr(entry, text)
        return path
    with tarfile.open(path, "w:gz") as stream:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), mode
            stream.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_archives(tmp_path: Path, ending: str) -> None:
    members = {"a/same": "s", "a/text": "one\n", "a/old": ""}
    one = packed(tmp_path / f"one.{ending}", members)
    del members["a/old"]
    other = packed(tmp_path / f"other.{ending}", {**members, "a/text": "two\n", "a/new": ""})
    found = difference.explain(one, other)
    assert found.complete
    assert [line for line in found.lines if line.startswith("a/")] == [
        "a/text: 3 bytes differ, the first at 0x0, the last at 0x2",
        "a/text: --- released",
        "a/text: +++ rebuilt",
        "a/text: @@ -1 +1 @@",
        "a/text: -one",
        "a/text: +two",
        "a/old: not in the rebuilt one",
        "a/new: only in the rebuilt one",
    ]
    packed(one, members, 0o600)
    packed(other, members, 0o644)
    [same, text] = difference.explain(one, other).lines[-2:]
    assert same.startswith("a/same: ")
    assert "600" in text
    assert ", rebuilt " in text
    assert "644" in text
    other.write_bytes(one.read_bytes()[:-40])  # damaged: only the bytes can be compared
    found = difference.explain(one, other)
    assert not found.complete
    assert not any(line.startswith("a/") for line in found.lines)


@pytest.mark.parametrize(
    ("kind", "section"), [("win-x64", ".text"), ("macos-arm64", "__text"), ("linux-x64", "program code")]
)
def test_named_parts(kind: str, section: str, keys: Path, tmp_path: Path) -> None:
    content = Path(sys.executable).read_bytes() if kind == "linux-x64" else b""
    content = content or signed(kind, keys, tmp_path / "made")[0].read_bytes()
    parts = contained.sections(memoryview(content))
    [(start, end)] = [(start, end) for name, start, end in parts if name == section]
    assert 0 < start < end <= len(content)
    assert contained.sections(memoryview(content)[:100]) == []
