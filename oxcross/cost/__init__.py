"""What an executable costs: every byte of it under a name, what could be left out, what its start takes, as table and HTML."""

from oxcross.cost.content import Content, Piece, read

__all__ = ["Content", "Piece", "read"]
