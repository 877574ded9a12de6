"""Publishing while something goes wrong: runs that a seed decides all of, and what each came to.

A run publishes 1.0, undisturbed; then 1.1, or two publishers at once, disturbed; looks at the bucket; then publishes 1.1 again, undisturbed,
which has to do all that is left; looks again. Run as a program it does many and writes tests/publish/FAULTS.md.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import faults
import publishing
import s3server
from faults import Entry, Plan, Proxy
from publisher import Done, Publishers
from publishing import Made
from s3server import KEY_ID, REGION, SECRET, Server

if TYPE_CHECKING:
    import pytest
    from types_boto3_s3.client import S3Client

ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1",
}
_MOST_REQUESTS: Final = 65  # of a run; a fault at a later one never comes


@dataclass
class Outcome:
    """What a run came to. ``wrong`` is empty when all held."""

    seed: int
    kind: str
    large: bool
    faults: int = 0
    disturbed: list[int] = field(default_factory=list)  # exit statuses
    again: int = -1
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """What runs need."""

    server: Server
    proxy: Proxy
    publishers: Publishers
    client: S3Client
    folder: Path

    def run(self, made: Made, *argv: str, **env: str) -> Done:
        """The oxcross program in that project."""
        return self.publishers.run(*argv, "--project", str(made.root), **env)

    def good(self, made: Made, *argv: str, **env: str) -> dict[str, Any]:
        """Its --json."""
        done = self.run(made, *argv, "--json", **env)
        assert done.status == 0, done.output
        document: dict[str, Any] = json.loads(
            done.output[done.output.index("{\n") :]
        )  # behind what stderr says
        return document

    def refused(self, made: Made, *argv: str, status: int = 10, **env: str) -> str:
        """What it says. No secret is in it."""
        done = self.run(made, *argv, **env)
        assert done.status == status, done.output
        assert SECRET not in done.output
        return done.output


Maker = Callable[..., Made]


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Place]:
    """A server with an empty bucket, the proxy before it, and publishers with that environment."""
    with (
        s3server.running(folder / "server") as server,
        faults.running(server.port) as proxy,
        Publishers(folder / "said", environment) as publishers,
    ):
        client = server.client()
        client.create_bucket(Bucket=publishing.BUCKET)
        yield Place(server, proxy, publishers, client, folder)
        client.close()


def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy lets all pass, and this process has the credentials, too."""
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def maker(place: Place, folder: Path, test: str) -> Maker:
    """A function that makes a release: ``make("1.0", seed=1, large=True, part_size=5)``."""
    name = test.replace("test_", "").replace("_", "-")

    def make(version: str, *, seed: int = 0, large: bool = False, **settings: object) -> Made:
        return publishing.make(
            folder / f"{version}-{seed}",
            name,
            version,
            place.proxy.address,
            publishing.contents(seed or int(version.replace(".", "")), large=large),
            extra={"app.spdx.json": "{}\n", "SHA256SUMS.asc": "signed\n"},
            settings={"channels": ["stable", "beta"], **settings},
        )

    return make


def stage(_target: str, _name: str) -> AbstractContextManager[None]:
    """A stage that tells nobody: for calls in this process."""
    return nullcontext()


def _mixed(seed: int) -> Plan:
    return faults.sometimes(0.2, faults.SINGLE, seed)


def _cuts(seed: int) -> Plan:
    return faults.sometimes(0.2, (faults.CUT_REQUEST, faults.CUT_ANSWER), seed)


def _busy(seed: int) -> Plan:
    return faults.sometimes(0.2, (faults.BUSY, faults.ERROR_BEFORE, faults.ERROR_AFTER), seed)


def _told_wrong(seed: int) -> Plan:
    """What was done is not told: the hardest for whoever must not do it twice."""
    return faults.sometimes(0.25, (faults.CUT_ANSWER, faults.ERROR_AFTER, faults.TRUNCATED), seed)


