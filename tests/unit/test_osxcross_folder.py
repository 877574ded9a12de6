"""A user's own osxcross: what is looked at, what is wrong with it, and the steps that are made of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from configuring import error, load, writer

from oxcross import doctor, recipes, targets, trees, wanted
from oxcross.engine import copying, docker
from oxcross.engine.local import LocalEngine
from oxcross.errors import ConfigError, OxcrossError, ToolError
from oxcross.macos import osxcross
from oxcross.plan import Folder, Plan, Step
from oxcross.project import Project
from oxcross.store import Store

WHERE = "pyproject.toml: tool.oxcross.macos.osxcross"
X64, ARM64 = targets.get("macos-x64"), targets.get("macos-arm64")
CONF = """#!/bin/sh
here=$(cd "${0%/*}/.." && pwd)
echo asked >>"$here.asked"
echo "export OSXCROSS_VERSION=\\"1.5\\""
echo "export OSXCROSS_TARGET=\\"darwin20.4\\""
echo "export OSXCROSS_SDK=$here/SDK/MacOSX11.3.sdk"
echo "export OSXCROSS_SDK_VERSION=11.3"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the names of osxcross's."""
    root = tmp_path / "osxcross"
    sdk = root / "SDK" / "MacOSX11.3.sdk" / "usr" / "lib"
    sdk.mkdir(parents=True)
    (sdk / "libSystem.tbd").write_text("--- !tapi-tbd\n", encoding="utf-8")
    (root / "lib").mkdir()
    (root / "bin").mkdir()
    _program(root, "x86_64-apple-darwin20.4-wrapper", "#!/bin/sh\n")
    for arch in ("x86_64", "aarch64"):
        for name in ("clang", "clang++"):
            (root / "bin" / f"{arch}-apple-darwin20.4-{name}").symlink_to("x86_64-apple-darwin20.4-wrapper")
    _program(root, "osxcross-conf", CONF)
    return root


def _program(root: Path, name: str, text: str) -> None:
    path = root / "bin" / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _afresh(folder: Path, store: Store, target: targets.Target = X64) -> targets.Target:
    """The row as another process would have it."""
    osxcross._seen.clear()
    return osxcross.target(target, str(folder), store, WHERE)


def _asked(folder: Path) -> int:
    """How often its osxcross-conf was run."""
    return len(folder.with_name("osxcross.asked").read_text(encoding="utf-8").splitlines())


# -- what is looked at


def test_what_is_found(folder: Path, store: Store) -> None:
    found = _afresh(folder, store)
    assert found.osxcross is not None
    assert (found.osxcross.host, found.osxcross.sdk) == ("x86_64-apple-darwin20.4", "11.3")
    assert found.osxcross.folder == Folder(folder, trees.digest(trees.listing(folder)))
    assert found.floor == X64.floor
    other = osxcross.target(ARM64, str(folder), store, WHERE).osxcross
    assert other is not None
    assert other.host == "aarch64-apple-darwin20.4"


def test_the_same_object_each_time(folder: Path, store: Store) -> None:
    assert _afresh(folder, store) is _afresh(folder, store)
    assert _afresh(folder, store) is not X64


