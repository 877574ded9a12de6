"""Starts processes in the ways that libraries do, and prints what came of it.

The first argument is the action; the output is the same whoever runs this file.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import shared_memory

import teamwork

STARTED = f"main module run as {__name__}"


def square(number: int) -> int:
    """A function of the main module: a spawned process has to run this file to find it."""
    return number * number


def where(_: int) -> str:
    """How a child sees the main module."""
    return f"{STARTED}; {sys.modules['__main__'].__name__}"


def python(*arguments: str, stdin: str = "", **options: object) -> None:
    """Run ``sys.executable`` and show how it ended."""
    done = subprocess.run(
        [sys.executable, *arguments], input=stdin, capture_output=True, text=True, check=False, **options
    )
    print(done.returncode, repr(done.stdout), repr(done.stderr))


def pool(method: str) -> None:
    context = multiprocessing.get_context(method)
    with context.Pool(2) as workers:
        print(workers.map(square, range(5)), workers.map(teamwork.cube, range(5)))
        print({*workers.map(where, range(3))})


def counter(method: str) -> None:
    context = multiprocessing.get_context(method)
    shared = context.Value("i", 0)
    workers = [context.Process(target=teamwork.add_one, args=(shared, 20)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(shared.value, [worker.exitcode for worker in workers])
    failing = context.Process(target=sys.exit, args=(7,))
    failing.start()
    failing.join()
    print(failing.exitcode)


def memory(method: str) -> None:
    context = multiprocessing.get_context(method)
    block = shared_memory.SharedMemory(create=True, size=16)
    worker = context.Process(target=teamwork.fill, args=(block.name, 77))
    worker.start()
    worker.join()
    print(worker.exitcode, block.buf[1])
    block.close()
    block.unlink()


def tracker(_: str) -> None:
    """What a process leaves behind that ended without a word is cleared away by its resource tracker, who says so."""
    code = (
        "from multiprocessing.shared_memory import SharedMemory; import os\n"
        "print(SharedMemory(create=True, size=16).name, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    place = f"/dev/shm/{done.stdout.strip().lstrip('/')}"
    for _ in range(100):
        if not os.path.exists(place):
            break
        time.sleep(0.1)
    print(len(place) > 9, os.path.exists(place), "1 leaked shared_memory objects to clean up" in done.stderr)


def preload(method: str) -> None:
    """The server that is forked has modules already; workers are replaced after each task."""
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(["teamwork"])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as workers:
        print(list(workers.map(teamwork.cube, range(4))))


def executor(method: str) -> None:
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as workers:
        print(list(workers.map(square, range(5))), workers.submit(teamwork.cube, 9).result())


def manager(method: str) -> None:
    with multiprocessing.get_context(method).Manager() as shared:
        numbers = shared.list([1, 2])
        numbers.append(3)
        print(list(numbers))


def command(_: str) -> None:
    python("-c", "import sys; print(sys.argv, __name__)", "-m", "x")
    python("-c", "import sys; sys.exit(3)")
    python("-I", "-c", "raise SystemExit('bye')")
    python("-Ic", "print(1)")
    python("-I", "-c", "missing")
    python("-I", "-c", "import sys; sys.stdout.write('a'); sys.stdout.flush(); 1/0")
    python("-c", "import teamwork, json; print(teamwork.cube(3), json.dumps([1]))", env={"LC_ALL": "C.UTF-8"})


def module(_: str) -> None:
    python("-m", "teamwork.tell", "a", "-c", "b")
    python("-I", "-m", "teamwork.tell")
    python("-Im", "teamwork.tell", "one")
    python("-m", "json.tool", "--indent", "1", stdin='{"a": [1]}')
    python("-m", "base64", "-t")
    done = subprocess.run([sys.executable, "-I", "-m", "nowhere"], capture_output=True, text=True, check=False)
    print(done.returncode, done.stderr.splitlines()[0].partition(": ")[2])


def flags(_: str) -> None:
    show = (
        "import sys; print(sys.flags.isolated, sys.flags.optimize, sys.flags.bytes_warning, sys.flags.quiet,"
        "sys.flags.dev_mode, sys.flags.debug, sys.warnoptions, sorted(sys._xoptions.items()),"
        "sys.stdout.write_through)"
    )
    python("-I", "-O", "-b", "-q", "-W", "error::UserWarning", "-X", "dev", "-c", show)
    python("-IOObu", "-Wignore", "-Xutf8=1", "-X", "name=value", "-c", show)
    python("-I", "-X", "utf8=0", "-c", "import sys; print(sys.flags.utf8_mode)", env={**os.environ, "LC_ALL": "en_US"})
    python("-I", "-W", "error", "-c", "import warnings; warnings.warn('oh')")
    python("-I", "-O", "-c", "assert False; print(__debug__)")


def levels(_: str) -> None:
    """Options that count, beside settings that say how much."""
    show = "import sys; f = sys.flags; print(f.optimize, f.bytes_warning, f.quiet)"
    for line in ([], ["-O"], ["-OO"], ["-OOO"], ["-b"], ["-bb"], ["-q"]):
        python(*line, "-c", show)
    python("-c", show, env={"PYTHONOPTIMIZE": "1"})
    python("-c", show, env={"PYTHONOPTIMIZE": "3"})


def inherited(_: str) -> None:
    line = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    python(*line, "-c", "from teamwork import cube; print(cube(2))")


def stdin(_: str) -> None:
    python("-I", "-", "a", stdin="import sys\nprint(sys.argv, __name__)\nsys.exit(5)\n")


def script(_: str) -> None:
    python(os.path.join(os.path.dirname(teamwork.__file__), "script.py"), "x", "-c", "y")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"main.py": "import beside", "beside.py": "print(__name__)"}.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        python(os.path.join(folder, "main.py"))
        python("main.py", cwd=folder)
        python("-u", "main.py", cwd=folder)
        python("-I", "-c", "import beside; print(beside.__file__[-2:])", cwd=folder, stdin="")


def interpreter(_: str) -> None:
    """A script whose first line names ``sys.executable``, run by its own path and by a shell."""
    with tempfile.TemporaryDirectory() as folder:
        written = os.path.join(folder, "written")
        with open(written, "w", encoding="utf-8") as file:
            file.write(f"#! {sys.executable} \nimport sys\nprint(__name__, sys.argv[1:])\nsys.exit(6)\n")
        os.chmod(written, 0o700)
        for line in ([written, "-c", "a"], ["/bin/sh", "-c", f"'{sys.executable}' {written} -m b"]):
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            print(done.returncode, repr(done.stdout), repr(done.stderr))


ACTIONS = {
    one.__name__: one
    for one in (
        pool,
        counter,
        memory,
        tracker,
        preload,
        executor,
        manager,
        command,
        module,
        flags,
        levels,
        inherited,
        stdin,
        script,
        interpreter,
    )
}

if __name__ == "__main__":
    name, _, method = sys.argv[1].partition("-")
    ACTIONS[name](method)
