"""What git is asked: which commit, whether all is as it has it, and a checkout that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gits import commit, git, repository

from oxcross.errors import ReproduceError, ToolError
from oxcross.publish import revision


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A project in a folder of a repository that has one commit."""
    folder = tmp_path / "repository" / "programs" / "äpp"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("1\n", encoding="utf-8")
    (tmp_path / "repository" / ".gitignore").write_text("ignored\n", encoding="utf-8")
    repository(tmp_path / "repository")
    return folder


def test_current(app: Path) -> None:
    found = revision.current(app)
    assert found
    head = git(app, "rev-parse", "HEAD")
    assert found.document() == {"commit": head, "path": "programs/äpp", "dirty": False}
    top = revision.current(app.parent.parent)
    assert top
    assert top.path == ""


@pytest.mark.parametrize(
    ("file", "dirty"),
    [
        ("app.py", True),
        ("new.py", True),
        ("../beside.py", True),  # of the repository, though not of the project
        ("ignored", False),
        ("build/linux-x64/app", False),
        ("dist/app/1.0/manifest.json", False),
        ("../build/linux-x64/app", True),  # not what oxcross made
    ],
)
def test_dirty(app: Path, file: str, dirty: bool) -> None:
    path = app / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("2\n", encoding="utf-8")
    found = revision.current(app)
    assert found
    assert found.dirty == dirty


def test_removed_files_are_dirty(app: Path) -> None:
    (app / "app.py").unlink()
    found = revision.current(app)
    assert found
    assert found.dirty


def test_no_repository_no_commit(tmp_path: Path) -> None:
    assert revision.current(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert revision.current(tmp_path) is None


def test_what_git_says_is_told(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n", encoding="utf-8")
    with pytest.raises(ToolError, match=r"git rev-parse: fatal: not a git repository: .*nowhere"):
        revision.current(tmp_path)


def test_without_git(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match=r"lacks git(.|\n)*install"):
        revision.current(app)


def test_a_hook_that_releases(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git tells its hooks which repository they are in: it may be another one."""
    other = tmp_path / "other"
    repository(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    found = revision.current(app)
    monkeypatch.undo()
    assert found
    assert found.commit == git(app, "rev-parse", "HEAD")


def test_checkout(app: Path) -> None:
    first = git(app, "rev-parse", "HEAD")
    (app / "app.py").write_text("2\n", encoding="utf-8")
    commit(app)
    (app / "app.py").write_text("3\n", encoding="utf-8")
    hook = app.parent.parent / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch $(git rev-parse --show-toplevel)/hooked\n", encoding="utf-8")
    hook.chmod(0o755)
    with revision.checkout(app, first) as top:
        folder = top / "programs" / "äpp"
        assert (folder / "app.py").read_text(encoding="utf-8") == "1\n"
        assert not (top / "hooked").exists()
        found = revision.current(folder)
        assert found
        assert found.document() == {"commit": first, "path": "programs/äpp", "dirty": False}
    assert not top.exists()
    assert len(git(app, "worktree", "list").splitlines()) == 1
    assert (app / "app.py").read_text(encoding="utf-8") == "3\n"


def test_a_checkout_that_is_left_in_haste(app: Path) -> None:
    head = git(app, "rev-parse", "HEAD")
    tops: list[Path] = []

    def leave() -> None:
        with revision.checkout(app, head) as top:
            tops.append(top)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert not tops[0].exists()
    assert len(git(app, "worktree", "list").splitlines()) == 1


_CHECKOUT = """
import sys
from pathlib import Path
from oxcross import signals
from oxcross.publish import revision

with signals.unwinding(), revision.checkout(Path(sys.argv[1]), "HEAD"):
    sys.exit(1)
"""


def test_stopped_while_git_checks_out(app: Path, tmp_path: Path) -> None:
    """Nobody tells git but oxcross: SIGTERM is sent to one process, not to a terminal's group."""
    for number in range(1000):
        (app / f"{number}.txt").write_text(str(number), encoding="utf-8")
    commit(app)
    known = Path(git(app, "rev-parse", "--absolute-git-dir").strip()) / "worktrees"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", _CHECKOUT, str(app)],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=Path(__file__).parents[2],
    )
    while not list(known.glob("*/locked")):  # which git makes first, and takes away itself
        assert process.poll() is None
        time.sleep(0.001)
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert list(temporary.iterdir()) == []
    assert not known.exists() or list(known.iterdir()) == []
    assert len(git(app, "worktree", "list").splitlines()) == 1


def test_submodules(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "file").write_text("inner\n", encoding="utf-8")
    repository(inner)
    git(app, "submodule", "--quiet", "add", str(inner), "inner")
    head = commit(app)
    with pytest.raises(ToolError, match=r"git submodule: .*not allowed"), revision.checkout(app, head):
        pass
    for name, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    with revision.checkout(app, head) as top:
        assert (top / "programs" / "äpp" / "inner" / "file").read_text(encoding="utf-8") == "inner\n"
    assert len(git(app, "worktree", "list").splitlines()) == 1


def test_a_commit_that_is_not_there(app: Path) -> None:
    with (
        pytest.raises(ReproduceError, match=r"not in this repository: 0{40}\n.*git fetch"),
        revision.checkout(app, "0" * 40),
    ):
        pass
