"""The SDK: what every framework has in common, as pure functions.

A framework is a function `plan(seen) -> Plan`: which shapes of task it wants and how many of each,
and which pods it wants gone. `turn` does the rest for every kind: it matches what is missing to the offers, finishes
the launches of claims that were won, and answers what is to be done next. `tender.controller` carries that out.
"""

from tender.frameworks.sdk.constraints import mistakes
from tender.frameworks.sdk.model import (
    Answer,
    Claim,
    Decline,
    Launch,
    Note,
    Plan,
    Planner,
    Refused,
    Remove,
    Seen,
    Shape,
    Stop,
    Turn,
)
from tender.frameworks.sdk.ownership import owner_of
from tender.frameworks.sdk.placing import place
from tender.frameworks.sdk.revival import Revival
from tender.frameworks.sdk.turn import take_turn

__all__ = [
    "Answer",
    "Claim",
    "Decline",
    "Launch",
    "Note",
    "Plan",
    "Planner",
    "Refused",
    "Remove",
    "Revival",
    "Seen",
    "Shape",
    "Stop",
    "Turn",
    "mistakes",
    "owner_of",
    "place",
    "take_turn",
]
