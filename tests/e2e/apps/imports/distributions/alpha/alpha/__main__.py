"""Run by name."""

import sys

if __name__ == "__main__":
    print("tool", __spec__.name, __package__, __file__, sys.argv[1:])
