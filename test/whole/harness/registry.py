"""The list of tests. A scenario's file fills it when it is imported."""

ALL = {}


class Test:
    """One test: a call, the known faults that it shows, and its limit in seconds
    where it is one that runs by name alone."""

    def __init__(self, name, call, known, limit):
        self.name, self.call, self.known, self.limit = name, call, known, limit


def add(name, call, known=None, limit=None):
    """known: (kind of Wrong, sentence) of a fault that is not mended yet. limit:
    of a test that is too long to run unless it is named; seconds."""
    if name in ALL:
        raise ValueError(f"two tests are called {name}")
    ALL[name] = Test(name, call, known, limit)


def test(name, known=None):
    """Decorates a test that takes no arguments."""
    def register(call):
        add(name, call, known)
        return call
    return register
