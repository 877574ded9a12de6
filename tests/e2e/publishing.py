"""Releases to publish in tests, and what has to hold in the bucket whatever happened: told from the server's own listing."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from faults import Entry

from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.publish import dist, signing
from oxcross.publish import folder as folders
from oxcross.publish.draft import Addition, Draft
from oxcross.publish.keys import Layout, is_signature
from oxcross.publish.minisign import SecretKey
from oxcross.publish.s3 import Bucket

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUCKET: Final = "releases"
PREFIX: Final = "made/here"
LARGE: Final = (13 << 20) + 12345  # bytes; three parts of the smallest size


@dataclass(frozen=True)
class Made:
    """A project whose release lies in its dist/."""

    root: Path
    name: str
    version: str

    @property
    def folder(self) -> Path:
        return self.root / "dist" / self.name / self.version

    @property
    def layout(self) -> Layout:
        return Layout(PREFIX, self.name)

    def files(self) -> dict[str, str]:
        """The SHA-256 (hex) of each file."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.folder.iterdir())
        }


def make(
    root: Path,
    name: str,
    version: str,
    address: str,
    contents: Mapping[str, bytes],
    *,
    extra: Mapping[str, str] | None = None,
    additions: Sequence[Addition] = (),
    secret: SecretKey | None = None,
    settings: Mapping[str, object] | None = None,
) -> Made:
    """A project in ``root`` with a release of these executables (by target), and more files in its folder; with ``secret`` it is
    signed, and the project says by whom.
    """
    root.mkdir(parents=True, exist_ok=True)
    keys = {
        "bucket": BUCKET,
        "prefix": PREFIX,
        "endpoint": address,
        "part-size": 5,
        "timeout": 2,
        "patience": 5,
    }
    keys |= {key.replace("_", "-"): value for key, value in (settings or {}).items()}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    (root / "app.py").write_text("", encoding="utf-8")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\n[tool.oxcross]\nrun-file = "app.py"\n'
        f"[tool.oxcross.publish]\n{lines}{signed_by(secret) if secret else ''}",
        encoding="utf-8",
    )
    artifacts = []
    for target, content in contents.items():
        path = root / "build" / target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        artifacts.append(
            Artifact(target=target, path=path, sha256=digest, size=len(content), seconds=1.0, facts={})
        )
    more = {file: text.encode() for file, text in (extra or {}).items() if not is_signature(file)}

    def add(draft: Draft) -> None:
        for file, content in more.items():
            draft.add(file, content)

    sign = [signing.sign_with(secret, name, version)] if secret else []
    released = dist.release(root / "dist", name, version, artifacts, [add, *additions], sign)
    for file, text in (extra or {}).items():
        if file not in more:
            (released.path / file).write_text(text, encoding="utf-8")
    return Made(root, name, version)


def signed_by(secret: SecretKey) -> str:
    """The table of a project whose releases are signed with that key."""
    return f'[tool.oxcross.release.sign]\npublic-key = "{secret.public}"\n'


def opened(made: Made) -> Bucket:
    """The bucket that its project publishes to."""
    return Bucket(projects.load(made.root).publish)


def release_folder(made: Made) -> folders.Folder:
    """Its release, read as a publisher reads it."""
    return folders.read(made.folder, made.name, made.version)


def contents(seed: int, *, large: bool) -> dict[str, bytes]:
    """Executables for a release: two small ones, or one of them in parts."""
    chance = random.Random(seed)  # noqa: S311
    size = LARGE if large else chance.randrange(1, 200_000)
    return {"linux-x64": chance.randbytes(size), "win-x64": chance.randbytes(chance.randrange(1, 60_000))}


Snapshot = dict[str, tuple[str, int, str]]


def snapshot(client: S3Client, layout: Layout) -> Snapshot:
    """All objects of a program: key -> (ETag, size, time)."""
    found: Snapshot = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=layout.root):
        for row in page.get("Contents", ()):
            found[row["Key"]] = (row["ETag"], row["Size"], row["LastModified"].isoformat())
    return found


def unfinished(client: S3Client, layout: Layout) -> list[str]:
    """The keys of the uploads that were begun and neither finished nor given up."""
    answer = client.list_multipart_uploads(Bucket=BUCKET, Prefix=layout.root)
    return [row["Key"] for row in answer.get("Uploads", ())]


def content(client: S3Client, key: str) -> bytes:
    with client.get_object(Bucket=BUCKET, Key=key)["Body"] as stream:
        return stream.read()


def pointer(client: S3Client, layout: Layout, channel: str = "stable") -> dict[str, Any] | None:
    """A channel's pointer, if there is one."""
    key = layout.pointer(channel)
    if key not in snapshot(client, layout):
        return None
    document: dict[str, Any] = json.loads(content(client, key))
    return document


