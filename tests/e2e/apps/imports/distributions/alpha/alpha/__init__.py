"""A package of a distribution."""

import pickle

runs = globals().get("runs", 0) + 1


class Thing:
    """Something to be pickled."""

    def __init__(self, value):
        self.value = value

    class Inner:
        pass

    def fail(self):
        # a comment that a traceback does not show
        raise LookupError(self.value)


def command():
    """What the entry point runs."""
    return pickle.loads(pickle.dumps(Thing("pickled"))).value
