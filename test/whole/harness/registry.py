"""The list of tests. A scenario's file fills it when it is imported."""

ALL = {}


class Test:
    """One test: a call, and the known faults that it shows."""

    def __init__(self, name, call, known):
        self.name, self.call, self.known = name, call, known


def add(name, call, known=None):
    """known: (kind of Wrong, sentence) of a fault that is not mended yet."""
    if name in ALL:
        raise ValueError(f"two tests are called {name}")
    ALL[name] = Test(name, call, known)


def test(name, known=None):
    """Decorates a test that takes no arguments."""
    def register(call):
        add(name, call, known)
        return call
    return register
