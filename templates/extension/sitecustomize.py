# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Imported by each Python of a build: the build's requirements are installed, and the machine is the target's."""

import os
import site

site.addsitedir(os.environ["OXCROSS_SITE"])

_uname = os.uname


def uname() -> os.uname_result:
    """As ``os.uname``, on the target."""
    system, node, release, version, _ = _uname()
    return os.uname_result((system, node, release, version, os.environ["OXCROSS_MACHINE"]))


os.uname = uname
