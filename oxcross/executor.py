"""Runs a Plan: what the store has is taken from it, the rest is built, side by side where it can be."""

from __future__ import annotations

import math
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import signals, trees
from oxcross.engine import Engine, Job
from oxcross.errors import BuildError, OxcrossError, StoreError
from oxcross.plan import Folder, Plan, Reporter, Step, Tree
from oxcross.store import Store

if TYPE_CHECKING:
    from concurrent.futures import Future

    from oxcross.cache.shared import SharedCache
    from oxcross.fetch import Fetcher

_LOG_LINES = 30
_NEARLY_FULL = 32_000_000  # bytes free, below which a failure is put down to the disk


def run(
    plan: Plan,
    engine: Engine,
    store: Store,
    fetcher: Fetcher,
    reporter: Reporter,
    jobs: int,
    cache: SharedCache | None = None,
) -> dict[Step, Path]:
    """Have every wanted step's output tree in the store; step -> tree, for these and all they took.

    What the store lacks is taken from ``cache``, where others built it; what is wanted, and what is built, is offered to it.

    Up to ``jobs`` steps run at a time, and share as many processes, as far as the machine's memory allows. The first failure stops the
    others and is raised (BuildError, StoreError, SourceError, ToolError). Ctrl-C, SIGTERM and SIGHUP
    stop everything, leave no process and no container, and go on as KeyboardInterrupt or ``signals.Stopped``.
    """
    return _Run(engine, store, fetcher, reporter, max(1, jobs), cache).run(plan)


def shell(step: Step, engine: Engine, store: Store, fetcher: Fetcher, reporter: Reporter, jobs: int) -> int:
    """Enter the environment of ``step``, its inputs made first; the shell's exit status."""
    inputs = run(Plan.of(step.needs), engine, store, fetcher, reporter, jobs)
    fetcher.fetch(step.sources)
    engine.prepare([step.image])
    with _job(store, step, inputs, jobs) as job:
        return engine.shell(job)


