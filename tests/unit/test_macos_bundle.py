"""Bundles and zips for macOS: what is in them, that it is signed, that every change is found."""

from __future__ import annotations

import hashlib
import plistlib
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apple_platform
import pytest
from apple_tools import certificates, clock, executable, png, who
from configuring import load, writer
from tools import need

from oxcross import targets
from oxcross.errors import BuildError, ConfigError
from oxcross.macos import archive, bundle, icns, information, product, xar
from oxcross.macos.codesign import SignatureError
from oxcross.macos.settings import App, MacOS, Signing
from oxcross.macos.sign import machos
from oxcross.macos.verify import INFO, RESOURCES, verify


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {arch: executable(tmp_path_factory.mktemp(arch), arch) for arch in ("aarch64", "universal2")}


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "icon.png").write_bytes(png(256))
    return App(name="Söhne", identifier="org.example.app", icon=tmp_path / "icon.png", version="1.2")


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (
            stat.S_IMODE(path.stat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def make(source: Path, folder: Path, app: App, sign: Signing | None = None) -> Path:
    wanted = MacOS(minimum="12.0", identifier=app.identifier, app=app, sign=sign)
    folder.mkdir(exist_ok=True)
    out = bundle.make(source, folder, wanted, lambda _: None)
    assert [path.name for path in folder.iterdir()] == [f"{app.name}.app"]
    return out


# -- the bundle ------------------------------------------------------------------------------


@pytest.mark.parametrize("arch", ["aarch64", "universal2"])
@pytest.mark.parametrize("certificate", [False, True])
def test_bundle(
    certificate: bool,
    arch: str,
    made: dict[str, Path],
    app: App,
    keys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    sign = Signing(identity=who(keys), timestamp="") if certificate else None
    out = make(made[arch], tmp_path / "out", app, sign)
    found = content(out)
    program = f"Contents/MacOS/{arch}"
    icon = f"Contents/Resources/{arch}.icns"
    assert {name: mode for name, (mode, _) in found.items()} == {
        "Contents": 0o755,
        "Contents/Info.plist": 0o644,
        "Contents/MacOS": 0o755,
        program: 0o755,
        "Contents/Resources": 0o755,
        icon: 0o644,
        "Contents/_CodeSignature": 0o755,
        "Contents/_CodeSignature/CodeResources": 0o644,
    }
    info, listing = found["Contents/Info.plist"][1], found["Contents/_CodeSignature/CodeResources"][1]
    assert plistlib.loads(info)["CFBundleExecutable"] == arch
    assert plistlib.loads(listing)["files2"][icon.removeprefix("Contents/")]["hash2"] == (
        hashlib.sha256(found[icon][1]).digest()
    )
    for file in machos(found[program][1]):
        seen = verify(file, {INFO: info, RESOURCES: listing})
        assert seen is not None
        assert (seen.identifier, seen.adhoc, seen.hardened) == (
            "org.example.app",
            not certificate,
            certificate,
        )
    if certificate:
        assert apple_platform.verify_macho(out / program) == []
    assert apple_platform.packaging.bundle_info(out)["identifier"] == "org.example.app"
    assert (
        content(make(made[arch], tmp_path / "out", app, sign)) == found
    )  # in the place of the first, the same


def test_information(tmp_path: Path) -> None:
    app = App(
        name="Suite", identifier="org.example.suite", category="public.app-category.utilities", copyright="© Toy",
        version="1.2.3", background=True, info={"CFBundleURLTypes": [{"CFBundleURLSchemes": ["suite"]}]},
    )  # fmt: skip
    text = information.info(app, "suite", "11.0")
    assert plistlib.loads(text) == {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": "Suite",
        "CFBundleExecutable": "suite",
        "CFBundleIdentifier": "org.example.suite",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": "Suite",
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": "1.2.3",
        "CFBundleSupportedPlatforms": ["MacOSX"],
        "CFBundleURLTypes": [{"CFBundleURLSchemes": ["suite"]}],
        "CFBundleVersion": "1.2.3",
        "LSApplicationCategoryType": "public.app-category.utilities",
        "LSMinimumSystemVersion": "11.0",
        "LSUIElement": True,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "© Toy",
    }
    assert text == information.info(app, "suite", "11.0")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("1.2.3.4", "1.2.3"), ("2", "2"), ("1!3.1rc2", "3.1"), ("v1.0", "1.0"), ("snapshot", "0")],
)
def test_versions(version: str, numbers: str) -> None:
    assert information.version_numbers(version) == numbers


def test_what_no_property_list_holds() -> None:
    info = {"CFBundleIdentifier": "x", "ok": [1, {"a": b"b"}], "none": None, "deep": {"a": [object()]}}
    assert [key for key, _ in information.problems(info)] == ["CFBundleIdentifier", "none", "deep"]


def _change(name: str) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        path = out / name
        path.write_bytes(path.read_bytes()[:-1] + b"x")

    return change


def _add(out: Path) -> None:
    (out / "Contents/Resources/more").write_bytes(b"x")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_change("Contents/Info.plist"), "its signature is not for Info.plist"),
        (_change("Contents/_CodeSignature/CodeResources"), "its signature is not for CodeResources"),
        (_change("Contents/Resources/aarch64.icns"), "its signature is not for the files in it"),
        (_add, "its signature is not for the files in it"),
    ],
)
def test_damage(
    change: Callable[[Path], None], says: str, made: dict[str, Path], app: App, tmp_path: Path
) -> None:
    out = make(made["aarch64"], tmp_path / "out", app)
    how = Signing(hardened_runtime=False, timestamp="")
    bundle.check(out, made["aarch64"], how, app, out)
    change(out)
    with pytest.raises(BuildError, match=says):
        bundle.check(out, made["aarch64"], how, app, out)


