"""oxcross's tasks: ``from oxcross.tasks import ns`` in a tasks.py, or the ``oxcross`` program.

Thin: a task parses its flags, calls the rooms, and reports.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Final

from invoke.collection import Collection
from invoke.context import Context

from oxcross import bzltasks, costtasks, report
from oxcross import targets as target_rows
from oxcross.bzltasks import migrate
from oxcross.checktask import check
from oxcross.command import command
from oxcross.costtasks import diff
from oxcross.errors import AnalyzeError, InspectError, ToolError, UsageError, nearest
from oxcross.explaintask import explain
from oxcross.inittask import init
from oxcross.macostasks import notarize
from oxcross.publishtasks import promote, prune, publish, releases, rollback, verify, yank
from oxcross.reproducetask import reproduce
from oxcross.sbomtasks import sbom
from oxcross.signingtasks import keygen
from oxcross.storetasks import cache, open_store, sources
from oxcross.targets import Target
from oxcross.topics import Topics


@command(help=bzltasks.HELP | bzltasks.RELEASE, iterable=list(bzltasks.ITERABLE))
def build(
    _c: Context,
    project: str = ".",
    targets: str = "",
    engine: str = "auto",
    jobs: int = 0,
    dry_run: bool = False,
    json: bool = False,
    upgrade: bool = False,
    push: bool = False,
    verbose: bool = False,
    store: str = "",
    path: str = "",
    bzl_target: str = "",
    target_triple: str = "",
    var: list[str] | None = None,
    var_env: list[str] | None = None,
    release: bool = False,  # noqa: ARG001 (PyOxidizer's flag)
) -> None:
    """Build the project's executables: build/TARGET/NAME; or a target of its pyoxidizer.bzl: build/TRIPLE/release/TARGET/.

    What was built before is taken from the store.

    `--json` prints {"artifacts": [{"target", "path", "sha256", "size", "seconds", "minimum", "python", "glibc", "commands",
    "packages"}]}: the oldest system that an executable runs on, the programs inside, and what it was packed into. With `--dry-run`
    {"steps": [{"name", "state": "cached" | "fetch" | "build", "key"}]}.

    Examples:
      oxcross build                              # for the configuration's targets
      oxcross build --targets linux-x64,win-x64  # for these
      oxcross build --dry-run                    # what is there, and what would be built
    """
    from oxcross import wanted

    if wish := bzltasks.wish("build", project, path, bzl_target, target_triple, var, var_env):
        if dry_run or targets or push:
            flag = "--dry-run" if dry_run else "--targets" if targets else "--push"
            raise UsageError(
                f"{flag} is for [tool.oxcross]",
                where=str(wish.file),
                hint="a pyoxidizer.bzl is built for --target-triple; oxcross migrate gives its [tool.oxcross]",
            )
        artifacts = bzltasks.build(
            wish, engine=engine, jobs=jobs, upgrade=upgrade, verbose=verbose, store=store
        )
    else:
        projects = wanted.select(project, targets)
        with open_store(store) as opened:
            if dry_run:
                _show_plan(wanted.plan(projects, opened, upgrade=upgrade), json=json)
                return
            artifacts = _build(
                projects, opened, engine=engine, jobs=jobs, upgrade=upgrade, push=push, verbose=verbose
            )
    if json:
        report.emit({"artifacts": [artifact.document() for artifact in artifacts]})
    else:
        _show_artifacts(artifacts)


@command(help=bzltasks.HELP | bzltasks.RELEASE, iterable=list(bzltasks.ITERABLE))
def run(
    c: Context,
    project: str = ".",
    target: str = "",
    engine: str = "auto",
    jobs: int = 0,
    verbose: bool = False,
    store: str = "",
    path: str = "",
    bzl_target: str = "",
    target_triple: str = "",
    var: list[str] | None = None,
    var_env: list[str] | None = None,
    release: bool = False,  # noqa: ARG001 (PyOxidizer's flag)
) -> None:
    """Build the executable for this machine and run it; arguments for it stand behind `--`.

    Its exit status becomes this program's.

    Examples:
      oxcross run                       # without arguments
      oxcross run -- --verbose in.txt   # the application's own stand behind --
      oxcross run --target linux-arm64  # under QEMU, where it is installed
    """
    from oxcross import runner, wanted

    if wish := bzltasks.wish("run", project, path, bzl_target, target_triple, var, var_env):
        made = bzltasks.build(wish, engine=engine, jobs=jobs, upgrade=False, verbose=verbose, store=store)
        artifact = bzltasks.runnable(wish, made)
        row = _runs(artifact.target)
    else:
        projects = wanted.select(project, target or wanted.runnable(project))
        row = _runs(projects[0].target)
        with open_store(store) as opened:
            [artifact] = _build(projects[:1], opened, engine=engine, jobs=jobs, verbose=verbose)
    line, env = runner.line(row, artifact.path, *_passed(c)), runner.environment(row)
    sys.stdout.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so in exec
    os.execvpe(line[0], line, env)  # noqa: S606 (becoming the application is the point)


@command(
    help={
        "publish": "publish it to the bucket of [tool.oxcross.publish], as `oxcross publish` does",
        "channel": "with --publish: have this channel point at it",
        "unsigned": "do not sign it, although [tool.oxcross.release.sign] names a key; it cannot be published so",
    }
)
def release(
    _c: Context,
    project: str = ".",
    targets: str = "",
    engine: str = "auto",
    jobs: int = 0,
    publish: bool = False,
    channel: str = "",
    unsigned: bool = False,
    dry_run: bool = False,
    json: bool = False,
    upgrade: bool = False,
    push: bool = False,
    verbose: bool = False,
    store: str = "",
) -> None:
    """Build all targets and lay them out as a release: dist/NAME/VERSION/.

    The folder holds the executables, archives and a bill of materials of each, the licence texts of all that is inside, install
    scripts, a statement of how it was made, SHA256SUMS, manifest.json and their signatures. It never changes once it is there: the
    same content again is nothing to do, save for signatures that it lacks; other content needs another version.

    `--json` prints the release's manifest, with the folder, the paths of executables, whether anything was new, and with `--publish`
    what `publish` prints: {"name", "version", "artifacts": [{"target", "file", "path", "sha256", "size", …}], "path", "new",
    "published", …}. With `--dry-run` {"steps": [{"name", "state": "cached" | "fetch" | "build", "key"}]}.

    Examples:
      oxcross release                             # into dist/
      oxcross release --publish --channel stable  # and into the bucket, where the channel then points at it
    """
    from oxcross import publishtasks, wanted
    from oxcross.publish import contents, dist, provenance

    projects = wanted.select(project, targets)
    first = projects[0]
    if publish:
        publishtasks.check_wish(first, channel)
    elif channel:
        raise UsageError("a channel points at what is published", where="--channel", hint="add --publish")
    if publish and unsigned and first.release.sign:
        raise UsageError(
            "what is not signed is not published", where="--unsigned", hint="leave one of them out"
        )
    signing = [] if unsigned or dry_run else contents.signing(first, report.note)
    with open_store(store) as opened:
        if dry_run:
            _show_plan(wanted.plan(projects, opened, upgrade=upgrade), json=json)
            return
        artifacts = _build(
            projects, opened, engine=engine, jobs=jobs, upgrade=upgrade, push=push, verbose=verbose
        )
        released = dist.release(
            *(first.root / "dist", first.name, first.version, artifacts),
            additions=contents.additions(first, provenance.addition(projects, opened)),
            signing=signing,
        )
    if not json:
        _show_artifacts(artifacts)
        print(f"{'released' if released.new else 'already released'}: {released.path}")
    document = released.document()
    if publish:
        document["published"] = publishtasks.after_release(first, channel, json=json)
    if json:
        report.emit(document)


@command(help={"file": "an executable that oxcross made"})
def inspect(_c: Context, file: str, json: bool = False) -> None:
    """Show what is in an executable and check that it keeps every promise (exit status 9 if not).

    `--json` prints {"path", "size", "sha256", "app": {"name", "version"}, "target", "triple", "arch", "python", "oxcross", "run": {"kind",
    "target"}, "commands": {NAME: {"kind", "target"}}, "compressed", "glibc", "glibc_embedded", "needed", "external", "interpreter",
    "hardening": {FLAG: BOOL}, "blob": {"version", "offset", "size", "sha256"}, "modules": [{"name", "path", "kind", "stdlib", "size",
    "stored"}], "files", "files_size", "shared_libraries", "libraries": [{"name", "version", "licence"}], "distributions": [{"name",
    "version", "licence"}], "licences", "licence_texts", "without_text", "windows": …, "macos": …, "slices": …}.

    Examples:
      oxcross inspect build/linux-x64/myapp  # of any executable that oxcross made
      oxcross inspect app.exe --json         # all modules, too
    """
    from oxcross import inspect as proof

    seen = proof.inspect(Path(file))
    if json:
        report.emit(seen.as_dict())
    else:
        print(seen.render_text(), end="")
    if seen.target not in target_rows.load():
        raise InspectError(
            f"its target is {seen.target!r}, which this version of oxcross does not know", where=file
        )
    proof.check(seen, target_rows.get(seen.target))


@command(
    help={
        "strict": "exit status 11 when there are warnings or errors",
        "all": "show the notes and every place; of an executable every row",
        "size": "say what the project's built executable costs instead, and what could be left out",
        "executable": "say what this executable costs instead",
        "html": "write what the executable costs as a page to this file",
        "start": "run the executable, too, and say how long what it imports takes",
    }
)
def analyze(
    _c: Context,
    project: str = ".",
    targets: str = "",
    all: bool = False,  # noqa: A002 (the flag's name)
    strict: bool = False,
    size: bool = False,
    executable: str = "",
    html: str = "",
    start: bool = False,
    json: bool = False,
    upgrade: bool = False,
    store: str = "",
) -> None:
    """Say what in the environment is likely to behave otherwise in an executable, and where; or what an executable costs.

    Nothing is built or run, save with `--start`. [tool.oxcross.analyze] ignore accepts findings.

    `--json` prints {"targets": [{"target", "counts": {"error", "warning", "note"}, "ignored", "findings": [{"rule", "severity",
    "distribution", "path", "line", "code", …}]}]}. Of an executable {"format", "name", "size", "sha256", "app": {"name", "version"},
    "target", "python", "parts": [{"part", "stored", "size"}], "pieces": [{"part", "kind", "name", "path", "stored", "size", "arch",
    "stdlib"}], "components": [{"name", "version", "licence", "stored"}], "savings": [{"what", "stored", "table", "lines", "note"}],
    "imports": [{"module", "depth", "begin", "own", "total"}]}, the last with `--start` only, in microseconds.

    Examples:
      oxcross analyze           # --all shows notes, too
      oxcross analyze --strict  # in CI: exit status 11 for warnings
      oxcross analyze --size    # what takes the room, and what could be left out
    """
    if size or executable or html or start:
        if strict or upgrade:
            flag = "--strict" if strict else "--upgrade"
            raise UsageError("an executable has no findings", where=flag, hint="leave it out")
        costtasks.analyze(
            executable,
            project=project,
            targets=targets,
            html=html,
            start=start,
            everything=all,
            json=json,
            store=store,
        )
        return
    from oxcross import wanted
    from oxcross.analyze import analysis, show

    projects = wanted.parts(wanted.select(project, targets))
    with open_store(store) as opened, report.terminal() as terminal:
        found = []
        for one in projects:
            with terminal.stage(one.target, "analyze"):
                found.append(analysis.analyze(one, opened, upgrade=upgrade, notice=terminal.notice))
    if json:
        report.emit({"targets": [result.document() for result in found]})
    else:
        for result in found:
            show.show(result, everything=all)
    grave = sum(result.counts["error"] + result.counts["warning"] for result in found)
    if strict and grave:
        raise AnalyzeError(
            f"{grave} finding{'s' * (grave != 1)} that --strict does not let pass",
            hint="mend them, or accept them in [tool.oxcross.analyze] ignore",
            page="a-warning",
        )


@command
def targets(_c: Context, json: bool = False) -> None:
    """List what executables can be built for.

    `--json` prints {"targets": [{"name", "triple", "floor", "os", "arch", "libc"}]}; the floor is the oldest glibc, Windows or macOS.

    Examples:
      oxcross targets  # the names are those of targets = [...]
    """
    rows = target_rows.load().values()
    if json:
        keys = ("name", "triple", "floor", "os", "arch", "libc")
        report.emit({"targets": [{key: getattr(row, key) for key in keys} for row in rows]})
        return
    report.table(
        ["target", "triple", "oldest system"], [[row.name, row.triple, _oldest(row)] for row in rows]
    )


@command(help={"online": "ask the package index and the sources' servers, too, which takes seconds"})
def doctor(
    _c: Context, project: str = ".", online: bool = False, json: bool = False, store: str = ""
) -> None:
    """Say what this machine lacks for building, and the command that mends it.

    In a project's folder that goes for what the project asks for, too: tools, passwords, keys. What is only noted can be done without.

    `--json` prints {"checks": [{"name", "ok", "detail", "fix", "for"}]}; what is for "always" has to be there, and what one of "local"
    and "docker" is for.

    Examples:
      oxcross doctor           # in a project's folder, or anywhere
      oxcross doctor --online  # is the network as it has to be?
    """
    from oxcross import doctor as surgery

    checks = surgery.examine(store, project, online=online)
    if json:
        report.emit({"checks": [check.document() for check in checks]})
    else:
        missing = surgery.lacking(checks)
        notes = [check for check in checks if not check.ok and check not in missing]
        rows = [
            ["ok" if check.ok else "missing" if check in missing else "note", check.name, check.detail]
            for check in checks
        ]
        report.table(["state", "what", "detail"], rows)
        for head, found in (("to mend it", missing), ("what is only noted, if it is wanted", notes)):
            if fixes := list(dict.fromkeys(check.fix for check in found if check.fix)):
                print(f"\n{head}:\n  " + "\n  ".join(fixes))
    if not surgery.able(checks):
        raise ToolError(
            "this machine cannot build yet", hint="the commands above mend it" if not json else None
        )


@command
def clean(_c: Context, project: str = ".", json: bool = False) -> None:
    """Remove the project's build folder. Releases in dist/ and the store stay.

    `--json` prints {"removed": [PATH]}.

    Examples:
      oxcross clean  # what was built is still in the store
    """
    from oxcross import build as road

    folder = road.output_folder(Path(project).resolve())
    ours = {*target_rows.load(), *bzltasks.folders(project), "reproduce"}
    removed = [str(path) for path in sorted(folder.glob("*")) if path.name in ours]
    for path in removed:
        shutil.rmtree(path)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if json:
        report.emit({"removed": removed})
    else:
        print("\n".join(f"removed {path}" for path in removed) or "nothing to remove")


@command(help={"step": "the step, as the plan names it: openssl, cpython, launcher …"})
def shell(
    _c: Context,
    project: str = ".",
    target: str = "linux-x64",
    step: str = "",
    engine: str = "auto",
    jobs: int = 0,
    store: str = "",
) -> None:
    """Open a shell in the environment that a build step runs in; `sh $ROOT/script` runs the step.

    Examples:
      oxcross shell --step openssl                                   # of linux-x64
      oxcross shell --target win-x64 --step cpython --engine docker  # in the container of that step
    """
    from oxcross import build as road
    from oxcross import wanted

    with open_store(store) as opened:
        names = {one.name: one for one in wanted.step_plan(project, target_rows.get(target), opened)}
        name = step if "/" in step else f"{target}/{step}"
        if name not in names:
            hint = nearest(name, names) if step else "name one with --step: " + ", ".join(names)
            raise UsageError(f"there is no step {name!r}" if step else "which step?", hint=hint)
        status = road.workshop(opened, report.Lines(), engine=engine, jobs=jobs).shell(names[name])
    raise SystemExit(status)


@command(
    help={
        "manifest": "that of a release's manifest.json instead",
        "pyproject": "that of a whole pyproject.toml, which knows [tool.oxcross] only",
    }
)
def schema(_c: Context, manifest: bool = False, pyproject: bool = False) -> None:
    """Print the JSON Schema of [tool.oxcross], for editors.

    Examples:
      oxcross schema                                    # of the table alone
      oxcross schema --pyproject > oxcross.schema.json  # for Taplo, which has one schema a file
      oxcross schema --manifest                         # of a release's manifest.json
    """
    from oxcross.config import editors
    from oxcross.config import schema as model
    from oxcross.publish import manifest as manifests

    if manifest and pyproject:
        raise UsageError(
            "these are two schemas", where="--manifest --pyproject", hint="leave one of them out"
        )
    made = manifests.json_schema if manifest else editors.pyproject_schema if pyproject else model.json_schema
    report.emit(made())


def _build(
    projects: list[Any],
    store: Any,
    *,
    engine: str,
    jobs: int,
    verbose: bool,
    upgrade: bool = False,
    push: bool = False,
) -> list[Any]:
    from oxcross import build as road
    from oxcross.cache import settings, shared

    first = projects[0]
    if not first.configured:
        _tell_assumed(first)
    with (
        report.terminal(verbose=verbose) as terminal,
        shared.opened(first.cache, store, terminal, push=push or settings.pushes()) as cache,
    ):
        shop = road.workshop(store, terminal, engine=engine, jobs=jobs, mirrors=first.mirrors, cache=cache)
        return shop.build(projects, upgrade=upgrade)


def _runs(target: str) -> Target:
    """The target's row. ToolError when this machine runs none of its executables."""
    from oxcross import runner

    row = target_rows.get(target)
    if (lacking := runner.lacking(row)) is not None:
        message = f"{row.name} executables cannot be run here: {lacking}"
        raise ToolError(message, page="an-executable-that-does-not-run-here")
    return row


