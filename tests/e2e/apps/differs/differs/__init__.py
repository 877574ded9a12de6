"""Does what `oxcross analyze` warns of, a function for each rule, and prints what came of it as JSON."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
RULES = []


def rule(function):
    RULES.append(function)
    return function


@rule
def write_beside_file():
    (HERE / "cache").write_text("")


@rule
def write_in_prefix():
    os.mkdir(os.path.join(sys.prefix, "cache"))


@rule
def database_beside_file():
    import sqlite3

    sqlite3.connect(HERE / "data.sqlite").execute("INSERT INTO numbers VALUES (2)")


@rule
def relative_path():
    return open("pyproject.toml").read()


@rule
def program_folder():
    return os.path.dirname(sys.argv[0])


@rule
def main_file():
    import __main__

    return __main__.__file__


@rule
def child_option():
    import subprocess

    return subprocess.run([sys.executable, "--help"], capture_output=True, text=True).stdout


@rule
def child_module():
    import subprocess

    done = subprocess.run([sys.executable, "-m", "pip"], capture_output=True, text=True)
    return done.returncode, done.stdout


@rule
def install_packages():
    import venv

    venv.create(os.devnull)


@rule
def site_packages():
    import sysconfig

    return os.path.exists(sysconfig.get_path("purelib"))


@rule
def virtual_environment():
    return sys.prefix == sys.base_prefix == sys.executable


@rule
def frozen():
    return sys.frozen


@rule
def meipass():
    return sys._MEIPASS


@rule
def left_out_module():
    import tkinter


@rule
def missing_module():
    import absent


def outcome(function):
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    if sys.argv[1:] == ["--help"]:
        print("the application's own help")
    else:
        print(json.dumps({function.__name__: outcome(function) for function in RULES}))
