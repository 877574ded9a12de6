from importlib.metadata import version
from importlib.util import find_spec

import six


def main():
    print(version("teller"), six.__version__, find_spec("teller.tests") is not None)
