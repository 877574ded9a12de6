"""What of a module's text can be seen: inspect, linecache, tracebacks, warnings."""

import inspect
import linecache
import subprocess
import sys
import traceback

import alpha
import alpha.sub.deep


def inspected():
    print(inspect.getsource(alpha.Thing), inspect.getsource(alpha.command), len(inspect.getsource(alpha)))
    print(inspect.getsourcelines(alpha.Thing.fail)[1], inspect.getcomments(alpha.command), inspect.getdoc(alpha.Thing))
    for one in (alpha, alpha.Thing, alpha.command, alpha.Thing.fail, alpha.command.__code__):
        print(inspect.getfile(one), inspect.getsourcefile(one), inspect.getmodule(one))
    print(inspect.getmodulename(alpha.__file__), inspect.getabsfile(alpha), inspect.getmembers(alpha, inspect.isclass))
    print(linecache.getline(alpha.__file__, 1), linecache.getlines(alpha.sub.deep.__file__, vars(alpha.sub.deep))[0])
    linecache.lazycache("elsewhere", vars(alpha.sub.deep))
    print(linecache.getline("elsewhere", 3))


def traced():
    for action in (lambda: alpha.Thing("lost").fail(), lambda: alpha.sub.deep.divide(1), lambda: __import__("alpha.broken")):
        try:
            action()
        except Exception:
            traceback.print_exc(file=sys.stdout)


def uncaught():
    alpha.sub.deep.divide(1)


def uncaught_import():
    import alpha.broken


def warned():
    alpha.sub.deep.warn()


def commands():
    """Command lines as libraries write them."""
    for line in (
        ["-c", "import alpha.sub.deep\nalpha.sub.deep.divide(2)"],
        ["-W", "always", "-c", "import warnings\nwarnings.warn('said here')"],
        ["-m", "alpha.tool", "x"],
        ["-m", "alpha", "y"],
        ["-m", "alpha.nowhere"],
        ["-m", "shared"],
        ["-c", "import alpha, sys; print(__spec__, __name__, __loader__, sys.argv)", "z"],
    ):
        # The prefix keeps both away from the current folder and from variables.
        done = subprocess.run([sys.executable, "-B", "-P", *line], capture_output=True, text=True)
        print(line, done.returncode, done.stdout, done.stderr.replace(f"{sys.executable}: ", "PYTHON: "))


def verbose():
    line = [sys.executable, "-B", "-P", "-X", "importtime", "-c", "import alpha.sub.deep"]
    names = [row.rpartition("|")[2].strip() for row in subprocess.run(line, capture_output=True, text=True).stderr.splitlines()]
    print([name for name in names if name.startswith("alpha")])
    line = [sys.executable, "-B", "-P", "-v", "-c", "import alpha.sub.deep"]
    done = subprocess.run(line, capture_output=True, text=True)
    print(done.returncode, [row.split(" # ")[0] for row in done.stderr.splitlines() if row.startswith("import 'alpha")])
