"""The IANA data read by zoneinfo, zone by zone, with no system data."""

from __future__ import annotations

import datetime
import hashlib
import os
import pickle
import zoneinfo
from importlib import resources

import tzdata

from uses import helpers


def main() -> None:
    zoneinfo.reset_tzpath(to=[])
    print(zoneinfo.TZPATH, tzdata.IANA_VERSION)
    names = sorted(zoneinfo.available_timezones())
    digest = hashlib.sha256()
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        for month in (1, 7):
            moment = datetime.datetime(2026, month, 1, tzinfo=zone)
            digest.update(f"{name} {moment.isoformat()} {moment.tzname()} {moment.dst()}\n".encode())
    print(len(names), digest.hexdigest(), zoneinfo.ZoneInfo is not None)
    folder = resources.files("tzdata") / "zoneinfo"
    print(
        len((folder / "zone1970.tab").read_text("utf-8")),
        (folder / "Europe" / "Berlin").read_bytes()[:4],
        sorted(one.name for one in (folder / "America").iterdir() if one.name != "__pycache__")[-3:],
    )
    print(
        len(resources.files("tzdata").joinpath("zones").read_text().split()),
        pickle.loads(pickle.dumps(zoneinfo.ZoneInfo("Asia/Tokyo"))),
    )
    try:
        zoneinfo.ZoneInfo("Mars/Base")
    except zoneinfo.ZoneInfoNotFoundError as error:
        print(error)
    os.environ["PYTHONTZPATH"] = ""
    print(
        helpers.python(
            "-c",
            "import zoneinfo; zoneinfo.reset_tzpath(to=[]); print(zoneinfo.ZoneInfo('America/New_York').key)",
        )
    )
