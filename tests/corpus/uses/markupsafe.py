"""Text escaped by the C extension and by Python, formatted, pickled and subclassed."""

from __future__ import annotations

import pickle
import string

import markupsafe
from markupsafe import Markup, _native, _speedups


class Tag(Markup):
    """Markup of its own kind."""

    def wrap(self) -> Tag:
        return type(self)("<b>%s</b>") % self


class Lazy:
    def __html__(self) -> str:
        return "<i>lazy</i>"

    def __html_format__(self, specification: str) -> str:
        return f"<{specification}>"


def main() -> None:
    print(_speedups.__file__, markupsafe._escape_inner is _speedups._escape_inner)
    for text in ("<a href='x'>&\"</a>", "é<", "日本<語>", "plain", "😀&"):
        print(markupsafe.escape(text), _native._escape_inner(text) == _speedups._escape_inner(text))
    print(
        Tag("<x>").wrap(),
        type(Tag("a").wrap()).__name__,
        Markup("%s %d") % ("<", 3),
        Markup("{0} {1:u}").format("<", Lazy()),
    )
    print(
        markupsafe.escape(Lazy()),
        markupsafe.escape(None),
        markupsafe.escape_silent(None),
        repr(Markup("x") + "<"),
    )
    print(
        Markup("&lt;b&gt; <em>x</em>").striptags(),
        Markup("&eacute;&#x20AC;").unescape(),
        Markup(" <b> ").join(["<", Markup("<")]),
    )
    print(
        pickle.loads(pickle.dumps(Markup("<p>"))),
        [str(one) for one in Markup("a,<b>").split(",")],
        Markup("a").__html__(),
    )
    print(
        string.Formatter().format("{}", Markup("<")),
        markupsafe.soft_str(Markup("x")).__class__.__name__,
        len(Markup("<") * 3),
    )
