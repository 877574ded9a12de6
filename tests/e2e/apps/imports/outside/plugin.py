"""A plugin beside the executable."""

import alpha


def hook():
    return alpha.Thing("plugged").value


def fail():
    raise RuntimeError("in the plugin")
