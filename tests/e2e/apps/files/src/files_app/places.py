"""Where the application's files are, and how a check says what it expects."""

import errno
import os
import sys
from pathlib import Path

import files_native

HERE = Path(__file__).parent
DATA = HERE / "data"
NATIVE = Path(files_native.__file__).parent
TEXT = DATA / "text.txt"
CONTENT = "first line\nsecond line\nthird line\n"
SCRATCH = Path(os.environ["FILES_SCRATCH"])  # a real folder, empty at the start

MACOS = sys.platform == "darwin"


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def fails(number, call, *arguments, **keywords):
    """The call raises OSError with this errno."""
    try:
        result = call(*arguments, **keywords)
    except OSError as error:
        assert error.errno == number, f"errno {errno.errorcode.get(error.errno)}: {error}"
    else:
        raise AssertionError(f"{call} gave {result!r}, not {errno.errorcode[number]}")
