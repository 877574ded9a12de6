"""``python -m oxcross``."""

import sys

from oxcross.cli import main

if __name__ == "__main__":
    sys.exit(main())
