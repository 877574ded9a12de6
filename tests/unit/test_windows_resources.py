"""Icon, version and manifest: what is written is what others read; what is wrong is named."""

from __future__ import annotations

import zlib
from pathlib import Path
from struct import pack

import lief
import pytest
from configuring import error, load, writer
from windowed import WINDOWS, attach, launcher

from oxcross.errors import ConfigError, ConfigErrors
from oxcross.windows import icon, manifest, version
from oxcross.windows.appearance import appearance
from oxcross.windows.resources import Resources

HEAD = """\
[project]
name = "my-app"
version = "2.5.1rc3"
description = "Does things"
authors = [{name = "Jane Doe"}, {name = "Ö. Söhne", email = "o@example.org"}, {email = "nobody@example.org"}]
"""


def png(width: int = 16, height: int = 16, depth: int = 8, colour: int = 6) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(height * (1 + width * 4)))
    head = pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bitmap(size: int = 16, depth: int = 32) -> bytes:
    palette = 4 << depth if depth <= 8 else 0
    rows = size * ((size * depth + 31) // 32 + (size + 31) // 32) * 4
    return pack("<IiiHHIIiiII", 40, size, 2 * size, 1, depth, 0, 0, 0, 0, 0, 0) + bytes(palette + rows)


def ico(*images: tuple[int, int, bytes]) -> bytes:
    head, body = pack("<HHH", 0, 1, len(images)), b""
    for width, height, data in images:
        at = 6 + 16 * len(images) + len(body)
        head += pack("<BBBBHHII", width & 255, height & 255, 0, 0, 1, 32, len(data), at)
        body += data
    return head + body


def test_an_executable_says_what_it_is(tmp_path: Path) -> None:
    make = writer(tmp_path)
    (tmp_path / "app.ico").write_bytes(
        ico((16, 16, bitmap()), (32, 32, bitmap(32, 8)), (256, 256, png(256, 256)))
    )
    project = load(
        make(
            '[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.windows]\nicon = "app.ico"\n'
            'subsystem = "windows"\nversion-info.file-version = "7.8"\nversion-info.trademarks = "T™"\n',
            head=HEAD,
        )
    )
    path = attach(tmp_path, launcher(), appearance=appearance(project)).path
    binary = lief.PE.parse(path)
    assert binary is not None
    manager = binary.resources_manager
    assert isinstance(manager, lief.PE.ResourcesManager)
    assert [(one.width, one.height) for one in manager.icons] == [(16, 16), (32, 32), (0, 0)]
    assert bytes(list(manager.icons)[2].pixels) == png(256, 256)
    [found] = manager.version
    fixed = found.file_info
    assert (fixed.file_version_ms, fixed.file_version_ls) == (7 << 16 | 8, 0)
    assert (fixed.product_version_ms, fixed.product_version_ls) == (2 << 16 | 5, 1 << 16)
    assert fixed.file_flags == 2  # before a release
    assert found.string_file_info is not None
    [table] = found.string_file_info.children
    assert table.key == "040904B0"
    assert {entry.key: entry.value.rstrip("\0") for entry in table.entries} == {
        "CompanyName": "Jane Doe, Ö. Söhne",
        "FileDescription": "Does things",
        "FileVersion": "7.8",
        "InternalName": "my-app",
        "LegalCopyright": "© Jane Doe, Ö. Söhne",
        "LegalTrademarks": "T™",
        "OriginalFilename": "my-app.exe",
        "ProductName": "my-app",
        "ProductVersion": "2.5.1rc3",
    }
    assert found.var_file_info is not None
    [variable] = found.var_file_info.vars
    assert (variable.key, list(variable.values)) == ("Translation", [1200 << 16 | 0x409])
    text = manager.manifest
    for part in (
        "asInvoker",
        "longPathAware",
        "UTF-8",
        "PerMonitorV2",
        "Common-Controls",
        "8e0f7a12",
        'version="7.8.0.0"',
    ):
        assert part in text
    assert binary.optional_header.subsystem == lief.PE.OptionalHeader.SUBSYSTEM.WINDOWS_GUI


def test_defaults(tmp_path: Path) -> None:
    project = load(writer(tmp_path)('[tool.oxcross]\nrun-file = "app.py"\n'))
    path = attach(tmp_path, launcher(), appearance=appearance(project)).path
    binary = lief.PE.parse(path)
    assert binary is not None
    manager = binary.resources_manager
    assert isinstance(manager, lief.PE.ResourcesManager)
    assert not manager.has_icons
    [found] = manager.version
    assert found.string_file_info is not None
    strings = {entry.key: entry.value.rstrip("\0") for entry in found.string_file_info.children[0].entries}
    assert strings == {
        "FileDescription": "app",
        "FileVersion": "1.0",
        "InternalName": "app",
        "OriginalFilename": "app.exe",
        "ProductName": "app",
        "ProductVersion": "1.0",
    }
    assert "dpiAware" not in manager.manifest
    assert project.windows.subsystem == "console"


@pytest.mark.parametrize(
    ("text", "numbers", "pre"),
    [
        ("1.2.3", (1, 2, 3, 0), False),
        ("2", (2, 0, 0, 0), False),
        ("1!3.4.5.6.7+local", (3, 4, 5, 6), False),
        ("v1.0.dev4", (1, 0, 0, 0), True),
        ("1.0rc1", (1, 0, 0, 0), True),
        ("nightly", (0, 0, 0, 0), False),
    ],
)
def test_versions(text: str, numbers: version.Numbers, pre: bool) -> None:
    assert version.numbers(text) == numbers
    assert version.prerelease(text) is pre


def test_a_version_that_windows_cannot_have(tmp_path: Path) -> None:
    make = writer(tmp_path)
    head = '[project]\nname = "app"\nversion = "20260101.1"\n'
    project = load(make('[tool.oxcross]\nrun-file = "app.py"\n', head=head))  # other targets do not mind
    with pytest.raises(ConfigError, match=r"20260101.1(.|\n)*file-version"):
        appearance(project)
    text = '[tool.oxcross]\nrun-file = "app.py"\nwindows.version-info.file-version = "26.1"\n'
    appearance(load(make(text, head=head)))


def test_texts_that_are_too_long() -> None:
    with pytest.raises(ConfigError, match="too long"):
        version.pack((1, 0, 0, 0), (1, 0, 0, 0), {"Comments": "x" * 33_000})


def test_the_tree_is_sorted_and_does_not_depend_on_the_order() -> None:
    rows = [(24, 1, b"m"), (3, 2, b"two"), (3, 1, b"one"), (16, 1, b"v" * 99)]
    one, other = Resources(), Resources()
    for kind, name, data in rows:
        one.add(kind, name, data)
    for kind, name, data in reversed(rows):
        other.add(kind, name, data)
    assert one.pack(0x5000) == other.pack(0x5000)
    assert one.pack(0x5000) != one.pack(0x6000)


@pytest.mark.parametrize("size", [1, 16, 255, 256])
def test_a_png_is_an_icon(tmp_path: Path, size: int) -> None:
    (tmp_path / "x.png").write_bytes(png(size, size))
    [image] = icon.load(tmp_path / "x.png")
    assert (image.width, image.height, image.bits) == (size, size, 32)
    assert image.entry(1)[:2] == bytes([size & 255] * 2)


@pytest.mark.parametrize("depth", [1, 4, 8, 24, 32])
def test_bitmaps(tmp_path: Path, depth: int) -> None:
    (tmp_path / "x.ico").write_bytes(ico((48, 48, bitmap(48, depth))))
    assert icon.load(tmp_path / "x.ico")[0].width == 48


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "neither an .ico file nor a PNG"),
        (b"GIF89a" * 9, "neither an .ico file nor a PNG"),
        (ico(), "it has no image"),
        (ico((16, 16, bitmap()))[:20], "entry 1 is cut short"),
        (ico((16, 16, bitmap()), (32, 32, bitmap(32)))[:-1], "entry 2 ends behind the file's end"),
        (ico((16, 16, bitmap(32))), "entry 1 is 32x32, listed as 16x16"),
        (ico((16, 16, bitmap()[:-200])), "entry 1 is cut short"),
        (ico((16, 16, png(32, 32))), "entry 1 is 32x32, listed as 16x16"),
        (ico((16, 16, bitmap()), (16, 16, b"GIF8" * 30)), "entry 2 is neither a PNG nor a bitmap"),
        (ico((16, 16, png()[:-3])), "entry 1 is a PNG that is cut short"),
        (ico((16, 16, png().replace(b"IDAT", b"IDAX"))), "entry 1 is a damaged PNG"),
        (ico((16, 16, png(colour=2))), "PNG32"),
        (png(257, 257), "the largest icon is 256x256"),
    ],
)
def test_bad_icons(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.ico"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        icon.load(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    text = error(writer(tmp_path)('[tool.oxcross]\nrun-file = "app.py"\nwindows.icon = "x.ico"\n'))
    assert "tool.oxcross.windows.icon: x.ico: " in text
    assert says in text


def test_damaged_icons(tmp_path: Path) -> None:
    whole = ico((16, 16, bitmap(16, 8)), (16, 16, png()))
    path = tmp_path / "x.ico"
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ConfigError):
            icon.load(path)


