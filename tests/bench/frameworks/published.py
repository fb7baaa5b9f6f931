"""What Marathon published of its scale tests: seconds from the first request until all ran, by shape and size."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """Seconds until all ran; or, with `reached`, until it was given up with so many running."""

    seconds: float
    reached: int | None = None

    def __str__(self) -> str:
        if self.reached is None:
            return f"{self.seconds:g} s"
        return f"failed at {self.reached} after {self.seconds:g} s"


PUBLISHED: dict[str, dict[int, Published]] = {
    "one": {
        1: Published(0.5),
        10: Published(2.2),
        100: Published(2.3),
        500: Published(38.5),
        1000: Published(20 * 60 + 47, reached=832),
    },
    "many": {
        1: Published(0.7),
        10: Published(8.3),
        100: Published(26.8),
        500: Published(275.0),
        1000: Published(41 * 60 + 39, reached=832),
    },
    "group": {
        1: Published(0.5),
        10: Published(3.7),
        100: Published(8.7),
        500: Published(34.2),
        1000: Published(72.0),
    },
}