def violations(
    client: S3Client,
    layout: Layout,
    before: Snapshot,
    releases: Mapping[str, Sequence[Made]],
    log: Sequence[Entry] = (),
) -> list[str]:
    """What does not hold: something lost, overwritten, or pointed at without being whole.

    ``releases``: what each version may be, one or the other. ``log``: the proxy's since ``before``.
    """
    wrong: list[str] = []
    now = snapshot(client, layout)
    pointers = {key for key in (*before, *now) if _is_pointer(layout, key)}
    mutable = pointers | {key for key in (*before, *now) if _is_copy(layout, key)}
    wrong += [f"lost: {key}" for key in before.keys() - now.keys() if not _is_copy(layout, key)]
    kept = before.keys() & now.keys() - mutable
    wrong += [f"overwritten: {key}" for key in kept if before[key] != now[key]]
    written = Counter(entry.key for entry in log if entry.writes and entry.status == 200)
    changing = {f"{BUCKET}/{key}" for key in mutable}
    once = {
        key: times
        for key, times in written.items()
        if key not in changing and not _is_copy(layout, key.removeprefix(f"{BUCKET}/"))
    }
    wrong += [f"written {times} times: {key}" for key, times in once.items() if times > 1]
    for key in pointers & now.keys():
        document = json.loads(content(client, key))
        wrong += _whole(client, layout, now, document, releases.get(document["version"], ()))
        channel = key.removeprefix(layout.channels).removesuffix(".json")
        wrong += _chain(client, layout, now, channel, content(client, key))
    return wrong


def _is_pointer(layout: Layout, key: str) -> bool:
    rest = key.removeprefix(layout.channels)
    return key.startswith(layout.channels) and "/" not in rest


def _is_copy(layout: Layout, key: str) -> bool:
    """Of what a channel points at: it follows the pointer, sooner or later (``old_copies``)."""
    return key.startswith(layout.latest())


def old_copies(client: S3Client, layout: Layout, made: Made, channel: str = "stable") -> list[str]:
    """What is not a copy of that release below latest/: there is nobody at work any more."""
    now = snapshot(client, layout)
    prefix = layout.latest(channel)
    there = {key.removeprefix(prefix): key for key in now if key.startswith(prefix)}
    files = {
        name.replace(f"{made.name}-{made.version}-", f"{made.name}-"): sha256
        for name, sha256 in made.files().items()
    }
    wrong = [f"{name} is too much" for name in there.keys() - files.keys()]
    wrong += [f"{name} is missing" for name in files.keys() - there.keys()]
    for name in files.keys() & there.keys():
        head = client.head_object(Bucket=BUCKET, Key=there[name])
        if hashlib.sha256(content(client, there[name])).hexdigest() != files[name]:
            wrong.append(f"{name} is old")
        elif head["Metadata"] != {"sha256": files[name]}:
            wrong.append(f"{name} says another digest")
    return wrong


def _whole(
    client: S3Client, layout: Layout, now: Snapshot, document: dict[str, Any], made: Sequence[Made]
) -> list[str]:
    """What a pointer's release lacks."""
    version = document["version"]
    for one in made:
        files = one.files()
        if files["manifest.json"] != document["sha256"]:
            continue
        wrong = []
        for name, sha256 in files.items():
            key = layout.file(version, name)
            if key not in now:
                wrong.append(f"pointed at without {key}")
            elif hashlib.sha256(content(client, key)).hexdigest() != sha256:
                wrong.append(f"pointed at with another {key}")
        return wrong
    return [f"{document['channel']} points at a {version} that nobody published"]


def _chain(client: S3Client, layout: Layout, now: Snapshot, channel: str, current: bytes) -> list[str]:
    """Whether every pointer there was can be read, back to the first."""
    sequence = json.loads(current)["sequence"]
    while True:
        digest = hashlib.sha256(current).hexdigest()
        key = layout.history(channel, digest)
        if key not in now or content(client, key) != current:
            return [f"{channel}'s pointer {sequence} is lost"]
        document = json.loads(current)
        if document["sequence"] != sequence:
            return [f"{channel}'s pointers are not counted right"]
        if document["previous"] is None:
            return [] if sequence == 1 else [f"{channel}'s first pointer is number {sequence}"]
        before = layout.history(channel, document["previous"])
        if before not in now:
            return [f"{channel}'s pointer {sequence - 1} is lost"]
        current = content(client, before)
        sequence -= 1


def clear(client: S3Client, layout: Layout) -> None:
    """Remove all of a program, so that many runs do not fill the disk."""
    for key in snapshot(client, layout):
        client.delete_object(Bucket=BUCKET, Key=key)
