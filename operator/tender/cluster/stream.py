"""The wire format of a watch: lines of JSON events, and the little that the cache reads of every object."""

from collections.abc import Iterator

import msgspec


class Identity(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Which object, in which version. A bookmark has no name."""

    name: str = ""
    namespace: str = ""
    resource_version: str = ""

    @property
    def key(self) -> str:
        """The namespace and the name with a slash between, or the name alone of a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Identified(msgspec.Struct, frozen=True, gc=False):
    """Any object: only its metadata is looked at."""

    metadata: Identity


class Event(msgspec.Struct, frozen=True, gc=False):
    """One line of a watch; `object` is JSON still."""

    type: str
    object: msgspec.Raw


decode_event = msgspec.json.Decoder(Event).decode
decode_identity = msgspec.json.Decoder(Identified).decode


def lines(chunk: bytes, rest: list[bytes]) -> Iterator[bytes]:
    """The lines that `chunk` completes; `rest` keeps the pieces of the one that it does not, for the next
    call.

    A line may be of any length: its pieces are joined once, when its end has come.
    """
    pieces = chunk.split(b"\n")
    if len(pieces) > 1:
        rest.append(pieces[0])
        pieces[0] = b"".join(rest)
        rest.clear()
    if pieces[-1]:
        rest.append(pieces[-1])
    yield from filter(None, pieces[:-1])
