"""What callgrind says ran, as start.txt has it."""

from __future__ import annotations

from oxcross import squeeze, tracing

COUNTED = """\
ob=/usr/lib/libc.so.6
fn=malloc
0 5
ob=???
fn=PyDict_New
0 9
cob=/tmp/traced
cfn=never_own
calls=1 0
fn=list_sort'2
fn=unicode_eq.17
fn=visit.llvm.123456
fn=0x00000000000102f0
"""


def test_what_ran() -> None:
    """Names of functions with an entry of their own, without callgrind's and the compiler's numbers."""
    found = tracing._ran(COUNTED)
    assert found == {"malloc", "PyDict_New", "list_sort", "unicode_eq", "visit", "0x00000000000102f0"}


def test_the_list_is_as_the_task_writes_it() -> None:
    names = squeeze.START.read_text(encoding="utf-8").splitlines()
    assert names == sorted(set(names))
    assert {"Py_InitializeFromConfig", "PyDict_New", "_PyEval_EvalFrameDefault"} <= set(names)
