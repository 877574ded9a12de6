"""Addresses parsed, encoded and decoded leniently."""

from __future__ import annotations

import mdurl


def main() -> None:
    for text in (
        "https://user:pw@exämple.org:80/a b/ü?q=[1]#f",
        "//host/path",
        "mailto:a@b.c",
        "javascript:x",
        "a%20b%zz",
        "http://[::1]/x",
        "x" * 5,
    ):
        parsed = mdurl.parse(text, slashes_denote_host=True)
        print(parsed, mdurl.format(parsed), mdurl.encode(text), mdurl.decode(mdurl.encode(text)))
    print(
        mdurl.encode("%25 %u", keep_escaped=False),
        mdurl.decode("%F0%9F%98%80%ff", mdurl.DECODE_COMPONENT_CHARS),
        mdurl.URL._fields,
    )
