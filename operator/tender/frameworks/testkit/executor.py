"""Carries out a turn on the objects of a stage, in the order and with the judgements of the real executor.

Its memory is what a controller knows beyond the API server's objects; a restart loses it. It can be made to end after
so many writes, to lose every answer, and to have its pods refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic

from tender.api.framework import Framework, FrameworkStatus
from tender.api.names import LABEL_FRAMEWORK
from tender.api.offer import ResourceOffer
from tender.api.timestamps import timestamp
from tender.frameworks.sdk import Answer, Claim, Launch, Refused, Remove, Stop, Turn
from tender.frameworks.testkit.claims import Claims, node_of
from tender.frameworks.testkit.objects import Objects
from tender.frameworks.testkit.verdicts import BrokenRule
from tender.frameworks.testkit.writes import Verb, Write

KEPT = ("Reservation", "PersistentVolumeClaim", "ConfigMap", "ControllerRevision", "Service")
"""The kinds of object that a plan may keep and remove."""
REFUSED_SECONDS = 10.0
"""For how long nothing is launched after the API server has refused a pod."""


class Ended(Exception):  # noqa: N818  it is no error: the process that wrote is no more
    """The controller has ended: nothing that it does has an effect any more."""


@dataclass
class Memory:
    """What a controller knows besides the objects: the pods that it launched, by offer, and that pods are refused."""

    launched: dict[str, set[str]] = field(default_factory=dict)
    refused: Refused | None = None


class Executor:
    """Writes what turns say, and adds what took effect to `writes`."""

    def __init__(self, objects: Objects, claims: Claims) -> None:
        self.memory = Memory()
        self.writes: list[Write] = []
        self.writes_left: int | None = None
        self.loses_answers = False
        self.refusal: str | None = None
        self._objects = objects
        self._claims = claims

    def carry_out(self, framework: Framework, turn: Turn, now: float) -> bool:
        """Do what the turn says; whether anything has changed. Raises Ended when the controller ends in the midst of
        it, and BrokenRule for what an API server would not take.
        """
        changed = False
        for manifest in turn.keep:
            changed |= self._keep(framework, manifest, now)
        for answer in turn.answers:
            changed |= self._answer(answer, now)
        for launch in turn.launches:
            changed |= self._launch(framework, launch, now)
        for stop in turn.stops:
            changed |= self._stop(stop, now)
        for remove in turn.remove:
            changed |= self._remove(remove)
        return self._write_status(framework, turn.status) or changed

    def _about_to_write(self) -> None:
        if self.writes_left == 0:
            raise Ended

    def _wrote(self, write: Write) -> bool:
        self.writes.append(write)
        if self.writes_left is not None:
            self.writes_left -= 1
        return True

    def _keep(self, framework: Framework, manifest: Mapping[str, Any], now: float) -> bool:
        self._about_to_write()
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind not in KEPT:
            raise BrokenRule(f"{kind} {name} cannot be kept: the kinds that can are {', '.join(KEPT)}")
        _judge_owned(framework, manifest)
        changed = self._objects.apply(manifest, now)
        return changed and self._wrote(Write("keep", kind, name, manifest))

    def _answer(self, answer: Answer, now: float) -> bool:
        self._about_to_write()
        manifest = self._objects.find("ResourceOffer", answer.offer)
        if manifest is None or manifest["status"]["phase"] != "Offered":
            return False
        if self.loses_answers:
            self._objects.set_status("ResourceOffer", answer.offer, {"phase": "Rescinded"})
            return True
        status: dict[str, Any] = {"answeredAt": timestamp(now)}
        if isinstance(answer, Claim):
            status |= {"phase": "Claimed", "claims": [dict(claim) for claim in answer.claims]}
            _judge(ResourceOffer.read({**manifest, "status": status}))
        else:
            status |= {"phase": "Declined", "refuseSeconds": answer.refuse_seconds, "message": answer.why}
        self._objects.set_status("ResourceOffer", answer.offer, status)
        for claim in status.get("claims", ()):
            claim["node"] = manifest["spec"]["slices"][claim["slice"]]["node"]
        verb: Verb = "claim" if isinstance(answer, Claim) else "decline"
        return self._wrote(Write(verb, "ResourceOffer", answer.offer, status, why=status.get("message", "")))

    def _launch(self, framework: Framework, launch: Launch, now: float) -> bool:
        self._about_to_write()
        pod = dict(launch.pod)
        name = pod["metadata"]["name"]
        if self._objects.find("Pod", name) is not None:
            self.memory.launched.setdefault(launch.offer, set()).add(name)
            return False
        if self.refusal is not None:
            known = self.memory.refused is not None and now < self.memory.refused.until
            self.memory.refused = self.memory.refused if known else Refused(self.refusal, now + REFUSED_SECONDS)
            return not known
        _judge_owned(framework, pod)
        self._claims.admit(pod)
        self._objects.create({**pod, "status": {"phase": "Pending"}}, now)
        self.memory.launched.setdefault(launch.offer, set()).add(name)
        self.memory.refused = None
        return self._wrote(Write("launch", "Pod", name, pod, node_of(pod)))

    def _stop(self, stop: Stop, now: float) -> bool:
        self._about_to_write()
        pod = self._objects.find("Pod", stop.pod)
        if pod is None or pod["metadata"]["uid"] != stop.uid:
            return False
        if stop.grace_seconds == 0:
            self._objects.remove("Pod", stop.pod)
        elif not self._objects.patch("Pod", stop.pod, {"metadata": {"deletionTimestamp": _first(pod, now)}}):
            return False
        return self._wrote(Write("stop", "Pod", stop.pod, node=node_of(pod), why=stop.why))

    def _remove(self, remove: Remove) -> bool:
        self._about_to_write()
        present = self._objects.find(remove.kind, remove.name)
        if present is None or present["metadata"]["uid"] != remove.uid:
            return False
        self._objects.remove(remove.kind, remove.name)
        return self._wrote(Write("remove", remove.kind, remove.name, why=remove.why))

    def _write_status(self, framework: Framework, status: Mapping[str, Any]) -> bool:
        name = framework.metadata.name
        present = self._objects.find("Framework", name)
        if present is None:
            return False
        masters = {part: value for part, value in present.get("status", {}).items() if part == "allocation"}
        try:
            wanted = {**FrameworkStatus.model_validate(status).manifest(), **masters}
        except pydantic.ValidationError as error:
            raise BrokenRule(f"the API server refuses the status of Framework {name}: {error}") from None
        if wanted == FrameworkStatus.model_validate(present.get("status", {})).manifest():
            return False
        self._about_to_write()
        self._objects.set_status("Framework", name, wanted)
        return self._wrote(Write("status", "Framework", name, wanted))


def _judge(claimed: ResourceOffer) -> None:
    """The rules that the CRD of ResourceOffer has for a claim."""
    name = claimed.metadata.name
    if not claimed.status.claims:
        raise BrokenRule(f"offer {name} is claimed without a claim: claim at least one slice, or decline it")
    for claim in claimed.status.claims:
        if claim.slice >= len(claimed.spec.slices):
            raise BrokenRule(f"offer {name} has no slice {claim.slice}: slice is an index of spec.slices")
        offered = claimed.spec.slices[claim.slice].amounts
        for resource, amount in claim.amounts.items():
            if amount > offered.get(resource, -1):
                raise BrokenRule(
                    f"the claim of slice {claim.slice} of offer {name} is larger than the slice: {resource}"
                    f" {claim.resources[resource]}"
                )


def _judge_owned(framework: Framework, manifest: Mapping[str, Any]) -> None:
    """What makes an object the framework's: in the master's accounts, and for its controller to see it again."""
    metadata, owner = manifest["metadata"], framework.metadata
    which = f"{manifest['kind']} {metadata['name']}"
    owners = [one["uid"] for one in metadata.get("ownerReferences", ()) if one.get("controller")]
    if owners != [owner.uid]:
        raise BrokenRule(f"{which} is not the framework's: give it an ownerReference to it with controller: true")
    if metadata.get("labels", {}).get(LABEL_FRAMEWORK) != owner.name:
        raise BrokenRule(f"{which} is not followed: label it {LABEL_FRAMEWORK}={owner.name}")
    if metadata.get("namespace") != owner.namespace:
        raise BrokenRule(f"{which} is not in the framework's namespace: set metadata.namespace to {owner.namespace}")


def _first(pod: Mapping[str, Any], now: float) -> str:
    """When the pod was deleted first: a second deletion of the same pod changes nothing."""
    return str(pod["metadata"].get("deletionTimestamp") or timestamp(int(now)))
