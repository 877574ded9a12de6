"""A cache whose entries are not what they should be: nobody takes them, and they can be found and replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import caching
import faults
import pytest
import s3server
from caching import (
    BUCKET,
    PUBLIC,
    SECRET,
    STEPS,
    STRANGER,
    STRANGERS_SECRET,
    Machine,
    Maker,
    Place,
    prefix,
    states,
)
from program import oxcross

from oxcross.cache import remote, signing


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with caching.running(tmp_path_factory.mktemp("cache")) as place:
        yield place


@pytest.fixture
def machine(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    return caching.maker(place, tmp_path, request.node.name)


@pytest.fixture
def builder(machine: Maker) -> Machine:
    """A machine that has built everything and may fill the cache."""
    return machine("builder", filled=True, secret=SECRET)


def _wrong_signer(place: Place, folder: str, keys: list[str]) -> None:
    """The stranger's statements where the trusted ones were."""
    for key in keys:
        other = f"{key.rpartition('/')[0]}/{signing.short(STRANGER)}.json"
        copied = {"Bucket": BUCKET, "Key": f"{folder}/{other}"}
        place.client.copy_object(Bucket=BUCKET, Key=f"{folder}/{key}", CopySource=copied)  # type: ignore[arg-type]


def _wrong_step(place: Place, folder: str, keys: list[str]) -> None:
    """Each step's statement lies where another's was."""
    found = [place.content(f"{folder}/{key}") for key in keys]
    for key, content in zip(keys, [*found[1:], found[0]], strict=True):
        place.client.put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=content)


def _swapped_digests(place: Place, folder: str, keys: list[str]) -> None:
    """Each leads to another's archive."""
    found = [json.loads(place.content(f"{folder}/{key}")) for key in keys]
    for key, document, other in zip(keys, found, [*found[1:], found[0]], strict=True):
        fields = {name: other[name] for name in ("archive", "archive_size", "digest")}
        content = json.dumps({**document, **fields}).encode()
        place.client.put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=content)


def _damaged_blobs(place: Place, folder: str, keys: list[str]) -> None:
    for key in place.keys(folder):
        if key.startswith(remote.BLOBS):
            content = bytearray(place.content(f"{folder}/{key}"))
            content[len(content) // 2] ^= 1
            place.client.put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=bytes(content))


@pytest.mark.parametrize(
    ("poison", "told"),
    [
        (_wrong_signer, "another key signed it"),
        (_wrong_step, "it is about another step"),
        (_swapped_digests, "its signature does not fit"),
        (_damaged_blobs, "its archive has another SHA-256 than is signed"),
    ],
)
def test_poison(
    builder: Machine,
    machine: Maker,
    place: Place,
    poison: Callable[[Place, str, list[str]], None],
    told: str,
) -> None:
    builder.json("cache", "push")
    folder = prefix(builder)
    if poison is _wrong_signer:
        machine("x", filled=True, secret=STRANGERS_SECRET, trust=(STRANGER,)).json("cache", "push")
    mine = [key for key in place.keys(folder) if key.endswith(f"{signing.short(PUBLIC)}.json")]
    assert len(mine) == len(STEPS)
    poison(place, folder, mine)
    new = machine("new")
    done = new.run("cache", "pull", "--json")
    assert done.returncode == 0, done.stderr
    assert set(states(json.loads(done.stdout)).values()) == {"lacking"}
    notices = [line for line in done.stderr.splitlines() if line.startswith("note ")]
    assert len(notices) == len(STEPS)
    assert all("not taken from the shared cache: linux-x64/" in line and told in line for line in notices)
    assert new.left() == []


def test_damage_on_the_way(builder: Machine, machine: Maker, place: Place) -> None:
    """Nothing that arrived otherwise than it was sent is in the store."""
    builder.json("cache", "push")
    place.proxy.reset(
        faults.sometimes(0.5, (faults.DAMAGED_ANSWER, faults.CUT_ANSWER, faults.TRUNCATED), 1), 1
    )
    new = machine("new")
    new.json("cache", "pull")
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    new.json("cache", "pull")
    assert set(states(new.json("cache", "pull")).values()) == {"cached"}
    assert oxcross("cache", "verify", env=new.env).returncode == 0


