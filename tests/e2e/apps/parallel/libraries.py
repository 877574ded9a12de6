"""Libraries that start processes, each doing its work in two of them."""

from __future__ import annotations

import subprocess
import sys
import time


def square(number: int) -> int:
    """A function of the main module."""
    return number * number


def modules(_: object) -> list[str]:
    """Which of the libraries of one kind a worker has."""
    names = ("multiprocessing.spawn", "multiprocess.spawn", "billiard.spawn")
    return [name for name in names if name in sys.modules]


def joblib() -> None:
    """loky, by the names of functions and by value; and multiprocessing, by fork."""
    from joblib import Parallel, delayed

    for backend in ("loky", "multiprocessing"):
        print(backend, Parallel(n_jobs=2, backend=backend)(delayed(square)(i) for i in range(6)))
    print(Parallel(n_jobs=2)(delayed(lambda number: number + 1)(i) for i in range(4)))


def loky() -> None:
    """The executor that is used again."""
    from joblib.externals.loky import get_reusable_executor

    for _ in range(2):
        print(list(get_reusable_executor(2).map(square, range(5))))


def multiprocess() -> None:
    """multiprocessing with dill: functions without a name."""
    import multiprocess as library

    for method in ("spawn", "forkserver", "fork"):
        with library.get_context(method).Pool(2) as workers:
            print(method, workers.map(lambda number: number * 2, range(4)), workers.map(modules, [0]))


def both() -> None:
    """multiprocessing itself, where multiprocess is there too."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(2) as workers:
        print(workers.map(square, range(4)), workers.map(modules, [0]))


def billiard() -> None:
    """celery's."""
    import billiard as library

    for method in ("spawn", "forkserver", "fork"):
        with library.get_context(method).Pool(2) as workers:
            print(method, workers.map(square, range(4)), workers.map(modules, [0]))


def execnet() -> None:
    """A Python that reads its program from the pipe."""
    import execnet as library

    gateway = library.makegateway()
    channel = gateway.remote_exec("import sys; channel.send((channel.receive() * 7, sys.executable))")
    channel.send(6)
    number, executable = channel.receive()
    print(number, executable == sys.executable)
    gateway.exit()


def watchfiles() -> None:
    """What its run_process starts: a function, a function by its name, a command line."""
    from watchfiles.run import start_process

    for target, kind in {
        greet: "function",
        "libraries.greet": "function",
        f"{sys.executable} -c \"print('greeting')\"": "command",
    }.items():
        process = start_process(target, kind, (), {})
        while process.is_alive():
            time.sleep(0.05)


def greet() -> None:
    """Say hello."""
    print("greeting", flush=True)


def pip() -> None:
    """What is inside, what is not, what cannot be."""
    for line in (["pip", "--version"], ["wheel", "--help"], ["venv", "folder"]):
        done = subprocess.run([sys.executable, "-m", *line], capture_output=True, text=True, check=False)
        print(done.returncode, done.stdout.split(" ")[0], done.stderr.replace(sys.executable, "EXECUTABLE"))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
