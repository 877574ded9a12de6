"""What QEMU says ran, as start.txt has it."""

from __future__ import annotations

from oxcross import squeeze, tracing

LOG = (
    "IN: \n"
    """\
----------------
IN: PyDict_New
0x4000a3f3f0:  pushq    %rbp

----------------
0x4001818000:  movq     %rsp, %rdi
----------------
IN: unicode_eq.17
IN: visit.llvm.123456
"""
)


def test_what_ran() -> None:
    """Functions by their names, without the compiler's numbers; code of other objects has none."""
    assert tracing._ran(LOG) == {"PyDict_New", "unicode_eq", "visit"}


def test_the_list_is_as_the_task_writes_it() -> None:
    names = squeeze.START.read_text(encoding="utf-8").splitlines()
    assert names == sorted(set(names))
    assert {"Py_InitializeFromConfig", "PyDict_New", "_PyEval_EvalFrameDefault"} <= set(names)
