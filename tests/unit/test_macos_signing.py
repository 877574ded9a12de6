"""Signing for macOS: with certificates of each kind and without, verified by us and by apple-codesign; nothing leaks."""

from __future__ import annotations

import logging
import plistlib
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apple_platform
import pytest
from apple_tools import SECRET, TEAM, VARIABLE, certificates, clock, executable, who
from configuring import Write, error, errors, load, writer
from macho_tools import ARCHES, launcher
from tools import need

from oxcross import build, link, report, targets
from oxcross.errors import BuildError, ConfigError, ToolError
from oxcross.macho import MachoError
from oxcross.macos import apple, entitlements
from oxcross.macos.settings import APPLE_CLOCK, App, Identity, MacOS, Package, Signing
from oxcross.macos.sign import machos, require, sign
from oxcross.macos.verify import Signature, verify
from oxcross.store import Store

NAME = "org.example.app"
EVERY = (*ARCHES, "universal2")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An executable for each machine, and for both."""
    return {arch: executable(tmp_path_factory.mktemp(arch), arch) for arch in EVERY}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def signed(unsigned: Path, folder: Path, wanted: Signing) -> tuple[Path, list[Signature], list[str]]:
    """The signed executable, what our verification says of each slice, and what was told."""
    said: list[str] = []
    out = folder / "signed" / "app"
    linked = sign(unsigned, out, wanted, NAME, said.append)
    assert [path.name for path in out.parent.iterdir()] == ["app"]
    assert linked.size == out.stat().st_size
    assert stat.S_IMODE(out.stat().st_mode) == 0o755
    found = [verify(file) for file in machos(out.read_bytes())]
    assert all(found)
    return out, [one for one in found if one], said


def identities(keys: Path) -> dict[str, Identity]:
    place = "tool.oxcross.macos.sign"
    return {
        "p12": Identity(where=place, certificate=str(keys / "code.p12"), password_env=VARIABLE),
        "p12, file": Identity(
            where=place, certificate=str(keys / "code.p12"), password_file=keys / "password"
        ),
        "pem": who(keys),
        "chain": Identity(where=place, certificate=str(keys / "chain.pem"), key=str(keys / "code.key")),
        "locked": Identity(
            where=place,
            certificate=str(keys / "code.pem"),
            key=str(keys / "locked.key"),
            password_file=keys / "password",
        ),
    }


@pytest.mark.parametrize("arch", EVERY)
@pytest.mark.parametrize("kind", ["p12", "p12, file", "pem", "chain", "locked"])
def test_certificate(
    kind: str, arch: str, made: dict[str, Path], keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    wanted = Signing(identity=identities(keys)[kind], timestamp="")
    out, found, said = signed(made[arch], tmp_path, wanted)
    assert said == ["Apple notarizes what is signed with a timestamp; this is signed without"]
    for one in found:
        assert (one.identifier, one.adhoc, one.hardened) == (NAME, False, True)
        assert plistlib.loads(one.entitlements) == entitlements.DEFAULT
        assert b"com.apple.security.cs.disable-library-validation" in one.der_entitlements
    assert apple_platform.verify_macho(out) == []
    seen = apple_platform.read_signature(out)
    names = apple_platform.reading.find_values(seen, "subject")
    assert sum("Developer ID Application" in name for name in names) == len(found)
    assert any("CN=Toy CA" in name for name in names) == (kind in {"p12", "p12, file", "chain"})
    assert set(apple_platform.reading.find_values(seen, "team_name")) == {TEAM}


def test_universal_is_the_signed_slices(
    made: dict[str, Path], keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    wanted = Signing(identity=who(keys), timestamp="")
    whole, *_ = signed(made["universal2"], tmp_path / "whole", wanted)
    parts = [signed(made[arch], tmp_path / arch, wanted)[0] for arch in ARCHES]
    assert whole.read_bytes() == link.join(parts, tmp_path / "joined").path.read_bytes()


@pytest.mark.parametrize("arch", EVERY)
@pytest.mark.parametrize("hardened", [True, False])
def test_ad_hoc(hardened: bool, arch: str, made: dict[str, Path], tmp_path: Path) -> None:
    out, found, said = signed(made[arch], tmp_path, Signing(hardened_runtime=hardened, timestamp=""))
    assert not said
    for one in found:
        assert (one.adhoc, one.hardened, bool(one.entitlements)) == (True, hardened, hardened)
    first = out.read_bytes()
    assert (
        signed(made[arch], tmp_path, Signing(hardened_runtime=hardened, timestamp=""))[0].read_bytes()
        == first
    )


def test_own_entitlements(made: dict[str, Path], keys: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.plist"
    own = {"com.apple.security.device.camera": True, "keychain-access-groups": [f"{TEAM}.app"]}
    path.write_bytes(plistlib.dumps(own, fmt=plistlib.FMT_BINARY))
    wanted = Signing(identity=who(keys), entitlements=path, timestamp="", hardened_runtime=False)
    _, [one], said = signed(made["aarch64"], tmp_path, wanted)
    assert plistlib.loads(one.entitlements) == own
    assert said == [
        "Apple notarizes what is signed with hardened-runtime = true, a timestamp; this is signed without"
    ]


def test_timestamp(made: dict[str, Path], keys: Path, tmp_path: Path) -> None:
    need(openssl="openssl")
    with clock(keys, tmp_path) as address:
        out, _, said = signed(made["universal2"], tmp_path, Signing(identity=who(keys), timestamp=address))
    assert not said
    assert apple_platform.verify_macho(out) == []
    assert (
        len(apple_platform.reading.find_values(apple_platform.read_signature(out), "time_stamp_token")) == 2
    )
    with pytest.raises(BuildError, match=r"app: it cannot be signed: .*"):  # nobody is there any more
        sign(
            made["x86_64"],
            tmp_path / "x" / "app",
            Signing(identity=who(keys), timestamp=address),
            NAME,
            print,
        )
    assert not list((tmp_path / "x").iterdir())


def test_reproducible(
    made: dict[str, Path], keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Signing(identity=who(keys), timestamp="")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    first = signed(made["universal2"], tmp_path, wanted)[0].read_bytes()
    assert signed(made["universal2"], tmp_path, wanted)[0].read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH: not a number of seconds"):
        signed(made["universal2"], tmp_path, wanted)


def test_damage_is_found(made: dict[str, Path], keys: Path, tmp_path: Path) -> None:
    out, *_ = signed(made["aarch64"], tmp_path, Signing(identity=who(keys), timestamp=""))
    whole = out.read_bytes()
    [file] = machos(whole)
    place = file.part("signature")
    assert place is not None
    for at in (0x1000, place.offset // 2, place.offset - 1):
        broken = bytearray(whole)
        broken[at] ^= 1
        with pytest.raises(MachoError, match="changed after it was signed"):
            verify(machos(bytes(broken))[0])
        out.write_bytes(broken)
        assert apple.problems(out)
    broken = bytearray(whole)
    broken[whole.index(b"Toy Ltd", place.offset)] ^= (
        1  # of the certificate: that is for apple-codesign to find
    )
    out.write_bytes(broken)
    assert apple.problems(out)


def test_what_is_wrong_is_told_first(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.setenv("WRONG", "wrong")
    place = "tool.oxcross.macos.sign"
    p12, pem, key = str(keys / "code.p12"), str(keys / "code.pem"), str(keys / "code.key")
    (tmp_path / "empty").write_text("")
    unset, wrong = "UNSET", "WRONG"

    def who_else(**more: Any) -> Identity:
        return Identity(where=place, **more)

    cases = {
        who_else(certificate="/no/such.p12"): r"macos\.sign\.certificate: there is no file '/no/such\.p12'",
        who_else(certificate=pem, key="/no/key"): r"macos\.sign\.key: there is no file",
        who_else(certificate=p12, password_file=Path("/no")): r"macos\.sign\.password-file: there is no file",
        who_else(
            certificate=p12, password_env=unset
        ): "password-env: the environment variable UNSET is not set",
        who_else(certificate=p12): r"there is no password for .*\n.*password-env or password-file",
        who_else(certificate=p12, password_env=wrong): r"sign\.password-env: not the password of .*code\.p12",
        who_else(certificate=pem, key=str(keys / "locked.key")): "there is no password for .*locked.key",
        who_else(certificate=pem, key=str(keys / "locked.key"), password_env=wrong): "not the password of",
        who_else(certificate=pem, key=str(tmp_path / "empty")): r"sign\.key: not a PEM file with a key",
        who_else(certificate=pem, key=str(keys / "time.key")): r"sign\.key: not the key of a certificate in",
        who_else(
            certificate=str(tmp_path / "empty"), key=key
        ): r"sign\.certificate: not a PEM file with cert",
        who_else(certificate=pem): r"sign\.certificate: not a PKCS #12 file",
        who_else(certificate=str(keys / "old.pem"), key=str(keys / "old.key")): "certificate's time ended on",
        who(keys, "time"): r"not made for this\n.*“Developer ID Application”",
        who(keys, "installer"): "Developer ID Installer: Toy Ltd .* is not made for this",
    }
    for identity, says in cases.items():
        with pytest.raises(ConfigError, match=says) as caught:
            require(MacOS(sign=Signing(identity=identity)))
        assert SECRET not in str(caught.value)
    (tmp_path / "pw").write_text("x")
    keyless = who_else(certificate=str(keys / "keyless.p12"), password_file=tmp_path / "pw")
    with pytest.raises(ConfigError, match="has no key"):
        require(MacOS(sign=Signing(identity=keyless)))
    with pytest.raises(
        ConfigError, match=r"sign\.team: the certificate is of team ABCDE12345, not of XXXXX12345"
    ):
        require(MacOS(sign=Signing(identity=who(keys), team="XXXXX12345")))
    require(MacOS(sign=Signing(identity=who(keys), team=TEAM)))
    with pytest.raises(ConfigError, match=r"macos\.package\.certificate: .* not made for this"):
        require(MacOS(package=Package(identity=who(keys, "code", "package"))))
    require(MacOS(package=Package(identity=who(keys, "installer", "package"))))


@pytest.mark.parametrize("name", ["apple_platform", "cryptography.hazmat.primitives.serialization.pkcs12"])
def test_without_the_extra(name: str, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ToolError, match=r"lacks .*\n  pip install 'oxcross\[macos\]'"):
        require(MacOS(sign=Signing(identity=who(keys))))
    require(MacOS())


def test_the_secrets_are_seen_by_nobody(
    made: dict[str, Path],
    keys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    seen: list[bytes] = []
    real = apple_platform.sign

    def spy(source: Path, out: Path, **options: Any) -> Any:
        for path in out.parent.iterdir():
            if path.name == "identity.p12":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            seen.append(path.read_bytes())
        assert stat.S_IMODE(out.parent.stat().st_mode) == 0o700
        assert SECRET not in repr(options)
        return real(source, out, **options)

    monkeypatch.setattr(apple_platform, "sign", spy)
    apple_platform.set_log_level("trace")
    caplog.set_level(logging.DEBUG)
    try:
        signed(made["x86_64"], tmp_path, Signing(identity=identities(keys)["p12"], timestamp=""))
    finally:
        apple_platform.set_log_level("off")
    assert len(seen) == 3  # certificate and key, its authority's certificate, entitlements
    assert not any(b"PRIVATE KEY" in data or SECRET.encode() in data for data in seen)
    assert SECRET not in caplog.text


def _flip(source: Path, out: Path) -> None:
    data = bytearray(out.read_bytes())
    data[0x1100] ^= 1
    out.write_bytes(data)


def _other_flags(source: Path, out: Path) -> None:
    apple_platform.sign(source, out, binary_identifier=NAME)


def _other_name(source: Path, out: Path) -> None:
    apple_platform.sign(source, out, binary_identifier="somebody", code_signature_flags=["runtime"])


def _nothing(source: Path, out: Path) -> None:
    out.write_bytes(source.read_bytes())


@pytest.mark.parametrize(
    ("trick", "says"),
    [
        (_flip, "changed more than the signature"),
        (_other_flags, "signed it with another hardened runtime"),
        (_other_name, "signed it with another identifier"),
        (_nothing, "signed it with another identifier"),
    ],
)
def test_a_signer_that_does_something_else(
    trick: Callable[[Path, Path], None],
    says: str,
    made: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = apple.sign

    def other(source: Path, out: Path, where: Path, hint: str, **options: Any) -> None:
        real(source, out, where, hint, **options)
        trick(source, out)

    monkeypatch.setattr(apple, "sign", other)
    with pytest.raises(BuildError, match=says):
        sign(made["aarch64"], tmp_path / "x" / "app", Signing(timestamp=""), NAME, print)
    assert not list((tmp_path / "x").iterdir())


def test_in_a_build(keys: Path, write: Write, tmp_path: Path) -> None:
    """The part of the road that is macOS's: linked with our signature, signed with another, packed."""
    text = """
        [tool.oxcross]
        run-file = "app.py"
        targets = ["macos-arm64"]
        [tool.oxcross.macos]
        identifier = "org.example.app"
        package.formats = ["zip"]
        app = {}
    """
    table = f'sign = {{ certificate = "{keys}/code.pem", key = "{keys}/code.key", timestamp = false }}\n'
    project = load(write(text + table))
    (tmp_path / "launcher").write_bytes(launcher("aarch64"))
    (tmp_path / "blob").write_bytes(b"BLOBDATA" * 9000)
    out = tmp_path / "out" / "app"
    target = targets.get("macos-arm64")
    with Store(tmp_path / "store") as store, report.terminal() as terminal:
        shop = build.workshop(store, terminal)
        linked = shop._link_macos(project, target, tmp_path / "launcher", tmp_path / "blob", out)
        [seen] = [verify(file) for file in machos(out.read_bytes())]
        assert seen is not None
        assert (seen.adhoc, seen.hardened, seen.identifier) == (False, True, NAME)
        built = build.Artifact(
            target=target.name, path=out, sha256=linked.sha256, size=linked.size, seconds=0.0
        )
        artifact = shop._packed(project, built)
        assert artifact.document()["packages"] == [str(out.parent / "app.app"), str(out.parent / "app.zip")]
        assert artifact.path == out
        ad_hoc = load(write(text.replace('package.formats = ["zip"]', "").replace("app = {}", "")))
        shop._link_macos(ad_hoc, target, tmp_path / "launcher", tmp_path / "blob", out)
        [plain] = [verify(file) for file in machos(out.read_bytes())]
        assert plain is not None
        assert (plain.adhoc, plain.hardened, plain.identifier) == (True, False, NAME)
        assert shop._packed(ad_hoc, artifact) is artifact


