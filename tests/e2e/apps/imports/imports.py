"""Runs the check that its first argument names, "module.function" of the package contract; the rest is for that."""

import importlib
import sys

if __name__ == "__main__":
    module, _, function = sys.argv[1].partition(".")
    getattr(importlib.import_module(f"contract.{module}"), function)(*sys.argv[2:])
