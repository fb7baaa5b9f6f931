"""The cable between one process and the API server, which can be pulled: a proxy that passes bytes on until then.

What is on its way when the cable is pulled is kept, as the network's own senders would keep it, and arrives when the
cable is plugged in again, also when its sender has long gone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml

_PIECE = 2**16


class Cable:
    """From a port of its own to the API server; `kubeconfig` leads there."""

    def __init__(self, kubeconfig: Path, folder: Path, name: str) -> None:
        self._config = yaml.safe_load(kubeconfig.read_text())
        [cluster] = self._config["clusters"]
        address = urlsplit(cluster["cluster"]["server"])
        self._target = address.hostname or "", address.port or 443
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._up.set()
        self._down.set()
        self._pumps: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        """Within it the cable is there."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self._config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig.write_text(yaml.safe_dump(self._config))
        try:
            yield self
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    @contextlib.contextmanager
    def pulled(self, *, one_way: bool = False) -> Iterator[None]:
        """Within it nothing arrives; or nothing arrives at the API server, with `one_way`."""
        ways = [self._up] if one_way else [self._up, self._down]
        for way in ways:
            way.clear()
        try:
            yield
        finally:
            for way in ways:
                way.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._up.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        for source, sink, way in ((reader, far_writer, self._up), (far_reader, writer, self._down)):
            pump = asyncio.create_task(_pump(source, sink, way))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            await way.wait()
            sink.write(piece)
            await sink.drain()
    await way.wait()
    with contextlib.suppress(OSError, RuntimeError):
        sink.close()
