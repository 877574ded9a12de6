"""CommonMark and tables rendered, tokens walked, rules and renderers of its own, every preset, and the command."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt, presets
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode

from uses import helpers

TEXT = """\
# Head *em* `code`

> quote
1. one
   - nested **bold**

| a | b |
|---|--:|
| 1 | ~~2~~ |

<div>html &amp; &copy;</div>

[link](http://x "t") ![i](a.png) <http://auto.example> www.example.org "quotes" -- (c)
"""


def at(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "@":
        return False
    if not silent:
        state.push("mention", "", 0).content = state.src[state.pos : state.pos + 4]
    state.pos += 4
    return True


def main() -> None:
    for preset in ("commonmark", "zero", "default", "js-default", "gfm-like"):
        try:
            print(preset, MarkdownIt(preset).render(TEXT))
        except ModuleNotFoundError as error:
            print(preset, error)
    parser = MarkdownIt("commonmark", {"typographer": True}).enable(
        ["table", "strikethrough", "replacements", "smartquotes"]
    )
    print(parser.render(TEXT), parser.get_active_rules()["inline"])
    print(SyntaxTreeNode(parser.parse(TEXT)).pretty(indent=1, show_text=True))
    parser.inline.ruler.push("at", at)
    parser.add_render_rule("mention", lambda self, tokens, index, options, env: f"<@{tokens[index].content}>")
    print(parser.render("hello @ada!"), presets.__file__)
    Path("a.md").write_text("*x*")
    print(helpers.python("-m", "markdown_it.cli.parse", "a.md"))
