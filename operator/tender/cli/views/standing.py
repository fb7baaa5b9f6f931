"""How far something has come that is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How far it has come: `text` for people, whether it is `done`, and whether it cannot be done any more."""

    text: str
    done: bool = False
    failed: bool = False
