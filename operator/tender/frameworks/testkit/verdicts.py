"""How a script of the test kit fails: an expectation that is not met, a rule that is broken, turns without an end."""


class Unmet(AssertionError):  # noqa: N818  it reads as the verdict of a test
    """Something was expected that is not so."""


class BrokenRule(AssertionError):  # noqa: N818
    """The framework wrote something that the API server refuses, or for which it holds no room."""


class Unrest(AssertionError):  # noqa: N818
    """Turn after turn finds something to do, though nothing happens: two writes undo each other."""
