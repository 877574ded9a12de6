"""An application that checks in an executable for Windows what such applications rely on.

``winapp CHECK [ARGUMENT ...]`` runs one function of checks.py and prints what it returns as JSON.
"""

import json
import sys

from winapp import checks


def main() -> object:
    """Run the check that the first argument names."""
    result = getattr(checks, sys.argv[1])(*sys.argv[2:])
    if result is not None:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
