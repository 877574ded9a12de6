"""Bills of materials: what the manifest lists and nothing else, valid by CycloneDX's own schema, the same bytes each time."""

from __future__ import annotations

import copy
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from test_inspect import MANIFEST
from test_link import launcher

from oxcross import link, pack, sbom, targets
from oxcross.build import Artifact
from oxcross.cli import main
from oxcross.collect import licences
from oxcross.collect.licences import Notice
from oxcross.errors import InspectError, UsageError
from oxcross.inspect import carried
from oxcross.inspect.carried import Carried, Executable
from oxcross.publish import dist
from oxcross.publish import licences as release_licences
from oxcross.publish import sbom as release_sbom

ZLIB = {"file": "zlib.tar.gz", "sha256": "1" * 64, "url": "https://example.org/zlib.tar.gz"}
PYTHON = {"file": "python.tar.xz", "sha256": "2" * 64}
LIBRARIES: list[dict[str, Any]] = [
    {"name": "cpython", "version": "3.13.15", "licence": "PSF-2.0", "source": PYTHON},
    {"name": "expat", "version": "2.8", "licence": "MIT", "source": {**PYTHON, "part-of": "cpython 3.13.15"}},
    {"name": "zlib", "version": "1.3", "licence": "Zlib", "source": ZLIB},
    {"name": "ncurses", "version": "6.5+2025", "licence": "MIT AND Zlib", "source": ZLIB},
    {
        "name": "libgcc-amd64",
        "version": "10",
        "licence": "GPL-3.0-or-later WITH GCC-exception-3.1",
        "source": {"file": "libgcc-s1_10-6_amd64.deb", "sha256": "3" * 64},
    },
    {"name": "oxcross", "version": "0.1", "licence": "MIT"},
]
DISTRIBUTIONS: list[dict[str, Any]] = [
    {"name": "App", "version": "1", "licence": "unknown", "files": 1, "requires": ["Dep_A"]},
    {
        "name": "Dep_A",
        "version": "2",
        "licence": "BSD License AND MIT License",
        "files": 1,
        "requires": ["b"],
        "source": {"file": "dep_a-2-py3-none-any.whl", "sha256": "4" * 64},
    },
    {
        "name": "b",
        "version": "3",
        "licence": "MIT",
        "files": 1,
        "requires": ["Dep_A"],
        "source": {"file": "b-3.tar.gz", "sha256": "5" * 64},
    },
]


def manifest(target: str = "linux-x64", **changes: Any) -> dict[str, Any]:
    return {
        "app": {"name": "app", "version": "1"},
        "target": target,
        "triple": targets.get(target).triple,
        "python": "3.13.15",
        "oxcross": "0.1",
        "libraries": LIBRARIES,
        "distributions": DISTRIBUTIONS,
        **changes,
    }


def bill(*manifests: dict[str, Any]) -> dict[str, Any]:
    executable = Executable("ab" * 32, tuple(Carried(one, ()) for one in manifests))
    content = sbom.document(executable)
    assert content == sbom.document(copy.deepcopy(executable))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None
    found: dict[str, Any] = json.loads(content)
    return found


def components(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["bom-ref"]: one for one in found["components"]}


def test_all_that_is_inside_and_nothing_else() -> None:
    found = components(bill(manifest()))
    listed = [("library", one) for one in LIBRARIES] + [("distribution", one) for one in DISTRIBUTIONS]
    assert set(found) == {f"{kind}:{one['name']}@{one['version']}" for kind, one in listed}
    zlib = found["library:zlib@1.3"]
    assert zlib["cpe"] == "cpe:2.3:a:zlib:zlib:1.3:*:*:*:*:*:*:*"
    assert zlib["purl"].startswith(f"pkg:generic/zlib@1.3?checksum=sha256:{'1' * 64}&download_url=https:")
    [source] = zlib["externalReferences"]
    assert source["url"] == ZLIB["url"]
    assert source["hashes"] == [{"alg": "SHA-256", "content": "1" * 64}]
    assert found["library:cpython@3.13.15"]["externalReferences"][0]["url"] == PYTHON["file"]
    expat = found["library:expat@2.8"]
    assert expat["purl"] == "pkg:generic/expat@2.8"
    assert expat["externalReferences"][0]["comment"] == "part of cpython 3.13.15"
    assert ":ncurses:6.5:" in found["library:ncurses@6.5+2025"]["cpe"]
    assert found["library:libgcc-amd64@10"]["purl"] == "pkg:deb/debian/libgcc-s1@10-6?arch=amd64"


def test_distributions_are_those_of_the_index() -> None:
    found = components(bill(manifest()))
    dep = found["distribution:Dep_A@2"]
    assert dep["purl"] == "pkg:pypi/dep-a@2?file_name=dep_a-2-py3-none-any.whl"
    assert dep["hashes"] == [{"alg": "SHA-256", "content": "4" * 64}]
    assert dep["licenses"] == [{"license": {"name": "BSD License AND MIT License"}}]
    built = found["distribution:b@3"]
    assert "hashes" not in built, "it was built from source"
    assert built["externalReferences"][0]["hashes"][0]["content"] == "5" * 64
    assert built["licenses"] == [{"license": {"id": "MIT"}}]
    own = found["distribution:App@1"]
    assert not {"purl", "licenses", "hashes"} & set(own)


def test_what_needs_what() -> None:
    found = bill(manifest())
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in found["dependencies"]}
    assert set(needs) == {"application", *components(found)}
    assert needs["application"] == {"distribution:App@1", "library:oxcross@0.1", "library:libgcc-amd64@10"}
    assert needs["library:oxcross@0.1"] == {"library:cpython@3.13.15"}
    assert "library:zlib@1.3" in needs["library:cpython@3.13.15"]
    assert needs["distribution:Dep_A@2"] == {"distribution:b@3"}
    assert needs["distribution:b@3"] == {"distribution:Dep_A@2"}, "circles are as they are"