def test_digest_and_answers_are_kept(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _afresh(folder, store)
    monkeypatch.setattr(trees, "listing", lambda _: pytest.fail("its files are read again"))
    assert _afresh(folder, store) is before
    assert _asked(folder) == 1


@pytest.mark.parametrize("change", ["content", "mode", "link", "new file"])
def test_a_change_is_seen(folder: Path, store: Store, change: str) -> None:
    before = _afresh(folder, store)
    assert before.osxcross
    tbd = folder / "SDK" / "MacOSX11.3.sdk" / "usr" / "lib" / "libSystem.tbd"
    if change == "content":
        tbd.write_text("--- !tapi-TBD\n", encoding="utf-8")  # of the same size
    elif change == "mode":
        tbd.chmod(0o755)
    elif change == "link":
        (link := folder / "bin" / "x86_64-apple-darwin20.4-clang").unlink()
        link.symlink_to("./x86_64-apple-darwin20.4-wrapper")
    else:
        (folder / "lib" / "libxar.so").touch()
    after = _afresh(folder, store)
    assert after.osxcross
    assert after.osxcross.folder.sha256 != before.osxcross.folder.sha256
    assert _asked(folder) == 2
    assert recipes.toolchain(after).key != recipes.toolchain(before).key


def test_where_it_lies_is_no_part_of_a_key(folder: Path, store: Store, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "osxcross", symlinks=True)
    keys = [
        {step.name: step.key for step in Plan.of(recipes.steps(_afresh(place, store)))}
        for place in (folder, tmp_path / "elsewhere" / "osxcross")
    ]
    assert keys[0] == keys[1]


# -- what is wrong with it


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("rm -r .", "there is no folder .*\n.*https://github.com"),
        ("rm bin/osxcross-conf", "has no bin/osxcross-conf\n.*build one"),
        ("mkdir x; mv bin SDK lib x; mv x target", 'no osxcross: .*\n  osxcross = ".*/target"'),
        ("rm -r SDK/*", "no SDK: .*/SDK has no MacOSX.*sdk\n.*package one"),
        ("mv SDK/MacOSX11.3.sdk SDK/MacOSX12.sdk", "there is no SDK .*/SDK/MacOSX11.3.sdk"),
        ("mv SDK/MacOSX11.3.sdk ../x; ln -s ../../x SDK/MacOSX11.3.sdk", "lies outside of the folder"),
        ("sed -i s/SDK_VERSION=11.3/SDK_VERSION=10.15/ bin/osxcross-conf", "that of macOS 10.15, and 11.0"),
        ("sed -i /TARGET/d bin/osxcross-conf", "does not say OSXCROSS_TARGET"),
        ("sed -i s/darwin20.4/linux/ bin/osxcross-conf", "not understood: 'linux'"),
        ("sed -i '2i echo it is broken >&2; exit 3' bin/osxcross-conf", "cannot run here: it is broken\n.*by hand"),
        ("sed -i 1s,/sh,/no-such-shell, bin/osxcross-conf", "cannot run here: No such file or directory"),
        ("printf '\\177ELF' >bin/osxcross-conf", "cannot run here: Exec format error"),
        ("chmod -x bin/osxcross-conf", "cannot run here: Permission denied"),
        ("rm bin/x86_64-*-clang", "no compiler for macos-x64: .*bin has no x86_64-apple-darwin20.4-clang"),
        ("rm bin/x86_64-*-clang; ln -s /bin/sh bin/x86_64-apple-darwin20.4-clang", "no compiler for macos-x64"),
        ("ln -s /bin/sh bin/clang", "bin/clang leads out of the folder"),
    ],
)  # fmt: skip
def test_what_is_wrong(folder: Path, store: Store, spoil: str, says: str) -> None:
    subprocess.run(["sh", "-ec", spoil.replace("rm -r .", f"rm -r '{folder}'")], cwd=folder, check=True)
    with pytest.raises(ConfigError, match=says) as caught:
        _afresh(folder, store)
    assert caught.value.where == WHERE
    assert caught.value.hint


def test_nothing_wrong_is_kept(folder: Path, store: Store) -> None:
    conf = folder / "bin" / "osxcross-conf"
    conf.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="exit status 1"):
        _afresh(folder, store)
    conf.write_text(CONF, encoding="utf-8")
    assert _afresh(folder, store).osxcross


# -- the steps


