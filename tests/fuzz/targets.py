"""What is fuzzed: from bytes, as the API server may send them, to what Tender makes of them.

A target returns where the input was read, and where it was refused with an error for people: ValueError (pydantic's is
one) or msgspec's. Any other exception, and any broken law, is a finding.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR
from random import Random
from typing import Any

import msgspec
from kubernetes.utils.quantity import parse_quantity
from tests.builders import NOON, node, seen

from tender.allocation import Ledger, Settings, run_cycle
from tender.api.core import Node, decode_config_map, decode_controller_revision, decode_node, decode_pod
from tender.api.durations import DURATION_PATTERN, format_duration, parse_duration
from tender.api.framework import Framework
from tender.api.meta import CustomResource
from tender.api.offer import ResourceOffer
from tender.api.placement import Constraint
from tender.api.quantities import LARGEST_AMOUNT, format_amount, parse
from tender.api.requests import pod_requests, template_requests
from tender.api.reservation import Reservation
from tender.api.role import FrameworkRole
from tender.cli.parts import built_in_planners
from tender.frameworks.sdk.constraints import forbidden_by_itself, mistakes
from tender.frameworks.sdk.turn import take_turn
from tender.master.framework_statuses import framework_status
from tender.master.intake import Intake
from tender.master.offerbook import OfferBook
from tender.master.offering import make_offers
from tender.master.registry import key_of
from tender.master.releases import release_time

Target = Callable[[bytes], None]
REFUSED = (ValueError, msgspec.MsgspecError)
_PLANNERS = built_in_planners(1)


def quantity(data: bytes) -> None:
    """A quantity is what Kubernetes' own client takes it for, rounded away from zero, and survives being written."""
    text = data.decode("utf-8", "replace")
    for resource in ("cpu", "memory"):
        try:
            amount = parse(resource, text)
        except ValueError:
            continue
        exact = parse_quantity(text) * (1000 if resource == "cpu" else 1)
        rounded = int(exact.to_integral_value(ROUND_CEILING if exact > 0 else ROUND_FLOOR))
        assert amount == max(-LARGEST_AMOUNT, min(LARGEST_AMOUNT, rounded)), (text, amount, exact)
        assert parse(resource, format_amount(resource, amount)) == amount, (text, amount)


def duration(data: bytes) -> None:
    """A duration is a finite number of seconds, and survives being written to the millisecond."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        seconds = parse_duration(text)
        assert 0 <= seconds < math.inf, text
        assert math.isclose(parse_duration(format_duration(seconds)), seconds, abs_tol=0.001), (text, DURATION_PATTERN)


def framework(data: bytes) -> None:
    """A framework that can be read takes part in a cycle, is made offers and told of it, and has a turn."""
    with _read(Framework, data) as one:
        for known in one:
            _serve(known)
            _plan(known)


def offer(data: bytes) -> None:
    """An offer that can be read is accounted for, and ends."""
    with _read(ResourceOffer, data) as one:
        for known in one:
            ledger, book, _ = _cluster()
            for now in (NOON, NOON + 61, NOON + 3600):
                book.offer_changed(None if now == NOON else known, known, now)
                book.lapse(now)
                book.due(now, {})
                assert all(amount >= 0 for amount in ledger.held(known.framework_key).values())
            book.offer_changed(known, None, NOON)
            assert not ledger.held(known.framework_key)


def role(data: bytes) -> None:
    """A role that can be read changes what a cycle decides, and no more."""
    with _read(FrameworkRole, data) as one:
        for known in one:
            ledger, _, intake = _cluster()
            intake.role_changed(None, known)
            run_cycle(ledger, Settings(), NOON, Random(0))


def reservation(data: bytes) -> None:
    """A reservation that can be read is kept."""
    with _read(Reservation, data) as one:
        for known in one:
            ledger, _, intake = _cluster()
            intake.reservation_changed(None, known)
            run_cycle(ledger, Settings(), NOON, Random(0))
            if known.status.node_lost_at is not None:
                release_time(known, known.status.node_lost_at)


def kubernetes(data: bytes) -> None:
    """Nodes, pods and other objects of Kubernetes that can be read are accounted for."""
    _, _, intake = _cluster()
    for decode in (decode_config_map, decode_controller_revision):
        with contextlib.suppress(*REFUSED):
            decode(data)
    with contextlib.suppress(*REFUSED):
        intake.node_changed(None, decode_node(data))
    with contextlib.suppress(*REFUSED):
        pod = decode_pod(data)
        assert all(isinstance(amount, int) for amount in pod_requests(pod.spec).values())
        intake.pod_changed(None, pod)
        intake.pod_changed(pod, None)


def template(data: bytes) -> None:
    """The spec of a pod template requests integers."""
    with contextlib.suppress(*REFUSED):
        spec = msgspec.json.decode(data)
        assert all(isinstance(amount, int) for amount in template_requests(spec).values())


def constraint(data: bytes) -> None:
    """A constraint has a mistake that is told of, or says of every node whether it may have a task."""
    operator, _, rest = data.decode("utf-8", "replace").partition(" ")
    value, _, label = rest.partition(" ")
    with contextlib.suppress(ValueError):
        one = Constraint.model_validate({"key": "zone", "operator": operator, "value": value or None})
        nodes: dict[str, Node] = {"n": node("n", labels={"zone": label})}
        forbidden = forbidden_by_itself(one, "n", nodes)
        if mistakes([one]) is not None:
            assert forbidden is not None


TARGETS: dict[str, Target] = {
    one.__name__: one
    for one in (quantity, duration, framework, offer, role, reservation, kubernetes, template, constraint)
}


@contextlib.contextmanager
def _read(model: type[Any], data: bytes) -> Iterator[list[Any]]:
    """The object in a list; an empty one if it was refused. What is done with it must not be refused any more."""
    read: list[CustomResource] = []
    with contextlib.suppress(*REFUSED):
        read.append(model.read(msgspec.json.decode(data)))
    yield read


def _cluster() -> tuple[Ledger, OfferBook, Intake]:
    ledger = Ledger()
    book = OfferBook(ledger)
    intake = Intake(ledger, book.pod_changed, book.room)
    for name in ("node-1", "node-2"):
        intake.node_changed(None, node(name))
    return ledger, book, intake


def _serve(one: Framework) -> None:
    ledger, book, intake = _cluster()
    intake.framework_changed(None, one)
    result = run_cycle(ledger, Settings(), NOON, Random(0))
    for made in make_offers(result.grants, {key_of(one): one}, NOON, Random(0)):
        assert ResourceOffer.read(made.manifest()).spec == made.spec
        book.offer_changed(None, made, NOON)
    framework_status(key_of(one), ledger, result, Settings())


def _plan(one: Framework) -> None:
    for kind, planner in _PLANNERS.items():
        if getattr(one.spec, kind) is not None:
            take_turn(planner, seen(one, nodes={"node-1": node("node-1")}))
