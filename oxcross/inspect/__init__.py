"""The proof: what an executable is and holds, and whether it keeps the contract of its target."""

from oxcross.inspect.contract import check
from oxcross.inspect.executable import inspect
from oxcross.inspect.report import Report

__all__ = ["Report", "check", "inspect"]
