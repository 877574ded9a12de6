"""Run the program of one package: ``python -m uses boto3``."""

from __future__ import annotations

import importlib
import os
import sys

from uses import facts, libraries

if __name__ == "__main__":
    if os.name == "nt":
        # Wine takes the user's folders from its registry; children have them from here.
        os.environ |= dict.fromkeys(("USERPROFILE", "TMPDIR"), os.environ["HOME"])
    package = sys.argv.pop(1)
    if package == "--libraries":
        libraries.main()
        sys.exit()
    program = importlib.import_module(f"uses.{package.replace('-', '_')}")
    facts.tell(package)
    program.main()
