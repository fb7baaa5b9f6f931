"""What a person asks for and cannot have, found out before anything is written."""


class RefusedError(ValueError):
    """It cannot be done to this framework; the message says why, and what to do."""
