"""The most-downloaded packages do in an executable what they do in a virtual environment (tests/corpus/README.md)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import corpus
import corpus_results
import pytest

PACKAGES = {one.name: one for one in corpus.packages() if one.group != corpus.LEFT_OUT}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[corpus.Results]:
    """All programs, run once: two at a time, in the environment and from the executable."""
    folder = tmp_path_factory.mktemp("corpus")
    yield corpus.run_all(PACKAGES.values(), folder)
    shutil.rmtree(folder)  # it is some gigabytes


def test_as_many_as_promised() -> None:
    assert len(PACKAGES) == corpus.WANTED
    ranks = [one.rank for one in corpus.packages()]
    assert ranks == list(range(1, len(ranks) + 1))
    assert all(one.remark for one in corpus.packages() if one.group == corpus.LEFT_OUT)


@pytest.mark.parametrize("name", PACKAGES)
def test_same(results: corpus.Results, name: str) -> None:
    outcome = results.outcomes[name]
    assert outcome.expected.status == 0, outcome.expected.errors
    assert outcome.found == outcome.expected


def test_the_kept_table_is_what_came_out(results: corpus.Results) -> None:
    table = corpus_results.table(results)
    print(table)
    assert corpus_results.RESULTS.read_text(encoding="utf-8") == table
