"""Runs every check and prints what came of each as JSON: null, or the traceback."""

import json
import sys
import traceback

from files_app import libraries, listing, packages, reading, refusing

MODULES = (reading, listing, refusing, libraries, packages)


def main():
    wanted = sys.argv[1:]
    results = {}
    for module in MODULES:
        for name, check in list(vars(module).items()):
            if not name.startswith("check_") or (wanted and name[6:] not in wanted):
                continue
            try:
                check()
                results[name[6:]] = None
            except BaseException:
                results[name[6:]] = traceback.format_exc()
    print(json.dumps(results, indent=1))
