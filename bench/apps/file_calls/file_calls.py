"""Calls one function of files so often and prints the processor time that took, in nanoseconds.

``file_calls.py os.stat PATH COUNT``; with a COUNT of 0 the process does all but the calls.
"""

import os
import sys
import time


def _open(path):
    with open(path, "rb", buffering=0):
        pass


CALLS = {"os.stat": os.stat, "open": _open}


def main():
    call, path, count = CALLS[sys.argv[1]], sys.argv[2], int(sys.argv[3])
    start = time.process_time_ns()
    for _ in range(count):
        call(path)
    print(time.process_time_ns() - start)


main()