def test_a_signature_of_a_program_alone_is_no_bundles(made: dict[str, Path]) -> None:
    [file] = machos(made["aarch64"].read_bytes())
    with pytest.raises(SignatureError, match=r"not for Info\.plist"):
        verify(file, {INFO: b"x"})


def test_bundle_with_a_timestamp(made: dict[str, Path], app: App, keys: Path, tmp_path: Path) -> None:
    need(openssl="openssl")
    with clock(keys, tmp_path) as address:
        out = make(made["universal2"], tmp_path / "out", app, Signing(identity=who(keys), timestamp=address))
    seen = apple_platform.read_signature(out)
    assert len(apple_platform.reading.find_values(seen, "time_stamp_token")) == 2


# -- icons -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "kind"), [(128, b"ic07"), (256, b"ic08"), (512, b"ic09"), (1024, b"ic10")])
def test_icon(size: int, kind: bytes, tmp_path: Path) -> None:
    picture = png(size)
    (tmp_path / "icon.png").write_bytes(picture)
    made = icns.load(tmp_path / "icon.png")
    assert made == struct.pack(">4sI4sI", b"icns", len(picture) + 16, kind, len(picture) + 8) + picture
    (tmp_path / "icon.icns").write_bytes(made)
    assert icns.load(tmp_path / "icon.icns") == made


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "neither an .icns file nor a PNG"),
        (b"BM", "neither"),
        (png(100), r"it is 100x100\n.*1024x1024"),
        (png(128, 64), "it is 128x64"),
        (png(128)[:20], "cut short"),
        (png(128)[:-8], "damaged PNG"),
        (png(128).replace(b"IHDR", b"IHDX"), "damaged PNG"),
        (b"icns\0\0\0\x08", "it has no image"),
        (b"icns\0\0\0\x09x", "ends in an image"),
        (b"icns\0\0\0\x08x", "something follows"),
        (b"icns\0\0\0\x10ic08\0\0\0\x09", "'ic08' ends behind the file's end"),
        (b"icns\0\0\0\x10TOC \0\0\0\x08", "it has no image"),
    ],
)
def test_no_icon(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "icon").write_bytes(data)
    with pytest.raises(ConfigError, match=says):
        icns.load(tmp_path / "icon")


# -- zips ------------------------------------------------------------------------------------


def test_zip_of_a_bundle(made: dict[str, Path], app: App, tmp_path: Path) -> None:
    out = make(made["aarch64"], tmp_path / "out", app)
    packed = archive.write(out, tmp_path / "app.zip")
    with zipfile.ZipFile(packed) as found:
        rows = {row.filename: row for row in found.infolist()}
        assert next(iter(rows)) == "Söhne.app/"
        assert rows["Söhne.app/Contents/"].external_attr >> 16 == stat.S_IFDIR | 0o755
        program = rows["Söhne.app/Contents/MacOS/aarch64"]
        assert program.external_attr >> 16 == stat.S_IFREG | 0o755
        assert program.create_system == 3
        assert rows["Söhne.app/Contents/Info.plist"].external_attr >> 16 == stat.S_IFREG | 0o644
        assert found.read(program) == (out / "Contents/MacOS/aarch64").read_bytes()
    first = packed.read_bytes()
    (out / "Contents/Info.plist").touch()
    assert archive.write(out, packed).read_bytes() == first
    assert apple_platform.path_type(packed) == "zip"


def test_zip_of_an_executable(made: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(archive.write(made["universal2"], tmp_path / "a.zip")) as found:
        [row] = found.infolist()
        assert (row.filename, row.external_attr >> 16) == ("universal2", stat.S_IFREG | 0o755)
    with pytest.raises(OSError, match="No such file"):
        archive.write(tmp_path / "none", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
    assert not list(tmp_path.glob(".b.zip*"))


# -- from the configuration ------------------------------------------------------------------


def test_products(made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        [tool.oxcross]
        run-file = "app.py"
        targets = ["macos-arm64"]
        [tool.oxcross.macos]
        package.formats = ["zip", "pkg"]
        [tool.oxcross.macos.app]
        name = "The App"
        identifier = "org.example.app"
        category = "developer-tools"
        info = { NSCameraUsageDescription = "why" }
    """
    head = '[project]\nname = "app"\nversion = "1.5rc1"\nauthors = [{ name = "Toy" }]\n'
    (tmp_path / "project").mkdir()
    project = load(writer(tmp_path / "project")(text, head=head))
    assert project.macos.app == App(
        name="The App", identifier="org.example.app", category="public.app-category.developer-tools",
        copyright="© Toy", version="1.5", info={"NSCameraUsageDescription": "why"},
    )  # fmt: skip
    assert project.macos.identifier == "org.example.app"
    assert project.macos.package.location == "/Applications"
    said: list[Any] = []
    (tmp_path / "app").write_bytes(made["aarch64"].read_bytes())
    target = targets.get("macos-arm64")
    found = product.packages(project, target, tmp_path / "app", said.append)
    assert [path.name for path in found] == ["The App.app", "app.zip", "app.pkg"]
    assert not said
    distribution = bytes(xar.read(found[2].read_bytes()).files["Distribution"]).decode()
    assert 'hostArchitectures="arm64"' in distribution
    with zipfile.ZipFile(found[1]) as packed:
        assert packed.namelist()[0] == "The App.app/"
