"""What ends a process in order: the signals that the kubelet and terminals send."""

import asyncio
import signal


def stop_on_signals() -> asyncio.Event:
    """An event that these signals set: in a container nothing else would heed them."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
