"""Time zones out of the package's own data: all opened, localised, normalised, pickled."""

from __future__ import annotations

import datetime
import hashlib
import pickle

import pytz
from pytz import exceptions, reference, tzfile


def main() -> None:
    moment = datetime.datetime(2026, 7, 1, 12)
    digest = hashlib.sha256()
    for name in pytz.all_timezones:
        digest.update(f"{name} {pytz.timezone(name).localize(moment)}\n".encode())
    print(
        len(pytz.all_timezones),
        len(pytz.common_timezones),
        digest.hexdigest(),
        pytz.VERSION,
        pytz.OLSON_VERSION,
    )
    zone = pytz.timezone("Europe/Berlin")
    print(
        zone.localize(datetime.datetime(2026, 3, 29, 3)),
        zone.normalize(zone.localize(datetime.datetime(2026, 3, 29, 1)) + datetime.timedelta(hours=1)),
    )
    for text, how in (("2026-10-25T02:30", None), ("2026-03-29T02:30", None)):
        try:
            zone.localize(datetime.datetime.fromisoformat(text), is_dst=how)
        except (exceptions.AmbiguousTimeError, exceptions.NonExistentTimeError) as error:
            print(type(error).__name__, error)
    print(
        pickle.loads(pickle.dumps(zone)) is zone,
        pytz.country_timezones["nz"],
        pytz.country_names["is"],
        repr(zone),
        reference.UTC,
    )
    with pytz.open_resource("UTC") as file:
        print(tzfile.build_tzinfo("UTC", file), pytz.resource_exists("Mars/Base"), pytz.FixedOffset(90))
    try:
        pytz.timezone("Mars/Base")
    except pytz.UnknownTimeZoneError as error:
        print(repr(error))
