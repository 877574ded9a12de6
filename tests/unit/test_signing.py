"""Signing: with a certificate of each kind, verified; what is changed afterwards is found; nothing leaks."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from apple_tools import clock
from signing_tools import ENGINE, PIN, SECRET, SOFTHSM, certificates, token
from tools import need
from windowed import WINDOWS, attach, launcher

from oxcross import runner
from oxcross.errors import BuildError, ConfigError, InspectError, ToolError
from oxcross.inspect import signed as inspecting
from oxcross.link import Linked
from oxcross.pe import Pe, PeError
from oxcross.windows import authenticode
from oxcross.windows.settings import Signing
from oxcross.windows.sign import require, sign

VARIABLE = "SIGN_PASSWORD"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    return attach(tmp_path, launcher()).path


def signed(unsigned: Path, wanted: Signing) -> tuple[Linked, list[str]]:
    said: list[str] = []
    out = unsigned.parent / "signed" / "app.exe"
    linked = sign(unsigned, out, wanted, said.append)
    assert [path.name for path in out.parent.iterdir()] == ["app.exe"]
    data = out.read_bytes()
    assert linked.size == len(data)
    assert stat.S_IMODE(out.stat().st_mode) == 0o755
    assert Pe(data).signature[0] == unsigned.stat().st_size
    return linked, said


def test_pfx(unsigned: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    wanted = Signing(
        certificate=str(keys / "code.pfx"), password_env=VARIABLE, ca_file=keys / "ca.pem", url="https://example.org"
    )  # fmt: skip
    linked, said = signed(unsigned, wanted)
    assert not said
    seen = authenticode.verify(linked.path, keys / "ca.pem")
    assert seen.verified
    assert seen.subject == "/O=Toy Ltd/CN=Toy code"
    assert seen.issuer == "/CN=Toy_CA"
    assert not seen.timestamp


@pytest.mark.parametrize("key", ["code.key", "locked.key"])
@pytest.mark.parametrize("certificate", ["code.pem", "chain.pem"])
def test_pem(unsigned: Path, keys: Path, key: str, certificate: str) -> None:
    password = keys / "password" if key == "locked.key" else None
    wanted = Signing(certificate=str(keys / certificate), key=str(keys / key), password_file=password)
    linked, said = signed(unsigned, wanted)
    assert bool(said) == (certificate == "code.pem")  # the authority is not in it: nobody vouches
    assert authenticode.verify(linked.path, keys / "ca.pem").verified


def test_it_still_runs(unsigned: Path, keys: Path) -> None:
    need(wine="wine")
    linked, _ = signed(unsigned, Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key")))
    line = runner.line(WINDOWS, linked.path)
    done = subprocess.run(line, env=runner.environment(WINDOWS), stdout=subprocess.PIPE, check=True)
    assert done.stdout.startswith(b"BLOBDATA")


def test_reproducible_or_not(unsigned: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    plain = Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key"))
    assert signed(unsigned, plain)[0].sha256 == signed(unsigned, plain)[0].sha256
    curve = Signing(certificate=str(keys / "curve.pem"), key=str(keys / "curve.key"), ca_file=keys / "ca.pem")
    assert signed(unsigned, curve)[0].sha256 != signed(unsigned, curve)[0].sha256


@pytest.mark.parametrize("engine", ["", str(ENGINE)])
def test_token(
    engine: str, unsigned: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", str(token(tmp_path, keys, "toy")))
    monkeypatch.setenv(VARIABLE, PIN)
    wanted = Signing(
        certificate=str(keys / "chain.pem"),
        key="pkcs11:token=toy;object=signing",
        pkcs11_module=str(SOFTHSM),
        pkcs11_engine=engine,
        password_env=VARIABLE,
    )
    linked, said = signed(unsigned, wanted)
    assert not said
    assert authenticode.verify(linked.path, keys / "ca.pem").verified


def test_timestamp(unsigned: Path, keys: Path, tmp_path: Path) -> None:
    with clock(keys, tmp_path) as address:
        wanted = Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key"), timestamp=address)
        linked, _ = signed(unsigned, wanted)
        assert authenticode.verify(linked.path, keys / "ca.pem").timestamp
        assert signed(unsigned, wanted)[0].sha256 != linked.sha256


def test_a_flipped_bit_is_found(unsigned: Path, keys: Path) -> None:
    linked, _ = signed(unsigned, Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key")))
    whole = linked.path.read_bytes()
    fact = inspecting.look(linked.path, Pe(whole))
    assert fact is not None
    assert fact.subject == "/O=Toy Ltd/CN=Toy code"
    assert not fact.trusted
    end = Pe(whole).signature[0]
    for place in (0x50, 0x300, end // 2, end - 1):
        broken = bytearray(whole)
        broken[place] ^= 1
        linked.path.write_bytes(broken)
        assert not authenticode.verify(linked.path, keys / "ca.pem").verified
        with pytest.raises(InspectError, match="not what was signed"):
            inspecting.look(linked.path, Pe(bytes(broken)))


def test_the_password_is_seen_by_nobody(
    unsigned: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in osslsigncode's place writes down what it is given."""
    fake = tmp_path / "bin/osslsigncode"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\nfor word; do [ "$last" = -readpass ] && stat -c "%a %n" "$word" && cat "$word"; last=$word; done'
        f' >{tmp_path}/password\ntr "\\0" "\\n" </proc/$$/cmdline >{tmp_path}/line\nenv >{tmp_path}/env\n'
        f"echo 'Failed: no such thing'; exit 1\n",
        encoding="utf-8",
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.setenv(VARIABLE, SECRET)
    wanted = Signing(certificate=str(keys / "code.pfx"), password_env=VARIABLE)
    with pytest.raises(BuildError, match=r"cannot be signed: .*no such thing"):
        sign(unsigned, tmp_path / "x.exe", wanted, print)
    mode, _, rest = (tmp_path / "password").read_text(encoding="utf-8").partition(" ")
    assert mode == "600"
    name, _, password = rest.partition("\n")
    assert password == SECRET
    assert not Path(name).exists()
    assert "-readpass" in (tmp_path / "line").read_text(encoding="utf-8")
    for file in ("line", "env"):
        assert SECRET not in (tmp_path / file).read_text(encoding="utf-8")


