"""The one error that this package raises on purpose: its text is for the person at the terminal."""


class ClusterError(Exception):
    """The cluster cannot be brought to the wanted state; the message says what is wrong and what to do."""
