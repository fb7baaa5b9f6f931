"""Every metric of Tender, declared once: its name, type, unit, labels, help, and the parts that expose it.

One prefix, base units, and labels of bounded number: never a pod, a node or an offer. What carries the labels
`namespace` and `framework` is there once for each framework, and goes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


MASTER, CONTROLLER = "master", "controller"
BOTH = (MASTER, CONTROLLER)

FRAMEWORK: Mapping[str, str] = {
    "namespace": "the namespace of the Framework",
    "framework": "its name",
}
ROLE = {"role": "a role that is set, or that a framework names"}
RESOURCE = {"resource": "a resource of nodes, such as cpu (cores) or memory (bytes)"}
KIND_OF_OBJECT = {"resource": "a kind of object, in the plural"}
VERB = {"verb": "get, list, create, patch, delete, …, and watch where requests are counted"}

OUTCOMES = ("made", "claimed", "declined", "rescinded", "expired")
ANSWERS = ("claimed", "declined", "lost")
LAUNCH_OUTCOMES = ("created", "failed")
REFUSED_BY_NODE = "RefusedByNode"
LAUNCH_FAILURES = ("Forbidden", "Invalid", "Unreachable", REFUSED_BY_NODE)
"""The reasons that are there from the start; others are the API server's words."""
RELIST_REASONS = ("initial", "expired", "continue-expired", "error-event", "broken-stream", "refused")
NO_OFFER, OTHER = "NoOffer", "Other"

