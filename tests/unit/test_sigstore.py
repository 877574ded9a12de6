"""Signatures by an identity: Sigstore's own client signs and verifies, against services of the tests' own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sigstores
from configuring import error, load, writer
from sigstores import ISSUER, Sigstore

from oxcross.errors import ConfigError, PublishError, ToolError
from oxcross.publish import identity
from oxcross.publish import settings as plain

WHO = "https://git.example/owner/app/.github/workflows/release.yml@refs/heads/main"
SUMS = b"0123456789abcdef  app-1.0-linux-x64\n"


@pytest.fixture(scope="module")
def services() -> Iterator[Sigstore]:
    with sigstores.running() as running:
        yield running


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, services: Sigstore) -> None:
    """This machine cannot say who it is, whatever it is."""
    services.refuse = False
    for name in ("SIGSTORE_ID_TOKEN", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")  # what asks programs of clouds


@pytest.fixture
def wanted(services: Sigstore, tmp_path: Path) -> Any:
    file = tmp_path / "trust.json"
    file.write_text(services.trust(), encoding="utf-8")

    def make(mode: str = "required", **more: str) -> plain.Sigstore:
        return plain.Sigstore(
            **{"mode": mode, "trust": file, "identity": WHO, "issuer": ISSUER, **more}  # type: ignore[arg-type]
        )

    return make


def silent(text: str) -> None:
    pytest.fail(text)


def signed(settings: plain.Sigstore, folder: Path) -> bytes:
    file = folder / "SHA256SUMS"
    file.write_bytes(SUMS)
    sign = identity.signer(settings, silent)
    assert sign is not None
    [(suffix, content)] = sign(file).items()
    assert suffix == ".sigstore.json"
    assert sign(folder / "manifest.json") == {}
    return content


def test_sigstores_own_client_verifies(
    wanted: Any, tmp_path: Path, services: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(WHO))
    bundle = signed(wanted(), tmp_path)
    assert services.entries
    assert identity.problem(wanted(), SUMS, bundle) is None
    assert signed(wanted("auto"), tmp_path) != bundle  # never the same twice


def test_wrong_bundles(wanted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(WHO))
    bundle = signed(wanted(), tmp_path)
    assert "does not verify" in (identity.problem(wanted(), SUMS + b"\n", bundle) or "")
    for settings in (wanted(identity="https://else.example/x"), wanted(issuer="https://else.example")):
        assert "does not verify" in (identity.problem(settings, SUMS, bundle) or "")
    for damaged in (b"", b"{}", b"[]", bundle.replace(b'"logIndex":"0"', b'"logIndex":"7"')):
        assert "does not verify" in (identity.problem(wanted(), SUMS, damaged) or "")
    other = tmp_path / "other.json"
    other.write_text(Sigstore(address="http://127.0.0.1:9").trust(), encoding="utf-8")
    assert "does not verify" in (identity.problem(wanted(trust=other), SUMS, bundle) or "")


def test_there_is_a_bundle_already(wanted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(WHO))
    (tmp_path / "SHA256SUMS.sigstore.json").write_bytes(signed(wanted(), tmp_path))
    sign = identity.signer(wanted(), silent)
    assert sign is not None
    assert sign(tmp_path / "SHA256SUMS") == {}


def test_without_an_identity(wanted: Any) -> None:
    assert identity.signer(wanted("auto"), silent) is None
    with pytest.raises(ConfigError, match=r"no identity to sign with\n.*id-token: write"):
        identity.signer(wanted("required"), silent)


def test_off(wanted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", sigstores.token(WHO))
    assert identity.signer(wanted("off"), silent) is None


def test_without_the_package(wanted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sigstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sigstore", None)
    assert identity.signer(wanted("auto"), silent) is None
    with pytest.raises(ToolError, match=r"oxcross\[sigstore\]"):
        identity.signer(wanted("required"), silent)


@pytest.mark.parametrize("token", [sigstores.token(WHO, seconds=-60), "junk", sigstores.token(WHO)])
def test_when_it_cannot_be_signed(
    wanted: Any, token: str, tmp_path: Path, services: Sigstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error where it is required, else a word; the token is in neither."""
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token)
    services.refuse = True
    file = tmp_path / "SHA256SUMS"
    file.write_bytes(SUMS)
    sign = identity.signer(wanted(), silent)
    assert sign is not None
    with pytest.raises(PublishError, match="Sigstore does not sign") as caught:
        sign(file)
    notices: list[str] = []
    sign = identity.signer(wanted("auto"), notices.append)
    assert sign is not None
    assert sign(file) == {}
    assert len(notices) == 1
    assert token not in f"{caught.value}{notices}"


def test_configuration(tmp_path: Path) -> None:
    write = writer(tmp_path)
    head = '[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.release]\n'
    assert load(write(head)).release.sigstore == plain.Sigstore()
    text = head + 'sigstore = "required"\nsigstore-trust = "own.json"\n'
    found = load(write(text + f'sigstore-identity = "{WHO}"\nsigstore-issuer = "{ISSUER}"\n')).release
    trust = tmp_path / "own.json"
    assert found.sigstore == plain.Sigstore(mode="required", trust=trust, identity=WHO, issuer=ISSUER)
    assert "sigstore-issuer: missing" in error(write(head + f'sigstore-identity = "{WHO}"\n'))
    assert "no such value: 'always'" in error(write(head + 'sigstore = "always"\n'))
    trust.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no trust configuration of Sigstore's"):
        identity.signer(load(write(text)).release.sigstore, silent)
    trust.unlink()
    with pytest.raises(ConfigError, match="sigstore-trust: there is no file"):
        identity.signer(load(write(text)).release.sigstore, silent)
