"""Runs the checks of the modules that are named, or of all, and prints what came of each as JSON: null, or the traceback.
``show PATH`` prints a file, ``load NAME FUNCTION`` what a function of a library says.
"""

import ctypes
import importlib
import json
import sys
import traceback

MODULES = ("reading", "listing", "refusing", "linked", "libraries", "packages", "handing")


def main():
    results = {}
    if sys.argv[1:2] == ["show"]:
        with open(sys.argv[2], encoding="utf-8") as stream:
            print(stream.read(), end="")
        return
    if sys.argv[1:2] == ["load"]:
        from files_app.places import NATIVE

        print(getattr(ctypes.CDLL(NATIVE / sys.argv[2]), sys.argv[3])())
        return
    for module in sys.argv[1:] or MODULES:
        for name, check in list(vars(importlib.import_module(f"files_app.{module}")).items()):
            if name.startswith("check_"):
                try:
                    check()
                    results[name[6:]] = None
                except BaseException:
                    results[name[6:]] = traceback.format_exc()
    print(json.dumps(results, indent=1))