class _Run:
    """One call of ``run``."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        fetcher: Fetcher,
        reporter: Reporter,
        jobs: int,
        cache: SharedCache | None,
    ) -> None:
        self.engine = engine
        self.store = store
        self.fetcher = fetcher
        self.reporter = reporter
        self.jobs = jobs
        self.cache = cache
        self.fetched: set[Step] = set()
        self.made: dict[Step, Path] = {}
        self.cancelled = threading.Event()

    def run(self, plan: Plan) -> dict[Step, Path]:
        with signals.unwinding():
            waiting = self._missing(plan)
            for step in plan:
                if step in self.fetched or step in waiting:
                    continue
                if step in self.made or self.store.has(step.key):
                    self.reporter.step_finished(step, cached=True, seconds=0.0)
            if waiting:
                self._make(waiting)
        if self.cache:
            for step in plan.wanted:
                self.cache.offer(step)
        return self.made

    def _make(self, waiting: list[Step]) -> None:
        try:
            self.engine.prepare(())  # what is wrong with it is told before anything is fetched
            self.fetcher.fetch(source for step in waiting for source in step.sources)
            self.engine.prepare({step.image for step in waiting})
            self._build(waiting)
        except BaseException:
            self.cancelled.set()
            self.engine.stop()
            raise

    def _missing(self, plan: Plan) -> list[Step]:
        """The steps to build, in order; what is there and needed is verified and noted as made.

        Only what somebody reads is looked at, here and in the cache: with the last step there, nothing before it is.
        """
        missing: set[Step] = set()
        needed = list(plan.wanted)
        while needed:
            lacking = [step for step in dict.fromkeys(needed) if not self._there(step)]
            fetched = self.cache.fetch(lacking) if self.cache and lacking else {}
            self.made |= fetched
            self.fetched.update(fetched)
            short = [step for step in lacking if step not in fetched]
            missing.update(short)
            needed = [
                need for step in short for need in step.needs if need not in missing and need not in self.made
            ]
        return [step for step in plan if step in missing]

    def _there(self, step: Step) -> bool:
        """Whether the store has it; then it is noted as made."""
        if (tree := self.store.get(step.key)) is not None:
            self.made[step] = tree
        return tree is not None

    def _build(self, waiting: list[Step]) -> None:
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        waiting = _urgent_first(waiting)
        running: dict[Future[Path], Step] = {}
        memory = available_memory()
        with ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="step") as pool:
            try:
                while waiting or running:
                    ready = [step for step in waiting if all(need in self.made for need in step.needs)]
                    ready = _fitting(ready, running.values(), memory)
                    side_by_side = min(self.jobs, len(ready) + len(running))
                    for step in ready[: self.jobs - len(running)]:
                        waiting.remove(step)
                        share = math.ceil(self.jobs / side_by_side)
                        running[pool.submit(self._one, step, share)] = step
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.made[running.pop(future)] = future.result()
            except BaseException:
                self.cancelled.set()
                self.engine.stop()
                raise  # the pool waits for its threads, which end with their jobs

    def _one(self, step: Step, share: int) -> Path:
        with self.store.lock(step.key, self.cancelled.is_set, name=step.name) as held:
            if not held:
                raise _stopped(step)
            if (tree := self.store.get(step.key)) is not None:  # another process was faster
                self.reporter.step_finished(step, cached=True, seconds=0.0)
                return tree
            self.reporter.step_started(step)
            begun = time.monotonic()
            try:
                with _job(self.store, step, self.made, share) as job:
                    with self.store.guard():
                        status = self.engine.run(job)
                    self._go_on(step)
                    _judge(self.store, step, status, job)
                    tree = self.store.put(step.key, job.out, step.name)
            except BaseException:
                self.reporter.step_failed(step, time.monotonic() - begun)
                raise
            self.reporter.step_finished(step, cached=False, seconds=time.monotonic() - begun)
            if self.cache:
                self.cache.offer(step)
            return tree

    def _go_on(self, step: Step) -> None:
        if self.cancelled.is_set():
            raise _stopped(step)


def available_memory() -> int:
    """Bytes that steps may take without swapping: proc(5) and, in a container, the control group's limit
    (cgroups(7), version 2).
    """
    free = re.search(r"^MemAvailable:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    found = int(free[1]) * 1024 if free else 0
    limit, used = _read("/sys/fs/cgroup/memory.max"), _read("/sys/fs/cgroup/memory.current")
    return min(found, int(limit) - int(used)) if limit.strip().isdigit() and used else found


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def _fitting(ready: Iterable[Step], running: Iterable[Step], memory: int) -> list[Step]:
    """Those of ``ready``, in order, that have room beside what runs; one always has, when nothing does."""
    fitting: list[Step] = []
    taken = [step.memory for step in running]
    for step in ready:
        if not taken or sum(taken) + step.memory <= memory:
            fitting.append(step)
            taken.append(step.memory)
    return fitting


def _urgent_first(steps: list[Step]) -> list[Step]:
    """The steps in the order of how many others wait for them, one after the other: the longest chain leads."""
    chain = dict.fromkeys(steps, 0)
    for step in reversed(steps):  # each comes before what it needs
        for need in step.needs:
            if need in chain:
                chain[need] = max(chain[need], chain[step] + 1)
    return sorted(steps, key=lambda step: -chain[step])


@contextmanager
def _job(store: Store, step: Step, made: dict[Step, Path], jobs: int) -> Iterator[Job]:
    """The step as a job in a temporary folder of the store, its inputs resolved to paths."""
    log = store.log_path(step.key, step.name)
    with ExitStack() as stack:
        folder = stack.enter_context(store.temporary("step"))
        with store.guard():
            for name in ("out", "work", "literal"):
                (folder / name).mkdir()
            script = folder / "script"
            script.write_text(step.script)
            script.chmod(0o644)  # the step's user is another one, whatever the caller's umask
            inputs: dict[str, Path] = {}
            for mount, value in step.inputs.items():
                if isinstance(value, Tree):
                    inputs[mount] = _write(value, folder / "literal" / mount)
                elif isinstance(value, Step):
                    inputs[mount] = made[value]
                elif isinstance(value, Folder):
                    inputs[mount] = value.path
                else:
                    source = store.source(value.sha256)
                    if source is None:
                        raise StoreError("a source is gone from the store", where=value.filename)
                    inputs[mount] = source
            stream = stack.enter_context(log.open("wb"))
        yield Job(
            name=step.name,
            script=script,
            inputs=inputs,
            out=folder / "out",
            work=folder / "work",
            env=step.env,
            log=stream,
            image=step.image,
            jobs=jobs,
        )


def _write(tree: Tree, folder: Path) -> Path:
    folder.mkdir()
    for name, data in tree.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    trees.normalise(folder)
    return folder


def _judge(store: Store, step: Step, status: int, job: Job) -> None:
    """Raise what is to be said about a step that did not do its work."""
    if status == 0:
        missing = [name for name in step.outputs if not (job.out / name).exists()]
        if not missing:
            return
        reason = f"the script ended well but did not make {', '.join(missing)}"
    elif status < 0:
        reason = f"it was ended by a signal ({signal.strsignal(-status)})"
    else:
        reason = f"its script failed with exit status {status}"
        if status > 128 and (name := signal.strsignal(status - 128)):
            reason += f" ({name})"
    log = store.log_path(step.key, step.name)
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    free = shutil.disk_usage(store.root).free
    if any("No space left on device" in line for line in lines) or free < _NEARLY_FULL:
        raise StoreError(
            f"no space left on the device while {step.name} was built ({free / 1e6:.1f} MB free)",
            where=str(store.root),
            hint=f"make room there, or prune the store: oxcross cache prune\n  log: {log}",
        )
    target, _, short = step.name.rpartition("/")
    enter = f"oxcross shell --target {target} --step {short}" if target else f"oxcross shell --step {short}"
    text = "\n".join(f"  | {line}" for line in lines) or "  | (its log is empty)"
    raise BuildError(f"{reason}\n{text}", where=step.name, hint=f"log: {log}\n  try it by hand: {enter}")


def _stopped(step: Step) -> OxcrossError:
    return BuildError("stopped", where=step.name)
