"""``python -m teamwork.tell``: what kind of process this is, and its arguments."""

import os
import sys

if __name__ == "__main__":
    print("tell", __name__, __package__, __spec__.name, os.path.basename(__file__), sys.argv[1:])
    sys.exit(len(sys.argv) - 1)