def _damage(seed: int) -> Plan:
    return faults.sometimes(0.3, (faults.DAMAGED_REQUEST, faults.DAMAGED_ANSWER, faults.TRUNCATED), seed)


def _at(seed: int) -> int:
    return random.Random(seed).randrange(_MOST_REQUESTS)  # noqa: S311


def _blackout(seed: int) -> Plan:
    return faults.from_on(_at(seed), faults.CUT_REQUEST)


def _outage_after(seed: int) -> Plan:
    return faults.from_on(_at(seed), faults.ERROR_AFTER)


def _expired(seed: int) -> Plan:
    return faults.from_on(_at(seed), faults.EXPIRED)


def _clock(seed: int) -> Plan:
    return faults.sometimes(0.2, (faults.CLOCK,), seed)


def _hang(seed: int) -> Plan:
    return faults.once(_at(seed) % 15, faults.HANG)


def _kill(seed: int) -> Plan:
    return faults.once(_at(seed), faults.KILL)


def _kill_in_noise(seed: int) -> Plan:
    noise, at = _mixed(seed), _at(seed)
    return lambda number, request: faults.KILL if number == at else noise(number, request)


ALONE: Final[dict[str, Callable[[int], Plan]]] = {
    "all kinds of faults": _mixed,
    "kill -9": _kill,
    "cut connections": _cuts,
    "kill -9 among faults": _kill_in_noise,
    "503 and 500": _busy,
    "done, and not told": _told_wrong,
    "kill -9, again": _kill,
    "damaged and truncated": _damage,
    "network gone": _blackout,
    "credentials expired": _expired,
    "clock refused": _clock,
    "500 to all that is done": _outage_after,
    "server hangs": _hang,
}
TOGETHER: Final = ("two, same files", "two, other files", "two, other versions")
KINDS: Final = (*ALONE, *TOGETHER)


def run(seed: int, place: Place) -> Outcome:
    """One run."""
    kind = KINDS[seed % len(KINDS)]
    chance = random.Random(seed)  # noqa: S311
    outcome = Outcome(seed, kind, large=chance.random() < 0.3)
    name = f"app{seed}"
    folder = place.folder / name
    first = _make(place, folder / "first", name, "1.0", seed, large=False)
    one = _make(place, folder / "one", name, "1.1", seed + 1, large=outcome.large)
    releases: dict[str, list[Made]] = {"1.0": [first], "1.1": [one]}
    place.proxy.reset(lambda *_: faults.THROUGH, seed)
    begun = place.publishers.run(*_line(first), **ENVIRONMENT)
    if begun.status:
        outcome.wrong.append(f"1.0 was not published: {begun.output}")
        return outcome
    before = publishing.snapshot(place.client, first.layout)
    done = _alone(place, outcome, one) if kind in ALONE else _together(place, outcome, one, releases)
    outcome.disturbed = [each.status for each in done]
    outcome.faults = sum(entry.fault != faults.THROUGH for entry in place.proxy.log)
    log: list[Entry] = list(place.proxy.log)
    outcome.wrong += publishing.violations(place.client, first.layout, before, releases, log)
    for each in done:
        outcome.wrong += _said(each)
    _again(place, outcome, one, releases, log)
    if not outcome.wrong:
        publishing.clear(place.client, first.layout)
        shutil.rmtree(folder)
    return outcome


def _make(place: Place, root: Path, name: str, version: str, seed: int, *, large: bool) -> Made:
    extra = {"app.spdx.json": f'{{"seed": {seed}}}\n', "SHA256SUMS.asc": f"signed {seed}\n"}
    contents = publishing.contents(seed, large=large)
    return publishing.make(
        root,
        name,
        version,
        place.proxy.address,
        contents,
        extra=extra,
        settings={"patience": 1, "timeout": 1},
    )


def _line(made: Made, channel: str = "stable") -> tuple[str, ...]:
    return ("publish", "--project", str(made.root), "--channel", channel)


