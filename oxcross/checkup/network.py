"""Whether what is fetched can be fetched: asked with --online only, for it takes seconds."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from oxcross import sources
from oxcross.checkup.check import Check
from oxcross.errors import OxcrossError

_SECONDS: Final = 5.0
_CLOCK_SECONDS: Final = 300.0  # so much off, and Amazon's servers refuse what was signed
_ASKED: Final = "packaging"  # small, and in every index


def examine() -> list[Check]:
    """The package index, as uv finds it, and one address of each server that sources come from."""
    if os.environ.get("OXCROSS_OFFLINE", "0") not in ("", "0"):
        return [Check(name="network", ok=True, detail="not asked: OXCROSS_OFFLINE is set", group="network")]
    addresses: dict[str, str] = {}
    for name in sources.load():
        for row in sources.versions(name).values():
            for url in row.upstream[:1]:
                addresses.setdefault(urlsplit(url).hostname or url, url)
    with ThreadPoolExecutor(max_workers=8) as pool:
        index = pool.submit(_index)
        return [*pool.map(server, addresses, addresses.values()), index.result()]


def server(name: str, url: str) -> Check:
    """Whether a server has a file, and what time it has."""
    begun = time.monotonic()
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "oxcross"})  # noqa: S310 (pinned addresses)
    fix = "see HTTPS_PROXY, or set OXCROSS_MIRROR to a folder or an address that has the sources (oxcross sources)"
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (the same)
            told = answer.headers.get("Date")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", "") or error)
        return Check(name=name, ok=False, detail=f"does not answer: {reason}", fix=fix, group="network")
    off = time.time() - parsedate_to_datetime(told).timestamp() if told else 0.0
    if abs(off) > _CLOCK_SECONDS:
        detail = f"its clock and this machine's are {abs(off) / 60:.0f} minutes apart"
        return Check(name=name, ok=False, detail=detail, fix="timedatectl set-ntp true", group="network")
    return Check(name=name, ok=True, detail=f"answers in {time.monotonic() - begun:.1f} s", group="network")


def _index() -> Check:
    from oxcross.collect import index, uv

    begun = time.monotonic()
    try:
        arguments = ["--no-deps", "--no-cache", *uv.python()]
        doing = "the package index does not answer"
        index.releases([_ASKED], arguments, folder=Path.cwd(), doing=doing, where="UV_DEFAULT_INDEX")
    except OxcrossError as error:
        lines = error.message.splitlines()
        detail = f"{lines[0].rstrip(':')}: {lines[-1].strip()}"
        fix = error.hint or "see HTTPS_PROXY, or name another index in UV_DEFAULT_INDEX"
        return Check(name="package index", ok=False, detail=detail, fix=fix, group="network")
    return Check(
        name="package index", ok=True, detail=f"answers in {time.monotonic() - begun:.1f} s", group="network"
    )
