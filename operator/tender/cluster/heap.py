"""The garbage collector's share of a long-lived process: next to nothing, once what stays is known to stay."""

import gc

_YOUNG = 100_000
"""So many new objects are let be before the collector looks at them: a cycle makes tens of thousands that soon go."""


def settle_heap() -> None:
    """What is there now is taken to stay: the collector leaves it alone, and looks at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 50, 100)
