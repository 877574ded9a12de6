"""What the tests of both engines share: a job made by hand, and the script that looks around."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from oxcross.engine import Engine, Job

LOOK_AROUND = """set -eu
[ "$(pwd)" = "$WORK" ] && [ "$WORK" = "$ROOT/work" ] && [ "$HOME" = "$WORK" ]
[ "$IN" = "$ROOT/in" ] && [ "$OUT" = "$ROOT/out" ] && [ "$TMPDIR" = "$ROOT/tmp" ]
[ -z "$(ls -A "$WORK")$(ls -A "$OUT")$(ls -A "$TMPDIR")" ]
[ "$(umask)" = 0022 ] && [ "$PATH" = /usr/bin:/bin ] && [ "$OWN" = "a 'b' \\$c" ]
[ "$(cat "$IN/file")" = content ] && [ "$(cat "$IN/tree/deep/file")" = deep ] && [ -L "$IN/tree/link" ]
[ -z "$(cat)" ]
env | sed "s,$ROOT,/oxcross,g" | grep -v '^PWD=' | sort >"$OUT/env"
mktemp >/dev/null
date +%Z >"$OUT/zone"
mkdir -p "$OUT/bin"; echo tool >"$OUT/bin/tool"; chmod 700 "$OUT/bin/tool"; ln -s tool "$OUT/bin/alias"
ln "$OUT/bin/tool" "$OUT/bin/twin"
echo to the log; echo and its errors >&2
"""

ISOLATED = """set -eu
[ "$ROOT" = /oxcross ] && [ "$(id -u):$(id -g)" = 1000:1000 ] && [ "$(id -un)" = oxcross ]
! (: >/usr/x) 2>/dev/null; ! (: >/x) 2>/dev/null; ! (: >"$IN/x") 2>/dev/null
! (echo >>"$IN/file") 2>/dev/null; ! (echo >>"$ROOT/script") 2>/dev/null; ! (: >"$IN/tree/x") 2>/dev/null
grep -q 'CapEff:.0000000000000000' /proc/self/status && grep -q 'NoNewPrivs:.1' /proc/self/status
[ "$(ls /proc | grep -c '^[0-9]')" -lt 10 ]
[ "$(sed -n '3,$s/:.*//p' /proc/net/dev | tr -d ' \\n')" = lo ]
[ "$(cat /proc/sys/kernel/hostname)" = oxcross ]
! mount -t tmpfs none "$WORK" 2>/dev/null
! chmod u+s "$OUT" 2>/dev/null || true
echo >/dev/null; head -c 4 /dev/urandom >/dev/null; : >/tmp/here
"""

ENVIRONMENT = """HOME=/oxcross/work
IN=/oxcross/in
JOBS=2
LC_ALL=C.UTF-8
OUT=/oxcross/out
OWN=a 'b' $c
PATH=/usr/bin:/bin
PYTHONHASHSEED=0
ROOT=/oxcross
SOURCE_DATE_EPOCH=1577836800
TMPDIR=/oxcross/tmp
TZ=UTC
WORK=/oxcross/work
"""


@contextmanager
def job(folder: Path, script: str, inputs: Mapping[str, Path] | None = None) -> Iterator[Job]:
    """A job in the new folder ``folder``, as the executor makes it."""
    for name in ("out", "work"):
        (folder / name).mkdir(parents=True)
    (folder / "script").write_text(script)
    (folder / "script").chmod(0o644)
    with (folder / "log").open("wb") as log:
        yield Job(
            name="test/step",
            script=folder / "script",
            inputs=inputs or {},
            out=folder / "out",
            work=folder / "work",
            env={"OWN": "a 'b' $c"},
            log=log,
            jobs=2,
        )


def inputs(folder: Path) -> dict[str, Path]:
    """A file and a folder, to be read by a step."""
    (folder / "stored" / "deep").mkdir(parents=True)
    (folder / "stored" / "deep" / "file").write_text("deep\n")
    (folder / "stored" / "link").symlink_to("deep/file")
    (folder / "source").write_text("content\n")
    return {"file": folder / "source", "tree": folder / "stored"}


def look_around(engine: Engine, folder: Path) -> None:
    """Run the script that checks what every engine promises."""
    with job(folder / "job", LOOK_AROUND, inputs(folder)) as made:
        status = engine.run(made)
    log = (folder / "job" / "log").read_text()
    assert (status, log) == (0, "to the log\nand its errors\n"), log
    out = folder / "job" / "out"
    assert (out / "env").read_text() == ENVIRONMENT
    assert (out / "zone").read_text() == "UTC\n"
    assert (out / "bin" / "alias").readlink() == Path("tool")
    assert (out / "bin" / "tool").stat().st_mode & 0o111
    assert (out / "bin" / "twin").read_text() == "tool\n"
    assert (folder / "source").read_text() == "content\n"


def sleepers(word: str) -> list[int]:
    """The processes that sleep for ``word`` seconds."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", word.encode()]:
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def gone(word: str) -> bool:
    """Whether those processes end within a few seconds."""
    for _ in range(100):
        if not sleepers(word):
            return True
        time.sleep(0.05)
    return False


def appears(word: str, number: int = 1) -> bool:
    """Whether there are ``number`` of them within ten seconds."""
    for _ in range(200):
        if len(sleepers(word)) >= number:
            return True
        time.sleep(0.05)
    return False