def _tell_assumed(project: Any) -> None:
    """Without a [tool.oxcross] all is taken from the project: what that came to."""
    report.note(
        f"there is no [tool.oxcross]: {project.name} runs {project.run.value}, the one program that the project declares, "
        f"on {', '.join(project.targets)}; `oxcross init` writes it down"
    )


def _show_plan(rows: list[Any], *, json: bool) -> None:
    if json:
        report.emit({"steps": [row.document() for row in rows]})
        return
    report.table(["step", "state", "key"], [[row.name, row.state, row.key[:16]] for row in rows])


def _show_artifacts(artifacts: list[Any]) -> None:
    report.table(
        ["target", "file", "size", "sha256", "time"],
        [
            [a.target, _near(a.path), report.megabytes(a.size), a.sha256[:16], report.duration(a.seconds)]
            for a in artifacts
        ],
    )


def _oldest(row: Target) -> str:
    """The oldest system the target's executables run on, for people."""
    if row.floor is None:
        return "any, fully static"
    return f"{row.libc if row.os == 'linux' else row.os} {row.floor}"


def _passed(c: Context) -> list[str]:
    """What stands behind ``--``; the invoke program leaves it in sys.argv."""
    if "passed" in c.config:
        return list(c.config["passed"])
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


def _near(path: Path) -> str:
    """The path relative to the current folder when it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


# As `oxcross --help` lists them: topics, and the tasks of each in the order of use.
TOPICS: Final[Topics] = {
    "Begin": (init, migrate, check, doctor, explain, targets, schema),
    "Build": (build, run, analyze, inspect, diff, sbom, clean, shell),
    "Release": (
        keygen,
        release,
        notarize,
        publish,
        promote,
        rollback,
        releases,
        verify,
        reproduce,
        yank,
        prune,
    ),
    "Store and cache": (cache, sources),
}
ns = Collection("oxcross", *(task for tasks in TOPICS.values() for task in tasks))
