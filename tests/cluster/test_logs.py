"""Logs have one shape, whoever writes them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tender.cluster import logs


@pytest.fixture(autouse=True)
def _unchanged_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def logged(*, level: str = "info") -> list[dict[str, object]]:
    stream = io.StringIO()
    logs.configure(level=level, stream=stream)
    structlog.get_logger("tender.master").info("offer made", framework="shop/web", node="a")
    logging.getLogger("kopf.objects").warning("Handler %s failed", "x", extra={"k8s_ref": {"name": "web"}})
    logging.getLogger("kopf").debug("noise")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_structured_logs_are_json_outside_of_a_terminal():
    first = logged()[0]
    assert list(first)[:4] == ["time", "level", "logger", "message"]
    del first["time"]
    assert first == {
        "level": "info",
        "logger": "tender.master",
        "message": "offer made",
        "framework": "shop/web",
        "node": "a",
    }


def test_logs_of_libraries_have_the_same_shape():
    second = logged()[1]
    assert (second["level"], second["logger"]) == ("warning", "kopf.objects")
    assert second["message"] == "Handler x failed"
    assert second["k8s_ref"] == {"name": "web"}


def test_less_important_logs_are_left_out():
    assert [entry["message"] for entry in logged(level="warning")] == ["Handler x failed"]
    assert "noise" in [entry["message"] for entry in logged(level="debug")]


def test_exceptions_are_part_of_their_line():
    stream = io.StringIO()
    logs.configure(stream=stream)
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger().exception("a change could not be handled")
    assert "RuntimeError: broken" in json.loads(stream.getvalue())["exception"]


def test_people_get_lines_they_can_read():
    stream = io.StringIO()
    logs.configure(stream=stream, json=False)
    structlog.get_logger().info("offer made", framework="shop/web")
    assert "offer made" in stream.getvalue()
    assert "framework=shop/web" in stream.getvalue()


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="log level 'loud': use debug, info, warning or error"):
        logs.configure(level="loud")