_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_USUAL = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` is the one that it is exposed under, `labels` has what each label stands for, in order."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = (MASTER,)
    buckets: tuple[float, ...] = ()


OFFERS = Metric(
    "tender_offers_total",
    Kind.COUNTER,
    "offers",
    "Offers by outcome.",
    {**FRAMEWORK, "outcome": ", ".join(OUTCOMES)},
)
OFFER_ANSWER_SECONDS = Metric(
    "tender_offer_answer_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "How long offers wait for their answer, as the master sees it.",
    {"answer": "claimed, declined"},
    buckets=_LONG,
)
OFFERS_RESCINDED = Metric(
    "tender_offers_rescinded_total",
    Kind.COUNTER,
    "offers",
    "Offers that this master took back, by cause.",
    {
        "cause": "room (its node has no room for it any more), role (a role's quota, weight or place changed), "
        "left (the framework has left the role), succeeded (a master made it that leads no more)"
    },
)
OFFERS_STANDING = Metric(
    "tender_offers_standing",
    Kind.GAUGE,
    "offers",
    "Offers that exist now, by phase; declined ones stand for as long as they refuse.",
    {"phase": "Offered, Claimed, Declined, Rescinded, Expired"},
)
LAUNCHES_MISSED = Metric(
    "tender_launches_missed_total", Kind.COUNTER, "tasks", "Claimed tasks that were not launched in time."
)
CYCLE_SECONDS = Metric(
    "tender_cycle_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "How long an allocation cycle takes.",
    buckets=_QUICK,
)
CENSUS_CORRECTIONS = Metric(
    "tender_census_corrections_total",
    Kind.COUNTER,
    "objects",
    "Custom resources that were gone without the watch telling, found by listing.",
    KIND_OF_OBJECT,
)

ALLOCATABLE = Metric("tender_cluster_allocatable", Kind.GAUGE, "cores, bytes, counts", "What all nodes have.", RESOURCE)
NODES = Metric(
    "tender_nodes", Kind.GAUGE, "nodes", "Nodes, by whether they can be offered.", {"available": "true, false"}
)
ROLE_SHARE = Metric(
    "tender_role_dominant_share",
    Kind.GAUGE,
    "ratio",
    "The largest fraction of the cluster that a role holds of any resource, not divided by its weight.",
    ROLE,
)
ROLE_FAIR_SHARE = Metric(
    "tender_role_fair_share",
    Kind.GAUGE,
    "ratio",
    "The fraction of the cluster that a role's weight comes to, beside those who hold or want something now.",
    ROLE,
)
ROLE_WEIGHT = Metric("tender_role_weight", Kind.GAUGE, "weight", "Weight of a role.", ROLE)
ROLE_ALLOCATED = Metric(
    "tender_role_allocated",
    Kind.GAUGE,
    "cores, bytes, counts",
    "What a role's frameworks hold in pods and claims.",
    {**ROLE, **RESOURCE},
)
ROLE_QUOTA = Metric(
    "tender_role_quota",
    Kind.GAUGE,
    "cores, bytes, counts",
    "What a role is guaranteed, may have, consumes (pods, claims and all that is reserved) and is offered.",
    {**ROLE, **RESOURCE, "kind": "guarantee, limit, consumed, offered"},
)
ROLE_UNMET = Metric(
    "tender_role_guarantee_unmet",
    Kind.GAUGE,
    "cores, bytes, counts",
    "What a role lacks of its guarantee though its frameworks want it; 0 where the guarantee is met.",
    {**ROLE, **RESOURCE},
)

FRAMEWORKS = Metric(
    "tender_frameworks",
    Kind.GAUGE,
    "frameworks",
    "Frameworks that the master knows, by state.",
    {"state": "Ready, Reconciling, Stalled (the condition that is true), Unknown (none is yet)"},
)
FRAMEWORKS_THROTTLED = Metric(
    "tender_frameworks_throttled",
    Kind.GAUGE,
    "frameworks",
    "Frameworks that ask too much and are slowed down for it, by reason.",
    {"reason": "ClaimsNotLaunched, OffersDeclinedAtOnce, DemandChangesTooOften"},
)
FRAMEWORK_SHARE = Metric(
    "tender_framework_dominant_share",
    Kind.GAUGE,
    "ratio",
    "The largest fraction of the cluster that a framework holds of any resource, open offers included.",
    FRAMEWORK,
)
FRAMEWORK_FAIR_SHARE = Metric(
    "tender_framework_fair_share",
    Kind.GAUGE,
    "ratio",
    "The fraction of the cluster that a framework's part of its roles' fair shares comes to; 0 for one that neither "
    "holds nor wants anything.",
    FRAMEWORK,
)
FRAMEWORK_NOT_OFFERED = Metric(
    "tender_framework_not_offered_nodes",
    Kind.GAUGE,
    "nodes",
    "Nodes that a framework wants and was not offered in the last cycle, by what stood in the way.",
    {
        **FRAMEWORK,
        "reason": "the master's reasons: Unavailable, Suppressed, Quota, Headroom, Reserved, Filtered, Unsuitable, "
        "Tainted, TooSmall, Exhausted, ShareOrder, Throttled",
    },
)
FRAMEWORK_WAITING_TASKS = Metric(
    "tender_framework_waiting_tasks",
    Kind.GAUGE,
    "tasks",
    "Tasks that wait to be placed, as the framework's status says, under what was in the way of the most nodes.",
    {
        **FRAMEWORK,
        "reason": "the framework's reasons: Role, Constraint, Reservation, CPU, Memory, Disk, GPU, Pods, Ports; "
        f"{NO_OFFER} where no offer was refused lately, {OTHER} for words of third parties",
    },
)
FRAMEWORK_WAITING_SINCE = Metric(
    "tender_framework_waiting_since_timestamp_seconds",
    Kind.GAUGE,
    "seconds since 1970",
    "Since when tasks of a framework have waited without one being placed; absent while none waits.",
    FRAMEWORK,
)

ANSWERED = Metric(
    "tender_answers_total",
    Kind.COUNTER,
    "answers",
    "Answers to offers; one is lost to somebody who was first.",
    {"answer": ", ".join(ANSWERS)},
    (CONTROLLER,),
)
LAUNCHES = Metric(
    "tender_launches_total",
    Kind.COUNTER,
    "pods",
    "Pods that were launched, by outcome.",
    {**FRAMEWORK, "outcome": ", ".join(LAUNCH_OUTCOMES)},
    (CONTROLLER,),
)
LAUNCHES_FAILED = Metric(
    "tender_launch_failures_total",
    Kind.COUNTER,
    "pods",
    "Launches that failed, by reason: the API server did not create the pod, or the kubelet did not take it.",
    {"reason": f"{', '.join(LAUNCH_FAILURES)}, and the API server's other words, such as InternalError"},
    (CONTROLLER,),
)
STOPS = Metric("tender_stops_total", Kind.COUNTER, "pods", "Pods stopped.", parts=(CONTROLLER,))
TURN_SECONDS = Metric(
    "tender_turn_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "How long a framework's turn takes, its writes included.",
    parts=(CONTROLLER,),
    buckets=_USUAL,
)
TURNS_FAILED = Metric(
    "tender_turns_failed_total",
    Kind.COUNTER,
    "turns",
    "Turns that failed and are tried again.",
    parts=(CONTROLLER,),
)

QUEUE_SECONDS = Metric(
    "tender_event_queue_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "How long a change waits: in the master until a cycle begins, in the controller until the framework's turn does.",
    parts=BOTH,
    buckets=_LONG,
)
API_REQUESTS = Metric(
    "tender_api_requests_total",
    Kind.COUNTER,
    "requests",
    "Requests to the API server, tries included.",
    {**VERB, **KIND_OF_OBJECT, "code": "the HTTP code; 0: no answer"},
    BOTH,
)
API_SECONDS = Metric(
    "tender_api_request_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "How long requests to the API server take, watches aside.",
    {**VERB, **KIND_OF_OBJECT},
    BOTH,
    _USUAL,
)
API_WRITES = Metric(
    "tender_api_writes_total",
    Kind.COUNTER,
    "requests",
    "Writes to the API server, tries included.",
    {**VERB, **KIND_OF_OBJECT},
    BOTH,
)
CACHE_OBJECTS = Metric("tender_cache_objects", Kind.GAUGE, "objects", "Objects in a cache.", KIND_OF_OBJECT, BOTH)
CACHE_SILENCE = Metric(
    "tender_cache_silence_seconds",
    Kind.GAUGE,
    "seconds",
    "For how long a cache has heard nothing from the API server; bookmarks come every minute.",
    KIND_OF_OBJECT,
    BOTH,
)
CACHE_EVENTS = Metric(
    "tender_cache_events_total",
    Kind.COUNTER,
    "events",
    "Events that the caches have received.",
    {**KIND_OF_OBJECT, "event": "ADDED, MODIFIED, DELETED, BOOKMARK, ERROR"},
    BOTH,
)
CACHE_RELISTS = Metric(
    "tender_cache_relists_total",
    Kind.COUNTER,
    "lists",
    "Times that a cache listed afresh, by reason.",
    {**KIND_OF_OBJECT, "reason": ", ".join(RELIST_REASONS)},
    BOTH,
)
CACHE_RECONNECTS = Metric(
    "tender_cache_reconnects_total",
    Kind.COUNTER,
    "watches",
    "Times that a watch ended, by reason.",
    {**KIND_OF_OBJECT, "reason": "ended, a reason of a new list, or the API server's word"},
    BOTH,
)
CACHE_FAILURES = Metric(
    "tender_cache_failures_total",
    Kind.COUNTER,
    "objects",
    "Objects that a cache could not read or hand on.",
    {**KIND_OF_OBJECT, "failure": "invalid, callback-error"},
    BOTH,
)
LEADER = Metric(
    "tender_leader",
    Kind.GAUGE,
    "0 or 1",
    "Whether this process does the work of its part (1), or stands by or has not begun (0).",
    {"component": ", ".join(BOTH)},
    BOTH,
)
BUILD_INFO = Metric(
    "tender_build_info",
    Kind.GAUGE,
    "1",
    "The version of Tender, always 1.",
    {"version": "of the program", "component": ", ".join(BOTH)},
    BOTH,
)

SECTIONS: Mapping[str, tuple[Metric, ...]] = {
    "Offers": (OFFERS, OFFER_ANSWER_SECONDS, OFFERS_RESCINDED, OFFERS_STANDING, ANSWERED),
    "Shares and quotas": (
        ALLOCATABLE,
        NODES,
        ROLE_SHARE,
        ROLE_FAIR_SHARE,
        ROLE_WEIGHT,
        ROLE_ALLOCATED,
        ROLE_QUOTA,
        ROLE_UNMET,
        FRAMEWORK_SHARE,
        FRAMEWORK_FAIR_SHARE,
    ),
    "Frameworks and their tasks": (
        FRAMEWORKS,
        FRAMEWORKS_THROTTLED,
        FRAMEWORK_WAITING_TASKS,
        FRAMEWORK_WAITING_SINCE,
        FRAMEWORK_NOT_OFFERED,
        LAUNCHES,
        LAUNCHES_FAILED,
        LAUNCHES_MISSED,
        STOPS,
    ),
    "Pace": (CYCLE_SECONDS, TURN_SECONDS, TURNS_FAILED, QUEUE_SECONDS),
    "The API server and the caches": (
        API_REQUESTS,
        API_SECONDS,
        API_WRITES,
        CACHE_OBJECTS,
        CACHE_SILENCE,
        CACHE_EVENTS,
        CACHE_RELISTS,
        CACHE_RECONNECTS,
        CACHE_FAILURES,
        CENSUS_CORRECTIONS,
    ),
    "The parts themselves": (LEADER, BUILD_INFO),
}
"""All of them, in the order in which people look for them."""

METRICS: Mapping[str, Metric] = {metric.name: metric for section in SECTIONS.values() for metric in section}
