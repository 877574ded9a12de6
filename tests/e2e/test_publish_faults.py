"""Publishing while connections are cut, servers fail, clocks are wrong, and publishers are killed: nothing is ever lost.

The default is a run of each kind a few times over; OXCROSS_FAULTS=500 makes it so many, and writes what they came to into
tests/publish/FAULTS.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import disturbed
import pytest
import s3server
from disturbed import Outcome, Place

RUNS = int(os.environ.get("OXCROSS_FAULTS", "16"))
BLOCK = 8
TABLE = Path(__file__).parent.parent / "publish" / "FAULTS.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("faults"), {}) as place:
        yield place


@pytest.fixture(scope="module")
def outcomes() -> Iterator[list[Outcome]]:
    found: list[Outcome] = []
    yield found
    if "OXCROSS_FAULTS" in os.environ and len(found) == RUNS:
        TABLE.write_text(table(found), encoding="utf-8")


@pytest.mark.parametrize("first", range(0, RUNS, BLOCK))
def test_disturbed(first: int, place: Place, outcomes: list[Outcome]) -> None:
    done = [disturbed.run(seed, place) for seed in range(first, min(first + BLOCK, RUNS))]
    outcomes += done
    assert [(one.seed, one.kind, one.wrong) for one in done if one.wrong] == []


def table(found: list[Outcome]) -> str:
    """The outcomes as a Markdown document."""
    lines = []
    for kind in disturbed.KINDS:
        rows = [one for one in found if one.kind == kind]
        statuses = [status for one in rows for status in one.disturbed]
        cells = (
            len(rows),
            sum(one.large for one in rows),
            sum(one.faults for one in rows),
            statuses.count(0),
            statuses.count(10),
            sum(status < 0 for status in statuses),
            sum(not one.wrong for one in rows),
            sum(len(one.wrong) for one in rows),
        )
        lines.append(f"| {kind} | " + " | ".join(map(str, cells)) + " |\n")
    total = len(found), sum(one.faults for one in found), sum(len(one.wrong) for one in found)
    return (
        "# Publishing while things go wrong\n\n"
        f"`OXCROSS_FAULTS={RUNS} ./invoke test -- tests/e2e/test_publish_faults.py` wrote this: {total[0]} runs against "
        f"SeaweedFS {s3server.version()}, with {total[1]} faults between publisher and server, and {total[2]} violations.\n\n"
        "A run publishes 1.0, then 1.1 while things go wrong, then 1.1 again in peace. After both the bucket's own listing has to show: "
        "nothing that was there is gone or was written again, no pointer to a release that is not whole, byte for byte, every "
        "pointer there was. After the second 1.1 is published whole, no upload is left unfinished, and `oxcross verify` finds nothing. "
        "tests/e2e/disturbed.py has the kinds.\n\n"
        "| what goes wrong | runs | with parts | faults | finished all the same | gave up | killed | whole after the same again | violations |\n"
        "|---|---|---|---|---|---|---|---|---|\n" + "".join(lines)
    )
