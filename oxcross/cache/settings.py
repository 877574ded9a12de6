"""What ``[tool.oxcross.cache]`` comes to, and what the environment says instead. There are no secrets in it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from oxcross.errors import ConfigError
from oxcross.publish.settings import Publish

KEY_ENV: Final = "OXCROSS_CACHE_KEY"
UNTRUSTED: Final = "missing: a cache is read only with the keys of those who may fill it"
TRUST_HINT: Final = 'write trust = ["…"] with their public keys; `oxcross cache keygen` makes one'


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Where what others built is found. With neither ``url`` nor a bucket there is none."""

    url: str = ""  # without a slash at its end; read in place of the bucket
    place: Publish = field(default_factory=Publish)  # the bucket, and how it is reached
    trust: tuple[str, ...] = ()  # public keys in base64
    key_env: str = KEY_ENV
    key_file: Path | None = None

    @property
    def configured(self) -> bool:
        """Whether there is one."""
        return bool(self.url or self.place.bucket)

    def overridden(self, environment: Mapping[str, str] = os.environ) -> Cache:
        """As ``OXCROSS_CACHE_URL`` and ``OXCROSS_CACHE_BUCKET`` (BUCKET or BUCKET/PREFIX) say; ``OXCROSS_OFFLINE``: none.

        Whoever names another bucket does not mean the project's address. ConfigError for a cache that nobody is trusted to fill.
        """
        if _set("OXCROSS_OFFLINE", environment):
            return Cache()
        url = environment.get("OXCROSS_CACHE_URL", "").rstrip("/")
        bucket, _, prefix = environment.get("OXCROSS_CACHE_BUCKET", "").partition("/")
        if url and not url.startswith(("http://", "https://")):
            raise ConfigError("must begin with https:// or http://", where="OXCROSS_CACHE_URL")
        found = self
        if bucket:
            place = dataclasses.replace(self.place, bucket=bucket, prefix=prefix.strip("/"))
            found = dataclasses.replace(found, url="", place=place)
        if url:
            found = dataclasses.replace(found, url=url)
        if found.configured and not found.trust:
            raise ConfigError(UNTRUSTED, where="tool.oxcross.cache.trust", hint=TRUST_HINT)
        return found


def required(settings: Cache, where: str) -> Cache:
    """The settings, overridden. ConfigError when there is no cache."""
    found = settings.overridden()
    if not found.configured:
        offline = _set("OXCROSS_OFFLINE", os.environ)
        raise ConfigError(
            "no cache is asked" if offline else "no cache is configured",
            where="OXCROSS_OFFLINE" if offline else where,
            hint=None
            if offline
            else 'write [tool.oxcross.cache] with bucket = "…" or url = "…", and trust = ["…"]',
        )
    return found


def pushes() -> bool:
    """Whether the environment (``OXCROSS_CACHE_PUSH=1``) says that this builder fills the cache."""
    return _set("OXCROSS_CACHE_PUSH", os.environ)


def _set(name: str, environment: Mapping[str, str]) -> bool:
    return environment.get(name, "0") not in ("", "0")
