"""A helper that a library runs by its path."""

import os
import sys

import tell  # beside this file

print("script", __name__, os.path.basename(__file__), tell.__name__, os.path.basename(sys.argv[0]), sys.argv[1:])
sys.exit(4)
