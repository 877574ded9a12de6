"""``python -m oxcross``."""

from oxcross.cli import program

if __name__ == "__main__":
    program()
