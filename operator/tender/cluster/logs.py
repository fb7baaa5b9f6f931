"""Logs: one JSON object per line in a cluster, readable lines on a terminal.

Tender's own structured logs and those of the libraries (kopf, aiohttp) go through the same formatter, so that
a log collector sees one shape: `time`, `level`, `logger`, `message`, and fields such as framework, offer and
node.
"""

import logging
import sys
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import Processor

_LEADING = ("time", "level", "logger", "message")
_CHATTY = ("aiohttp.access", "asyncio", "urllib3", "kubernetes")


def configure(*, level: str = "info", json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up logging for the process; `json` None means JSON unless `stream` (default stderr) is a terminal.

    Raises ValueError for an unknown level.
    """
    numeric = logging.getLevelNamesMapping().get(level.upper())
    if numeric is None:
        raise ValueError(f"log level {level!r}: use debug, info, warning or error")
    stream = stream or sys.stderr
    json = not stream.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=["k8s_ref"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_as_json() if json else _for_people(colors=stream.isatty())),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(numeric)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(numeric, logging.WARNING))


def _as_json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_encode),
    ]


def _for_people(*, colors: bool) -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="time")]


def _encode(fields: Any, **_: Any) -> str:
    leading = {name: fields[name] for name in _LEADING if name in fields}
    return msgspec.json.encode(leading | fields, enc_hook=str).decode()
