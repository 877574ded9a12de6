"""Where the application's files are, and how a check says what it expects."""

import os
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE / "data"
TEXT = DATA / "text.txt"
CONTENT = "first line\nsecond line\nthird line\n"
SCRATCH = Path(os.environ["FILES_SCRATCH"])  # a real folder, empty at the start

# What winerror.h calls them.
FILE_NOT_FOUND, PATH_NOT_FOUND, ACCESS_DENIED, NOT_SAME_DEVICE, WRITE_PROTECT = 2, 3, 5, 17, 19
FILE_EXISTS, INVALID_NAME, ALREADY_EXISTS, DIRECTORY, NOT_A_REPARSE_POINT = 80, 123, 183, 267, 4390


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def fails(kind, call, *arguments, winerror=None, **keywords):
    """The call raises this subclass of OSError, with this error of Windows."""
    try:
        result = call(*arguments, **keywords)
    except OSError as error:
        assert type(error) is kind, f"{type(error)}: {error}"
        assert winerror is None or error.winerror == winerror, f"{error.winerror}: {error}"
    else:
        raise AssertionError(f"{call} gave {result!r}, not {kind}")
