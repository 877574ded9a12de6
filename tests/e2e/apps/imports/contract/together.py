"""Many threads and interpreters that import at once."""

import importlib
import os
import sys
import threading

import _interpreters

NAMES = ("alpha.sub.deep", "json", "email.message", "decimal", "http.client", "xml.dom.minidom", "alpha.tool", "csv")


def in_threads(actions):
    results = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def run(number):
        start.wait()
        try:
            results[number] = actions[number]()
        except BaseException as error:
            results[number] = repr(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def once():
    results = in_threads([lambda: importlib.import_module("alpha.slow").done] * 16)
    print(results, sys.slow_runs)


def many():
    results = in_threads([lambda name=name: importlib.import_module(name).__name__ for name in NAMES * 4])
    print(results == list(NAMES * 4))


def circles():
    print(sorted(map(str, in_threads([lambda n=n: importlib.import_module(f"alpha.ring.{n}").value for n in ("one", "two")]))))


def interpreters():
    """Each interpreter has the import system; those of one kind import at once."""
    script = """
import os
import alpha.sub.deep, alpha.tool, csv, json.decoder, pkgutil, shared.left, textwrap
lines = [alpha.__file__, json.decoder.__file__, str(len(list(pkgutil.iter_modules(alpha.__path__)))), list(shared.__path__)]
os.write(end, repr(lines).encode() + b"\\n")
"""
    alone = """
import importlib.metadata, importlib.resources
lines = [importlib.metadata.version("beta"), importlib.resources.files("alpha").joinpath("data.txt").read_text("utf-8")]
os.write(end, repr(lines).encode() + b"\\n")
"""
    for kind in ("legacy", "isolated"):
        reader, writer = os.pipe()
        made = [_interpreters.create(kind) for _ in range(4)]
        failures = in_threads([lambda one=one: _interpreters.run_string(one, f"end = {writer}\n{script}") for one in made])
        failures.append(_interpreters.run_string(made[0], alone))
        for one in made:
            _interpreters.destroy(one)
        os.close(writer)
        with open(reader) as stream:
            print(kind, failures, stream.read())