def test_no_time_and_no_chance() -> None:
    found = bill(manifest())
    assert "timestamp" not in found["metadata"]
    assert uuid.UUID(found["serialNumber"]).version == 5
    assert found["metadata"]["component"]["hashes"][0]["content"] == "ab" * 32
    assert found["metadata"]["tools"]["components"][0]["name"] == "oxcross"
    assert found["version"] == 1


def test_of_two_machines() -> None:
    """What both have stands once and names both; wheels of two machines are two."""
    other = copy.deepcopy(DISTRIBUTIONS)
    other[1]["source"] = {"file": "dep_a-2-cp313-cp313-macosx_11_0_arm64.whl", "sha256": "6" * 64}
    found = bill(manifest("macos-x64"), manifest("macos-arm64", distributions=other))
    named = components(found)
    both = [{"name": "oxcross:target", "value": target} for target in ("macos-arm64", "macos-x64")]
    assert named["library:zlib@1.3"]["properties"] == both
    assert named["distribution:Dep_A@2"]["properties"] == both[1:]
    assert named["distribution:Dep_A@2#macos-arm64"]["properties"] == both[:1]
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in found["dependencies"]}
    assert needs["distribution:App@1"] == {"distribution:Dep_A@2", "distribution:Dep_A@2#macos-arm64"}
    values = [one["value"] for one in found["metadata"]["component"]["properties"]]
    assert {"macos-x64", "macos-arm64"} <= set(values)


def executable(folder: Path, change: dict[str, Any] | None = None) -> Path:
    """A file that says of itself what ``manifest`` does."""
    (folder / "zlib.txt").write_text("zlib's\n", encoding="utf-8")
    rows = [one for one in LIBRARIES if one["name"] in ("zlib", "oxcross")]
    facts: dict[str, Any] = {**MANIFEST, "libraries": rows, "distributions": DISTRIBUTIONS}
    resources = pack.Resources()
    licences.embed(resources, facts, [Notice(("App 1: unknown",), licences.LACKING)], folder, "lib")
    facts |= change or {}
    (folder / "launcher").write_bytes(launcher())
    pack.write(resources, [], facts, folder / "blob")
    linked = link.attach(folder / "launcher", folder / "blob", folder / "demo", targets.get("linux-x64"))
    return linked.path


def test_read_from_the_executable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = executable(tmp_path)
    [one] = carried.read(path).carried
    assert [notice.heads[0] for notice in one.notices] == [
        "zlib 1.3: Zlib",
        "oxcross 0.1: MIT",
        "App 1: unknown",
    ]
    assert main(["sbom", str(path)]) == 0
    printed = capsys.readouterr().out
    assert len(json.loads(printed)["components"]) == 5
    assert main(["sbom", str(path), "--output", str(tmp_path / "out.json")]) == 0
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == printed
    assert main(["sbom", str(path), "--output", str(tmp_path / "no/out.json")]) == UsageError.exit_code
    assert "cannot be written: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"licences": None}, "put no licences into executables"),
        ({"licences": {}}, "damaged: its licences"),
        ({"licences": {"file": "lib/gone", "sections": [1]}}, "damaged: its licences"),
        ({"licences": {"file": "lib/oxcross-licenses.txt", "sections": [3, 4]}}, "damaged: its licences"),
        ({"licences": {"file": "lib/oxcross-licenses.txt", "sections": "ab"}}, "damaged: its licences"),
    ],
)
def test_what_is_not_as_it_was_made_is_an_error(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = executable(tmp_path, change)
    with pytest.raises(InspectError, match=said) as caught:
        carried.read(path)
    assert caught.value.where == str(path)


def test_a_damaged_executable(tmp_path: Path) -> None:
    path = executable(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(b"unknown")] ^= 1
    path.write_bytes(data)
    with pytest.raises(InspectError, match="damaged"):
        carried.read(path)
    with pytest.raises(UsageError, match="no such file"):
        carried.read(tmp_path / "gone")


def test_a_release_has_texts_and_bills(tmp_path: Path) -> None:
    """The texts of all its executables once, a bill of each, in SHA256SUMS and in the manifest."""
    path = executable(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    built = [
        Artifact(target=target, path=path, sha256=digest, size=path.stat().st_size, seconds=1.0)
        for target in ("linux-x64", "linux-arm64")
    ]
    additions = [release_licences.add, release_sbom.add]
    done = [dist.release(tmp_path / name, "app", "1", built, additions) for name in ("one", "two")]
    folder = done[0].path
    text = folder / "app-1-licenses.txt"
    row = done[0].manifest["licenses"]
    assert (row["file"], row["size"]) == (text.name, text.stat().st_size)
    assert text.read_text(encoding="utf-8").count("zlib 1.3: Zlib") == 1
    for artifact in done[0].manifest["artifacts"]:
        bill = folder / artifact["sbom"]["file"]
        assert bill.name == f"app-1-{artifact['target']}.cdx.json"
        assert hashlib.sha256(bill.read_bytes()).hexdigest() == artifact["sbom"]["sha256"]
        assert json.loads(bill.read_bytes())["metadata"]["component"]["hashes"][0]["content"] == digest
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    assert sums.count(".cdx.json") == 2
    assert sums.count(text.name) == 1
    for file in folder.iterdir():
        assert file.read_bytes() == (done[1].path / file.name).read_bytes()
