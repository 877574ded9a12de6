"""Run the program of one package: ``python -m uses boto3``."""

from __future__ import annotations

import importlib
import sys

from uses import facts

if __name__ == "__main__":
    package = sys.argv.pop(1)
    program = importlib.import_module(f"uses.{package.replace('-', '_')}")
    facts.tell(package)
    program.main()
