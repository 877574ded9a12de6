"""Variables read from files with quotes and references, changed by the command, and given to a child."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import dotenv
from dotenv import main as parts

from uses import helpers

TEXT = """\
# comment
A=plain
B="two\\nlines" # note
C='${A} raw'
export D=${A}-${MISSING:-default}
E=ü
EMPTY=
NOVALUE
"""


def main() -> None:
    Path(".env").write_text(TEXT, encoding="utf-8")
    print(dict(dotenv.dotenv_values(".env")), dotenv.find_dotenv(usecwd=True))
    os.environ["A"] = "before"
    print(
        dotenv.load_dotenv(".env"),
        os.environ["A"],
        os.environ["D"],
        dotenv.load_dotenv(".env", override=True),
        os.environ["A"],
    )
    print(
        dict(dotenv.dotenv_values(stream=io.StringIO("X=${A}"), interpolate=False)),
        dotenv.get_key(".env", "B"),
    )
    print(dotenv.set_key(".env", "NEW", "it's", quote_mode="always"), dotenv.unset_key(".env", "C"))
    print(Path(".env").read_text(encoding="utf-8"), parts.DotEnv(".env").get("NEW"))
    print(helpers.python("-m", "dotenv", "list"), helpers.python("-m", "dotenv", "get", "MISSING"))
    code = "import os; print('from the child:', os.environ['NEW'])"
    print(helpers.python("-m", "dotenv", "run", "--", sys.executable, "-c", code))
    print(
        helpers.python(
            "-c",
            "import dotenv, os; dotenv.load_dotenv(dotenv.find_dotenv(usecwd=True)); print(os.environ['NEW'])",
        )
    )