def test_wrong_password(unsigned: Path, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("wrong")
    for wanted in (
        Signing(certificate=str(keys / "code.pfx"), password_file=tmp_path / "pw"),
        Signing(certificate=str(keys / "code.pem"), key=str(keys / "locked.key")),
    ):
        with pytest.raises(BuildError, match=r"cannot be signed(.|\n)*password") as caught:
            sign(unsigned, tmp_path / "x/app.exe", wanted, print)
        assert "error:" not in str(caught.value)
    assert not list((tmp_path / "x").iterdir())


def test_a_key_of_another_certificate(unsigned: Path, keys: Path, tmp_path: Path) -> None:
    wanted = Signing(certificate=str(keys / "code.pem"), key=str(keys / "ca.key"))
    with pytest.raises(BuildError, match="consistency of a private key"):
        sign(unsigned, tmp_path / "x/app.exe", wanted, print)


def test_another_authority(unsigned: Path, keys: Path, tmp_path: Path) -> None:
    wanted = Signing(
        certificate=str(keys / "chain.pem"), key=str(keys / "code.key"), ca_file=keys / "curve.pem"
    )
    with pytest.raises(BuildError, match="does not verify"):
        sign(unsigned, tmp_path / "x/app.exe", wanted, print)
    assert not list((tmp_path / "x").iterdir())


def test_a_certificate_that_is_not_for_code(unsigned: Path, keys: Path, tmp_path: Path) -> None:
    wanted = Signing(certificate=str(keys / "time.pem"), key=str(keys / "time.key"), ca_file=keys / "ca.pem")
    with pytest.raises(BuildError, match=r"does not verify|cannot be signed"):
        sign(unsigned, tmp_path / "x/app.exe", wanted, print)


def test_what_is_missing_is_told_first(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = str(keys / "code.pfx")
    require(Signing(certificate=certificate))
    for wanted, says in (
        (Signing(certificate="/no/such.pfx"), "sign.certificate: there is no file '/no/such.pfx'"),
        (Signing(certificate=certificate, password_file=Path("/no")), "sign.password-file: there is no file"),
        (
            Signing(certificate=certificate, password_env=f"NO_{VARIABLE}"),
            "variable NO_SIGN_PASSWORD is not set",
        ),
    ):
        with pytest.raises(ConfigError, match=says):
            require(wanted)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"lacks osslsigncode(.|\n)*install.* osslsigncode"):
        require(Signing(certificate=certificate))


def test_a_program_that_changes_more(
    unsigned: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("osslsigncode")
    fake = tmp_path / "bin/osslsigncode"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\n{real} "$@" || exit 1\nfor word; do out=$word; done\n'
        'printf X | dd of="$out" bs=1 seek=1100 conv=notrunc status=none\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    wanted = Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key"))
    with pytest.raises(BuildError, match="changed more than the signature"):
        sign(unsigned, tmp_path / "x/app.exe", wanted, print)


def test_damaged_signatures(unsigned: Path, keys: Path) -> None:
    linked, _ = signed(unsigned, Signing(certificate=str(keys / "chain.pem"), key=str(keys / "code.key")))
    whole = linked.path.read_bytes()
    assert authenticode.certificates(whole).count("BEGIN") == 2
    offset = Pe(whole).signature[0]
    for place in range(offset, min(offset + 400, len(whole))):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        try:
            authenticode.certificates(bytes(broken))
        except PeError:
            continue
    with pytest.raises(PeError, match="not signed"):
        authenticode.certificates(unsigned.read_bytes())
