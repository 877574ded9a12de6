"""Moves, metaclasses, strings and the lazy module tree."""

from __future__ import annotations

import importlib
import io
import pickle
import sys

import six
from six.moves import configparser, cPickle, queue, range, urllib, zip_longest
from six.moves.urllib.parse import quote, urlsplit


class Meta(type):
    """Counts the classes it makes."""

    made: list[str] = []

    def __init__(cls, name: str, bases: tuple[type, ...], space: dict[str, object]) -> None:
        Meta.made.append(name)
        super().__init__(name, bases, space)


@six.python_2_unicode_compatible
class Base(six.with_metaclass(Meta, object)):
    def __str__(self) -> str:
        return "größe"


def main() -> None:
    print(Meta.made, str(Base()), six.text_type, six.PY3, sys.maxsize == six.MAXSIZE)
    print(quote("a b/ü"), urlsplit("http://x/y?z").query, list(zip_longest([1], [2, 3])), list(range(2)))
    print(cPickle is pickle, configparser.__name__, queue.Queue.__name__, urllib.error.URLError.__name__)
    print(importlib.import_module("six.moves.html_parser").HTMLParser.__module__)
    print(importlib.import_module("six.moves.email_mime_text").MIMEText.__name__)
    print(
        six.ensure_binary("ü"), six.ensure_str(b"\xc3\xbc"), six.u("x"), six.int2byte(65), six.byte2int(b"A")
    )
    try:
        six.raise_from(ValueError("outer"), KeyError("inner"))
    except ValueError as error:
        print(repr(error.__cause__))
    out = io.StringIO()
    six.print_("a", "b", sep="-", file=out)
    print(repr(out.getvalue()), sorted(dict(six.iteritems({"a": 1}))))
    print(len(dir(six.moves)) > 50, six.moves.__spec__ is None, six.moves.urllib.__path__)
