"""Runs one of pyperformance's scripts in this process: ``timed.py VALUES NAME [OPTION...]``.

pyperf's own functions time each benchmark, over as many loops as take a tenth of a second, after a round of them that is
not counted. The time is the processor's that this process had: on a machine with other work, too, that says what the
interpreter took. Prints {benchmark: [seconds of one loop, ...]}.
"""

import json
import os
import runpy
import sys
import time

import pyperf
import pyperformance

time.perf_counter = time.process_time

SHORTEST = 0.1  # seconds of one value, as pyperf has it


def main():
    values, name, *options = sys.argv[1:]
    folder = os.path.join(os.path.dirname(pyperformance.__file__), "data-files", "benchmarks", f"bm_{name}")
    script = os.path.join(folder, "run_benchmark.py")
    taken = {}

    def measure(_runner, task):
        loops = 1
        while (spent := task.task_func(task, loops)) < SHORTEST:
            loops *= 2
        if spent < 10 * SHORTEST:
            task.task_func(task, loops)
        inner = task.inner_loops or 1
        taken[task.name] = [task.task_func(task, loops) / loops / inner for _ in range(int(values))]

    pyperf.Runner._main = measure
    out = os.dup(1)  # what the benchmarks print is nobody's
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv[:] = [script, *options]
    sys.path.insert(0, folder)
    runpy.run_path(script, run_name="__main__")
    with open(out, "w") as stream:
        json.dump(taken, stream)


if __name__ == "__main__":
    main()
