import warnings

depth = 3


def warn():
    warnings.warn("shallow", UserWarning, stacklevel=1)


def divide(number):
    return number / 0
