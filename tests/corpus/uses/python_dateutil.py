"""Dates parsed, recurrences, relative deltas, Easter, and time zones out of the package's own archive."""

from __future__ import annotations

import datetime
import pickle
import warnings

import dateutil
from dateutil import easter, parser, relativedelta, rrule, tz
from dateutil import zoneinfo as archive


def main() -> None:
    default = datetime.datetime(2026, 1, 1)
    for text in (
        "Thu Sep 25 10:36:28 2003",
        "2003-09-25T10:49:41.5-03:00",
        "25/9/2003",
        "10pm",
        "Sat",
        "3rd of May 2001",
    ):
        print(text, "->", parser.parse(text, default=default, dayfirst=True))
    try:
        parser.parse("not a date")
    except parser.ParserError as error:
        print(error)
    print(list(rrule.rrule(rrule.MONTHLY, count=4, byweekday=rrule.FR(-1), dtstart=default)))
    print(rrule.rrulestr("FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH", dtstart=default).after(default))
    print(
        default + relativedelta.relativedelta(months=+1, day=31, weekday=relativedelta.MO(-1)),
        easter.easter(2026),
    )
    print(relativedelta.relativedelta(datetime.date(2026, 3, 1), datetime.date(2024, 2, 29)))
    zone = tz.gettz("Europe/Berlin")
    print(
        default.replace(month=7, tzinfo=zone).isoformat(),
        default.replace(tzinfo=tz.UTC).astimezone(zone).tzname(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = archive.get_zonefile_instance()
    print(found.metadata, len(found.zones), found.get("Asia/Tokyo").utcoffset(default))
    for text in ("EST5EDT", "EST5EDT,M3.2.0,M11.1.0"):
        print(tz.tzstr(text).utcoffset(default), pickle.loads(pickle.dumps(tz.tzstr(text))) == tz.tzstr(text))
    print(tz.datetime_ambiguous(datetime.datetime(2026, 10, 25, 2, 30), zone), tz.resolve_imaginary(default))
    print(dateutil.__version__, "parser" in dir(dateutil))
