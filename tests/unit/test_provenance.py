"""Statements about how releases were made: what is in them, who is said to build, and that nothing of the machine is in them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL
from sigstore.dsse import Statement

from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.collect.resolve import Resolution
from oxcross.publish import dist, provenance, revision, subjects
from oxcross.store import Store

HASHES = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
LOCK = f"""version = 1
[targets.linux-x64]
input = "INPUT"
requirements = [
  "markupsafe==3.0.3 --hash=sha256:{HASHES[0]} --hash=sha256:{HASHES[1]}",
  "six==1.17.0 ; python_version >= '3' --hash=sha256:{HASHES[2]}",
]
"""


def git(folder: Path, *words: str) -> str:
    line = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-C", str(folder), *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def project(root: Path) -> Path:
    """A project with requirements that are locked for linux-x64."""
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n'
        'targets = ["linux-x64", "linux-x64-musl"]\nrequirements = ["markupsafe", "six"]\n'
        "[tool.oxcross.target.linux-x64-musl]\nrequirements = []\n",
        encoding="utf-8",
    )
    (root / "app.py").write_text("", encoding="utf-8")
    from oxcross import targets
    from oxcross.collect import resolve

    loaded = projects.load(root).for_target("linux-x64")
    digest = resolve._digest(["markupsafe", "six"], targets.get("linux-x64"), loaded)
    (root / "oxcross.lock").write_text(LOCK.replace("INPUT", digest), encoding="utf-8")
    return root


def released(root: Path, out: Path) -> dist.Release:
    loaded = projects.load(root)
    built = []
    for target in loaded.targets:
        path = root / "build" / target / "app"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.encode())
        digest = hashlib.sha256(target.encode()).hexdigest()
        size = len(target)
        built.append(Artifact(target=target, path=path, sha256=digest, size=size, seconds=1.0))
    with Store(out / "store") as store:
        wanted = [loaded.for_target(name) for name in loaded.targets]
        return dist.release(out / "dist", "app", "1.0", built, [provenance.addition(wanted, store)])


def statement(root: Path, out: Path) -> dict[str, Any]:
    done = released(root, out)
    row = done.manifest["provenance"]
    assert row["file"] == "app-1.0.provenance.json"
    content = (done.path / row["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == row["sha256"]
    assert f"{row['sha256']}  {row['file']}\n" in (done.path / "SHA256SUMS").read_text()
    Statement(content)  # as sigstore reads in-toto's statements
    document: dict[str, Any] = json.loads(content)
    assert subjects.claimed(document) == subjects.subjects(done.manifest)
    return document


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKFLOW_REF", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)


def test_statement(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    document = statement(root, tmp_path)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["subject"] == [
        {"name": f"app-1.0-{target}", "digest": {"sha256": hashlib.sha256(target.encode()).hexdigest()}}
        for target in ("linux-x64", "linux-x64-musl")
    ]
    predicate = document["predicate"]
    definition = predicate["buildDefinition"]
    assert definition["buildType"] == "urn:oxcross:release:v1"
    asked = definition["externalParameters"]
    assert asked["project"] == {"name": "app", "version": "1.0"}
    assert [row["target"] for row in asked["targets"]] == ["linux-x64", "linux-x64-musl"]
    digest = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
    assert asked["configuration"] == {"pyproject.toml": {"sha256": digest}}
    assert predicate["runDetails"]["builder"]["id"] == "urn:oxcross:local"
    assert predicate["oxcross_claim"].startswith("SLSA Build L1: ")
    rows = definition["resolvedDependencies"]
    assert rows[0]["name"] == "oxcross.lock"
    by_uri = {row["uri"]: row for row in rows if "uri" in row}
    assert by_uri["pkg:pypi/six@1.17.0"]["digest"] == {"sha256": HASHES[2]}
    assert by_uri["pkg:pypi/markupsafe@3.0.3"]["annotations"] == {"oneOfSha256": sorted(HASHES[:2])}
    for part in ("generic/cpython@", "pypi/ziglang@", "generic/musl@", "generic/openssl@"):
        [row] = [row for uri, row in by_uri.items() if uri.startswith(f"pkg:{part}")]
        assert len(row["digest"]["sha256"]) == 64
    for uri in by_uri:
        assert PackageURL.from_string(uri).to_string() == uri
    assert provenance._purl("generic", "libstdc++", "1+2") == "pkg:generic/libstdc%2B%2B@1%2B2"
    assert "url" not in json.dumps(rows)
    assert str(tmp_path) not in json.dumps(document)


def test_source(tmp_path: Path) -> None:
    root = project(tmp_path / "repository" / "project")
    git(root.parent, "init", "-q")
    (root / ".gitattributes").write_text("", encoding="utf-8")
    assert (
        statement(root, tmp_path / "none")["predicate"]["buildDefinition"]["resolvedDependencies"][0]["name"]
        == "oxcross.lock"
    )  # no commit yet
    git(root.parent, "add", "project/app.py", "project/pyproject.toml", "project/oxcross.lock")
    git(root.parent, "commit", "-qm", "one")
    git(root.parent, "remote", "add", "origin", "https://user:t0ken@git.example/group/app.git?x=y")
    (root / ".gitattributes").unlink()
    found = []
    for number in range(2):  # what oxcross itself made there changes nothing
        document = statement(root, tmp_path / str(number))
        found.append(document)
        assert "t0ken" not in json.dumps(document)
    assert found[0] == found[1]
    commit = {"gitCommit": git(root, "rev-parse", "HEAD")}
    assert found[0]["predicate"]["buildDefinition"]["resolvedDependencies"][0] == {
        "name": "source",
        "uri": "git+https://git.example/group/app.git",
        "digest": commit,
        "annotations": {"modified": False},
    }
    (root / "app.py").write_text("1\n", encoding="utf-8")
    first = statement(root, tmp_path / "changed")["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert (first["digest"], first["annotations"]) == (commit, {"modified": True})


def test_another_folder_says_the_same(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        root = project(tmp_path / name / "project")
        texts.append(statement(root, tmp_path / name))
    assert texts[0] == texts[1]


def test_options_and_addresses_of_requirements_are_not_said() -> None:
    lines = (
        "--index-url https://user:t0ken@index.example/simple",
        "six @ https://user:t0ken@index.example/six.whl",
    )
    found = list(provenance._distributions(Resolution(lines)))
    assert found == [{"name": "six", "uri": "pkg:pypi/six"}]


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://github.example/a/b.git", "https://github.example/a/b.git"),
        ("https://user:secret@github.example:8443/a/b", "https://github.example:8443/a/b"),
        ("git@github.example:a/b.git", "ssh://github.example/a/b.git"),
        ("github.example:a/b.git", "ssh://github.example/a/b.git"),
        ("ssh://git@github.example/a/b?token=secret#secret", "ssh://github.example/a/b"),
        ("/home/somebody/a", ""),
        ("../a", ""),
        ("file:///home/somebody/a", ""),
        ("https://[bad", ""),
        ("https://host:port/a", ""),
        ("", ""),
    ],
)
def test_addresses(remote: str, shown: str) -> None:
    assert revision.public(remote) == shown


def test_builder() -> None:
    flow = "owner/app/.github/workflows/release.yml@refs/heads/main"
    there = {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": flow}
    assert provenance.builder(there) == f"https://github.com/{flow}"
    assert provenance.builder({**there, "GITHUB_SERVER_URL": "https://git.example"}).startswith(
        "https://git.example/owner"
    )
    assert provenance.builder({"GITHUB_WORKFLOW_REF": flow}) == provenance.LOCAL
    assert provenance.builder({"GITHUB_ACTIONS": "true"}) == provenance.LOCAL


@pytest.mark.parametrize("document", [None, [], {}, {"_type": subjects.STATEMENT}, {"subject": 1}, "x"])
def test_what_is_no_statement(document: object) -> None:
    assert subjects.claimed(document) is None
