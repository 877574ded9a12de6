"""oxcross: one self-contained executable per platform out of a Python application."""

__version__ = "0.1.0"
