"""The tasks about the cache that machines share (``oxcross cache keygen``, ``push``, ``pull``, ``remote``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from oxcross import report
from oxcross.command import command
from oxcross.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from oxcross.cache.checking import Checked
    from oxcross.cache.listing import Listed
    from oxcross.cache.pusher import Pushed
    from oxcross.cache.settings import Cache
    from oxcross.plan import Plan
    from oxcross.project import Project
    from oxcross.publish.s3 import Bucket
    from oxcross.store import Store

_ALL = "also what comes before the last steps: tool chains, libraries, sources"


@command
def keygen(_c: Context, json: bool = False) -> None:
    """Make a pair of keys for a builder that fills the cache. Nothing is written: the secret one is for the builder's environment.

    `--json` prints {"public", "secret"}.

    Examples:
      oxcross cache keygen  # the public one is for trust in [tool.oxcross.cache]
    """
    from oxcross.cache import settings, signing

    public, secret = signing.generate()
    if json:
        report.emit({"public": public, "secret": secret})
    else:
        print(f'public  {public}   in [tool.oxcross.cache]: trust = ["…"]')
        print(f"secret  {secret}   in the builder's environment: {settings.KEY_ENV}")


@command(help={"all": _ALL})
def push(
    _c: Context,
    project: str = ".",
    targets: str = "",
    all: bool = False,  # noqa: A002 (the flag's name)
    json: bool = False,
    store: str = "",
) -> None:
    """Push what the store has of the project's steps, signed: those that executables are assembled from.

    What is there is never overwritten: the same again goes on where it stopped.

    `--json` prints {"pushed": [{"name", "key", "state": "new" | "there" | "lacking" | "private", "size"}]}.

    Examples:
      oxcross cache push        # with OXCROSS_CACHE_KEY in the environment
      oxcross cache push --all  # tool chains, libraries and sources, too
    """
    from oxcross.cache import remote as place
    from oxcross.storetasks import open_store

    with open_store(store) as opened, report.terminal() as terminal:
        loaded, plan = _plan(project, targets, opened)
        with place.told():
            done = _push(_settings(loaded), plan, opened, terminal, everything=all)
    if json:
        report.emit({"pushed": [one.document() for one in done]})
        return
    words = {
        "new": "pushed",
        "there": "there already",
        "lacking": "not built here",
        "private": "not to be shared",
    }
    report.table(
        ["what", "state", "size", "key"],
        [
            [one.name, words[one.state], report.megabytes(one.size) if one.size else "", one.key[:16]]
            for one in done
        ],
    )


@command
def pull(_c: Context, project: str = ".", targets: str = "", json: bool = False, store: str = "") -> None:
    """Take what the project's executables are assembled from out of the cache, as a build does.

    `--json` prints {"steps": [{"name", "key", "state": "cached" | "fetched" | "lacking"}]}.

    Examples:
      oxcross cache pull                    # for the configuration's targets
      oxcross cache pull --targets win-x64  # for this one
    """
    from oxcross.cache.shared import SharedCache
    from oxcross.storetasks import open_store

    with open_store(store) as opened, report.terminal() as terminal:
        loaded, plan = _plan(project, targets, opened)
        cache = SharedCache(_settings(loaded), opened, terminal)
        try:
            there = {step for step in plan.wanted if opened.get(step.key) is not None}
            fetched = cache.fetch(step for step in plan.wanted if step not in there)
        finally:
            cache.close()
    rows = [
        (step, "cached" if step in there else "fetched" if step in fetched else "lacking")
        for step in plan.wanted
    ]
    if json:
        report.emit({"steps": [{"name": step.name, "key": step.key, "state": state} for step, state in rows]})
    else:
        words = {"cached": "there already", "fetched": "fetched", "lacking": "not had"}
        report.table(
            ["step", "state", "key"], [[step.name, words[state], step.key[:16]] for step, state in rows]
        )


@command(
    help={
        "verify": "read all of it, and name what is damaged (exit status 8)",
        "remove_damaged": "and remove what is damaged, so that it can be pushed again",
    }
)
def remote(
    _c: Context,
    project: str = ".",
    verify: bool = False,
    remove_damaged: bool = False,
    json: bool = False,
) -> None:
    """Say what lies in the cache's bucket: entries, their size, and who signed how many steps.

    `--json` prints {"place", "kinds": {KIND: {"entries", "size"}}, "signers": [{"signer", "trusted", "steps"}]}; kinds are "steps", "blobs"
    and "sources", and a signer is named by the beginning of the SHA-256 of its public key. With `--verify`
    {"place", "kinds": {KIND: {"entries", "size"}}, "signers": [{"signer", "trusted", "steps"}], "checked", "left", "damaged": [{"key",
    "reason", "removed"}]}: how many entries were checked, and how many left alone, whose keys are not trusted.

    Examples:
      oxcross cache remote           # of the bucket in [tool.oxcross.cache]
      oxcross cache remote --verify  # is all of it as it was signed?
    """
    from oxcross import project as projects
    from oxcross.cache import listing
    from oxcross.cache import remote as place
    from oxcross.publish.s3 import Bucket

    settings = _settings(projects.load(Path(project)))
    if not settings.place.bucket:
        raise ConfigError(
            "only a bucket can be listed", where="tool.oxcross.cache", hint='write bucket = "…"'
        )
    verify = verify or remove_damaged
    with place.told(), Bucket(settings.place) as bucket:
        found = listing.listed(bucket, settings)
        seen = _checked(bucket, settings, remove=remove_damaged) if verify else None
    if json:
        report.emit(found.document() | (seen.document(removed=remove_damaged) if seen else {}))
    else:
        _show(found)
    if seen is None:
        return
    if seen.damaged:
        lines = "".join(f"\n  {one.key}: {one.reason}" for one in seen.damaged)
        raise StoreError(
            f"damaged{' and removed' if remove_damaged else ''}:{lines}",
            where=found.place,
            hint="a push from a store that has it puts it there anew: oxcross cache push"
            if remove_damaged
            else "--remove-damaged removes it, so that it can be pushed again",
        )
    if not json:
        left = f"; not read: {seen.left}, which no trusted key signed" if seen.left else ""
        print(f"{seen.entries} entries are as they were pushed{left}")


def _show(found: Listed) -> None:
    rows = [[kind, str(one.entries), report.megabytes(one.size)] for kind, one in found.kinds.items()]
    report.table(["kind", "entries", "size"], rows)
    for signer in found.signers:
        trusted = "trusted" if signer.public else "not trusted"
        print(f"{signer.steps} steps signed by {signer.public or signer.name}, {trusted}")
    print(f"\n{found.place}")


def _checked(bucket: Bucket, settings: Cache, *, remove: bool) -> Checked:
    from oxcross.cache import checking

    with report.terminal() as terminal, terminal.stage("the cache", "verify"):
        seen = checking.checked(bucket, settings)
        if remove:
            checking.remove(bucket, seen.damaged)
    return seen


def _plan(folder: str, targets: str, store: Store) -> tuple[Project, Plan]:
    """The project, and its steps for these targets; those that executables are assembled from are the wanted ones."""
    from oxcross import wanted
    from oxcross.plan import Plan

    projects = wanted.select(folder, targets)
    parts = wanted.parts(projects)
    return projects[0], Plan.of(step for part in parts for step in wanted.known_steps(part, store))


def _push(
    settings: Cache, plan: Plan, store: Store, terminal: report.Terminal, *, everything: bool
) -> list[Pushed]:
    from oxcross.cache.pusher import Pushed, Pusher
    from oxcross.cache.shared import shareable

    pusher = Pusher(settings, store, terminal)
    done = []
    try:
        for step in plan if everything else plan.wanted:
            if not shareable(step):
                done.append(Pushed(name=step.name, key=step.key, state="private"))
                continue
            with terminal.stage(step.name, "push"):
                done.append(pusher.step(step))
        if everything:
            with terminal.stage("sources", "push"):
                done += pusher.sources(source for step in plan for source in step.sources)
    finally:
        pusher.close()
    return done


def _settings(project: Project) -> Cache:
    from oxcross.cache import settings

    return settings.required(project.cache, f"{project.pyproject}: tool.oxcross.cache")