def damage(place: Place, key: str) -> None:
    """Change a byte of an object, as a disk that fails does."""
    content = bytearray(place.content(key))
    content[len(content) // 2] ^= 1
    place.client.put_object(Bucket=BUCKET, Key=key, Body=bytes(content))


def damaged(one: Machine, *flags: str) -> dict[str, str]:
    """Key below the prefix -> reason, as told with exit status 8; all of them are named to people, too."""
    done = one.run("cache", "remote", "--json", *flags)
    assert done.returncode == 8, done.stderr
    found = json.loads(done.stdout)
    assert [row["removed"] for row in found["damaged"]] == ["--remove-damaged" in flags] * len(
        found["damaged"]
    )
    assert all(f"\n  {row['key']}: {row['reason']}\n" in done.stderr for row in found["damaged"])
    return {row["key"].removeprefix(f"{prefix(one)}/"): row["reason"] for row in found["damaged"]}


def test_damage_is_found_removed_and_replaced(builder: Machine, machine: Maker, place: Place) -> None:
    builder.json("cache", "push", "--all")
    place.client.put_object(
        Bucket=BUCKET, Key=f"{prefix(builder)}/v1/blobs/README", Body=b"of somebody else's"
    )
    sound = builder.run("cache", "remote", "--verify")
    assert sound.returncode == 0, sound.stderr
    assert " entries are as they were pushed; not read: 1, " in sound.stdout

    folder = prefix(builder)
    before = {key: place.content(f"{folder}/{key}") for key in place.keys(folder)}
    said = {
        json.loads(content)["name"]: key for key, content in before.items() if key.startswith(remote.STEPS)
    }
    blobs = {name: f"{remote.BLOBS}{json.loads(before[key])['archive']}" for name, key in said.items()}
    source = next(key for key in before if key.startswith(remote.SOURCES))
    damage(place, f"{folder}/{said['linux-x64/licences']}")
    damage(place, f"{folder}/{blobs['linux-x64/launcher']}")
    place.client.delete_object(Bucket=BUCKET, Key=f"{folder}/{blobs['linux-x64/runtime']}")
    damage(place, f"{folder}/{source}")
    refused = builder.run("cache", "push", "--all")
    assert refused.returncode == 8

    found = damaged(builder, "--verify")
    archives = {name: blob.removeprefix(remote.BLOBS) for name, blob in blobs.items()}
    assert found.pop(said["linux-x64/licences"]) in (
        "its signature does not fit", "it is no JSON", "another key signed it", "it has other fields than a statement"
    )  # fmt: skip
    assert found == {
        said["linux-x64/launcher"]: f"its archive is damaged: {archives['linux-x64/launcher']}",
        said["linux-x64/runtime"]: f"its archive is gone: {archives['linux-x64/runtime']}",
        blobs["linux-x64/launcher"]: "it has another SHA-256 than its name",
        source: "it has another SHA-256 than its name",
    }
    assert len(place.keys(folder)) == len(before) - 1  # nothing was removed
    assert len(damaged(builder, "--remove-damaged")) == 5
    assert len(place.keys(folder)) == len(before) - 6
    assert builder.run("cache", "remote", "--verify").returncode == 0

    new = {name for name, state in states(builder.json("cache", "push", "--all")).items() if state == "new"}
    assert {"linux-x64/launcher", "linux-x64/licences", "linux-x64/runtime"} < new
    assert len(new) == 4
    assert {key: place.content(f"{folder}/{key}") for key in place.keys(folder)} == before
    assert set(states(machine("new").json("cache", "pull")).values()) == {"fetched"}


def test_what_others_signed_is_left_alone(builder: Machine, machine: Maker, place: Place) -> None:
    """Nobody here knows what it should be."""
    other = machine("other", filled=True, secret=STRANGERS_SECRET, trust=(STRANGER,))
    other.json("cache", "push")
    for key in place.keys(prefix(other)):
        if key.startswith(remote.STEPS):
            damage(place, f"{prefix(other)}/{key}")
    done = builder.run("cache", "remote", "--remove-damaged")
    assert done.returncode == 0, done.stderr
    assert f"not read: {len(STEPS)}, which no trusted key signed" in done.stdout
    assert len(damaged(other, "--verify")) == len(STEPS)


def test_who_may_not_remove(builder: Machine, place: Place) -> None:
    builder.json("cache", "push")
    key = next(key for key in place.keys(prefix(builder)) if key.startswith(remote.BLOBS))
    damage(place, f"{prefix(builder)}/{key}")
    done = builder.run("cache", "remote", "--remove-damaged", AWS_SECRET_ACCESS_KEY=s3server.SECRET[::-1])
    assert done.returncode == 8
    assert "the server does not accept the secret key" in done.stderr
    assert key in place.keys(prefix(builder))