def _alone(place: Place, outcome: Outcome, made: Made) -> list[Done]:
    pids: list[int] = []
    started = threading.Event()

    def kill() -> None:
        started.wait(10)
        with suppress(ProcessLookupError):
            os.kill(pids[0], signal.SIGKILL)

    place.proxy.reset(ALONE[outcome.kind](outcome.seed), outcome.seed, kill)
    pids.append(place.publishers.start(*_line(made), **ENVIRONMENT, AWS_SESSION_TOKEN=""))
    started.set()
    return [place.publishers.wait(pids[0])]


def _together(place: Place, outcome: Outcome, one: Made, releases: dict[str, list[Made]]) -> list[Done]:
    """Two publishers at once, with a few delays that mix their requests."""
    version = "1.2" if outcome.kind == "two, other versions" else "1.1"
    seed = outcome.seed + (1 if outcome.kind == "two, same files" else 2)
    two = _make(place, one.root.parent / "two", one.name, version, seed, large=outcome.large)
    releases.setdefault(version, []).append(two)
    place.proxy.reset(faults.sometimes(0.2, (faults.DELAY,), outcome.seed), outcome.seed)
    pids = [place.publishers.start(*_line(made), **ENVIRONMENT) for made in (one, two)]
    done = [place.publishers.wait(pid) for pid in pids]
    won = [each.status == 0 for each in done]
    if outcome.kind == "two, same files" and not all(won):
        outcome.wrong.append(f"the same files, and one is refused: {[each.output for each in done]}")
    if outcome.kind == "two, other files" and won.count(True) != 1:
        outcome.wrong.append(
            f"{won.count(True)} of two with other files won: {[each.output for each in done]}"
        )
    if outcome.kind == "two, other versions" and not any(won):
        outcome.wrong.append(f"both lost: {[each.output for each in done]}")
    return done


def _said(done: Done) -> list[str]:
    """What is wrong with a publisher's end and its words: tracebacks, secrets."""
    wrong = []
    if done.status not in (0, 10, -signal.SIGKILL):
        wrong.append(f"exit status {done.status}: {done.output}")
    if SECRET in done.output or "Signature=" in done.output:
        wrong.append(f"a secret is shown: {done.output}")
    return wrong


def _again(
    place: Place, outcome: Outcome, one: Made, releases: dict[str, list[Made]], log: list[Entry]
) -> None:
    """The same again, undisturbed: all is published then, and nothing is left behind."""
    before = publishing.snapshot(place.client, one.layout)
    place.proxy.reset(lambda *_: faults.THROUGH, outcome.seed)
    refused = outcome.kind == "two, other files" and outcome.disturbed[0] != 0
    newer = (publishing.pointer(place.client, one.layout) or {}).get("version") == "1.2"
    again = place.publishers.run(*_line(one), **ENVIRONMENT)
    outcome.again = again.status
    if again.status != (10 if refused or newer else 0):
        outcome.wrong.append(f"the same again ends with {again.status}: {again.output}")
    outcome.wrong += _said(again)
    log = [*log, *place.proxy.log]
    outcome.wrong += publishing.violations(place.client, one.layout, before, releases, log)
    pointer = publishing.pointer(place.client, one.layout)
    if not pointer or pointer["version"] == "1.0":
        outcome.wrong.append(f"the pointer did not move: {pointer}")
    else:
        pointed = [
            made
            for made in releases[pointer["version"]]
            if pointer["sha256"] == made.files()["manifest.json"]
        ]
        outcome.wrong += publishing.old_copies(place.client, one.layout, pointed[0])
    if left := publishing.unfinished(place.client, one.layout):
        outcome.wrong.append(f"unfinished uploads are left: {left}")
    verified = place.publishers.run("verify", "1.1", "--project", str(one.root), **ENVIRONMENT)
    if verified.status:
        outcome.wrong.append(f"verify: {verified.output}")
