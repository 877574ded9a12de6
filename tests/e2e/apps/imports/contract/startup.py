"""What .pth files of distributions do."""

import importlib
import os
import sys


def lines():
    import lines_found
    import spread.piece

    print(lines_found.found, lines_found.__file__, spread.piece.where, sys.lines_ran > 0)
    print([os.path.basename(p) for p in spread.__path__])
    print([p for p in sys.path if "lines_extra" in p], [p for p in sys.path if "no_such" in p])