def test_a_manifest_of_one_s_own(tmp_path: Path) -> None:
    good = '<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0"/>'
    text = '[tool.oxcross]\nrun-file = "app.py"\nwindows.manifest = "x.manifest"\n'
    make = writer(tmp_path)
    assert load(make(text, **{"x.manifest": good})).windows.manifest == tmp_path / "x.manifest"
    assert "x.manifest: not XML" in error(make(text, **{"x.manifest": "<a>"}))
    assert "another root element" in error(make(text, **{"x.manifest": "<a/>"}))
    found = error(make(text + 'windows.execution-level = "as-invoker"\n', **{"x.manifest": good}))
    assert "execution-level and manifest exclude each other" in found


def test_the_manifest_s_name_and_rights() -> None:
    text = manifest.make('a"b c', (1, 2, 3, 4), level="require-administrator", ui_access=True, windowed=False)
    assert b'name="a_b_c" version="1.2.3.4"' in text
    assert b'level="requireAdministrator" uiAccess="true"' in text


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('windows.icn = "x"', "windows.icn", "did you mean 'icon'?"),
        ('windows.icon = "x.ico"', "windows.icon", "there is no file 'x.ico'"),
        ('windows.subsystem = "gui"', "windows.subsystem", "choose one of: console, windows"),
        ('windows.execution-level = "admin"', "windows.execution-level", "choose one of: as-invoker"),
        ('windows.ui-access = "no"', "windows.ui-access", "true or false"),
        ('windows.company = "x"', "windows.company", "[tool.oxcross.windows.version-info]"),
        ('windows.version-info.compny = "x"', "windows.version-info.compny", "did you mean 'company'?"),
        (
            'windows.version-info.file-version = "1.2.3.4.5"',
            "windows.version-info.file-version",
            "four numbers",
        ),
        ('windows.sign.key = "k.pem"', "windows.sign.certificate", "missing"),
        ('windows.sign = {certificate = "c.pem"}', "windows.sign.key", "missing"),
        ('windows.sign = {certificate = "c.pfx", key = "k.pem"}', "windows.sign.key", "has the key inside"),
        ('windows.sign = {certificate = "c.pem", key = "pkcs11:a"}', "windows.sign.pkcs11-module", "missing"),
        (
            'windows.sign = {certificate = "c.pfx", pkcs11-module = "m"}',
            "windows.sign.pkcs11-module",
            "no key",
        ),
        ('windows.sign = {certificate = "c.pfx", timestamp = "x"}', "windows.sign.timestamp", "https://"),
        (
            'windows.sign = {certificate = "c.pfx", digest = "sha1"}',
            "windows.sign.digest",
            "did you mean 'sha512'",
        ),
        (
            'windows.sign = {certificate = "c.pfx", password-env = "A", password-file = "b"}',
            "windows.sign.password-file",
            "exclude each other",
        ),
    ],
)
def test_wrong_values(tmp_path: Path, line: str, key: str, says: str) -> None:
    text = error(writer(tmp_path)(f'[tool.oxcross]\nrun-file = "app.py"\n{line}\n'))
    assert f"tool.oxcross.{key}: " in text
    assert says in text


