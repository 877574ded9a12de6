"""``python -m oxcross``, and the program that an installation brings."""

import signal

# Ctrl-C while the modules are imported ends the process without a traceback; cli.main takes it over from there.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from oxcross.cli import program

if __name__ == "__main__":
    program()
