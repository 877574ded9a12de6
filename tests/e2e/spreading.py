"""How the tests are spread over processes by pytest-xdist (`-n`): a module stays together, what takes longest starts first."""

from __future__ import annotations

import os

import pytest

from oxcross.executor import available_memory

# The modules that take minutes, in the order in which they start: at the end nobody waits for one of them.
LONGEST = (
    "test_regrtest_windows",
    "test_regrtest",
    "test_corpus_windows",
    "test_regrtest_macos",
    "test_identity",  # from cold
    "test_bad_input",
    "test_cost_report",
    "test_processes",
    "test_cache",
    "test_reproduce",
    "test_corpus",
    "test_programs",
    "test_publish_faults",
    "test_real_inputs",
)
_MEMORY = 3_000_000_000  # bytes for a process and what it starts: a linker, the password of a key
_MOST = 8  # more would wait for the longest modules


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: as many as there are processors, and as have room in memory."""
    return max(1, min(_MOST, len(os.sched_getaffinity(0)), available_memory() // _MEMORY))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the processes of `-n` only: one after the other, the fast tests come first."""
    if hasattr(config, "workerinput"):
        rank = {name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With `-n` the dots are of many files: what fails is named at once, and its traceback comes at the end."""
    worker = getattr(report, "node", None)  # only where the reports of the processes come together
    if report.failed and worker:
        worker.config.pluginmanager.get_plugin("terminalreporter").write_line(f" {report.nodeid}")
