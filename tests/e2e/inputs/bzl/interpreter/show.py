import faulthandler
import os
import sys

here = os.path.dirname(sys.executable)
print(
    {
        "dev": sys.flags.dev_mode,
        "seed": sys.flags.hash_randomization,
        "bytes": sys.flags.bytes_warning,
        "optimize": sys.flags.optimize,
        "x": sys._xoptions.get("cli"),
        "meipass": hasattr(sys, "_MEIPASS"),
        "frozen": hasattr(sys, "frozen"),
        "faulthandler": faulthandler.is_enabled(),
        "isolated": sys.flags.isolated,
        "paths": [os.path.relpath(path, here) for path in sys.path if path.startswith(here + "/")][-2:],
    }
)
