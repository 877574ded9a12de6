"""What importlib, pkgutil, runpy and inspect promise, printed: the same from an executable as from an environment."""

import sys


def told(action, *arguments, **options):
    """What a call gives, or the exception that it raises, as text."""
    try:
        return action(*arguments, **options)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def in_executable():
    return hasattr(sys, "oxidized")
