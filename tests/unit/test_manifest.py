"""The manifest's model and its JSON Schema, held against each other by another program's reading of the schema."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from configuring import load, writer

from oxcross.build import Artifact
from oxcross.errors import PublishError
from oxcross.publish import dist, folder, manifest
from oxcross.publish.archives import Archives

TARGETS = ("linux-x64", "linux-arm64-musl", "win-x64", "macos-universal2")


def released(root: Path) -> dist.Release:
    project = load(writer(root)('[tool.oxcross]\nrun-file = "app.py"\n'))
    artifacts = []
    for target in TARGETS:
        path = root / "build" / target / "app"
        path.parent.mkdir(parents=True)
        path.write_text(target, encoding="utf-8")
        digest = hashlib.sha256(target.encode()).hexdigest()
        facts = {"python": "3.13.15", "glibc": None, "commands": ["one", "two"]}
        artifacts.append(
            Artifact(target=target, path=path, sha256=digest, size=len(target), seconds=1.0, facts=facts)
        )
    return dist.release(root / "dist", "app", "1.0", artifacts, [Archives(project), manifest.described])


def validator(schema: Any) -> Any:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_release_is_what_its_schema_says(tmp_path: Path) -> None:
    done = released(tmp_path)
    document = json.loads((done.path / "manifest.json").read_text(encoding="utf-8"))
    assert next(iter(document)) == "$schema"
    schema = json.loads((done.path / document["$schema"]).read_text(encoding="utf-8"))
    assert schema == manifest.json_schema()
    validator(schema).validate(document)
    read = manifest.check(document, "")
    assert read.model_extra == {}
    assert [one.model_extra for one in read.artifacts] == [{}] * 4
    assert {row["target"]: (row["os"], row["arch"], row["minimum"]) for row in document["artifacts"]} == {
        "linux-x64": ("linux", "x86_64", "2.17"),
        "linux-arm64-musl": ("linux", "aarch64", None),
        "win-x64": ("windows", "x86_64", "10"),
        "macos-universal2": ("macos", "universal2", "11.0"),
    }


def described(schema: dict[str, Any]) -> list[str]:
    """The keys without a description."""
    tables = {"": schema, **schema["$defs"]}
    return [
        f"{name}.{key}"
        for name, table in tables.items()
        for key, value in table["properties"].items()
        if not value.get("description")
    ]


def test_every_key_is_described() -> None:
    assert described(manifest.json_schema()) == []


def test_oxcross_schema_prints_it() -> None:
    line = [sys.executable, "-m", "oxcross", "schema", "--manifest"]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == manifest.json_schema()


ROW = {"file": "x", "sha256": "a" * 64, "size": 1}
ARTIFACT = {**ROW, "target": "t", "triple": "t", "os": "o", "arch": "a", "libc": "l"}
SOUND: dict[str, Any] = {"format": 1, "name": "app", "version": "1.0", "artifacts": [ARTIFACT]}


@pytest.mark.parametrize(
    "more",
    [
        {"sbom": 1, "later": {"a": 1}},
        {"licenses": ROW, "provenance": {**ROW, "kind": "slsa"}},
        {"build": {"oxcross": "1", "lock": None, "source": {"commit": "c", "dirty": False}, "host": "h"}},
        {"signature": {"public-key": "RWQ", "key-id": "1"}},
    ],
)
def test_what_others_add(more: dict[str, Any]) -> None:
    validator(manifest.json_schema()).validate(SOUND | more)
    manifest.check(SOUND | more, "")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"format": 2}, "format: "),
        ({"name": None}, "name: "),
        ({"artifacts": [{**ARTIFACT, "sha256": "A" * 64}]}, "artifacts[0].sha256: "),
        ({"artifacts": [{**ARTIFACT, "size": "1"}]}, "artifacts[0].size: "),
        ({"artifacts": [ROW]}, "artifacts[0].target: "),
        ({"signature": {}}, "signature.public-key: "),
        ({"build": {"lock": "no digest"}}, "build.lock: "),
    ],
)
def test_errors_name_the_key(change: dict[str, Any], key: str) -> None:
    """The schema finds the same."""
    assert not validator(manifest.json_schema()).is_valid(SOUND | change)
    with pytest.raises(PublishError) as caught:
        manifest.check(SOUND | change, "manifest.json")
    assert str(caught.value).startswith(f"manifest.json: {key}")


def test_readers_use_it() -> None:
    content = json.dumps(SOUND | {"artifacts": [{**ARTIFACT, "size": -1}]}).encode()
    with pytest.raises(PublishError, match=r"artifacts\[0\]\.size"):
        folder.parse(content, "manifest.json", "app", "1.0")