def test_what_reads_the_tool_chain_reads_osxcross(folder: Path, store: Store) -> None:
    plain = {step.name: step for step in Plan.of(recipes.steps(X64))}
    ours = {step.name: step for step in Plan.of(recipes.steps(_afresh(folder, store)))}
    assert ours.keys() == plain.keys()
    for name, step in ours.items():
        own = name.startswith("macos-x64/") and name != "macos-x64/licences"  # which reads sources only
        assert isinstance(step.inputs.get("osxcross"), Folder) is own, name
        assert (step.key == plain[name].key) is not own, name
        assert "osxcross" not in plain[name].inputs
        done = subprocess.run(["sh", "-n"], input=step.script, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    script = ours["macos-x64/toolchain"].script
    assert '"\\$IN/osxcross/bin/$host-' in script
    assert "host=x86_64-apple-darwin20.4\n" in script
    assert "-mmacosx-version-min=11.0 " in script
    assert "this compiler does not read it" in ours["macos-x64/cpython"].script
    assert "this compiler does not read it" not in plain["macos-x64/cpython"].script
    assert not any(isinstance(source, Folder) for step in ours.values() for source in step.sources)


def test_a_step_reads_it_where_it_lies(folder: Path, store: Store) -> None:
    from oxcross import executor, report
    from oxcross.fetch import Fetcher

    found = _afresh(folder, store).osxcross
    assert found
    script = (
        'test -x "$IN/osxcross/bin/osxcross-conf"\n! (: >"$IN/osxcross/x") 2>/dev/null\n'
        'cat "$IN/osxcross/SDK/MacOSX11.3.sdk/usr/lib/libSystem.tbd" >"$OUT/file"\n'
    )
    step = Step(name="t/s", script=f"set -eu\n{script}", inputs={"osxcross": found.folder}, outputs=("file",))
    engine = LocalEngine()
    try:
        terminal = report.Lines()
        made = executor.run(Plan.of([step]), engine, store, Fetcher(store, (), terminal), terminal, 1)
    finally:
        engine.close()
    assert (made[step] / "file").read_text(encoding="utf-8") == "--- !tapi-tbd\n"
    entries = [path.name for path in (store.root / "entries").glob("*/tree/*")]
    assert entries == ["file"]


# -- configuration


def _project(tmp_path: Path, setting: str, *, more: str = "") -> Project:
    (tmp_path / "project").mkdir(exist_ok=True)
    return load(
        writer(tmp_path / "project")(f"""
            [tool.oxcross]
            run-file = "app.py"
            targets = ["macos-universal2"]
            {more}
            [tool.oxcross.macos]
            osxcross = "{setting}"
            """)
    )


def test_a_path_is_relative_to_the_project(tmp_path: Path) -> None:
    assert _project(tmp_path, "../osxcross").macos.osxcross == str(tmp_path / "project" / "../osxcross")
    assert _project(tmp_path, "/opt/osxcross").macos.osxcross == "/opt/osxcross"
    assert _project(tmp_path, "image:osxcross:11.3").macos.osxcross == "image:osxcross:11.3"


def test_not_an_image(tmp_path: Path) -> None:
    text = '[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.macos]\nosxcross = "image:a b"\n'
    said = error(writer(tmp_path)(text))
    assert "tool.oxcross.macos.osxcross: not the name of a docker image: 'image:a b'" in said


def test_only_targets_of_macos_have_it(folder: Path, store: Store, tmp_path: Path) -> None:
    project = _project(tmp_path, str(folder))
    assert wanted.row(project.for_target("linux-x64"), store) is targets.get("linux-x64")
    slices = [wanted.row(part, store) for part in wanted.slices(project)]
    assert [row.osxcross.host for row in slices if row.osxcross] == [
        "x86_64-apple-darwin20.4", "aarch64-apple-darwin20.4",
    ]  # fmt: skip
    assert wanted.row(project, store) is targets.get("macos-universal2")
    names = [
        step for step in wanted.step_plan(str(project.root), X64, store) if step.name == "macos-x64/zlib"
    ]
    assert names == [recipes.library(slices[0], "zlib")]


def test_a_build_says_file_and_key(tmp_path: Path, store: Store) -> None:
    project = _project(tmp_path, "/no/such/osxcross")
    with pytest.raises(ConfigError) as caught:
        wanted.plan([project], store)
    place = f"{project.root}/pyproject.toml: tool.oxcross.macos.osxcross"
    assert str(caught.value).startswith(f"{place}: there is no folder /no/such/osxcross\n")


def test_doctor(folder: Path, tmp_path: Path) -> None:
    root = str(_project(tmp_path, str(folder)).root)
    checks = doctor._osxcross(root, str(tmp_path / "store"))
    assert [(check.ok, check.group) for check in checks] == [(True, "macos"), (True, "macos")]
    assert checks[1].detail == f"{folder}: x86_64-apple-darwin20.4, macOS 11.3"
    _project(tmp_path, "/no/such/osxcross")
    [check] = doctor._osxcross(root, str(tmp_path / "store"))
    assert (check.ok, check.detail) == (False, "there is no folder /no/such/osxcross")
    assert "https://github.com/tpoechtrager/osxcross" in check.fix
    assert doctor.able([check])
    assert doctor._osxcross(str(tmp_path), "") == []


# -- images


class _Daemon:
    """Of docker's client what is asked here."""

    def close(self) -> None: ...


@pytest.fixture
def daemon(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A daemon that has the image "own", with ``folder`` in it; what was copied."""
    copied: list[str] = []

    def copy(_api: object, name: str, _path: str, out: Path) -> bool:
        copied.append(name)
        shutil.copytree(folder, out, symlinks=True, dirs_exist_ok=True)
        return True

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(docker, "client", _Daemon)
    monkeypatch.setattr(copying, "image", lambda _api, name: f"sha256:{'a' * 64}" if name == "own" else None)
    monkeypatch.setattr(copying, "copy", copy)
    return copied


def _no_daemon() -> None:
    raise ToolError("docker does not answer: connection refused")


def test_an_image_is_copied_once(
    daemon: list[str], folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = osxcross.look("image:own", store, WHERE)
    assert found.folder.path == tmp_path / "cache" / "oxcross" / "osxcross" / ("a" * 64)
    assert found.folder.sha256 == trees.digest(trees.listing(folder))
    osxcross._seen.clear()
    assert osxcross.look("image:own", store, WHERE) == found
    monkeypatch.setattr(docker, "client", _no_daemon)
    osxcross._seen.clear()
    assert osxcross.look("image:own", store, WHERE) == found, "what the name stood for the last time"
    assert len(daemon) == 1
    assert not list((tmp_path / "cache" / "oxcross" / "osxcross" / "tmp").iterdir())


def test_no_such_image(daemon: list[str], store: Store) -> None:
    with pytest.raises(ConfigError, match=r"there is no image 'other'\n.*docker pull other") as caught:
        osxcross.look("image:other", store, WHERE)
    assert caught.value.where == WHERE


def test_an_image_without_osxcross(daemon: list[str], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "copy", lambda *_: False)
    with pytest.raises(ConfigError, match="the image 'own' has no folder /osxcross"):
        osxcross.look("image:own", store, WHERE)


def test_no_daemon(daemon: list[str], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "client", _no_daemon)
    with pytest.raises(
        OxcrossError, match=r"image own: docker does not answer: .*\n.*start docker"
    ) as caught:
        osxcross.look("image:own", store, WHERE)
    assert caught.value.exit_code == 7
    assert caught.value.where == WHERE
