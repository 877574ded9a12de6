"""What holds for every test."""

from __future__ import annotations

import signal

# A shell's background job ignores SIGINT, and so would every program that the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)