def test_configuration(write: Write) -> None:
    text = """
        [tool.oxcross]
        run-file = "app.py"
        targets = ["macos-arm64"]
        [tool.oxcross.macos]
        identifier = "org.example.app"
        [tool.oxcross.macos.sign]
        certificate = "own.p12"
        password-env = "APPLE_PASSWORD"
        entitlements = "own.plist"
        team = "ABCDE12345"
    """
    plist = '<plist version="1.0"><dict><key>a</key><true/></dict></plist>'
    project = load(write(text, **{"own.plist": plist}))
    folder = project.root
    assert project.macos.sign == Signing(
        identity=Identity(
            where="tool.oxcross.macos.sign", certificate=str(folder / "own.p12"), password_env=VARIABLE
        ),
        entitlements=folder / "own.plist",
        timestamp=APPLE_CLOCK,
        team="ABCDE12345",
    )
    assert project.macos.app is None
    project = load(write(text + "timestamp = false\nhardened-runtime = false", **{"own.plist": plist}))
    assert project.macos.sign is not None
    assert (project.macos.sign.timestamp, project.macos.sign.hardened_runtime) == ("", False)
    bare = load(write('[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.macos]\nsign = {}\napp = {}'))
    assert bare.macos.sign == Signing(timestamp="")
    assert bare.macos.app == App(name="app", identifier="app", version="1.0")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('sign.certificate = "a.pem"', r"macos\.sign\.key: missing\n.*PKCS #12"),
        (
            'sign = { certificate = "a.p12", key = "a.key" }',
            r"macos\.sign\.key: a PKCS #12 file has the key inside",
        ),
        ('sign = { certificate = "a.p12", password-env = "A", password-file = "b" }', "exclude each other"),
        ('sign.key = "a.key"', r"macos\.sign\.key: there is no certificate that it belongs to"),
        ('sign.team = "ABCDE12345"', r"macos\.sign\.team: there is no certificate"),
        ('sign = { certificate = "a.p12", team = "me" }', r"macos\.sign\.team: not a valid value: 'me'"),
        (
            'sign.timestamp = "noon"',
            r"macos\.sign\.timestamp: neither an address nor false: noon\n  such as http://",
        ),
        ("sign.timestamp = true", r"macos\.sign\.timestamp: neither an address nor false"),
        (
            'sign.entitlements = "no.plist"',
            r"macos\.sign\.entitlements: no\.plist: there is no file|there is no file",
        ),
        ('sign.entitlements = "app.py"', r"macos\.sign\.entitlements: app\.py: not a property list"),
        ("sign.hardened = true", r"macos\.sign\.hardened: no such key\n.*hardened-runtime"),
        ('package.certificate = "a.p12"', r"macos\.package\.certificate: only a pkg is signed with it"),
        ('package.formats = ["dmg"]', r"macos\.package\.formats\[0\]: no such value: 'dmg'"),
        ('app.info.CFBundleExecutable = "x"', r"macos\.app\.info\.CFBundleExecutable: cannot be chosen here"),
        ('app.icon = "app.py"', r"macos\.app\.icon: app\.py: not an icon for macOS"),
        ('app.name = "a/b"', r"macos\.app\.name: not a valid value"),
    ],
)
def test_configuration_errors(table: str, says: str, write: Write) -> None:
    found = error(write(f'[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.macos]\n{table}'))
    assert re.search(says, found), found


def test_every_error_at_once(write: Write) -> None:
    found = errors(
        write('[tool.oxcross]\nrun-file="app.py"\n[tool.oxcross.macos]\nminimum = "10.9"\nsign.key = "a"')
    )
    assert len(found) == 2