def test_windowed_programs(tmp_path: Path) -> None:
    make = writer(tmp_path)
    head = '[project]\nname = "app"\nversion = "1"\n[project.gui-scripts]\napp = "app:main"\n'
    assert load(make("[tool.oxcross]\nproject = true\n", head=head)).windows.subsystem == "windows"
    text = '[tool.oxcross]\nproject = true\nwindows.subsystem = "console"\n'
    assert load(make(text, head=head)).windows.subsystem == "console"
    both = head + '[project.scripts]\napp = "app:main"\n'
    assert load(make("[tool.oxcross]\nproject = true\n", head=both)).windows.subsystem == "console"


def test_settings_of_a_target(tmp_path: Path) -> None:
    text = """
    [tool.oxcross]
    run-file = "app.py"
    windows = {ui-access = true, version-info = {company = "A", product = "P"}}
    [tool.oxcross.target.win-x64.windows]
    version-info.company = "B"
    """
    project = load(writer(tmp_path)(text)).for_target(WINDOWS.name)
    assert project.windows.ui_access
    assert (project.windows.version_info.company, project.windows.version_info.product) == ("B", "P")


def test_signing_settings(tmp_path: Path) -> None:
    text = '[tool.oxcross]\nrun-file = "app.py"\nwindows.sign = {certificate = "c.pem", key = "/k.pem"}\n'
    found = load(writer(tmp_path)(text)).windows.sign  # neither is here: releases may be made elsewhere
    assert found is not None
    assert (found.certificate, found.key, found.description) == (f"{tmp_path}/c.pem", "/k.pem", "app")


def test_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="must be a table"):
        load(writer(tmp_path)('[tool.oxcross]\nrun-file = "app.py"\nwindows = 3\n'))
