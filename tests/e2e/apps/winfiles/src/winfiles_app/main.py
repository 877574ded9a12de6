"""Runs the checks of the modules that are named, or of all, and prints what came of each as JSON: null, or the traceback."""

import importlib
import json
import sys
import traceback

MODULES = ("reading", "listing", "refusing", "packages", "native")


def main():
    results = {}
    for module in sys.argv[1:] or MODULES:
        for name, check in list(vars(importlib.import_module(f"winfiles_app.{module}")).items()):
            if name.startswith("check_"):
                try:
                    check()
                    results[name[6:]] = None
                except BaseException:
                    results[name[6:]] = traceback.format_exc()
    print(json.dumps(results, indent=1))
