"""[tool.oxcross.cache], what the environment says instead, and the keys of builders."""

from __future__ import annotations

from pathlib import Path

import pytest
from configuring import errors, load, writer

from oxcross.cache import settings, signing
from oxcross.cache.settings import Cache
from oxcross.errors import ConfigError
from oxcross.publish.settings import Publish

PUBLIC, SECRET = signing.generate()
OTHER, _ = signing.generate()
PLACE = Cache(place=Publish(bucket="shared", prefix="ci"), trust=(PUBLIC,))


def test_configuration(tmp_path: Path) -> None:
    folder = writer(tmp_path)(
        f"""
        [tool.oxcross]
        run-file = "app.py"
        [tool.oxcross.cache]
        bucket = "shared"
        prefix = "/ci/"
        endpoint = "http://127.0.0.1:9000/"
        url = "https://example.org/cache/"
        trust = ["{PUBLIC}", "{OTHER}", "{PUBLIC}"]
        key-env = "SECRET"
        key-file = "keys/secret"
        """
    )
    found = load(folder).cache
    assert (found.url, found.trust) == ("https://example.org/cache", (PUBLIC, OTHER))
    assert (found.place.bucket, found.place.prefix, found.place.path_style) == ("shared", "ci", True)
    assert (found.key_env, found.key_file) == ("SECRET", folder / "keys" / "secret")


def test_no_configuration(tmp_path: Path) -> None:
    found = load(writer(tmp_path)('[tool.oxcross]\nrun-file = "app.py"\n')).cache
    assert found == Cache()
    assert not found.configured


def test_configuration_errors(tmp_path: Path) -> None:
    folder = writer(tmp_path)(
        """
        [tool.oxcross]
        run-file = "app.py"
        [tool.oxcross.cache]
        prefix = "a//b"
        url = "https://me:secret@example.org/"
        trust = ["RWQ"]
        key-env = "a b"
        push = true
        """
    )
    text = "\n".join(errors(folder))
    for said in (
        "tool.oxcross.cache.bucket: missing, and there is a prefix",
        "tool.oxcross.cache.prefix: has an empty part",
        "tool.oxcross.cache.url: has a name or password in it",
        "tool.oxcross.cache.trust[0]: not a valid value: 'RWQ'\n  write a public key as `oxcross cache keygen` prints it",
        "tool.oxcross.cache.key-env: not a valid value: 'a b'",
        "tool.oxcross.cache.push: no such key",
        "tool.oxcross.cache.trust: missing: a cache is read only with the keys of those who may fill it",
    ):
        assert said in text


def test_the_environment_names_another_place() -> None:
    with_url = Cache(url="https://example.org", place=PLACE.place, trust=(PUBLIC,))
    bucket = with_url.overridden({"OXCROSS_CACHE_BUCKET": "other/a/b/"})
    assert (bucket.url, bucket.place.bucket, bucket.place.prefix) == ("", "other", "a/b")
    url = PLACE.overridden({"OXCROSS_CACHE_URL": "http://127.0.0.1/"})
    assert (url.url, url.place.bucket) == ("http://127.0.0.1", "shared")
    assert (
        PLACE.overridden({"OXCROSS_CACHE_URL": "", "OXCROSS_CACHE_BUCKET": "", "OXCROSS_OFFLINE": "0"})
        == PLACE
    )
    assert not PLACE.overridden({"OXCROSS_OFFLINE": "1"}).configured


def test_nothing_is_read_that_nobody_is_trusted_with() -> None:
    with pytest.raises(ConfigError, match=r"cache\.trust: missing"):
        Cache().overridden({"OXCROSS_CACHE_URL": "https://example.org"})
    with pytest.raises(ConfigError, match="OXCROSS_CACHE_URL: must begin with"):
        PLACE.overridden({"OXCROSS_CACHE_URL": "file:///tmp"})


def test_a_cache_that_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OXCROSS_OFFLINE", raising=False)
    assert settings.required(PLACE, "here") == PLACE
    with pytest.raises(ConfigError, match="here: no cache is configured"):
        settings.required(Cache(), "here")
    monkeypatch.setenv("OXCROSS_OFFLINE", "1")
    with pytest.raises(ConfigError, match="OXCROSS_OFFLINE: no cache is asked"):
        settings.required(PLACE, "here")


def test_the_secret_key(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="ascii")
    by_file = Cache(trust=(OTHER, PUBLIC), key_file=file)
    for made in (signing.signer(PLACE, {settings.KEY_ENV: SECRET}), signing.signer(by_file, {})):
        assert made.public == PUBLIC
        assert signing.verified(b"content", made.sign(b"content"), PUBLIC)
        assert not signing.verified(b"content", made.sign(b"other"), PUBLIC)
        assert not signing.verified(b"content", made.sign(b"content"), OTHER)
    assert not signing.verified(b"content", "no base64", PUBLIC)
    assert not signing.verified(b"content", PUBLIC, PUBLIC)  # too short


@pytest.mark.parametrize(
    ("found", "environment", "said"),
    [
        (PLACE, {}, "there is no secret key to sign what is pushed with\n  set OXCROSS_CACHE_KEY"),
        (PLACE, {"OXCROSS_CACHE_KEY": "abc"}, "OXCROSS_CACHE_KEY: not a secret key"),
        (
            Cache(trust=(OTHER,)),
            {"OXCROSS_CACHE_KEY": SECRET},
            f'is not trusted\n  add its public key: "{PUBLIC}"',
        ),
        (Cache(key_file=Path("/nowhere/key")), {}, "/nowhere/key: the secret key cannot be read"),
    ],
    ids=["none", "no key", "not trusted", "no file"],
)
def test_no_secret_key(found: Cache, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        signing.signer(found, environment)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
