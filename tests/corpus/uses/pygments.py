"""Code coloured by lexers and formatters found by name, file and plugin; all of them listed; the command."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pygments
from pygments import formatters, lexers, styles
from pygments.filters import VisibleWhitespaceFilter

from uses import helpers

CODE = 'def hello(name: str) -> None:\n    """Say."""\n    print(f"hello {name!r}")  # done\n'


def main() -> None:
    every = sorted(name for name, *_ in lexers.get_all_lexers(plugins=True))
    print(len(every), hashlib.sha256("\n".join(every).encode()).hexdigest())
    loaded = [lexers.get_lexer_by_name(one[1][0]) for one in sorted(lexers.get_all_lexers()) if one[1]]
    print(len(loaded), len({type(one).__module__ for one in loaded}))
    print(sorted(styles.get_all_styles()))
    lexer = lexers.get_lexer_by_name("python")
    lexer.add_filter(VisibleWhitespaceFilter(spaces=True))
    print(pygments.highlight(CODE, lexer, formatters.TerminalFormatter()))
    for name in ("html", "latex", "svg", "rtf", "raw"):
        text = pygments.highlight(CODE, lexers.PythonLexer(), formatters.get_formatter_by_name(name))
        print(name, len(text), type(text).__name__)
    print(formatters.HtmlFormatter(style="monokai").get_style_defs(".code")[:80])
    print(
        lexers.guess_lexer_for_filename("x.rs", "fn main() {}").name,
        lexers.guess_lexer("#!/bin/sh\necho").name,
    )
    print(lexers.get_lexer_for_mimetype("application/json").aliases)
    Path("own.py").write_text(
        "from pygments.lexer import RegexLexer\nfrom pygments.token import Text\nclass CustomLexer(RegexLexer):\n    name = 'own'\n    tokens = {'root': [(r'.', Text)]}\n"
    )
    print(lexers.load_lexer_from_file("own.py").name)
    Path("code.py").write_text(CODE)
    print(helpers.python("-m", "pygments", "-f", "html", "-O", "linenos=1", "code.py"))
    print(helpers.python("-m", "pygments", "-L", "styles").splitlines()[:4])
