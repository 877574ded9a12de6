"""Loads every extension module and DLL of an executable for Windows by its path, and tells which of them cannot be."""

from __future__ import annotations

import ctypes
import json
import os
import sys


def main() -> None:
    """Print, as JSON, why each failed that did."""
    failed = {}
    for folder, _, names in sorted(os.walk(sys.executable)):
        for name in sorted(names):
            if name.lower().endswith((".pyd", ".dll")):
                try:
                    ctypes.CDLL(os.path.join(folder, name))
                except OSError as error:
                    failed[name] = str(error)
    print(json.dumps(failed))
