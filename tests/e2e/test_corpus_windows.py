"""The most-downloaded packages do in an executable for Windows, under wine, what they do on Linux (tests/corpus/README.md)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import corpus
import corpus_windows
import corpus_windows_results
import pytest

PACKAGES = {one.name: one for one in corpus.packages() if one.group != corpus.LEFT_OUT}
KNOWN = corpus_windows.known()
GROUPS = tuple(dict.fromkeys(one.group for one in PACKAGES.values()))


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[corpus_windows.Results]:
    """All programs, run once: three at a time, in the environment and under wine."""
    folder = tmp_path_factory.mktemp("corpus-windows")
    yield corpus_windows.run_all(PACKAGES.values(), folder)
    shutil.rmtree(folder)  # it is some gigabytes


def test_what_is_known_is_of_the_corpus() -> None:
    assert {*KNOWN.failing, *KNOWN.lines, *KNOWN.held} <= {*PACKAGES}
    assert {reason.kind for reason in KNOWN.failing.values()} <= {*corpus_windows.KINDS}


@pytest.mark.parametrize("name", [name for name in PACKAGES if name not in KNOWN.failing])
def test_works(results: corpus_windows.Results, name: str) -> None:
    outcome = results.outcomes[name]
    assert outcome.expected.status == 0, outcome.expected.errors
    assert outcome.works, corpus_windows_results.difference(outcome)


@pytest.mark.parametrize("name", KNOWN.failing)
def test_reasons_still_hold(results: corpus_windows.Results, name: str) -> None:
    assert not results.outcomes[name].works, f"{name} works: windows.toml need not name it"


def test_as_many_as_promised(results: corpus_windows.Results) -> None:
    assert sum(one.works for one in results.outcomes.values()) >= corpus_windows.ENOUGH
    mapped, every = corpus_windows_results.from_memory(results.census.values())
    assert mapped >= corpus_windows.FROM_MEMORY * every


@pytest.mark.parametrize("group", GROUPS)
def test_inspect_tells_what_the_launcher_does(results: corpus_windows.Results, group: str) -> None:
    census = results.census[group]
    assert sorted(path.rpartition("/")[2] for path in census.cached) == list(census.written)
    assert census.failed == {}


def test_the_kept_table_is_what_came_out(results: corpus_windows.Results) -> None:
    table = corpus_windows_results.table(results)
    print(table)
    assert corpus_windows.RESULTS.read_text(encoding="utf-8") == table
