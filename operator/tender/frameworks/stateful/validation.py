"""What is wrong with a configuration: in itself, or as something to get to from the present one.

The API server has refused already what its schema can tell. What is left is said in one sentence that names the field
and what to do, and the service goes on as it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from tender.api.framework import DemandEntry
from tender.api.meta import LONGEST_LABEL
from tender.api.requests import template_requests
from tender.api.stateful import DECOMMISSION, DEPLOY, RECOVERY, UPDATE, PlanSpec, PodSet
from tender.frameworks.stateful.targets import Target

CONFIG_VOLUME = "config"
_OWN_PLANS = (DEPLOY, UPDATE, RECOVERY, DECOMMISSION)
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LARGEST_FILES = 900_000
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def objection(target: Target) -> str | None:
    """The first thing that is wrong with it, or None."""
    return next(_in_itself(target), None)


def objection_to_change(old: Target, new: Target, *, deployed: bool) -> str | None:
    """The first thing that makes it impossible to get from the old target to the new one, or None.

    `deployed` says whether the old one, or one before, was brought to all pods once.
    """
    return next(_in_the_change(old, new, deployed), None)


def _in_the_change(old: Target, new: Target, deployed: bool) -> Iterator[str]:
    for before in old.pods:
        place = f"spec.stateful.pods[{before.name}]"
        after = new.sets.get(before.name)
        if after is None:
            if before.count:
                yield (
                    f"{place} is gone but has pods: keep it with count 0 and allowDecommission true, and remove it"
                    " when they are gone"
                )
            continue
        if after.count < before.count and not after.allow_decommission:
            yield (
                f"{place}.count is lowered from {before.count} to {after.count}: set allowDecommission true if the pods"
                " of the highest numbers may go with their volumes"
            )
        if [one.manifest() for one in before.volume_claim_templates] != [
            one.manifest() for one in after.volume_claim_templates
        ]:
            yield f"{place}.volumeClaimTemplates is changed: volumes that exist would not follow; put it back"
    if old.role != new.role and not deployed:
        yield (
            f"spec.role is changed from {old.role} to {new.role} while the pods are deployed for the first time: put it"
            " back until they are"
        )


def _in_itself(target: Target) -> Iterator[str]:
    if not _SERVICE.fullmatch(target.framework):
        yield (
            f"metadata.name {target.framework} cannot be the name of a Service: choose one of lower-case letters,"
            " digits and hyphens that starts with a letter"
        )
    for one in target.pods:
        yield from _in_set(target, one)
        yield from _in_names(target, one)
    for plan in target.plans:
        yield from _in_plan(target, plan)


def _in_set(target: Target, one: PodSet) -> Iterator[str]:
    place = f"spec.stateful.pods[{one.name}]"
    spec = one.template["spec"]
    yield from _in_template(f"{place}.template", one.template)
    for task in one.tasks:
        yield from _in_template(f"{place}.tasks[{task.name}].template", task.template)
    containers = {container.get("name") for container in spec.get("containers") or ()}
    for name in one.non_essential:
        if name not in containers:
            yield f"{place}.nonEssential names {name}, which is no container of the template"
    added = [claim.name for claim in one.volume_claim_templates]
    if one.config:
        added.append(CONFIG_VOLUME)
    for template, where in (
        (one.template, "template"),
        *((t.template, f"tasks[{t.name}].template") for t in one.tasks),
    ):
        for volume in (template.get("spec") or {}).get("volumes") or ():
            if volume.get("name") in added:
                yield (
                    f"{place}.{where}.spec.volumes has {volume['name']}, which is added to the pods already: remove it"
                    " there"
                )
    if len(set(added)) < len(added):
        yield f"{place}.volumeClaimTemplates has {CONFIG_VOLUME}, the volume of the configuration files: rename it"
    try:
        files = target.files(one.name, max(0, one.count - 1), replaced="255.255.255.255")
    except ValueError as error:
        yield f"{place}.config: {error}"
    else:
        if sum(len(name) + len(text.encode()) for name, text in files.items()) > _LARGEST_FILES:
            yield f"{place}.config is larger than {_LARGEST_FILES} bytes in all: shorten it, or use a volume"
    if one.on_replace is not None and (one.on_replace in _OWN_PLANS or target.plan(one.on_replace) is None):
        yield (
            f"{place}.onReplace names {one.on_replace}, which is no plan that can be started: define it in"
            " spec.stateful.plans"
        )


def _in_template(place: str, template: Mapping[str, Any]) -> Iterator[str]:
    spec = template.get("spec")
    if not isinstance(spec, Mapping) or not spec.get("containers"):
        yield f"{place}.spec.containers is empty: at least one is needed"
        return
    if spec.get("nodeName"):
        yield f"{place}.spec.nodeName is set: remove it, the offer decides the node"
    try:
        requests = template_requests(spec)
    except ValueError as error:
        yield f"{place}: {error}"
        return
    if not requests.get("cpu") or not requests.get("memory"):
        yield f"{place}: its containers request no cpu or no memory: set resources.requests, offers go by them"
    choice = {"nodeSelector": spec.get("nodeSelector") or {}, "tolerations": spec.get("tolerations") or []}
    try:
        DemandEntry.model_validate({"name": "pod", "requests": {"pods": 1}, "count": 0, **choice})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        yield f"{place}.spec.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _in_names(target: Target, one: PodSet) -> Iterator[str]:
    place = f"spec.stateful.pods[{one.name}]"
    pod = target.pod_name(one.name, max(0, one.count - 1))
    for name, what in ((pod, "pods"), *((f"{pod}-{task.name}", f"task {task.name}") for task in one.tasks)):
        if len(name) > LONGEST_LABEL:
            yield (
                f"{place}: its {what} would have names like {name}, of {len(name)} characters: shorten the names of the"
                f" framework, the set or the task, {LONGEST_LABEL} are the most"
            )
    for other in target.pods:
        if one.tasks and re.match(rf"{re.escape(one.name)}-\d+(-|$)", other.name):
            yield (
                f"spec.stateful.pods[{other.name}]: its pods could have the names of tasks of {one.name}: choose"
                " another name"
            )


def _in_plan(target: Target, plan: PlanSpec) -> Iterator[str]:
    place = f"spec.stateful.plans[{plan.name}]"
    if plan.name in (RECOVERY, DECOMMISSION):
        yield f"{place}: the plan {plan.name} is made as needed, and cannot be defined: choose another name"
    for parameter in plan.parameters:
        if not _ENVIRONMENT.fullmatch(parameter):
            yield f"{place}.parameters has {parameter}, which is no name of an environment variable"
    phases = {phase.name for phase in plan.phases}
    for phase in plan.phases:
        at = f"{place}.phases[{phase.name}]"
        one = target.sets.get(phase.pods)
        if one is None:
            yield f"{at}.pods names {phase.pods}, which is no set of spec.stateful.pods"
            continue
        if phase.task is not None and target.task(one.name, phase.task) is None:
            yield f"{at}.task names {phase.task}, which is no task of the set {one.name}"
        for index in phase.indexes:
            if index >= one.count:
                yield f"{at}.indexes has {index}, but the set {one.name} has {one.count} pods: the first is 0"
        for name in phase.depends_on:
            if name not in phases:
                yield f"{at}.dependsOn names {name}, which is no phase of the plan"
    yield from _in_circles(place, plan)


def _in_circles(place: str, plan: PlanSpec) -> Iterator[str]:
    waiting = {phase.name: set(phase.depends_on) & {one.name for one in plan.phases} for phase in plan.phases}
    while free := {name for name, before in waiting.items() if not before}:
        waiting = {name: before - free for name, before in waiting.items() if name not in free}
    if waiting:
        yield f"{place}: the phases {', '.join(sorted(waiting))} wait for each other by dependsOn: break the circle"
