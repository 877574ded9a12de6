"""Packages for macOS's installer: read by what their formats say, by apple-codesign, and by OpenSSL."""

from __future__ import annotations

import gzip
import re
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import apple_platform
import pytest
from apple_tools import certificates, clock, executable, who
from tools import need

from oxcross.errors import BuildError, ConfigError
from oxcross.macos import archive, bom, bundle, pkg, xar
from oxcross.macos.settings import App, MacOS, Package

ABOUT = pkg.About(name="app", identifier="org.example.app", version="1.2", minimum="11.0", arch="universal2")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {arch: executable(tmp_path_factory.mktemp(arch), arch) for arch in ("aarch64", "universal2")}


def make(source: Path, folder: Path) -> Path:
    """A bundle."""
    folder.mkdir()
    app = App(name="Söhne", identifier="org.example.app", version="1.2")
    return bundle.make(source, folder, MacOS(app=app), lambda _: None)


def cpio(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """What a cpio archive of the octet-oriented kind holds."""
    at = 0
    while True:
        fields = [int(data[at + a : at + b], 8) for a, b in ((18, 24), (59, 65), (65, 76))]
        assert data[at : at + 6] == b"070707"
        mode, length, size = fields
        start = at + 76 + length
        name = data[at + 76 : start - 1].decode()
        if name == "TRAILER!!!":
            assert not data[start:]
            return
        yield name, mode, data[start : start + size]
        at = start + size


def bill(data: bytes) -> dict[str, tuple[int, int, int, int]]:
    """What a Bom lists: path -> kind, mode, size, checksum; read by what its blocks refer to."""
    magic, _, count, table, _, names, _ = struct.unpack_from(">8s6I", data)
    assert magic == b"BOMStore"
    rows = struct.unpack_from(">I", data, table)[0]
    assert rows == count + 1
    places = [struct.unpack_from(">II", data, table + 4 + 8 * number) for number in range(rows)]

    def block(number: int) -> bytes:
        at, size = places[number]
        return data[at : at + size]

    variables, at = {}, names + 4
    for _ in range(struct.unpack_from(">I", data, names)[0]):
        number, length = struct.unpack_from(">IB", data, at)
        variables[data[at + 5 : at + 5 + length].decode()] = block(number)
        at += 5 + length
    assert list(variables) == ["BomInfo", "Paths", "HLIndex", "VIndex", "Size64"]
    kind, _, child, _, total, _ = struct.unpack(">4sIIIIB", variables["Paths"])
    assert kind == b"tree"
    assert struct.unpack_from(">II", variables["BomInfo"])[1] == total + 1
    while not struct.unpack_from(">H", block(child))[0]:
        child = struct.unpack_from(">I", block(child), 12)[0]
    paths: dict[int, str] = {0: ""}
    found = {}
    before = 0
    while child:
        leaf = block(child)
        _, entries, after, backward = struct.unpack_from(">HHII", leaf)
        assert backward == before
        for number in range(entries):
            info, named = struct.unpack_from(">II", leaf, 12 + 8 * number)
            identifier, record = struct.unpack(">II", block(info))
            parent = struct.unpack_from(">I", block(named))[0]
            name = block(named)[4:-1].decode()
            paths[identifier] = f"{paths[parent]}/{name}".lstrip("/")
            fields = struct.unpack(">BBHHIIIIBII", block(record))
            found[paths[identifier]] = (fields[0], fields[3], fields[7], fields[9])
        before, child = child, after
    assert len(found) == total
    return found


def cksum(data: bytes) -> int:
    need(cksum="coreutils")
    done = subprocess.run(["cksum"], input=data, capture_output=True, check=True)
    return int(done.stdout.split()[0])


@pytest.mark.parametrize("data", [b"", b"a", b"123456789", bytes(70_000), bytes(range(256)) * 300])
def test_checksum(data: bytes) -> None:
    found = bom.Cksum()
    found.update(data[:100])
    found.update(data[100:])
    assert found.value == cksum(data)


def test_many_paths() -> None:
    rows = [bom.Entry(".", stat.S_IFDIR | 0o755)]
    rows += [bom.Entry(f"./{number:04}", stat.S_IFREG | 0o644, number, number) for number in range(700)]
    found = bill(bom.build(rows))
    assert len(found) == 701
    assert found["./0699"] == (1, stat.S_IFREG | 0o644, 699, 699)
    assert found["."] == (2, stat.S_IFDIR | 0o755, 0, 0)


@pytest.mark.parametrize("bundled", [False, True])
def test_package(bundled: bool, made: dict[str, Path], tmp_path: Path) -> None:
    source = make(made["universal2"], tmp_path / "out") if bundled else made["universal2"]
    wanted = Package(location="/Applications" if bundled else "/usr/local/bin")
    out = pkg.make(source, tmp_path / "app.pkg", ABOUT, wanted)
    data = out.read_bytes()
    found = xar.read(data)
    assert (found.kind, found.certificates) == ("sha1", ())
    assert list(found.files) == ["Distribution", "app.pkg/Bom", "app.pkg/PackageInfo", "app.pkg/Payload"]
    packed = bytes(found.files["app.pkg/Payload"])
    listed = {name: (mode, content) for name, mode, content in cpio(gzip.decompress(packed))}
    wanted_names = [
        ".",
        *(f"./{path.relative_to(source.parent).as_posix()}" for path in archive.entries(source)),
    ]
    assert list(listed) == wanted_names
    program = source / "Contents/MacOS/universal2" if bundled else source
    name = f"./{program.relative_to(source.parent).as_posix()}"
    assert listed[name] == (stat.S_IFREG | 0o755, program.read_bytes())
    bills = bill(bytes(found.files["app.pkg/Bom"]))
    assert bills == {
        path: (2, mode, 0, 0) if stat.S_ISDIR(mode) else (1, mode, len(content), cksum(content))
        for path, (mode, content) in listed.items()
    }
    assert pkg.make(source, out, ABOUT, wanted).read_bytes() == data
    assert apple_platform.path_type(out) == "xar"
    _check_by_apple_codesign(found, tmp_path / "other.pkg", wanted, bundled=bundled)


def _check_by_apple_codesign(found: xar.Archive, path: Path, wanted: Package, *, bundled: bool) -> None:
    """What its reader of packages says; it takes no volume-check without a script, which Apple's may be."""
    files = {name: bytes(data) for name, data in found.files.items()}
    distribution = files["Distribution"].decode()
    assert '<os-version min="11.0" />' in distribution
    files["Distribution"] = re.sub(r"(?s)<volume-check>.*</volume-check>", "", distribution).encode()
    xar.write(files, path)
    seen = apple_platform.packaging.pkg_info(path)
    text = str(seen)
    assert "'x86_64,arm64'" in text
    assert "'org.example.app'" in text
    assert wanted.location in text
    assert ("CFBundleShortVersionString" in text) == bundled
    extracted = apple_platform.packaging.pkg_extract_member(path, "app.pkg/Payload")
    assert extracted == found.files["app.pkg/Payload"]


def installer(keys: Path, kind: str = "installer", timestamp: str = "") -> Package:
    return Package(location="/usr/local/bin", identity=who(keys, kind, "package"), timestamp=timestamp)


def test_signed_package(made: dict[str, Path], keys: Path, tmp_path: Path) -> None:
    need(openssl="openssl")
    plain = xar.read(
        pkg.make(made["aarch64"], tmp_path / "a.pkg", ABOUT, Package(location="/x")).read_bytes()
    )
    with clock(keys, tmp_path) as address:
        out = pkg.make(made["aarch64"], tmp_path / "b.pkg", ABOUT, installer(keys, timestamp=address))
    found = xar.read(out.read_bytes())
    assert found.files["app.pkg/Payload"] == plain.files["app.pkg/Payload"]
    assert len(found.certificates) == 1
    (tmp_path / "cms").write_bytes(bytes(found.cms))
    (tmp_path / "checksum").write_bytes(found.checksum)
    line = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "cms", "-content", "checksum", "-binary"]
    trusted = ["-purpose", "any", "-ignore_critical", "-CAfile", str(keys / "ca.pem"), "-out", "out"]
    subprocess.run([*line, *trusted], cwd=tmp_path, check=True, capture_output=True)
    # As `openssl rsautl -verify` would show it: the DigestInfo of the checksum itself (RFC 8017, section 9.2).
    (tmp_path / "rsa").write_bytes(bytes(found.signature))
    line = f"openssl pkeyutl -verifyrecover -certin -inkey {keys}/installer.pem -in rsa -pkeyopt digest:sha1".split()
    done = subprocess.run(line, cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout == found.checksum
    assert b"1.2.840.113549.1.9.16.2.14" in _tokens(tmp_path / "cms")
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def _tokens(cms: Path) -> bytes:
    done = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER", "-in", cms], check=True, capture_output=True
    )
    return done.stdout.replace(b"id-smime-aa-timeStampToken", b"1.2.840.113549.1.9.16.2.14")


def test_package_with_a_curve(made: dict[str, Path], keys: Path, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, BuildError), match=r"RSA keys only|cannot be signed"):
        pkg.make(made["aarch64"], tmp_path / "a.pkg", ABOUT, installer(keys, "curve"))
    assert not list(tmp_path.iterdir())


def test_damaged_package(made: dict[str, Path], tmp_path: Path) -> None:
    data = pkg.make(made["aarch64"], tmp_path / "a.pkg", ABOUT, Package(location="/x")).read_bytes()
    for at in range(0, len(data), max(len(data) // 200, 1)):
        broken = bytearray(data)
        broken[at] ^= 1
        try:
            xar.read(bytes(broken))
        except xar.XarError:
            continue
        assert at in {6, 7, *range(16, 24)}  # version and size in the header, which nothing depends on
    for end in (0, 10, 28, 100, len(data) - 1):
        with pytest.raises(xar.XarError):
            xar.read(data[:end])
