"""Runs frameworks: watches what is theirs, takes their turns (`tender.frameworks.sdk`) and carries them out.

`view` keeps what a turn looks at, `loop` takes the turns, `executor` writes, `rounds` looks at the rest now and then,
`factory` wires them. The same loop runs every kind of framework: a kind is a planner.
"""
