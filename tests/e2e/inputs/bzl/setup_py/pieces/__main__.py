from importlib.metadata import version
from importlib.resources import files

import six

print(version("pieces"), six.__version__, (files("pieces") / "piece.txt").read_text().strip())
